//! M3 and S3 held open until the center confirms: many readers wait, one question for each transaction is asked.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::seller::{AwaitingOutcome, Seller, Settled};
use tuppence_protocol::{ErrorCode, Refusal, Timestamp, TranId};

use crate::storefront::center::CenterClient;
use crate::storefront::ports::Background;

/// A center that holds nothing is not asked more often than this.
const PAUSE: Duration = Duration::from_millis(500);

/// For how long a word is remembered. The center holds a question for longer than a wallet waits for M2: the next
/// M1 finds the word.
const REMEMBERED: tuppence_protocol::Duration = tuppence_protocol::Duration::from_minutes(10);
/// How many words are remembered.
const WORDS_MAX: usize = 4_096;

/// The center's word on a transaction, and its clock when it gave it.
#[derive(Debug, Clone)]
pub struct Word {
    /// How the transaction stands.
    pub settled: Settled,
    /// The center's clock.
    pub center_date: Timestamp,
}

type Answer = Result<Word, Refusal>;
type Question = (Code, TranId);

/// Relays to one center.
pub struct Relay {
    center: CenterClient,
    background: Arc<dyn Background>,
    hold: Duration,
    room: Semaphore,
    asked: Mutex<HashMap<Question, watch::Receiver<Option<Answer>>>>,
    heard: Mutex<HashMap<Question, Word>>,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("hold", &self.hold).field("room", &self.room).finish_non_exhaustive()
    }
}

impl Relay {
    /// Holds at most `held_max` requests, each for at most `hold`.
    pub fn new(
        center: CenterClient,
        background: Arc<dyn Background>,
        hold: Duration,
        held_max: usize,
    ) -> Arc<Self> {
        let room = Semaphore::new(held_max.min(Semaphore::MAX_PERMITS));
        Arc::new(Relay { center, background, hold, room, asked: Mutex::default(), heard: Mutex::default() })
    }

    /// Waits until the transaction has ended, the time is up, or `give_up` ends; then it may still be open.
    ///
    /// # Errors
    /// [`ErrorCode::Busy`] if too many requests are held; the center's refusal, or that it cannot be reached.
    pub async fn wait(
        self: &Arc<Self>,
        seller: &Arc<Seller>,
        waiting: &AwaitingOutcome,
        give_up: impl Future<Output = ()>,
    ) -> Result<Settled, Refusal> {
        let _place = self.room.try_acquire().map_err(|_| {
            Refusal::new(ErrorCode::Busy, "Too many readers wait for their payments just now.")
        })?;
        let ended = async {
            loop {
                // From before the question, so that a center that holds it is asked again at once.
                let pause = self.background.pause(PAUSE);
                match self.ask(seller, waiting).await?.settled {
                    Settled::Open => pause.await,
                    settled => return Ok(settled),
                }
            }
        };
        // In this order, so that the simulator's runs repeat themselves, and an end that has come is told.
        tokio::select! {
            biased;
            settled = ended => settled,
            () = self.background.pause(self.hold) => Ok(Settled::Open),
            () = give_up => Ok(Settled::Open),
        }
    }

    /// Asks the center once, together with everybody who asks the same just now.
    ///
    /// # Errors
    /// The center's refusal, or that it cannot be reached.
    pub async fn ask(self: &Arc<Self>, seller: &Arc<Seller>, waiting: &AwaitingOutcome) -> Answer {
        let mut answer = self.question(seller, waiting);
        let answered = answer.wait_for(Option::is_some).await;
        match answered.ok().and_then(|answer| answer.clone()) {
            Some(answer) => answer,
            None => Err(Refusal::new(ErrorCode::Busy, "The shop is stopping.")),
        }
    }

    /// What the center has said lately: by its own clock, less than [`REMEMBERED`] before its newest word.
    pub fn heard(&self, waiting: &AwaitingOutcome) -> Option<Word> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(&key_of(waiting)).cloned()
    }

    fn remember(&self, key: Question, word: &Word) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.retain(|_, known| word.center_date.since(known.center_date) < REMEMBERED);
        if heard.len() < WORDS_MAX {
            heard.insert(key, word.clone());
        }
    }

    /// The question that is under way, or a new one.
    fn question(
        self: &Arc<Self>,
        seller: &Arc<Seller>,
        waiting: &AwaitingOutcome,
    ) -> watch::Receiver<Option<Answer>> {
        let key = key_of(waiting);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // A closed channel is a question whose task was dropped with its thread.
        if let Some(known) = asked.get(&key)
            && known.has_changed().is_ok()
        {
            return known.clone();
        }
        let (sender, receiver) = watch::channel(None);
        asked.insert(key, receiver.clone());
        let (relay, seller, waiting) = (self.clone(), seller.clone(), waiting.clone());
        self.background.spawn(Box::pin(async move {
            let answer = relay.put(&seller, &waiting).await;
            if let Ok(word) = &answer {
                relay.remember(key, word);
            }
            relay.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            sender.send_replace(Some(answer));
        }));
        receiver
    }

    async fn put(&self, seller: &Seller, waiting: &AwaitingOutcome) -> Answer {
        let reply = self.center.relay(waiting.request()).await?;
        let center_date = reply.header.server_date;
        Ok(Word { settled: waiting.settle(seller, reply)?, center_date })
    }
}

fn key_of(waiting: &AwaitingOutcome) -> Question {
    let request = waiting.request();
    (request.header.cmd_type, request.tran_id)
}
