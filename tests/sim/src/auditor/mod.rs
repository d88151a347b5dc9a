//! The auditor: watches messages, replies and what is stored, predicts them from books of its own, and says which
//! invariant does not hold.

pub mod books;
pub mod budgets;
pub mod devices;
pub mod epochs;
mod held;
pub mod invariants;
mod offer;
mod rules;
mod sellers;
pub mod shops;
mod stored;
mod till;

use std::collections::BTreeMap;

use tuppence_protocol::scrip::finish::FinishReply;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::relay::Outcome;
use tuppence_protocol::scrip::{Code, Scrip};
use tuppence_protocol::{ErrorCode, Refusal, Secret};
use tuppence_server::center::{Command, Reply as Said};
use tuppence_server::store::committer::CommitError;

use crate::center::{Batch, Done, Origin};
use books::{Books, Key, Kind, Stand, Step};
use invariants::Invariant;
use rules::Expected;

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub invariant: Invariant,
    /// What was seen instead.
    pub what: String,
}

/// What the auditor knows.
#[derive(Default)]
pub struct Auditor {
    /// What the center must have.
    pub books: Books,
    /// How often each invariant was checked.
    pub checked: BTreeMap<Invariant, u64>,
    /// The first violation.
    pub violation: Option<Violation>,
    /// The latest time that the center's process has seen.
    seen: u64,
    /// The latest date of a step, before this batch and with it.
    latest: u64,
    dated: u64,
    /// The first reply to each message, by path and seal.
    replies: BTreeMap<(String, Vec<u8>), Vec<u8>>,
    /// Which they are, in order.
    reply_log: Vec<(String, Vec<u8>)>,
    /// What shops and wallets are watched by.
    pub(crate) shops: shops::Shops,
    pub(crate) devices: devices::Devices,
    pub(crate) tills: till::Tills,
    /// What was begun for a buyer's answer, and paid for an article.
    rewarded: BTreeMap<(u64, u32, String), Key>,
    bought: BTreeMap<(u64, String), Key>,
    /// What was ordered of shops' scrip, by identifier.
    orders: BTreeMap<[u8; 32], tuppence_protocol::vendor_scrip::Order>,
    /// What books that are lost have given out, with the others.
    pub(crate) remembered: epochs::Remembered,
}

impl Auditor {
    /// Notes whether an invariant holds; the first that does not ends the run.
    pub fn check(&mut self, invariant: Invariant, holds: bool, what: impl FnOnce() -> String) {
        *self.checked.entry(invariant).or_default() += 1;
        if !holds && self.violation.is_none() {
            self.violation = Some(Violation { invariant, what: what() });
        }
    }

    /// The center's process is a new one: its sense of time begins anew.
    pub fn restarted(&mut self) {
        self.seen = 0;
        (self.latest, self.dated) = (0, 0);
    }

    /// A batch was done. `clock` is what the center's clock showed.
    pub fn batch(&mut self, batch: &Batch, clock: u64) {
        if batch.died || batch.refused {
            self.check(Invariant::AFailedCommitChangesNothing, batch.changes.is_none() || batch.died, || {
                "the store refused a batch, and something was written".to_owned()
            });
        }
        let now = self.seen.max(clock);
        self.seen = now;
        if batch.done.is_empty() {
            return;
        }
        self.books.touched.clear();
        self.books.budgets.touched.clear();
        self.books.begun = None;
        let blind = self.blind();
        for done in &batch.done {
            self.command(done, now);
            if self.violation.is_some() {
                return;
            }
        }
        self.books.forget();
        self.stored(batch.changes.as_ref(), blind);
    }

    fn command(&mut self, done: &Done, now: u64) {
        let expected = self.books.predict(&done.command, now);
        if let Ok(said) = &done.result {
            self.gives(&done.command, said);
        }
        let what = || format!("{}: expected {expected:?}, got {:?}", name(&done.command), done.result);
        match (&expected, &done.result) {
            (Ok(expected), Ok(said)) => {
                let fits = self.fits(expected, said, &done.command);
                self.check(Invariant::RepliesAreAsPredicted, fits, what);
                self.check(Invariant::WhatIsRightIsTaken, true, String::new);
                self.answered(done, expected, said);
                match &done.command {
                    Command::Deposit(message) => self.paid_for_what_was_shown(message),
                    Command::Settle(message) => self.paid_for_what_was_asked(message),
                    _ => {}
                }
            }
            (Err(code), Err(CommitError::Refused(refusal))) => {
                self.check(Invariant::NoFaults, refusal.code != ErrorCode::Fault, what);
                self.check(Invariant::RefusalsAreAsPredicted, refusal.code == *code, what);
                match &done.command {
                    Command::Issue(message) => self.devices.refused(&message.hash),
                    Command::Payment(start) | Command::BuyScrip { start, .. } => {
                        self.devices.refused(&start.hash);
                    }
                    _ => {}
                }
                // What would have happened, had it been taken, is some invariant's matter.
                self.check(Invariant::of(*code), true, String::new);
            }
            (_, Err(CommitError::Busy | CommitError::StoreUnavailable | CommitError::Fault)) => {
                self.check(Invariant::NoFaults, false, what);
            }
            (Ok(_), Err(CommitError::Refused(Refusal { code, .. }))) => {
                self.check(Invariant::NoFaults, *code != ErrorCode::Fault, what);
                self.check(Invariant::WhatIsRightIsTaken, false, what);
            }
            (Err(code), Ok(_)) => self.check(Invariant::of(*code), false, what),
        }
        if let Ok(Expected::Other | Expected::Booked) = expected {
            let (held, reserve) = (self.books.held(), self.books.reserve);
            self.check(Invariant::MoneyIsConserved, held == reserve, || {
                format!("{held} held, {reserve} in reserve")
            });
        }
    }

    /// Whether the center's word is what was predicted.
    fn fits(&self, expected: &Expected, said: &Said, command: &Command) -> bool {
        match (expected, said) {
            (Expected::Registered(customer, at), Said::Registered(reply)) => {
                let body = &reply.scrip.scrip;
                body.custom_id.serial_number.get() == *customer
                    && body.value.micros() == 0
                    && body.scrip_id.serial_number.get() == epochs::first_of(epochs::epoch_of(*customer))
                    && reply.header.server_date.as_millis() == *at
            }
            (Expected::Scrip(true, tran, note, date), Said::Ecash(reply)) => {
                self.scrip_fits(command, &reply.new_scrip, note)
                    && reply.tran_id.map(|tran| *tran.as_bytes()) == *tran
                    && reply.header.server_date.as_millis() == *date
            }
            (Expected::Scrip(false, tran, note, date), Said::Balance(reply)) => {
                self.scrip_fits(command, &reply.new_scrip, note)
                    && reply.tran_id.map(|tran| *tran.as_bytes()) == *tran
                    && reply.header.server_date.as_millis() == *date
            }
            (Expected::Scrip(true, ..), Said::Finished(FinishReply::Ecash(reply))) => {
                self.fits(expected, &Said::Ecash(reply.clone()), command)
            }
            (Expected::Scrip(false, ..), Said::Finished(FinishReply::Balance(reply))) => {
                self.fits(expected, &Said::Balance(reply.clone()), command)
            }
            (Expected::Receipt(key), Said::Finished(FinishReply::Receipt(reply))) => {
                self.receipt_fits(*key, &reply.receipt)
            }
            (Expected::Open, Said::Relayed(reply)) => matches!(reply.outcome, Outcome::Open),
            (Expected::Voided, Said::Relayed(reply)) => matches!(reply.outcome, Outcome::Voided),
            (Expected::Posted(key), Said::Relayed(reply)) => {
                matches!(&reply.outcome, Outcome::Posted(receipt) if self.receipt_fits(*key, receipt))
            }
            (Expected::Campaign(budget, rest), Said::Campaign(state)) => {
                (state.budget.micros(), state.remaining.micros()) == (*budget, *rest)
            }
            (Expected::Payout(number), Said::Payout(payout)) => payout.number == *number,
            (Expected::Payout(number), Said::CashOut(state)) => state.number == *number,
            (Expected::Countersigned(..) | Expected::Purchased(_), _)
            | (Expected::Paid(..) | Expected::Released(_), _)
            | (Expected::Licensed(_) | Expected::Quoted(..), _) => self.budget_fits(expected, said, command),
            (Expected::Booked, Said::Booked(_)) | (Expected::Attested, Said::Attested(_)) => true,
            (
                Expected::Other,
                Said::Vendor(_)
                | Said::Vendors(_)
                | Said::Swept(_)
                | Said::UsedUp
                | Said::Admitted
                | Said::Notes(_)
                | Said::Recovered(_)
                | Said::Claimed,
            ) => true,
            _ => false,
        }
    }

    fn scrip_fits(&self, command: &Command, scrip: &Scrip, note: &books::Note) -> bool {
        let shown = match command {
            Command::Issue(message) => &message.scrip,
            Command::Payment(start) | Command::Reserve { start, .. } | Command::BuyScrip { start, .. } => {
                &start.scrip
            }
            Command::Finish(message) => &message.new_scrip,
            _ => return false,
        };
        let customer = shown.scrip.custom_id;
        let ours = self.books.scrip(customer.serial_number.get(), note);
        scrip.scrip == ours.scrip
            && scrip.hash_algorithm == ours.hash_algorithm
            && scrip.certificate.matches(&ours.certificate)
    }

    /// Whether a receipt says what the books say of its transaction.
    pub(crate) fn receipt_fits(&self, key: Key, receipt: &Receipt) -> bool {
        let step = self.books.steps.get(&key).zip(self.books.secret(key.0, receipt.secret_id));
        step.is_some_and(|(step, secret)| self.receipt_says(key, step, secret, receipt))
    }

    fn receipt_says(&self, key: Key, step: &Step, secret: &Secret, receipt: &Receipt) -> bool {
        receipt.holds(secret)
            && self.books.number(&receipt.vendor_id) == Some(key.0)
            && *receipt.tran_id.as_bytes() == key.1
            && receipt.subject.as_str() == step.subject
            && receipt.amount.micros() == step.amount
            && matches!(step.stand, Stand::Posted(at) if at == receipt.date.as_millis())
    }

    /// What follows from an accepted message beyond its own reply.
    fn answered(&mut self, done: &Done, expected: &Expected, said: &Said) {
        if let (Some((_, reply)), Origin::Flight { path, .. }) = (&done.reply, &done.origin)
            && let Some(seal) = seal_of(&done.command)
            && !self.is_forgotten(&done.command)
        {
            let key = (path.clone(), seal);
            let first = self.replies.get(&key).cloned();
            let same = first.as_ref().is_none_or(|first| *first == reply.body);
            self.check(Invariant::TheSameMessageGetsTheSameReply, same, || {
                format!("{path}: another reply than the first time: {said:?}")
            });
            if first.is_none() {
                self.reply_log.push(key.clone());
                self.replies.insert(key, reply.body.clone());
            }
        }
        if let (Expected::Attested, Said::Attested(reply), Command::Attest(message)) =
            (expected, said, &done.command)
        {
            let customer = message.scrip.scrip.custom_id.serial_number.get();
            self.shops.attested(*reply.attestation.earner.as_bytes(), customer);
        }
        self.once();
    }

    /// Whether it takes back what never came and need not be remembered any more: that is answered as things stand.
    fn is_forgotten(&self, command: &Command) -> bool {
        let (code, seller, tran_id) = match command {
            Command::Issue(message) => {
                (message.header.cmd_type, &message.offer.vendor_id, message.offer.tran_id)
            }
            Command::Payment(message) => {
                (message.header.cmd_type, &message.order.vendor_id, message.order.tran_id)
            }
            _ => return false,
        };
        let key = self.books.number(seller).map(|number| (number, *tran_id.as_bytes()));
        matches!(code, Code::Gm4_2 | Code::Pm4_2)
            && key.is_none_or(|key| !self.books.steps.contains_key(&key))
    }

    /// What may happen once only.
    fn once(&mut self) {
        let touched: Vec<Key> = self
            .books
            .touched
            .iter()
            .filter_map(|touched| match touched {
                books::Touched::Step(key) => Some(*key),
                _ => None,
            })
            .collect();
        for key in touched {
            let Some(step) = self.books.steps.get(&key).cloned() else { continue };
            if step.never_was() {
                continue;
            }
            let honest = (1..crate::fixture::ROGUE_VENDOR).contains(&key.0);
            match (step.kind, &step.stand) {
                (Kind::Issue, Stand::Pending) if honest => {
                    let id = (step.customer, key.0, step.subject.clone());
                    let before = self.rewarded.insert(id, key).filter(|before| *before != key);
                    let before = before.and_then(|key| self.books.steps.get(&key).map(|step| (key, step)));
                    let again = before.is_some_and(|(key, before)| {
                        let ended = matches!(before.stand, Stand::Voided(..));
                        !ended && !self.remembered.revived.contains(&key)
                    });
                    self.check(Invariant::AnAnswerIsPaidOnce, !again, || {
                        format!("purse {} is paid for {} again", step.customer, step.subject)
                    });
                    let owner = self.shops.was_permitted(key, step.amount, &step.subject);
                    self.check(Invariant::RewardsAreWhatShopsPermitted, owner, || {
                        format!("{} was never permitted for {}", step.amount, step.subject)
                    });
                }
                (Kind::Payment, Stand::Posted(_)) if honest => {
                    let id = (step.customer, step.subject.clone());
                    let before = self.bought.insert(id, key).filter(|before| *before != key);
                    let before = before.filter(|before| !self.remembered.revived.contains(before));
                    let alone = self.devices.is_simple(step.customer);
                    self.check(Invariant::AnArticleIsPaidOnce, before.is_none() || !alone, || {
                        format!("purse {} has paid for {} before", step.customer, step.subject)
                    });
                    let quoted = self.shops.was_quoted(key, step.amount, &step.subject);
                    self.check(Invariant::PricesAreWhatShopsQuoted, quoted, || {
                        format!("{} was never quoted for {}", step.amount, step.subject)
                    });
                }
                _ => {}
            }
        }
    }
}

/// What makes a message the same one again: its seal, or a registration's content.
fn seal_of(command: &Command) -> Option<Vec<u8>> {
    match command {
        Command::Issue(message) => Some(message.hash.as_bytes().to_vec()),
        Command::Payment(start) | Command::Reserve { start, .. } | Command::BuyScrip { start, .. } => {
            Some(start.hash.as_bytes().to_vec())
        }
        Command::Deposit(message) => Some(message.seal.as_bytes().to_vec()),
        Command::Settle(message) => Some(message.seal.as_bytes().to_vec()),
        Command::Finish(message) => message.transaction.is_some().then(|| message.hash.as_bytes().to_vec()),
        Command::Register { request, .. } => Some(request.digest().to_vec()),
        _ => None,
    }
}

/// The command's name, for people.
pub fn name(command: &Command) -> &'static str {
    match command {
        Command::Register { .. } | Command::Admit(_) => "R1",
        Command::UseUp { .. } => "used-up challenge",
        Command::Claim(_) => "claim",
        Command::AdmitRecovery(_) | Command::Recover { .. } => "C1",
        Command::Notes(_) => "N1",
        Command::Attest(_) => "E1",
        Command::Issue(message) => message.header.cmd_type.as_str(),
        Command::Payment(message) => message.header.cmd_type.as_str(),
        Command::Finish(message) => message.header.cmd_type.as_str(),
        Command::Relay(message) => message.header.cmd_type.as_str(),
        Command::FundCampaign(_) => "funding",
        Command::CampaignState { .. } => "campaign state",
        Command::CashOutState(_) => "cash-out state",
        Command::ConfirmPayout { .. } => "payout confirmed",
        Command::ReturnPayout { .. } => "payout returned",
        Command::AddVendor { .. } => "new shop",
        Command::AddVendorSecret { .. } => "new secret",
        Command::Vendors => "shops",
        Command::Book { .. } => "real money",
        Command::Sweep(_) => "sweep",
        Command::Reserve { .. } => "budget",
        Command::Countersigned { .. } => "countersignature",
        Command::Deposit(_) => "deposit of paywords",
        Command::Release(_) => "budgets over",
        Command::License(_) => "licence",
        Command::QuoteScrip { .. } => "offer of a shop's scrip",
        Command::BuyScrip { .. } => "a shop's scrip",
        Command::Purchased { .. } => "what was bought",
        Command::Settle(_) => "settlement",
        Command::CloseSales(_) => "sales over",
    }
}
