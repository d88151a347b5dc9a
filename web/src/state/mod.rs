//! What the pages show: signals over the wallet, renewed by its events, also those of other tabs.
//!
//! Data flows one way: a page asks the wallet, the wallet tells what has changed, the signals follow.

mod errand;
mod load;
pub mod preferences;
mod wallet;

pub use errand::Errand;
pub use load::{Load, Loader};
pub use wallet::{Phase, WalletState};
