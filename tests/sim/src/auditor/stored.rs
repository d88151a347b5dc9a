//! What is stored, against the books: each commit's changes at once, and every row of the disk now and then.

use std::collections::{BTreeMap, BTreeSet};

use tuppence_protocol::scrip::center::{Purse, ScripState, Step, StepKind, StepState};
use tuppence_server::ledger::{AccountId, Posting, Transfer};
use tuppence_server::store::memory::MemoryStore;
use tuppence_server::store::records::{Payout, PayoutState};
use tuppence_server::store::{Changes, Row, Store, Wanted};

use super::books::{Books, Key, Kind, Note, PayoutStand, Stand, Touched};
use super::held::HeldRows;
use super::invariants::Invariant;
use super::{Auditor, Violation};
use crate::center::{Batch, Done};

impl Auditor {
    /// A commit's changes: those that the books have, and no others.
    pub(super) fn stored(&mut self, changes: Option<&Changes>, blind: bool) {
        let nothing = Changes::default();
        let changes = changes.unwrap_or(&nothing);
        self.remember(changes, blind);
        self.latest = self.dated;
        let mut unseen = std::mem::take(&mut self.books.touched);
        for change in &changes.purses {
            let number = change.after.custom_id.serial_number.get();
            unseen.remove(&Touched::Purse(number));
            self.purse(&change.after);
            if let Some(before) = &change.before {
                let grown = change.after.live.serial > before.live.serial || change.after.live == before.live;
                self.check(Invariant::SerialsGrow, grown, || {
                    format!("purse {number}: {:?} after {:?}", change.after.live, before.live)
                });
            }
        }
        for change in &changes.steps {
            let key = (change.after.key.vendor, *change.after.key.tran_id.as_bytes());
            unseen.remove(&Touched::Step(key));
            let ended = change.before.as_ref().is_some_and(|step| step.state != StepState::Pending);
            self.check(Invariant::EndedStepsStay, !ended, || format!("step {key:?} changed after its end"));
            let date = match &change.after.state {
                StepState::Pending => change.after.started,
                StepState::Posted(at) | StepState::Voided(at, _) => *at,
            };
            let (date, latest) = (date.as_millis(), self.latest);
            self.check(Invariant::TimeDoesNotGoBack, date >= latest, || {
                format!("step {key:?} is dated {date}, after one of {latest}")
            });
            self.dated = self.dated.max(date);
            self.step(&change.after);
        }
        for change in &changes.payouts {
            unseen.remove(&Touched::Payout(change.after.number));
            self.payout(&change.after);
        }
        for change in &changes.claims {
            unseen.remove(&Touched::Claim(change.after.custom_id.serial_number.get()));
            self.claim(&change.after);
        }
        self.stored_budgets(changes);
        for (account, balance) in &changes.balances {
            self.account(*account, *balance);
        }
        for transfer in &changes.transfers {
            self.check(Invariant::TransfersBalance, is_possible(transfer), || format!("{transfer:?}"));
        }
        // A purse that only was looked at is the same as before.
        unseen.retain(|touched| !matches!(touched, Touched::Purse(_)));
        self.check(Invariant::StepsAreAsPredicted, unseen.is_empty(), || {
            format!("should have been written, and was not: {unseen:?}")
        });
    }

    fn purse(&mut self, purse: &Purse) {
        let number = purse.custom_id.serial_number.get();
        let pending = purse.pending.map(|key| (key.vendor, *key.tran_id.as_bytes()));
        let live = note(&purse.live);
        let fits =
            self.books.purses.get(&number).is_some_and(|ours| ours.live == live && ours.pending == pending);
        let ours = self.books.purses.get(&number).map(|ours| (ours.live.clone(), ours.pending));
        self.check(Invariant::PursesAreAsPredicted, fits, || {
            format!("purse {number} is {live:?}, {pending:?}; the books have {ours:?}")
        });
        let sum = self.books.by_steps(number);
        self.check(Invariant::PursesAreTheSumOfTheirSteps, sum == i128::from(live.value), || {
            format!("purse {number} holds {}; its steps leave {sum}", live.value)
        });
    }

    fn step(&mut self, step: &Step) {
        let key = (step.key.vendor, *step.key.tran_id.as_bytes());
        let fits = self.books.steps.get(&key).is_some_and(|ours| {
            let kind = match step.kind {
                StepKind::Issue => Kind::Issue,
                StepKind::Payment => Kind::Payment,
                StepKind::CashOut => Kind::CashOut,
            };
            let stand = match &step.state {
                StepState::Pending => Stand::Pending,
                StepState::Posted(at) => Stand::Posted(at.as_millis()),
                StepState::Voided(at, back) => Stand::Voided(at.as_millis(), note(back)),
            };
            let amounts = (step.amount.micros(), step.fee.micros()) == (ours.amount, ours.fee);
            kind == ours.kind
                && stand == ours.stand
                && amounts
                && step.customer.get() == ours.customer
                && step.subject.as_str() == ours.subject
                && note(&step.old) == ours.old
                && note(&step.new) == ours.new
                && step.started.as_millis() == ours.started
                && step.request_hash.matches(&ours.hash)
        });
        let ours = self.books.steps.get(&key).cloned();
        self.check(Invariant::StepsAreAsPredicted, fits, || {
            format!("{step:?} is stored; the books have {ours:?}")
        });
    }

    fn payout(&mut self, payout: &Payout) {
        let stand = match &payout.state {
            PayoutState::Ordered => PayoutStand::Ordered,
            PayoutState::Confirmed(_, reference) => PayoutStand::Confirmed(reference.to_string()),
            PayoutState::Returned(_, reason) => PayoutStand::Returned(reason.to_string()),
        };
        let ours = self.books.payouts.get(&payout.number).cloned();
        let fits = ours.as_ref().is_some_and(|ours| {
            ours.stand == stand
                && (ours.amount, ours.fee) == (payout.amount.micros(), payout.fee.micros())
                && ours.customer == payout.customer.get()
        });
        self.check(Invariant::PayoutsEndOnce, fits, || {
            format!("{payout:?} is stored; the books have {ours:?}")
        });
    }

    fn account(&mut self, account: AccountId, balance: i64) {
        let below = balance < 0 && account != AccountId::Reserve;
        self.check(Invariant::OnlyTheReserveIsBelowZero, !below, || format!("{account:?} is {balance}"));
        let ours = self.books.account(account);
        self.check(Invariant::AccountsAreAsPredicted, ours == i128::from(balance), || {
            format!("{account:?} is {balance}; the books have {ours}")
        });
    }

    /// Every row of the disk, after a crash and at the end.
    pub fn disk(&mut self, store: &mut MemoryStore, started: Option<Invariant>) {
        let mut rows = Vec::new();
        let read = store.rows(&mut |row| rows.push(row));
        let mut sums: BTreeMap<AccountId, i128> = BTreeMap::new();
        let mut moved = BTreeSet::new();
        let (mut purses, mut steps, mut payouts, mut pending) = (0, 0, 0, 0_u64);
        let mut transit = 0_u64;
        let (mut epochs, mut claims) = (Vec::new(), 0);
        let mut held = HeldRows::default();
        for row in &rows {
            match row {
                Row::Purse(purse) => {
                    purses += 1;
                    pending += u64::from(purse.pending.is_some());
                    self.purse(purse);
                    let sum = sums.get(&AccountId::Purse(purse.custom_id.serial_number.get()));
                    let value = i128::from(purse.live.value.micros());
                    self.check(Invariant::MoneyIsConserved, sum.copied().unwrap_or(0) == value, || {
                        format!("{purse:?} is not what its transfers left: {sum:?}")
                    });
                }
                Row::Step(step) => {
                    steps += 1;
                    if step.state == StepState::Pending && step.kind != StepKind::Issue {
                        transit += step.amount.micros();
                    }
                    self.step(step);
                }
                Row::Payout(payout) => {
                    payouts += 1;
                    self.payout(payout);
                }
                Row::Epoch(epoch) => epochs.push(*epoch),
                Row::Claim(claim) => {
                    claims += 1;
                    self.claim(claim);
                }
                Row::Account(account, balance) => self.account(*account, *balance),
                Row::Transfer(_, transfer) => {
                    let amount = i128::from(transfer.amount.micros());
                    *sums.entry(transfer.debit).or_default() -= amount;
                    *sums.entry(transfer.credit).or_default() += amount;
                    let cause = (transfer.step, transfer.payout, transfer.movement.clone(), transfer.posting);
                    let sellers = matches!(
                        transfer.posting,
                        Posting::Funding | Posting::Defunding | Posting::Redeem | Posting::RedeemFee
                    );
                    self.check(Invariant::MoneyMovesOncePerStep, moved.insert(cause) || sellers, || {
                        format!("{transfer:?} is there twice")
                    });
                }
                Row::Unreadable { place, why } => {
                    self.check(Invariant::NoFaults, false, || format!("{place}: {why}"));
                }
                row => self.row_of_budget(row, &mut held),
            }
        }
        self.rows_of_budgets(&held, sums.get(&AccountId::Reservations).copied().unwrap_or(0));
        let total: i128 = sums.values().sum();
        self.check(Invariant::TransfersBalance, total == 0 && read.is_ok(), || format!("the sum is {total}"));
        for (account, sum) in sums.iter().filter(|(account, _)| !matches!(account, AccountId::Purse(_))) {
            let ours = self.books.account(*account);
            self.check(Invariant::AccountsAreAsPredicted, ours == *sum, || {
                format!("transfers leave {sum} in {account:?}; the books have {ours}")
            });
        }
        let ours = self.books.steps.values().filter(|step| step.stand == Stand::Pending).count() as u64;
        let held = self.books.transit;
        self.check(Invariant::TransitIsWhatIsPending, transit == held && pending == ours, || {
            format!("{transit} in {pending} pending steps; the books have {held} in {ours}")
        });
        let books = (self.books.purses.len(), self.books.steps.len(), self.books.payouts.len());
        let invariant = started.unwrap_or(Invariant::PursesAreAsPredicted);
        self.check(invariant, (purses, steps, payouts) == books, || {
            format!("{purses} purses, {steps} steps, {payouts} payouts; the books have {books:?}")
        });
        self.epochs(&epochs, claims);
        if let (Some(started), Some(Violation { invariant, .. })) = (started, &mut self.violation) {
            *invariant = started;
        }
    }

    /// That what the replies of a batch say is on the disk, as they leave.
    pub fn acknowledged(&mut self, batch: &Batch, store: &mut MemoryStore) {
        for Done { command, result, .. } in &batch.done {
            if result.is_err() {
                continue;
            }
            self.budget_is_durable(command, store);
            let transaction = match command {
                tuppence_server::center::Command::Issue(message) => {
                    Some((message.offer.vendor_id.clone(), message.offer.tran_id))
                }
                tuppence_server::center::Command::Payment(message)
                | tuppence_server::center::Command::Reserve { start: message, .. }
                | tuppence_server::center::Command::BuyScrip { start: message, .. } => {
                    Some((message.order.vendor_id.clone(), message.order.tran_id))
                }
                tuppence_server::center::Command::Finish(message) => {
                    message.transaction.as_ref().map(|named| (named.vendor_id.clone(), named.tran_id))
                }
                _ => None,
            };
            let Some((vendor, tran_id)) = transaction else { continue };
            let Some(vendor) = self.books.number(&vendor) else { continue };
            let Some(ours) =
                self.books.steps.get(&(vendor, *tran_id.as_bytes())).map(|step| step.stand.clone())
            else {
                continue;
            };
            let key = tuppence_protocol::scrip::center::StepKey { vendor, tran_id };
            let mut wanted = Wanted::default();
            wanted.steps.insert(key);
            let set = store.load(wanted).ok();
            let durable = set.as_ref().and_then(|set| set.step(&key)).is_some_and(|step| match ours {
                Stand::Pending => true,
                Stand::Posted(at) => {
                    step.state == StepState::Posted(tuppence_protocol::Timestamp::from_millis(at))
                }
                Stand::Voided(..) => matches!(step.state, StepState::Voided(..)),
            });
            self.check(Invariant::AcknowledgedIsDurable, durable, || format!("{key:?} is not on the disk"));
        }
    }
}

impl Books {
    /// What an account must hold; purses have their own check.
    fn account(&self, account: AccountId) -> i128 {
        match account {
            AccountId::Reserve => -i128::from(self.reserve),
            AccountId::Purse(number) => {
                self.purses.get(&number).map_or(0, |purse| i128::from(purse.live.value))
            }
            AccountId::Vendor(number) => self.vendors.get(&number).map_or(0, |held| i128::from(*held)),
            AccountId::Campaign(number) => {
                let campaign = self.campaigns.values().find(|campaign| campaign.number == number);
                campaign.map_or(0, |campaign| i128::from(campaign.held))
            }
            AccountId::Transit => i128::from(self.transit),
            AccountId::Fees => i128::from(self.fees),
            AccountId::Payouts => i128::from(self.owed),
            AccountId::Reservations => i128::from(self.budgets.account),
        }
    }

    /// The pending step of a buyer's purse.
    pub fn pending(&self, customer: u64) -> Option<Key> {
        self.purses.get(&customer)?.pending
    }
}

pub(super) fn note(state: &ScripState) -> Note {
    Note {
        serial: state.serial.get(),
        value: state.value.micros(),
        ad: state.ad.as_ref().map(ToString::to_string),
        expires: state.expires.as_millis(),
    }
}

/// Whether a transfer may be: its reason joins these two kinds of account, and it moves something.
fn is_possible(transfer: &Transfer) -> bool {
    use AccountId::{Campaign, Fees, Payouts, Purse, Reservations, Reserve, Transit, Vendor};
    let joins = match transfer.posting {
        Posting::Deposit => matches!((transfer.debit, transfer.credit), (Reserve, Vendor(_))),
        Posting::Withdrawal => matches!((transfer.debit, transfer.credit), (Vendor(_), Reserve)),
        Posting::Funding => matches!((transfer.debit, transfer.credit), (Vendor(_), Campaign(_))),
        Posting::Defunding => matches!((transfer.debit, transfer.credit), (Campaign(_), Vendor(_))),
        Posting::Issue => matches!((transfer.debit, transfer.credit), (Campaign(_), Purse(_))),
        Posting::IssueVoid => matches!((transfer.debit, transfer.credit), (Purse(_), Campaign(_))),
        Posting::Hold => matches!((transfer.debit, transfer.credit), (Purse(_), Transit)),
        Posting::HoldVoid => matches!((transfer.debit, transfer.credit), (Transit, Purse(_))),
        Posting::Payment => matches!((transfer.debit, transfer.credit), (Transit, Vendor(_))),
        Posting::Fee => matches!((transfer.debit, transfer.credit), (Transit, Fees)),
        Posting::CashOut => matches!((transfer.debit, transfer.credit), (Transit, Payouts)),
        Posting::PayoutConfirmed => matches!((transfer.debit, transfer.credit), (Payouts, Reserve)),
        Posting::PayoutReturned => matches!((transfer.debit, transfer.credit), (Payouts, Purse(_))),
        Posting::FeeReturned => matches!((transfer.debit, transfer.credit), (Fees, Purse(_))),
        Posting::Reserve => matches!((transfer.debit, transfer.credit), (Transit, Reservations)),
        Posting::Redeem => matches!((transfer.debit, transfer.credit), (Reservations, Vendor(_))),
        Posting::RedeemFee => matches!((transfer.debit, transfer.credit), (Reservations, Fees)),
        Posting::Release => matches!((transfer.debit, transfer.credit), (Reservations, Purse(_))),
    };
    joins && transfer.amount.micros() > 0
}
