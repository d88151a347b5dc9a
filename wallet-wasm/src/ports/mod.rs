//! Where the wallet touches the world: records, network, time, chance, one writer, other tabs, secrets.
//!
//! Everything runs on one thread, so no port is `Send`. `memory` serves tests, `native` programs
//! without a browser, `browser` the browser.

use std::rc::Rc;

use async_trait::async_trait;
use tuppence_protocol::{Duration, Timestamp};

use crate::error::{Problem, WalletError};
use crate::kit::Kit;
use crate::view::{StorageState, WalletEvent};

#[cfg(target_arch = "wasm32")]
pub mod browser;
pub mod memory;
#[cfg(all(not(target_arch = "wasm32"), feature = "native"))]
pub mod native;

/// All ports of one wallet.
#[derive(Clone)]
pub struct Ports {
    /// The records.
    pub storage: Rc<dyn Storage>,
    /// The network.
    pub transport: Rc<dyn Transport>,
    /// Time.
    pub clock: Rc<dyn Clock>,
    /// Chance.
    pub random: Rc<dyn Random>,
    /// One writer at a time.
    pub lock: Rc<dyn Lock>,
    /// Other tabs.
    pub events: Rc<dyn Events>,
    /// Secrets at rest.
    pub vault: Rc<dyn Vault>,
    /// What few visits need: [`crate::kit::Included`], unless it is fetched on its own.
    pub kit: Rc<dyn Kit>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}

/// A transactional store of records by key. Keys are ordered as their bytes are.
#[async_trait(?Send)]
pub trait Storage {
    /// The record of this key.
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// The records whose keys begin with `prefix`, in the order that `scan` says.
    async fn list(&self, prefix: &str, scan: Scan) -> Result<Vec<(String, Vec<u8>)>, StorageError>;

    /// Writes all changes or none, and none without the record that they require. What it has answered for survives a
    /// crash and a loss of power.
    async fn commit(&self, changes: Changes) -> Result<(), StorageError>;

    /// How safe the records are.
    async fn state(&self) -> StorageState;

    /// Asks that the records be kept until the user deletes them; tells whether that was granted.
    async fn persist(&self) -> bool;

    /// Whether this browser is known to have had a wallet, by a mark that is kept elsewhere than the records and
    /// outlives them where the browser lets it.
    fn is_marked(&self) -> bool {
        false
    }

    /// Sets the mark, or removes it.
    async fn mark(&self, _present: bool) {}
}

/// Which part of a list is wanted, and from which end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// All, in ascending order of the keys.
    All,
    /// At most `limit`, in descending order, only keys below `before` where it is given.
    Latest {
        /// The first key that is left out.
        before: Option<String>,
        /// How many at most.
        limit: usize,
    },
}

/// Records to write and to remove, together. Of two changes to one key the later one holds.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Key and record, or nothing to remove it.
    pub changes: Vec<(String, Option<Vec<u8>>)>,
    /// The record that must be there, or nothing is written: a browser may have cleared all of them away.
    pub requires: Option<&'static str>,
}

impl Changes {
    /// Writes a record.
    pub fn put(&mut self, key: impl Into<String>, record: Vec<u8>) {
        self.changes.push((key.into(), Some(record)));
    }

    /// Removes a record, if it is there.
    pub fn remove(&mut self, key: impl Into<String>) {
        self.changes.push((key.into(), None));
    }
}

/// Why records cannot be read or written. The wallet never goes on in memory instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The browser refuses, or the database is gone.
    #[error("the records cannot be read or written")]
    Unavailable,
    /// No room is left.
    #[error("there is no room left")]
    Full,
    /// The record that the changes require is not there.
    #[error("the records are gone")]
    Gone,
}

impl From<StorageError> for WalletError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable => Problem::StorageUnavailable.into(),
            StorageError::Full => Problem::StorageFull.into(),
            StorageError::Gone => Problem::WalletLost.into(),
        }
    }
}

/// A request with a JSON body, or without one.
#[derive(Debug, Clone)]
pub struct Request {
    /// Scheme, host and port, such as `https://shop.example`.
    pub origin: String,
    /// The path, such as `/api/v1/earn`.
    pub path: String,
    /// The JSON to POST; a GET without.
    pub body: Option<Vec<u8>>,
    /// How long to wait for the reply.
    pub timeout: Duration,
}

/// A reply, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The body, at most [`RESPONSE_BYTES_MAX`].
    pub body: Vec<u8>,
}

/// The largest reply that is read, in bytes: a million characters of article, as JSON, with room.
pub const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The network. Sends no cookies.
#[async_trait(?Send)]
pub trait Transport {
    /// Sends a request and waits for its reply. Dropped, it gives up.
    async fn send(&self, request: Request) -> Result<Response, NetworkError>;
}

/// Why there is no reply. The request may have arrived all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The device has no network.
    #[error("this device is offline")]
    Offline,
    /// No connection, or it broke.
    #[error("the server cannot be reached")]
    Unreachable,
    /// No reply within the time.
    #[error("the server did not answer in time")]
    Timeout,
    /// The reply is larger than [`RESPONSE_BYTES_MAX`].
    #[error("the reply is too large")]
    TooLarge,
}

/// Time, as this device has it. No rule of money depends on it: the center's clock decides.
#[async_trait(?Send)]
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// A secure source of random bytes.
pub trait Random {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`RandomError`] if the system has none to give.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The system has no random bytes to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are no random bytes")]
pub struct RandomError;

impl From<RandomError> for WalletError {
    fn from(_: RandomError) -> Self {
        Problem::Unsupported.into()
    }
}

/// One writer among all tabs and workers of this origin.
#[async_trait(?Send)]
pub trait Lock {
    /// Waits, at most `patience`, until nobody else holds `name`, and holds it until the guard is dropped.
    async fn hold(&self, name: &str, patience: Duration) -> Result<LockGuard, LockError>;
}

/// Held; given back when dropped, also by a crash of the tab.
pub struct LockGuard(Option<Box<dyn FnOnce()>>);

impl LockGuard {
    /// A guard that runs `release` when dropped.
    pub fn new(release: impl FnOnce() + 'static) -> Self {
        LockGuard(Some(Box::new(release)))
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}

impl std::fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LockGuard")
    }
}

/// Why a lock was not had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Somebody else held it for longer than the patience.
    #[error("another tab is at work")]
    Busy,
    /// The browser has no locks, or refuses them here.
    #[error("this browser has no locks")]
    Unsupported,
}

impl From<LockError> for WalletError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy => Problem::Busy.into(),
            LockError::Unsupported => Problem::Unsupported.into(),
        }
    }
}

/// News between the tabs of one browser.
pub trait Events {
    /// Tells the other tabs. It is no promise: a tab that misses it reads the records anyway.
    fn broadcast(&self, event: &WalletEvent);

    /// Hears what other tabs tell, until the subscription is dropped.
    fn listen(&self, listener: Box<dyn Fn(WalletEvent)>) -> Subscription;
}

/// Ends when dropped.
pub struct Subscription(Option<Box<dyn FnOnce()>>);

impl Subscription {
    /// A subscription that `end` ends.
    pub fn new(end: impl FnOnce() + 'static) -> Self {
        Subscription(Some(Box::new(end)))
    }

    /// Lets it last as long as the page.
    pub fn keep(mut self) {
        // What hears belongs to the end, so the end is given up rather than dropped.
        std::mem::forget(self.0.take());
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription")
    }
}

/// Keeps secrets so that a copy of the records alone gives nothing away.
#[async_trait(?Send)]
pub trait Vault {
    /// Encrypts `secret` with a key that never leaves the device.
    async fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, VaultError>;

    /// Gives back what was wrapped on this device.
    async fn unwrap(&self, wrapped: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, VaultError>;
}

/// Why a secret cannot be wrapped or given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key is gone, or the wrapped secret is another device's.
    #[error("the key to the secrets is lost")]
    Lost,
    /// The browser has no secure cryptography here.
    #[error("this browser has no secure cryptography here")]
    Unsupported,
    /// The key's record cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<VaultError> for WalletError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Lost => Problem::VaultLost.into(),
            VaultError::Unsupported => Problem::Unsupported.into(),
            VaultError::Storage(error) => error.into(),
        }
    }
}
