//! Group commit: one thread owns the store, and applies what is waiting as one batch in one transaction.
//!
//! Replies leave after the commit. If it fails, no one in the batch is answered but with
//! [`CommitError::StoreUnavailable`], nothing has happened, and the next batch starts from the store again.

pub mod engine;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tuppence_protocol::{ErrorCode, Refusal, Timestamp};

use super::ended::Ended;
use super::{Directory, Store, StoreError, Wanted, WorkingSet};
use crate::clock::Clock;
use crate::crash::{self, Point};
use engine::{Engine, Served};

/// What commands mean: the center's rules, without I/O.
pub trait Rules: Send + 'static {
    /// What is asked.
    type Command: Send + 'static;
    /// What is answered, once it is durable.
    type Reply: Send + 'static;

    /// Adds what `command` touches. A seller that is not in the directory has no records.
    fn wanted(&self, command: &Self::Command, directory: &Directory, wanted: &mut Wanted);

    /// Applies `command`; the caller takes every change back if it is refused.
    ///
    /// # Errors
    /// The refusal, which is an answer like any other.
    fn apply(
        &self,
        set: &mut WorkingSet,
        command: Self::Command,
        now: Timestamp,
    ) -> Result<Self::Reply, Refusal>;
}

/// How much the committer takes on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Commands in one batch.
    pub batch_max: usize,
    /// Commands that wait; beyond, a sender is told that the center is busy.
    pub queue_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { batch_max: 1_024, queue_max: 16_384 }
    }
}

/// Why a command has no answer of the rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// By the rules.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many commands wait, or the center is stopping.
    #[error("the center is busy")]
    Busy,
    /// The store did not take the batch; nothing has happened.
    #[error("the store did not take this")]
    StoreUnavailable,
    /// The rules failed on this command; nothing has happened.
    #[error("the center failed")]
    Fault,
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(refusal) => refusal,
            CommitError::Busy => Refusal::new(ErrorCode::Busy, "The center is at its limit, or stopping."),
            CommitError::StoreUnavailable => {
                Refusal::new(ErrorCode::StoreUnavailable, "The center cannot write its records just now.")
            }
            CommitError::Fault => Refusal::new(ErrorCode::Fault, "The center failed on this message."),
        }
    }
}

/// What the committer has done since it started.
#[derive(Debug, Default)]
pub struct Meter {
    batches: AtomicU64,
    commands: AtomicU64,
    failures: AtomicU64,
    commit_micros: AtomicU64,
}

/// The counts of a [`Meter`] at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Batches that were committed.
    pub batches: u64,
    /// Commands that were answered.
    pub commands: u64,
    /// Batches that the store did not take.
    pub failures: u64,
    /// Time in commits, in millionths of a second.
    pub commit_micros: u64,
}

impl Meter {
    /// The counts now.
    pub fn read(&self) -> Measured {
        Measured {
            batches: self.batches.load(Ordering::Relaxed),
            commands: self.commands.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            commit_micros: self.commit_micros.load(Ordering::Relaxed),
        }
    }

    fn committed(&self, took: Duration) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.commit_micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }
}

type Answer<T> = oneshot::Sender<Result<T, CommitError>>;

/// Reads from the store between two batches.
type Read = Box<dyn FnOnce(&mut dyn Store) + Send>;

enum Job<R: Rules> {
    Command(R::Command, Answer<R::Reply>),
    Read(Read),
}

/// The thread that owns the store. Dropping it without [`Committer::stop`] lets the thread end by itself,
/// when it has done what waits.
#[derive(Debug)]
pub struct Committer<R: Rules> {
    jobs: mpsc::Sender<Job<R>>,
    thread: JoinHandle<Box<dyn Store>>,
    handle: Handle<R>,
}

impl<R: Rules> Committer<R> {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read or there is no thread to be had.
    pub fn start(
        mut store: Box<dyn Store>,
        rules: R,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel(limits.queue_max.max(1));
        let (directory, directory_seen) = watch::channel(store.directory()?);
        let (meter, ended) = (Arc::<Meter>::default(), Ended::default());
        let handle = Handle {
            jobs: jobs.downgrade(),
            directory: directory_seen,
            meter: Arc::clone(&meter),
            ended: ended.clone(),
        };
        let worker = Worker {
            engine: Engine::new(store, rules, clock),
            batch_max: limits.batch_max.max(1),
            directory,
            meter,
            ended,
        };
        let thread = thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || worker.run(waiting))
            .map_err(|error| StoreError::Unavailable(format!("no thread for the store: {error}")))?;
        Ok(Committer { jobs, thread, handle })
    }

    /// For whoever sends commands.
    pub fn handle(&self) -> Handle<R> {
        self.handle.clone()
    }

    /// Takes no more commands, answers those that wait, and gives the store back. Blocks until then.
    ///
    /// # Errors
    /// [`CommitError::Fault`] if the thread is no more.
    pub fn stop(self) -> Result<Box<dyn Store>, CommitError> {
        drop(self.jobs);
        self.thread.join().map_err(|_| CommitError::Fault)
    }
}

/// Sends commands to the committer.
#[derive(Debug)]
pub struct Handle<R: Rules> {
    jobs: mpsc::WeakSender<Job<R>>,
    directory: watch::Receiver<Arc<Directory>>,
    meter: Arc<Meter>,
    ended: Ended,
}

impl<R: Rules> Clone for Handle<R> {
    fn clone(&self) -> Self {
        Handle {
            jobs: self.jobs.clone(),
            directory: self.directory.clone(),
            meter: Arc::clone(&self.meter),
            ended: self.ended.clone(),
        }
    }
}

impl<R: Rules> Handle<R> {
    /// Sends a command, and waits until its reply is durable.
    ///
    /// # Errors
    /// [`CommitError`]
    pub async fn submit(&self, command: R::Command) -> Result<R::Reply, CommitError> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::Command(command, answer))?;
        answered.await.unwrap_or(Err(CommitError::Fault))
    }

    /// Reads from the store, between two batches.
    ///
    /// # Errors
    /// [`CommitError`], but for a refusal.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, CommitError> {
        let (answer, answered) = oneshot::channel();
        self.send(Job::Read(Box::new(move |store| {
            // Whoever asked may have left.
            let _ = answer.send(read(store));
        })))?;
        match answered.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::error!(%error, "the store cannot be read");
                Err(CommitError::StoreUnavailable)
            }
            Err(_) => Err(CommitError::Fault),
        }
    }

    /// Sellers and campaigns, as of the last commit.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.borrow())
    }

    /// Where the ends of steps are announced.
    pub fn ended(&self) -> &Ended {
        &self.ended
    }

    /// What the committer has done.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    fn send(&self, job: Job<R>) -> Result<(), CommitError> {
        let jobs = self.jobs.upgrade().ok_or(CommitError::Busy)?;
        jobs.try_send(job).map_err(|_| CommitError::Busy)
    }
}

/// What happens on the thread.
struct Worker<R: Rules> {
    engine: Engine<R>,
    batch_max: usize,
    directory: watch::Sender<Arc<Directory>>,
    meter: Arc<Meter>,
    ended: Ended,
}

impl<R: Rules> Worker<R> {
    fn run(mut self, mut waiting: mpsc::Receiver<Job<R>>) -> Box<dyn Store> {
        while let Some(first) = waiting.blocking_recv() {
            let mut batch = Vec::new();
            let mut read = None;
            let mut next = Some(first);
            while let Some(job) = next {
                match job {
                    Job::Command(command, answer) => batch.push((command, answer)),
                    Job::Read(job) => {
                        read = Some(job);
                        break;
                    }
                }
                next = if batch.len() < self.batch_max { waiting.try_recv().ok() } else { None };
            }
            self.serve(batch);
            if let Some(read) = read
                && catch_unwind(AssertUnwindSafe(|| read(self.engine.store()))).is_err()
            {
                tracing::error!("a read of the store panicked");
            }
        }
        self.engine.into_store()
    }

    /// Applies a batch, commits it, and answers.
    fn serve(&mut self, batch: Vec<(R::Command, Answer<R::Reply>)>) {
        if batch.is_empty() {
            return;
        }
        let (commands, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        // A panic leaves no trace but in the working set, which is gone, and in the store's open transaction,
        // which is rolled back when it is dropped.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.engine.serve(commands)));
        let failure = match outcome {
            Ok(Ok(served)) => {
                let results = self.tell(served);
                self.meter.commands.fetch_add(u64::try_from(results.len()).unwrap_or(0), Ordering::Relaxed);
                for (answer, result) in answers.into_iter().zip(results) {
                    // Whoever asked may have left; what they asked for has happened all the same.
                    let _ = answer.send(result);
                }
                crash::at(Point::Answered);
                return;
            }
            Ok(Err(error)) => {
                tracing::error!(%error, commands = answers.len(), "the store did not take a batch");
                CommitError::StoreUnavailable
            }
            Err(_) => {
                tracing::error!(commands = answers.len(), "a batch panicked");
                CommitError::Fault
            }
        };
        self.meter.failures.fetch_add(1, Ordering::Relaxed);
        for answer in answers {
            let _ = answer.send(Err(failure.clone()));
        }
    }

    /// Tells whoever follows the directory or waits for the end of a step; the batch is durable.
    fn tell(&mut self, served: Served<R::Reply>) -> Vec<Result<R::Reply, CommitError>> {
        if let Some(took) = served.commit_time {
            self.meter.committed(took);
        }
        if served.directory_changed
            && let Ok(directory) = self.engine.store().directory()
        {
            self.directory.send_replace(directory);
        }
        for (key, state) in served.ended {
            self.ended.announce(key, &state);
        }
        served.results
    }
}

#[cfg(test)]
mod tests;
