//! The audit: adds all transfers up again, and names every row that does not agree with them (T25).
//!
//! It trusts nothing but the transfers, and those only as far as the journal's chain of hashes covers them
//! ([`super::journal`]; the store checks each row against it as it shows it). Each must be possible by itself; together they must give every balance,
//! every purse's value and every campaign's budget; and each step, payout order and movement must have exactly
//! those that it demands.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::Item;
use tuppence_protocol::scrip::center::{Purse, ScripState, Step, StepKey, StepKind, StepState};
use tuppence_protocol::vendor_scrip::LicenceState;
use tuppence_protocol::{Amount, Currency};

use super::demands::{self, Flow};
use super::{AccountId, Posting, Transfer, rules};
use crate::store::records::{
    Campaign, Claim, Epoch, Held, KeptLicence, KeptNotes, Movement, Payout, Reference, Registration,
    Reservation, Sale,
};
use crate::store::{Row, Store, StoreError};

/// What the audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that were looked at.
    pub rows: u64,
    /// What does not fit, row by row.
    pub findings: Vec<Finding>,
    /// The epochs of the books after the first: each began because an older copy was put back.
    pub epochs: Vec<Epoch>,
    /// Scrip that was shown and that the books have lost: what the operator has to settle with these buyers.
    pub claims: Vec<Claim>,
}

/// A row that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The table and the row's key, such as `purses 7`.
    pub place: String,
    /// What does not fit.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl fmt::Display for Report {
    /// One line for each finding, and one to end with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        write!(f, "{} rows, {} of them do not fit", self.rows, self.findings.len())
    }
}

/// Audits all that is stored, as of one moment.
///
/// # Errors
/// [`StoreError`] if the store cannot be read at all.
pub fn audit(store: &mut dyn Store) -> Result<Report, StoreError> {
    audit_rows(|visit| store.rows(visit))
}

/// Audits the rows that `show` shows.
///
/// # Errors
/// What `show` returns.
pub fn audit_rows(
    show: impl FnOnce(&mut dyn FnMut(Row)) -> Result<(), StoreError>,
) -> Result<Report, StoreError> {
    let mut auditor = Auditor::default();
    show(&mut |row| auditor.see(row))?;
    Ok(auditor.conclude())
}

#[derive(Default)]
struct Auditor {
    report: Report,
    currency: Option<Currency>,
    vendors: HashSet<u32>,
    campaigns: BTreeMap<u32, Campaign>,
    items: HashMap<(u32, Item), u32>,
    /// As stored, without the purses.
    balances: BTreeMap<AccountId, i64>,
    /// As the transfers say, without the purses.
    moved: BTreeMap<AccountId, i64>,
    /// What was set aside for each campaign, less what went back.
    funded: HashMap<u32, i64>,
    customers: HashMap<u64, Customer>,
    /// Each buyer's serials that a step took.
    spent: HashSet<(u64, Serial)>,
    /// The step whose transfers are coming.
    open: Option<(Step, Vec<Flow>)>,
    /// Completed cash-outs whose order has not come.
    cash_outs: BTreeMap<StepKey, Step>,
    ends_of_payouts: BTreeMap<u64, Vec<Flow>>,
    /// Payments to the center itself whose reservation has not come, with what it has given out.
    budgets: BTreeMap<StepKey, (Step, Vec<Flow>)>,
    licences: HashMap<(u32, u32), LicenceState>,
    /// What moved for movements that have not come.
    of_movements: BTreeMap<Reference, Vec<Flow>>,
    /// The sum of all that is stored.
    sum: i128,
    /// The last transfer before those that are audited: only what came after it is added up.
    since: Option<u64>,
}

/// What transfers and steps say of a buyer.
#[derive(Default)]
struct Customer {
    balance: i64,
    newest: Option<ScripState>,
    pending: Option<StepKey>,
    purse: bool,
    registered: bool,
}

impl Auditor {
    fn see(&mut self, row: Row) {
        if !matches!(row, Row::Since(_) | Row::Opening(..)) {
            self.report.rows = self.report.rows.saturating_add(1);
        }
        if !matches!(row, Row::Transfer(..)) {
            self.close_step();
        }
        match row {
            Row::Currency(currency) => self.currency = Some(currency),
            Row::Vendor(vendor) => {
                self.vendors.insert(vendor.number);
            }
            Row::Campaign(campaign) => self.see_campaign(campaign),
            Row::Account(account, balance) => self.see_account(account, balance),
            Row::Transfer(number, transfer) => self.see_transfer(number, &transfer),
            Row::Step(step) => self.see_step(step),
            Row::Purse(purse) => self.see_purse(&purse),
            Row::Registration(registration) => self.see_registration(&registration),
            Row::Payout(payout) => self.see_payout(&payout),
            Row::Movement(movement) => self.see_movement(&movement),
            Row::Reservation(reservation) => self.see_reservation(&reservation),
            Row::Licence(licence) => self.see_licence(*licence),
            Row::Sale(sale) => self.see_sale(&sale),
            Row::Epoch(epoch) => self.report.epochs.extend((epoch.number > 0).then_some(epoch)),
            Row::Claim(claim) => self.report.claims.push(claim),
            Row::Since(transfer) => self.since = Some(transfer),
            Row::Opening(account, balance) => self.add(account, balance),
            Row::Notes(notes) => self.see_notes(&notes),
            Row::Unreadable { place, why } => self.found(place, why),
        }
    }

    fn see_campaign(&mut self, campaign: Campaign) {
        self.check_vendor(campaign.vendor, || format!("campaigns {}", campaign.number));
        self.items.insert((campaign.vendor, campaign.item.clone()), campaign.number);
        self.campaigns.insert(campaign.number, campaign);
    }

    fn see_account(&mut self, account: AccountId, balance: i64) {
        self.sum += i128::from(balance);
        if balance < 0 && account != AccountId::Reserve {
            self.found(format!("accounts {account}"), "it is below zero");
        }
        self.check_account(account, || format!("accounts {account}"));
        self.balances.insert(account, balance);
    }

    fn see_transfer(&mut self, number: u64, transfer: &Transfer) {
        let place = || format!("transfers {number}");
        if let Some(Err(error)) = self.currency.map(|currency| rules::check(transfer, currency)) {
            self.found(place(), error);
        }
        self.check_account(transfer.debit, place);
        self.check_account(transfer.credit, place);
        let micros = match self.since {
            Some(since) if number <= since => 0,
            _ => i64::try_from(transfer.amount.micros()).unwrap_or(i64::MAX),
        };
        self.add(transfer.debit, micros.saturating_neg());
        self.add(transfer.credit, micros);
        match (transfer.posting, transfer.debit, transfer.credit) {
            (Posting::Funding, _, AccountId::Campaign(number)) => {
                let funded = self.funded.entry(number).or_default();
                *funded = funded.saturating_add(micros);
            }
            (Posting::Defunding, AccountId::Campaign(number), _) => {
                let funded = self.funded.entry(number).or_default();
                *funded = funded.saturating_sub(micros);
            }
            _ => {}
        }
        if let Some(payout) = transfer.payout {
            self.ends_of_payouts.entry(payout).or_default().push(Flow::from(transfer));
        }
        if let Some(reference) = &transfer.movement {
            self.of_movements.entry(reference.clone()).or_default().push(Flow::from(transfer));
        }
        if let Some(key) = transfer.step {
            match &mut self.open {
                Some((step, flows)) if step.key == key => flows.push(Flow::from(transfer)),
                _ => self.found(place(), format_args!("there is no step {}", shown(key))),
            }
        }
    }

    fn see_step(&mut self, step: Step) {
        let place = || format!("steps {}", shown(step.key));
        if step.key.vendor != 0 {
            self.check_vendor(step.key.vendor, place);
        }
        if let Err(why) = check_scrips(&step) {
            self.found(place(), why);
        }
        if !step.is_tombstone() && !self.spent.insert((step.customer.get(), step.old.serial)) {
            self.found(place(), format_args!("serial {} was spent before", step.old.serial.get()));
        }
        let customer = self.customers.entry(step.customer.get()).or_default();
        let after = match &step.state {
            StepState::Voided(_, scrip) => scrip,
            _ => &step.new,
        };
        if customer.newest.as_ref().is_none_or(|newest| newest.serial <= after.serial) {
            customer.newest = Some(after.clone());
        }
        if step.state == StepState::Pending
            && let Some(other) = customer.pending.replace(step.key)
        {
            let why = format!("the buyer's step {} is pending too", shown(other));
            self.found(place(), why);
        }
        if step.kind == StepKind::CashOut && matches!(step.state, StepState::Posted(_)) {
            self.cash_outs.insert(step.key, step.clone());
        }
        self.open = Some((step, Vec::new()));
    }

    /// All transfers of the open step have come.
    fn close_step(&mut self) {
        let Some((step, mut flows)) = self.open.take() else { return };
        let item: Option<Item> = step.subject.as_str().parse().ok();
        let campaign = item.and_then(|item| self.items.get(&(step.key.vendor, item)).copied());
        let place = format!("steps {}", shown(step.key));
        let given_out = flows.extract_if(.., |flow| flow.posting.is_of_reservation()).collect::<Vec<_>>();
        if step.kind == StepKind::Payment && step.key.vendor == 0 && !step.is_tombstone() {
            self.budgets.insert(step.key, (step.clone(), given_out));
        } else if !given_out.is_empty() {
            self.found(place.clone(), "it gives out what only a budget does");
        }
        match demands::of_step(&step, campaign) {
            Ok(mut demanded) => {
                demanded.sort_unstable();
                flows.sort_unstable();
                if flows != demanded {
                    self.found(place, "its transfers are not those that its state demands");
                }
            }
            Err(why) => self.found(place, why),
        }
    }

    fn see_purse(&mut self, purse: &Purse) {
        let number = purse.custom_id.serial_number.get();
        self.sum += i128::from(purse.live.value.micros());
        let customer = self.customers.entry(number).or_default();
        customer.purse = true;
        let mut whys = Vec::new();
        // An audit that begins in the middle has not seen what the purse held before, and relies on its steps.
        if self.since.is_none() && u64::try_from(customer.balance) != Ok(purse.live.value.micros()) {
            whys.push(format!(
                "its scrip is worth {}, and its transfers leave {} millionths",
                purse.live.value, customer.balance
            ));
        }
        if customer.pending != purse.pending {
            whys.push("it does not agree with its steps on which one is pending".to_owned());
        }
        if let Some(newest) = &customer.newest {
            let replaced = newest.serial == purse.live.serial && *newest != purse.live;
            if replaced || newest.serial > purse.live.serial {
                whys.push(format!("a step gave the scrip {}, and this is another one", newest.serial.get()));
            }
        }
        for why in whys {
            self.found(format!("purses {number}"), why);
        }
    }

    fn see_registration(&mut self, registration: &Registration) {
        let number = registration.customer.get();
        let customer = self.customers.entry(number).or_default();
        let known = customer.purse;
        if std::mem::replace(&mut customer.registered, true) {
            self.found(format!("registrations {number}"), "the purse has another registration");
        }
        if !known {
            self.found(format!("registrations {number}"), "there is no such purse");
        }
    }

    fn see_payout(&mut self, payout: &Payout) {
        let place = || format!("payouts {}", payout.number);
        match self.cash_outs.remove(&payout.step) {
            Some(step) if demands::orders(payout, &step) => {}
            Some(_) => self.found(place(), "its step ordered something else"),
            None => self.found(place(), "there is no completed cash-out for it"),
        }
        let mut demanded = demands::of_payout(payout);
        let mut flows = self.ends_of_payouts.remove(&payout.number).unwrap_or_default();
        demanded.sort_unstable();
        flows.sort_unstable();
        if flows != demanded {
            self.found(place(), "its transfers are not those that its state demands");
        }
    }

    fn see_reservation(&mut self, reservation: &Reservation) {
        let place = format!("reservations {}", reservation.id());
        self.see_held(&place, reservation.held());
    }

    fn see_sale(&mut self, sale: &Sale) {
        let place = format!("sales {}", sale.id());
        let key = (sale.vendor, sale.kept.licence);
        let scrip = &sale.kept.scrip.scrip;
        let given = self.licences.get(&key).is_some_and(|LicenceState { licensed, used }| {
            licensed.terms.scrips.contains(scrip.id, *used)
                && licensed.terms.customers.contains(scrip.customer_id, *used)
        });
        if !given {
            self.found(place.clone(), "its numbers are none that its licence has given");
        }
        self.see_held(&place, sale.held());
    }

    fn see_licence(&mut self, licence: KeptLicence) {
        let key = licence.key();
        self.check_vendor(key.0, || format!("licences {}/{}", key.0, key.1));
        self.licences.insert(key, licence.state);
    }

    fn see_held(&mut self, place: &str, held: Result<Held, &'static str>) {
        let held = match held {
            Ok(held) => held,
            Err(why) => return self.found(place.to_owned(), why),
        };
        self.check_vendor(held.vendor, || place.to_owned());
        let Some((step, flows)) = self.budgets.remove(&held.step) else {
            return self.found(place.to_owned(), "there is no payment for it");
        };
        if !demands::holds(&held, &step) {
            self.found(place.to_owned(), "its payment is another one");
        }
        let mut sums: BTreeMap<_, u64> = BTreeMap::new();
        for Flow { posting, debit, credit, micros } in flows {
            let sum = sums.entry((posting, debit, credit)).or_default();
            *sum = sum.saturating_add(micros);
        }
        let demanded = demands::of_held(&held).into_iter();
        let demanded = demanded.map(|flow| ((flow.posting, flow.debit, flow.credit), flow.micros));
        if sums != demanded.collect() {
            self.found(place.to_owned(), "what it has given out is not what it demands");
        }
    }

    fn see_movement(&mut self, movement: &Movement) {
        let place = || format!("movements {}", movement.reference);
        self.check_vendor(movement.vendor, place);
        let flows = self.of_movements.remove(&movement.reference).unwrap_or_default();
        if flows != [demands::of_movement(movement)] {
            self.found(place(), "its transfer is not the one that it demands");
        }
    }

    fn see_notes(&mut self, notes: &KeptNotes) {
        let number = notes.customer.get();
        if !self.customers.get(&number).is_some_and(|customer| customer.purse) {
            self.found(format!("notes {number}"), "there is no such purse");
        }
    }

    fn conclude(mut self) -> Report {
        self.close_step();
        for (number, customer) in std::mem::take(&mut self.customers) {
            match (customer.purse, customer.registered) {
                (true, false) => self.found(format!("purses {number}"), "nobody registered it"),
                (false, _) => self.found(format!("purses {number}"), "it is missing"),
                (true, true) => {}
            }
        }
        for (account, moved) in std::mem::take(&mut self.moved) {
            let stored = self.balances.remove(&account).unwrap_or(0);
            if stored != moved {
                let why = format!("it holds {stored} millionths, and its transfers leave {moved}");
                self.found(format!("accounts {account}"), why);
            }
        }
        for (account, stored) in std::mem::take(&mut self.balances) {
            if stored != 0 {
                self.found(
                    format!("accounts {account}"),
                    format_args!("it holds {stored} that nobody moved"),
                );
            }
        }
        if self.since.is_none() {
            self.check_totals();
        }
        for key in std::mem::take(&mut self.cash_outs).into_keys() {
            self.found(format!("steps {}", shown(key)), "its payout order is missing");
        }
        for key in std::mem::take(&mut self.budgets).into_keys() {
            self.found(format!("steps {}", shown(key)), "its reservation is missing");
        }
        for number in std::mem::take(&mut self.ends_of_payouts).into_keys() {
            self.found(format!("payouts {number}"), "it is missing, and has transfers");
        }
        for reference in std::mem::take(&mut self.of_movements).into_keys() {
            self.found(format!("movements {reference}"), "it is missing, and has transfers");
        }
        self.report.findings.sort_by(|a, b| a.place.cmp(&b.place));
        self.report
    }

    /// What only all transfers together can tell.
    fn check_totals(&mut self) {
        for campaign in std::mem::take(&mut self.campaigns).into_values() {
            let funded = self.funded.get(&campaign.number).copied().unwrap_or(0);
            if u64::try_from(funded) != Ok(campaign.funded.micros()) {
                let why = format!("it says {} were set aside, and transfers say {funded}", campaign.funded);
                self.found(format!("campaigns {}", campaign.number), why);
            }
        }
        if self.sum != 0 {
            let sum = self.sum;
            self.found(
                "accounts".to_owned(),
                format_args!("all balances and purses sum up to {sum}, not zero"),
            );
        }
    }

    fn add(&mut self, account: AccountId, micros: i64) {
        let balance = match account {
            AccountId::Purse(number) => &mut self.customers.entry(number).or_default().balance,
            _ => self.moved.entry(account).or_default(),
        };
        *balance = balance.saturating_add(micros);
    }

    fn check_account(&mut self, account: AccountId, place: impl FnOnce() -> String) {
        let exists = match account {
            AccountId::Vendor(number) => self.vendors.contains(&number),
            AccountId::Campaign(number) => self.campaigns.contains_key(&number),
            _ => true,
        };
        if !exists {
            self.found(place(), format_args!("there is no {account}"));
        }
    }

    fn check_vendor(&mut self, number: u32, place: impl FnOnce() -> String) {
        self.check_account(AccountId::Vendor(number), place);
    }

    fn found(&mut self, place: String, what: impl fmt::Display) {
        self.report.findings.push(Finding { place, what: what.to_string() });
    }
}

/// Whether the scrips of a step follow each other.
fn check_scrips(step: &Step) -> Result<(), &'static str> {
    let Step { old, new, amount, .. } = step;
    if let StepState::Voided(_, scrip) = &step.state {
        let follows = if step.is_tombstone() { scrip == new } else { scrip.serial > new.serial };
        if !follows || scrip.value != old.value {
            return Err("the scrip that a void gave is not worth the old one");
        }
    }
    if step.is_tombstone() {
        return if old == new { Ok(()) } else { Err("a cancelled step changed the scrip") };
    }
    let value: Option<Amount> = match step.kind {
        StepKind::Issue => old.value.checked_add(*amount).ok(),
        StepKind::Payment | StepKind::CashOut => old.value.checked_sub(*amount).ok(),
    };
    if value != Some(new.value) || old.serial.next() != Some(new.serial) {
        return Err("the new scrip does not follow from the old one and the amount");
    }
    Ok(())
}

fn shown(key: StepKey) -> String {
    format!("{}/{}", key.vendor, key.tran_id)
}
