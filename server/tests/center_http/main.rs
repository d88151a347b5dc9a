//! The center over HTTP: a real server on a loopback port over a real SQLite file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic as tests do")]

mod again;
mod browsers;
mod budgets;
mod buyer;
mod flood;
mod kept;
mod limits;
mod payword;
mod recovery;
mod refused;
mod splice;
mod stand;
mod the_loop;
mod trouble;
mod vendor_scrip;
mod wallet_site;
