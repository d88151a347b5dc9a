//! Copies of the database: made beside a running center, and put back with a new epoch (T26).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tuppence_protocol::Timestamp;

use super::super::StoreError;
use super::super::epochs::{self, Witness};
use super::witness::{self, WitnessFile};
use super::{SqliteStore, open};
use crate::ledger::audit::{Report, audit};
use crate::ledger::journal::Head;
use crate::store::records::{Epoch, EpochReason};

/// A copy that was made.
#[derive(Debug)]
pub struct Backup {
    /// The last link of its journal.
    pub head: Head,
    /// What an audit of the copy found.
    pub report: Report,
}

/// Copies the database at `from`, as of one moment, into a new file at `to`, and audits the copy. A center may work
/// on the database meanwhile.
///
/// # Errors
/// [`StoreError::Unavailable`] if there is a file at `to`, or one of the two cannot be read or written.
pub fn backup(from: &Path, to: &Path) -> Result<Backup, StoreError> {
    copy(from, to)?;
    let mut copied = SqliteStore::open_read_only(to)?;
    Ok(Backup { head: copied.head()?, report: audit(&mut copied)? })
}

/// What became of a backup that should be put back.
#[derive(Debug)]
pub enum Restored {
    /// It is there, and this is its epoch.
    Done(Epoch),
    /// It does not balance, so that nothing was done.
    Refused(Report),
}

/// Puts the backup at `from` back as the database at `to`, where there must be none, after an audit of it. The copy
/// begins a new epoch.
///
/// # Errors
/// [`StoreError::Unavailable`] if there is a database at `to`, or a file cannot be read or written.
pub fn restore(from: &Path, to: &Path, now: Timestamp) -> Result<Restored, StoreError> {
    for (path, what) in [(to.to_owned(), "a database"), (beside(to, "-wal"), "the log of a database")] {
        if path.exists() {
            return Err(StoreError::Unavailable(format!(
                "there is {what} at {}: move it away first, nothing is overwritten",
                path.display()
            )));
        }
    }
    let mut backup = SqliteStore::open_read_only(from)?;
    let report = audit(&mut backup)?;
    if !report.findings.is_empty() {
        return Ok(Restored::Refused(report));
    }
    let currency = backup.currency;
    drop(backup);

    let unfinished = beside(to, ".restoring");
    let cleared = [unfinished.clone(), beside(&unfinished, ".lock"), witness::name(&unfinished)];
    let clear = || cleared.iter().try_for_each(|path| remove(path));
    clear()?;
    copy(from, &unfinished)?;
    let mut store = SqliteStore::open(&unfinished, currency)?;
    let epoch = epochs::begin(&mut store, EpochReason::Restored, Witness::read(to), now)?;
    let witness = Witness { head: store.head()?, epoch: epoch.number };
    drop(store);
    sync(&unfinished)?;
    // A link is refused where somebody has put a file meanwhile; a rename would replace it.
    fs::hard_link(&unfinished, to).map_err(|error| failed(to, &error))?;
    clear()?;
    WitnessFile::open(to, witness)?;
    Ok(Restored::Done(epoch))
}

/// A copy as of one moment, in a new file that only its owner can read.
fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let (connection, _) = open::open_read_only(from)?;
    connection.pragma_update(None, "query_only", false)?;
    if to.exists() {
        return Err(StoreError::Unavailable(format!(
            "there is a file at {}: nothing is overwritten",
            to.display()
        )));
    }
    let name = to.to_str().ok_or_else(|| StoreError::Unavailable(format!("{to:?} is no name in UTF-8")))?;
    open::private_file(to)?;
    let copied = connection.execute("VACUUM INTO ?1", [name]).map_err(StoreError::from);
    let copied = copied.and_then(|_| sync(to));
    if copied.is_err() {
        // Half a copy is of no use to anybody.
        let _ = fs::remove_file(to);
    }
    copied
}

/// Waits until a file and its name are on the disk.
fn sync(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.and_then(|()| File::open(folder)?.sync_all()).map_err(|error| failed(path, &error))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}
