//! The center's disk: what was committed stays, what was not is lost, and a commit can fail or be the last thing that
//! a process did. Copies of it are made while the center works, and put back in each of the ways that there are (T26).

use std::sync::{Arc, Mutex};

use tuppence_protocol::ids::Serial;
use tuppence_protocol::payword::AuthorityId;
use tuppence_protocol::scrip::center::StepKey;
use tuppence_protocol::vendor_scrip::OrderId;
use tuppence_protocol::{Currency, Timestamp};
use tuppence_server::ledger::AccountId;
use tuppence_server::ledger::audit::audit;
use tuppence_server::ledger::journal::Head;
use tuppence_server::store::epochs::{self, Witness};
use tuppence_server::store::memory::MemoryStore;
use tuppence_server::store::records::{Epoch, EpochReason, Payout};
use tuppence_server::store::{
    Changes, Counts, Directory, Row, Statement, Store, StoreError, Wanted, WorkingSet,
};

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

/// How a copy comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// By `tuppence restore`, beside the witness of what is lost.
    Restored,
    /// By `tuppence restore` on another machine, where nothing tells of what is lost.
    RestoredElsewhere,
    /// By hand; the witness stays, and tells at the next start.
    ByHand,
    /// With its witness, as when a whole machine is put back: nobody notices.
    Whole,
}

/// The books as they were at one moment, with their witness of then.
#[derive(Clone)]
pub struct DiskCopy {
    books: Journalled,
    witness: Option<Witness>,
}

/// The disk, which outlives the center's process.
#[derive(Clone)]
pub struct Disk(Arc<Mutex<State>>);

struct State {
    books: Journalled,
    witness: Option<Witness>,
    plan: Plan,
    written: Option<Changes>,
    commits: u64,
}

/// A store, and the links of its journal.
#[derive(Clone)]
struct Journalled {
    store: MemoryStore,
    links: Vec<Head>,
}

impl Journalled {
    fn head(&self) -> Head {
        self.links.last().copied().unwrap_or(Head::GENESIS)
    }

    /// Whether the journal has this link, as the database's own is asked.
    fn continues(&self, head: &Head) -> bool {
        let place = usize::try_from(head.number).unwrap_or(0);
        if place == 0 { *head == Head::GENESIS } else { self.links.get(place - 1) == Some(head) }
    }
}

impl Default for Disk {
    /// An empty disk.
    fn default() -> Self {
        let books = Journalled { store: MemoryStore::new(Currency::USD), links: Vec::new() };
        let state = State { books, witness: None, plan: Plan::Keep, written: None, commits: 0 };
        Disk(Arc::new(Mutex::new(state)))
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
        look(&mut lock(&self.0).books.store)
    }

    /// A copy, as of now.
    pub fn copy(&self) -> DiskCopy {
        let state = lock(&self.0);
        DiskCopy { books: state.books.clone(), witness: state.witness }
    }

    /// The epoch that the witness tells.
    pub fn witness_epoch(&self) -> Option<u32> {
        lock(&self.0).witness.map(|witness| witness.epoch)
    }

    /// The witness that the journal does not continue.
    pub fn falls_short(&self) -> Option<Witness> {
        let state = lock(&self.0);
        state.witness.filter(|witness| !state.books.continues(&witness.head))
    }

    /// Puts `copy` in the place of what is there, and tells the epoch that the program begins.
    ///
    /// # Errors
    /// What the audit before it found, or the store.
    pub fn put_back(&self, copy: &DiskCopy, way: Way, now: Timestamp) -> Result<Option<Epoch>, String> {
        let mut before = copy.books.clone();
        let restored = matches!(way, Way::Restored | Way::RestoredElsewhere);
        if restored {
            let report = audit(&mut before.store).map_err(|error| error.to_string())?;
            if !report.findings.is_empty() {
                return Err(report.to_string());
            }
        }
        let witness = {
            let mut state = lock(&self.0);
            state.books = before;
            state.witness = match way {
                Way::Restored | Way::ByHand => state.witness,
                Way::RestoredElsewhere => None,
                Way::Whole => copy.witness,
            };
            state.witness
        };
        if !restored {
            return Ok(None);
        }
        let epoch = epochs::begin(&mut self.clone(), EpochReason::Restored, witness, now);
        self.written();
        epoch.map(Some).map_err(|error| error.to_string())
    }

    /// What a center does first: it compares the books with their witness.
    pub fn meet_witness(&self, now: Timestamp) -> Option<Epoch> {
        let witness = self.falls_short()?;
        let epoch = epochs::begin(&mut self.clone(), EpochReason::WentBack, Some(witness), now);
        self.written();
        epoch.ok()
    }
}

impl Store for Disk {
    fn load(&mut self, wanted: Wanted) -> Result<WorkingSet, StoreError> {
        lock(&self.0).books.store.load(wanted)
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let mut state = lock(&self.0);
        match std::mem::take(&mut state.plan) {
            plan @ (Plan::Keep | Plan::DieAfter) => {
                let written = changes.clone();
                state.books.store.commit(changes)?;
                state.written = Some(written);
                state.commits += 1;
                // The same number of commits by another way is another head.
                let head = state.books.head().next(&state.commits.to_be_bytes());
                state.books.links.push(head);
                // The witness follows a commit; who dies between the two leaves it behind.
                if plan == Plan::Keep {
                    let epoch = state.books.store.epochs()?.last().map_or(0, |epoch| epoch.number);
                    state.witness = Some(Witness { head, epoch });
                }
                Ok(())
            }
            Plan::Refuse => Err(StoreError::Unavailable("the disk is full".to_owned())),
            Plan::DieBefore => Err(StoreError::Unavailable("the process is no more".to_owned())),
        }
    }

    fn directory(&mut self) -> Result<Arc<Directory>, StoreError> {
        lock(&self.0).books.store.directory()
    }

    fn balance(&mut self, account: AccountId) -> Result<i64, StoreError> {
        lock(&self.0).books.store.balance(account)
    }

    fn payouts(&mut self, open: bool, after: u64, limit: usize) -> Result<Vec<Payout>, StoreError> {
        lock(&self.0).books.store.payouts(open, after, limit)
    }

    fn pending_steps(&mut self, before: Timestamp, limit: usize) -> Result<Vec<StepKey>, StoreError> {
        lock(&self.0).books.store.pending_steps(before, limit)
    }

    fn due_reservations(&mut self, before: Timestamp, limit: usize) -> Result<Vec<AuthorityId>, StoreError> {
        lock(&self.0).books.store.due_reservations(before, limit)
    }

    fn due_sales(&mut self, before: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        lock(&self.0).books.store.due_sales(before, limit)
    }

    fn epochs(&mut self) -> Result<Vec<Epoch>, StoreError> {
        lock(&self.0).books.store.epochs()
    }

    fn statement(
        &mut self,
        customer: Serial,
        from: Serial,
        limit: usize,
    ) -> Result<Option<Statement>, StoreError> {
        lock(&self.0).books.store.statement(customer, from, limit)
    }

    fn counts(&mut self) -> Result<Counts, StoreError> {
        lock(&self.0).books.store.counts()
    }

    fn rows(&mut self, visit: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        lock(&self.0).books.store.rows(visit)
    }
}
