//! A purse while a message works on it (rule 5): idle or pending, and what has happened to it so far.

use crate::amount::Amount;
use crate::error::{ErrorCode, Refusal};
use crate::ids::Serial;
use crate::scrip::center::reply::Answer;
use crate::scrip::center::{
    Center, Change, Found, Outcome, Purse, ScripState, Step, StepKey, StepKind, StepState,
};
use crate::scrip::{Item, Scrip};
use crate::time::Timestamp;

/// The purse, its pending step, and the changes since it was opened. Nothing counts before
/// [`OpenPurse::close`]: a refusal drops it all.
pub(super) struct OpenPurse<'a> {
    center: &'a Center,
    now: Timestamp,
    purse: Purse,
    pending: Option<Step>,
    changes: Vec<Change>,
    renewed: bool,
    epoch: u32,
}

/// What a shown scrip is to an idle or pending purse.
pub(super) enum Shown {
    /// The live scrip, and the purse is idle now.
    Live,
    /// The old scrip of the pending step: its reply again.
    Pending(Answer),
}

impl<'a> OpenPurse<'a> {
    /// Opens `purse`; a step that has waited too long is ended first.
    pub(super) fn open(
        center: &'a Center,
        purse: &Purse,
        found: &Found<'_>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let pending = match purse.pending {
            None => None,
            Some(key) => {
                let step = found.pending.filter(|step| step.key == key).ok_or_else(inconsistent)?;
                Some(step.clone())
            }
        };
        let purse = purse.clone();
        let (changes, epoch) = (Vec::new(), found.epoch);
        let mut open = OpenPurse { center, now, purse, pending, changes, renewed: false, epoch };
        if open.pending.as_ref().is_some_and(|step| now.since(step.started) >= center.policy.pending) {
            open.settle()?;
        }
        Ok(open)
    }

    /// Ends the pending step, if any, in the buyer's favour: an issue is posted, a payment voided.
    pub(super) fn settle(&mut self) -> Result<(), Refusal> {
        match self.pending.as_ref().map(|step| (step.kind, step.key)) {
            None => Ok(()),
            Some((StepKind::Issue, key)) => self.post(key).map(drop),
            Some((StepKind::Payment | StepKind::CashOut, key)) => self.void(key).map(drop),
        }
    }

    /// Whether the next step may begin with `scrip`. The new scrip of a pending step posts it.
    pub(super) fn admit(&mut self, scrip: &Scrip) -> Result<Shown, Refusal> {
        let shown = ScripState::shown_by(scrip);
        if let Some(step) = &self.pending
            && step.old == shown
        {
            return Ok(Shown::Pending(Answer::started(step)));
        }
        if self.purse.live != shown {
            let message = format!("The scrip's serial is {}, but another one is live.", shown.serial.get());
            return Err(Refusal::new(ErrorCode::ScripStale, message));
        }
        if self.is_of_earlier_epoch() {
            let message = "The center's books began a new epoch since the scrip was given.";
            return Err(Refusal::new(ErrorCode::ScripStale, message));
        }
        if self.now > self.purse.live.expires {
            return Err(Refusal::new(ErrorCode::ScripExpired, "The scrip has expired; its value is safe."));
        }
        // One serial for the step, and one to take it back.
        next(next(self.purse.live.serial)?)?;
        if let Some(key) = self.purse.pending {
            self.post(key)?;
        }
        Ok(Shown::Live)
    }

    /// The live scrip's value.
    pub(super) fn value(&self) -> Amount {
        self.purse.live.value
    }

    /// The purse's live scrip.
    pub(super) fn live(&self) -> &ScripState {
        &self.purse.live
    }

    /// The pending step.
    pub(super) fn pending(&self) -> Option<&Step> {
        self.pending.as_ref()
    }

    /// The scrip after the live one.
    pub(super) fn successor(&self, value: Amount, ad: Option<Item>) -> Result<ScripState, Refusal> {
        let expires = self.now.plus(self.center.policy.scrip_lifetime);
        let serial = next(self.purse.live.serial)?.max(first_of(self.epoch)?);
        self.center.keys.new_scrip(serial, value, ad, expires)
    }

    /// Makes the idle purse pending.
    pub(super) fn begin(&mut self, step: Step) -> Answer {
        let answer = Answer::started(&step);
        self.purse.live = step.new.clone();
        self.purse.pending = Some(step.key);
        self.pending = Some(step.clone());
        self.changes.push(Change::Began(step));
        answer
    }

    /// Completes the pending step, which must be `key`.
    pub(super) fn post(&mut self, key: StepKey) -> Result<Step, Refusal> {
        let mut step = self.pending.take().filter(|step| step.key == key).ok_or_else(inconsistent)?;
        step.state = StepState::Posted(self.now);
        self.purse.pending = None;
        self.changes.push(Change::Posted(step.clone()));
        Ok(step)
    }

    /// Takes the pending step, which must be `key`, back: the old value under a new serial.
    pub(super) fn void(&mut self, key: StepKey) -> Result<Step, Refusal> {
        let mut step = self.pending.take().filter(|step| step.key == key).ok_or_else(inconsistent)?;
        let back = self.successor(step.old.value, step.old.ad.clone())?;
        step.state = StepState::Voided(self.now, back.clone());
        self.purse.live = back;
        self.purse.pending = None;
        self.changes.push(Change::Voided(step.clone()));
        Ok(step)
    }

    /// Remembers that `step` was cancelled before it came.
    pub(super) fn forestall(&mut self, step: Step) {
        self.changes.push(Change::Forestalled(step));
    }

    /// Whether an older copy of the books has replaced those that gave the live scrip (rule 12). Then the same
    /// serial may have been spent in the books that are lost.
    pub(super) fn is_of_earlier_epoch(&self) -> bool {
        self.purse.live.serial.epoch() < self.epoch
    }

    /// Renews the live scrip of an idle purse if it has expired (rule 7), or is of an earlier epoch (rule 12).
    pub(super) fn renew(&mut self) -> Result<(), Refusal> {
        if self.pending.is_none() && (self.now > self.purse.live.expires || self.is_of_earlier_epoch()) {
            self.purse.live = self.successor(self.purse.live.value, self.purse.live.ad.clone())?;
            self.renewed = true;
        }
        Ok(())
    }

    /// Puts `amount` back into the idle purse.
    pub(super) fn give_back(&mut self, amount: Amount) -> Result<(), Refusal> {
        let value = self.purse.live.value.checked_add(amount);
        let value = value.map_err(|error| Refusal::new(ErrorCode::BalanceLimit, error.to_string()))?;
        self.purse.live = self.successor(value, self.purse.live.ad.clone())?;
        self.renewed = true;
        Ok(())
    }

    /// What to keep, with `reply`.
    pub(super) fn close<R>(self, reply: R) -> Outcome<R> {
        let steps_moved = self.changes.iter().any(|change| !matches!(change, Change::Forestalled(_)));
        let purse = (steps_moved || self.renewed).then_some(self.purse);
        Outcome { purse, changes: self.changes, reply }
    }
}

impl Center {
    /// Ends `step`, unless that has happened: by `how`, or because its time is over.
    pub(super) fn end<'a>(
        &'a self,
        step: &Step,
        purse: &Purse,
        found: &Found<'_>,
        now: Timestamp,
        how: impl FnOnce(&mut OpenPurse<'a>, StepKey) -> Result<Step, Refusal>,
    ) -> Result<Outcome<Step>, Refusal> {
        if !matches!(step.state, StepState::Pending) {
            return Ok(Outcome::unchanged(step.clone()));
        }
        let mut purse = OpenPurse::open(self, purse, found, now)?;
        let timed_out = purse.changes.iter().map(Change::step).find(|ended| ended.key == step.key).cloned();
        let ended = match timed_out {
            Some(ended) => ended,
            None => how(&mut purse, step.key)?,
        };
        Ok(purse.close(ended))
    }
}

impl ScripState {
    /// What `scrip` says, once its certificate was found to hold.
    pub(super) fn shown_by(scrip: &Scrip) -> Self {
        ScripState {
            algorithm: scrip.hash_algorithm,
            secret_id: scrip.scrip.scrip_id.secret_id,
            serial: scrip.scrip.scrip_id.serial_number,
            value: scrip.scrip.value,
            ad: scrip.scrip.ad.clone(),
            expires: scrip.scrip.expiration_date,
        }
    }
}

fn next(serial: Serial) -> Result<Serial, Refusal> {
    serial.next().ok_or_else(|| Refusal::new(ErrorCode::SerialLimit, "The purse has no further serials."))
}

/// The first serial of the books' epoch.
fn first_of(epoch: u32) -> Result<Serial, Refusal> {
    let none = || Refusal::new(ErrorCode::SerialLimit, "The center's books have no further epochs.");
    Serial::first_of(epoch).ok_or_else(none)
}

/// Two of the center's records contradict each other.
fn inconsistent() -> Refusal {
    Refusal::new(ErrorCode::Fault, "The purse and its pending step do not agree.")
}
