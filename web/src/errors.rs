//! From an error's code to what a person is told: the money first, then the cause, then the way out.

use tuppence_protocol::Retry;
use tuppence_wallet::{Money, WalletError};

use crate::locales::{Said, texts};

/// What a person can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayOut {
    /// The same again.
    Again,
    /// Reload the page.
    Reload,
    /// Earn, or choose another question.
    Earn,
    /// Look at the history.
    History,
    /// The settings: copies and the center's key are there.
    Settings,
    /// The page that asks for the recovery words.
    Restore,
    /// The wallet's first page.
    Home,
}

impl WayOut {
    /// The way out that goes with an error.
    pub fn of(error: &WalletError) -> Self {
        match error.code.as_ref() {
            "storage_unavailable" | "record_newer" | "unsupported" | "version" => WayOut::Reload,
            "balance_insufficient"
            | "campaign_exhausted"
            | "item_unknown"
            | "answer_wrong"
            | "already_answered" => WayOut::Earn,
            "too_late" | "operation_unknown" | "entry_unknown" => WayOut::History,
            "wallet_lost" | "vault_lost" | "record_damaged" => WayOut::Restore,
            "words_missing" | "center_key_changed" | "purse_unknown" | "backup_invalid"
            | "backup_foreign" | "wallet_exists" => WayOut::Settings,
            "shop_foreign" | "offer_foreign" | "vendor_unknown" | "shop_invalid" => WayOut::Home,
            // Beginning again asks the center for a new challenge, or the shop for what it offers now.
            "challenge" | "words_invalid" | "claim_refused" | "price_changed" | "article_unknown" => {
                WayOut::Again
            }
            _ if error.retry == Retry::Never && error.money == Money::Untouched => WayOut::Home,
            _ => WayOut::Again,
        }
    }
}

/// Where the error came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum While {
    /// Looking at something: no money was about to move.
    #[default]
    Looking,
    /// Moving money.
    Paying,
    /// Creating the wallet: there is no money yet.
    Creating,
}

/// The sentence about the money.
pub fn money(error: &WalletError, during: While) -> &'static str {
    if during == While::Creating {
        return texts().welcome.unfinished;
    }
    let texts = &texts().trouble;
    match (error.money, error.code.as_ref()) {
        (Money::Moved, _) => texts.moved,
        (Money::Open, _) => texts.open,
        (
            _,
            "storage_unavailable"
            | "storage_full"
            | "record_damaged"
            | "record_newer"
            | "vault_lost"
            | "wallet_lost",
        ) => texts.on_books,
        (Money::Untouched, _) if during == While::Paying => texts.untouched,
        (Money::Untouched, _) => texts.safe,
    }
}

/// The sentence about the cause: in the reader's language where the code is known, else in the words of the error.
pub fn cause(error: &WalletError) -> String {
    match texts().trouble.cause.of(&error.code) {
        Some(cause) => cause.to_owned(),
        None => format!("{} {}", error.message, error.hint),
    }
}

#[cfg(test)]
mod tests {
    use tuppence_protocol::{ErrorBody, ErrorCode, Refusal};
    use tuppence_wallet::Problem;

    use super::*;

    #[test]
    fn every_problem_of_the_wallet_has_a_sentence() {
        // Said to programs alone, or about things that the pages never ask for.
        let unsaid = ["argument_invalid", "not_owned", "no_wallet"];
        for problem in Problem::ALL.iter().filter(|problem| !unsaid.contains(&problem.code())) {
            assert!(texts().trouble.cause.of(problem.code()).is_some(), "{}", problem.code());
        }
    }

    #[test]
    fn a_refusal_without_a_sentence_of_its_own_is_said_in_its_own_words() {
        let refusal = Refusal::new(ErrorCode::Algorithm, "The algorithm is off.");
        let error = WalletError::from(ErrorBody::from(&refusal));
        assert_eq!(cause(&error), "The algorithm is off. Use the scrip as the center issued it.");
    }

    #[test]
    fn the_money_comes_first_and_is_true() {
        let offline = WalletError::from(Problem::Offline);
        assert_eq!(money(&offline, While::Looking), "Your e-cash is where it was.");
        assert_eq!(money(&offline, While::Paying), "You have not been charged.");
        let open = offline.clone().with_money(Money::Open);
        assert_eq!(money(&open, While::Paying), "You are charged once at most.");
        let moved = offline.with_money(Money::Moved);
        assert_eq!(money(&moved, While::Paying), "You have paid, and it is yours.");
    }

    #[test]
    fn what_can_be_repeated_offers_to_repeat_it() {
        assert_eq!(WayOut::of(&Problem::CenterUnreachable.into()), WayOut::Again);
        assert_eq!(WayOut::of(&Problem::StorageUnavailable.into()), WayOut::Reload);
        assert_eq!(WayOut::of(&Problem::VaultLost.into()), WayOut::Restore);
        let refusal = Refusal::new(ErrorCode::CampaignExhausted, "Spent.");
        assert_eq!(WayOut::of(&ErrorBody::from(&refusal).into()), WayOut::Earn);
    }
}
