//! Why an authority, a payword or a deposit is refused. Nothing has changed then.

use crate::error::{ErrorCode, Refusal};
use crate::payword::chain::ChainError;
use crate::payword::check::CheckError;
use crate::vendor_scrip::error::sentence;

/// A refusal by the rules of spec/03. Each says what was wrong in this case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaywordError {
    /// A signature or seal does not hold: nobody who may say so has said so.
    #[error("{0}")]
    Forged(&'static str),
    /// It is meant for another shop, center, customer or chain.
    #[error("{0}")]
    Foreign(&'static str),
    /// The terms are none that can be kept: length, unit, currency or value.
    #[error("{0}")]
    Terms(&'static str),
    /// It is past its end, or its end is further ahead than any may be.
    #[error("{0}")]
    Expired(&'static str),
    /// The receipt does not pay for this authority.
    #[error("{0}")]
    Unpaid(&'static str),
    /// The customer or the shop has ended it, or the rest went back; what came before stays paid.
    #[error("the budget was ended at payword {0}")]
    Ended(u32),
    /// The payword is not taken.
    #[error(transparent)]
    Payword(#[from] CheckError),
    /// The chain gives no such payword.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The center does not know the scrip that was shown.
    #[error(transparent)]
    Scrip(#[from] Refusal),
}

/// What is answered over HTTP.
impl From<PaywordError> for Refusal {
    fn from(error: PaywordError) -> Self {
        let code = match &error {
            PaywordError::Forged(_) | PaywordError::Foreign(_) | PaywordError::Terms(_) => {
                ErrorCode::AuthorityInvalid
            }
            PaywordError::Expired(_) => ErrorCode::AuthorityExpired,
            PaywordError::Unpaid(_) => ErrorCode::ReceiptInvalid,
            PaywordError::Ended(_) => ErrorCode::BudgetEnded,
            PaywordError::Payword(_) | PaywordError::Chain(_) => ErrorCode::PaywordInvalid,
            PaywordError::Scrip(refusal) => return refusal.clone(),
        };
        Refusal::new(code, sentence(&error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_becomes_a_code_and_a_sentence() {
        for (error, code, message) in [
            (PaywordError::Forged("It is so."), ErrorCode::AuthorityInvalid, "It is so."),
            (PaywordError::Expired("It is so."), ErrorCode::AuthorityExpired, "It is so."),
            (PaywordError::Unpaid("It is so."), ErrorCode::ReceiptInvalid, "It is so."),
            (PaywordError::Ended(7), ErrorCode::BudgetEnded, "The budget was ended at payword 7."),
            (
                CheckError::Jump(4).into(),
                ErrorCode::PaywordInvalid,
                "A payword lies within 4 of the last one.",
            ),
        ] {
            let refusal = Refusal::from(error);
            assert_eq!((refusal.code, refusal.message.as_str()), (code, message));
        }
        let own = Refusal::new(ErrorCode::ScripForged, "Why.");
        assert_eq!(Refusal::from(PaywordError::Scrip(own.clone())), own);
    }
}
