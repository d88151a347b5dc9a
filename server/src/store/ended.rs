//! Who waits for the end of a step: the relays of M3 and S3 (spec/01).

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use tuppence_protocol::scrip::center::{StepKey, StepState};

/// The most who wait at once.
const WAITING_MAX: usize = 16_384;

/// Announces the ends of steps, after they are durable.
#[derive(Clone, Default)]
pub struct Ended {
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    by_key: HashMap<StepKey, Vec<(u64, oneshot::Sender<StepState>)>>,
    count: usize,
    next: u64,
}

impl Ended {
    /// Waits for the end of a step, from now on: subscribe first, then ask how the step stands, so that no end
    /// falls in between. Absent if too many wait already.
    pub fn subscribe(&self, key: StepKey) -> Option<Subscription> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        if waiting.count >= WAITING_MAX {
            return None;
        }
        waiting.count += 1;
        waiting.next = waiting.next.wrapping_add(1);
        let ticket = waiting.next;
        waiting.by_key.entry(key).or_default().push((ticket, sender));
        Some(Subscription { ended: self.clone(), key, ticket, receiver })
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().count
    }

    pub(super) fn announce(&self, key: StepKey, state: &StepState) {
        let mut waiting = self.lock();
        let Some(senders) = waiting.by_key.remove(&key) else { return };
        waiting.count = waiting.count.saturating_sub(senders.len());
        for (_, sender) in senders {
            // Whoever waited may have left just now.
            let _ = sender.send(state.clone());
        }
    }

    fn leave(&self, key: StepKey, ticket: u64) {
        let mut waiting = self.lock();
        let Some(senders) = waiting.by_key.get_mut(&key) else { return };
        let before = senders.len();
        senders.retain(|(other, _)| *other != ticket);
        let left = before - senders.len();
        if senders.is_empty() {
            waiting.by_key.remove(&key);
        }
        waiting.count = waiting.count.saturating_sub(left);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Every change of the registry is whole before anything in it could panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended").field("waiting", &self.waiting()).finish()
    }
}

/// A future of how the step ended; dropping it takes the place back. It never resolves if the committer stops
/// first, so it needs a time limit.
#[derive(Debug)]
pub struct Subscription {
    ended: Ended,
    key: StepKey,
    ticket: u64,
    receiver: oneshot::Receiver<StepState>,
}

impl Future for Subscription {
    type Output = StepState;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<StepState> {
        match Pin::new(&mut self.receiver).poll(context) {
            Poll::Ready(Ok(state)) => Poll::Ready(state),
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.ended.leave(self.key, self.ticket);
    }
}
