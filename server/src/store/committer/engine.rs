//! A batch at a time: load, apply, commit. What the committer's thread does, without thread, queue and answers, so
//! that the simulator runs the same.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tuppence_protocol::scrip::center::{StepKey, StepState};
use tuppence_protocol::{ErrorCode, Timestamp};

use super::{CommitError, Rules};
use crate::clock::Clock;
use crate::crash::{self, Point};
use crate::store::{Changes, Store, StoreError, Wanted, WorkingSet};

/// Rules over a store that it owns.
pub struct Engine<R: Rules> {
    store: Box<dyn Store>,
    rules: R,
    clock: Arc<dyn Clock>,
    /// The latest time that a batch has seen.
    seen: Timestamp,
}

/// A batch that is durable.
#[derive(Debug)]
pub struct Served<T> {
    /// What each command gets, in order.
    pub results: Vec<Result<T, CommitError>>,
    /// The steps that ended, and how.
    pub ended: Vec<(StepKey, StepState)>,
    /// Whether sellers or campaigns have changed.
    pub directory_changed: bool,
    /// How long the store took to commit; absent where there was nothing to write.
    pub commit_time: Option<Duration>,
}

impl<R: Rules> fmt::Debug for Engine<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl<R: Rules> Engine<R> {
    /// The rules over `store`, by `clock`.
    pub fn new(store: Box<dyn Store>, rules: R, clock: Arc<dyn Clock>) -> Self {
        Engine { store, rules, clock, seen: Timestamp::from_millis(0) }
    }

    /// The store, between two batches.
    pub fn store(&mut self) -> &mut dyn Store {
        self.store.as_mut()
    }

    /// Gives the store back.
    pub fn into_store(self) -> Box<dyn Store> {
        self.store
    }

    /// Applies `commands` in turn and commits what they did, in one transaction.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has happened, and nobody may be told anything else.
    pub fn serve(&mut self, commands: Vec<R::Command>) -> Result<Served<R::Reply>, StoreError> {
        let directory = self.store.directory()?;
        let mut wanted = Wanted::default();
        let known = commands.iter().map(|command| {
            let rules = &self.rules;
            catch_unwind(AssertUnwindSafe(|| rules.wanted(command, &directory, &mut wanted))).is_ok()
        });
        let known: Vec<bool> = known.collect();
        drop(directory);
        let mut set = self.store.load(wanted)?;
        // A clock that is set back must not bring to life what was refused as too late: time stands still until
        // the clock has caught up.
        let now = self.seen.max(self.clock.now());
        self.seen = now;
        let applied = commands.into_iter().zip(known);
        let results =
            applied.map(
                |(command, known)| {
                    if known { self.apply(&mut set, command, now) } else { Err(CommitError::Fault) }
                },
            );
        let results = results.collect();
        crash::at(Point::Applied);
        self.commit(results, set.into_changes())
    }

    /// One command; should it panic, the set forgets it, and the others go on.
    fn apply(
        &self,
        set: &mut WorkingSet,
        command: R::Command,
        now: Timestamp,
    ) -> Result<R::Reply, CommitError> {
        let applied =
            catch_unwind(AssertUnwindSafe(|| set.command(|set| self.rules.apply(set, command, now))));
        match applied {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(refusal)) => {
                if refusal.code == ErrorCode::Fault {
                    tracing::error!(%refusal, "a command did not fit");
                }
                Err(CommitError::Refused(refusal))
            }
            Err(_) => {
                tracing::error!("a command panicked");
                Err(CommitError::Fault)
            }
        }
    }

    fn commit(
        &mut self,
        results: Vec<Result<R::Reply, CommitError>>,
        changes: Changes,
    ) -> Result<Served<R::Reply>, StoreError> {
        if changes.is_empty() {
            return Ok(Served { results, ended: Vec::new(), directory_changed: false, commit_time: None });
        }
        let ended = changes.steps.iter().filter(|step| step.after.state != StepState::Pending);
        let ended = ended.map(|step| (step.after.key, step.after.state.clone())).collect();
        let directory_changed = !changes.vendors.is_empty() || !changes.campaigns.is_empty();
        let begun = Instant::now();
        self.store.commit(changes)?;
        Ok(Served { results, ended, directory_changed, commit_time: Some(begun.elapsed()) })
    }
}
