//! Copies of the center's disk are made, and put back in each of the ways that there are (T26).

use tuppence_server::center::Command;
use tuppence_server::store::records::EpochReason;

use crate::auditor::epochs;
use crate::auditor::invariants::Invariant;
use crate::disk::{self, Way};
use crate::fixture::{SHOPS, vendor_secret};
use crate::world::{Event, World};

/// The most copies that are kept.
const COPIES_MAX: usize = 3;
/// The most secrets that a shop gets.
pub const SECRETS_MAX: u32 = 4;

/// A copy of the disk, and the auditor's books of the same moment.
pub(crate) struct BackUp {
    disk: disk::DiskCopy,
    books: epochs::BooksCopy,
}

impl World {
    /// A copy is made, or one that was made before is put back.
    pub(crate) fn back_up_or_put_back(&mut self) {
        let put_back = !self.back_ups.is_empty() && self.chance.happens(500);
        if !put_back && self.back_ups.len() < COPIES_MAX {
            self.trace.line(self.steps, || "the books are copied".to_owned(), &[3]);
            self.coverage.note("books_copied");
            self.back_ups.push(BackUp { disk: self.center.disk.copy(), books: self.auditor.copy() });
            return;
        }
        let place = self.chance.place(self.back_ups.len());
        let back_up = self.back_ups.swap_remove(place);
        let way = *self.chance.one(&[
            Way::Restored,
            Way::Restored,
            Way::RestoredElsewhere,
            Way::ByHand,
            Way::ByHand,
            Way::Whole,
            Way::Whole,
            Way::Whole,
        ]);
        self.put_back(&back_up, way);
        // The same copy may come back once more.
        if self.chance.happens(500) {
            self.back_ups.push(back_up);
        }
    }

    fn put_back(&mut self, back_up: &BackUp, way: Way) {
        self.trace.line(self.steps, || format!("a copy of the books is put back: {way:?}"), &[4, way as u64]);
        self.coverage.note(match way {
            Way::Restored => "books_restored",
            Way::RestoredElsewhere => "books_restored_elsewhere",
            Way::ByHand => "books_put_back_by_hand",
            Way::Whole => "books_put_back_unnoticed",
        });
        self.kill_center();
        let witness = self.center.disk.witness_epoch();
        let time = self.center.time.shown();
        let now = tuppence_protocol::Timestamp::from_millis(time);
        let done = self.center.disk.put_back(&back_up.disk, way, now);
        let holds = done.is_ok();
        let why = done.as_ref().err().cloned().unwrap_or_default();
        self.auditor.check(Invariant::RestoredBooksAreTheCopy, holds, || why);
        let began = done.ok().flatten();
        let others = self.back_ups.iter_mut().map(|other| &mut other.books);
        self.auditor.put_back(&back_up.books, others);
        let witness = if way == Way::RestoredElsewhere { None } else { witness };
        let restored = matches!(way, Way::Restored | Way::RestoredElsewhere);
        let expected = restored.then_some((EpochReason::Restored, witness.unwrap_or(0)));
        self.auditor.epoch_before_service(began, expected, time);
        if restored {
            self.coverage.note("epoch_restored");
        }
        let delay = self.chance.between(50, 120_000);
        self.kernel.schedule(delay, Event::CenterUp);
    }

    /// Starts the center on what its disk has.
    pub(crate) fn center_up(&mut self) {
        if self.center.is_up() {
            return;
        }
        self.trace.line(self.steps, || "the center starts".to_owned(), &[2]);
        let behind = self.center.disk.falls_short();
        let expected = behind.map(|witness| (EpochReason::WentBack, witness.epoch));
        let began = self.center.start();
        let time = self.center.time.shown();
        self.auditor.restarted();
        self.auditor.epoch_before_service(began, expected, time);
        if behind.is_some() {
            self.coverage.note("epoch_went_back");
        }
        let invariant = self.auditor.at_start();
        self.disk(Some(invariant));
    }

    /// The operator gives the center the secrets again that shops have and its books have not: lost with the books, or
    /// with the command that should have brought them.
    pub(crate) fn hand_over_secrets(&mut self) {
        if !self.center.is_up() || self.center.waiting() > 0 {
            return;
        }
        for (number, shop) in (1..).zip(&self.shops[..SHOPS.len()]) {
            for id in 1..=SECRETS_MAX {
                if shop.secrets.find(id).is_some() && self.auditor.books.secret(number, id).is_none() {
                    let secret = vendor_secret(number, id);
                    self.center.operate(Command::AddVendorSecret { vendor: number, secret });
                }
            }
        }
        self.serve_soon();
    }
}
