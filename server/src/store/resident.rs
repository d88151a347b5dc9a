//! What a store always has at hand: the directory, the balances and the next numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use tuppence_protocol::Currency;

use super::records::Epoch;
use super::working_set::Numbers;
use super::{Changes, Directory, Records};
use crate::ledger::AccountId;

/// The few records that almost every batch needs.
#[derive(Debug, Clone)]
pub(super) struct Resident {
    pub currency: Currency,
    pub directory: Arc<Directory>,
    pub balances: Arc<BTreeMap<AccountId, i64>>,
    pub next: Numbers,
    pub epoch: Epoch,
}

impl Resident {
    pub fn new(currency: Currency) -> Self {
        Resident {
            currency,
            directory: Arc::default(),
            balances: Arc::default(),
            next: Numbers::default(),
            epoch: Epoch::NEW,
        }
    }

    /// Records with nothing but these.
    pub fn records(&self) -> Records {
        Records {
            currency: self.currency,
            purses: BTreeMap::new(),
            steps: BTreeMap::new(),
            registrations: BTreeMap::new(),
            payouts: BTreeMap::new(),
            movements: BTreeMap::new(),
            notes: BTreeMap::new(),
            salts: BTreeMap::new(),
            directory: Arc::clone(&self.directory),
            balances: Arc::clone(&self.balances),
            next: self.next,
            epoch: self.epoch,
            claims: BTreeMap::new(),
            reservations: BTreeMap::new(),
            sales: BTreeMap::new(),
            licences: BTreeMap::new(),
        }
    }

    /// Follows changes that were committed.
    pub fn follow(&mut self, changes: &Changes) {
        if !changes.vendors.is_empty() || !changes.campaigns.is_empty() {
            let directory = Arc::make_mut(&mut self.directory);
            for vendor in &changes.vendors {
                directory.put_vendor(vendor.after.clone());
            }
            for campaign in &changes.campaigns {
                directory.put_campaign(campaign.after.clone());
            }
        }
        if !changes.balances.is_empty() {
            Arc::make_mut(&mut self.balances).extend(changes.balances.iter().copied());
        }
        let Numbers { customer, vendor, campaign, payout } = &mut self.next;
        // The working set gives a number only where there is one after it.
        for purse in &changes.purses {
            *customer = (*customer).max(purse.after.custom_id.serial_number.get().saturating_add(1));
        }
        for change in &changes.vendors {
            *vendor = (*vendor).max(change.after.number.saturating_add(1));
        }
        for change in &changes.campaigns {
            *campaign = (*campaign).max(change.after.number.saturating_add(1));
        }
        for change in &changes.payouts {
            *payout = (*payout).max(change.after.number.saturating_add(1));
        }
        if let Some(epoch) = changes.epoch {
            self.epoch = epoch;
            self.next.reach(epoch.number);
        }
    }
}
