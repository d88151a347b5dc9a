//! Why something is refused: one numbered, permanent code for each reason, with what to do about it.
//!
//! Rules refuse with a [`Refusal`]; HTTP turns it into an [`ErrorBody`] in one place. The table in
//! docs/protocol/errors.md is made from [`ErrorCode::ALL`].

use serde::{Deserialize, Serialize};

/// Whether sending the same again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// The same message will always be refused.
    Never,
    /// The same message may succeed later, and is safe to repeat.
    Later,
    /// After the wallet has fetched the live scrip (GM6_2, PM6_2).
    AfterResync,
    /// With a new offer from the shop.
    WithNewOffer,
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $wire:literal, $status:literal, $retry:ident, $hint:literal;)*) => {
        /// A reason for a refusal. The numbers are permanent; a lower one takes precedence where several apply.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u16)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $wire)] $name = $number,)*
        }

        impl ErrorCode {
            /// Every code, in order of precedence.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$name),*];

            /// The permanent number.
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// The code's name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$name => $wire),* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(ErrorCode::$name => $status),* }
            }

            /// Whether a repetition can help.
            pub const fn retry(self) -> Retry {
                match self { $(ErrorCode::$name => Retry::$retry),* }
            }

            /// What to do about it, in a sentence.
            pub const fn hint(self) -> &'static str {
                match self { $(ErrorCode::$name => $hint),* }
            }
        }
    };
}

error_codes! {
    /// The body is larger than the message's limit.
    BodyTooLarge = 100, "body_too_large", 413, Never, "Send a body within the limit that the API description states.";
    /// The body is not declared as JSON.
    MediaType = 101, "media_type", 415, Never, "Send application/json.";
    /// The message does not parse.
    Malformed = 102, "malformed", 400, Never, "Send the message as docs/protocol describes it.";
    /// The message's protocol version is not spoken here.
    Version = 103, "version", 400, Never, "Update the wallet or the server, so that both speak one version.";
    /// The message's code does not belong to this address.
    WrongMessage = 104, "wrong_message", 400, Never, "Send this message to the address that takes its code.";
    /// There is nothing at this address.
    NotFound = 105, "not_found", 404, Never, "Check the address.";
    /// The address does not take this method.
    Method = 106, "method", 405, Never, "Use the method that the API description names.";
    /// The request comes from a page that may not send it.
    Origin = 107, "origin", 403, Never, "Use the wallet's own page.";
    /// Operator's or vendor's authority is missing.
    Unauthorized = 108, "unauthorized", 401, Never, "Send the operator's token, or check the shared secret.";
    /// Too many requests.
    RateLimited = 109, "rate_limited", 429, Later, "Wait a moment, then try again.";
    /// The body did not arrive in time.
    TooSlow = 110, "too_slow", 408, Later, "Send the whole body within some seconds.";

    /// The anti-robot challenge is missing, wrong, expired or used.
    Challenge = 200, "challenge", 403, Never, "Fetch a new challenge and solve it.";
    /// The session key cannot be decrypted, or is not one.
    Envelope = 201, "envelope", 400, Never, "Encrypt a new session key with the center's current public key.";
    /// The wallet identifier is registered with another key.
    WalletTaken = 202, "wallet_taken", 409, Never, "Register with a new random identifier.";
    /// No wallet was registered with these words, or the claim is not signed with them.
    ClaimRefused = 203, "claim_refused", 403, Never, "Check the words, and that they belong to a wallet of this center.";

    /// The scrip names a hash algorithm that the center has not turned on.
    Algorithm = 300, "algorithm", 400, Never, "Use the scrip as the center issued it.";
    /// The scrip's certificate does not hold.
    ScripForged = 301, "scrip_forged", 403, Never, "Use the scrip as the center issued it.";
    /// The message's seal does not hold.
    SealInvalid = 302, "seal_invalid", 403, Never, "Seal the message with this purse's own secret.";
    /// The scrip is real, but not the live one.
    ScripStale = 303, "scrip_stale", 409, AfterResync, "Fetch the live scrip, then try again.";
    /// The scrip has expired.
    ScripExpired = 304, "scrip_expired", 409, AfterResync, "Fetch the live scrip: it is renewed with the same value.";
    /// The center has no such purse.
    PurseUnknown = 305, "purse_unknown", 404, Never, "Restore the wallet, or register again.";
    /// The purse has come to its last serials, about 2^53.
    SerialLimit = 306, "serial_limit", 409, Never, "Cash out, and go on with a new wallet.";
    /// Other notes were kept since these were read.
    NotesStale = 307, "notes_stale", 409, Later, "Fetch the notes that are kept, add to them, and keep them as the next version.";

    /// The offer's or receipt's shop is not registered with this center.
    VendorUnknown = 400, "vendor_unknown", 403, Never, "Choose a shop that works with this center.";
    /// The offer was not sealed by the shop it names.
    OfferForged = 401, "offer_forged", 403, WithNewOffer, "Ask the shop for a new offer.";
    /// The offer is meant for another center.
    OfferForeign = 402, "offer_foreign", 403, WithNewOffer, "Ask the shop for an offer for this center.";
    /// The offer has expired.
    OfferExpired = 403, "offer_expired", 410, WithNewOffer, "Ask the shop for a new offer.";
    /// The offer was made for another earner.
    EarnerMismatch = 404, "earner_mismatch", 403, Never, "Answer from the wallet that shall earn.";
    /// The transaction is known with other content.
    TransactionConflict = 405, "transaction_conflict", 409, WithNewOffer, "What came first under this name stands. Ask the shop for a new offer, or give a booking its own reference.";
    /// The center knows no such transaction.
    TransactionUnknown = 406, "transaction_unknown", 404, Later, "Send the payment first.";
    /// The transaction was completed and cannot be taken back.
    TransactionPosted = 407, "transaction_posted", 409, Never, "Fetch the receipt: this is done.";
    /// The transaction was cancelled, or ran out of time; its money is back.
    TransactionVoided = 408, "transaction_voided", 409, AfterResync, "Nothing was moved. Fetch the live scrip, and begin again if you wish.";

    /// Two currencies met.
    CurrencyMismatch = 500, "currency_mismatch", 400, Never, "Use e-cash of the price's currency.";
    /// The amount is zero or beyond a limit.
    AmountOutOfRange = 501, "amount_out_of_range", 400, Never, "Choose an amount within the limits.";
    /// The purse does not cover the price.
    BalanceInsufficient = 502, "balance_insufficient", 402, Later, "Earn more e-cash, then pay again.";
    /// The purse would hold more than a purse may.
    BalanceLimit = 503, "balance_limit", 409, Later, "Spend or cash out some e-cash first.";
    /// The campaign's budget does not cover its reward.
    CampaignExhausted = 504, "campaign_exhausted", 409, Never, "Choose another question: this one's budget is spent.";
    /// The cash-out is below the threshold.
    BelowThreshold = 505, "below_threshold", 409, Later, "Collect e-cash up to the threshold first.";
    /// The seller's account at the center does not cover the campaign.
    FundsInsufficient = 506, "funds_insufficient", 409, Later, "Deposit money with the center, or choose a smaller budget.";
    /// There is no such cash-out order, or it has ended.
    PayoutUnknown = 507, "payout_unknown", 404, Never, "List the open orders.";

    /// The shop has no such article, or it is not for sale.
    ArticleUnknown = 600, "article_unknown", 404, Never, "Look for the article on the shop's front page.";
    /// The receipt is not this shop's.
    ReceiptInvalid = 601, "receipt_invalid", 403, Never, "Send the receipt that the center gave for this article.";
    /// There is no such campaign item, or it is not open now.
    ItemUnknown = 602, "item_unknown", 404, Never, "Choose another question.";
    /// The answers do not fit the questions.
    AnswerMalformed = 603, "answer_malformed", 400, Never, "Answer every question, with one of its choices where it has some.";
    /// The quiz was not passed.
    AnswerWrong = 604, "answer_wrong", 403, Never, "Each quiz has one try. Choose another question.";
    /// This earner has answered already.
    AlreadyAnswered = 605, "already_answered", 409, Never, "Each question pays once. Choose another one.";
    /// The earner's pseudonym has no valid attestation.
    EarnerUnattested = 606, "earner_unattested", 403, Later, "Ask the center to attest the pseudonym for this shop.";
    /// The center has not confirmed within the time.
    Unconfirmed = 607, "unconfirmed", 202, Later, "Ask again at the address that the reply names.";
    /// The article is sold, not given away.
    PaymentRequired = 608, "payment_required", 402, WithNewOffer, "Pay the offer, then send its receipt.";

    /// The authority or its certificate is forged, foreign, or none that can be kept.
    AuthorityInvalid = 620, "authority_invalid", 403, Never, "Make a new authority, with a certificate of this center.";
    /// The authority has ended, or ends too late.
    AuthorityExpired = 621, "authority_expired", 410, Never, "Approve a new budget.";
    /// There is no such authority.
    AuthorityUnknown = 622, "authority_unknown", 404, Never, "Have it countersigned first.";
    /// The budget was ended; what came before stays paid.
    BudgetEnded = 623, "budget_ended", 409, Never, "Approve a new budget.";
    /// The payword is not this chain's, or too far on.
    PaywordInvalid = 624, "payword_invalid", 403, Never, "Send the payword of this chain and index, within the bound.";
    /// The scrip, licence or order is forged, foreign, or none that can be kept.
    VendorScripInvalid = 625, "vendor_scrip_invalid", 403, Never, "Use the scrip, licence or order as it was made.";
    /// The scrip or its licence has ended.
    VendorScripExpired = 626, "vendor_scrip_expired", 410, Never, "Buy new scrip of the shop.";
    /// The scrip was spent on something else.
    VendorScripSpent = 627, "vendor_scrip_spent", 409, Never, "Use the change that came for it.";
    /// The center sold no such scrip.
    VendorScripUnknown = 628, "vendor_scrip_unknown", 404, Never, "Buy it first.";
    /// The shop has licensed no more scrip.
    Unlicensed = 629, "unlicensed", 409, Later, "Ask the shop to license more of its scrip.";

    /// The center cannot be reached from here.
    CenterUnreachable = 700, "center_unreachable", 503, Later, "Try again in a moment; nothing has been lost.";
    /// The store is busy, full or away.
    StoreUnavailable = 701, "store_unavailable", 503, Later, "Try again in a moment; nothing has been lost.";
    /// The server is stopping or at its limit.
    Busy = 702, "busy", 503, Later, "Try again in a moment; nothing has been lost.";
    /// A fault of the server.
    Fault = 703, "fault", 500, Later, "Try again; tell the operator the request id if it stays.";
}

/// A refusal by the rules: a code and a sentence about this case. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The reason.
    pub code: ErrorCode,
    /// What was wrong, and where, in a sentence.
    pub message: String,
}

impl Refusal {
    /// A refusal for `code` with what was wrong in this case.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into() }
    }
}

/// The body of every error answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorBody {
    /// The reason.
    pub code: ErrorCode,
    /// What was wrong, and where, in a sentence.
    pub message: String,
    /// What to do about it, in a sentence.
    pub hint: String,
    /// Whether sending the same again can help.
    pub retry: Retry,
    /// The protocol's own refusal message (GM2_2, GM5_2 ...), where the refused message has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Box<crate::scrip::Refused>>,
}

impl From<&Refusal> for ErrorBody {
    fn from(refusal: &Refusal) -> Self {
        ErrorBody {
            code: refusal.code,
            message: refusal.message.clone(),
            hint: refusal.code.hint().to_owned(),
            retry: refusal.code.retry(),
            reply: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_and_names_are_unique() {
        for pair in ErrorCode::ALL.windows(2) {
            assert!(pair[0].number() < pair[1].number());
        }
        let names: std::collections::BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn every_code_survives_json_under_its_name() {
        for code in ErrorCode::ALL {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.as_str()));
            assert_eq!(serde_json::from_str::<ErrorCode>(&json).unwrap(), *code);
        }
    }
}
