//! The rules of Tuppence's money: messages, seals and state machines.
//!
//! Pure by design: no clock, no randomness, no I/O and no async. Time, random numbers and stored
//! records are arguments; what to send and what to store are results. Each of the nine systems of
//! the specification has a folder; the files beside them are what all systems share.

pub mod amount;
pub mod bytes;
pub mod canonical;
pub mod challenge;
pub mod envelope;
pub mod error;
pub mod ids;
mod normal_form;
pub mod payword;
pub mod recovery;
pub mod scrip;
pub mod seal;
pub mod secret;
pub mod signature;
pub mod text;
pub mod time;
pub mod vendor_scrip;

pub use amount::{Amount, Currency};
pub use error::{ErrorBody, ErrorCode, Refusal, Retry};
pub use ids::{IdType, TranId, VendorId, WalletId};
pub use seal::{HashAlgorithm, Seal};
pub use secret::{KeyRing, Secret};
pub use signature::{PublicKey, PublicKeys, Signature};
pub use text::Text;
pub use time::{Duration, Timestamp};

/// The protocol version that this crate speaks; part of every canonical encoding and header.
pub const PROTOCOL_VERSION: u16 = 1;
