use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, mpsc as std_mpsc};

use tuppence_protocol::Currency;
use tuppence_protocol::ids::Serial;
use tuppence_protocol::payword::AuthorityId;
use tuppence_protocol::scrip::center::{StepKey, StepKind, StepState};
use tuppence_protocol::vendor_scrip::OrderId;

use super::*;
use crate::ledger::AccountId;
use crate::ledger::audit::audit;
use crate::store::memory::MemoryStore;
use crate::store::records::{Epoch, Payout};
use crate::store::sqlite::SqliteStore;
use crate::store::tests::fixture::*;
use crate::store::{Changes, Row, Statement};

/// The fixture's moves as commands.
struct Moves;

enum Move {
    Register(u8),
    Begin(StepKind, u64, StepKey, u64),
    /// As `Begin`, but only with this live serial, as a message with a scrip would.
    Spend(u64, Serial, StepKey),
    End(StepKey, bool),
    AddVendor,
    Panic,
    PanicWhenWanted,
    /// Waits until the other side lets go.
    Wait(Mutex<std_mpsc::Receiver<()>>),
}

impl Rules for Moves {
    type Command = Move;
    type Reply = ();

    fn wanted(&self, command: &Move, _: &Directory, wanted: &mut Wanted) {
        match command {
            Move::Register(number) => {
                wanted.registrations.insert(wallet(*number));
            }
            Move::Begin(_, customer, key, _) | Move::Spend(customer, _, key) => {
                wanted.purses.insert(serial(*customer));
                wanted.steps.insert(*key);
            }
            Move::End(key, _) => {
                wanted.steps.insert(*key);
            }
            Move::PanicWhenWanted => panic!("while it says what it wants"),
            Move::AddVendor | Move::Panic | Move::Wait(_) => {}
        }
    }

    fn apply(&self, set: &mut WorkingSet, command: Move, now: Timestamp) -> Result<(), Refusal> {
        assert_eq!(now, AT);
        match command {
            Move::Register(number) => register(set, number).map(drop),
            Move::Begin(kind, customer, key, micros) => begin(set, kind, serial(customer), key, micros),
            Move::Spend(customer, shown, key) => {
                let live = set.purse(serial(customer)).unwrap().live.serial;
                if shown != live {
                    return Err(Refusal::new(ErrorCode::ScripStale, "This scrip is spent."));
                }
                begin(set, StepKind::Payment, serial(customer), key, 10)?;
                end(set, key, true)
            }
            Move::End(key, complete) => end(set, key, complete),
            Move::AddVendor => add_vendor(set, "other.example").map(drop),
            Move::Panic => {
                register(set, 99)?;
                panic!("in the middle of it")
            }
            Move::PanicWhenWanted => Ok(()),
            Move::Wait(until) => {
                let _ = until.lock().unwrap().recv();
                Ok(())
            }
        }
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        AT
    }
}

/// A store whose commits fail, or panic, when they are told to.
struct Faulty {
    inner: MemoryStore,
    full: Arc<AtomicBool>,
    panics: Arc<AtomicBool>,
}

impl Store for Faulty {
    fn statement(
        &mut self,
        customer: Serial,
        from: Serial,
        limit: usize,
    ) -> Result<Option<Statement>, StoreError> {
        self.inner.statement(customer, from, limit)
    }

    fn load(&mut self, wanted: Wanted) -> Result<WorkingSet, StoreError> {
        self.inner.load(wanted)
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the disk is full".to_owned()));
        }
        assert!(!self.panics.load(Ordering::SeqCst), "the store panics");
        self.inner.commit(changes)
    }

    fn directory(&mut self) -> Result<Arc<Directory>, StoreError> {
        self.inner.directory()
    }

    fn balance(&mut self, account: AccountId) -> Result<i64, StoreError> {
        self.inner.balance(account)
    }

    fn payouts(&mut self, open: bool, after: u64, limit: usize) -> Result<Vec<Payout>, StoreError> {
        self.inner.payouts(open, after, limit)
    }

    fn pending_steps(&mut self, before: Timestamp, limit: usize) -> Result<Vec<StepKey>, StoreError> {
        self.inner.pending_steps(before, limit)
    }

    fn due_reservations(&mut self, before: Timestamp, limit: usize) -> Result<Vec<AuthorityId>, StoreError> {
        self.inner.due_reservations(before, limit)
    }

    fn due_sales(&mut self, before: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        self.inner.due_sales(before, limit)
    }

    fn epochs(&mut self) -> Result<Vec<Epoch>, StoreError> {
        self.inner.epochs()
    }

    fn counts(&mut self) -> Result<crate::store::Counts, StoreError> {
        self.inner.counts()
    }

    fn rows(&mut self, visit: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.inner.rows(visit)
    }
}

/// A committer over the furnished store.
fn start(limits: Limits) -> Committer<Moves> {
    let mut store = MemoryStore::new(Currency::USD);
    furnish(&mut store);
    Committer::start(Box::new(store), Moves, Arc::new(Stopped), limits).unwrap()
}

fn start_faulty() -> (Committer<Moves>, Arc<AtomicBool>, Arc<AtomicBool>) {
    let mut inner = MemoryStore::new(Currency::USD);
    furnish(&mut inner);
    let (full, panics) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let store = Faulty { inner, full: Arc::clone(&full), panics: Arc::clone(&panics) };
    let committer = Committer::start(Box::new(store), Moves, Arc::new(Stopped), Limits::default()).unwrap();
    (committer, full, panics)
}

fn pay(tran: u8) -> Move {
    Move::Begin(StepKind::Payment, 1, key(1, tran), 10)
}

/// Holds the thread up until what it returns is dropped.
fn hold(handle: &Handle<Moves>) -> std_mpsc::Sender<()> {
    let (release, until) = std_mpsc::channel();
    let (answer, _) = oneshot::channel();
    handle.send(Job::Command(Move::Wait(Mutex::new(until)), answer)).unwrap();
    release
}

fn balance(store: &mut dyn Store) -> i64 {
    store.balance(AccountId::Purse(1)).unwrap()
}

#[tokio::test]
async fn a_reply_comes_after_its_commit() {
    let committer = start(Limits::default());
    let handle = committer.handle();
    handle.submit(pay(2)).await.unwrap();
    let balance = handle.read(|store| store.balance(AccountId::Purse(1))).await;
    assert_eq!(balance, Ok(490));
    assert_eq!(handle.meter().read().batches, 1);
}

#[tokio::test]
async fn what_waits_is_committed_as_one_batch() {
    let committer = start(Limits::default());
    let handle = committer.handle();
    let release = hold(&handle);
    let mut waiting = Vec::new();
    for number in 10..60 {
        let (answer, answered) = oneshot::channel();
        handle.send(Job::Command(Move::Register(number), answer)).unwrap();
        waiting.push(answered);
    }
    drop(release);
    for answered in waiting {
        answered.await.unwrap().unwrap();
    }
    let measured = handle.meter().read();
    assert_eq!(measured.commands, 51);
    assert_eq!(measured.batches, 1);
    assert_eq!(handle.read(|store| store.counts()).await.unwrap().purses, 51);
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_changes_nothing() {
    let committer = start(Limits::default());
    let handle = committer.handle();
    let refused = handle.submit(Move::Begin(StepKind::Payment, 1, key(1, 2), 5_000)).await.unwrap_err();
    assert_eq!(Refusal::from(refused).code, ErrorCode::BalanceInsufficient);
    assert_eq!(handle.meter().read().batches, 0);
}

/// 64 threads show one scrip to a committer over `store`, and one of them wins (T1).
fn one_of_many_wins(store: Box<dyn Store>) {
    let committer = Committer::start(store, Moves, Arc::new(Stopped), Limits::default()).unwrap();
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|number| {
                let handle = committer.handle();
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(handle.submit(Move::Spend(1, serial(2), key(1, 100 + number))))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for refused in results.into_iter().filter_map(Result::err) {
        assert_eq!(Refusal::from(refused).code, ErrorCode::ScripStale);
    }
    let mut store = committer.stop().unwrap();
    assert_eq!(balance(store.as_mut()), 490);
    assert_eq!(audit(store.as_mut()).unwrap().findings, []);
}

#[test]
fn one_scrip_shown_by_64_at_once_is_spent_once_in_memory() {
    let mut store = MemoryStore::new(Currency::USD);
    furnish(&mut store);
    one_of_many_wins(Box::new(store));
}

#[test]
fn one_scrip_shown_by_64_at_once_is_spent_once_in_a_database() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("center.db"), Currency::USD).unwrap();
    furnish(&mut store);
    one_of_many_wins(Box::new(store));
}

#[tokio::test]
async fn a_store_that_fails_answers_no_one_and_recovers_by_itself() {
    let (committer, full, _) = start_faulty();
    let handle = committer.handle();
    full.store(true, Ordering::SeqCst);
    let release = hold(&handle);
    let mut waiting = Vec::new();
    for command in [pay(2), Move::Register(9), Move::Begin(StepKind::Payment, 1, key(1, 3), 5_000)] {
        let (answer, answered) = oneshot::channel();
        handle.send(Job::Command(command, answer)).unwrap();
        waiting.push(answered);
    }
    drop(release);
    // Also who would have been refused: the refusal rests on what the failed batch would have done.
    for answered in waiting {
        assert_eq!(answered.await.unwrap(), Err(CommitError::StoreUnavailable));
    }
    full.store(false, Ordering::SeqCst);
    handle.submit(pay(2)).await.unwrap();
    assert_eq!(handle.meter().read().failures, 1);
    let mut store = committer.stop().unwrap();
    assert_eq!(balance(store.as_mut()), 490);
    assert_eq!(audit(store.as_mut()).unwrap().findings, []);
}

#[tokio::test]
async fn a_command_that_panics_fails_alone() {
    let committer = start(Limits::default());
    let handle = committer.handle();
    let release = hold(&handle);
    let mut waiting = Vec::new();
    for command in [pay(2), Move::Panic, Move::PanicWhenWanted, Move::End(key(1, 2), true)] {
        let (answer, answered) = oneshot::channel();
        handle.send(Job::Command(command, answer)).unwrap();
        waiting.push(answered);
    }
    drop(release);
    let mut results = Vec::new();
    for answered in waiting {
        results.push(answered.await.unwrap());
    }
    assert_eq!(results, [Ok(()), Err(CommitError::Fault), Err(CommitError::Fault), Ok(())]);
    let mut store = committer.stop().unwrap();
    assert_eq!(store.counts().unwrap().purses, 1);
    assert_eq!(audit(store.as_mut()).unwrap().findings, []);
}

#[tokio::test]
async fn a_store_that_panics_fails_its_batch_and_the_thread_goes_on() {
    let (committer, _, panics) = start_faulty();
    let handle = committer.handle();
    panics.store(true, Ordering::SeqCst);
    assert_eq!(handle.submit(pay(2)).await, Err(CommitError::Fault));
    panics.store(false, Ordering::SeqCst);
    handle.submit(pay(2)).await.unwrap();
    let read = handle.read(|_| -> Result<(), _> { panic!("while it reads") }).await;
    assert_eq!(read, Err(CommitError::Fault));
    handle.submit(Move::End(key(1, 2), true)).await.unwrap();
}

#[tokio::test]
async fn beyond_its_queue_the_center_is_busy() {
    let committer = start(Limits { batch_max: 1, queue_max: 2 });
    let handle = committer.handle();
    let release = hold(&handle);
    let mut waiting = Vec::new();
    // The thread may have taken the first already or not, so two or three more fit.
    let refused = loop {
        let (answer, answered) = oneshot::channel();
        match handle.send(Job::Command(Move::AddVendor, answer)) {
            Ok(()) => waiting.push(answered),
            Err(error) => break error,
        }
        assert!(waiting.len() < 4, "the queue has no end");
    };
    assert_eq!(refused, CommitError::Busy);
    drop(release);
    assert_eq!(waiting.remove(0).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn stopping_answers_what_waits_and_takes_no_more() {
    let committer = start(Limits::default());
    let handle = committer.handle();
    let release = hold(&handle);
    let (answer, answered) = oneshot::channel();
    handle.send(Job::Command(pay(2), answer)).unwrap();
    let stopping = thread::spawn(move || committer.stop());
    drop(release);
    assert_eq!(answered.await.unwrap(), Ok(()));
    let mut store = stopping.join().unwrap().unwrap();
    assert_eq!(balance(store.as_mut()), 490);
    assert_eq!(handle.submit(pay(3)).await, Err(CommitError::Busy));
}

#[tokio::test]
async fn the_end_of_a_step_wakes_who_waits_for_it_and_nobody_else() {
    let committer = start(Limits::default());
    let handle = committer.handle();
    let (first, second) = (handle.ended().subscribe(key(1, 2)), handle.ended().subscribe(key(1, 2)));
    let other = handle.ended().subscribe(key(1, 3)).unwrap();
    handle.submit(pay(2)).await.unwrap();
    assert_eq!(handle.ended().waiting(), 3, "a pending step has not ended");
    handle.submit(Move::End(key(1, 2), true)).await.unwrap();
    assert_eq!(first.unwrap().await, StepState::Posted(AT));
    assert_eq!(second.unwrap().await, StepState::Posted(AT));
    assert_eq!(handle.ended().waiting(), 1);
    drop(other);
    assert_eq!(handle.ended().waiting(), 0, "who leaves makes room");
}

#[tokio::test]
async fn an_end_that_the_store_did_not_take_is_not_announced() {
    let (committer, full, _) = start_faulty();
    let handle = committer.handle();
    handle.submit(pay(2)).await.unwrap();
    let ended = handle.ended().subscribe(key(1, 2)).unwrap();
    full.store(true, Ordering::SeqCst);
    handle.submit(Move::End(key(1, 2), true)).await.unwrap_err();
    assert_eq!(handle.ended().waiting(), 1);
    full.store(false, Ordering::SeqCst);
    handle.submit(Move::End(key(1, 2), false)).await.unwrap();
    assert!(matches!(ended.await, StepState::Voided(..)));
}

#[tokio::test]
async fn the_directory_follows_the_commits() {
    let committer = start(Limits::default());
    let handle = committer.handle();
    assert!(handle.directory().vendor(2).is_none());
    handle.submit(Move::AddVendor).await.unwrap();
    assert!(handle.directory().vendor(2).is_some());
}
