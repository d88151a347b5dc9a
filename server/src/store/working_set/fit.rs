//! What must hold after every command: money, scrip, steps, payout orders and movements agree.

use std::collections::BTreeSet;

use tuppence_protocol::Amount;
use tuppence_protocol::ids::{Serial, VendorId};
use tuppence_protocol::payword::AuthorityId;
use tuppence_protocol::scrip::Item;
use tuppence_protocol::scrip::center::{Purse, Step, StepKey, StepKind, StepState};
use tuppence_protocol::vendor_scrip::{LicenceState, OrderId};

use super::WorkingSet;
use crate::ledger::demands::{self, Flow};
use crate::ledger::{AccountId, Transfer};
use crate::store::records::{Held, PayoutState, Reference, Reservation, Sale};

impl WorkingSet {
    /// Checks all that was touched since the last command.
    ///
    /// # Errors
    /// What does not fit, as the part of a sentence.
    pub(super) fn fits(&self) -> Result<(), String> {
        for customer in self.touched_purses() {
            let purse =
                self.purse(customer).ok_or_else(|| format!("there is no purse {}", customer.get()))?;
            self.purse_fits(customer, purse).map_err(|why| format!("purse {}: {why}", customer.get()))?;
        }
        let posted = &self.transfers[self.mark.transfers..];
        let (of_reservations, of_steps): (Vec<&Transfer>, Vec<&Transfer>) =
            posted.iter().partition(|transfer| transfer.posting.is_of_reservation());
        let steps: BTreeSet<StepKey> =
            self.steps.touched().copied().chain(of_steps.iter().filter_map(|t| t.step)).collect();
        for key in steps {
            self.step_fits(key, &of_steps)
                .map_err(|why| format!("step {}/{}: {why}", key.vendor, key.tran_id))?;
        }
        let paid_from = of_reservations.iter().filter_map(|t| self.reservation_of(&t.step?));
        let reservations: BTreeSet<AuthorityId> =
            self.reservations.touched().copied().chain(paid_from.map(Reservation::id)).collect();
        for id in &reservations {
            self.reservation_fits(id, &of_reservations).map_err(|why| format!("reservation {id}: {why}"))?;
        }
        let paid_from = of_reservations.iter().filter_map(|t| self.sale_of(&t.step?));
        let sales: BTreeSet<OrderId> = self.sales.touched().copied().chain(paid_from.map(Sale::id)).collect();
        for id in &sales {
            self.sale_fits(id, &of_reservations).map_err(|why| format!("sale {id}: {why}"))?;
        }
        let held = |key: StepKey| self.reservation_of(&key).is_some() || self.sale_of(&key).is_some();
        if of_reservations.iter().any(|transfer| !transfer.step.is_some_and(held)) {
            return Err("a transfer belongs to no reservation".to_owned());
        }
        for key in self.licences.touched() {
            self.licence_fits(key).map_err(|why| format!("licence {}/{}: {why}", key.0, key.1))?;
        }
        let payouts: BTreeSet<u64> =
            self.payouts.touched().copied().chain(posted.iter().filter_map(|t| t.payout)).collect();
        for number in payouts {
            self.payout_fits(number, posted).map_err(|why| format!("payout order {number}: {why}"))?;
        }
        let movements: BTreeSet<&Reference> =
            self.movements.touched().chain(posted.iter().filter_map(|t| t.movement.as_ref())).collect();
        for reference in movements {
            self.movement_fits(reference, posted).map_err(|why| format!("movement {reference}: {why}"))?;
        }
        for campaign in self.campaigns.touched().filter_map(|number| self.campaign(*number)) {
            if !self.ours(campaign.budget) || !self.ours(campaign.funded) {
                return Err(format!("campaign {}: its amounts make no sense", campaign.number));
            }
        }
        for customer in self.notes.touched() {
            if self.purse(*customer).is_none() {
                return Err(format!("the notes of buyer {} belong to no purse", customer.get()));
            }
        }
        for registration in self.registrations.touched().filter_map(|wallet| self.registration(wallet)) {
            let first = registration.first.value;
            if !self.ours(first) || !first.is_zero() || self.purse(registration.customer).is_none() {
                return Err(format!("the registration of {} gives no empty purse", registration.wallet));
            }
        }
        Ok(())
    }

    fn touched_purses(&self) -> BTreeSet<Serial> {
        let posted = self.balances.touched().filter_map(|account| match account {
            AccountId::Purse(number) => Serial::try_from(*number).ok(),
            _ => None,
        });
        self.purses.touched().copied().chain(posted).collect()
    }

    fn purse_fits(&self, customer: Serial, purse: &Purse) -> Result<(), &'static str> {
        let balance = self.balance(AccountId::Purse(customer.get()));
        if !self.ours(purse.live.value)
            || balance.and_then(|b| u64::try_from(b).ok()) != Some(purse.live.value.micros())
        {
            return Err("its scrip is not worth what its transfers left in it");
        }
        if let Some(before) = self.purses.before(&customer, &self.base.purses) {
            if before.custom_id != purse.custom_id {
                return Err("a purse keeps its buyer");
            }
            let newer = purse.live.serial > before.live.serial;
            if !newer && purse.live != before.live {
                return Err("its scrip changed without a new serial");
            }
            let left = before.pending.filter(|_| before.pending != purse.pending);
            if left.and_then(|key| self.step(&key)).is_some_and(|step| step.state == StepState::Pending) {
                return Err("it left a pending step behind");
            }
        }
        match purse.pending {
            Some(key) => {
                let step = self.step(&key).ok_or("its pending step is missing")?;
                let fits =
                    step.state == StepState::Pending && step.customer == customer && step.new == purse.live;
                if fits { Ok(()) } else { Err("its pending step is another one") }
            }
            None => Ok(()),
        }
    }

    fn step_fits(&self, key: StepKey, posted: &[&Transfer]) -> Result<(), &'static str> {
        let step = self.step(&key).ok_or("a transfer names it, and there is none")?;
        let before = self.steps.before(&key, &self.base.steps);
        if before.is_some_and(|before| before.state != StepState::Pending) {
            return Err("it has ended, and never changes again");
        }
        let amounts = [step.amount, step.fee, step.old.value, step.new.value];
        if !amounts.into_iter().all(|amount| self.ours(amount)) || !step.amount.covers(step.fee) {
            return Err("its amounts make no sense");
        }
        if step.kind == StepKind::CashOut && step.key.vendor != 0 {
            return Err("only the center itself cashes out");
        }
        let next = step.old.serial.next();
        if next != Some(step.new.serial) && !step.is_tombstone() {
            return Err("it skips a serial");
        }
        let pending = self.purse(step.customer).ok_or("its purse is missing")?.pending == Some(key);
        if pending != (step.state == StepState::Pending) {
            return Err("its purse does not agree on whether it is pending");
        }
        let campaign = self.campaign_of(step);
        let earlier = match before {
            Some(before) => demands::of_step(before, campaign)?,
            None => Vec::new(),
        };
        follows(
            &earlier,
            &demands::of_step(step, campaign)?,
            posted.iter().copied().filter(|t| t.step == Some(key)),
        )?;
        let reserving = step.kind == StepKind::Payment && key.vendor == 0 && !step.is_tombstone();
        let reservation = self.reservation_of(&key).map(Reservation::held);
        match reservation.or_else(|| self.sale_of(&key).map(Sale::held)).transpose()? {
            None if reserving => return Err("it has no reservation"),
            Some(held) if !demands::holds(&held, step) => return Err("its reservation is another one"),
            _ => {}
        }
        let paid_out = step.kind == StepKind::CashOut && matches!(step.state, StepState::Posted(_));
        match self.payout_of(&key) {
            None if paid_out => Err("it has no payout order"),
            Some(payout) if !paid_out || !demands::orders(payout, step) => {
                Err("its payout order is another one")
            }
            _ => Ok(()),
        }
    }

    fn payout_fits(&self, number: u64, posted: &[Transfer]) -> Result<(), &'static str> {
        let payout = self.payout(number).ok_or("a transfer names it, and there is none")?;
        let step = self.step(&payout.step).ok_or("its step is missing")?;
        if !demands::orders(payout, step) {
            return Err("its step is another one");
        }
        let before = self.payouts.before(&number, &self.base.payouts);
        if before.is_some_and(|before| before.state != PayoutState::Ordered) {
            return Err("it has ended, and never changes again");
        }
        let moved = posted.iter().filter(|transfer| transfer.payout == Some(number));
        follows(&[], &demands::of_payout(payout), moved)
    }

    fn reservation_fits(&self, id: &AuthorityId, posted: &[&Transfer]) -> Result<(), &'static str> {
        let reservation = self.reservation(id).ok_or("it is missing")?;
        let before = self.reservations.before(id, &self.base.reservations);
        if before.is_some_and(|before| before.kept.paid.index > reservation.kept.paid.index) {
            return Err("what was deposited is never taken back");
        }
        self.check_shop(reservation.vendor, &reservation.kept.countersigned.authority().vendor_id)?;
        self.held_fits(before.map(Reservation::held).transpose()?, reservation.held()?, posted)
    }

    fn sale_fits(&self, id: &OrderId, posted: &[&Transfer]) -> Result<(), &'static str> {
        let sale = self.sale(id).ok_or("it is missing")?;
        let before = self.sales.before(id, &self.base.sales);
        self.check_shop(sale.vendor, &sale.kept.order.vendor_id)?;
        let scrip = &sale.kept.scrip.scrip;
        let licences = self.licences(sale.vendor);
        let licence = licences.iter().find(|licence| licence.key().1 == sale.kept.licence);
        let terms = &licence.ok_or("its licence is missing")?.state;
        let (count, licensed) = (terms.used, &terms.licensed.terms);
        if !licensed.scrips.contains(scrip.id, count)
            || !licensed.customers.contains(scrip.customer_id, count)
        {
            return Err("its numbers are none that its licence has given");
        }
        self.held_fits(before.map(Sale::held).transpose()?, sale.held()?, posted)
    }

    fn licence_fits(&self, key: &(u32, u32)) -> Result<(), &'static str> {
        let licence = self.licences.find(key, &self.base.licences).ok_or("it is missing")?;
        let LicenceState { licensed, used } = &licence.state;
        self.check_shop(licence.vendor, &licensed.terms.vendor_id)?;
        match self.licences.before(key, &self.base.licences) {
            Some(before) if before.state.used > *used => Err("what was used is never given back"),
            Some(before) if before.state.licensed.terms != licensed.terms => Err("its terms never change"),
            _ if *used > licensed.terms.count => Err("more is used than there is"),
            _ => Ok(()),
        }
    }

    fn check_shop(&self, number: u32, id: &VendorId) -> Result<(), &'static str> {
        let same = self.vendor(number).is_some_and(|vendor| vendor.id == *id);
        if same { Ok(()) } else { Err("its shop is another one") }
    }

    /// What a payment to the center itself has paid for: its payment, its transfers, and that it only goes forward.
    fn held_fits(&self, before: Option<Held>, held: Held, posted: &[&Transfer]) -> Result<(), &'static str> {
        let step = self.step(&held.step).ok_or("its payment is missing")?;
        if !demands::holds(&held, step) {
            return Err("its payment is another one");
        }
        if before.is_some_and(|before| before.closed.is_some()) {
            return Err("it was closed, and never changes again");
        }
        let earlier = before.map(|before| demands::of_held(&before)).unwrap_or_default();
        let later = demands::of_held(&held);
        if !held.funded && !later.is_empty() {
            return Err("it gives out what it does not hold");
        }
        // What each posting must have moved since: what it has moved in all, less what it had before.
        let had = |posting| earlier.iter().find(|flow| flow.posting == posting).map_or(0, |flow| flow.micros);
        let mut missing = Vec::new();
        for flow in later {
            let micros =
                flow.micros.checked_sub(had(flow.posting)).ok_or("what has moved cannot be undone")?;
            missing.extend((micros > 0).then_some(Flow { micros, ..flow }));
        }
        follows(&[], &missing, posted.iter().copied().filter(|t| t.step == Some(held.step)))
    }

    fn movement_fits(&self, reference: &Reference, posted: &[Transfer]) -> Result<(), &'static str> {
        let movement = self.movement(reference).ok_or("a transfer names it, and there is none")?;
        if self.movements.before(reference, &self.base.movements).is_some() {
            return Err("it never changes");
        }
        if !self.ours(movement.amount) {
            return Err("its amount makes no sense");
        }
        let moved = posted.iter().filter(|transfer| transfer.movement.as_ref() == Some(reference));
        follows(&[], &[demands::of_movement(movement)], moved)
    }

    /// The campaign that an issue is paid from; nothing else has one.
    fn campaign_of(&self, step: &Step) -> Option<u32> {
        if step.kind != StepKind::Issue {
            return None;
        }
        let item: Item = step.subject.as_str().parse().ok()?;
        self.campaign_by_item(step.key.vendor, &item).map(|campaign| campaign.number)
    }

    fn ours(&self, amount: Amount) -> bool {
        amount.currency() == self.currency()
    }
}

/// Whether `posted` is what `later` demands beyond `earlier`, in any order.
fn follows<'a>(
    earlier: &[Flow],
    later: &[Flow],
    posted: impl Iterator<Item = &'a Transfer>,
) -> Result<(), &'static str> {
    let mut missing = later.strip_prefix(earlier).ok_or("what has moved for it cannot be undone")?.to_vec();
    let mut moved: Vec<Flow> = posted.map(Flow::from).collect();
    missing.sort_unstable();
    moved.sort_unstable();
    if moved == missing { Ok(()) } else { Err("its transfers are not those that it demands") }
}
