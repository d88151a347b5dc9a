//! Creating the wallet (spec/01, figure 1).

use std::cell::RefCell;

use tuppence_protocol::Duration;
use tuppence_wallet::Problem;
use tuppence_wallet::view::{EntryKind, Progress};

use crate::sim::{CENTER, SHOP, World};

#[test]
fn um1_and_um2_make_a_wallet_of_nothing() {
    let world = World::new();
    let wallet = world.wallet();
    assert!(!world.run(wallet.status()).unwrap().registered);
    let progress = RefCell::new(Vec::new());
    world.run(wallet.register(|step| progress.borrow_mut().push(step))).unwrap();
    let progress = progress.into_inner();
    assert_eq!(progress.first(), Some(&Progress::MeetingCenter));
    assert!(progress.iter().any(|step| matches!(step, Progress::Solving { expected: 64, .. })));
    assert_eq!(progress.last(), Some(&Progress::Done));

    let status = world.run(wallet.status()).unwrap();
    let center = status.center.unwrap();
    assert!(status.registered && !center.pinned);
    assert_eq!(center.origin, CENTER);
    assert_eq!(center.fingerprint.len(), 8 * 4 + 7, "groups of four digits: {}", center.fingerprint);
    world.assert_at_rest();

    let entry = &world.run(wallet.history(None, 10)).unwrap()[0];
    assert_eq!(entry.kind, EntryKind::Registered);
    let detail = world.run(wallet.history_detail(entry.number)).unwrap();
    let names: Vec<_> = detail.exchange.iter().map(|step| (step.name.as_str(), step.code.as_str())).collect();
    assert_eq!(names, [("R1", "UM1"), ("R2", "UM2")]);
}

#[test]
fn whoever_does_not_want_to_wait_stops_the_work_and_nothing_is_kept() {
    let world = World::new();
    let work = |bits| world.outside.borrow_mut().center.center.policy.challenge_bits = bits;
    work(28);
    let wallet = world.wallet();
    let slices = RefCell::new(0);
    let stopped = world.run(wallet.register(|step| {
        if matches!(step, Progress::Solving { .. }) {
            *slices.borrow_mut() += 1;
            wallet.stop_registering();
        }
    }));
    assert!(stopped.unwrap_err().is(Problem::Stopped));
    assert_eq!(slices.into_inner(), 1, "it stops at the next breath");
    assert!(!world.run(wallet.status()).unwrap().registered);
    assert!(world.run(wallet.pending()).unwrap().is_empty());
    assert!(world.outside.borrow().center.purses.is_empty());
    // The wish is forgotten with what it stopped.
    wallet.stop_registering();
    work(6);
    world.run(wallet.register(|_| ())).unwrap();
}

#[test]
fn registering_twice_makes_no_second_wallet() {
    let world = World::new();
    let (first, second) = (world.wallet(), world.wallet());
    world.run(async {
        let both = futures_util::future::join(first.register(|_| ()), second.register(|_| ())).await;
        both.0.unwrap();
        both.1.unwrap();
    });
    assert_eq!(world.outside.borrow().center.purses.len(), 1);
}

#[test]
fn a_challenge_that_expired_before_r1_arrived_is_replaced() {
    let world = World::new();
    let wallet = world.wallet();
    // R1 is stored, and the tab closed before it was sent.
    for points in 0.. {
        let world = world.copy();
        let wallet = world.wallet();
        world.faults.crash_after(points);
        assert!(world.run_until_crash(wallet.register(|_| ())).is_none());
        world.faults.mend();
        let wallet = world.wallet();
        if !world.run(wallet.pending()).unwrap().is_empty() {
            world.wait(Duration::from_days(1));
            world.run(wallet.register(|_| ())).unwrap();
            world.assert_at_rest();
            break;
        }
    }
    world.run(wallet.register(|_| ())).unwrap();
}

#[test]
fn without_a_wallet_nothing_is_earned_or_paid() {
    let world = World::new();
    let wallet = world.wallet();
    for error in [
        world.run(wallet.balance()).unwrap_err(),
        world.run(wallet.earn(SHOP, "quiz", &["b".into()])).unwrap_err(),
        world.run(wallet.pay(SHOP, "coins", "USD:1".parse().unwrap())).unwrap_err(),
        world.run(wallet.export()).unwrap_err(),
        world.run(wallet.resync()).unwrap_err(),
    ] {
        assert!(error.is(Problem::NoWallet), "{error:?}");
    }
    // Shops can be looked at.
    assert_eq!(world.run(wallet.articles(SHOP)).unwrap().len(), 3);
}
