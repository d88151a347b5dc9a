//! A device: what a browser gives the wallet, in the world's time. Every await of a port is one of the scheduler's.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use async_trait::async_trait;
use futures_channel::oneshot;
use tuppence_protocol::{Duration, Timestamp};
use tuppence_wallet::ports::memory::{MemoryEvents, PlainVault};
use tuppence_wallet::ports::{
    Changes, Clock, Lock, LockError, LockGuard, NetworkError, Ports, Random, RandomError, Request, Response,
    Scan, Storage, StorageError, Transport,
};
use tuppence_wallet::view::StorageState;
use tuppence_wallet::{Config, Wallet, WalletError};

use crate::chance::Chance;
use crate::fixture;
use crate::kernel::{Party, Time, Wish, Wishes, lock, turn, wait};
use crate::person::Deed;

/// Records by key.
pub type Records = BTreeMap<String, Vec<u8>>;

/// What happened on a device, in order, for the auditor.
#[derive(Debug)]
pub enum Seen {
    /// Records were written.
    Wrote,
    /// A request that must have been stored before leaves now.
    Sends(Party, String, Vec<u8>),
    /// Somebody did something.
    Did(Deed),
}

/// What all tabs of a device share.
pub struct Device {
    /// Which one.
    pub index: usize,
    /// What survives everything but being wiped.
    pub records: Rc<RefCell<Records>>,
    /// Whether no room is left.
    pub full: Cell<bool>,
    /// Its clock.
    pub time: Time,
    /// What happened and was not looked at yet.
    pub seen: Rc<RefCell<Vec<Seen>>>,
    chance: Rc<RefCell<Chance>>,
    writer: Rc<RefCell<Writer>>,
    events: MemoryEvents,
    wishes: Wishes,
}

#[derive(Default)]
struct Writer {
    held: bool,
    waiting: VecDeque<oneshot::Sender<LockGuard>>,
}

impl Device {
    /// An empty device.
    pub fn new(index: usize, time: Time, chance: Chance, wishes: Wishes) -> Rc<Self> {
        Rc::new(Device {
            index,
            records: Rc::default(),
            full: Cell::new(false),
            time,
            seen: Rc::default(),
            chance: Rc::new(RefCell::new(chance)),
            writer: Rc::default(),
            events: MemoryEvents::default(),
            wishes,
        })
    }

    /// Opens the wallet in a tab, as a page does.
    ///
    /// # Errors
    /// The wallet's own.
    pub async fn open(self: &Rc<Self>, tab: usize) -> Result<Wallet, WalletError> {
        let port = Rc::new(Tab { device: self.clone(), tab });
        let ports = Ports {
            storage: port.clone(),
            transport: port.clone(),
            clock: port.clone(),
            random: port.clone(),
            lock: port,
            events: Rc::new(self.events.tab()),
            vault: Rc::new(PlainVault),
            kit: Rc::new(tuppence_wallet::kit::Included),
        };
        let center_origin = fixture::CENTER.parse().map_err(|_| tuppence_wallet::Problem::ArgumentInvalid)?;
        Wallet::open(ports, Config { center_origin, fingerprint: None }).await
    }

    /// Notes what somebody did.
    pub fn did(&self, deed: Deed) {
        self.seen.borrow_mut().push(Seen::Did(deed));
    }

    /// Waits by the world's time.
    pub async fn wait(&self, millis: u64) {
        wait(&self.wishes, millis).await;
    }

    async fn point(&self) {
        // A disk takes its time now and then; else it is only somebody else's turn.
        let slow = self.chance.borrow_mut().happens(40);
        if slow {
            let millis = self.chance.borrow_mut().between(1, 60);
            wait(&self.wishes, millis).await;
        } else {
            turn().await;
        }
    }
}

struct Tab {
    device: Rc<Device>,
    tab: usize,
}

#[async_trait(?Send)]
impl Storage for Tab {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.device.point().await;
        Ok(self.device.records.borrow().get(key).cloned())
    }

    async fn list(&self, prefix: &str, scan: Scan) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        self.device.point().await;
        let records = self.device.records.borrow();
        let matching = records.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        let copy = |(key, record): (&String, &Vec<u8>)| (key.clone(), record.clone());
        Ok(match scan {
            Scan::All => matching.map(copy).collect(),
            Scan::Latest { before, limit } => {
                let below = |key: &String| before.as_ref().is_none_or(|before| key < before);
                let mut found: Vec<_> = matching.filter(|(key, _)| below(key)).map(copy).collect();
                found.reverse();
                found.truncate(limit);
                found
            }
        })
    }

    async fn commit(&self, changes: Changes) -> Result<(), StorageError> {
        self.device.point().await;
        if self.device.full.get() {
            return Err(StorageError::Full);
        }
        {
            let mut records = self.device.records.borrow_mut();
            if changes.requires.is_some_and(|key| !records.contains_key(key)) {
                return Err(StorageError::Gone);
            }
            for (key, record) in changes.changes {
                match record {
                    Some(record) => records.insert(key, record),
                    None => records.remove(&key),
                };
            }
        }
        self.device.seen.borrow_mut().push(Seen::Wrote);
        self.device.point().await;
        Ok(())
    }

    async fn state(&self) -> StorageState {
        StorageState { persisted: Some(true), used_bytes: None, quota_bytes: None }
    }

    async fn persist(&self) -> bool {
        true
    }
}

#[async_trait(?Send)]
impl Transport for Tab {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        self.device.point().await;
        let path = request.path.strip_prefix("/api/v1/").unwrap_or(&request.path).to_owned();
        let to = fixture::party(&request.origin);
        if let (Some(to), Some(body)) = (to, &request.body) {
            self.device.seen.borrow_mut().push(Seen::Sends(to, path.clone(), body.clone()));
        }
        let (answer, answered) = oneshot::channel();
        lock(&self.device.wishes).push(Wish::Send {
            from: Party::Device(self.device.index, self.tab),
            to,
            path,
            body: request.body,
            patience: request.timeout.as_millis(),
            answer,
        });
        match answered.await {
            Ok(result) => result.map(|reply| Response { status: reply.status, body: reply.body }),
            Err(_) => Err(NetworkError::Unreachable),
        }
    }
}

#[async_trait(?Send)]
impl Clock for Tab {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.device.time.shown())
    }

    async fn sleep(&self, duration: Duration) {
        wait(&self.device.wishes, duration.as_millis()).await;
    }
}

impl Random for Tab {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        self.device.chance.borrow_mut().fill(bytes);
        Ok(())
    }
}

#[async_trait(?Send)]
impl Lock for Tab {
    async fn hold(&self, _name: &str, patience: Duration) -> Result<LockGuard, LockError> {
        self.device.point().await;
        let waiting = {
            let mut writer = self.device.writer.borrow_mut();
            if writer.held {
                let (grant, granted) = oneshot::channel();
                writer.waiting.push_back(grant);
                Some(granted)
            } else {
                writer.held = true;
                None
            }
        };
        let Some(granted) = waiting else { return Ok(guard(&self.device.writer)) };
        let patience = Box::pin(wait(&self.device.wishes, patience.as_millis()));
        match select(granted, patience).await {
            Some(Ok(guard)) => Ok(guard),
            _ => Err(LockError::Busy),
        }
    }
}

fn guard(writer: &Rc<RefCell<Writer>>) -> LockGuard {
    let writer = writer.clone();
    LockGuard::new(move || {
        let next = writer.borrow_mut().waiting.pop_front();
        match next {
            // Whoever has left drops the guard at once, which gives it to the next.
            Some(grant) => drop(grant.send(guard(&writer))),
            None => writer.borrow_mut().held = false,
        }
    })
}

/// The first one's outcome, unless the second ends before it.
async fn select<A>(
    first: impl Future<Output = A> + Unpin,
    second: impl Future<Output = ()> + Unpin,
) -> Option<A> {
    let (mut first, mut second) = (first, second);
    std::future::poll_fn(move |context| {
        if let std::task::Poll::Ready(result) = std::pin::Pin::new(&mut first).poll(context) {
            return std::task::Poll::Ready(Some(result));
        }
        std::pin::Pin::new(&mut second).poll(context).map(|()| None)
    })
    .await
}
