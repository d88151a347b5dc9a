//! One writer among the tabs and workers of an origin, by Web Locks. A tab that crashes gives its locks back.

use async_trait::async_trait;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Promise};
use tuppence_protocol::Duration;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use super::{method, navigator, object, property};
use crate::ports::{Lock, LockError, LockGuard};

/// `navigator.locks`.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebLocks;

/// A request for a lock, or the lock; given up when dropped.
struct Claim {
    release: Option<Function>,
    abort: AbortController,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // One of the two has an effect: the lock is held by now, or it is not.
        if let Some(release) = self.release.take() {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
        self.abort.abort();
    }
}

#[async_trait(?Send)]
impl Lock for WebLocks {
    async fn hold(&self, name: &str, patience: Duration) -> Result<LockGuard, LockError> {
        let locks = navigator().and_then(|navigator| property(&navigator, "locks"));
        let locks = locks.ok_or(LockError::Unsupported)?;
        let request = method(&locks, "request").ok_or(LockError::Unsupported)?;

        let abort = AbortController::new().map_err(|_| LockError::Unsupported)?;
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let (granted, granting) = oneshot::channel();
        // The browser keeps the lock until the promise that this returns is resolved.
        let callback = Closure::once_into_js(move |_lock: JsValue| -> JsValue {
            let _ = granted.send(());
            held.into()
        });
        let options = object(&[("signal", abort.signal().as_ref())]);
        let claim = Claim { release, abort };
        let ended: Promise = request
            .call3(&locks, &JsValue::from_str(name), &options, &callback)
            .ok()
            .and_then(|promise| promise.dyn_into().ok())
            .ok_or(LockError::Unsupported)?;

        let refused = JsFuture::from(ended);
        let timeout = TimeoutFuture::new(u32::try_from(patience.as_millis()).unwrap_or(u32::MAX));
        match select(select(granting, refused), timeout).await {
            Either::Left((Either::Left((Ok(()), _)), _)) => Ok(LockGuard::new(move || drop(claim))),
            Either::Left(_) => Err(LockError::Unsupported),
            Either::Right(_) => Err(LockError::Busy),
        }
    }
}
