//! The desk where wallets register: who is served, who waits, who is sent away before RSA costs anything (T12, T14).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tuppence_protocol::ErrorCode;
use tuppence_protocol::scrip::registration::RegistrationReply;

use crate::http::error::ApiError;
use crate::http::middleware::rate::RateLimit;

/// The longest that a registration waits for its turn.
const TURN_TIME_MAX: Duration = Duration::from_secs(5);

/// How many wait for one turn, before the next one is sent away at once.
const WAITING_MAX: usize = 32;

/// Answers that are kept at hand, so that a repetition costs no decryption.
const ANSWERS_MAX: usize = 4_096;

/// The reply to one R1, once it is known. Whoever sends the same meanwhile waits for it here.
pub(super) type Answer = Arc<OnceCell<RegistrationReply>>;

/// What registrations share.
pub(super) struct Desk {
    /// Registrations from one network prefix.
    pub limit: RateLimit,
    /// RSA decryptions that were begun.
    pub decryptions: Counter,
    turns: Arc<Semaphore>,
    line: Arc<Semaphore>,
    answers: Mutex<Answers>,
}

/// The right to decrypt one envelope.
pub(super) struct Turn {
    _turn: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Desk {
    /// A desk with so many decryptions at once.
    pub fn new(limit: RateLimit, decryptions_max: usize) -> Self {
        let turns = decryptions_max.clamp(1, Semaphore::MAX_PERMITS / (WAITING_MAX + 1));
        Desk {
            limit,
            decryptions: Counter::default(),
            turns: Arc::new(Semaphore::new(turns)),
            line: Arc::new(Semaphore::new(turns.saturating_mul(WAITING_MAX + 1))),
            answers: Mutex::default(),
        }
    }

    /// Waits for a turn, and counts it. A flood fills the line and no more, so that requests of other kinds find
    /// room in the server.
    ///
    /// # Errors
    /// `busy` where the line is full, or takes too long.
    pub async fn turn(&self) -> Result<Turn, ApiError> {
        let busy = || ApiError::new(ErrorCode::Busy, "Many wallets register just now.");
        let place = self.line.clone().try_acquire_owned().map_err(|_| busy())?;
        let turn = timeout(TURN_TIME_MAX, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        self.decryptions.inc();
        Ok(Turn { _turn: turn, _place: place })
    }

    /// Where the reply to the R1 of this digest is, or will be.
    pub fn answer(&self, digest: [u8; 32]) -> Answer {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).of(digest)
    }
}

/// The newest answers by the digest of their R1.
#[derive(Default)]
struct Answers {
    by_digest: HashMap<[u8; 32], Answer>,
    oldest_first: VecDeque<[u8; 32]>,
}

impl Answers {
    fn of(&mut self, digest: [u8; 32]) -> Answer {
        if let Some(answer) = self.by_digest.get(&digest) {
            return answer.clone();
        }
        if self.oldest_first.len() >= ANSWERS_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.by_digest.remove(&oldest);
        }
        self.oldest_first.push_back(digest);
        self.by_digest.entry(digest).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[tokio::test]
    async fn beyond_those_that_wait_a_registration_is_sent_away_at_once() {
        let desk = Desk::new(RateLimit::new(NonZeroU32::MIN), 1);
        let turn = desk.turn().await.unwrap();
        // Each makes room for the next one.
        let waiting: Vec<_> = (0..WAITING_MAX).map(|_| async { desk.turn().await.map(drop) }).collect();
        let line = futures_util::future::join_all(waiting);
        let beyond = async {
            let refused = desk.turn().await.err().unwrap();
            assert_eq!(refused.code(), ErrorCode::Busy);
            assert_eq!(desk.decryptions.get(), 1, "those that wait have cost nothing yet");
            drop(turn);
        };
        let (served, ()) = futures_util::future::join(line, beyond).await;
        assert!(served.into_iter().all(|turn| turn.is_ok()));
        assert_eq!(desk.decryptions.get(), u64::try_from(WAITING_MAX).unwrap() + 1);
    }

    #[test]
    fn only_the_newest_answers_are_kept() {
        let mut answers = Answers::default();
        let digest = |number: usize| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_be_bytes());
            digest
        };
        let first = answers.of(digest(0));
        assert!(Arc::ptr_eq(&first, &answers.of(digest(0))));
        for number in 1..=ANSWERS_MAX {
            answers.of(digest(number));
        }
        assert_eq!((answers.by_digest.len(), answers.oldest_first.len()), (ANSWERS_MAX, ANSWERS_MAX));
        assert!(!Arc::ptr_eq(&first, &answers.of(digest(0))));
    }
}
