//! The buyer's side (spec/01): what a wallet sends, and what it accepts as the reply.
//!
//! One type for each awaited reply, named for it. Each holds the message that was sent, so that a wallet
//! stores the state, sends [`AwaitingEcash::start`] (and so on), and can send the same again after a
//! crash. `receive` checks a reply and gives the next state; a refused reply changes nothing.
//!
//! ```text
//! R1 -> AwaitingRegistration -> Purse          E1 -> AwaitingAttestation -> Attestation
//! M1 -> AwaitingIssueOffer ----> Offer         S1 -> AwaitingPaymentOffer -> Offer
//! Purse::start(Offer): M4, S4 -> AwaitingEcash -> AwaitingReceipt (M6, S6) -> Receipt
//!                                     |                 | cancel: _6_3
//!                                     | cancel: _4_2    v
//!                                     `-------> AwaitingReturn -> live Scrip
//! Purse::resynchronise: _6_2 -> AwaitingLiveScrip -> live Scrip
//! ```
//!
//! A buyer cannot check a certificate, which is the center's own. It checks the seal under Custom_Secret,
//! which only the center and this buyer can make, and that value, serial, center and buyer are exactly
//! those that must come.

mod live;
mod offer;
mod registration;
mod step;

pub use live::{AwaitingLiveScrip, LiveScrip};
pub use offer::{AwaitingAttestation, AwaitingIssueOffer, AwaitingPaymentOffer, Offer};
pub use registration::{AwaitingRegistration, NewWallet};
pub use step::{AwaitingEcash, AwaitingReceipt, AwaitingReturn, Ecash, Start, Started};

use crate::amount::Amount;
use crate::error::{ErrorCode, Refusal};
use crate::ids::{Serial, VendorId};
use crate::scrip::Scrip;
use crate::seal::Seal;
use crate::secret::Secret;

/// What a buyer has at a center: the scrip, and the secret without which it is worth nothing.
#[derive(Debug, Clone)]
pub struct Purse {
    /// The scrip, as far as this wallet knows the live one.
    pub scrip: Scrip,
    /// `Custom_Secret`.
    pub custom_secret: Secret,
}

impl Purse {
    /// The value.
    pub fn value(&self) -> Amount {
        self.scrip.scrip.value
    }

    /// The serial of the scrip: a higher one is newer.
    pub fn serial(&self) -> Serial {
        self.scrip.scrip.scrip_id.serial_number
    }

    /// The center.
    pub fn center(&self) -> &VendorId {
        &self.scrip.scrip.vendor_id
    }
}

/// Refuses scrip that is not this buyer's, of this center and currency.
fn check_owner(new: &Scrip, old: &Scrip) -> Result<(), Refusal> {
    let (new, old) = (&new.scrip, &old.scrip);
    if new.vendor_id != old.vendor_id || new.custom_id != old.custom_id {
        return Err(forged("The scrip is another buyer's or another center's."));
    }
    if new.value.currency() != old.value.currency() {
        return Err(forged("The scrip is in another currency."));
    }
    Ok(())
}

/// Refuses a reply that was not sealed with this buyer's secret.
fn check_seal(theirs: &Seal, ours: &Seal) -> Result<(), Refusal> {
    if ours.matches(theirs) {
        return Ok(());
    }
    Err(Refusal::new(ErrorCode::SealInvalid, "The reply's seal does not hold."))
}

fn forged(message: &str) -> Refusal {
    Refusal::new(ErrorCode::ScripForged, message)
}

/// The reply is a message of the right kind, but not to what was sent.
fn wrong(message: &str) -> Refusal {
    Refusal::new(ErrorCode::WrongMessage, message)
}

#[cfg(test)]
mod tests;
