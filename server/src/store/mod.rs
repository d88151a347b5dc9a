//! Where the center's records are kept: one trait, two stores.

pub mod records;

use std::collections::{BTreeMap, BTreeSet};

use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::Item;
use tuppence_protocol::scrip::center::{Purse, Step, StepKey};
use tuppence_protocol::{Timestamp, WalletId};

use crate::ledger::{AccountId, Transfer};
use records::{Campaign, Payout, Registration, Vendor};

/// Which records a batch of commands touches.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Purses, each with its pending step.
    pub purses: BTreeSet<Serial>,
    /// Steps.
    pub steps: BTreeSet<StepKey>,
    /// Registrations, each with its purse.
    pub registrations: BTreeSet<WalletId>,
    /// Campaigns by seller and item.
    pub campaigns: BTreeSet<(u32, Item)>,
    /// Payout orders, each with its purse.
    pub payouts: BTreeSet<u64>,
    /// Salts of solved challenges.
    pub salts: BTreeSet<[u8; 16]>,
}

/// What was loaded, and what the commands changed in it. Vendors and the accounts that are not purses'
/// (sellers, campaigns, transit, fees, payouts, reserve) are few, and always there.
#[derive(Debug, Default, Clone)]
pub struct Records {
    /// Purses by the buyer's serial.
    pub purses: BTreeMap<Serial, Purse>,
    /// Steps.
    pub steps: BTreeMap<StepKey, Step>,
    /// Registrations.
    pub registrations: BTreeMap<WalletId, Registration>,
    /// Sellers by number.
    pub vendors: BTreeMap<u32, Vendor>,
    /// Campaigns by number.
    pub campaigns: BTreeMap<u32, Campaign>,
    /// Payout orders by number.
    pub payouts: BTreeMap<u64, Payout>,
    /// Solved challenges, until they expire.
    pub salts: BTreeMap<[u8; 16], Timestamp>,
    /// Balances in millionths, of the accounts that are not purses'. A purse's balance is its live scrip's value.
    pub balances: BTreeMap<AccountId, i64>,
    /// New transfers, in order.
    pub transfers: Vec<Transfer>,
}
