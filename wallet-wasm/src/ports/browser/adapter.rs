//! Records, lock and key that JavaScript keeps (`WalletStorage` in `types.d.ts`): for Node.js, and wherever else there
//! is no IndexedDB.

use std::rc::Rc;

use async_trait::async_trait;
use js_sys::{Array, Function, Promise, Uint8Array};
use tuppence_protocol::Duration;
use tuppence_protocol::envelope::Fingerprint;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use zeroize::Zeroizing;

use super::vault::{NONCE_BYTES, apply, settle, subtle};
use super::{Fetch, SystemClock, SystemRandom, method, object, property};
use crate::error::{Problem, WalletError};
use crate::kit::Included;
use crate::origin::Origin;
use crate::ports::memory::MemoryEvents;
use crate::ports::{
    Changes, Lock, LockError, LockGuard, Ports, Scan, Storage, StorageError, Vault, VaultError,
};
use crate::view::StorageState;
use crate::{Config, Wallet};

/// Opens the wallet whose records `storage` keeps, of the center that they name, or of `center`. Nothing runs by itself:
/// the program calls `resume`, and ends when it has nothing else to do.
///
/// # Errors
/// As [`Wallet::open`]; `argument_invalid` for a storage that lacks a method, and for records that name no center.
pub(crate) async fn open(
    storage: JsValue,
    center: Option<String>,
    fingerprint: Option<Fingerprint>,
) -> Result<Wallet, WalletError> {
    let adapter = Adapter(storage);
    for name in ["read", "list", "commit", "lock", "key"] {
        if method(&adapter.0, name).is_none() {
            return Err(invalid(&format!("The storage has no method {name}.")));
        }
    }
    let center_origin: Origin = match center {
        Some(center) => center.parse()?,
        None => {
            let known = Wallet::center_of(&adapter).await?;
            known.ok_or_else(|| invalid("The storage holds no wallet yet, so its center must be named."))?
        }
    };
    let ports = Ports {
        storage: Rc::new(adapter.clone()),
        transport: Rc::new(Fetch),
        clock: Rc::new(SystemClock),
        random: Rc::new(SystemRandom),
        lock: Rc::new(adapter.clone()),
        events: Rc::new(MemoryEvents::default()),
        vault: Rc::new(adapter),
        kit: Rc::new(Included),
    };
    Wallet::open(ports, Config { center_origin, fingerprint }).await
}

fn invalid(why: &str) -> WalletError {
    WalletError::from(Problem::ArgumentInvalid).because(why)
}

/// The object that JavaScript gave.
#[derive(Debug, Clone)]
struct Adapter(JsValue);

impl Adapter {
    /// What the promise of a method resolves to, or what it is rejected with.
    async fn call(&self, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
        let act = method(&self.0, name).ok_or(JsValue::UNDEFINED)?;
        let promise: Promise = act.apply(&self.0, &arguments.iter().collect())?.dyn_into()?;
        JsFuture::from(promise).await
    }
}

fn storage_error(thrown: JsValue) -> StorageError {
    match property(&thrown, "code").and_then(|code| code.as_string()).as_deref() {
        Some("ENOSPC" | "EDQUOT") => StorageError::Full,
        _ => StorageError::Unavailable,
    }
}

fn bytes(record: JsValue) -> Result<Vec<u8>, StorageError> {
    record.dyn_into::<Uint8Array>().map(|bytes| bytes.to_vec()).map_err(|_| StorageError::Unavailable)
}

#[async_trait(?Send)]
impl Storage for Adapter {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let record = self.call("read", &[JsValue::from_str(key)]).await.map_err(storage_error)?;
        if record.is_undefined() || record.is_null() { Ok(None) } else { bytes(record).map(Some) }
    }

    async fn list(&self, prefix: &str, scan: Scan) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        let listed = self.call("list", &[JsValue::from_str(prefix)]).await.map_err(storage_error)?;
        let listed: Array = listed.dyn_into().map_err(|_| StorageError::Unavailable)?;
        let mut found = Vec::new();
        for pair in listed.iter() {
            let pair: Array = pair.dyn_into().map_err(|_| StorageError::Unavailable)?;
            let key = pair.get(0).as_string().ok_or(StorageError::Unavailable)?;
            found.push((key, bytes(pair.get(1))?));
        }
        if let Scan::Latest { before, limit } = scan {
            found.retain(|(key, _)| before.as_ref().is_none_or(|before| key < before));
            found.reverse();
            found.truncate(limit);
        }
        Ok(found)
    }

    async fn commit(&self, changes: Changes) -> Result<(), StorageError> {
        let list = Array::new();
        for (key, record) in &changes.changes {
            let record = match record {
                Some(record) => Uint8Array::from(record.as_slice()).into(),
                None => JsValue::NULL,
            };
            list.push(&Array::of2(&JsValue::from_str(key), &record));
        }
        let required = changes.requires.map_or(JsValue::NULL, JsValue::from_str);
        let written = self.call("commit", &[list.into(), required]).await.map_err(storage_error)?;
        if written.as_bool() == Some(false) { Err(StorageError::Gone) } else { Ok(()) }
    }

    async fn state(&self) -> StorageState {
        StorageState { persisted: Some(true), used_bytes: None, quota_bytes: None }
    }

    async fn persist(&self) -> bool {
        true
    }
}

#[async_trait(?Send)]
impl Lock for Adapter {
    async fn hold(&self, _name: &str, patience: Duration) -> Result<LockGuard, LockError> {
        // Milliseconds far below 2^53.
        let patience = JsValue::from_f64(patience.as_millis() as f64);
        let held = self.call("lock", &[patience]).await.map_err(|_| LockError::Unsupported)?;
        if held.is_null() || held.is_undefined() {
            return Err(LockError::Busy);
        }
        let release: Function = held.dyn_into().map_err(|_| LockError::Unsupported)?;
        Ok(LockGuard::new(move || {
            // What cannot be given back is given back by the end of the program.
            let _ = release.call0(&JsValue::UNDEFINED);
        }))
    }
}

impl Adapter {
    /// The key, which WebCrypto keeps to itself from here on.
    async fn crypto_key(&self) -> Result<JsValue, VaultError> {
        let raw = self.call("key", &[]).await.map_err(|thrown| VaultError::Storage(storage_error(thrown)))?;
        let raw: Uint8Array = raw.dyn_into().map_err(|_| VaultError::Lost)?;
        if raw.length() != 32 {
            return Err(VaultError::Lost);
        }
        let algorithm = object(&[("name", &JsValue::from_str("AES-GCM"))]);
        let usages = Array::of2(&JsValue::from_str("encrypt"), &JsValue::from_str("decrypt"));
        let subtle = subtle()?;
        let import = method(&subtle, "importKey").ok_or(VaultError::Unsupported)?;
        let arguments = [JsValue::from_str("raw"), raw.into(), algorithm, JsValue::FALSE, usages.into()];
        settle(import.apply(&subtle, &arguments.iter().collect())).await.ok_or(VaultError::Unsupported)
    }
}

#[async_trait(?Send)]
impl Vault for Adapter {
    async fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut wrapped = vec![0; NONCE_BYTES];
        getrandom::fill(&mut wrapped).map_err(|_| VaultError::Unsupported)?;
        let sealed = apply("encrypt", &wrapped, &self.crypto_key().await?, secret).await;
        wrapped.extend_from_slice(&sealed.ok_or(VaultError::Unsupported)?);
        Ok(wrapped)
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_BYTES).ok_or(VaultError::Lost)?;
        apply("decrypt", nonce, &self.crypto_key().await?, sealed).await.ok_or(VaultError::Lost)
    }
}
