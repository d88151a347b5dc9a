//! Time and chance, as the browser has them.

use async_trait::async_trait;
use gloo_timers::future::TimeoutFuture;
use tuppence_protocol::{Duration, Timestamp};

use crate::ports::{Clock, Random, RandomError};

/// The device's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait(?Send)]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // Whole milliseconds, far below 2^53: nothing is lost.
        Timestamp::from_millis(js_sys::Date::now() as u64)
    }

    async fn sleep(&self, duration: Duration) {
        TimeoutFuture::new(u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)).await;
    }
}

/// `crypto.getRandomValues`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(|_| RandomError)
    }
}
