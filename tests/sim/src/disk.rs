//! The center's disk: what was committed stays, what was not is lost, and a commit can fail or be the last thing that
//! a process did.
//!
//! An older copy of it that is put back (T26) belongs here: the books begin a new epoch then, and the center's handlers
//! send a claim after a scrip that the books do not know. The auditor's books have one epoch as yet.

use std::sync::{Arc, Mutex};

use tuppence_protocol::scrip::center::StepKey;
use tuppence_protocol::{Currency, Timestamp};
use tuppence_server::ledger::AccountId;
use tuppence_server::store::memory::MemoryStore;
use tuppence_server::store::records::{Epoch, Payout};
use tuppence_server::store::{Changes, Counts, Directory, Row, Store, StoreError, Wanted, WorkingSet};

use crate::kernel::lock;

/// What becomes of the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plan {
    /// It is durable.
    #[default]
    Keep,
    /// The disk is full: nothing is written.
    Refuse,
    /// The process dies before anything is written.
    DieBefore,
    /// It is durable, and the process dies before anybody is told.
    DieAfter,
}

/// The disk, which outlives the center's process.
#[derive(Clone)]
pub struct Disk(Arc<Mutex<State>>);

struct State {
    store: MemoryStore,
    plan: Plan,
    written: Option<Changes>,
}

impl Default for Disk {
    /// An empty disk.
    fn default() -> Self {
        let store = MemoryStore::new(Currency::USD);
        Disk(Arc::new(Mutex::new(State { store, plan: Plan::Keep, written: None })))
    }
}

impl Disk {
    /// What a process of the center works on.
    pub fn store(&self) -> Box<dyn Store> {
        Box::new(self.clone())
    }

    /// Decides what becomes of the next commit.
    pub fn plan(&self, plan: Plan) {
        lock(&self.0).plan = plan;
    }

    /// What was planned and has not come yet.
    pub fn planned(&self) -> Plan {
        lock(&self.0).plan
    }

    /// What the last commit wrote, once.
    pub fn written(&self) -> Option<Changes> {
        lock(&self.0).written.take()
    }

    /// Looks at what is durable.
    pub fn look<T>(&self, look: impl FnOnce(&mut MemoryStore) -> T) -> T {
        look(&mut lock(&self.0).store)
    }
}

impl Store for Disk {
    fn load(&mut self, wanted: Wanted) -> Result<WorkingSet, StoreError> {
        lock(&self.0).store.load(wanted)
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let mut state = lock(&self.0);
        match std::mem::take(&mut state.plan) {
            Plan::Keep | Plan::DieAfter => {
                let written = changes.clone();
                state.store.commit(changes)?;
                state.written = Some(written);
                Ok(())
            }
            Plan::Refuse => Err(StoreError::Unavailable("the disk is full".to_owned())),
            Plan::DieBefore => Err(StoreError::Unavailable("the process is no more".to_owned())),
        }
    }

    fn directory(&mut self) -> Result<Arc<Directory>, StoreError> {
        lock(&self.0).store.directory()
    }

    fn balance(&mut self, account: AccountId) -> Result<i64, StoreError> {
        lock(&self.0).store.balance(account)
    }

    fn payouts(&mut self, open: bool, after: u64, limit: usize) -> Result<Vec<Payout>, StoreError> {
        lock(&self.0).store.payouts(open, after, limit)
    }

    fn pending_steps(&mut self, before: Timestamp, limit: usize) -> Result<Vec<StepKey>, StoreError> {
        lock(&self.0).store.pending_steps(before, limit)
    }

    fn epochs(&mut self) -> Result<Vec<Epoch>, StoreError> {
        lock(&self.0).store.epochs()
    }

    fn counts(&mut self) -> Result<Counts, StoreError> {
        lock(&self.0).store.counts()
    }

    fn rows(&mut self, visit: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        lock(&self.0).store.rows(visit)
    }
}
