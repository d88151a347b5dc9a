//! Load for a while: connections that are never idle, on as many threads as wanted.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::bare;
use crate::books::Books;
use crate::buyer::{Buyers, Done, Live, Work};
use crate::http::Connection;
use crate::shop::Shop;
use crate::shop::payer::{Method, Payer};

/// How much load, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Connections, each with one request on its way at any time.
    pub connections: u64,
    /// Threads of the generator.
    pub threads: u64,
    /// Time before anything counts.
    pub warm_up: Duration,
    /// Time that counts.
    pub time: Duration,
}

/// What came of a load.
pub struct Outcome<T> {
    /// Everything that ended within the time that counts.
    pub done: Vec<T>,
    /// How long that was.
    pub took: Duration,
}

/// What the connections do now.
struct Phase(AtomicU8);

const COUNTING: u8 = 1;
const OVER: u8 = 2;

impl Phase {
    fn is(&self, phase: u8) -> bool {
        self.0.load(Ordering::Relaxed) == phase
    }
}

/// Lets buyers buy. `marks` is called when the time that counts begins, and again when it ends; what the purses have
/// then is left in `live`, one map for each thread, which fits as long as connections and threads stay as many.
///
/// # Errors
/// If anything was refused.
pub fn buy(
    books: &Books,
    work: Work,
    port: u16,
    load: Load,
    live: &mut Live,
    marks: impl FnMut() -> Result<()>,
) -> Result<Outcome<Done>> {
    let mut parts: Vec<Live> = (0..load.threads).map(|_| Live::new()).collect();
    let share = (books.purses / load.connections).max(1);
    for (customer, scrip) in live.drain() {
        let connection = ((customer - 1) / share).min(load.connections - 1);
        let part = usize::try_from(connection % load.threads)?;
        parts[part].insert(customer, scrip);
    }
    let run = async |thread: u64, phase: &Phase, mut part: Live, done: &RefCell<Vec<Done>>| {
        let purses = Rc::new(RefCell::new(std::mem::take(&mut part)));
        let workers = (0..load.connections).filter(|index| index % load.threads == thread).map(|index| {
            let purses = Rc::clone(&purses);
            async move {
                let mut buyers = Buyers::connect(books, work, port, index, load.connections).await?;
                while !phase.is(OVER) {
                    let bought = buyers.buy(&purses).await?;
                    if phase.is(COUNTING) {
                        done.borrow_mut().push(bought);
                    }
                }
                anyhow::Ok(())
            }
        });
        all(workers).await?;
        Ok(purses.take())
    };
    let (outcome, parts) = over_threads(load, parts, run, marks)?;
    parts.into_iter().for_each(|part| live.extend(part));
    Ok(outcome)
}

/// Posts bodies of `bytes` to the bare endpoint.
///
/// # Errors
/// If it does not answer.
pub fn bare(port: u16, bytes: usize, load: Load, marks: impl FnMut() -> Result<()>) -> Result<Outcome<u32>> {
    let body = vec![b'x'; bytes];
    let run = async |thread: u64, phase: &Phase, (): (), done: &RefCell<Vec<u32>>| {
        let workers = (0..load.connections).filter(|index| index % load.threads == thread).map(|_| async {
            let mut connection = Connection::open(port).await?;
            while !phase.is(OVER) {
                let begun = Instant::now();
                connection.post(bare::PATH, &body).await?;
                if phase.is(COUNTING) {
                    done.borrow_mut().push(u32::try_from(begun.elapsed().as_micros())?);
                }
            }
            anyhow::Ok(())
        });
        all(workers).await
    };
    let parts = (0..load.threads).map(|_| ()).collect();
    let (outcome, _) = over_threads(load, parts, run, marks)?;
    Ok(outcome)
}

/// Lets readers with budgets buy at a shop. The purchases that they use up begin with `first`.
///
/// # Errors
/// If anything was refused.
pub fn sell(
    shop: &Shop,
    method: Method,
    port: u16,
    first: u32,
    load: Load,
    marks: impl FnMut() -> Result<()>,
) -> Result<Outcome<u32>> {
    let connections = u32::try_from(load.connections)?;
    let run = async |thread: u64, phase: &Phase, (): (), done: &RefCell<Vec<u32>>| {
        let workers =
            (0..load.connections).filter(|index| index % load.threads == thread).map(|index| async move {
                let mut payer =
                    Payer::connect(shop, method, port, first + u32::try_from(index)?, connections).await?;
                while !phase.is(OVER) {
                    let micros = payer.buy().await?;
                    if phase.is(COUNTING) {
                        done.borrow_mut().push(micros);
                    }
                }
                anyhow::Ok(())
            });
        all(workers).await
    };
    let parts = (0..load.threads).map(|_| ()).collect();
    let (outcome, _) = over_threads(load, parts, run, marks)?;
    Ok(outcome)
}

/// Runs all of them on this thread, to their ends or the first failure.
async fn all<F: Future<Output = Result<()>>>(workers: impl Iterator<Item = F>) -> Result<()> {
    futures_util::future::try_join_all(workers).await.map(drop)
}

/// Runs `run` on each thread, and says when to count and when to end.
fn over_threads<P: Send, T: Send>(
    load: Load,
    parts: Vec<P>,
    run: impl AsyncFn(u64, &Phase, P, &RefCell<Vec<T>>) -> Result<P> + Sync,
    mut marks: impl FnMut() -> Result<()>,
) -> Result<(Outcome<T>, Vec<P>)> {
    let phase = Phase(AtomicU8::new(0));
    thread::scope(|scope| {
        let threads: Vec<_> = parts
            .into_iter()
            .zip(0..)
            .map(|(part, thread)| {
                let (phase, run) = (&phase, &run);
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    let done = RefCell::new(Vec::with_capacity(1 << 20));
                    let part = runtime.block_on(run(thread, phase, part, &done));
                    // The others must not wait for a thread that has failed.
                    if part.is_err() {
                        phase.0.store(OVER, Ordering::Relaxed);
                    }
                    anyhow::Ok((part?, done.into_inner()))
                })
            })
            .collect();
        wait_for(load.warm_up, &phase);
        let begun = Instant::now();
        let marked = marks();
        let _ = phase.0.compare_exchange(0, COUNTING, Ordering::Relaxed, Ordering::Relaxed);
        wait_for(load.time, &phase);
        phase.0.store(OVER, Ordering::Relaxed);
        let took = begun.elapsed();
        let marked = marked.and_then(|()| marks());
        let (mut done, mut parts) = (Vec::new(), Vec::new());
        for thread in threads {
            let (part, own) = thread.join().map_err(|_| anyhow!("a thread of the generator panicked"))??;
            parts.push(part);
            done.extend(own);
        }
        marked?;
        Ok((Outcome { done, took }, parts))
    })
}

/// Sleeps, but not beyond the end.
fn wait_for(time: Duration, phase: &Phase) {
    let begun = Instant::now();
    while begun.elapsed() < time && !phase.is(OVER) {
        thread::sleep(Duration::from_millis(2).min(time.saturating_sub(begun.elapsed())));
    }
}
