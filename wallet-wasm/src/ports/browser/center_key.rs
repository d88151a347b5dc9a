//! RSA-OAEP-SHA-256 by WebCrypto.

use js_sys::{Array, ArrayBuffer, Uint8Array};
use tuppence_protocol::Secret;
use tuppence_protocol::envelope::{CenterPublicKey, KeyEnvelope, RSA_BITS_MAX, RSA_BITS_MIN};
use wasm_bindgen::{JsCast, JsValue};

use super::vault::{settle, subtle};
use super::{method, object, property};
use crate::error::{Problem, WalletError};
use crate::ports::Ports;

/// Encrypts the session key for the center. The chance in it is the browser's own.
pub(crate) async fn encrypt(
    _: &Ports,
    key: &CenterPublicKey,
    session_key: &Secret,
) -> Result<KeyEnvelope, WalletError> {
    let subtle = subtle()?;
    let name = JsValue::from_str("RSA-OAEP");
    let algorithm = object(&[("name", &name), ("hash", &JsValue::from_str("SHA-256"))]);
    let import = method(&subtle, "importKey").ok_or(Problem::Unsupported)?;
    let arguments = Array::of5(
        &JsValue::from_str("spki"),
        &Uint8Array::from(key.as_der()),
        &algorithm,
        &JsValue::FALSE,
        &Array::of1(&JsValue::from_str("encrypt")),
    );
    // A key that the browser can't read is the center's mistake.
    let key = settle(import.apply(&subtle, &arguments)).await.ok_or(Problem::CenterInvalid)?;
    if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits(&key).unwrap_or(0)) {
        return Err(Problem::CenterInvalid.into());
    }
    let encrypt = method(&subtle, "encrypt").ok_or(Problem::Unsupported)?;
    let secret = Uint8Array::from(session_key.expose().as_slice());
    let encrypted = settle(encrypt.call3(&subtle, &object(&[("name", &name)]), &key, &secret)).await;
    let encrypted: ArrayBuffer =
        encrypted.and_then(|encrypted| encrypted.dyn_into().ok()).ok_or(Problem::Unsupported)?;
    KeyEnvelope::try_from(Uint8Array::new(&encrypted).to_vec()).map_err(|_| Problem::CenterInvalid.into())
}

/// The size of a key, as the browser has read it.
fn bits(key: &JsValue) -> Option<usize> {
    // A small whole number.
    property(&property(key, "algorithm")?, "modulusLength")?.as_f64().map(|bits| bits as usize)
}
