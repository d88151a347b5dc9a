//! Where money lives: the payment center and the storefront, as a library.
//!
//! ```text
//! http  ->  center      ->  ledger, store
//!       ->  storefront  ->  (the center, over HTTP)
//! ```

pub mod center;
pub mod clock;
pub mod crash;
pub mod http;
mod json;
pub mod ledger;
pub mod store;
pub mod storefront;
