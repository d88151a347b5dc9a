//! What every store must do, and what a working set never lets happen.

mod conformance;
pub(crate) mod fixture;
mod old_copies;
mod sqlite;
mod stories;
mod tamper;
mod working_set;
