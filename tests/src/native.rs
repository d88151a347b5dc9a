//! The wallet's core as a native program: records in memory, the real network, clock and randomness.

use anyhow::{Context, Result};
use tuppence_wallet::ports::memory::MemoryStorage;
use tuppence_wallet::ports::native;
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
        let ports = native::in_memory(self.storage.clone(), crate::http::client()?);
        let config = Config { center_origin: self.origin.parse()?, fingerprint: None };
        Wallet::open(ports, config).await.context("opening the wallet")
    }
}
