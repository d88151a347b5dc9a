//! What every store must do, and what a working set never lets happen.

mod conformance;
pub(crate) mod fixture;
mod sqlite;
mod working_set;
