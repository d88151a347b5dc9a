//! Secrets at rest: wrapped with an AES-256-GCM key of WebCrypto that the browser keeps and shows to nobody.
//!
//! The key lies in the wallet's own database as a CryptoKey that cannot be exported. A copy of the records
//! without the browser's profile gives no secret away; a script on this page could still ask to unwrap.

use async_trait::async_trait;
use js_sys::{Array, ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use zeroize::Zeroizing;

use super::{IndexedDb, method, object, property};
use crate::ports::{Vault, VaultError};

const KEY: &str = "vault";
pub(super) const NONCE_BYTES: usize = 12;
/// Authenticated with every secret.
const PURPOSE: &str = "tuppence/vault/1";

/// The vault of one database.
#[derive(Debug, Clone)]
pub struct CryptoVault(IndexedDb);

impl CryptoVault {
    /// The vault whose key `database` keeps.
    pub fn new(database: IndexedDb) -> Self {
        CryptoVault(database)
    }

    /// The key; made now if there is none yet. Of two tabs that make one, the first one's stays.
    async fn key(&self) -> Result<JsValue, VaultError> {
        if let Some(key) = self.0.key(KEY).await? {
            return Ok(key);
        }
        let algorithm =
            object(&[("name", &JsValue::from_str("AES-GCM")), ("length", &JsValue::from_f64(256.0))]);
        let usages = Array::of2(&JsValue::from_str("encrypt"), &JsValue::from_str("decrypt"));
        let subtle = subtle()?;
        let generate = method(&subtle, "generateKey").ok_or(VaultError::Unsupported)?;
        let made = generate.call3(&subtle, &algorithm, &JsValue::FALSE, &usages);
        let key = settle(made).await.ok_or(VaultError::Unsupported)?;
        // Where another tab was faster, adding fails, and its key is read below.
        let added = self.0.add_key(KEY, &key).await;
        match (self.0.key(KEY).await?, added) {
            (Some(key), _) => Ok(key),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(VaultError::Lost),
        }
    }
}

#[async_trait(?Send)]
impl Vault for CryptoVault {
    async fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut wrapped = vec![0; NONCE_BYTES];
        getrandom::fill(&mut wrapped).map_err(|_| VaultError::Unsupported)?;
        let sealed = apply("encrypt", &wrapped, &self.key().await?, secret).await;
        wrapped.extend_from_slice(&sealed.ok_or(VaultError::Unsupported)?);
        Ok(wrapped)
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_BYTES).ok_or(VaultError::Lost)?;
        let key = self.0.key(KEY).await?.ok_or(VaultError::Lost)?;
        apply("decrypt", nonce, &key, sealed).await.ok_or(VaultError::Lost)
    }
}

pub(super) async fn apply(
    operation: &str,
    nonce: &[u8],
    key: &JsValue,
    data: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let algorithm = object(&[
        ("name", &JsValue::from_str("AES-GCM")),
        ("iv", &Uint8Array::from(nonce)),
        ("additionalData", &Uint8Array::from(PURPOSE.as_bytes())),
    ]);
    let subtle = subtle().ok()?;
    let data = Uint8Array::from(data);
    let result = method(&subtle, operation)?.call3(&subtle, &algorithm, key, &data);
    let result: ArrayBuffer = settle(result).await?.dyn_into().ok()?;
    Some(Zeroizing::new(Uint8Array::new(&result).to_vec()))
}

/// `crypto.subtle`, which only secure contexts have.
pub(super) fn subtle() -> Result<JsValue, VaultError> {
    let crypto = property(&js_sys::global(), "crypto");
    crypto.and_then(|crypto| property(&crypto, "subtle")).ok_or(VaultError::Unsupported)
}

pub(super) async fn settle(promise: Result<JsValue, JsValue>) -> Option<JsValue> {
    let promise: Promise = promise.ok()?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()
}
