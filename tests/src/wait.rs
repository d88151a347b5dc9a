//! Waiting for a condition with a deadline: the only place where a test sleeps.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The longest that anything a person waits for may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(40);

/// Looks again and again until `look` gives something, and gives that.
///
/// # Errors
/// When [`PATIENCE`] is over, with what was waited for and what was seen last; and where `look` fails for good.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Seen<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        let seen = match look().await? {
            Seen::Ready(value) => return Ok(value),
            Seen::NotYet(seen) => seen,
        };
        if started.elapsed() > PATIENCE {
            bail!("waited {} s for {what}, but saw: {seen}", PATIENCE.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What one look has seen.
#[derive(Debug)]
pub enum Seen<T> {
    /// What was waited for.
    Ready(T),
    /// Something else, in words.
    NotYet(String),
}
