//! Chains of paywords: the hash chain of spec/03, as its payer makes it and its payee checks it.
//!
//! [`link`] is the hash, [`chain`] the payer's side, which keeps few paywords of many, [`check`] the payee's,
//! which hashes no further than its bound.

pub mod chain;
pub mod check;
pub mod link;

pub use chain::{Chain, ChainError, Generator, Progress};
pub use check::{CheckError, Outcome, Position, check};
pub use link::{ChainId, LENGTH_MAX, Link, Payword};
