//! Ports of a native program: records in one SQLite file, HTTP by reqwest, the system's clock and chance, a lock on a
//! file, and secrets under a key that the program keeps.

mod files;
mod http;
mod lock;
mod system;
mod vault;

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use zeroize::Zeroizing;

pub use files::FileStorage;
pub use http::Http;
pub use lock::FileLock;
pub use system::{SystemClock, SystemRandom};
pub use vault::KeyVault;

use super::Ports;
use super::memory::{MemoryEvents, MemoryLock, MemoryStorage, PlainVault};
use crate::kit::Included;

/// Ports on the records in `storage`, with secrets under `key`. `http` must follow no redirects.
pub fn ports(storage: FileStorage, http: reqwest::Client, key: Zeroizing<[u8; 32]>) -> Ports {
    let lock = FileLock::beside(storage.path());
    Ports {
        storage: Rc::new(storage),
        lock: Rc::new(lock),
        vault: Rc::new(KeyVault::new(key)),
        ..in_memory(MemoryStorage::default(), http)
    }
}

/// Ports on records that end with the program: for tests.
pub fn in_memory(storage: MemoryStorage, http: reqwest::Client) -> Ports {
    Ports {
        storage: Rc::new(storage),
        transport: Rc::new(Http::new(http)),
        clock: Rc::new(SystemClock),
        random: Rc::new(SystemRandom),
        lock: Rc::new(MemoryLock::default()),
        events: Rc::new(MemoryEvents::default()),
        vault: Rc::new(PlainVault),
        kit: Rc::new(Included),
    }
}

/// Why the records of a native program cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error("{}: {source}", path.display())]
    Database {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// Others than the owner may read the file.
    #[error("{} can be read by others (mode {mode:03o}): make it private with chmod 600", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is no wallet, or a newer program's.
    #[error("{} is no wallet that this program knows", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
}

/// Refuses a file that others may read.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata =
        std::fs::metadata(path).map_err(|source| OpenError::File { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(OpenError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), OpenError> {
    Ok(())
}

/// Opens a file for its owner alone, and makes it where it is missing.
fn private_file(path: &Path) -> io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests;
