//! Payword chains (MPTP, PayWord; spec/03): one approval for a budget at one shop, then a hash for each unit.
//!
//! ```text
//! customer                         broker (the center)                     vendor (the shop)
//! CertificateRequest ------------> Broker::certify
//! AwaitingCertificate <----------- Certificate
//! AuthorityOrder ----------------> Broker::quote: S2 (spec/01), the center as the seller
//! S4 and AuthorityOrder ---------> Broker::reserve -> Reservation; S5, S6 and receipt as ever
//! receipt -----------------------> Broker::countersigned
//! AwaitingCountersignature <------ Countersigned
//! Budget: Countersigned -------------------------------------------------> Vendor::open -> Session
//! Budget::charge: Charge ------------------------------------------------> Session::charge
//!                                  Broker::deposit <---- Deposit --------- Vendor::deposit
//! Budget::end: Charge, last -----> Broker::deposit <---- Deposit, last --- Session::charge
//!                                  Broker::close, at the end of the grace: the rest returns
//! ```
//!
//! [`link`] is the hash, [`chain`] the payer's side of it, which keeps few paywords of many, [`mod@check`] the payee's,
//! which hashes no further than its bound.

pub mod authority;
pub mod broker;
pub mod certificate;
pub mod chain;
pub mod charge;
pub mod check;
pub mod customer;
pub mod error;
pub mod link;
pub mod vendor;

pub use authority::{Authority, AuthorityId, AuthorityOrder, Countersigned, GRACE, LIFETIME_MAX};
pub use broker::{Broker, Closed, Deposited, Reservation};
pub use certificate::{CERTIFICATE_LIFETIME, Certificate, CertificateRequest};
pub use chain::{Chain, ChainError, Generator, Progress};
pub use charge::{CHARGE_JUMP_MAX, Charge, DEPOSIT_JUMP_MAX, Deposit, Paid};
pub use check::{CheckError, Outcome, Position, check};
pub use customer::{AwaitingCertificate, AwaitingCountersignature, Budget, Customer, Plan};
pub use error::PaywordError;
pub use link::{ChainId, LENGTH_MAX, Link, Payword};
pub use vendor::{Charged, Session, Standing, Vendor};

#[cfg(test)]
mod tests;
