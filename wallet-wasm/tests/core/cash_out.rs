//! Cashing out (spec/01, rule 11).

use tuppence_protocol::scrip::cash_out::CashOutStage;
use tuppence_protocol::{Duration, ErrorCode};
use tuppence_wallet::ports::Clock;
use tuppence_wallet::view::{CashOutState, EntryKind};
use tuppence_wallet::{Problem, Wallet};

use crate::sim::{SHOP, World};

fn with_six_dollars() -> (World, Wallet) {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.run(wallet.earn(SHOP, "survey", &["a".into()])).unwrap();
    (world, wallet)
}

#[test]
fn the_threshold_and_the_fee_are_the_centers() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let terms = world.run(wallet.cash_out_terms()).unwrap();
    assert_eq!((terms.threshold.to_string(), terms.fee.to_string()), ("USD:5".into(), "USD:0.25".into()));
    assert!(!terms.reached);
    let error = world.run(wallet.cash_out("USD:1".parse().unwrap(), "Account 12")).unwrap_err();
    assert!(error.is_refusal(ErrorCode::BelowThreshold), "{error:?}");
    world.assert_at_rest();
}

#[test]
fn an_order_is_placed_and_confirmed() {
    let (world, wallet) = with_six_dollars();
    assert!(world.run(wallet.cash_out_terms()).unwrap().reached);
    let order = world.run(wallet.cash_out("USD:5".parse().unwrap(), " Account 12 ")).unwrap();
    assert_eq!((order.state, order.number), (CashOutState::Ordered, Some(1)));
    assert_eq!(order.destination, "Account 12");
    assert_eq!(world.balance(), "USD:1.04");
    world.assert_at_rest();

    let now = world.clock.now();
    world.outside.borrow_mut().center.settle_payouts(CashOutStage::Confirmed, now);
    let orders = world.run(wallet.cash_out_orders()).unwrap();
    assert_eq!(orders[0].state, CashOutState::Confirmed);
    assert_eq!(world.balance(), "USD:1.04");
    world.assert_at_rest();
}

#[test]
fn a_returned_order_is_back_in_the_balance_with_its_entry() {
    let (world, wallet) = with_six_dollars();
    world.run(wallet.cash_out("USD:5".parse().unwrap(), "Account 12")).unwrap();
    let now = world.clock.now();
    world.outside.borrow_mut().center.settle_payouts(CashOutStage::Returned, now);
    let orders = world.run(wallet.cash_out_orders()).unwrap();
    assert_eq!(orders[0].state, CashOutState::Returned);
    assert_eq!(world.balance(), "USD:6.04");
    let entry = &world.run(wallet.history(None, 1)).unwrap()[0];
    assert_eq!((entry.kind, entry.change.amount.to_string()), (EntryKind::CashOutReturned, "USD:5".into()));
    world.assert_at_rest();
}

#[test]
fn a_returned_order_is_found_by_the_next_payment_too() {
    let (world, wallet) = with_six_dollars();
    world.run(wallet.cash_out("USD:5".parse().unwrap(), "Account 12")).unwrap();
    world.wait(Duration::from_minutes(60));
    let now = world.clock.now();
    world.outside.borrow_mut().center.settle_payouts(CashOutStage::Returned, now);
    world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap();
    assert_eq!(world.balance(), "USD:6.01");
    let kinds: Vec<_> = world.run(wallet.history(None, 2)).unwrap().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Paid, EntryKind::CashOutReturned]);
    world.assert_at_rest();
}

#[test]
fn a_destination_that_is_no_line_of_text_is_refused_at_once() {
    let (world, wallet) = with_six_dollars();
    let asked = world.faults.count("/api/v1/cash-out");
    for destination in ["", "   ", "two\nlines", &"x".repeat(401)] {
        let error = world.run(wallet.cash_out("USD:5".parse().unwrap(), destination)).unwrap_err();
        assert!(error.is(Problem::ArgumentInvalid), "{destination:?}: {error:?}");
    }
    assert_eq!(world.faults.count("/api/v1/cash-out"), asked);
}
