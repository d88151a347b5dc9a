//! What a payment costs from the command to the commit, in batches of 64, over both stores.
#![allow(missing_docs, reason = "criterion's macros make functions without any")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a benchmark that fails shall say so")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use tokio::runtime::Runtime;
use tuppence_load::books::Books;
use tuppence_load::buyer::{self, Work};
use tuppence_protocol::Currency;
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::buyer::{AwaitingReceipt, Ecash, Purse, Start, Started};
use tuppence_server::center::{CenterRules, Command, Reply};
use tuppence_server::clock::{Clock, SystemClock};
use tuppence_server::store::Store;
use tuppence_server::store::committer::{Committer, Handle, Limits};
use tuppence_server::store::memory::MemoryStore;
use tuppence_server::store::sqlite::SqliteStore;

/// Payments at the same time.
const BATCH: u64 = 64;

fn batches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("committer, 64 payments at once");
    group.throughput(Throughput::Elements(BATCH)).sample_size(30);
    let folder = tempfile::tempdir().unwrap();
    let books = Books::create(&folder.path().join("sqlite"), BATCH).unwrap();
    let path = books.folder().join("center.sqlite");
    let sqlite: Box<dyn Store> = Box::new(SqliteStore::open(&path, Currency::USD).unwrap());
    let memory = books.write(Box::new(MemoryStore::new(Currency::USD))).unwrap();
    for (name, store) in [("in memory", memory), ("SQLite", sqlite)] {
        let rules = CenterRules::new(books.center.clone());
        let committer = Committer::start(store, rules, Arc::new(SystemClock), Limits::default()).unwrap();
        let mut shop = Shop {
            books: &books,
            handle: committer.handle(),
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            scrips: (0..BATCH).map(|_| None).collect(),
            drawn: 0,
        };
        group.bench_function(name, |b| {
            b.iter_custom(|times| (0..times).map(|_| shop.sells_to_all()).sum::<Duration>());
        });
        drop(committer.stop().unwrap());
    }
    group.finish();
}

struct Shop<'b> {
    books: &'b Books,
    handle: Handle<CenterRules>,
    runtime: Runtime,
    scrips: Vec<Option<Scrip>>,
    drawn: u64,
}

impl Shop<'_> {
    /// Sells an article to every buyer, and says how long the committer took with S4 and S6.
    fn sells_to_all(&mut self) -> Duration {
        let now = SystemClock.now();
        let mut awaiting = Vec::new();
        for customer in 1..=BATCH {
            let scrip = self.scrips[usize::try_from(customer - 1).unwrap()].take();
            let purse = self.books.purse(customer, scrip).unwrap();
            self.drawn += 1;
            let mut random = [0; 10];
            random[..8].copy_from_slice(&self.drawn.to_be_bytes());
            let offer = buyer::offer(self.books, Work::Payments, &purse, random).unwrap();
            awaiting.push((purse.start(offer, now).unwrap(), purse));
        }
        let starts = awaiting.iter().filter_map(|(awaiting, _)| match &awaiting.start {
            Start::Payment(message) => Some(Command::Payment(Box::new(message.clone()))),
            Start::Issue(_) => None,
        });
        let (replies, first) = self.submit(starts.collect());
        let receipts: Vec<(Box<AwaitingReceipt>, Purse)> = replies
            .into_iter()
            .zip(awaiting)
            .map(|(reply, (awaiting, purse))| {
                let Reply::Balance(reply) = reply else { panic!("not an S5") };
                let ecash = Ecash::Payment(reply);
                match awaiting.receive(&ecash, &purse.custom_secret, now).unwrap() {
                    Started::Ours(receipt) => (receipt, purse),
                    Started::Other(..) => panic!("another transaction's S5"),
                }
            })
            .collect();
        let finishes = receipts.iter().map(|(r, _)| Command::Finish(Box::new(r.finish.clone()))).collect();
        let (_, second) = self.submit(finishes);
        for (place, (receipt, _)) in self.scrips.iter_mut().zip(receipts) {
            *place = Some(receipt.finish.new_scrip);
        }
        first + second
    }

    fn submit(&self, commands: Vec<Command>) -> (Vec<Reply>, Duration) {
        let begun = Instant::now();
        let replies = self.runtime.block_on(join_all(commands.into_iter().map(|c| self.handle.submit(c))));
        let took = begun.elapsed();
        (replies.into_iter().map(Result::unwrap).collect(), took)
    }
}

criterion_group!(benches, batches);
criterion_main!(benches);
