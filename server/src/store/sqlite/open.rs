//! Opening a database: its file, its lock, its settings and its version.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use tuppence_protocol::Currency;

use super::super::StoreError;
use super::journal::{self, Batch};
use super::write;
use crate::crash;
use crate::store::records::Epoch;

/// "Tupp": marks the file as ours.
const APPLICATION_ID: i32 = 0x5475_7070;

/// The schema's versions, in order; a database of version `n` has had the first `n` of them.
const MIGRATIONS: [&str; 6] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
];

/// The version that brought epochs, and the journal.
const WITH_EPOCHS: usize = 2;

/// Waits this long for a lock of SQLite's, such as a backup's.
const BUSY_TIMEOUT_MS: u32 = 5_000;

/// Pages in the write-ahead log before it is copied back, 4 KiB each. The log saves the most where one checkpoint
/// writes a page once that many commits have changed.
const CHECKPOINT_PAGES: &str = "50000";

/// Page cache, in KiB.
const CACHE_KIB: u32 = 64 * 1_024;

/// A database opened for writing, which no second program can write.
#[derive(Debug)]
pub(super) struct Opened {
    pub connection: Connection,
    pub currency: Currency,
    /// Held as long as the database is open.
    pub lock: File,
}

/// Opens the database at `path` for writing, or makes it.
///
/// # Errors
/// [`StoreError::Unavailable`] if another program has it or the file cannot be opened;
/// [`StoreError::Integrity`] if it is no database of this program's, or a newer one's, or of another currency.
pub(super) fn open(path: &Path, currency: Currency) -> Result<Opened, StoreError> {
    let lock = lock(path)?;
    private_file(path)?;
    let mut connection = Connection::open_with_flags(path, flags())?;
    settings(&connection)?;
    migrate(&mut connection, path, currency)?;
    rusqlite::vtab::array::load_module(&connection)?;
    let currency = stored_currency(&connection, path)?;
    Ok(Opened { connection, currency, lock })
}

/// Opens the database at `path` for reading alone, also while another program writes it.
///
/// # Errors
/// As [`open`], but for a lock.
pub(super) fn open_read_only(path: &Path) -> Result<(Connection, Currency), StoreError> {
    if !path.is_file() {
        return Err(StoreError::Unavailable(format!("there is no database at {}", path.display())));
    }
    let connection = Connection::open_with_flags(path, flags())?;
    settings(&connection)?;
    let version = version(&connection, path)?;
    if version != MIGRATIONS.len() {
        return Err(StoreError::Integrity(format!(
            "{} has the schema version {version}, and this program reads {}: start the center once with this \
             program, so that it brings the database up to date",
            path.display(),
            MIGRATIONS.len()
        )));
    }
    connection.pragma_update(None, "query_only", true)?;
    rusqlite::vtab::array::load_module(&connection)?;
    let currency = stored_currency(&connection, path)?;
    Ok((connection, currency))
}

/// What the database is made of: tables, indexes and triggers by kind and name.
pub(super) fn schema_of(connection: &Connection) -> Result<BTreeMap<String, String>, StoreError> {
    let sql = "SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
    let mut statement = connection.prepare(sql)?;
    let schema = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(schema)
}

/// The same of a new database.
pub(super) fn schema() -> Result<BTreeMap<String, String>, StoreError> {
    let connection = Connection::open_in_memory()?;
    MIGRATIONS.into_iter().try_for_each(|schema| connection.execute_batch(schema))?;
    schema_of(&connection)
}

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = private_file(&name)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Unavailable(format!(
            "another program has the database {} open: stop it first, or choose another data folder",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => {
            Err(StoreError::Unavailable(format!("{} cannot be locked: {error}", name.display())))
        }
    }
}

/// Opens or makes a file that only its owner can read.
pub(super) fn private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = |error| StoreError::Unavailable(format!("{} cannot be opened: {error}", path.display()));
    let file = options.open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        file.set_permissions(owner_only).map_err(failed)?;
    }
    Ok(file)
}

fn settings(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "busy_timeout", BUSY_TIMEOUT_MS)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -i64::from(CACHE_KIB))?;
    connection.pragma_update(None, "synchronous", crash::pragma("synchronous", "full"))?;
    connection.pragma_update(
        None,
        "wal_autocheckpoint",
        crash::pragma("wal_autocheckpoint", CHECKPOINT_PAGES),
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Brings the schema up to date, all versions in one transaction, and enters what is there into the journal.
fn migrate(connection: &mut Connection, path: &Path, currency: Currency) -> Result<(), StoreError> {
    let version = version(connection, path)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Unavailable(format!(
            "{} cannot have a write-ahead log: keep it on a local disk",
            path.display()
        )));
    }
    if version < MIGRATIONS.len() {
        // A table that others refer to can only be made again while nobody looks; afterwards all of it is looked at.
        connection.pragma_update(None, "foreign_keys", false)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for schema in MIGRATIONS.iter().skip(version) {
            transaction.execute_batch(schema)?;
        }
        if version == 0 {
            transaction.execute("INSERT INTO center (one, currency) VALUES (1, ?1)", [currency.as_str()])?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        if version < WITH_EPOCHS {
            write::write_epoch(&transaction, &Epoch::NEW, &mut Batch::default())?;
            // Later versions left every row as the journal knows it; their own tables are empty.
            journal::enter_all(&transaction)?;
        }
        let reached = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        transaction.pragma_update(None, "user_version", reached)?;
        check_references(&transaction, path)?;
        transaction.commit()?;
        connection.pragma_update(None, "foreign_keys", true)?;
    }
    let stored = stored_currency(connection, path)?;
    if stored != currency {
        return Err(StoreError::Integrity(format!(
            "{} holds {stored}, and the settings say {currency}: a center keeps its currency",
            path.display()
        )));
    }
    Ok(())
}

/// Whether what every row refers to is there.
fn check_references(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let table: Option<String> =
        connection.query_row("PRAGMA foreign_key_check", [], |row| row.get(0)).optional()?;
    table.map_or(Ok(()), |table| {
        let why = format!("{}: a row of {table} refers to one that is not there", path.display());
        Err(StoreError::Integrity(why))
    })
}

/// How many migrations the database has had.
fn version(connection: &Connection, path: &Path) -> Result<usize, StoreError> {
    let integrity = |why: String| Err(StoreError::Integrity(format!("{} {why}", path.display())));
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0) {
        return integrity("is a database of another program".to_owned());
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => integrity(format!(
            "has the schema version {version}, and this program knows {}: use a newer program",
            MIGRATIONS.len()
        )),
    }
}

fn stored_currency(connection: &Connection, path: &Path) -> Result<Currency, StoreError> {
    let sql = "SELECT currency FROM center";
    let code: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    code.and_then(|code| code.parse().ok()).ok_or_else(|| {
        StoreError::Integrity(format!("{}: center 1 does not say its currency", path.display()))
    })
}
