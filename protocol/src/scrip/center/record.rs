//! What the center keeps of a buyer, and of each issue, payment and cash-out (spec/01, rules 4 and 5).

use crate::amount::Amount;
use crate::ids::{IdType, Serial, TranId};
use crate::scrip::{Item, RequestUrl};
use crate::seal::{HashAlgorithm, Seal};
use crate::time::Timestamp;

/// One of a purse's scrips, as far as it cannot be derived from the purse and the center's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScripState {
    /// How certificate and seals are made.
    pub algorithm: HashAlgorithm,
    /// The master scrip secret's id.
    pub secret_id: u32,
    /// Which of the purse's scrips.
    pub serial: Serial,
    /// Its value.
    pub value: Amount,
    /// The campaign item that last raised the value.
    pub ad: Option<Item>,
    /// When it must be renewed.
    pub expires: Timestamp,
}

/// What the center keeps of one buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purse {
    /// The master customer secret and the buyer's serial.
    pub custom_id: IdType,
    /// The scrip that the next M4 or S4 must show; its value is the purse's ledger balance. While a step
    /// is pending, this is the new scrip of that step.
    pub live: ScripState,
    /// The step that waits for its M6 or S6, if any (rule 5).
    pub pending: Option<StepKey>,
}

/// Which step: a seller's number in the center's directory, and the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepKey {
    /// The seller, as numbered by the center; 0 is the center itself.
    pub vendor: u32,
    /// The transaction.
    pub tran_id: TranId,
}

/// Which way the money of a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// From a campaign to the purse (M4-M6).
    Issue,
    /// From the purse to a seller (S4-S6).
    Payment,
    /// From the purse to a payout order (S4-S6 with the center as the seller, rule 11).
    CashOut,
}

/// One issue, payment or cash-out, from which every reply about it can be made again, byte for byte.
#[derive(Debug, Clone)]
pub struct Step {
    /// Which step.
    pub key: StepKey,
    /// Which way the money goes.
    pub kind: StepKind,
    /// The buyer's serial.
    pub customer: Serial,
    /// What is issued or paid.
    pub amount: Amount,
    /// The part of a payment or cash-out that is the center's.
    pub fee: Amount,
    /// The article's address, the item, or the payout's destination.
    pub subject: RequestUrl,
    /// The seller's secret that sealed the offer; receipts are sealed with it too.
    pub secret_id: u32,
    /// The hash of the M4 or S4, by which the same message is known again.
    pub request_hash: Seal,
    /// The scrip before the step.
    pub old: ScripState,
    /// The scrip after it.
    pub new: ScripState,
    /// When it began.
    pub started: Timestamp,
    /// How it stands.
    pub state: StepState,
}

impl Step {
    /// Whether this only remembers that its M4 or S4 was cancelled before it came: no money moved, ever,
    /// and `old`, `new` and the scrip of [`StepState::Voided`] are the scrip that was live then.
    pub fn is_tombstone(&self) -> bool {
        self.old.serial == self.new.serial
    }
}

/// How a step stands (rule 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// The value has moved, but can come back.
    Pending,
    /// Completed at this time.
    Posted(Timestamp),
    /// Taken back at this time; this scrip replaced the step's new one.
    Voided(Timestamp, ScripState),
}
