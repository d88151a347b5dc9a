//! Why scrip, a licence or a settlement is refused. Nothing has changed then.

use crate::amount::Amount;
use crate::error::{ErrorCode, Refusal};

/// A refusal by the rules of spec/02. Each says what was wrong in this case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorScripError {
    /// A certificate or seal does not hold: nobody who may say so has said so.
    #[error("{0}")]
    Forged(&'static str),
    /// It is meant for another shop, center, customer or order.
    #[error("{0}")]
    Foreign(&'static str),
    /// The terms are none that can be kept.
    #[error("{0}")]
    Terms(&'static str),
    /// It is past its end.
    #[error("{0}")]
    Expired(&'static str),
    /// The receipt does not pay for this order.
    #[error("{0}")]
    Unpaid(&'static str),
    /// The scrip was spent on something else.
    #[error("the scrip was spent before")]
    Spent,
    /// The scrip does not cover the price.
    #[error("the scrip is worth {value}; the price is {price}")]
    Insufficient {
        /// What the scrip is worth.
        value: Amount,
        /// What was to be paid.
        price: Amount,
    },
    /// The purchase was ended, or the rest went back; what came before stays paid.
    #[error("the budget was ended; {0} of it were spent")]
    Ended(Amount),
    /// The shop has licensed no more scrip.
    #[error("the shop has licensed no more scrip")]
    Unlicensed,
    /// The center misses one of its secrets.
    #[error(transparent)]
    Center(#[from] Refusal),
}

/// What is answered over HTTP.
impl From<VendorScripError> for Refusal {
    fn from(error: VendorScripError) -> Self {
        let code = match &error {
            VendorScripError::Forged(_) | VendorScripError::Foreign(_) | VendorScripError::Terms(_) => {
                ErrorCode::VendorScripInvalid
            }
            VendorScripError::Expired(_) => ErrorCode::VendorScripExpired,
            VendorScripError::Unpaid(_) => ErrorCode::ReceiptInvalid,
            VendorScripError::Spent => ErrorCode::VendorScripSpent,
            VendorScripError::Insufficient { .. } => ErrorCode::BalanceInsufficient,
            VendorScripError::Ended(_) => ErrorCode::BudgetEnded,
            VendorScripError::Unlicensed => ErrorCode::Unlicensed,
            VendorScripError::Center(refusal) => return refusal.clone(),
        };
        Refusal::new(code, sentence(&error.to_string()))
    }
}

/// A part of a sentence, or a whole one, as a whole one.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().collect::<String>() + letters.as_str().trim_end_matches('.') + "."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_becomes_a_code_and_a_sentence() {
        for (error, code, message) in [
            (VendorScripError::Forged("It is so."), ErrorCode::VendorScripInvalid, "It is so."),
            (VendorScripError::Spent, ErrorCode::VendorScripSpent, "The scrip was spent before."),
            (VendorScripError::Unlicensed, ErrorCode::Unlicensed, "The shop has licensed no more scrip."),
        ] {
            let refusal = Refusal::from(error);
            assert_eq!((refusal.code, refusal.message.as_str()), (code, message));
        }
        let own = Refusal::new(ErrorCode::Fault, "Why.");
        assert_eq!(Refusal::from(VendorScripError::Center(own.clone())), own);
    }
}
