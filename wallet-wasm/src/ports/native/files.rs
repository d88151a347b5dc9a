//! Records in one SQLite file. A commit is one transaction, on disk before it is answered for.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::{OpenError, check_private, private_file};
use crate::ports::{Changes, Scan, Storage, StorageError};
use crate::view::StorageState;

/// "Tupw": marks the file as a wallet's.
const APPLICATION_ID: i32 = 0x5475_7077;
const VERSION: i32 = 1;
/// The one table. Keys are compared byte by byte, as the port asks.
const SCHEMA: &str =
    "CREATE TABLE records (key TEXT PRIMARY KEY, record BLOB NOT NULL) STRICT, WITHOUT ROWID;";
/// How long a read or write waits for another program's transaction, which takes milliseconds.
const BUSY_TIME_MAX: Duration = Duration::from_secs(10);

type Result<T> = std::result::Result<T, StorageError>;

/// The records in one file, which several programs may have open at once.
#[derive(Debug)]
pub struct FileStorage {
    path: PathBuf,
    connection: RefCell<Connection>,
}

impl FileStorage {
    /// Opens the file at `path`, and makes it for its owner alone where it is missing.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open(path: &Path) -> std::result::Result<Self, OpenError> {
        // SQLite gives its journal the permissions of the file.
        private_file(path).map_err(|source| OpenError::File { path: path.to_owned(), source })?;
        check_private(path)?;
        let database = |source| OpenError::Database { path: path.to_owned(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(database)?;
        if !prepare(&mut connection).map_err(database)? {
            return Err(OpenError::Foreign { path: path.to_owned() });
        }
        Ok(FileStorage { path: path.to_owned(), connection: RefCell::new(connection) })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Sets a connection up, and makes the table of a new file. False for a file that is no wallet of this version.
fn prepare(connection: &mut Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(BUSY_TIME_MAX)?;
    // One file at rest, to be copied as a whole; and what was answered for is on disk, the folder's entry as well.
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let known = match (number("application_id")?, number("user_version")?) {
        (0, 0) if is_empty(&transaction)? => {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            true
        }
        found => found == (APPLICATION_ID, VERSION),
    };
    transaction.commit()?;
    Ok(known)
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
}

#[async_trait(?Send)]
impl Storage for FileStorage {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let connection = self.connection.borrow();
        let sql = "SELECT record FROM records WHERE key = ?1";
        let mut statement = connection.prepare_cached(sql).map_err(storage_error)?;
        statement.query_row([key], |row| row.get(0)).optional().map_err(storage_error)
    }

    async fn list(&self, prefix: &str, scan: Scan) -> Result<Vec<(String, Vec<u8>)>> {
        let beyond = format!("{prefix}{}", char::MAX);
        let (end, limit, order) = match scan {
            Scan::All => (beyond, i64::MAX, "ASC"),
            Scan::Latest { before, limit } => {
                let end = before.map_or(beyond.clone(), |before| before.min(beyond));
                (end, i64::try_from(limit).unwrap_or(i64::MAX), "DESC")
            }
        };
        let sql = format!(
            "SELECT key, record FROM records WHERE key >= ?1 AND key < ?2 ORDER BY key {order} LIMIT ?3"
        );
        let connection = self.connection.borrow();
        let mut statement = connection.prepare_cached(&sql).map_err(storage_error)?;
        let rows = statement.query_map(params![prefix, end, limit], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.map_err(storage_error)?.collect::<rusqlite::Result<_>>().map_err(storage_error)
    }

    async fn commit(&self, changes: Changes) -> Result<()> {
        let mut connection = self.connection.borrow_mut();
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(storage_error)?;
        if let Some(required) = changes.requires {
            let sql = "SELECT EXISTS (SELECT 1 FROM records WHERE key = ?1)";
            if !transaction.query_row(sql, [required], |row| row.get(0)).map_err(storage_error)? {
                return Err(StorageError::Gone);
            }
        }
        for (key, record) in &changes.changes {
            match record {
                Some(record) => {
                    let sql = "INSERT OR REPLACE INTO records (key, record) VALUES (?1, ?2)";
                    transaction.execute(sql, params![key, record])
                }
                None => transaction.execute("DELETE FROM records WHERE key = ?1", [key]),
            }
            .map_err(storage_error)?;
        }
        transaction.commit().map_err(storage_error)
    }

    async fn state(&self) -> StorageState {
        let used_bytes = std::fs::metadata(&self.path).ok().map(|metadata| metadata.len());
        StorageState { persisted: Some(true), used_bytes, quota_bytes: None }
    }

    async fn persist(&self) -> bool {
        true
    }
}

fn storage_error(error: rusqlite::Error) -> StorageError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => StorageError::Full,
        _ => StorageError::Unavailable,
    }
}
