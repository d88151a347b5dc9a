//! Ports that crash, lose and double where they are told to.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use async_trait::async_trait;
use tuppence_wallet::kit::{Heard, Included, Kit, Task};
use tuppence_wallet::ports::memory::{MemoryClock, MemoryStorage};
use tuppence_wallet::ports::{
    Changes, Clock, NetworkError, Request, Response, Scan, Storage, StorageError, Transport,
};
use tuppence_wallet::view::StorageState;
use tuppence_wallet::{Problem, Wallet, WalletError};

use super::Outside;

/// What goes wrong, and when.
#[derive(Default)]
pub struct Faults {
    crash_after: Cell<Option<u32>>,
    pauses: Cell<bool>,
    crashed: Cell<bool>,
    loss: Cell<Option<(u32, Loss)>>,
    requests: RefCell<Vec<String>>,
    /// Address and body of each request, where they are kept.
    bodies: RefCell<Option<Bodies>>,
    forgery: RefCell<Option<(String, Box<Forge>)>>,
    /// Whether the kit cannot be fetched.
    pub kit_away: Cell<bool>,
    /// How often the kit was asked.
    pub kit_asked: Cell<u32>,
    pub offline: Cell<bool>,
    pub storage_full: Cell<bool>,
}

/// Addresses and bodies of requests.
type Bodies = Vec<(String, Vec<u8>)>;

/// What a forger does to a reply.
type Forge = dyn Fn(&mut serde_json::Value);

/// The kit as a page has it, which may not be there when it is needed.
pub struct FetchedKit(pub Rc<Faults>);

#[async_trait(?Send)]
impl Kit for FetchedKit {
    async fn run(&self, wallet: &Wallet, task: Task, heard: Heard) -> Result<Vec<String>, WalletError> {
        self.0.kit_asked.set(self.0.kit_asked.get() + 1);
        if self.0.kit_away.get() {
            return Err(Problem::KitUnavailable.into());
        }
        Included.run(wallet, task, heard).await
    }
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It never arrives.
    Request,
    /// It arrives, and its reply is lost.
    Reply,
    /// It arrives twice; the second reply is had.
    Doubled,
}

impl Faults {
    /// Crashes at the point number `points` from here: each request has two, each write two, each read one.
    pub fn crash_after(&self, points: u32) {
        self.crash_after.set(Some(points));
        self.crashed.set(false);
    }

    /// As a crash, but after it the same future may go on.
    pub fn pause_after(&self, points: u32) {
        self.crash_after(points);
        self.pauses.set(true);
    }

    /// Whether the crash has come.
    pub fn has_crashed(&self) -> bool {
        self.crashed.get()
    }

    /// No further crash.
    pub fn mend(&self) {
        self.crash_after.set(None);
        self.crashed.set(false);
        self.pauses.set(false);
        self.loss.set(None);
    }

    /// Something happens to the request number `number` from here.
    pub fn lose(&self, number: u32, loss: Loss) {
        self.loss.set(Some((number, loss)));
    }

    /// Whether the loss that was ordered has come.
    pub fn has_lost(&self) -> bool {
        self.loss.get().is_none()
    }

    /// Every reply from this address is changed on its way.
    pub fn forge(&self, address: String, forge: impl Fn(&mut serde_json::Value) + 'static) {
        *self.forgery.borrow_mut() = Some((address, Box::new(forge)));
    }

    /// No reply is changed any more.
    pub fn honest(&self) {
        *self.forgery.borrow_mut() = None;
    }

    fn apply_forgery(&self, request: &Request, response: &mut Response) {
        if let Some((address, forge)) = &*self.forgery.borrow()
            && format!("{}{}", request.origin, request.path) == *address
            && response.status == 200
        {
            let mut value = serde_json::from_slice(&response.body).unwrap();
            forge(&mut value);
            response.body = serde_json::to_vec(&value).unwrap();
        }
    }

    /// How often requests to this path arrived at the wire.
    pub fn count(&self, path: &str) -> usize {
        self.requests.borrow().iter().filter(|request| request.ends_with(path)).count()
    }

    /// Keeps the bodies of requests from here on.
    pub fn keep_bodies(&self) {
        *self.bodies.borrow_mut() = Some(Vec::new());
    }

    /// The kept bodies.
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        self.bodies.borrow().iter().flatten().map(|(_, body)| body.clone()).collect()
    }

    /// The last kept body to this path.
    pub fn body_of(&self, path: &str) -> Vec<u8> {
        let bodies = self.bodies.borrow();
        let found = bodies.iter().flatten().rev().find(|(address, _)| address.ends_with(path));
        found.expect("such a request was sent").1.clone()
    }

    async fn point(&self) {
        // Every point is an await that really waits.
        let mut waited = false;
        poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        match self.crash_after.get() {
            Some(0) if self.pauses.get() => {
                self.crash_after.set(None);
                self.crashed.set(true);
                self.point_without_crash().await;
            }
            Some(0) => {
                self.crashed.set(true);
                pending().await
            }
            Some(points) => self.crash_after.set(Some(points - 1)),
            None => {}
        }
    }

    fn loss_now(&self) -> Option<Loss> {
        let (number, loss) = self.loss.get()?;
        if number == 0 {
            self.loss.set(None);
            return Some(loss);
        }
        self.loss.set(Some((number - 1, loss)));
        None
    }
}

/// Records that crash before and after a write.
pub struct FaultyStorage {
    pub storage: MemoryStorage,
    pub faults: Rc<Faults>,
}

#[async_trait(?Send)]
impl Storage for FaultyStorage {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.faults.point().await;
        self.storage.read(key).await
    }

    async fn list(&self, prefix: &str, scan: Scan) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        self.faults.point().await;
        self.storage.list(prefix, scan).await
    }

    async fn commit(&self, changes: Changes) -> Result<(), StorageError> {
        self.faults.point().await;
        if self.faults.storage_full.get() {
            return Err(StorageError::Full);
        }
        self.storage.commit(changes).await?;
        self.faults.point().await;
        Ok(())
    }

    async fn state(&self) -> StorageState {
        self.storage.state().await
    }

    /// As in Firefox, until its reader has answered the question.
    async fn persist(&self) -> bool {
        pending().await
    }

    fn is_marked(&self) -> bool {
        self.storage.is_marked()
    }

    async fn mark(&self, present: bool) {
        self.faults.point().await;
        self.storage.mark(present).await;
    }
}

/// The way to center and shop.
pub struct Network {
    pub outside: Rc<RefCell<Outside>>,
    pub clock: MemoryClock,
    pub faults: Rc<Faults>,
}

#[async_trait(?Send)]
impl Transport for Network {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        self.faults.point().await;
        if self.faults.offline.get() {
            return Err(NetworkError::Offline);
        }
        self.faults.requests.borrow_mut().push(format!("{}{}", request.origin, request.path));
        if let (Some(bodies), Some(body)) = (&mut *self.faults.bodies.borrow_mut(), &request.body) {
            bodies.push((request.path.clone(), body.clone()));
        }
        let loss = self.faults.loss_now();
        if loss == Some(Loss::Request) {
            return Err(NetworkError::Unreachable);
        }
        if loss == Some(Loss::Doubled) {
            self.handle(&request);
        }
        let mut response = self.handle(&request);
        // A held M3 or S3: it is asked again until the center confirms, or the shop's patience ends.
        for _ in 0..200 {
            if response.status != 202 {
                break;
            }
            self.faults.point_without_crash().await;
            response = self.handle(&request);
        }
        self.faults.apply_forgery(&request, &mut response);
        self.faults.point().await;
        if loss == Some(Loss::Reply) { Err(NetworkError::Timeout) } else { Ok(response) }
    }
}

impl Faults {
    async fn point_without_crash(&self) {
        let mut waited = false;
        poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

impl Network {
    fn handle(&self, request: &Request) -> Response {
        let mut outside = self.outside.borrow_mut();
        let Outside { center, shop } = &mut *outside;
        let path = request.path.strip_prefix("/api/v1");
        let page = &request.path;
        let now = self.clock.now();
        let body = request.body.as_deref();
        let (status, body) = match (request.origin.as_str(), path) {
            (super::CENTER, path) => center.handle(path.unwrap_or_default(), body, now),
            (super::SHOP, Some(path)) => shop.handle(path, body, center, now),
            (super::SHOP, None) => shop.page(page),
            _ => (404, Vec::new()),
        };
        Response { status, body }
    }
}
