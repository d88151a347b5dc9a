//! The center at work, its operator, and the rogue's turns; and what of it is counted.

use tuppence_protocol::scrip::campaign::CampaignFunding;
use tuppence_protocol::scrip::relay::Outcome;
use tuppence_protocol::{Seal, Timestamp};
use tuppence_server::center::{Command, Reply as Said};
use tuppence_server::store::committer::CommitError;
use tuppence_server::store::records::Direction;
use tuppence_wallet::error::Money;
use tuppence_wallet::view::{EntryKind, PendingStage};

use crate::auditor::books::{Kind, PayoutStand, Stand};
use crate::center::{Batch, Done, Origin};
use crate::disk::Plan;
use crate::fixture::{self, DEPOSITS, ROGUE_SHOP, ROGUE_VENDOR, SHOPS, usd};
use crate::kernel::Party;
use crate::person::{Deed, Rest};
use crate::reader::POCKET;
use crate::world::{Event, World};

/// How long the rogue waits for an answer, in milliseconds.
const ROGUE_PATIENCE: u64 = 10_000;

impl World {
    /// Sellers join and pay in what they will give away.
    pub(crate) fn begin_trade(&mut self) {
        for number in 1..=ROGUE_VENDOR {
            let origin = if number == ROGUE_VENDOR { ROGUE_SHOP } else { SHOPS[number as usize - 1] };
            self.center.operate(Command::AddVendor {
                id: fixture::vendor(number),
                origin: origin.parse().expect("the fixture's origins are text"),
                secret: fixture::vendor_secret(number, 1),
            });
            self.center.operate(Command::Book {
                reference: format!("first {number}").parse().expect("a reference"),
                vendor: number,
                direction: Direction::Deposit,
                amount: usd(DEPOSITS[number as usize - 1]),
            });
        }
        self.serve();
        let pocket = CampaignFunding {
            vendor_id: fixture::vendor(ROGUE_VENDOR),
            item: POCKET.parse().expect("an item"),
            budget: usd(fixture::POCKET_MONEY),
            date: Timestamp::from_millis(self.kernel.now()),
            secret_id: 1,
            seal: Seal::from_bytes([0; 32]),
        };
        let pocket = pocket.sealed(&fixture::vendor_secret(ROGUE_VENDOR, 1));
        self.center.operate(Command::FundCampaign(Box::new(pocket)));
        self.serve();
    }

    /// Lets the center do what waits, a moment from now, with whatever comes until then.
    pub(crate) fn serve_soon(&mut self) {
        if !self.serving && self.center.waiting() > 0 {
            self.serving = true;
            let delay = self.chance.between(0, 6);
            self.kernel.schedule(delay, Event::Serve);
        }
    }

    /// One batch.
    pub(crate) fn serve(&mut self) {
        self.serving = false;
        if !self.center.is_up() || self.center.waiting() == 0 {
            return;
        }
        let plan = self.center.disk.planned();
        let batch = self.center.serve(self.kernel.now());
        let count = batch.done.len() + batch.others.len();
        self.trace.line(self.steps, || format!("a batch of {count}: {}", names(&batch)), &[count as u64]);
        self.auditor.batch(&batch, self.center.time.shown());
        self.note_batch(&batch, plan);
        if batch.died {
            self.kill_center();
            let delay = self.chance.between(50, 60_000);
            self.kernel.schedule(delay, Event::CenterUp);
            return;
        }
        let auditor = &mut self.auditor;
        self.center.disk.look(|store| auditor.acknowledged(&batch, store));
        for (flight, reply) in batch.done.into_iter().filter_map(|done| done.reply).chain(batch.others) {
            self.reply(flight, reply);
        }
        self.serve_soon();
    }

    /// The center ends what has waited too long.
    pub(crate) fn sweep(&mut self) {
        if self.center.is_up() {
            let overdue = self.center.overdue();
            self.center.operate(Command::Sweep(overdue));
            for command in self.center.due() {
                self.center.operate(command);
            }
            self.serve_soon();
        }
        let delay = self.chance.between(3_000, 240_000);
        self.kernel.schedule(delay, Event::Sweep);
    }

    /// The operator pays out, gives back, takes money in; now and then twice, or something impossible.
    pub(crate) fn operate(&mut self) {
        let delay = self.chance.between(1_000, 40_000) * if self.stormy { 1 } else { 10 };
        self.kernel.schedule(delay, Event::Operate);
        if !self.center.is_up() {
            return;
        }
        self.hand_over_secrets();
        let orders: Vec<u64> = self.auditor.books.payouts.keys().copied().collect();
        let again = !self.references.is_empty() && self.chance.happens(200);
        let command = if again {
            let known = self.chance.one(&self.references).clone();
            self.changed(known)
        } else if !orders.is_empty() && self.chance.happens(600) {
            let number = if self.chance.happens(50) { 999 } else { *self.chance.one(&orders) };
            let text = format!("transfer {number}").parse().expect("a reference");
            if self.chance.happens(500) {
                Command::ConfirmPayout { number, reference: text }
            } else {
                Command::ReturnPayout { number, reason: text }
            }
        } else {
            self.real_money()
        };
        self.references.push(command.clone());
        self.center.operate(command);
        self.serve_soon();
    }

    fn real_money(&mut self) -> Command {
        let number = self.references.len();
        let text = if self.chance.happens(30) { " ".to_owned() } else { format!("invoice {number}") };
        let direction = if self.chance.happens(500) { Direction::Deposit } else { Direction::Withdrawal };
        let amount = match self.chance.below(12) {
            0 => usd(0),
            1 => "EUR:1".parse().unwrap_or(usd(1)),
            2 => usd(90_000_000),
            _ => usd(self.chance.between(1, 40) * 10_000),
        };
        Command::Book {
            reference: text.parse().expect("a reference"),
            vendor: u32::try_from(self.chance.between(1, 4)).unwrap_or(1),
            direction: if amount == usd(90_000_000) { Direction::Withdrawal } else { direction },
            amount,
        }
    }

    /// The same command again, or one of the same name and other content.
    fn changed(&mut self, command: Command) -> Command {
        let other = self.chance.happens(300);
        match command {
            Command::Book { reference, vendor, direction, .. } if other => {
                Command::Book { reference, vendor, direction, amount: usd(12_345) }
            }
            Command::ConfirmPayout { number, .. } if other => {
                Command::ConfirmPayout { number, reference: "another".parse().expect("a reference") }
            }
            Command::ReturnPayout { number, .. } if other => {
                Command::ReturnPayout { number, reason: "another".parse().expect("a reason") }
            }
            same => same,
        }
    }

    /// The rogue's turn.
    pub(crate) fn mischief(&mut self) {
        if !self.stormy {
            return;
        }
        let (name, letters) = self.rogue.act(self.center.time.shown());
        if !letters.is_empty() && name != "rogue_errand" {
            self.coverage.note(name);
        }
        for (to, path, body) in letters {
            self.send(Party::Rogue, Some(to), path, Some(body), ROGUE_PATIENCE, None);
        }
        let delay = self.chance.between(200, 15_000);
        self.kernel.schedule(delay, Event::Mischief);
    }

    fn note_batch(&mut self, batch: &Batch, plan: Plan) {
        if batch.done.len() > 1 {
            self.coverage.note("batch_of_many");
        }
        match plan {
            Plan::DieBefore if batch.died => self.coverage.note("center_killed_committing"),
            Plan::DieAfter if batch.died => self.coverage.note("center_killed_after_commit"),
            Plan::Refuse if batch.refused => self.coverage.note("center_disk_full"),
            _ => {}
        }
        let Some(changes) = &batch.changes else { return self.note_replies(batch) };
        let (posted, swept) = (finishes(batch), sweeps(batch));
        for change in &changes.steps {
            let key = (change.after.key.vendor, *change.after.key.tran_id.as_bytes());
            let Some(step) = self.auditor.books.steps.get(&key) else { continue };
            let never_was = step.never_was();
            let name = match (step.kind, &step.stand) {
                _ if never_was => "cancelled_before_it_came",
                (Kind::Issue, Stand::Pending) => "issue_pending",
                (Kind::Issue, Stand::Posted(_)) => "issue_posted",
                (Kind::Issue, Stand::Voided(..)) => "issue_voided",
                (Kind::Payment, Stand::Pending) => "payment_pending",
                (Kind::Payment, Stand::Posted(_)) => "payment_posted",
                (Kind::Payment, Stand::Voided(..)) => "payment_voided",
                (Kind::CashOut, Stand::Pending) => "cash_out_pending",
                (Kind::CashOut, Stand::Posted(_)) => "cash_out_posted",
                (Kind::CashOut, Stand::Voided(..)) => "cash_out_voided",
            };
            let ended = step.stand != Stand::Pending && !never_was;
            if ended && matches!(step.stand, Stand::Posted(_)) && !posted.contains(&key.1) && !swept {
                self.coverage.note("posted_by_the_next_step");
            }
            if ended && swept {
                self.coverage.note("ended_by_the_sweep");
            }
            self.coverage.note(name);
        }
        for payout in &changes.payouts {
            let stand = self.auditor.books.payouts.get(&payout.after.number).map(|payout| &payout.stand);
            match stand {
                Some(PayoutStand::Ordered) => self.coverage.note("payout_ordered"),
                Some(PayoutStand::Confirmed(_)) => self.coverage.note("payout_confirmed"),
                Some(PayoutStand::Returned(_)) => self.coverage.note("payout_returned"),
                None => {}
            }
        }
        for campaign in &changes.campaigns {
            let ended = campaign.after.budget.is_zero();
            self.coverage.note(if ended { "campaign_ended" } else { "campaign_funded" });
        }
        let swept = batch.done.iter().any(|done| {
            matches!(done.command, Command::Release(_) | Command::CloseSales(_))
                && matches!(done.result, Ok(Said::Released(1..)))
        });
        for change in &changes.reservations {
            let before = change.before.as_ref().map(|before| (before.funded, before.kept.closed.is_some()));
            let taken = change
                .before
                .as_ref()
                .is_some_and(|before| before.kept.paid.index < change.after.kept.paid.index);
            let after = (change.after.funded, change.after.kept.closed.is_some());
            self.coverage.note(budget_state(before, after, taken, swept, &PAYWORDS));
        }
        for change in &changes.sales {
            let before = change.before.as_ref().map(|before| (before.funded, before.kept.closed.is_some()));
            let taken = change
                .before
                .as_ref()
                .is_some_and(|before| before.kept.redeemed != change.after.kept.redeemed);
            let after = (change.after.funded, change.after.kept.closed.is_some());
            self.coverage.note(budget_state(before, after, taken, swept, &SCRIP));
        }
        if !changes.licences.is_empty() {
            self.coverage.note("licence_kept");
        }
        if !changes.claims.is_empty() {
            self.coverage.note("claim_kept");
        }
        if changes.epoch.is_some() {
            self.coverage.note("epoch_shown");
        }
        let renewed = changes.purses.iter().any(|change| {
            change.before.as_ref().is_some_and(|before| {
                before.live.value == change.after.live.value && before.live.serial < change.after.live.serial
            }) && changes.steps.is_empty()
        });
        if renewed {
            self.coverage.note("scrip_renewed");
        }
        self.note_replies(batch);
    }

    fn note_replies(&mut self, batch: &Batch) {
        for Done { command, origin, result, reply } in &batch.done {
            match (command, result) {
                (Command::Relay(_), Ok(Said::Relayed(said))) => self.coverage.note(match said.outcome {
                    Outcome::Open if reply.is_none() => "relay_held",
                    Outcome::Open => "relay_open",
                    Outcome::Posted(_) => "relay_posted",
                    Outcome::Voided => "relay_voided",
                }),
                (Command::Issue(_) | Command::Payment(_) | Command::Finish(_), Ok(_))
                    if batch.changes.is_none() =>
                {
                    self.coverage.note("message_answered_again");
                }
                _ => {}
            }
            if let Err(CommitError::Refused(refusal)) = result
                && *origin == Origin::Operator
            {
                self.coverage.refusal(refusal.code);
            }
        }
    }

    pub(crate) fn note_deed(&mut self, deed: &Deed) {
        match deed {
            Deed::Imported => {
                self.coverage.note("copy_imported");
            }
            Deed::Pending(stages) => {
                for stage in stages {
                    self.coverage.note(match stage {
                        PendingStage::Asking => "wallet_asking",
                        PendingStage::Moving => "wallet_moving",
                        PendingStage::Confirming => "wallet_confirming",
                        PendingStage::Cancelling => "wallet_cancelling",
                    });
                }
            }
            Deed::Failed(_, error) => {
                self.coverage.told(&error.code);
                match error.money {
                    Money::Open => self.coverage.note("money_open"),
                    Money::Moved => self.coverage.note("money_moved"),
                    Money::Untouched => {}
                }
            }
            _ => {}
        }
    }

    pub(crate) fn note_history(&mut self, rest: &Rest) {
        for entry in &rest.history {
            if entry.note.as_ref().is_some_and(|note| note.contains("books went back")) {
                self.coverage.note("wallet_books_went_back");
            }
            self.coverage.note(match entry.kind {
                EntryKind::Registered => "wallet_registered",
                EntryKind::Earned => "wallet_earned",
                EntryKind::Paid => "wallet_paid",
                EntryKind::CashOut => "wallet_cashed_out",
                EntryKind::CashOutReturned => "wallet_cash_out_returned",
                EntryKind::Cancelled => "wallet_cancelled",
                EntryKind::Adjusted => "wallet_adjusted",
            });
        }
    }
}

/// How states of budgets are called: begun, held, taken back, paid to the shop, ended by the reader, over.
type Names = [&'static str; 6];
const PAYWORDS: Names =
    ["budget_begun", "budget_held", "budget_voided", "budget_deposited", "budget_ended", "budget_over"];
const SCRIP: Names =
    ["scrip_begun", "scrip_held", "scrip_voided", "scrip_settled", "scrip_sold_back", "scrip_over"];

/// The name of what has become of a budget, by whether it is funded and closed.
fn budget_state(
    before: Option<(bool, bool)>,
    after: (bool, bool),
    taken: bool,
    swept: bool,
    names: &Names,
) -> &'static str {
    let [begun, held, voided, paid, ended, over] = *names;
    match (before, after) {
        (_, (false, true)) => voided,
        (None, (false, false)) => begun,
        (Some((true, _)), (true, false)) if taken => paid,
        (_, (true, true)) if swept => over,
        (_, (true, true)) => ended,
        _ => held,
    }
}

/// The transactions that a batch's own M6 and S6 finish.
fn finishes(batch: &Batch) -> Vec<[u8; 16]> {
    let named = batch.done.iter().filter_map(|done| match &done.command {
        Command::Finish(message) => message.transaction.as_ref(),
        _ => None,
    });
    named.map(|transaction| *transaction.tran_id.as_bytes()).collect()
}

fn sweeps(batch: &Batch) -> bool {
    batch.done.iter().all(|done| matches!(done.command, Command::Sweep(_)))
}

fn names(batch: &Batch) -> String {
    let names = batch.done.iter().map(|done| {
        let verdict = match &done.result {
            Ok(_) => "taken",
            Err(CommitError::Refused(refusal)) => refusal.code.as_str(),
            Err(_) => "failed",
        };
        format!("{} {verdict}", crate::auditor::name(&done.command))
    });
    names.collect::<Vec<_>>().join(", ")
}
