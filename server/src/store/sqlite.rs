//! The store in an embedded database: SQLite with a write-ahead log, synced at every commit (sqlite.org/wal.html).
//!
//! One connection writes, and a lock file keeps a second program out. The schema checks by itself what the
//! working set has checked before: no account below zero, a serial spent once, money moved once for each reason.

pub mod backup;
mod cache;
mod codec;
mod committed;
mod journal;
mod load;
mod open;
mod rows;
mod since;
mod table;
mod witness;
mod write;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::payword::AuthorityId;
use tuppence_protocol::scrip::center::StepKey;
use tuppence_protocol::vendor_scrip::OrderId;
use tuppence_protocol::{Currency, Timestamp};

use self::cache::Cache;
use self::codec::PAYOUT;
use self::journal::Batch;
use self::load::Reader;
use self::witness::WitnessFile;
use super::epochs;
pub use super::epochs::Witness;
use super::records::{Epoch, EpochReason, Payout};
use super::resident::Resident;
use super::{Changes, Counts, Directory, Row, Statement, Store, StoreError, Wanted, WorkingSet};
use crate::clock::{Clock, SystemClock};
use crate::crash::{self, Point};
use crate::ledger::AccountId;
use crate::ledger::journal::Head;

/// Records in a SQLite database.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    currency: Currency,
    /// Absent until it is read, and after a commit whose end is unknown.
    resident: Option<Resident>,
    /// Empty after a commit whose end is unknown.
    cache: Cache,
    /// The journal's last link; absent as `resident` is.
    head: Option<Head>,
    path: PathBuf,
    identity: Option<FileIdentity>,
    /// Absent where the database is only read.
    witness: Option<WitnessFile>,
    /// Held while the database is open for writing.
    lock: Option<File>,
}

impl SqliteStore {
    /// Opens the database at `path`, or makes it, for amounts in `currency`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if another program has it open or the file cannot be opened;
    /// [`StoreError::Integrity`] if it is another program's, a newer program's, or of another currency.
    pub fn open(path: &Path, currency: Currency) -> Result<Self, StoreError> {
        let opened = open::open(path, currency)?;
        let mut store = SqliteStore {
            connection: opened.connection,
            currency: opened.currency,
            resident: None,
            cache: Cache::default(),
            head: None,
            path: path.to_owned(),
            identity: FileIdentity::of(path),
            witness: None,
            lock: Some(opened.lock),
        };
        store.meet_witness()?;
        Ok(store)
    }

    /// Compares the journal with its witness; where it falls short of it, a new epoch begins (T26).
    fn meet_witness(&mut self) -> Result<(), StoreError> {
        if let Some(witness) = Witness::read(&self.path)
            && !witness.agrees(&self.connection)?
        {
            let (ends, knew) = (self.head()?, witness.head);
            tracing::error!(%ends, %knew, "an older copy of the books was put back: a new epoch begins");
            epochs::begin(self, EpochReason::WentBack, Some(witness), SystemClock.now())?;
        }
        let epoch = self.epochs()?.pop().unwrap_or(Epoch::NEW);
        let witness = Witness { head: self.head()?, epoch: epoch.number };
        self.witness = Some(WitnessFile::open(&self.path, witness)?);
        Ok(())
    }

    /// Opens the database at `path` to read it, also while a center works on it. It cannot commit.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and if there is no database.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let (connection, currency) = open::open_read_only(path)?;
        Ok(SqliteStore {
            connection,
            currency,
            resident: None,
            cache: Cache::default(),
            head: None,
            path: path.to_owned(),
            identity: FileIdentity::of(path),
            witness: None,
            lock: None,
        })
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The database's file must be the one that was opened: what is written to a deleted file is lost.
    fn still_there(&self) -> Result<(), StoreError> {
        if FileIdentity::of(&self.path) == self.identity {
            Ok(())
        } else {
            Err(StoreError::Unavailable(format!(
                "the database {} was moved or replaced: put it back",
                self.path.display()
            )))
        }
    }

    fn resident(&mut self) -> Result<&mut Resident, StoreError> {
        let resident = match self.resident.take() {
            Some(resident) => resident,
            None => Reader { connection: &self.connection, currency: self.currency }.resident()?,
        };
        Ok(self.resident.insert(resident))
    }

    fn write(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.still_there()?;
        let head = self.head()?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut batch = Batch::default();
        write::write(&transaction, changes, &mut batch)?;
        crash::at(Point::RowsWritten);
        let head = batch.close(&transaction, &head)?;
        crash::at(Point::LinkWritten);
        transaction.commit()?;
        crash::at(Point::Committed);
        self.head = Some(head);
        Ok(())
    }

    /// Shows what has changed since `head`, and what belongs to it, as [`Store::rows`] shows everything.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn rows_since(&mut self, head: Head, visit: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        let witness = Witness::read(&self.path);
        let transaction = self.connection.transaction()?;
        testify(&transaction, witness, visit)?;
        since::visit(&transaction, self.currency, head, visit)?;
        transaction.commit()?;
        Ok(())
    }

    /// Whether the journal has the link `head`: then these books continue those that had it as their last.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn continues(&self, head: &Head) -> Result<bool, StoreError> {
        witness::continues(&self.connection, head)
    }

    /// The journal's last link.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn head(&mut self) -> Result<Head, StoreError> {
        match self.head {
            Some(head) => Ok(head),
            None => journal::head(&self.connection),
        }
    }
}

impl Store for SqliteStore {
    fn load(&mut self, wanted: Wanted) -> Result<WorkingSet, StoreError> {
        let mut records = self.resident()?.records();
        let transaction = self.connection.transaction()?;
        let reader = Reader { connection: &transaction, currency: self.currency };
        // Where another program writes, nothing that was read before may be used again.
        let mut fresh = Cache::default();
        let cache = if self.lock.is_some() { &mut self.cache } else { &mut fresh };
        reader.load(&wanted, cache, &mut records)?;
        transaction.commit()?;
        Ok(WorkingSet::new(records, wanted))
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        match self.write(&changes) {
            Ok(()) => {
                if let Some(resident) = &mut self.resident {
                    resident.follow(&changes);
                }
                self.cache.follow(&changes);
                if let (Some(witness), Some(head), Some(resident)) =
                    (&mut self.witness, self.head, &self.resident)
                {
                    witness.follow(Witness { head, epoch: resident.epoch.number });
                }
                crash::at(Point::Witnessed);
                Ok(())
            }
            Err(error) => {
                self.resident = None;
                self.cache = Cache::default();
                self.head = None;
                Err(error)
            }
        }
    }

    fn directory(&mut self) -> Result<Arc<Directory>, StoreError> {
        Ok(Arc::clone(&self.resident()?.directory))
    }

    fn balance(&mut self, account: AccountId) -> Result<i64, StoreError> {
        let AccountId::Purse(number) = account else {
            return Ok(self.resident()?.balances.get(&account).copied().unwrap_or(0));
        };
        let Ok(customer) = Serial::try_from(number) else { return Ok(0) };
        let sql = "SELECT coalesce(max(live_value), 0) FROM purses WHERE customer = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([codec::int(customer.get())], |row| row.get(0))?)
    }

    fn payouts(&mut self, open: bool, after: u64, limit: usize) -> Result<Vec<Payout>, StoreError> {
        let state = if open { "AND state = 'ordered'" } else { "" };
        let sql = format!("SELECT {PAYOUT} FROM payouts WHERE number > ?1 {state} ORDER BY number LIMIT ?2");
        let parameters = (i64::try_from(after).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
        let reader = Reader { connection: &self.connection, currency: self.currency };
        reader.records("payouts", &sql, parameters, |c| c.payout())
    }

    fn pending_steps(&mut self, before: Timestamp, limit: usize) -> Result<Vec<StepKey>, StoreError> {
        Reader { connection: &self.connection, currency: self.currency }.pending_steps(before, limit)
    }

    fn statement(
        &mut self,
        customer: Serial,
        from: Serial,
        limit: usize,
    ) -> Result<Option<Statement>, StoreError> {
        let transaction = self.connection.transaction()?;
        let reader = Reader { connection: &transaction, currency: self.currency };
        let statement = reader.statement(customer, from, limit)?;
        transaction.commit()?;
        Ok(statement)
    }

    fn counts(&mut self) -> Result<Counts, StoreError> {
        // Transfers are numbered without gaps, so that their count is the last number; purses are within an epoch.
        let sql = "SELECT (SELECT coalesce(sum((SELECT max(customer) FROM purses \
                       WHERE customer BETWEEN (number << 32) + 1 AND (number + 1) << 32) - (number << 32)), 0) \
                    FROM epochs), \
                   (SELECT count(*) FROM steps INDEXED BY steps_pending WHERE state = 'pending'), \
                   (SELECT count(*) FROM vendors), (SELECT count(*) FROM campaigns), \
                   (SELECT count(*) FROM payouts), \
                   (SELECT count(*) FROM payouts WHERE state = 'ordered'), \
                   (SELECT coalesce(max(number), 0) FROM transfers)";
        let mut statement = self.connection.prepare_cached(sql)?;
        let counts = statement.query_row([], |row| {
            Ok(Counts {
                purses: row.get(0)?,
                pending: row.get(1)?,
                vendors: row.get(2)?,
                campaigns: row.get(3)?,
                payouts: row.get(4)?,
                payouts_open: row.get(5)?,
                transfers: row.get(6)?,
            })
        })?;
        Ok(counts)
    }

    fn due_reservations(&mut self, before: Timestamp, limit: usize) -> Result<Vec<AuthorityId>, StoreError> {
        Reader { connection: &self.connection, currency: self.currency }.due_reservations(before, limit)
    }

    fn due_sales(&mut self, before: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        Reader { connection: &self.connection, currency: self.currency }.due_sales(before, limit)
    }

    fn epochs(&mut self) -> Result<Vec<Epoch>, StoreError> {
        Reader { connection: &self.connection, currency: self.currency }.epochs()
    }

    fn rows(&mut self, visit: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        // The witness first: what is committed meanwhile is then beyond it.
        let witness = Witness::read(&self.path);
        let transaction = self.connection.transaction()?;
        testify(&transaction, witness, visit)?;
        rows::visit(&transaction, self.currency, visit)?;
        transaction.commit()?;
        Ok(())
    }
}

/// Says so where the journal falls short of its witness.
fn testify(
    connection: &Connection,
    witness: Option<Witness>,
    visit: &mut dyn FnMut(Row),
) -> Result<(), StoreError> {
    if let Some(witness) = witness
        && !witness.agrees(connection)?
    {
        let why =
            format!("it does not continue {}, which was committed here: this is an older copy", witness.head);
        visit(Row::Unreadable { place: "journal".to_owned(), why });
    }
    Ok(())
}

/// By what the operating system knows a file, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    number: u64,
}

impl FileIdentity {
    /// Absent where there is no such file, or the system has no such identity.
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Some(FileIdentity { device: metadata.dev(), number: metadata.ino() })
        }
        #[cfg(not(unix))]
        {
            let _ = metadata;
            Some(FileIdentity { device: 0, number: 0 })
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let broken = matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::ConstraintViolation
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::TypeMismatch
                    | ErrorCode::TooBig
            )
        );
        if broken || error.sqlite_error_code().is_none() {
            StoreError::Integrity(error.to_string())
        } else {
            StoreError::Unavailable(error.to_string())
        }
    }
}
