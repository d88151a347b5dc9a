//! Older copies of the books that are put back (T26, docs/decisions/0006-epochs.md): the auditor's books go back too,
//! and what the world still holds of the lost ones is remembered beside them.

use std::collections::{BTreeMap, BTreeSet};

use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::finish::FinishReply;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::{ErrorCode, HashAlgorithm, Secret};
use tuppence_server::center::{Command, Reply as Said};
use tuppence_server::store::Changes;
use tuppence_server::store::records::{Claim as Kept, Epoch, EpochReason};

use super::Auditor;
use super::books::{Books, Key, Note, Stand, Step, Touched};
use super::invariants::Invariant;
use super::rules::{Expected, Verdict};
use crate::fixture;

const HOUR: u64 = 60 * 60 * 1_000;

/// Scrip that the books have lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What was shown.
    pub shown: Note,
    /// Serial and value that the books had then.
    pub known: Option<(u64, u64)>,
    /// When it was shown.
    pub at: u64,
}

/// The auditor's books as they were at one moment.
pub struct BooksCopy {
    books: Books,
    /// How many replies had been given.
    replies: usize,
    rewarded: BTreeMap<(u64, u32, String), Key>,
    bought: BTreeMap<(u64, String), Key>,
}

/// What all books of this center have given out, lost ones included.
#[derive(Default)]
pub struct Remembered {
    /// What each serial of a buyer said.
    given: BTreeMap<(u64, u64), Vec<Note>>,
    /// What each serial of a buyer was in the books, told or not: a statement shows it too.
    held: BTreeMap<(u64, u64), Vec<Note>>,
    /// What came into the books while an older copy stood for them and nobody could know it; it may be told later.
    held_blindly: BTreeSet<(u64, Note)>,
    /// Which wallets had a buyer's number, and which cash-outs a payout's.
    buyers: BTreeMap<u64, BTreeSet<[u8; 16]>>,
    payouts: BTreeMap<u64, BTreeSet<Key>>,
    /// Which orders a purchase of a shop's scrip had.
    purchases: BTreeMap<(u32, u32, Serial), BTreeSet<[u8; 32]>>,
    /// Which steps a serial of a buyer began.
    spent: BTreeMap<(u64, u64), BTreeSet<Key>>,
    /// Steps that were completed in books that are lost.
    completed: BTreeMap<Key, Vec<Step>>,
    /// Secrets that only lost books had.
    secrets: BTreeMap<(u32, u32), Secret>,
    /// Buyers whom books that are lost have had.
    buyers_lost: BTreeSet<u64>,
    /// Steps that had ended in books that are lost, or were not there at all, and have not ended in the copy: they are
    /// pending in it, or are begun again by whoever sends an old message again.
    pub(super) revived: BTreeSet<Key>,
    /// The last epoch of books that are lost.
    epoch_lost: Option<u32>,
    /// Whether the books were put back since the center started last.
    put_back: bool,
}

/// The first serial of an epoch.
pub const fn first_of(epoch: u32) -> u64 {
    ((epoch as u64) << 32) + 1
}

/// The epoch of a serial.
pub const fn epoch_of(serial: u64) -> u32 {
    (serial >> 32) as u32
}

/// One more than every epoch that is known, or the hour.
fn epoch_after(known: u32, now: u64) -> u32 {
    let hour = u32::try_from(now / HOUR).unwrap_or(u32::MAX);
    (known + 1).max(hour).min(Serial::EPOCH_MAX)
}

impl Books {
    /// The serial after this one.
    pub(super) fn after(&self, serial: u64) -> u64 {
        (serial + 1).max(first_of(self.epoch))
    }

    /// Whether a scrip was given by books that a copy has replaced.
    pub(super) fn is_of_earlier_epoch(&self, note: &Note) -> bool {
        epoch_of(note.serial) < self.epoch
    }

    fn begin(&mut self, number: u32, reason: EpochReason) {
        self.epoch = number;
        self.epochs.push((number, reason));
        self.next_customer = self.next_customer.max(first_of(number));
        self.next_payout = self.next_payout.max(first_of(number));
    }

    /// Scrip was shown that may be lost.
    pub(super) fn claim(&mut self, scrip: &Scrip, now: u64) -> Verdict {
        self.check_issued(scrip)?;
        let customer = scrip.scrip.custom_id.serial_number.get();
        let shown = Books::note(scrip);
        // A purse of another secret is another purse.
        let ours = self.purses.get(&customer).filter(|_| scrip.scrip.custom_id.secret_id == 1);
        let known = ours.map(|purse| (purse.live.serial, purse.live.value));
        if known.is_some_and(|(serial, _)| serial >= shown.serial) {
            return Ok(Expected::Other);
        }
        let epoch = epoch_of(shown.serial).max(epoch_of(customer));
        if self.claims.get(&customer).is_none_or(|claim| claim.shown.serial < shown.serial) {
            self.claims.insert(customer, Claim { shown, known, at: now });
            self.touched.insert(Touched::Claim(customer));
        }
        if epoch >= self.epoch {
            let number = epoch_after(epoch, now);
            // Two that begin in one batch are one.
            if self.begun.replace(number).is_some() {
                self.epochs.pop();
            }
            self.begin(number, EpochReason::Shown);
        }
        Ok(Expected::Other)
    }

    pub(super) fn check_issued(&self, scrip: &Scrip) -> Verdict<()> {
        if scrip.hash_algorithm != HashAlgorithm::HmacSha256 {
            return Err(ErrorCode::Algorithm);
        }
        let body = &scrip.scrip;
        let master = self.center.keys.scrip_secrets.find(body.scrip_id.secret_id);
        let certified = master
            .is_some_and(|master| body.certify(scrip.hash_algorithm, master).matches(&scrip.certificate));
        if body.vendor_id == fixture::vendor(0) && certified { Ok(()) } else { Err(ErrorCode::ScripForged) }
    }

    /// PM6_2 without a transaction.
    pub(super) fn resynchronise(
        &mut self,
        scrip: &Scrip,
        customer: u64,
        issue: bool,
        asked: u64,
        now: u64,
    ) -> Verdict {
        self.claim(scrip, now)?;
        let mut turn = self.open(customer, now);
        if self.is_of_earlier_epoch(&turn.purse.live) {
            self.settle(&mut turn, now);
        }
        let live = turn.purse.live.clone();
        if turn.purse.pending.is_none() && (now > live.expires || self.is_of_earlier_epoch(&live)) {
            if live.serial >= fixture::SERIAL_MAX {
                return Err(ErrorCode::SerialLimit);
            }
            let expires = now + self.center.policy.scrip_lifetime.as_millis();
            turn.purse.live = Note { serial: self.after(live.serial), expires, ..live };
        }
        let answer = match turn.purse.pending {
            Some(key) => {
                let step = &self.steps[&key];
                Expected::Scrip(issue, Some(key.1), step.new.clone(), step.started)
            }
            None => Expected::Scrip(issue, None, turn.purse.live.clone(), asked),
        };
        self.close(turn);
        Ok(answer)
    }
}

impl Auditor {
    /// The books as they are now.
    pub fn copy(&self) -> BooksCopy {
        BooksCopy {
            books: self.books.clone(),
            replies: self.reply_log.len(),
            rewarded: self.rewarded.clone(),
            bought: self.bought.clone(),
        }
    }

    /// A copy was put in the books' place. `others` are copies that may be put back later.
    pub fn put_back<'a>(&mut self, copy: &BooksCopy, others: impl Iterator<Item = &'a mut BooksCopy>) {
        let lost = std::mem::replace(&mut self.books, copy.books.clone());
        let before = &self.books;
        let remembered = &mut self.remembered;
        remembered.put_back = true;
        remembered.epoch_lost = remembered.epoch_lost.max(Some(lost.epoch));
        let unknown = |number: &&u64| !before.purses.contains_key(*number);
        remembered.buyers_lost.extend(lost.purses.keys().filter(unknown));
        for (key, step) in &lost.steps {
            let stand = before.steps.get(key).map(|step| &step.stand);
            if stand.is_none_or(|stand| *stand == Stand::Pending) && step.stand != Stand::Pending {
                remembered.revived.insert(*key);
            }
            if matches!(step.stand, Stand::Posted(_)) && stand != Some(&step.stand) {
                remembered.completed.entry(*key).or_default().push(step.clone());
            }
        }
        for (key, step) in &before.steps {
            if step.stand == Stand::Pending && !lost.steps.contains_key(key) {
                remembered.revived.insert(*key);
            }
        }
        for (vendor, ring) in &lost.secrets {
            for (id, secret) in ring {
                remembered.secrets.insert((*vendor, *id), secret.clone());
            }
        }
        (self.rewarded, self.bought) = (copy.rewarded.clone(), copy.bought.clone());
        for key in self.reply_log.split_off(copy.replies.min(self.reply_log.len())) {
            self.replies.remove(&key);
        }
        // Copies of books that are lost share no more replies with these.
        let shared = self.reply_log.len();
        others.for_each(|other| other.replies = other.replies.min(shared));
    }

    /// An epoch began before the center served anybody, or none did: `witness` is the epoch that stood beside the books
    /// where one must begin.
    pub fn epoch_before_service(
        &mut self,
        began: Option<Epoch>,
        expected: Option<(EpochReason, u32)>,
        now: u64,
    ) {
        let expected =
            expected.map(|(reason, witness)| (epoch_after(self.books.epoch.max(witness), now), reason));
        let seen = began.map(|epoch| (epoch.number, epoch.reason));
        if seen.is_some() || expected.is_some() {
            self.check(Invariant::EpochsGrow, seen == expected, || {
                format!("{seen:?} began; {expected:?} should have")
            });
        }
        if let Some((number, reason)) = expected {
            self.books.begin(number, reason);
        }
    }

    /// Whether an older copy stands for the books, and nobody can know it.
    pub(super) fn blind(&self) -> bool {
        self.remembered.epoch_lost.is_some_and(|lost| self.books.epoch <= lost)
    }

    /// Whether books were ever replaced by an older copy.
    pub(super) const fn has_lost_books(&self) -> bool {
        self.remembered.epoch_lost.is_some()
    }

    /// By which invariant every row is looked at, now that the center starts.
    pub fn at_start(&mut self) -> Invariant {
        let put_back = std::mem::take(&mut self.remembered.put_back);
        if put_back { Invariant::RestoredBooksAreTheCopy } else { Invariant::ARestartLosesNothing }
    }

    /// What the center gives out means one thing.
    pub(super) fn gives(&mut self, command: &Command, said: &Said) {
        let blind = self.blind();
        let scrip = match said {
            Said::Ecash(reply) | Said::Finished(FinishReply::Ecash(reply)) => &reply.new_scrip,
            Said::Balance(reply) | Said::Finished(FinishReply::Balance(reply)) => &reply.new_scrip,
            Said::Registered(reply) => {
                if let Command::Register { request, .. } = command {
                    let number = reply.scrip.scrip.custom_id.serial_number.get();
                    let wallets = self.remembered.buyers.entry(number).or_default();
                    // Who has a number is told it again, also one that was given twice while nobody could know it.
                    let told_again = !wallets.insert(*request.id.as_bytes());
                    let holds = told_again || wallets.len() == 1 || blind;
                    self.check(Invariant::NoNumberTwice, holds, || format!("two buyers are {number}"));
                }
                &reply.scrip
            }
            _ => return,
        };
        let (customer, note) = (scrip.scrip.custom_id.serial_number.get(), Books::note(scrip));
        let given = self.remembered.given.entry((customer, note.serial)).or_default();
        if given.contains(&note) {
            return;
        }
        let before = given.last().cloned();
        given.push(note.clone());
        let told_later = self.remembered.held_blindly.contains(&(customer, note.clone()));
        self.check(Invariant::NoNumberTwice, before.is_none() || blind || told_later, || {
            format!("purse {customer}: {note:?} has the number of {before:?}")
        });
    }

    /// What a batch begins and orders, against all books that there were. `blind` is how it was before the batch.
    pub(super) fn remember(&mut self, changes: &Changes, blind: bool) {
        for change in &changes.purses {
            let note = super::stored::note(&change.after.live);
            let id = (change.after.custom_id.serial_number.get(), note.serial);
            let held = self.remembered.held.entry(id).or_default();
            if blind {
                self.remembered.held_blindly.insert((id.0, note.clone()));
            }
            if !held.contains(&note) {
                held.push(note);
            }
        }
        for change in changes.steps.iter().filter(|change| change.before.is_none()) {
            let step = &change.after;
            if step.is_tombstone() {
                continue;
            }
            let key = (step.key.vendor, *step.key.tran_id.as_bytes());
            let id = (step.customer.get(), step.old.serial.get());
            let begun = self.remembered.spent.entry(id).or_default();
            begun.insert(key);
            let holds = begun.len() == 1 || blind;
            self.check(Invariant::SpentBeforeStaysSpent, holds, || {
                format!("serial {} of purse {} was spent before", id.1, id.0)
            });
        }
        for change in changes.payouts.iter().filter(|change| change.before.is_none()) {
            let payout = &change.after;
            let key = (payout.step.vendor, *payout.step.tran_id.as_bytes());
            let orders = self.remembered.payouts.entry(payout.number).or_default();
            orders.insert(key);
            let holds = orders.len() == 1 || blind;
            self.check(Invariant::NoNumberTwice, holds, || format!("two payouts are {}", payout.number));
        }
        for change in changes.sales.iter().filter(|change| change.before.is_none()) {
            let sale = &change.after;
            let orders = self.remembered.purchases.entry(sale.purchase()).or_default();
            orders.insert(*sale.id().as_bytes());
            // A shop's numbers are handed out anew by books that have forgotten that they were used.
            let holds = orders.len() == 1 || self.remembered.epoch_lost.is_some();
            self.check(Invariant::NoNumberTwice, holds, || {
                format!("two purchases are {:?}", sale.purchase())
            });
        }
        let began = changes.epoch.map(|epoch| (epoch.number, epoch.reason));
        let expected = self.books.begun.take().map(|number| (number, EpochReason::Shown));
        if began.is_some() || expected.is_some() {
            self.check(Invariant::EpochsGrow, began == expected, || {
                format!("{began:?} began; {expected:?} should have")
            });
        }
    }

    /// A claim that is stored.
    pub(super) fn claim(&mut self, kept: &Kept) {
        let customer = kept.custom_id.serial_number.get();
        let seen = Claim {
            shown: super::stored::note(&kept.shown),
            known: kept.known.map(|(serial, value)| (serial.get(), value.micros())),
            at: kept.at.as_millis(),
        };
        let ours = self.books.claims.get(&customer).cloned();
        self.check(Invariant::ClaimsAreKept, ours.as_ref() == Some(&seen), || {
            format!("buyer {customer}: {seen:?} is kept; the books have {ours:?}")
        });
    }

    /// Every epoch that is stored, and how many claims.
    pub(super) fn epochs(&mut self, epochs: &[Epoch], claims: usize) {
        let seen: Vec<_> = epochs.iter().map(|epoch| (epoch.number, epoch.reason)).collect();
        let ours = self.books.epochs.clone();
        let holds = seen == ours && seen.is_sorted_by(|one, next| one.0 < next.0);
        self.check(Invariant::EpochsGrow, holds, || format!("epochs {seen:?}; the books have {ours:?}"));
        let expected = self.books.claims.len();
        self.check(Invariant::ClaimsAreKept, claims == expected, || {
            format!("{claims} claims; the books have {expected}")
        });
    }

    /// Whether the center ever gave this scrip to this buyer.
    pub(super) fn was_given(&self, customer: u64, serial: u64, value: u64) -> bool {
        let known = |notes: &BTreeMap<(u64, u64), Vec<Note>>| {
            notes.get(&(customer, serial)).is_some_and(|notes| notes.iter().any(|note| note.value == value))
        };
        known(&self.remembered.given) || known(&self.remembered.held)
    }

    /// Whether a buyer was registered in books that are lost, and in no others.
    pub fn is_lost(&self, customer: u64) -> bool {
        self.remembered.buyers_lost.contains(&customer) && !self.books.purses.contains_key(&customer)
    }

    /// Whether a receipt is of a transaction that was completed, be it in books that are lost.
    pub(crate) fn receipt_is_true(&self, key: Key, receipt: &Receipt) -> bool {
        let lost = self.remembered.completed.get(&key);
        let lost_secret = self.remembered.secrets.get(&(key.0, receipt.secret_id));
        let secret = self.books.secret(key.0, receipt.secret_id).or(lost_secret);
        let mut steps = self.books.steps.get(&key).into_iter().chain(lost.into_iter().flatten());
        // What is handed out for a budget has a receipt of the shop's own.
        let made = secret.is_some_and(|secret| receipt.holds(secret)) && self.tills.made(key, receipt);
        made || secret.is_some_and(|secret| steps.any(|step| self.receipt_says(key, step, secret, receipt)))
    }
}
