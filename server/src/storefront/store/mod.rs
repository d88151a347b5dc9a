//! What a shop must remember: attempts with their M2, survey answers, budgets, its own secret, and its till.
//!
//! One SQLite file. Its calls block, so handlers reach it through [`StoreHandle`], off the async threads.

mod rows;
pub mod till;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use tuppence_protocol::ids::{EarnerId, TranId};
use tuppence_protocol::scrip::Item;
use tuppence_protocol::scrip::campaign::CampaignState;
use tuppence_protocol::{Refusal, Secret, Timestamp};

use super::ports::Random;
use crate::crash;
use writer::Writer;

/// The schema, one step for each version of the file.
const MIGRATIONS: &[&str] =
    &[include_str!("schema.sql"), include_str!("till.sql"), include_str!("bought.sql")];
/// Milliseconds that a locked file is waited for.
const BUSY_MS: u64 = 5_000;
/// Pages in the write-ahead log before it is copied into the database: as SQLite has it.
const CHECKPOINT_PAGES: &str = "1000";

/// One earner's attempt at one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Who.
    pub earner: EarnerId,
    /// At what.
    pub item: Item,
    /// What was answered (`IssueRequest::digest`).
    pub digest: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// The offer, if it was passed.
    pub offer: Option<OfferKey>,
    /// The reply as it was sent: M2 in JSON, or the refusal's.
    pub reply: String,
}

/// What is looked at of a stored M2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferKey {
    /// Its transaction.
    pub tran_id: TranId,
    /// Until when the center takes it.
    pub expires: Timestamp,
}

/// What became of an attempt that was to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is on disk.
    New,
    /// There was one already.
    Known(Attempt),
    /// The day's rewards are given out; nothing was recorded.
    DayFull,
}

/// At most so many rewards of one item since a time.
#[derive(Debug, Clone, Copy)]
pub struct DayLimit {
    /// So many.
    pub rewards: u32,
    /// Since when.
    pub since: Timestamp,
}

/// A survey answer, for its advertiser.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SurveyAnswer {
    /// Who, by the pseudonym in this shop.
    pub earner: EarnerId,
    /// Which question, from 0.
    pub question: u32,
    /// A choice's id, or words.
    pub answer: String,
    /// When.
    pub at: Timestamp,
}

/// The store is away, full or broken.
#[derive(Debug, thiserror::Error)]
pub enum ShopStoreError {
    /// SQLite's own word.
    #[error("the shop's database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file could not be made.
    #[error("the shop's database cannot be opened: {0}")]
    File(#[from] std::io::Error),
    /// The file is of a later version of the program.
    #[error("the shop's database has version {found}, but this program knows {known}: update the program")]
    Newer {
        /// The file's version.
        found: u32,
        /// The program's.
        known: u32,
    },
    /// A row does not decode.
    #[error("the shop's database has a row that does not decode: {0}")]
    Row(String),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

impl From<ShopStoreError> for Refusal {
    fn from(error: ShopStoreError) -> Self {
        tracing::error!(%error, "the shop's store failed");
        Refusal::new(tuppence_protocol::ErrorCode::StoreUnavailable, "The shop's store is not available.")
    }
}

/// What the store's functions return.
pub type Result<T> = std::result::Result<T, ShopStoreError>;

/// The store. Every method is one transaction; what returned is on disk.
#[derive(Debug)]
pub struct ShopStore {
    connection: Mutex<Connection>,
}

impl ShopStore {
    /// Opens the file at `path`, or makes it, readable for its owner alone.
    ///
    /// # Errors
    /// If it cannot be opened, or is of a later version.
    pub fn open(path: &Path) -> Result<Self> {
        make_private(path)?;
        Self::prepare(Connection::open(path)?)
    }

    /// A store that lasts as long as this value: for the simulator, which loses and keeps it as it likes.
    ///
    /// # Errors
    /// If SQLite has no memory.
    pub fn in_memory() -> Result<Self> {
        Self::prepare(Connection::open_in_memory()?)
    }

    /// Opens the file at `path` for reading alone, also while a storefront runs on it.
    ///
    /// # Errors
    /// If there is no such file, or it is of a later version.
    pub fn open_read_only(path: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
        let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
        if found > known {
            return Err(ShopStoreError::Newer { found, known });
        }
        Ok(ShopStore { connection: Mutex::new(connection) })
    }

    fn prepare(mut connection: Connection) -> Result<Self> {
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", crash::pragma("synchronous", "full"))?;
        connection.pragma_update(
            None,
            "wal_autocheckpoint",
            crash::pragma("wal_autocheckpoint", CHECKPOINT_PAGES),
        )?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: u32 = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let mut version = 0;
        for step in MIGRATIONS {
            if version >= found {
                change.execute_batch(step)?;
            }
            version += 1;
        }
        if found > version {
            return Err(ShopStoreError::Newer { found, known: version });
        }
        change.pragma_update(None, "user_version", version)?;
        change.commit()?;
        Ok(ShopStore { connection: Mutex::new(connection) })
    }

    /// The shop's own secret, which seals cookies and pictures' addresses; made of `random` when it is first asked for.
    ///
    /// # Errors
    /// If the store or the system's randomness fails.
    pub fn secret(&self, random: &dyn Random) -> Result<Secret> {
        let mut fresh = zeroize::Zeroizing::new([0_u8; 32]);
        random.fill(fresh.as_mut_slice()).map_err(ShopStoreError::Random)?;
        let connection = self.lock();
        connection.execute(
            "INSERT INTO settings (name, value) VALUES ('secret', ?1) ON CONFLICT DO NOTHING",
            [fresh.as_slice()],
        )?;
        let bytes: [u8; 32] =
            connection.query_row("SELECT value FROM settings WHERE name = 'secret'", [], |row| row.get(0))?;
        Ok(Secret::from_bytes(bytes))
    }

    /// The text kept under `name`.
    ///
    /// # Errors
    /// If the store fails.
    pub fn setting(&self, name: &str) -> Result<Option<String>> {
        let connection = self.lock();
        let mut query =
            connection.prepare_cached("SELECT CAST(value AS TEXT) FROM settings WHERE name = ?1")?;
        Ok(query.query_row([name], |row| row.get(0)).optional()?)
    }

    /// Keeps `value` under `name`.
    ///
    /// # Errors
    /// If the store fails.
    pub fn keep_setting(&self, name: &str, value: &str) -> Result<()> {
        self.lock().execute(
            "INSERT INTO settings (name, value) VALUES (?1, CAST(?2 AS BLOB))
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [name, value],
        )?;
        Ok(())
    }

    /// The attempt of `earner` at `item`.
    ///
    /// # Errors
    /// If the store fails.
    pub fn attempt(&self, earner: EarnerId, item: &Item) -> Result<Option<Attempt>> {
        rows::attempt(&self.lock(), earner, item)
    }

    /// Records an attempt, with the answers that its advertiser keeps, unless there is one already or the day is
    /// full. A second one with other answers never replaces the first.
    ///
    /// # Errors
    /// If the store fails.
    pub fn record(&self, attempt: &Attempt, kept: &[String], limit: Option<DayLimit>) -> Result<Recorded> {
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(known) = rows::attempt(&change, attempt.earner, &attempt.item)? {
            return Ok(Recorded::Known(known));
        }
        if let Some(limit) = limit
            && rows::rewards_since(&change, &attempt.item, limit.since)? >= limit.rewards
        {
            return Ok(Recorded::DayFull);
        }
        rows::insert_attempt(&change, attempt)?;
        for (question, answer) in kept.iter().enumerate() {
            rows::insert_answer(&change, attempt, question, answer)?;
        }
        change.commit()?;
        Ok(Recorded::New)
    }

    /// Puts a fresh offer in the place of `old`, if that is still the attempt's; the attempt as it is then.
    ///
    /// # Errors
    /// If the store fails, or there is no such attempt.
    pub fn reissue(&self, attempt: &Attempt, old: TranId) -> Result<Attempt> {
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        rows::replace_offer(&change, attempt, old)?;
        let now = rows::attempt(&change, attempt.earner, &attempt.item)?;
        change.commit()?;
        now.ok_or_else(|| ShopStoreError::Row("the attempt is gone".to_owned()))
    }

    /// The item that the transaction was permitted for.
    ///
    /// # Errors
    /// If the store fails.
    pub fn item_of(&self, tran_id: TranId) -> Result<Option<Item>> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT item FROM attempts WHERE tran_id = ?1")?;
        let item: Option<String> = query.query_row([tran_id.as_bytes()], |row| row.get(0)).optional()?;
        item.map(|item| rows::item(&item)).transpose()
    }

    /// When the last offer for `item` ends.
    ///
    /// # Errors
    /// If the store fails.
    pub fn last_expiry(&self, item: &Item) -> Result<Option<Timestamp>> {
        rows::last_expiry(&self.lock(), item)
    }

    /// All answers to a survey, in order of time.
    ///
    /// # Errors
    /// If the store fails.
    pub fn answers(&self, item: &Item) -> Result<Vec<SurveyAnswer>> {
        rows::answers(&self.lock(), item)
    }

    /// The budgets, as the center said last.
    ///
    /// # Errors
    /// If the store fails.
    pub fn budgets(&self) -> Result<Vec<CampaignState>> {
        rows::budgets(&self.lock())
    }

    /// Keeps what the center said of a budget.
    ///
    /// # Errors
    /// If the store fails.
    pub fn keep_budget(&self, state: &CampaignState) -> Result<()> {
        self.lock().execute(
            "INSERT INTO budgets (item, budget, remaining) VALUES (?1, ?2, ?3)
             ON CONFLICT (item) DO UPDATE SET budget = excluded.budget, remaining = excluded.remaining",
            params![state.item.as_str(), state.budget.to_string(), state.remaining.to_string()],
        )?;
        Ok(())
    }

    /// Reads several things at once.
    ///
    /// # Errors
    /// If the store fails.
    pub fn read<T>(&self, reading: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        reading(&self.lock())
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// If it does not.
    pub fn check(&self) -> Result<()> {
        self.lock().query_row("SELECT 1", [], |_| Ok(()))?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A transaction that a panic broke off was rolled back when it was dropped.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The store, called off the async threads.
#[derive(Debug, Clone)]
pub struct StoreHandle {
    store: Arc<ShopStore>,
    /// Absent where callers are on a thread that may block.
    writer: Option<Arc<Writer>>,
}

impl StoreHandle {
    /// A handle to `store`.
    ///
    /// # Errors
    /// If the system has no thread to write on.
    pub fn new(store: ShopStore) -> Result<Self> {
        let store = Arc::new(store);
        Ok(StoreHandle { writer: Some(Arc::new(Writer::start(store.clone())?)), store })
    }

    /// A handle for callers that may block: their work is done on their own thread, without a runtime.
    pub fn here(store: Arc<ShopStore>) -> Self {
        StoreHandle { store, writer: None }
    }

    /// The store itself, for callers on threads of their own.
    pub fn blocking(&self) -> &ShopStore {
        &self.store
    }

    /// Runs `work` on a thread that may block. Work that has begun ends, also if nobody waits for it any more.
    ///
    /// # Errors
    /// `store_unavailable`, with the reason in the log.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ShopStore) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Refusal> {
        if self.writer.is_none() {
            return Ok(work(&self.store)?);
        }
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.map_err(|error| ShopStoreError::Row(error.to_string()).into())
            .and_then(|result| result.map_err(Into::into))
    }
}

impl StoreHandle {
    /// Does `work` in a transaction, together with others that wait just now; what returned is on disk.
    ///
    /// # Errors
    /// `store_unavailable`, with the reason in the log; then nothing of it was written.
    pub async fn commit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Refusal> {
        match &self.writer {
            None => Ok(writer::alone(&self.store, work)?),
            Some(writer) => Ok(writer.clone().run(work).await?),
        }
    }
}

/// Makes the file, if there is none, before SQLite would make it readable for others.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(0o600);
        let file = options.open(path)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))
    }
    #[cfg(not(unix))]
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests;
