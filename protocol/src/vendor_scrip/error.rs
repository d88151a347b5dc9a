//! Why scrip, a licence or a settlement is refused. Nothing has changed then.

use crate::amount::Amount;
use crate::error::Refusal;

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
