//! Load on the real program, and what it costs (docs/performance.md).
//!
//! [`suite`] measures everything: it writes [`books`], starts the program as a [`process`], and lets the [`buyer`]s of
//! many connections pay ([`load`]), at the center and at a [`shop`]. [`report`] writes down what came of it.
#![allow(clippy::float_arithmetic, reason = "figures of measurements; no money is counted here")]

pub mod bare;
pub mod books;
pub mod buyer;
pub mod figures;
pub mod http;
pub mod load;
pub mod machine;
pub mod plot;
pub mod process;
pub mod profile;
pub mod report;
pub mod shop;
pub mod suite;
