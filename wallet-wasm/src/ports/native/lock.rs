//! One writer among the programs of this machine, by a lock on a file. The system gives it back when a program ends,
//! however that ends.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::time::Instant;

use async_trait::async_trait;
use tuppence_protocol::Duration;

use super::private_file;
use crate::ports::{Lock, LockError, LockGuard};

/// How often a lock that somebody holds is tried again.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(25);

/// The lock of one file of records, whatever the name that it is asked by: the file is one wallet's.
#[derive(Debug, Clone)]
pub struct FileLock(PathBuf);

impl FileLock {
    /// The lock of the records at `path`, a file of that name with `.lock` after it.
    pub fn beside(path: &Path) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        FileLock(PathBuf::from(name))
    }
}

#[async_trait(?Send)]
impl Lock for FileLock {
    async fn hold(&self, _name: &str, patience: Duration) -> Result<LockGuard, LockError> {
        let began = Instant::now();
        let patience = std::time::Duration::from_millis(patience.as_millis());
        let file = private_file(&self.0).map_err(|_| LockError::Unsupported)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(LockGuard::new(move || drop(file))),
                Err(TryLockError::WouldBlock) if began.elapsed() >= patience => return Err(LockError::Busy),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::Error(_)) => return Err(LockError::Unsupported),
            }
        }
    }
}
