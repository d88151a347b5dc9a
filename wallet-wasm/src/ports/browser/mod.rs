//! Ports of the browser: IndexedDB, fetch, Web Locks, BroadcastChannel, WebCrypto.

#[cfg(feature = "js-api")]
pub(crate) mod adapter;
mod broadcast;
mod center_key;
mod fetch;
mod indexed_db;
mod kit;
mod mark;
mod system;
mod vault;
mod web_locks;

pub use broadcast::Channel;
pub(crate) use center_key::encrypt;
pub use fetch::Fetch;
pub use indexed_db::IndexedDb;
pub use kit::{Fetched, answer};
pub use system::{SystemClock, SystemRandom};
pub use vault::CryptoVault;
pub use web_locks::WebLocks;

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// The property `name` of `object`, where it has one.
fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &JsValue::from_str(name)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// The method `name` of `object`, where it has one.
fn method(object: &JsValue, name: &str) -> Option<Function> {
    property(object, name)?.dyn_into().ok()
}

/// An object with these properties.
fn object(properties: &[(&str, &JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in properties {
        // A fresh, ordinary object takes every property.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}

/// `navigator`, of a page or a worker.
fn navigator() -> Option<JsValue> {
    property(&js_sys::global(), "navigator")
}
