//! The payment center's side (spec/01): what it keeps of a purse, and how messages change it.
//!
//! A [`Center`] takes a message, the records that it names ([`Found`]) and the time, and gives the
//! reply and what to keep ([`Outcome`]). A refusal changes nothing. Every function is a flat list of
//! checks in the order of [`crate::ErrorCode`]'s precedence, then the change.
//!
//! ```text
//!            M4, S4                 _6_1, spending the new scrip, 10 minutes (issue)
//!   idle ------------> pending ---------------------------------------------------> idle, posted
//!                         \         _6_3, _4_2, 10 minutes (payment, cash-out)
//!                          `------------------------------------------------------> idle, voided
//! ```
//!
//! Replies about a step are made from the [`Step`] alone, so that a repetition is the same byte for byte
//! (rule 4): their dates are the step's, never the clock's.

mod cash_out;
mod change;
mod finish;
mod keys;
mod offer;
mod purse;
mod record;
mod refused;
mod registration;
mod reply;
mod seller;
mod start;

#[cfg(test)]
mod tests;

use crate::time::Duration;

/// How long at least the same message gets the same reply. Replies about steps that moved money are made from the
/// books, which are never forgotten; only a cancellation of what never came is, after this and a day for the clock.
pub const REPLIES_KEPT: Duration = Duration::from_days(30);

pub use change::{Change, Found, Outcome, Seller};
pub use keys::{Center, CenterKeys, Policy};
pub use record::{Purse, ScripState, Step, StepKey, StepKind, StepState};
pub use refused::{refused_issue, refused_payment};
