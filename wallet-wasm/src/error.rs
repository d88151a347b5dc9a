//! What can go wrong, as a person is told: what happened to the money, why, and what to do next.
//!
//! The center's and the shops' refusals keep their codes ([`tuppence_protocol::ErrorCode`]); what the
//! wallet itself finds has a code of [`Problem`]. Both are stable: interfaces choose their words by them.

use std::borrow::Cow;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use tuppence_protocol::{ErrorBody, ErrorCode, Refusal, Retry};

/// What happened to the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Money {
    /// Nothing was charged, and nothing was lost.
    #[default]
    Untouched,
    /// Not known yet: the operation is pending, and finishes by itself. It is never charged twice.
    Open,
    /// The money has moved, and only what followed went wrong: the article can be fetched again.
    Moved,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $retry:ident, $message:literal, $hint:literal;)*) => {
        /// What the wallet itself finds wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Problem {
            $($(#[$doc])* $name,)*
        }

        impl Problem {
            /// Every problem.
            pub const ALL: &[Problem] = &[$(Problem::$name),*];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Problem::$name => $code),* }
            }

            const fn message(self) -> &'static str {
                match self { $(Problem::$name => $message),* }
            }

            const fn hint(self) -> &'static str {
                match self { $(Problem::$name => $hint),* }
            }

            const fn retry(self) -> Retry {
                match self { $(Problem::$name => Retry::$retry),* }
            }
        }
    };
}

problems! {
    /// The device has no network.
    Offline = "offline", Later, "This device is offline.", "Connect it to the internet, then try again.";
    /// The center does not answer.
    CenterUnreachable = "center_unreachable", Later, "The payment center does not answer.", "Try again in a moment; nothing has been lost.";
    /// A shop does not answer.
    ShopUnreachable = "shop_unreachable", Later, "The shop does not answer.", "Try again in a moment, or choose another shop.";
    /// A reply is not what the protocol allows.
    ReplyInvalid = "reply_invalid", Never, "The answer does not fit what was asked.", "Try again; tell the shop or the center if it stays.";
    /// A reply about the purse fails a check.
    ReplyForged = "reply_forged", Never, "The answer was not sealed by the payment center.", "Check the connection and the center's address before you go on.";
    /// The center shows another key than the one that was pinned.
    CenterKeyChanged = "center_key_changed", Never, "The payment center shows another key than before.", "Do not go on before the operator has explained it.";
    /// The server at this address is no payment center that this wallet understands.
    CenterInvalid = "center_invalid", Never, "There is no payment center at this address that this wallet understands.", "Check the address, or update the wallet.";
    /// The shop works with another center.
    ShopForeign = "shop_foreign", Never, "This shop takes another center's e-cash.", "Use a wallet of the shop's own center.";
    /// The address is none of a shop.
    ShopInvalid = "shop_invalid", Never, "There is no shop at this address that this wallet understands.", "Check the address.";
    /// There is no wallet here yet.
    NoWallet = "no_wallet", Never, "There is no wallet on this device yet.", "Create one first, or import a copy.";
    /// There is a wallet here already.
    WalletExists = "wallet_exists", Never, "There is a wallet on this device already.", "Use it, or export it before you replace it.";
    /// This browser had a wallet, and its records are gone.
    WalletLost = "wallet_lost", Never, "This browser has deleted the wallet's records.", "Restore the wallet with its recovery words, or from a copy.";
    /// Words that are no recovery words.
    WordsInvalid = "words_invalid", Never, "These are not the recovery words of a wallet.", "Check the spelling and the order, then try again.";
    /// A word that was asked for is another one.
    WordsWrong = "words_wrong", Never, "That is not the word that was shown.", "Look at the words you wrote down, then try again.";
    /// The wallet is older than recovery words.
    WordsMissing = "words_missing", Never, "This wallet has no recovery words, since it was made before there were any.", "Save a copy of the wallet instead.";
    /// The part of the site that few visits need cannot be fetched.
    KitUnavailable = "kit_unavailable", Later, "The part of the wallet that this needs could not be loaded.", "Check the connection, then try again.";
    /// The records cannot be read or written.
    StorageUnavailable = "storage_unavailable", Later, "This browser does not let the wallet keep its records.", "Allow storage for this site, leave private browsing, then reload.";
    /// The device is full.
    StorageFull = "storage_full", Later, "This device has no room left for the wallet's records.", "Free some space, then try again.";
    /// A record does not decode.
    RecordDamaged = "record_damaged", Never, "A record of this wallet cannot be read.", "Import a copy of the wallet.";
    /// The records were written by a newer program.
    RecordNewer = "record_newer", Never, "A newer version of the wallet has written these records.", "Reload the page to get the newer version.";
    /// The key that the secrets are wrapped with is gone.
    VaultLost = "vault_lost", Never, "This browser has lost the key to the wallet's secrets.", "Import a copy of the wallet.";
    /// The browser has no secure cryptography here.
    Unsupported = "unsupported", Never, "This browser, or this address, does not offer what the wallet needs.", "Use an up-to-date browser and an https address.";
    /// Another tab is at work.
    Busy = "busy_elsewhere", Later, "The wallet is at work in another tab.", "Let it finish there, or close that tab.";
    /// The price is above what was approved.
    PriceChanged = "price_changed", WithNewOffer, "The shop now asks a higher price than you approved.", "Look at the new price, then decide again.";
    /// An answer has the wrong number of parts, or is too long.
    AnswerInvalid = "answer_invalid", Never, "The answers do not fit the questions.", "Answer every question, each in at most 2,000 characters.";
    /// The article was not bought with this wallet.
    NotOwned = "not_owned", Never, "This wallet has not paid for the article.", "Pay for it first.";
    /// No operation of this name is open.
    OperationUnknown = "operation_unknown", Never, "This has ended already.", "Look at the history.";
    /// The operation is past the point where it can be cancelled.
    TooLate = "too_late", Never, "This can no longer be cancelled.", "Look at the history.";
    /// The creation of the wallet was stopped before it was asked for.
    Stopped = "stopped", Later, "You stopped the creation of the wallet.", "Nothing was kept. Create it whenever you wish.";
    /// The history has no such entry.
    EntryUnknown = "entry_unknown", Never, "The history has no such entry.", "Look at the history.";
    /// A copy does not decode.
    BackupInvalid = "backup_invalid", Never, "This is no copy of a wallet.", "Choose a file that this wallet has exported.";
    /// A copy belongs to another center.
    BackupForeign = "backup_foreign", Never, "This copy belongs to another payment center.", "Open that center's wallet, and import it there.";
    /// The transaction was taken back before it was confirmed.
    TakenBack = "taken_back", WithNewOffer, "The payment was not confirmed in time, and was taken back.", "Nothing was charged. Try again if you wish.";
    /// An argument of the JavaScript API is of the wrong kind.
    ArgumentInvalid = "argument_invalid", Never, "An argument is missing or of the wrong kind.", "See docs/js-api.md.";
}

/// An error of the wallet: a stable code, a sentence, what to do next, and what happened to the money.
///
/// Behind a pointer: nearly every function of the wallet passes one on, and moving its words about is most of what
/// that costs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{}", .0.message)]
#[serde(transparent)]
pub struct WalletError(Box<Parts>);

/// What a [`WalletError`] says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parts {
    /// The stable code, of [`Problem`] or [`ErrorCode`].
    pub code: Cow<'static, str>,
    /// What was wrong, in a sentence.
    pub message: String,
    /// What to do about it, in a sentence.
    pub hint: String,
    /// Whether the same can succeed later.
    pub retry: Retry,
    /// What happened to the money.
    pub money: Money,
    /// The shop's document with the reason (GM2_2, PM2_2): sanitised HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

impl Deref for WalletError {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl From<Parts> for WalletError {
    fn from(parts: Parts) -> Self {
        WalletError(Box::new(parts))
    }
}

impl WalletError {
    /// The same, with another word on the money.
    #[must_use]
    pub fn with_money(mut self, money: Money) -> Self {
        self.0.money = money;
        self
    }

    /// The same, with what was wrong in this case.
    #[must_use]
    pub fn because(mut self, detail: impl AsRef<str>) -> Self {
        self.0.message = format!("{} {}", self.message, detail.as_ref());
        self
    }

    /// Whether it is this problem.
    pub fn is(&self, problem: Problem) -> bool {
        self.code == problem.code()
    }

    /// Whether it is this refusal.
    pub fn is_refusal(&self, code: ErrorCode) -> bool {
        self.code == code.as_str()
    }
}

impl From<Problem> for WalletError {
    fn from(problem: Problem) -> Self {
        WalletError::from(Parts {
            code: Cow::Borrowed(problem.code()),
            message: problem.message().to_owned(),
            hint: problem.hint().to_owned(),
            retry: problem.retry(),
            money: Money::Untouched,
            document: None,
        })
    }
}

impl From<ErrorBody> for WalletError {
    fn from(body: ErrorBody) -> Self {
        WalletError::from(Parts {
            code: Cow::Borrowed(body.code.as_str()),
            message: body.message,
            hint: body.hint,
            retry: body.retry,
            money: Money::Untouched,
            document: body.reply.and_then(|reply| reply.document).map(String::from),
        })
    }
}

/// A refusal by the buyer's own rules: of a reply, or of something that the purse does not allow.
impl From<Refusal> for WalletError {
    fn from(refusal: Refusal) -> Self {
        let problem = match refusal.code {
            ErrorCode::SealInvalid | ErrorCode::ScripForged => Problem::ReplyForged,
            ErrorCode::OfferForeign => Problem::ShopForeign,
            ErrorCode::BalanceInsufficient | ErrorCode::CurrencyMismatch => {
                return ErrorBody::from(&refusal).into();
            }
            _ => Problem::ReplyInvalid,
        };
        WalletError::from(problem).because(refusal.message)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_mean_the_same_as_the_protocols() {
        let own: BTreeSet<_> = Problem::ALL.iter().map(|problem| problem.code()).collect();
        assert_eq!(own.len(), Problem::ALL.len());
        let shared: Vec<_> = ErrorCode::ALL.iter().filter(|code| own.contains(code.as_str())).collect();
        assert_eq!(shared, [&ErrorCode::CenterUnreachable], "one meaning, whoever finds it");
    }

    #[test]
    fn every_code_is_documented() {
        let documentation = include_str!("../../docs/js-api.md");
        for problem in Problem::ALL {
            assert!(documentation.contains(&format!("`{}`", problem.code())), "{}", problem.code());
        }
    }

    #[test]
    fn every_problem_is_a_sentence_with_a_way_out() {
        for problem in Problem::ALL {
            for text in [problem.message(), problem.hint()] {
                assert!(text.ends_with('.') && text.len() > 10, "{}: {text:?}", problem.code());
            }
        }
    }
}
