//! The wallet's errors as a terminal says them: what happened to the money first.

use tuppence_protocol::ErrorCode;
use tuppence_wallet::view::{OperationKind, PendingOperation};
use tuppence_wallet::{Money, Problem, WalletError};

use crate::failure::Failure;

const ABOVE_MAX: u8 = 3;
const TOO_LITTLE: u8 = 4;
const OPEN: u8 = 5;
const NOT_DELIVERED: u8 = 6;

/// An error of something that moves no money.
pub fn failure(error: WalletError) -> Failure {
    let (message, hint) = words(&error);
    Failure::new(message).hint(hint).exit(exit_code(&error))
}

/// An error of a payment or of an earning: what happened to the money comes first.
pub fn money_failure(error: WalletError) -> Failure {
    let (message, hint) = words(&error);
    let (money, hint) = match error.money {
        Money::Untouched => ("Nothing was charged.", hint),
        Money::Open => (
            "It is under way and not certain yet; it is never charged twice.",
            "The next command finishes it, as soon as the center answers.".to_owned(),
        ),
        Money::Moved => (
            "The money has moved.",
            "The same command again fetches what is missing, and costs nothing.".to_owned(),
        ),
    };
    Failure::new(format!("{money} {message}")).hint(hint).exit(exit_code(&error))
}

fn exit_code(error: &WalletError) -> u8 {
    match error.money {
        Money::Open => OPEN,
        Money::Moved => NOT_DELIVERED,
        Money::Untouched if error.is(Problem::PriceChanged) => ABOVE_MAX,
        Money::Untouched if error.is_refusal(ErrorCode::BalanceInsufficient) => TOO_LITTLE,
        Money::Untouched => 1,
    }
}

/// Sentence and hint. Where the wallet speaks of browsers and pages, a terminal has other words.
fn words(error: &WalletError) -> (String, String) {
    let is = |problem| error.is(problem);
    // What was wrong in this case follows the sentence that every case has.
    let detail = |problem: Problem| {
        let general = WalletError::from(problem).message.clone();
        error.message.strip_prefix(&general).unwrap_or_default().to_owned()
    };
    let said = |sentence: &str, hint: &str| (sentence.to_owned(), hint.to_owned());
    if is(Problem::StorageUnavailable) {
        said(
            "The wallet's records cannot be read or written.",
            "Look at the permissions of the wallet's folder and at the disk, then try again.",
        )
    } else if is(Problem::VaultLost) {
        said(
            "The key file does not open the wallet's secrets.",
            "Put wallet-key.json back, or bring the wallet back from its words or from a copy.",
        )
    } else if is(Problem::Busy) {
        said("Another program is at work with this wallet.", "Let it finish, then try again.")
    } else if is(Problem::NoWallet) {
        said("There is no wallet yet.", "Create one with `tuppence wallet register`.")
    } else if is(Problem::WalletExists) {
        said("There is a wallet here already.", "Use it; or export it, then give it up with --replace.")
    } else if is(Problem::RecordNewer) {
        said("A newer version of this program has written the wallet's records.", "Update tuppence.")
    } else if is(Problem::Unsupported) {
        said("This system gives no random numbers, or locks no files.", "Keep the wallet on a local disk.")
    } else if is(Problem::PriceChanged) {
        let sentence = format!("The price is above --max.{}", detail(Problem::PriceChanged));
        (sentence, "Name a higher --max, if that is what it is worth to you.".to_owned())
    } else if is(Problem::ArgumentInvalid) {
        let sentence = detail(Problem::ArgumentInvalid).trim().to_owned();
        let sentence = if sentence.is_empty() { error.message.clone() } else { sentence };
        (sentence, "`tuppence wallet --help` shows how it is written.".to_owned())
    } else if is(Problem::BackupForeign) {
        (error.message.clone(), "Name another folder with --wallet, and import it there.".to_owned())
    } else if error.is_refusal(ErrorCode::BalanceInsufficient) {
        let hint = "Earn more: `tuppence wallet campaigns` lists what pays.";
        (error.message.clone(), hint.to_owned())
    } else {
        (error.message.clone(), error.hint.clone())
    }
}

/// What is under way, in a few words.
pub fn name_of(open: &PendingOperation) -> String {
    let what = match open.kind {
        OperationKind::Register => "creating the wallet",
        OperationKind::Earn => "a reward",
        OperationKind::Pay => "a payment",
        OperationKind::CashOut => "a cash-out",
    };
    let amount = open.change.map_or_else(String::new, |change| format!(" of {}", change.amount));
    let title = open.title.as_ref().map_or_else(String::new, |title| format!(" for {title:?}"));
    format!("{what}{amount}{title}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_to_the_money_comes_first_and_has_an_exit_code() {
        let error = |money| WalletError::from(Problem::CenterUnreachable).with_money(money);
        for (money, beginning, code) in [
            (Money::Untouched, "Nothing was charged.", 1),
            (Money::Open, "It is under way and not certain yet;", OPEN),
            (Money::Moved, "The money has moved.", NOT_DELIVERED),
        ] {
            let failure = money_failure(error(money));
            assert!(failure.sentence().starts_with(beginning), "{failure:?}");
            assert_eq!(failure.exit_code(), code);
        }
        let above = WalletError::from(Problem::PriceChanged).because("It is USD:0.03 now.");
        let failure = money_failure(above);
        assert_eq!(failure.exit_code(), ABOVE_MAX);
        assert_eq!(failure.sentence(), "Nothing was charged. The price is above --max. It is USD:0.03 now.");
    }

    #[test]
    fn no_error_speaks_of_browsers_or_pages() {
        for problem in Problem::ALL {
            // A program in a browser alone meets these.
            if matches!(problem, Problem::WalletLost | Problem::KitUnavailable) {
                continue;
            }
            let (message, hint) = words(&WalletError::from(*problem));
            for word in ["browser", "page", "reload", "js-api"] {
                assert!(!format!("{message} {hint}").to_lowercase().contains(word), "{message} {hint}");
            }
        }
    }
}
