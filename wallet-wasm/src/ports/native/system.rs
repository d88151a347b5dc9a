//! Time and chance, as the system has them.

use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tuppence_protocol::{Duration, Timestamp};

use crate::ports::{Clock, Random, RandomError};

/// The device's clock. Sleeping needs a Tokio runtime with time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait(?Send)]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(std::time::Duration::from_millis(duration.as_millis())).await;
    }
}

/// The system's own source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(|_| RandomError)
    }
}
