//! Why an authority, a payword or a deposit is refused. Nothing has changed then.

use crate::error::Refusal;
use crate::payword::chain::ChainError;
use crate::payword::check::CheckError;

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
