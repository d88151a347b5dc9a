//! Group commit: whoever waits while one transaction is written goes into the next one together, so that many sales
//! cost one fsync. Each piece of work stands or falls by itself, and is answered after the commit alone.

use std::sync::{Arc, mpsc};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::{Result, ShopStore, ShopStoreError};
use crate::crash::{self, Point};

/// How much goes into one transaction at most.
const BATCH_MAX: usize = 256;
/// How much waits at most; whoever comes then waits for a place.
const WAITING_MAX: usize = 4_096;

/// The thread that writes; it ends with the last handle.
#[derive(Debug)]
pub(super) struct Writer {
    sender: mpsc::SyncSender<Box<dyn Job>>,
}

impl Writer {
    /// Starts it.
    ///
    /// # Errors
    /// If the system has no thread.
    pub(super) fn start(store: Arc<ShopStore>) -> Result<Self> {
        let (sender, receiver) = mpsc::sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("shop-writer".to_owned());
        thread.spawn(move || write(&store, &receiver))?;
        Ok(Writer { sender })
    }

    /// Does `work` in the next transaction; what it returns comes after the commit.
    ///
    /// # Errors
    /// What it returned, or that of the commit; then nothing of it was written.
    pub(super) async fn run<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(Work { work: Some(work), done: None, answer });
        let gone = || ShopStoreError::Row("the writer has ended".to_owned());
        if let Err(error) = self.sender.try_send(job) {
            match error {
                mpsc::TrySendError::Disconnected(_) => return Err(gone()),
                mpsc::TrySendError::Full(job) => {
                    let writer = self.clone();
                    let sent = tokio::task::spawn_blocking(move || writer.sender.send(job).is_ok()).await;
                    sent.ok().filter(|sent| *sent).ok_or_else(gone)?;
                }
            }
        }
        answered.await.map_err(|_| gone())?
    }
}

/// Does `work` in a transaction of its own.
///
/// # Errors
/// As [`Writer::run`].
pub(super) fn alone<T>(store: &ShopStore, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    let mut connection = store.lock();
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&change)?;
    change.commit()?;
    Ok(done)
}

trait Job: Send {
    /// Does it, inside a transaction; whether it shall be kept.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Answers; the commit's failure is that of all.
    fn answer(self: Box<Self>, failure: Option<&str>);
}

struct Work<T, F> {
    work: Option<F>,
    done: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Job for Work<T, F> {
    fn run(&mut self, connection: &Connection) -> bool {
        self.done = self.work.take().map(|work| work(connection));
        matches!(self.done, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, failure: Option<&str>) {
        let undone = || Err(ShopStoreError::Row(failure.unwrap_or("nothing was done").to_owned()));
        let done = match (self.done, failure) {
            (Some(done @ Err(_)), _) | (Some(done), None) => done,
            _ => undone(),
        };
        // Nobody may wait any more.
        let _ = self.answer.send(done);
    }
}

fn write(store: &ShopStore, receiver: &mpsc::Receiver<Box<dyn Job>>) {
    while let Ok(first) = receiver.recv() {
        let mut jobs = vec![first];
        jobs.extend(receiver.try_iter().take(BATCH_MAX - 1));
        let failure = batch(store, &mut jobs).err().map(|error| error.to_string());
        for job in jobs {
            job.answer(failure.as_deref());
        }
    }
}

fn batch(store: &ShopStore, jobs: &mut [Box<dyn Job>]) -> Result<()> {
    let mut connection = store.lock();
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Prepared once: this is done for every sale.
    let say = |statement: &str| Ok::<_, ShopStoreError>(change.prepare_cached(statement)?.execute([])?);
    for job in jobs {
        say("SAVEPOINT part")?;
        if !job.run(&change) {
            say("ROLLBACK TO part")?;
        }
        say("RELEASE part")?;
    }
    crash::at(Point::TillWritten);
    change.commit()?;
    crash::at(Point::TillKept);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (tempfile::TempDir, Arc<ShopStore>) {
        let root = tempfile::tempdir().unwrap();
        let store = ShopStore::open(&root.path().join("shop.db")).unwrap();
        (root, Arc::new(store))
    }

    fn set(name: &'static str) -> impl FnOnce(&Connection) -> Result<()> + Send + 'static {
        move |connection| {
            connection.execute("INSERT INTO settings (name, value) VALUES (?1, x'01')", [name])?;
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_fails_leaves_nothing_and_takes_nobody_along() {
        let (_root, store) = open();
        let writer = Arc::new(Writer::start(store.clone()).unwrap());
        let refused = writer.clone().run(|connection| {
            set("half")(connection)?;
            Err::<(), _>(ShopStoreError::Row("no".to_owned()))
        });
        let (first, refused, second) =
            tokio::join!(writer.clone().run(set("first")), refused, writer.clone().run(set("second")));
        assert!(first.is_ok() && refused.is_err() && second.is_ok());
        assert!(store.setting("first").unwrap().is_some() && store.setting("second").unwrap().is_some());
        assert_eq!(store.setting("half").unwrap(), None);
        // The same name again breaks the table's rule, for its own work alone.
        assert!(writer.clone().run(set("first")).await.is_err());
        assert!(writer.run(set("third")).await.is_ok());
    }

    #[test]
    fn a_commit_that_fails_is_everybody_s_failure() {
        let (_root, store) = open();
        let (answer, mut answered) = oneshot::channel();
        let mut job: Box<dyn Job> = Box::new(Work { work: Some(|_: &Connection| Ok(7)), done: None, answer });
        assert!(job.run(&store.lock()));
        job.answer(Some("the disk is full"));
        assert!(answered.try_recv().unwrap().is_err());
    }
}
