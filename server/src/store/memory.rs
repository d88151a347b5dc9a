//! The store in memory: for tests, the simulator and trying things out. It refuses what SQLite refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tuppence_protocol::ids::Serial;
use tuppence_protocol::payword::AuthorityId;
use tuppence_protocol::scrip::center::{Purse, Step, StepKey, StepState};
use tuppence_protocol::vendor_scrip::OrderId;
use tuppence_protocol::{Currency, Timestamp, WalletId};

use super::records::{
    Claim, Epoch, KeptLicence, KeptNotes, Movement, Payout, PayoutState, Reference, Registration,
    Reservation, Sale,
};
use super::resident::Resident;
use super::{Change, Changes, Counts, Directory, Row, Statement, Store, StoreError, Wanted, WorkingSet};
use crate::ledger::{AccountId, Cause, Posting, Transfer};

/// Records in memory.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    resident: Resident,
    purses: BTreeMap<Serial, Purse>,
    steps: BTreeMap<StepKey, Step>,
    registrations: BTreeMap<WalletId, Registration>,
    payouts: BTreeMap<u64, Payout>,
    movements: BTreeMap<Reference, Movement>,
    notes: BTreeMap<Serial, KeptNotes>,
    salts: BTreeMap<[u8; 16], Timestamp>,
    transfers: Vec<Transfer>,
    /// Each buyer's serials that a step took.
    spent: BTreeSet<(Serial, Serial)>,
    /// What moved for each step, payout order and movement.
    moved: BTreeSet<Reason>,
    payout_of: BTreeMap<StepKey, u64>,
    epochs: Vec<Epoch>,
    claims: BTreeMap<Serial, Claim>,
    reservations: BTreeMap<AuthorityId, Reservation>,
    reservation_of: BTreeMap<StepKey, AuthorityId>,
    sales: BTreeMap<OrderId, Sale>,
    sale_of: BTreeMap<StepKey, OrderId>,
    licences: BTreeMap<(u32, u32), KeptLicence>,
    /// What each budget has given out, in millionths, by its payment.
    given_out: BTreeMap<StepKey, u64>,
}

/// Why money moved: at most once for each.
type Reason = (Option<StepKey>, Option<u64>, Option<Reference>, Posting);

/// The reason of a transfer, but for what a seller moves between its accounts and what a budget gives out.
fn reason(transfer: &Transfer) -> Option<Reason> {
    let Transfer { step, payout, posting, .. } = *transfer;
    let reason = (step, payout, transfer.movement.clone(), posting);
    (posting.cause() != Cause::Seller && !posting.is_of_reservation()).then_some(reason)
}

impl MemoryStore {
    /// A store with nothing in it, for amounts in `currency`.
    pub fn new(currency: Currency) -> Self {
        MemoryStore {
            resident: Resident::new(currency),
            purses: BTreeMap::new(),
            steps: BTreeMap::new(),
            registrations: BTreeMap::new(),
            payouts: BTreeMap::new(),
            movements: BTreeMap::new(),
            notes: BTreeMap::new(),
            salts: BTreeMap::new(),
            transfers: Vec::new(),
            spent: BTreeSet::new(),
            moved: BTreeSet::new(),
            payout_of: BTreeMap::new(),
            epochs: vec![Epoch::NEW],
            claims: BTreeMap::new(),
            reservations: BTreeMap::new(),
            reservation_of: BTreeMap::new(),
            sales: BTreeMap::new(),
            sale_of: BTreeMap::new(),
            licences: BTreeMap::new(),
            given_out: BTreeMap::new(),
        }
    }

    fn check(&self, changes: &Changes) -> Result<(), &'static str> {
        for change in &changes.purses {
            let stored = self.purses.get(&change.after.custom_id.serial_number);
            if stored.map(|purse| purse.live.serial) != change.before.as_ref().map(|purse| purse.live.serial)
            {
                return Err("a purse is not as it was read");
            }
        }
        let mut spent = BTreeSet::new();
        for change in &changes.steps {
            let stored = self.steps.get(&change.after.key);
            if stored.is_some() != change.before.is_some() {
                return Err("a step is not as it was read");
            }
            if stored.is_some_and(|step| step.state != StepState::Pending) {
                return Err("a step that has ended never changes");
            }
            let serial = (change.after.customer, change.after.old.serial);
            let spends = stored.is_none() && !change.after.is_tombstone();
            if spends && (self.spent.contains(&serial) || !spent.insert(serial)) {
                return Err("a serial is spent once");
            }
        }
        if changes.registrations.iter().any(|new| self.registrations.contains_key(&new.wallet)) {
            return Err("a wallet is registered once");
        }
        for Change { before, after } in &changes.payouts {
            let stored = self.payouts.get(&after.number);
            if stored != before.as_ref() || stored.is_none() && self.payout_of.contains_key(&after.step) {
                return Err("a payout order is not as it was read");
            }
        }
        for Change { before, after } in &changes.reservations {
            let stored = self.reservations.get(&after.id());
            let same = match (stored, before) {
                (None, None) => !self.reservation_of.contains_key(&after.step()),
                (Some(stored), Some(before)) => stored.stands_as(before),
                _ => false,
            };
            if !same {
                return Err("a reservation is not as it was read");
            }
            if stored.is_some_and(|stored| stored.kept.closed.is_some()) {
                return Err("a reservation that was closed never changes");
            }
        }
        for Change { before, after } in &changes.sales {
            let stored = self.sales.get(&after.id());
            let same = match (stored, before) {
                (None, None) => {
                    let taken = self.sales.values().any(|sale| sale.purchase() == after.purchase());
                    !taken && !self.sale_of.contains_key(&after.step())
                }
                (Some(stored), Some(before)) => stored.stands_as(before),
                _ => false,
            };
            if !same {
                return Err("a sale is not as it was read");
            }
            if stored.is_some_and(|stored| stored.kept.closed.is_some()) {
                return Err("a sale that was closed never changes");
            }
        }
        for Change { before, after } in &changes.licences {
            let stored = self.licences.get(&after.key()).map(|licence| licence.state.used);
            if stored != before.as_ref().map(|before| before.state.used) {
                return Err("a licence is not as it was read");
            }
            if stored.is_some_and(|used| used > after.state.used) {
                return Err("a licence is only used up");
            }
        }
        self.check_given_out(changes)?;
        if changes.movements.iter().any(|new| self.movements.contains_key(&new.reference)) {
            return Err("a reference is used once");
        }
        if changes.notes.iter().any(|new| self.notes.get(&new.after.customer) != new.before.as_ref()) {
            return Err("notes are not as they were read");
        }
        if changes.salts.iter().any(|(salt, _)| self.salts.contains_key(salt)) {
            return Err("a challenge is solved once");
        }
        let negative = |(account, balance): &(AccountId, i64)| *balance < 0 && *account != AccountId::Reserve;
        if changes.balances.iter().any(negative) {
            return Err("an account would be below zero");
        }
        let mut moved = BTreeSet::new();
        for reason in changes.transfers.iter().filter_map(reason) {
            if self.moved.contains(&reason) || !moved.insert(reason) {
                return Err("money moves once for each reason");
            }
        }
        Ok(())
    }
}

impl MemoryStore {
    /// A budget gives out no more than its sum.
    fn check_given_out(&self, changes: &Changes) -> Result<(), &'static str> {
        let mut given_out = BTreeMap::new();
        for transfer in changes.transfers.iter().filter(|transfer| transfer.posting.is_of_reservation()) {
            let key = transfer.step.ok_or("a budget gives out for its payment")?;
            let stored = self.reservation_of.get(&key).and_then(|id| self.reservations.get(id));
            let reservations = changes.reservations.iter().map(|change| &change.after).chain(stored);
            let stored = self.sale_of.get(&key).and_then(|id| self.sales.get(id));
            let sales = changes.sales.iter().map(|change| &change.after).chain(stored);
            let mut held = reservations.map(Reservation::held).chain(sales.map(Sale::held)).flatten();
            let held = held.find(|held| held.step == key && held.funded);
            let value = held.ok_or("there is no such reservation")?.value;
            let sum: &mut u64 =
                given_out.entry(key).or_insert_with(|| self.given_out.get(&key).copied().unwrap_or(0));
            *sum = sum.saturating_add(transfer.amount.micros());
            if *sum > value.micros() {
                return Err("a budget gives out no more than its sum");
            }
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn load(&mut self, wanted: Wanted) -> Result<WorkingSet, StoreError> {
        let mut records = self.resident.records();
        let mut customers = wanted.purses.clone();
        let mut steps = wanted.steps.clone();
        for wallet in &wanted.registrations {
            if let Some(registration) = self.registrations.get(wallet) {
                customers.insert(registration.customer);
                records.registrations.insert(*wallet, registration.clone());
            }
        }
        let mut payouts = wanted.payouts.clone();
        payouts.extend(steps.iter().filter_map(|key| self.payout_of.get(key)));
        for payout in payouts.iter().filter_map(|number| self.payouts.get(number)) {
            customers.insert(payout.customer);
            steps.insert(payout.step);
            records.payouts.insert(payout.number, payout.clone());
        }
        let by_purchase = self.sales.values().filter(|sale| wanted.purchases.contains(&sale.purchase()));
        steps.extend(by_purchase.map(Sale::step));
        steps.extend(wanted.sales.iter().filter_map(|id| self.sales.get(id)).map(Sale::step));
        steps.extend(
            wanted.reservations.iter().filter_map(|id| self.reservations.get(id)).map(Reservation::step),
        );
        customers.extend(steps.iter().filter_map(|key| self.steps.get(key)).map(|step| step.customer));
        for purse in customers.iter().filter_map(|customer| self.purses.get(customer)) {
            steps.extend(purse.pending);
            records.purses.insert(purse.custom_id.serial_number, purse.clone());
        }
        for step in steps.iter().filter_map(|key| self.steps.get(key)) {
            records.steps.insert(step.key, step.clone());
        }
        let own = records.steps.keys().filter_map(|key| self.reservation_of.get(key));
        for reservation in own.filter_map(|id| self.reservations.get(id)) {
            records.reservations.insert(reservation.id(), reservation.clone());
        }
        let mut shops = wanted.licences.clone();
        let own = records.steps.keys().filter_map(|key| self.sale_of.get(key));
        for sale in own.filter_map(|id| self.sales.get(id)) {
            shops.insert(sale.vendor);
            records.sales.insert(sale.id(), sale.clone());
        }
        for licence in self.licences.values().filter(|licence| shops.contains(&licence.vendor)) {
            records.licences.insert(licence.key(), licence.clone());
        }
        for movement in wanted.movements.iter().filter_map(|reference| self.movements.get(reference)) {
            records.movements.insert(movement.reference.clone(), movement.clone());
        }
        for claim in wanted.claims.iter().filter_map(|customer| self.claims.get(customer)) {
            records.claims.insert(claim.custom_id.serial_number, claim.clone());
        }
        for notes in wanted.notes.iter().filter_map(|customer| self.notes.get(customer)) {
            records.notes.insert(notes.customer, notes.clone());
        }
        for salt in &wanted.salts {
            if let Some(ends) = self.salts.get(salt) {
                records.salts.insert(*salt, *ends);
            }
        }
        Ok(WorkingSet::new(records, wanted))
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        self.check(&changes).map_err(|why| StoreError::Integrity(why.to_owned()))?;
        self.resident.follow(&changes);
        for Change { after, .. } in changes.purses {
            self.purses.insert(after.custom_id.serial_number, after);
        }
        for Change { after, .. } in changes.steps {
            if !after.is_tombstone() {
                self.spent.insert((after.customer, after.old.serial));
            }
            self.steps.insert(after.key, after);
        }
        for registration in changes.registrations {
            self.registrations.insert(registration.wallet, registration);
        }
        for Change { after, .. } in changes.payouts {
            self.payout_of.insert(after.step, after.number);
            self.payouts.insert(after.number, after);
        }
        for Change { after, .. } in changes.reservations {
            self.reservation_of.insert(after.step(), after.id());
            self.reservations.insert(after.id(), after);
        }
        for Change { after, .. } in changes.sales {
            self.sale_of.insert(after.step(), after.id());
            self.sales.insert(after.id(), after);
        }
        for Change { after, .. } in changes.licences {
            self.licences.insert(after.key(), after);
        }
        for transfer in changes.transfers.iter().filter(|transfer| transfer.posting.is_of_reservation()) {
            if let Some(key) = transfer.step {
                let sum = self.given_out.entry(key).or_default();
                *sum = sum.saturating_add(transfer.amount.micros());
            }
        }
        for movement in changes.movements {
            self.movements.insert(movement.reference.clone(), movement);
        }
        if let Some(before) = changes.cancelled_ended {
            self.steps.retain(|_, step| !step.is_tombstone() || step.started >= before);
        }
        for Change { after, .. } in changes.notes {
            self.notes.insert(after.customer, after);
        }
        if let Some(now) = changes.salts_ended {
            self.salts.retain(|_, ends| *ends >= now);
        }
        self.epochs.extend(changes.epoch);
        for Change { after, .. } in changes.claims {
            self.claims.insert(after.custom_id.serial_number, after);
        }
        self.salts.extend(changes.salts);
        self.moved.extend(changes.transfers.iter().filter_map(reason));
        self.transfers.extend(changes.transfers);
        Ok(())
    }

    fn directory(&mut self) -> Result<Arc<Directory>, StoreError> {
        Ok(Arc::clone(&self.resident.directory))
    }

    fn balance(&mut self, account: AccountId) -> Result<i64, StoreError> {
        if let AccountId::Purse(number) = account {
            let purse = Serial::try_from(number).ok().and_then(|customer| self.purses.get(&customer));
            return Ok(purse.map_or(0, |purse| i64::try_from(purse.live.value.micros()).unwrap_or(i64::MAX)));
        }
        Ok(self.resident.balances.get(&account).copied().unwrap_or(0))
    }

    fn payouts(&mut self, open: bool, after: u64, limit: usize) -> Result<Vec<Payout>, StoreError> {
        let later = self.payouts.values().filter(|payout| payout.number > after);
        let asked = later.filter(|payout| !open || payout.state == PayoutState::Ordered);
        Ok(asked.take(limit).cloned().collect())
    }

    fn pending_steps(&mut self, before: Timestamp, limit: usize) -> Result<Vec<StepKey>, StoreError> {
        let pending = self.steps.values().filter(|step| step.state == StepState::Pending);
        let mut old: Vec<_> =
            pending.filter(|step| step.started < before).map(|step| (step.started, step.key)).collect();
        old.sort_unstable();
        Ok(old.into_iter().take(limit).map(|(_, key)| key).collect())
    }

    fn due_reservations(&mut self, before: Timestamp, limit: usize) -> Result<Vec<AuthorityId>, StoreError> {
        let open = self.reservations.values().filter(|r| r.funded && r.kept.closed.is_none());
        let mut due: Vec<_> = open.map(|r| (r.due(), r.id())).filter(|(due, _)| *due < before).collect();
        due.sort_unstable();
        Ok(due.into_iter().take(limit).map(|(_, id)| id).collect())
    }

    fn due_sales(&mut self, before: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        let open = self.sales.values().filter(|sale| sale.funded && sale.kept.closed.is_none());
        let mut due: Vec<_> =
            open.map(|sale| (sale.kept.due(), sale.id())).filter(|(due, _)| *due < before).collect();
        due.sort_unstable();
        Ok(due.into_iter().take(limit).map(|(_, id)| id).collect())
    }

    fn epochs(&mut self) -> Result<Vec<Epoch>, StoreError> {
        Ok(self.epochs.clone())
    }

    fn statement(
        &mut self,
        customer: Serial,
        from: Serial,
        limit: usize,
    ) -> Result<Option<Statement>, StoreError> {
        let Some(purse) = self.purses.get(&customer).cloned() else { return Ok(None) };
        let own = self.steps.values().filter(|step| step.customer == customer && step.old.serial >= from);
        let mut steps: Vec<Step> = own.filter(|step| !step.is_tombstone()).cloned().collect();
        steps.sort_by_key(|step| step.old.serial);
        steps.truncate(limit);
        let payouts = steps.iter().filter_map(|step| self.payouts.get(self.payout_of.get(&step.key)?));
        Ok(Some(Statement { purse, payouts: payouts.cloned().collect(), steps }))
    }

    fn counts(&mut self) -> Result<Counts, StoreError> {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let pending = self.steps.values().filter(|step| step.state == StepState::Pending);
        let open = self.payouts.values().filter(|payout| payout.state == PayoutState::Ordered);
        Ok(Counts {
            purses: number(self.purses.len()),
            pending: number(pending.count()),
            vendors: number(self.resident.directory.vendors().count()),
            campaigns: number(self.resident.directory.campaigns().count()),
            payouts: number(self.payouts.len()),
            payouts_open: number(open.count()),
            transfers: number(self.transfers.len()),
        })
    }

    fn rows(&mut self, visit: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        visit(Row::Currency(self.resident.currency));
        self.resident.directory.vendors().cloned().for_each(|vendor| visit(Row::Vendor(vendor)));
        self.resident.directory.campaigns().cloned().for_each(|campaign| visit(Row::Campaign(campaign)));
        for (account, balance) in self.resident.balances.iter() {
            visit(Row::Account(*account, *balance));
        }
        let mut of_steps: BTreeMap<StepKey, Vec<(u64, &Transfer)>> = BTreeMap::new();
        for (number, transfer) in (1..).zip(&self.transfers) {
            match transfer.step {
                Some(key) => of_steps.entry(key).or_default().push((number, transfer)),
                None => visit(Row::Transfer(number, transfer.clone())),
            }
        }
        for (key, step) in &self.steps {
            visit(Row::Step(step.clone()));
            for (number, transfer) in of_steps.remove(key).unwrap_or_default() {
                visit(Row::Transfer(number, transfer.clone()));
            }
        }
        for (number, transfer) in of_steps.into_values().flatten() {
            visit(Row::Transfer(number, transfer.clone()));
        }
        self.purses.values().cloned().for_each(|purse| visit(Row::Purse(purse)));
        self.registrations.values().cloned().for_each(|row| visit(Row::Registration(row)));
        self.payouts.values().cloned().for_each(|payout| visit(Row::Payout(payout)));
        self.movements.values().cloned().for_each(|movement| visit(Row::Movement(movement)));
        self.reservations.values().cloned().for_each(|row| visit(Row::Reservation(Box::new(row))));
        self.licences.values().cloned().for_each(|row| visit(Row::Licence(Box::new(row))));
        self.sales.values().cloned().for_each(|row| visit(Row::Sale(Box::new(row))));
        self.epochs.iter().for_each(|epoch| visit(Row::Epoch(*epoch)));
        self.claims.values().cloned().for_each(|claim| visit(Row::Claim(claim)));
        self.notes.values().cloned().for_each(|notes| visit(Row::Notes(notes)));
        Ok(())
    }
}
