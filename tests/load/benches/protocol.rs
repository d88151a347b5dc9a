//! What the rules of a payment cost by themselves: no store, no network.
#![allow(missing_docs, reason = "criterion's macros make functions without any")]
#![allow(clippy::unwrap_used, reason = "a benchmark that fails shall say so")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tuppence_load::books::Books;
use tuppence_load::buyer::{self, Work};
use tuppence_protocol::Seal;
use tuppence_protocol::scrip::buyer::{Ecash, Offer, Started};
use tuppence_protocol::scrip::center::{Change, Found, Seller};
use tuppence_protocol::scrip::payment::PaymentStart;
use tuppence_server::clock::{Clock, SystemClock};

fn payment(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let books = Books::create(folder.path(), 1).unwrap();
    let (center, now) = (&books.center, SystemClock.now());
    let purse = books.purse(1, None).unwrap();
    let record = books.purse_record(1).unwrap();
    let offer = buyer::offer(&books, Work::Payments, &purse, [7; 10]).unwrap();
    let Offer::Payment(order) = &offer else { return };
    let awaiting = purse.start(offer.clone(), now).unwrap();
    let message = PaymentStart {
        header: tuppence_protocol::scrip::Header::new(tuppence_protocol::scrip::Code::Pm4_1, now),
        scrip: purse.scrip.clone(),
        order: order.clone(),
        hash: Seal::from_bytes([0; 32]),
        p_count: 0,
    };
    let message = PaymentStart { hash: message.seal(&purse.custom_secret), ..message };
    let json = serde_json::to_vec(&message).unwrap();
    let ring = books.ring();
    let seller = Seller { number: 1, id: books.seller.vendor_id(), secrets: &ring };
    let found = Found { purse: Some(&record), seller: Some(seller), ..Found::default() };
    let begun = center.payment(&message, found, now).unwrap();
    let Some(Change::Began(step)) = begun.changes.first().cloned() else { return };
    let pending = begun.purse.clone().unwrap();
    let reply = serde_json::to_vec(&begun.reply).unwrap();
    let ecash = Ecash::Payment(begun.reply);
    let Started::Ours(receipt) = awaiting.receive(&ecash, &purse.custom_secret, now).unwrap() else { return };
    let finishing = Found { purse: Some(&pending), pending: Some(&step), step: Some(&step), ..found };

    let mut group = criterion.benchmark_group("protocol");
    group.bench_function("S4 is decoded", |b| {
        b.iter(|| serde_json::from_slice::<PaymentStart>(black_box(&json)).unwrap());
    });
    group.bench_function("S4 is encoded", |b| b.iter(|| serde_json::to_vec(black_box(&message)).unwrap()));
    group.bench_function("S4 is sealed", |b| b.iter(|| black_box(&message).seal(&purse.custom_secret)));
    group.bench_function("a buyer's secret is derived", |b| {
        b.iter(|| center.keys.custom_secret(black_box(record.custom_id)).unwrap());
    });
    group.bench_function("the center takes S4", |b| {
        b.iter(|| center.payment(black_box(&message), found, now).unwrap());
    });
    group.bench_function("the buyer takes S5", |b| {
        b.iter(|| awaiting.receive(black_box(&ecash), &purse.custom_secret, now).unwrap());
    });
    group.bench_function("the center takes S6", |b| {
        b.iter(|| center.finish(black_box(&receipt.finish), finishing, now).unwrap());
    });
    group.bench_function("S5 is decoded", |b| {
        b.iter(|| {
            serde_json::from_slice::<tuppence_protocol::scrip::payment::PaymentBalance>(black_box(&reply))
                .unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, payment);
criterion_main!(benches);
