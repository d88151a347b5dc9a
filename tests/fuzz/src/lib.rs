//! What takes bytes from outside, each as a target: a function of any bytes, with what must hold for them.
//!
//! `cargo xtask fuzz` lets cargo-fuzz look for bytes for which it doesn't; `tests/replay.rs` runs what lies in `corpus/`
//! through every target as an ordinary test. A property that doesn't hold panics: that is how libFuzzer hears of it.

#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a property that does not hold is told by a panic, which is what the fuzzer looks for"
)]

pub mod canonical;
pub mod center;
pub mod demands;
pub mod envelopes;
pub mod files;
pub mod message;
pub mod records;
pub mod requests;
pub mod session_keys;
pub mod settings;
pub mod shop;
pub mod sites;
pub mod spellings;
pub mod target;

pub use target::{TARGETS, Target, Verdict};
