//! The one thread: tasks, what they wish for, and what happens when.
//!
//! A task runs until it waits for a port. Which of the tasks that could go on does so is the scheduler's choice, and
//! what has been wished for happens when the queue says so: nothing here depends on the machine.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_channel::oneshot;
use tuppence_server::storefront::ports::Later;
use tuppence_wallet::ports::NetworkError;

/// A task's name; the later one is the younger one.
pub type TaskId = u64;

/// A process that can be ended as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A tab of a device.
    Tab(usize, usize),
    /// A shop.
    Shop(usize),
    /// A reader without a wallet.
    Reader(usize),
}

/// Whom a request comes from or goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// The payment center.
    Center,
    /// A shop.
    Shop(usize),
    /// A device with its tab.
    Device(usize, usize),
    /// A reader without a wallet.
    Reader(usize),
    /// Whoever means harm.
    Rogue,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Where an answer is waited for.
pub type Answer = oneshot::Sender<Result<Reply, NetworkError>>;

/// What a task asks of the world.
pub enum Wish {
    /// A request, and its answer within some milliseconds.
    Send {
        /// From whom.
        from: Party,
        /// To whom; nobody, where there is nobody at this address.
        to: Option<Party>,
        /// The path below `/api/v1/`.
        path: String,
        /// JSON, or nothing for a GET.
        body: Option<Vec<u8>>,
        /// How long the sender waits.
        patience: u64,
        /// Where it waits.
        answer: Answer,
    },
    /// To be told when some milliseconds have passed.
    Wait(u64, oneshot::Sender<()>),
    /// A task beside this one, of the same owner.
    Spawn(Later<'static, ()>),
    /// A shop's answer to a request that was delivered to it.
    Answer(u64, Reply),
}

/// Where tasks leave their wishes. The world takes them after each of the task's turns.
pub type Wishes = Arc<Mutex<Vec<Wish>>>;

/// Holds a lock that only one thread ever takes.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for `millis` by the world's time.
pub fn wait(wishes: &Wishes, millis: u64) -> impl Future<Output = ()> + Send + use<> {
    let (done, waiting) = oneshot::channel();
    lock(wishes).push(Wish::Wait(millis, done));
    async move {
        // A world that has ended tells nobody.
        if waiting.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Lets other tasks have their turn.
pub fn turn() -> impl Future<Output = ()> {
    let mut waited = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

struct Task {
    owner: Owner,
    future: Pin<Box<dyn Future<Output = ()>>>,
    waker: Waker,
}

struct Ready {
    task: TaskId,
    ready: Arc<Mutex<BTreeSet<TaskId>>>,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        lock(&self.ready).insert(self.task);
    }
}

/// The world's time, in milliseconds since the epoch, and a clock that shows it with an error of its own.
#[derive(Debug, Clone)]
pub struct Time {
    now: Arc<AtomicU64>,
    error: Arc<AtomicU64>,
}

impl Time {
    /// A clock that is right.
    pub fn new(now: u64) -> Self {
        Time { now: Arc::new(AtomicU64::new(now)), error: Arc::default() }
    }

    /// Another clock of the same world, right so far.
    #[must_use]
    pub fn clock(&self) -> Time {
        Time { now: self.now.clone(), error: Arc::default() }
    }

    /// What the clock shows.
    pub fn shown(&self) -> u64 {
        self.now.load(Ordering::Relaxed).wrapping_add(self.error.load(Ordering::Relaxed))
    }

    /// Sets the clock's error, in milliseconds ahead.
    pub fn set_error(&self, ahead: i64) {
        self.error.store(ahead.cast_unsigned(), Ordering::Relaxed);
    }

    /// The clock's error, in milliseconds ahead.
    pub fn error(&self) -> i64 {
        self.error.load(Ordering::Relaxed).cast_signed()
    }

    fn move_on(&self, now: u64) {
        self.now.fetch_max(now, Ordering::Relaxed);
    }
}

/// Tasks and the queue of what is to happen.
pub struct Kernel<E> {
    time: Time,
    tasks: BTreeMap<TaskId, Task>,
    ready: Arc<Mutex<BTreeSet<TaskId>>>,
    next: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, E>,
}

impl<E> Kernel<E> {
    /// Nothing to do yet.
    pub fn new(time: Time) -> Self {
        Kernel {
            time,
            tasks: BTreeMap::new(),
            ready: Arc::default(),
            next: 0,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
        }
    }

    /// The world's time, in milliseconds since the epoch.
    pub fn now(&self) -> u64 {
        self.time.shown()
    }

    /// Adds a task, ready to run.
    pub fn spawn(&mut self, owner: Owner, future: Pin<Box<dyn Future<Output = ()>>>) -> TaskId {
        let id = self.number();
        let waker = Waker::from(Arc::new(Ready { task: id, ready: self.ready.clone() }));
        self.tasks.insert(id, Task { owner, future, waker });
        lock(&self.ready).insert(id);
        id
    }

    /// Ends every task of `owner` where it stands; nothing of it runs again.
    pub fn end(&mut self, owner: Owner) {
        let ended: Vec<TaskId> =
            self.tasks.iter().filter(|(_, task)| task.owner == owner).map(|(id, _)| *id).collect();
        for id in ended {
            let task = self.tasks.remove(&id);
            lock(&self.ready).remove(&id);
            // What it drops may wake others.
            drop(task);
        }
    }

    /// How many tasks `owner` has.
    pub fn count(&self, owner: Owner) -> usize {
        self.tasks.values().filter(|task| task.owner == owner).count()
    }

    /// Lets `event` happen `delay` milliseconds from now.
    pub fn schedule(&mut self, delay: u64, event: E) {
        let number = self.number();
        self.queue.push(Reverse((self.now().saturating_add(delay), number)));
        self.events.insert(number, event);
    }

    /// How many tasks could go on.
    pub fn ready(&self) -> usize {
        lock(&self.ready).len()
    }

    /// Gives one of the ready tasks its turn: the one at `place` among them, by age. Tells whose it was.
    pub fn run(&mut self, place: usize) -> Option<(TaskId, Owner)> {
        let id = {
            let mut ready = lock(&self.ready);
            let id = *ready.iter().nth(place)?;
            ready.remove(&id);
            id
        };
        let task = self.tasks.get_mut(&id)?;
        let owner = task.owner;
        let waker = task.waker.clone();
        let ended = task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        if ended {
            self.tasks.remove(&id);
            lock(&self.ready).remove(&id);
        }
        Some((id, owner))
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Option<u64> {
        self.queue.peek().map(|Reverse((at, _))| *at)
    }

    /// Everything sleeps for so many milliseconds; what was due meanwhile happens afterwards.
    pub fn pass_over(&mut self, millis: u64) {
        self.time.move_on(self.now().saturating_add(millis));
    }

    /// What happens next; time moves on to it.
    pub fn happen(&mut self) -> Option<E> {
        let Reverse((at, number)) = self.queue.pop()?;
        self.time.move_on(at);
        self.events.remove(&number)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}
