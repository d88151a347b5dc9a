//! The wallet of Tuppence (spec/01, the buyer): a core on ports, for the browser and for native programs.
//!
//! [`Wallet`] is what interfaces use; [`view`] is what it shows, [`error`] what it says when something
//! is wrong. [`ports`] are the places where it touches the world.

mod center_key;
mod client;
pub mod error;
pub mod json;
pub mod kit;
mod operation;
pub mod origin;
pub mod ports;
mod record;
mod shop_wire;
pub mod view;
pub mod wallet;

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(all(target_arch = "wasm32", feature = "js-api"))]
pub mod js_api;

pub use error::{Money, Problem, WalletError};
#[cfg(not(target_arch = "wasm32"))]
pub use record::record_again;
pub use wallet::{Config, Wallet};
