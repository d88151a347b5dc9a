//! Records in IndexedDB, with strict durability: what was answered for survives a loss of power.
//!
//! Written over web-sys: the wrapper crates do not offer the durability option. Every transaction's requests
//! are made at once, so that none depends on when the browser ends an idle transaction; the one cursor
//! goes on within its own event.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, Event, IdbCursorDirection, IdbCursorWithValue, IdbDatabase, IdbFactory, IdbKeyRange,
    IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction,
};

use super::{mark, method, navigator, object, property};
use crate::ports::{Changes, Scan, Storage, StorageError};
use crate::view::StorageState;

const VERSION: u32 = 1;
/// The wallet's records, by key.
const RECORDS: &str = "records";
/// Keys of WebCrypto, which the browser keeps without showing them.
const KEYS: &str = "keys";

type Result<T> = std::result::Result<T, StorageError>;

/// One database of this origin.
#[derive(Debug, Clone)]
pub struct IndexedDb {
    name: String,
    database: Rc<RefCell<Option<IdbDatabase>>>,
}

#[derive(Clone, Copy)]
enum Mode {
    Read,
    Write,
}

impl IndexedDb {
    /// Opens the database `name`, and makes it if it is not there.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] where the browser refuses.
    pub async fn open(name: &str) -> Result<Self> {
        let database = IndexedDb { name: name.to_owned(), database: Rc::default() };
        database.connect().await?;
        Ok(database)
    }

    /// Closes the connection; it is opened again when it is used.
    pub fn close(&self) {
        if let Some(database) = self.database.borrow_mut().take() {
            database.close();
        }
    }

    async fn connect(&self) -> Result<IdbDatabase> {
        if let Some(database) = &*self.database.borrow() {
            return Ok(database.clone());
        }
        let factory: IdbFactory = property(&js_sys::global(), "indexedDB")
            .and_then(|factory| factory.dyn_into().ok())
            .ok_or(StorageError::Unavailable)?;
        let request = factory.open_with_u32(&self.name, VERSION).map_err(unavailable)?;
        let upgrade = Closure::once(create_stores);
        request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
        let database: IdbDatabase =
            settle(&request).await?.dyn_into().map_err(|_| StorageError::Unavailable)?;
        *self.database.borrow_mut() = Some(database.clone());
        Ok(database)
    }

    /// A transaction on one store. A connection that the browser has closed is opened once more.
    async fn store(&self, store: &str, mode: Mode) -> Result<(IdbTransaction, IdbObjectStore)> {
        let transaction = match begin(&self.connect().await?, store, mode) {
            Ok(transaction) => transaction,
            Err(_) => {
                self.close();
                begin(&self.connect().await?, store, mode)?
            }
        };
        let store = transaction.object_store(store).map_err(unavailable)?;
        Ok((transaction, store))
    }

    /// The key of WebCrypto that is kept as `name`.
    pub(super) async fn key(&self, name: &str) -> Result<Option<JsValue>> {
        let (_transaction, store) = self.store(KEYS, Mode::Read).await?;
        let key = settle(&store.get(&JsValue::from_str(name)).map_err(unavailable)?).await?;
        Ok((!key.is_undefined()).then_some(key))
    }

    /// Keeps a key of WebCrypto as `name`, unless there is one already.
    pub(super) async fn add_key(&self, name: &str, key: &JsValue) -> Result<()> {
        let (transaction, store) = self.store(KEYS, Mode::Write).await?;
        store.add_with_key(key, &JsValue::from_str(name)).map_err(unavailable)?;
        complete(&transaction).await
    }
}

fn create_stores(event: Event) {
    let request = event.target().and_then(|target| target.dyn_into::<IdbOpenDbRequest>().ok());
    let database = request.and_then(|request| request.result().ok()?.dyn_into::<IdbDatabase>().ok());
    if let Some(database) = database {
        for store in [RECORDS, KEYS] {
            // If it fails, the whole upgrade is taken back, and opening fails.
            let _ = database.create_object_store(store);
        }
    }
}

fn begin(database: &IdbDatabase, store: &str, mode: Mode) -> Result<IdbTransaction> {
    let transaction = method(database, "transaction").ok_or(StorageError::Unavailable)?;
    let mode = match mode {
        Mode::Read => "readonly",
        Mode::Write => "readwrite",
    };
    let options = object(&[("durability", &JsValue::from_str("strict"))]);
    transaction
        .call3(database, &JsValue::from_str(store), &JsValue::from_str(mode), &options)
        .map_err(unavailable)?
        .dyn_into()
        .map_err(|_| StorageError::Unavailable)
}

#[async_trait(?Send)]
impl Storage for IndexedDb {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let (_transaction, store) = self.store(RECORDS, Mode::Read).await?;
        let record = settle(&store.get(&JsValue::from_str(key)).map_err(unavailable)?).await?;
        if record.is_undefined() { Ok(None) } else { bytes(record).map(Some) }
    }

    async fn list(&self, prefix: &str, scan: Scan) -> Result<Vec<(String, Vec<u8>)>> {
        let (_transaction, store) = self.store(RECORDS, Mode::Read).await?;
        match scan {
            Scan::All => all(&store, prefix).await,
            Scan::Latest { before, limit } => latest(&store, prefix, before, limit).await,
        }
    }

    async fn commit(&self, changes: Changes) -> Result<()> {
        let (transaction, store) = self.store(RECORDS, Mode::Write).await?;
        let required = match changes.requires {
            Some(key) => Some(store.get(&JsValue::from_str(key)).map_err(unavailable)?),
            None => None,
        };
        for (key, record) in &changes.changes {
            let key = JsValue::from_str(key);
            let asked = match record {
                Some(record) => store.put_with_key(&Uint8Array::from(record.as_slice()), &key),
                None => store.delete(&key),
            };
            if let Err(error) = asked {
                // What was asked for before must not be written alone.
                let _ = transaction.abort();
                return Err(unavailable(error));
            }
        }
        // Answered before the writes, which can still be taken back then.
        if let Some(required) = required
            && settle(&required).await?.is_undefined()
        {
            let _ = transaction.abort();
            return Err(StorageError::Gone);
        }
        complete(&transaction).await
    }

    async fn state(&self) -> StorageState {
        let estimate = ask_storage("estimate").await;
        let bytes = |name| {
            let bytes = estimate.as_ref().and_then(|estimate| property(estimate, name)?.as_f64());
            // Whole numbers below 2^53.
            bytes.map(|bytes| bytes as u64)
        };
        StorageState {
            persisted: ask_storage("persisted").await.and_then(|answer| answer.as_bool()),
            used_bytes: bytes("usage"),
            quota_bytes: bytes("quota"),
        }
    }

    async fn persist(&self) -> bool {
        ask_storage("persist").await.and_then(|answer| answer.as_bool()).unwrap_or(false)
    }

    fn is_marked(&self) -> bool {
        mark::is_set(&self.name)
    }

    async fn mark(&self, present: bool) {
        mark::set(&self.name, present).await;
    }
}

/// The keys that begin with `prefix`, which are plain ASCII, and lie below `before`.
fn range(prefix: &str, before: Option<String>) -> Result<IdbKeyRange> {
    let end = before.unwrap_or_else(|| format!("{prefix}\u{FFFF}"));
    IdbKeyRange::bound_with_lower_open_and_upper_open(
        &JsValue::from_str(prefix),
        &JsValue::from_str(&end),
        false,
        true,
    )
    .map_err(unavailable)
}

async fn all(store: &IdbObjectStore, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let range = range(prefix, None)?;
    let keys = store.get_all_keys_with_key(&range).map_err(unavailable)?;
    let records = store.get_all_with_key(&range).map_err(unavailable)?;
    // Both are answered in order: the second one's success tells that the first one's result is there.
    let records: Array = settle(&records).await?.dyn_into().map_err(|_| StorageError::Unavailable)?;
    let keys: Array =
        keys.result().map_err(unavailable)?.dyn_into().map_err(|_| StorageError::Unavailable)?;
    keys.iter().zip(records.iter()).map(pair).collect()
}

async fn latest(
    store: &IdbObjectStore,
    prefix: &str,
    before: Option<String>,
    limit: usize,
) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    if limit == 0 || before.as_deref().is_some_and(|before| before <= prefix) {
        return Ok(found);
    }
    let range = range(prefix, before)?;
    let request =
        store.open_cursor_with_range_and_direction(&range, IdbCursorDirection::Prev).map_err(unavailable)?;
    while let Ok(cursor) = settle(&request).await?.dyn_into::<IdbCursorWithValue>() {
        found.push(pair((cursor.key().map_err(unavailable)?, cursor.value().map_err(unavailable)?))?);
        if found.len() == limit {
            break;
        }
        cursor.continue_().map_err(unavailable)?;
    }
    Ok(found)
}

fn pair((key, record): (JsValue, JsValue)) -> Result<(String, Vec<u8>)> {
    Ok((key.as_string().ok_or(StorageError::Unavailable)?, bytes(record)?))
}

fn bytes(record: JsValue) -> Result<Vec<u8>> {
    record.dyn_into::<Uint8Array>().map(|bytes| bytes.to_vec()).map_err(|_| StorageError::Unavailable)
}

/// Waits for a request, and gives its result.
async fn settle(request: &IdbRequest) -> Result<JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    match JsFuture::from(promise).await {
        Ok(_) => request.result().map_err(unavailable),
        Err(_) => Err(request.error().ok().flatten().map_or(StorageError::Unavailable, kind)),
    }
}

/// Waits until a transaction is on disk.
async fn complete(transaction: &IdbTransaction) -> Result<()> {
    let promise = Promise::new(&mut |resolve, reject| {
        transaction.set_oncomplete(Some(&resolve));
        transaction.set_onabort(Some(&reject));
    });
    match JsFuture::from(promise).await {
        Ok(_) => Ok(()),
        Err(_) => Err(transaction.error().map_or(StorageError::Unavailable, kind)),
    }
}

fn kind(error: DomException) -> StorageError {
    if error.name() == "QuotaExceededError" { StorageError::Full } else { StorageError::Unavailable }
}

fn unavailable(error: JsValue) -> StorageError {
    error.dyn_into::<DomException>().map_or(StorageError::Unavailable, kind)
}

/// Asks `navigator.storage`, which some browsers lack.
async fn ask_storage(question: &str) -> Option<JsValue> {
    let storage = property(&navigator()?, "storage")?;
    let promise: Promise = method(&storage, question)?.call0(&storage).ok()?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()
}
