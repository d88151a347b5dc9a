//! The wallet's core against the center's own rules: whatever is lost, doubled or crashes, the money is right.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod backup;
mod by_url;
mod cash_out;
mod corpus;
mod crash;
mod earn;
mod hostile;
mod network;
mod pay;
mod recovery;
mod register;
mod sim;
mod tabs;
mod typescript;
