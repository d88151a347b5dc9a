//! The records that a batch of commands works on, and the rules that no command can break.
//!
//! Each command runs in [`WorkingSet::command`]. If it is refused, the set is as if it had never run. If it
//! succeeds, the set has checked that money and scrip agree: every purse that was touched holds what its
//! transfers left in it, under a serial that only ever grows.

mod fit;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use tuppence_protocol::ids::{Serial, VendorId};
use tuppence_protocol::payword::AuthorityId;
use tuppence_protocol::scrip::Item;
use tuppence_protocol::scrip::center::{Purse, Step, StepKey};
use tuppence_protocol::vendor_scrip::OrderId;
use tuppence_protocol::{Amount, Currency, ErrorCode, Refusal, Timestamp, WalletId};

use super::overlay::Overlay;
use super::records::{
    Campaign, Claim, Epoch, KeptLicence, KeptNotes, Movement, Payout, Purchase, Reference, Registration,
    Reservation, Sale, Vendor,
};
use super::{Change, Changes, Directory, Wanted};
use crate::ledger::rules::{self, LedgerError};
use crate::ledger::{AccountId, Transfer};

/// Records as a store has them.
#[derive(Debug, Clone)]
pub struct Records {
    /// The one currency of every amount.
    pub currency: Currency,
    /// Purses by the buyer's serial.
    pub purses: BTreeMap<Serial, Purse>,
    /// Steps.
    pub steps: BTreeMap<StepKey, Step>,
    /// Registrations.
    pub registrations: BTreeMap<WalletId, Registration>,
    /// Payout orders by number.
    pub payouts: BTreeMap<u64, Payout>,
    /// Movements by reference.
    pub movements: BTreeMap<Reference, Movement>,
    /// Notes by the buyer's serial.
    pub notes: BTreeMap<Serial, KeptNotes>,
    /// Solved challenges, until they expire.
    pub salts: BTreeMap<[u8; 16], Timestamp>,
    /// Sellers and campaigns.
    pub directory: Arc<Directory>,
    /// Balances in millionths, of all accounts that are not purses'.
    pub balances: Arc<BTreeMap<AccountId, i64>>,
    /// The numbers that the next records get.
    pub next: Numbers,
    /// The epoch of the books.
    pub epoch: Epoch,
    /// Claims by the buyer's serial.
    pub claims: BTreeMap<Serial, Claim>,
    /// Reservations.
    pub reservations: BTreeMap<AuthorityId, Reservation>,
    /// Sales by their order.
    pub sales: BTreeMap<OrderId, Sale>,
    /// Licences by their shop and number.
    pub licences: BTreeMap<(u32, u32), KeptLicence>,
}

/// The numbers that the next records get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Of a buyer.
    pub customer: u64,
    /// Of a seller.
    pub vendor: u32,
    /// Of a campaign.
    pub campaign: u32,
    /// Of a payout order.
    pub payout: u64,
}

impl Numbers {
    /// Goes on with the numbers of an epoch, if it is a later one.
    pub(super) fn reach(&mut self, epoch: u32) {
        if let Some(first) = Serial::first_of(epoch) {
            self.customer = self.customer.max(first.get());
            self.payout = self.payout.max(first.get());
        }
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers { customer: 1, vendor: 1, campaign: 1, payout: 1 }
    }
}

/// Loaded records, and what the commands so far made of them.
#[derive(Debug)]
pub struct WorkingSet {
    base: Records,
    wanted: Wanted,
    purses: Overlay<Serial, Purse>,
    steps: Overlay<StepKey, Step>,
    registrations: Overlay<WalletId, Registration>,
    vendors: Overlay<u32, Vendor>,
    campaigns: Overlay<u32, Campaign>,
    payouts: Overlay<u64, Payout>,
    movements: Overlay<Reference, Movement>,
    notes: Overlay<Serial, KeptNotes>,
    salts: Overlay<[u8; 16], Timestamp>,
    /// Of every account, purses' included: what the transfers left in it.
    balances: Overlay<AccountId, i64>,
    transfers: Vec<Transfer>,
    claims: Overlay<Serial, Claim>,
    reservations: Overlay<AuthorityId, Reservation>,
    sales: Overlay<OrderId, Sale>,
    licences: Overlay<(u32, u32), KeptLicence>,
    salts_ended: Option<Timestamp>,
    cancelled_ended: Option<Timestamp>,
    next: Numbers,
    epoch: Epoch,
    /// Where the last command that succeeded left off.
    mark: Mark,
    /// A record that a command asked for, though it was never loaded.
    missed: Cell<Option<&'static str>>,
}

/// What a savepoint remembers besides the overlays.
#[derive(Debug, Clone, Copy)]
struct Mark {
    transfers: usize,
    salts_ended: Option<Timestamp>,
    cancelled_ended: Option<Timestamp>,
    next: Numbers,
    epoch: Epoch,
}

impl WorkingSet {
    /// A set of `records`, which has everything that `wanted` names and the store has.
    pub fn new(records: Records, wanted: Wanted) -> Self {
        WorkingSet {
            next: records.next,
            epoch: records.epoch,
            mark: Mark {
                transfers: 0,
                salts_ended: None,
                cancelled_ended: None,
                next: records.next,
                epoch: records.epoch,
            },
            base: records,
            wanted,
            purses: Overlay::default(),
            steps: Overlay::default(),
            registrations: Overlay::default(),
            vendors: Overlay::default(),
            campaigns: Overlay::default(),
            payouts: Overlay::default(),
            movements: Overlay::default(),
            notes: Overlay::default(),
            salts: Overlay::default(),
            balances: Overlay::default(),
            transfers: Vec::new(),
            claims: Overlay::default(),
            reservations: Overlay::default(),
            sales: Overlay::default(),
            licences: Overlay::default(),
            salts_ended: None,
            cancelled_ended: None,
            missed: Cell::new(None),
        }
    }

    /// Runs one command: all of its changes, or none. Should it panic, the next call takes its changes back.
    ///
    /// # Errors
    /// The command's own refusal, or [`ErrorCode::Fault`] if what it left behind does not fit together.
    pub fn command<R>(
        &mut self,
        command: impl FnOnce(&mut WorkingSet) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        self.rollback();
        let mut result = command(self);
        if result.is_ok()
            && let Err(why) = self.fits()
        {
            result = Err(fault(&why));
        }
        if let Some(what) = self.missed.take() {
            result = Err(fault(&format!("{what} was needed, and not loaded")));
        }
        match result {
            Ok(_) => self.savepoint(),
            Err(_) => self.rollback(),
        }
        result
    }

    fn savepoint(&mut self) {
        self.purses.savepoint();
        self.steps.savepoint();
        self.registrations.savepoint();
        self.vendors.savepoint();
        self.campaigns.savepoint();
        self.payouts.savepoint();
        self.movements.savepoint();
        self.notes.savepoint();
        self.salts.savepoint();
        self.balances.savepoint();
        self.claims.savepoint();
        self.reservations.savepoint();
        self.sales.savepoint();
        self.licences.savepoint();
        self.mark = Mark {
            transfers: self.transfers.len(),
            salts_ended: self.salts_ended,
            cancelled_ended: self.cancelled_ended,
            next: self.next,
            epoch: self.epoch,
        };
    }

    fn rollback(&mut self) {
        self.purses.rollback();
        self.steps.rollback();
        self.registrations.rollback();
        self.vendors.rollback();
        self.campaigns.rollback();
        self.payouts.rollback();
        self.movements.rollback();
        self.notes.rollback();
        self.salts.rollback();
        self.balances.rollback();
        self.claims.rollback();
        self.reservations.rollback();
        self.sales.rollback();
        self.licences.rollback();
        self.epoch = self.mark.epoch;
        self.transfers.truncate(self.mark.transfers);
        self.salts_ended = self.mark.salts_ended;
        self.cancelled_ended = self.mark.cancelled_ended;
        self.next = self.mark.next;
        self.missed.set(None);
    }

    /// What the commands that succeeded changed, to be committed.
    pub fn into_changes(mut self) -> Changes {
        self.rollback();
        let balances = self.balances.into_changed().into_iter();
        Changes {
            purses: changes(self.purses, &mut self.base.purses),
            steps: changes(self.steps, &mut self.base.steps),
            registrations: self.registrations.into_changed().into_values().collect(),
            vendors: self
                .vendors
                .into_changed()
                .into_iter()
                .map(|(number, after)| Change { before: self.base.directory.vendor(number).cloned(), after })
                .collect(),
            campaigns: self
                .campaigns
                .into_changed()
                .into_iter()
                .map(|(number, after)| Change {
                    before: self.base.directory.campaign(number).cloned(),
                    after,
                })
                .collect(),
            payouts: changes(self.payouts, &mut self.base.payouts),
            movements: self.movements.into_changed().into_values().collect(),
            notes: changes(self.notes, &mut self.base.notes),
            salts: self.salts.into_changed().into_iter().collect(),
            salts_ended: self.salts_ended,
            cancelled_ended: self.cancelled_ended,
            epoch: Some(self.epoch).filter(|epoch| *epoch != self.base.epoch),
            claims: changes(self.claims, &mut self.base.claims),
            reservations: changes(self.reservations, &mut self.base.reservations),
            sales: changes(self.sales, &mut self.base.sales),
            licences: changes(self.licences, &mut self.base.licences),
            balances: balances.filter(|(account, _)| !matches!(account, AccountId::Purse(_))).collect(),
            transfers: self.transfers,
        }
    }
}

fn changes<K: Ord + Clone, V>(overlay: Overlay<K, V>, base: &mut BTreeMap<K, V>) -> Vec<Change<V>> {
    let changed = overlay.into_changed().into_iter();
    changed.map(|(key, after)| Change { before: base.remove(&key), after }).collect()
}

fn fault(why: &str) -> Refusal {
    Refusal::new(ErrorCode::Fault, format!("The center's records disagree: {why}."))
}

/// What commands see.
impl WorkingSet {
    /// The one currency of every amount.
    pub fn currency(&self) -> Currency {
        self.base.currency
    }

    /// The purse of a buyer.
    pub fn purse(&self, customer: Serial) -> Option<&Purse> {
        let known = self.wanted.purses.contains(&customer) || customer.get() >= self.base.next.customer;
        self.seen(self.purses.find(&customer, &self.base.purses), known, "a purse")
    }

    /// A step.
    pub fn step(&self, key: &StepKey) -> Option<&Step> {
        let known = self.wanted.steps.contains(key) || key.vendor >= self.base.next.vendor;
        self.seen(self.steps.find(key, &self.base.steps), known, "a step")
    }

    /// The registration of a wallet.
    pub fn registration(&self, wallet: &WalletId) -> Option<&Registration> {
        let known = self.wanted.registrations.contains(wallet);
        self.seen(self.registrations.find(wallet, &self.base.registrations), known, "a registration")
    }

    /// Until when the solution of a challenge is remembered, if it was used.
    pub fn salt(&self, salt: &[u8; 16]) -> Option<Timestamp> {
        let known = self.wanted.salts.contains(salt);
        self.seen(self.salts.find(salt, &self.base.salts), known, "a salt").copied()
    }

    /// The epoch of the books.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The claim of a buyer.
    pub fn claim(&self, customer: Serial) -> Option<&Claim> {
        let known = self.wanted.claims.contains(&customer);
        self.seen(self.claims.find(&customer, &self.base.claims), known, "a claim")
    }

    /// A seller by its number, from 1.
    pub fn vendor(&self, number: u32) -> Option<&Vendor> {
        self.vendors.find(&number, &self.base.directory.vendors)
    }

    /// The seller that is wholly this one.
    pub fn vendor_by_id(&self, id: &VendorId) -> Option<&Vendor> {
        let stored = self.base.directory.vendor_by_id(id).map(|vendor| vendor.number);
        let new = || self.vendors.changed().find(|(_, vendor)| vendor.id == *id).map(|(number, _)| *number);
        self.vendor(stored.or_else(new)?)
    }

    /// A campaign by its number.
    pub fn campaign(&self, number: u32) -> Option<&Campaign> {
        self.campaigns.find(&number, &self.base.directory.campaigns)
    }

    /// The campaign of a seller's item.
    pub fn campaign_by_item(&self, vendor: u32, item: &Item) -> Option<&Campaign> {
        let stored = self.base.directory.campaign_by_item(vendor, item).map(|campaign| campaign.number);
        let is_it = |campaign: &Campaign| campaign.vendor == vendor && campaign.item == *item;
        let new = || self.campaigns.changed().find(|(_, c)| is_it(c)).map(|(number, _)| *number);
        self.campaign(stored.or_else(new)?)
    }

    /// A payout order.
    pub fn payout(&self, number: u64) -> Option<&Payout> {
        let known = self.wanted.payouts.contains(&number) || number >= self.base.next.payout;
        self.seen(self.payouts.find(&number, &self.base.payouts), known, "a payout order")
    }

    /// The payout order of a cash-out step.
    pub fn payout_of(&self, step: &StepKey) -> Option<&Payout> {
        self.step(step)?;
        let mut changed = self.payouts.changed().map(|(_, payout)| payout);
        let found = changed.find(|payout| payout.step == *step);
        found.or_else(|| self.base.payouts.values().find(|payout| payout.step == *step))
    }

    /// A reservation.
    pub fn reservation(&self, id: &AuthorityId) -> Option<&Reservation> {
        let known = self.wanted.reservations.contains(id);
        self.seen(self.reservations.find(id, &self.base.reservations), known, "a reservation")
    }

    /// The reservation that a payment to the center itself has paid for.
    pub fn reservation_of(&self, step: &StepKey) -> Option<&Reservation> {
        self.step(step)?;
        let is_it = |reservation: &&Reservation| reservation.step() == *step;
        let found = self.reservations.changed().map(|(_, reservation)| reservation).find(is_it);
        found.or_else(|| self.base.reservations.values().find(is_it))
    }

    /// The sale of an order.
    pub fn sale(&self, id: &OrderId) -> Option<&Sale> {
        let known = self.wanted.sales.contains(id);
        self.seen(self.sales.find(id, &self.base.sales), known, "a sale")
    }

    /// The sale that a payment to the center itself has paid for.
    pub fn sale_of(&self, step: &StepKey) -> Option<&Sale> {
        self.step(step)?;
        self.any_sale(|sale| sale.step() == *step)
    }

    /// The sale that its shop knows as this purchase.
    pub fn sale_by_purchase(&self, purchase: &Purchase) -> Option<&Sale> {
        let known = self.wanted.purchases.contains(purchase);
        self.seen(self.any_sale(|sale| sale.purchase() == *purchase), known, "a purchase")
    }

    fn any_sale(&self, is_it: impl Fn(&Sale) -> bool) -> Option<&Sale> {
        let found = self.sales.changed().map(|(_, sale)| sale).find(|sale| is_it(sale));
        found.or_else(|| self.base.sales.values().find(|sale| is_it(sale)))
    }

    /// A shop's licences, the oldest first.
    pub fn licences(&self, vendor: u32) -> Vec<&KeptLicence> {
        if !self.wanted.licences.contains(&vendor)
            && !self.base.sales.values().any(|sale| sale.vendor == vendor)
        {
            self.missed.set(Some("a shop's licences"));
        }
        let stored = self.base.licences.keys();
        let keys: std::collections::BTreeSet<_> =
            stored.chain(self.licences.changed().map(|(key, _)| key)).collect();
        let own = keys.into_iter().filter(|(of, _)| *of == vendor);
        own.filter_map(|key| self.licences.find(key, &self.base.licences)).collect()
    }

    /// The movement of a reference.
    pub fn movement(&self, reference: &Reference) -> Option<&Movement> {
        let known = self.wanted.movements.contains(reference);
        self.seen(self.movements.find(reference, &self.base.movements), known, "a movement")
    }

    /// The notes of a buyer.
    pub fn notes(&self, customer: Serial) -> Option<&KeptNotes> {
        let known = self.wanted.notes.contains(&customer);
        self.seen(self.notes.find(&customer, &self.base.notes), known, "notes")
    }

    /// What an account covers: its balance. Absent for the reserve, which covers everything, and for an account
    /// that there is not.
    pub fn funds(&self, account: AccountId) -> Option<Amount> {
        let micros = u64::try_from(self.balance(account)?).ok()?;
        if account == AccountId::Reserve { None } else { Amount::new(self.currency(), micros).ok() }
    }

    /// Notes a record that was neither found nor known to be absent.
    fn seen<'a, V>(&self, found: Option<&'a V>, known: bool, what: &'static str) -> Option<&'a V> {
        if found.is_none() && !known {
            self.missed.set(Some(what));
        }
        found
    }

    fn balance(&self, account: AccountId) -> Option<i64> {
        if let Some(balance) = self.balances.find(&account, &self.base.balances) {
            return Some(*balance);
        }
        match account {
            AccountId::Purse(number) => {
                let customer = Serial::try_from(number).ok()?;
                match self.base.purses.get(&customer) {
                    Some(purse) => i64::try_from(purse.live.value.micros()).ok(),
                    None => self.purse(customer).map(|_| 0),
                }
            }
            AccountId::Vendor(number) => self.vendor(number).map(|_| 0),
            AccountId::Campaign(number) => self.campaign(number).map(|_| 0),
            AccountId::Reserve
            | AccountId::Transit
            | AccountId::Fees
            | AccountId::Payouts
            | AccountId::Reservations => Some(0),
        }
    }
}

/// What commands change.
impl WorkingSet {
    /// The number of the next buyer; absent where there is none left.
    pub fn next_customer(&mut self) -> Option<Serial> {
        let serial = Serial::try_from(self.next.customer).ok()?;
        self.next.customer = serial.next()?.get();
        Some(serial)
    }

    /// The number of the next seller; absent where there is none left.
    pub fn next_vendor(&mut self) -> Option<u32> {
        let number = self.next.vendor;
        self.next.vendor = number.checked_add(1)?;
        Some(number)
    }

    /// The number of the next campaign; absent where there is none left.
    pub fn next_campaign(&mut self) -> Option<u32> {
        let number = self.next.campaign;
        self.next.campaign = number.checked_add(1)?;
        Some(number)
    }

    /// The number of the next payout order; absent where there is none left.
    pub fn next_payout(&mut self) -> Option<u64> {
        let serial = Serial::try_from(self.next.payout).ok()?;
        self.next.payout = serial.next()?.get();
        Some(serial.get())
    }

    /// Keeps a purse. Its value must be what [`WorkingSet::post`] leaves in its account, before or after.
    pub fn put_purse(&mut self, purse: Purse) {
        self.purses.put(purse.custom_id.serial_number, purse);
    }

    /// Keeps a step.
    pub fn put_step(&mut self, step: Step) {
        self.steps.put(step.key, step);
    }

    /// Keeps a new registration.
    pub fn put_registration(&mut self, registration: Registration) {
        self.registrations.put(registration.wallet, registration);
    }

    /// Keeps a seller.
    pub fn put_vendor(&mut self, vendor: Vendor) {
        self.vendors.put(vendor.number, vendor);
    }

    /// Keeps a campaign.
    pub fn put_campaign(&mut self, campaign: Campaign) {
        self.campaigns.put(campaign.number, campaign);
    }

    /// Keeps a payout order.
    pub fn put_payout(&mut self, payout: Payout) {
        self.payouts.put(payout.number, payout);
    }

    /// Keeps a reservation.
    pub fn put_reservation(&mut self, reservation: Reservation) {
        self.reservations.put(reservation.id(), reservation);
    }

    /// Keeps a sale.
    pub fn put_sale(&mut self, sale: Sale) {
        self.sales.put(sale.id(), sale);
    }

    /// Keeps a licence.
    pub fn put_licence(&mut self, licence: KeptLicence) {
        self.licences.put(licence.key(), licence);
    }

    /// Keeps a new movement.
    pub fn put_movement(&mut self, movement: Movement) {
        self.movements.put(movement.reference.clone(), movement);
    }

    /// Keeps a claim.
    pub fn put_claim(&mut self, claim: Claim) {
        self.claims.put(claim.custom_id.serial_number, claim);
    }

    /// Begins an epoch.
    pub fn begin_epoch(&mut self, epoch: Epoch) {
        self.next.reach(epoch.number);
        self.epoch = epoch;
    }

    /// Keeps notes.
    pub fn put_notes(&mut self, notes: KeptNotes) {
        self.notes.put(notes.customer, notes);
    }

    /// Remembers that a challenge was solved, until it ends.
    pub fn put_salt(&mut self, salt: [u8; 16], ends: Timestamp) {
        self.salts.put(salt, ends);
    }

    /// Forgets the solved challenges that ended before `now`.
    pub fn forget_salts(&mut self, now: Timestamp) {
        self.salts_ended = Some(now);
    }

    /// Forgets the steps that were cancelled before `before` and never came ([`Step::is_tombstone`]).
    pub fn forget_cancelled(&mut self, before: Timestamp) {
        self.cancelled_ended = Some(before);
    }

    /// Moves money.
    ///
    /// # Errors
    /// [`LedgerError`]; then nothing moved. A command checks what an account covers first
    /// ([`WorkingSet::funds`]), so this error is a fault of the center's, and becomes one as a [`Refusal`].
    pub fn post(&mut self, transfer: Transfer) -> Result<(), LedgerError> {
        rules::check(&transfer, self.currency())?;
        let balance = |account| self.balance(account).ok_or(LedgerError::Unknown(account));
        let (debit, credit) = rules::moved(&transfer, balance(transfer.debit)?, balance(transfer.credit)?)?;
        self.balances.put(transfer.debit, debit);
        self.balances.put(transfer.credit, credit);
        self.transfers.push(transfer);
        Ok(())
    }
}
