//! The end of a run: nothing fails any more, and everybody must come to rest.

use tuppence_protocol::ErrorCode;

use crate::auditor::invariants::Invariant;
use crate::kernel::{Owner, Party};
use crate::person;
use crate::world::World;

/// Steps after which a wallet that has not come to rest never will.
const STEPS_MAX: u64 = 400_000;
/// In what time shops tell the center what they took, and the center returns what is over, in milliseconds.
const SETTLING: u64 = 10 * 60 * 1_000;
/// After which time every budget is over, its grace included, also where the center's clock was days ahead.
const FORGOTTEN: u64 = 60 * 24 * 60 * 60 * 1_000;

impl World {
    /// Nothing fails any more: every wallet must come to rest, and the center's disk must be what the books say.
    pub fn end(&mut self) {
        self.stormy = false;
        for habits in &self.habits {
            habits.ending.set(true);
        }
        for reader in 0..self.readers.len() {
            self.readers[reader].ending.set(true);
            self.kernel.end(Owner::Reader(reader));
        }
        for device in 0..self.devices.len() {
            for tab in 0..self.tabs[device] {
                self.kernel.end(Owner::Tab(device, tab));
            }
            self.devices[device].full.set(false);
        }
        self.offline.clear();
        self.cut.clear();
        self.set_clock(Party::Center, 0);
        for index in 0..self.devices.len() {
            self.set_clock(Party::Device(index, 0), 0);
        }
        for index in 0..self.shops.len() {
            self.set_clock(Party::Shop(index), 0);
            if self.shops[index].running().is_none() {
                self.start_shop(index);
            }
        }
        // With its clock right again, the center is started anew: else its time would stand still for long.
        self.kill_center();
        self.center_up();
        self.hand_over_secrets();
        self.settle(false);
        for device in 0..self.devices.len() {
            self.settle_one(device);
        }
        self.settle(true);
        self.disk(None);
        self.forget_budgets();
    }

    /// Nobody ends the budgets that are left: their time and grace go by, and every rest comes back.
    fn forget_budgets(&mut self) {
        if self.violation().is_some() {
            return;
        }
        // What was sent long ago may still be on its way to a shop.
        self.run_for(self.last_spending.saturating_sub(self.kernel.now()) + SETTLING);
        for shop in &self.shops {
            self.auditor.shop_is_paid(shop.index, shop.store(), self.kernel.now());
        }
        self.kernel.pass_over(FORGOTTEN);
        self.run_for(SETTLING);
        if self.violation().is_none() {
            self.auditor.budgets_are_over();
        }
        self.settle(true);
        self.disk(None);
    }

    fn run_for(&mut self, millis: u64) {
        let until = self.kernel.now() + millis;
        while self.kernel.now() < until && self.violation().is_none() && self.step() {}
    }

    fn settle(&mut self, check: bool) {
        for device in 0..self.devices.len() {
            self.spawn_settling(device);
            if check {
                self.run_until_rested(1);
                self.judge(device);
            }
        }
        if !check {
            self.run_until_rested(self.devices.len());
            self.rests.borrow_mut().clear();
        }
    }

    fn settle_one(&mut self, device: usize) {
        self.spawn_settling(device);
        self.run_until_rested(1);
        self.rests.borrow_mut().clear();
    }

    fn spawn_settling(&mut self, index: usize) {
        let (device, rests) = (self.devices[index].clone(), self.rests.clone());
        let work = async move {
            let rest = person::settle(device, 9).await;
            rests.borrow_mut().push((index, rest));
        };
        self.kernel.spawn(Owner::Tab(index, 9), Box::pin(work));
    }

    fn run_until_rested(&mut self, count: usize) {
        let limit = self.steps + STEPS_MAX;
        while self.rests.borrow().len() < count && self.violation().is_none() && self.steps < limit {
            if !self.step() {
                return;
            }
        }
    }

    fn judge(&mut self, index: usize) {
        if self.violation().is_some() {
            return;
        }
        let rested = self.rests.borrow_mut().pop();
        let device = self.devices[index].clone();
        let records = device.records.borrow();
        match rested {
            Some((_, rest)) => {
                self.note_history(&rest);
                if rest.problem.as_ref().is_some_and(|no| no.is_refusal(ErrorCode::PurseUnknown)) {
                    self.coverage.note("wallet_purse_lost");
                }
                self.auditor.rests(index, &rest, &records);
            }
            None => {
                let invariant = Invariant::WalletsComeToRest;
                self.auditor.check(invariant, false, || format!("device {index} never came to rest"));
            }
        }
    }
}
