//! Recovery: twelve words bring a wallet back to an empty browser (docs/decisions/0007).
//!
//! The words ([`words`]) are the wallet: what it registers with is derived from them ([`keys`]). With them
//! it claims its purse ([`claim`]), and reads from the center's books what has happened to it
//! ([`statement`]). What only the reader knows, such as titles, lies at the center encrypted ([`notes`]).

mod center;
pub mod claim;
pub mod keys;
pub mod notes;
pub mod statement;
pub mod words;

pub use center::{Claimed, StatementRow};
