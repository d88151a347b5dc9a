//! T5: the wallet crashes at every single await of every operation. Reopened, it ends with the money right.

use std::future::Future;
use std::pin::Pin;

use tuppence_protocol::Duration;
use tuppence_protocol::scrip::center::StepKind;
use tuppence_wallet::Wallet;

use crate::sim::{SHOP, World};

type Act = fn(Wallet) -> Pin<Box<dyn Future<Output = ()>>>;

fn earn(wallet: Wallet) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        let _ = wallet.earn(SHOP, "spot", &["a".into()]).await;
    })
}

fn pay(wallet: Wallet) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        let _ = wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap()).await;
    })
}

fn cash_out(wallet: Wallet) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        let _ = wallet.cash_out("USD:5".parse().unwrap(), "Account 12").await;
    })
}

fn resync(wallet: Wallet) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        let _ = wallet.resync().await;
    })
}

fn resume(world: &World) {
    let wallet = world.wallet();
    let open = world.run(wallet.resume()).unwrap();
    assert!(open.is_empty(), "still open: {open:?}");
}

/// Crashes `act` at every point in turn, and hands each wreck to `check`. Tells how many points there were.
fn at_every_point(base: &World, act: Act, check: impl Fn(&World)) -> u32 {
    for points in 0.. {
        let world = base.copy();
        let wallet = world.wallet();
        world.faults.crash_after(points);
        let finished = world.run_until_crash(act(wallet)).is_some();
        world.faults.mend();
        check(&world);
        if finished {
            return points;
        }
    }
    unreachable!("every operation ends")
}

fn rich() -> World {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.run(wallet.earn(SHOP, "survey", &["a".into()])).unwrap();
    assert_eq!(world.balance(), "USD:6.04");
    world
}

#[test]
fn a_payment_that_crashed_anywhere_is_finished_or_never_was() {
    let base = World::with_four_cents();
    let points = at_every_point(&base, pay, |world| {
        resume(world);
        world.assert_at_rest();
        let wallet = world.wallet();
        let paid = world.outside.borrow().center.posted(StepKind::Payment);
        let library = world.run(wallet.library()).unwrap();
        assert_eq!(library.len(), paid, "what was paid is in the library, and nothing else");
        assert_eq!(world.balance(), if paid == 1 { "USD:0.01" } else { "USD:0.04" });
    });
    assert!(points > 20, "only {points} points");
}

#[test]
fn a_payment_that_crashed_anywhere_and_is_tried_again_is_charged_once() {
    let base = World::with_four_cents();
    at_every_point(&base, pay, |world| {
        let wallet = world.wallet();
        world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap();
        world.assert_at_rest();
        assert_eq!(world.outside.borrow().center.posted(StepKind::Payment), 1);
        assert_eq!(world.balance(), "USD:0.01");
    });
}

#[test]
fn a_payment_that_crashed_anywhere_and_whose_resumption_crashed_too_is_charged_once() {
    let base = World::with_four_cents();
    at_every_point(&base, pay, |wreck| {
        at_every_point(
            wreck,
            |wallet| {
                Box::pin(async move {
                    let _ = wallet.resume().await;
                })
            },
            |world| {
                resume(world);
                world.assert_at_rest();
                assert!(world.outside.borrow().center.posted(StepKind::Payment) <= 1);
            },
        );
    });
}

#[test]
fn a_payment_that_was_left_alone_for_too_long_is_taken_back_or_done() {
    let base = World::with_four_cents();
    for wait in [Duration::from_minutes(11), Duration::from_days(3), Duration::from_days(400)] {
        at_every_point(&base, pay, |world| {
            world.wait(wait);
            let now = tuppence_wallet::ports::Clock::now(&world.clock);
            world.outside.borrow_mut().center.sweep(now);
            resume(world);
            world.assert_at_rest();
            // What came back, or expired, can be spent.
            let wallet = world.wallet();
            world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap();
            world.assert_at_rest();
            assert_eq!(world.balance(), "USD:0.01");
        });
    }
}

#[test]
fn an_answer_that_crashed_anywhere_is_rewarded_once() {
    let base = World::with_four_cents();
    let points = at_every_point(&base, earn, |world| {
        resume(world);
        world.assert_at_rest();
        let wallet = world.wallet();
        // Whatever was resumed or not, the answer is given once more at most.
        let _ = world.run(wallet.earn(SHOP, "spot", &["a".into()]));
        world.assert_at_rest();
        assert_eq!(world.outside.borrow().center.posted(StepKind::Issue), 2, "the quiz, and this");
        assert_eq!(world.balance(), "USD:0.06");
    });
    assert!(points > 20, "only {points} points");
}

#[test]
fn an_answer_that_was_left_alone_for_too_long_is_rewarded_all_the_same() {
    let base = World::with_four_cents();
    at_every_point(&base, earn, |world| {
        world.wait(Duration::from_days(3));
        let now = tuppence_wallet::ports::Clock::now(&world.clock);
        world.outside.borrow_mut().center.sweep(now);
        let wallet = world.wallet();
        let was_open = !world.run(wallet.pending()).unwrap().is_empty();
        resume(world);
        world.assert_at_rest();
        if was_open {
            assert_eq!(world.balance(), "USD:0.06", "the offer had expired, but the answer counts");
        }
        let _ = world.run(wallet.earn(SHOP, "spot", &["a".into()]));
        world.assert_at_rest();
        assert_eq!(world.balance(), "USD:0.06");
    });
}

#[test]
fn a_cash_out_that_crashed_anywhere_is_ordered_once_or_never_was() {
    let base = rich();
    at_every_point(&base, cash_out, |world| {
        resume(world);
        world.assert_at_rest();
        let ordered = world.outside.borrow().center.posted(StepKind::CashOut);
        let wallet = world.wallet();
        assert_eq!(world.run(wallet.cash_out_orders()).unwrap().len(), ordered);
        assert_eq!(world.balance(), if ordered == 1 { "USD:1.04" } else { "USD:6.04" });
    });
}

#[test]
fn a_cancellation_that_crashed_anywhere_has_one_outcome() {
    for sent in [false, true] {
        let base = open_payment(sent);
        at_every_point(
            &base,
            |wallet| {
                Box::pin(async move {
                    let id = wallet.pending().await.unwrap()[0].id.clone();
                    let _ = wallet.cancel(&id).await;
                })
            },
            |world| {
                resume(world);
                world.assert_at_rest();
            },
        );
    }
}

/// A payment whose S4 did or did not reach the center.
fn open_payment(sent: bool) -> World {
    let base = World::with_four_cents();
    for points in 0.. {
        let world = base.copy();
        let wallet = world.wallet();
        world.faults.crash_after(points);
        assert!(world.run_until_crash(pay(wallet)).is_none(), "no such point");
        world.faults.mend();
        let wallet = world.wallet();
        let open = world.run(wallet.pending()).unwrap().len() == 1;
        let known = !world.outside.borrow().center.is_idle();
        if open && known == sent {
            return world;
        }
    }
    unreachable!("a point was found or the payment ended")
}

#[test]
fn a_resynchronisation_that_crashed_anywhere_changes_nothing() {
    let base = World::with_four_cents();
    at_every_point(&base, resync, |world| {
        resume(world);
        world.assert_at_rest();
        assert_eq!(world.balance(), "USD:0.04");
    });
}

#[test]
fn a_registration_that_crashed_anywhere_makes_one_wallet() {
    let base = World::new();
    at_every_point(
        &base,
        |wallet| {
            Box::pin(async move {
                let _ = wallet.register(|_| ()).await;
            })
        },
        |world| {
            let wallet = world.wallet();
            world.run(wallet.resume()).unwrap();
            world.run(wallet.register(|_| ())).unwrap();
            assert_eq!(world.outside.borrow().center.purses.len(), 1, "never a second wallet by accident");
            world.assert_at_rest();
        },
    );
}
