//! The wallet's core as a native program: records in memory, the real network, clock and randomness.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use async_trait::async_trait;
use tuppence_protocol::{Duration, Timestamp};
use tuppence_wallet::ports::memory::{MemoryEvents, MemoryLock, MemoryStorage, PlainVault};
use tuppence_wallet::ports::{Clock, NetworkError, Ports, Random, RandomError, Request, Response, Transport};
use tuppence_wallet::{Config, Wallet};

use crate::program::Program;

/// A reader without a browser.
#[derive(Debug, Clone)]
pub struct Reader {
    storage: MemoryStorage,
    origin: String,
}

impl Reader {
    /// Somebody who has no wallet yet, at this program's center.
    pub fn new(program: &Program) -> Self {
        Self { storage: MemoryStorage::default(), origin: program.center() }
    }

    /// Opens the wallet on the reader's records, as after a start of the device.
    ///
    /// # Errors
    /// If the records can't be read.
    pub async fn wallet(&self) -> Result<Wallet> {
        let ports = Ports {
            storage: Rc::new(self.storage.clone()),
            transport: Rc::new(Http(crate::http::client()?)),
            clock: Rc::new(SystemClock),
            random: Rc::new(SystemRandom),
            lock: Rc::new(MemoryLock::default()),
            events: Rc::new(MemoryEvents::default()),
            vault: Rc::new(PlainVault),
            kit: Rc::new(tuppence_wallet::kit::Included),
        };
        let config = Config { center_origin: self.origin.parse()?, fingerprint: None };
        Wallet::open(ports, config).await.context("opening the wallet")
    }
}

struct Http(reqwest::Client);

#[async_trait(?Send)]
impl Transport for Http {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        let address = format!("{}{}", request.origin, request.path);
        let ready = match request.body {
            Some(body) => self.0.post(address).header("content-type", "application/json").body(body),
            None => self.0.get(address),
        };
        let timeout = std::time::Duration::from_millis(request.timeout.as_millis());
        let response = ready.timeout(timeout).send().await.map_err(|error| network_error(&error))?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(|error| network_error(&error))?;
        Ok(Response { status, body: body.to_vec() })
    }
}

fn network_error(error: &reqwest::Error) -> NetworkError {
    if error.is_timeout() { NetworkError::Timeout } else { NetworkError::Unreachable }
}

struct SystemClock;

#[async_trait(?Send)]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        wait_for(duration).await;
    }
}

/// The wallet's own pauses, by the machine's clock.
async fn wait_for(duration: Duration) {
    tokio::time::sleep(std::time::Duration::from_millis(duration.as_millis())).await;
}

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(|_| RandomError)
    }
}
