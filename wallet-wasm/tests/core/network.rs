//! T2: requests and replies that are lost or doubled; a center that is away and comes back.

use tuppence_protocol::scrip::center::StepKind;
use tuppence_wallet::{Money, Problem};

use crate::sim::{Loss, SHOP, World};

const LOSSES: [Loss; 3] = [Loss::Request, Loss::Reply, Loss::Doubled];

/// Runs `act` with each of its requests lost or doubled in turn.
fn with_every_loss(base: &World, act: impl Fn(&World)) {
    for loss in LOSSES {
        for number in 0.. {
            let world = base.copy();
            world.faults.lose(number, loss);
            act(&world);
            if !world.faults.has_lost() {
                break;
            }
            world.faults.mend();
            let wallet = world.wallet();
            world.run(wallet.resume()).unwrap();
            world.assert_at_rest();
        }
    }
}

#[test]
fn one_lost_or_doubled_message_never_changes_what_a_payment_costs() {
    let base = World::with_four_cents();
    with_every_loss(&base, |world| {
        let wallet = world.wallet();
        let paid = world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap()));
        let expected = usize::from(paid.is_ok());
        assert_eq!(world.outside.borrow().center.posted(StepKind::Payment), expected);
    });
}

#[test]
fn one_lost_or_doubled_message_never_changes_what_an_answer_earns() {
    let base = World::with_four_cents();
    with_every_loss(&base, |world| {
        let wallet = world.wallet();
        let earned = world.run(wallet.earn(SHOP, "spot", &["a".into()]));
        let expected = 1 + usize::from(earned.is_ok());
        assert_eq!(world.outside.borrow().center.posted(StepKind::Issue), expected);
    });
}

#[test]
fn one_lost_or_doubled_message_never_makes_a_second_wallet() {
    let base = World::new();
    for loss in LOSSES {
        for number in 0..6 {
            let world = base.copy();
            world.faults.lose(number, loss);
            let wallet = world.wallet();
            let _ = world.run(wallet.register(|_| ()));
            world.faults.mend();
            world.run(wallet.register(|_| ())).unwrap();
            assert_eq!(world.outside.borrow().center.purses.len(), 1, "{loss:?} of request {number}");
        }
    }
}

#[test]
fn a_payment_without_an_answer_is_open_and_finishes_when_the_network_is_back() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    // The shop was asked, and then the line went dead while the money was on its way.
    let mut number = 0;
    let error = loop {
        let world = world.copy();
        let wallet = world.wallet();
        world.faults.crash_after(number);
        if world.run_until_crash(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).is_some() {
            panic!("the payment was never open");
        }
        world.faults.mend();
        let wallet = world.wallet();
        if !world.run(wallet.pending()).unwrap().is_empty() {
            world.faults.offline.set(true);
            let error = world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap_err();
            let open = world.run(wallet.resume()).unwrap();
            assert_eq!(open.len(), 1);
            assert!(open[0].problem.as_ref().unwrap().is(Problem::Offline));
            assert_eq!(open[0].problem.as_ref().unwrap().money, Money::Open);

            world.faults.offline.set(false);
            assert!(world.run(wallet.resume()).unwrap().is_empty());
            world.assert_at_rest();
            assert_eq!(world.balance(), "USD:0.01");
            break error;
        }
        number += 1;
    };
    assert!(error.is(Problem::Offline));
    world.run(wallet.resume()).unwrap();
}

#[test]
fn a_full_device_is_said_so_and_nothing_is_sent() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.faults.storage_full.set(true);
    let error = world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap_err();
    assert!(error.is(Problem::StorageFull), "{error:?}");
    assert_eq!(world.faults.count("/api/v1/payment"), 0);
    world.faults.storage_full.set(false);
    world.assert_at_rest();
}
