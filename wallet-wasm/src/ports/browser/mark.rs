//! The mark that this browser has a wallet: outside of IndexedDB, so that it is there when the records are gone.
//!
//! A browser that runs out of room clears IndexedDB of an origin away, and some take localStorage with it; a browser
//! that distrusts unused sites deletes all that scripts have written. Cookies that a reply has set outlive both,
//! so the center's own reply sets one, on the center's own page. What a person deletes by hand, and another
//! browser or a private window, leave no mark.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{method, object, property};

/// The cookie that the center's reply sets, as `document.cookie` shows it.
const COOKIE: &str = "tuppence-wallet=1";

/// Whether the mark of the records `name` is set.
pub(super) fn is_set(name: &str) -> bool {
    let item = storage().and_then(|storage| {
        method(&storage, "getItem")?.call1(&storage, &JsValue::from_str(name)).ok()?.as_string()
    });
    item.is_some() || (is_own(name) && has_cookie())
}

/// Sets or removes it. Each of the two places is tried, and neither is relied on.
pub(super) async fn set(name: &str, present: bool) {
    if let Some(storage) = storage() {
        let (action, value) = if present { ("setItem", "1") } else { ("removeItem", "") };
        let (name, value) = (JsValue::from_str(name), JsValue::from_str(value));
        // Storage may be full or forbidden.
        let _ = method(&storage, action).map(|action| action.call2(&storage, &name, &value));
    }
    if is_own(name) && has_cookie() != present {
        let _ = ask_center(present).await;
    }
}

/// Whether the records are of this page's own center, which alone can set a cookie for the page.
fn is_own(name: &str) -> bool {
    let origin = property(&js_sys::global(), "location").and_then(|location| property(&location, "origin"));
    let origin = origin.and_then(|origin| origin.as_string());
    origin.is_some_and(|origin| name.strip_prefix("tuppence:") == Some(origin.as_str()))
}

fn has_cookie() -> bool {
    let document = property(&js_sys::global(), "document");
    let cookies = document.and_then(|document| property(&document, "cookie")?.as_string());
    cookies.is_some_and(|cookies| cookies.split(';').any(|cookie| cookie.trim() == COOKIE))
}

async fn ask_center(present: bool) -> Option<JsValue> {
    let headers = object(&[("content-type", &JsValue::from_str("application/json"))]);
    let options = object(&[
        ("method", &JsValue::from_str("POST")),
        ("headers", &headers),
        ("credentials", &JsValue::from_str("same-origin")),
        ("keepalive", &JsValue::TRUE),
        ("body", &JsValue::from_str(if present { r#"{"present":true}"# } else { r#"{"present":false}"# })),
    ]);
    let global = js_sys::global();
    let asked =
        method(&global, "fetch")?.call2(&global, &JsValue::from_str("/api/v1/recovery/mark"), &options);
    let promise: Promise = asked.ok()?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()
}

/// `localStorage`, which some browsers forbid, and workers lack.
fn storage() -> Option<JsValue> {
    property(&js_sys::global(), "localStorage")
}
