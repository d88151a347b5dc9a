//! One line in the log and one count in the metrics for each request, and its id in every answer.
//!
//! Logged are method, route pattern, status, time and id: no query strings, headers, bodies or addresses.

use std::cell::Cell;
use std::fmt;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use tracing::Instrument;

use crate::http::error::ApiError;
use crate::http::metrics::Metrics;

/// The header that names a request, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a request is called in the log, in its answer, and in the message about a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// A new one, which no other request has.
    fn new() -> Self {
        thread_local! {
            static NEXT: Cell<[u64; 2]> = Cell::new(beginning());
        }
        // The system is asked for randomness once for each thread; splitmix64 gives each count another number.
        let [thread, count] = NEXT.get();
        let count = count.wrapping_add(0x9E37_79B9_7F4A_7C15);
        NEXT.set([thread, count]);
        let mixed = (count ^ (count >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&thread.to_be_bytes()[..4]);
        bytes[4..].copy_from_slice(&(mixed ^ (mixed >> 31)).to_be_bytes());
        let text = tuppence_protocol::bytes::encode(&bytes);
        RequestId(HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0")))
    }

    /// One that a proxy chose: 1 to 64 letters, digits, `-` and `_`.
    pub fn from_text(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        fits.then(|| HeaderValue::from_str(text).ok().map(RequestId)).flatten()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or("?"))
    }
}

/// Where a thread's ids begin. Ids that are the same for all while the system has no randomness do no harm.
fn beginning() -> [u64; 2] {
    let mut random = [0; 16];
    let _ = getrandom::fill(&mut random);
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte));
    [number(&random[..8]), number(&random[8..])]
}

/// Names, times, counts and logs a request, and gives refusals their body.
///
/// # Errors
/// None: what went wrong inside has become a response.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .and_then(RequestId::from_text)
        .unwrap_or_else(RequestId::new);
    request.extensions_mut().insert(id.clone());
    let metrics = request.app_data::<web::Data<Metrics>>().cloned();
    let method = request.method().clone();
    let span = tracing::info_span!("request", %id);

    let response = next.call(request).instrument(span.clone()).await?;

    let _entered = span.enter();
    let mut response = respond(response.map_into_boxed_body(), &id);
    let route = response.request().match_pattern().unwrap_or_else(|| "(other)".to_owned());
    let (status, took) = (response.status(), started.elapsed());
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(%method, route, status = status.as_u16(), took_us, "answered");
    if let Some(metrics) = metrics {
        metrics.answered(&method, route, status, took);
    }
    response.headers_mut().insert(REQUEST_ID, id.0);
    Ok(response)
}

/// A refusal's body, now that the request's id is known; faults are logged with their cause.
fn respond(response: ServiceResponse<BoxBody>, id: &RequestId) -> ServiceResponse<BoxBody> {
    let Some(error) = response.response().error() else { return response };
    let Some(error) = error.as_error::<ApiError>() else {
        tracing::warn!(%error, "an error outside the API's own");
        return response;
    };
    let code = error.code().as_str();
    match error.cause() {
        Some(cause) if response.status().is_server_error() => tracing::error!(code, cause, "failed"),
        Some(cause) => tracing::info!(code, cause, "refused"),
        None => tracing::debug!(code, "refused"),
    }
    let rendered = error.respond(Some(id));
    let (request, old) = response.into_parts();
    let mut rendered = rendered;
    // What the layers inside have added stays: CORS above all.
    for (name, value) in old.headers() {
        if !rendered.headers().contains_key(name) {
            rendered.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, rendered)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn request_ids_from_outside_are_plain_words() {
        for refused in ["", "a b", "a\nb", "ä", "a;b", &"a".repeat(65)] {
            assert!(RequestId::from_text(refused).is_none(), "{refused:?}");
        }
        assert_eq!(RequestId::from_text("Edge-17_b").unwrap().to_string(), "Edge-17_b");
        let ids: HashSet<String> = (0..1_000).map(|_| RequestId::new().to_string()).collect();
        assert!(ids.len() == 1_000 && ids.iter().all(|id| RequestId::from_text(id).is_some()));
        let elsewhere = std::thread::spawn(RequestId::new).join().unwrap().to_string();
        assert!(!ids.contains(&elsewhere));
    }
}
