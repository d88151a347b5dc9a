//! T6: several tabs of one browser.

use std::cell::RefCell;
use std::rc::Rc;

use tuppence_wallet::view::WalletEvent;

use crate::sim::{SHOP, World};

#[test]
fn two_tabs_that_pay_at_once_take_turns_and_nothing_is_lost() {
    let world = World::with_four_cents();
    let (first, second) = (world.wallet(), world.wallet());
    let (a, b) = world.run(futures_util::future::join(
        first.pay(SHOP, "coins", "USD:0.03".parse().unwrap()),
        second.pay(SHOP, "bread", "USD:0.01".parse().unwrap()),
    ));
    assert!(a.unwrap().charged && b.unwrap().charged);
    assert_eq!(world.balance(), "USD:0");
    world.assert_at_rest();
}

#[test]
fn two_tabs_that_answer_one_question_are_rewarded_once() {
    let world = World::with_four_cents();
    let (first, second) = (world.wallet(), world.wallet());
    let answers = ["a".to_owned()];
    let (a, b) = world.run(futures_util::future::join(
        first.earn(SHOP, "spot", &answers),
        second.earn(SHOP, "spot", &answers),
    ));
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|earned| **earned).count(), 1);
    assert_eq!(world.balance(), "USD:0.06");
    world.assert_at_rest();
}

#[test]
fn what_one_tab_does_the_others_hear() {
    let world = World::with_four_cents();
    let (first, second) = (world.wallet(), world.wallet());
    let heard = Rc::new(RefCell::new(Vec::new()));
    let subscriptions = [&first, &second].map(|wallet| {
        let heard = heard.clone();
        wallet.subscribe(move |event| {
            if let WalletEvent::Entry { entry } = event {
                heard.borrow_mut().push(entry.change.amount.to_string());
            }
        })
    });
    world.run(first.pay(SHOP, "bread", "USD:0.01".parse().unwrap())).unwrap();
    assert_eq!(*heard.borrow(), ["USD:0.01", "USD:0.01"], "this tab, and the other one");
    drop(subscriptions);
    world.run(second.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap();
    assert_eq!(heard.borrow().len(), 2, "nobody listens any more");
}

#[test]
fn a_tab_that_crashed_in_the_middle_leaves_the_purse_to_the_other() {
    let base = World::with_four_cents();
    for points in 0.. {
        let world = base.copy();
        let (first, second) = (world.wallet(), world.wallet());
        world.faults.crash_after(points);
        let price = "USD:0.03".parse().unwrap();
        let finished = world.run_until_crash(first.pay(SHOP, "coins", price)).is_some();
        world.faults.mend();
        let paid = world.run(second.pay(SHOP, "bread", "USD:0.01".parse().unwrap())).unwrap();
        assert!(paid.charged);
        world.assert_at_rest();
        if finished {
            return;
        }
    }
}
