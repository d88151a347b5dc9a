//! Ports in memory: for tests.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::{Rc, Weak};

use async_trait::async_trait;
use tuppence_protocol::{Duration, Timestamp};
use zeroize::Zeroizing;

use super::{
    Changes, Clock, Events, Lock, LockError, LockGuard, Random, RandomError, Scan, Storage, StorageError,
    Subscription, Vault, VaultError,
};
use crate::view::{StorageState, WalletEvent};

/// Records in memory, and the mark beside them. Clones share them, as tabs share a database.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage(Rc<RefCell<BTreeMap<String, Vec<u8>>>>, Rc<Cell<bool>>);

impl MemoryStorage {
    /// All records, for looking at and for keeping a copy.
    pub fn records(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.borrow().clone()
    }

    /// Puts a copy in place of all records.
    pub fn replace(&self, records: BTreeMap<String, Vec<u8>>) {
        *self.0.borrow_mut() = records;
    }

    /// Sets or removes the mark, as a browser may that clears things away.
    pub fn set_mark(&self, present: bool) {
        self.1.set(present);
    }
}

#[async_trait(?Send)]
impl Storage for MemoryStorage {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.0.borrow().get(key).cloned())
    }

    async fn list(&self, prefix: &str, scan: Scan) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        let records = self.0.borrow();
        let matching = records.iter().filter(|(key, _)| key.starts_with(prefix));
        let copy = |(key, record): (&String, &Vec<u8>)| (key.clone(), record.clone());
        Ok(match scan {
            Scan::All => matching.map(copy).collect(),
            Scan::Latest { before, limit } => {
                let below = |key: &String| before.as_ref().is_none_or(|before| key < before);
                matching.rev().filter(|(key, _)| below(key)).take(limit).map(copy).collect()
            }
        })
    }

    async fn commit(&self, changes: Changes) -> Result<(), StorageError> {
        let mut records = self.0.borrow_mut();
        if changes.requires.is_some_and(|key| !records.contains_key(key)) {
            return Err(StorageError::Gone);
        }
        for (key, record) in changes.changes {
            match record {
                Some(record) => records.insert(key, record),
                None => records.remove(&key),
            };
        }
        Ok(())
    }

    async fn state(&self) -> StorageState {
        StorageState { persisted: Some(false), used_bytes: None, quota_bytes: None }
    }

    async fn persist(&self) -> bool {
        false
    }

    fn is_marked(&self) -> bool {
        self.1.get()
    }

    async fn mark(&self, present: bool) {
        self.1.set(present);
    }
}

/// A clock that stands still but for being set and for sleeping, which takes no time.
#[derive(Debug, Clone)]
pub struct MemoryClock(Rc<Cell<Timestamp>>);

impl MemoryClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        MemoryClock(Rc::new(Cell::new(now)))
    }

    /// Moves it on.
    pub fn advance(&self, duration: Duration) {
        self.0.set(self.0.get().plus(duration));
    }
}

#[async_trait(?Send)]
impl Clock for MemoryClock {
    fn now(&self) -> Timestamp {
        self.0.get()
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

/// The same numbers at every run: SplitMix64. For tests alone.
#[derive(Debug, Clone)]
pub struct SeededRandom(Rc<Cell<u64>>);

impl SeededRandom {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        SeededRandom(Rc::new(Cell::new(seed)))
    }

    fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        let mut z = self.0.get();
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for chunk in bytes.chunks_mut(8) {
            let length = chunk.len();
            chunk.copy_from_slice(&self.next().to_be_bytes()[..length]);
        }
        Ok(())
    }
}

/// Locks among the wallets of one program. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryLock(Rc<RefCell<BTreeMap<String, Queue>>>);

#[derive(Debug, Default)]
struct Queue {
    held: bool,
    next: u64,
    waiting: BTreeSet<u64>,
}

#[async_trait(?Send)]
impl Lock for MemoryLock {
    async fn hold(&self, name: &str, _patience: Duration) -> Result<LockGuard, LockError> {
        let place = {
            let mut locks = self.0.borrow_mut();
            let queue = locks.entry(name.to_owned()).or_default();
            let number = queue.next;
            queue.next = number.saturating_add(1);
            queue.waiting.insert(number);
            Place { locks: self.0.clone(), name: name.to_owned(), number }
        };
        std::future::poll_fn(|context| {
            if place.take() {
                return std::task::Poll::Ready(());
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        let (locks, name) = (self.0.clone(), name.to_owned());
        Ok(LockGuard::new(move || {
            if let Some(queue) = locks.borrow_mut().get_mut(&name) {
                queue.held = false;
            }
        }))
    }
}

/// A place in a lock's queue, left when dropped.
struct Place {
    locks: Rc<RefCell<BTreeMap<String, Queue>>>,
    name: String,
    number: u64,
}

impl Place {
    fn take(&self) -> bool {
        let mut locks = self.locks.borrow_mut();
        let Some(queue) = locks.get_mut(&self.name) else { return false };
        let first = queue.waiting.first() == Some(&self.number);
        if first && !queue.held {
            queue.held = true;
            queue.waiting.remove(&self.number);
            return true;
        }
        false
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(queue) = self.locks.borrow_mut().get_mut(&self.name) {
            queue.waiting.remove(&self.number);
        }
    }
}

type Listener = dyn Fn(WalletEvent);

/// News among the wallets of one program: what one clone broadcasts, the others hear.
#[derive(Clone, Default)]
pub struct MemoryEvents {
    tabs: Rc<RefCell<Vec<Weak<Tab>>>>,
    own: Rc<Tab>,
}

#[derive(Default)]
struct Tab(RefCell<VecDeque<Rc<Listener>>>);

impl MemoryEvents {
    /// Another tab beside this one.
    #[must_use]
    pub fn tab(&self) -> Self {
        let own = Rc::new(Tab::default());
        let mut tabs = self.tabs.borrow_mut();
        for tab in [&self.own, &own] {
            if !tabs.iter().any(|known| std::ptr::eq(known.as_ptr(), Rc::as_ptr(tab))) {
                tabs.push(Rc::downgrade(tab));
            }
        }
        MemoryEvents { tabs: self.tabs.clone(), own }
    }
}

impl std::fmt::Debug for MemoryEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryEvents")
    }
}

impl Events for MemoryEvents {
    fn broadcast(&self, event: &WalletEvent) {
        let tabs: Vec<Rc<Tab>> = self.tabs.borrow().iter().filter_map(Weak::upgrade).collect();
        for tab in tabs.iter().filter(|tab| !Rc::ptr_eq(tab, &self.own)) {
            let listeners = tab.0.borrow().clone();
            for listener in listeners {
                listener(event.clone());
            }
        }
    }

    fn listen(&self, listener: Box<dyn Fn(WalletEvent)>) -> Subscription {
        let listener: Rc<Listener> = Rc::from(listener);
        self.own.0.borrow_mut().push_back(listener.clone());
        let tab = self.own.clone();
        Subscription::new(move || tab.0.borrow_mut().retain(|known| !Rc::ptr_eq(known, &listener)))
    }
}

/// Wraps nothing: for tests, and where the whole storage is encrypted by other means.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainVault;

#[async_trait(?Send)]
impl Vault for PlainVault {
    async fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        Ok(secret.to_vec())
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        Ok(Zeroizing::new(wrapped.to_vec()))
    }
}
