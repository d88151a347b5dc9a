//! Where a shop touches the world besides its store: time, chance, its center, and work beside a request.
//!
//! The program brings the machine's own ([`Ports::system`]); a simulator owns all of them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// Something that ends later, on whatever thread.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// All ports of one shop.
#[derive(Clone)]
pub struct Ports {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// The way to the center.
    pub center: Arc<dyn Transport>,
    /// Work beside a request.
    pub background: Arc<dyn Background>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports")
    }
}

impl Ports {
    /// The machine's clock and randomness, Tokio's tasks and timers, and the center at `origin` through `http`.
    pub fn system(http: reqwest::Client, origin: &str) -> Self {
        Ports {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            center: Arc::new(HttpTransport { http, origin: origin.to_owned() }),
            background: Arc::new(TokioBackground),
        }
    }
}

/// A secure source of random bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// Why there are none to be had.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String>;
}

/// The system's random numbers.
#[derive(Debug, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        getrandom::fill(bytes).map_err(|error| error.to_string())
    }
}

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// An answer of the center, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Carries one request to the center, and its answer back.
pub trait Transport: Send + Sync {
    /// Posts the JSON `body` to `path` below the API's root, or gets `path` where there is none. The error says why no
    /// answer came; the request may have arrived all the same.
    fn send(&self, path: String, body: Option<Vec<u8>>) -> Later<'_, Result<Answer, String>>;
}

/// The center over HTTP.
#[derive(Debug, Clone)]
struct HttpTransport {
    http: reqwest::Client,
    origin: String,
}

impl Transport for HttpTransport {
    fn send(&self, path: String, body: Option<Vec<u8>>) -> Later<'_, Result<Answer, String>> {
        Box::pin(async move {
            let url = format!("{}/api/v1/{path}", self.origin);
            let request = match body {
                Some(json) => {
                    self.http.post(url).header(reqwest::header::CONTENT_TYPE, "application/json").body(json)
                }
                None => self.http.get(url),
            };
            let mut response = request.send().await.map_err(|error| error.to_string())?;
            let mut body = Vec::new();
            while let Some(part) = response.chunk().await.map_err(|error| error.to_string())? {
                body.extend_from_slice(&part);
                if body.len() > ANSWER_BYTES_MAX {
                    return Err("its answer is too long".to_owned());
                }
            }
            Ok(Answer { status: response.status().as_u16(), body })
        })
    }
}

/// Runs what nobody waits for, and tells when time has passed.
pub trait Background: Send + Sync {
    /// Runs `work` to its end, beside everything else.
    fn spawn(&self, work: Later<'static, ()>);

    /// Ends when `duration` has passed from now on.
    fn pause(&self, duration: Duration) -> Later<'static, ()>;
}

/// Tokio's tasks and timers; to be used in its runtime.
#[derive(Debug, Clone, Copy)]
struct TokioBackground;

impl Background for TokioBackground {
    fn spawn(&self, work: Later<'static, ()>) {
        tokio::spawn(work);
    }

    fn pause(&self, duration: Duration) -> Later<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
