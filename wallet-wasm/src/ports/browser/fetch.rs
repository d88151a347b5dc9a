//! The network, by fetch: no cookies, no cache, no redirects, no referrer, and an end.

use async_trait::async_trait;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use super::{method, navigator, object, property};
use crate::ports::{NetworkError, RESPONSE_BYTES_MAX, Request, Response, Transport};

/// The browser's fetch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fetch;

/// Gives the request up when dropped.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[async_trait(?Send)]
impl Transport for Fetch {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        let abort = Abort(AbortController::new().map_err(|_| NetworkError::Unreachable)?);
        let timeout = u32::try_from(request.timeout.as_millis()).unwrap_or(u32::MAX);
        let exchange = Box::pin(exchange(&request, &abort.0));
        match select(exchange, TimeoutFuture::new(timeout)).await {
            Either::Left((result, _)) => {
                result.map_err(|error| if is_offline() { NetworkError::Offline } else { error })
            }
            Either::Right(_) => Err(NetworkError::Timeout),
        }
    }
}

async fn exchange(request: &Request, abort: &AbortController) -> Result<Response, NetworkError> {
    let url = JsValue::from_str(&format!("{}{}", request.origin, request.path));
    let text = |text: &str| JsValue::from_str(text);
    let common = [
        ("credentials", &text("omit")),
        ("cache", &text("no-store")),
        ("redirect", &text("error")),
        ("referrerPolicy", &text("no-referrer")),
        ("signal", abort.signal().as_ref()),
    ]
    .map(|(name, value)| (name, value.clone()));
    let mut options = common.to_vec();
    if let Some(body) = &request.body {
        options.push(("method", text("POST")));
        options.push(("headers", object(&[("content-type", &text("application/json"))])));
        options.push(("body", Uint8Array::from(body.as_slice()).into()));
    }
    let options: Vec<(&str, &JsValue)> = options.iter().map(|(name, value)| (*name, value)).collect();

    let global = js_sys::global();
    let fetch = method(&global, "fetch").ok_or(NetworkError::Unreachable)?;
    let reply = settle(fetch.call2(&global, &url, &object(&options))).await?;
    let status = property(&reply, "status").and_then(|status| status.as_f64()).unwrap_or_default() as u16;
    if is_declared_too_large(&reply) {
        return Err(NetworkError::TooLarge);
    }
    let read = method(&reply, "arrayBuffer").ok_or(NetworkError::Unreachable)?;
    let buffer: ArrayBuffer =
        settle(read.call0(&reply)).await?.dyn_into().map_err(|_| NetworkError::Unreachable)?;
    let body = Uint8Array::new(&buffer);
    if body.length() as usize > RESPONSE_BYTES_MAX {
        return Err(NetworkError::TooLarge);
    }
    Ok(Response { status, body: body.to_vec() })
}

async fn settle(promise: Result<JsValue, JsValue>) -> Result<JsValue, NetworkError> {
    let promise: Promise =
        promise.map_err(|_| NetworkError::Unreachable)?.dyn_into().map_err(|_| NetworkError::Unreachable)?;
    JsFuture::from(promise).await.map_err(|_| NetworkError::Unreachable)
}

fn is_declared_too_large(reply: &JsValue) -> bool {
    let length = property(reply, "headers").and_then(|headers| {
        let value = method(&headers, "get")?.call1(&headers, &JsValue::from_str("content-length")).ok()?;
        value.as_string()?.parse::<usize>().ok()
    });
    length.is_some_and(|length| length > RESPONSE_BYTES_MAX)
}

fn is_offline() -> bool {
    let online = navigator().and_then(|navigator| property(&navigator, "onLine"));
    online.and_then(|online| online.as_bool()) == Some(false)
}
