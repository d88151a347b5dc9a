//! What a message finds, and what it leaves behind.

use crate::error::{ErrorCode, Refusal};
use crate::ids::{IdType, VendorId};
use crate::scrip::center::{Purse, Step};
use crate::secret::KeyRing;

/// A seller as the center's directory has it.
#[derive(Debug, Clone, Copy)]
pub struct Seller<'a> {
    /// Its number; 0 is the center itself.
    pub number: u32,
    /// Who it is.
    pub id: &'a VendorId,
    /// The secrets that it shares with the center.
    pub secrets: &'a KeyRing,
}

/// The records that a message names, as far as there are any.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found<'a> {
    /// The buyer's purse, by the serial of the scrip's CustomId.
    pub purse: Option<&'a Purse>,
    /// The purse's pending step.
    pub pending: Option<&'a Step>,
    /// The seller, whose [`VendorId`] is wholly the message's.
    pub seller: Option<Seller<'a>>,
    /// The step of this seller and TranID.
    pub step: Option<&'a Step>,
    /// The epoch of the books: scrip of an earlier one is renewed before it is spent (rule 12).
    pub epoch: u32,
}

impl<'a> Found<'a> {
    /// The purse of `custom_id`.
    pub(super) fn purse(&self, custom_id: IdType) -> Result<&'a Purse, Refusal> {
        let unknown = || Refusal::new(ErrorCode::PurseUnknown, "The center has no such purse.");
        self.purse.filter(|purse| purse.custom_id == custom_id).ok_or_else(unknown)
    }

    /// The seller that `id` names.
    pub(super) fn seller(&self, id: &VendorId) -> Result<Seller<'a>, Refusal> {
        let unknown = || {
            let message = format!("{} is no shop of this center.", id.server_name);
            Refusal::new(ErrorCode::VendorUnknown, message)
        };
        self.seller.filter(|seller| seller.id == id).ok_or_else(unknown)
    }
}

/// What to keep, and the reply. To be written together, before the reply leaves.
#[derive(Debug, Clone)]
pub struct Outcome<R> {
    /// The purse as it is now; absent if it has not changed.
    pub purse: Option<Purse>,
    /// What happened to steps, in order.
    pub changes: Vec<Change>,
    /// What to answer.
    pub reply: R,
}

impl<R> Outcome<R> {
    /// A reply that changes nothing.
    pub(super) fn unchanged(reply: R) -> Self {
        Outcome { purse: None, changes: Vec::new(), reply }
    }

    /// The same with another reply.
    pub(super) fn map<T>(self, make: impl FnOnce(R) -> Result<T, Refusal>) -> Result<Outcome<T>, Refusal> {
        Ok(Outcome { purse: self.purse, changes: self.changes, reply: make(self.reply)? })
    }
}

/// What happened to a step: each is a record to keep, and money to move.
#[derive(Debug, Clone)]
pub enum Change {
    /// It is pending: campaign -> purse, or purse -> transit.
    Began(Step),
    /// It is completed: nothing for an issue; transit -> seller or payout, and -> fees.
    Posted(Step),
    /// It was taken back: purse -> campaign, or transit -> purse.
    Voided(Step),
    /// It was cancelled before it came ([`Step::is_tombstone`]): no money moves.
    Forestalled(Step),
}

impl Change {
    /// The step as it is now.
    pub fn step(&self) -> &Step {
        match self {
            Change::Began(step) | Change::Posted(step) | Change::Voided(step) | Change::Forestalled(step) => {
                step
            }
        }
    }
}
