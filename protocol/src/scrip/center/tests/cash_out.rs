//! Cash-out (rule 11): PM1_1 and PM2_1 with the center as the seller, and a payout that comes back.

use super::*;
use crate::scrip::payment::{PaymentInformation, PaymentMethod, PurchaseRequest};

fn ask(world: &mut World, url: &str) -> Result<PaymentInformation, Refusal> {
    let header = Header::new(Code::Pm1_1, world.now);
    let request =
        PurchaseRequest { header, request_url: url.parse().unwrap(), p_method: PaymentMethod::View };
    let tran_id = world.tran_id();
    world.center.cash_out_offer(&request, tran_id, world.now)
}

#[test]
fn e_cash_becomes_a_payout_less_its_fee() {
    let mut world = World::new();
    let mut buyer = world.buyer("6");
    let information = ask(&mut world, "cash-out:USD:5:GB33 BUKB").unwrap();
    assert_eq!(information.header.cmd_type, Code::Pm2_1);
    let order = information.offer;
    assert_eq!((order.price, order.delivery_method), (usd("5"), DeliveryMethod::Payout));
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    assert_eq!(buyer.value(), usd("1"));
    let receipt = receipt(world.finish(&buyer.finish(Code::Pm6_1, of_payment(&order))).unwrap());
    assert!(receipt.holds(world.center.keys.vendor_secrets.find(1).unwrap()));
    assert_eq!((world.balance(Account::Payouts), world.balance(Account::Fees)), (4_750_000, 250_000));
}

#[test]
fn an_order_is_refused_before_it_costs_anything() {
    let mut world = World::new();
    for (url, expected) in [
        ("https://first.example/", ErrorCode::Malformed),
        ("cash-out:USD:5", ErrorCode::Malformed),
        ("cash-out:EUR:5:x", ErrorCode::CurrencyMismatch),
        ("cash-out:USD:0:x", ErrorCode::AmountOutOfRange),
        ("cash-out:USD:11:x", ErrorCode::AmountOutOfRange),
        ("cash-out:USD:4.999999:x", ErrorCode::BelowThreshold),
    ] {
        assert_eq!(code(ask(&mut world, url)), expected, "{url}");
    }
}

#[test]
fn the_threshold_holds_when_the_offer_is_taken_too() {
    let mut world = World::new();
    let buyer = world.buyer("6");
    let order = ask(&mut world, "cash-out:USD:5:x").unwrap().offer;
    world.center.policy.payout_threshold = usd("6");
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &order))), ErrorCode::BelowThreshold);
}

#[test]
fn a_fee_that_eats_the_whole_order_is_below_every_threshold() {
    let mut world = World::new();
    world.center.policy.payout_threshold = usd("0.1");
    assert_eq!(code(ask(&mut world, "cash-out:USD:0.25:x")), ErrorCode::BelowThreshold);
    ask(&mut world, "cash-out:USD:0.250001:x").unwrap();
}

#[test]
fn the_center_pays_for_no_answers_itself() {
    let mut world = World::new();
    let buyer = world.buyer("0");
    let mut offer = world.issue_offer(&buyer, "0.04");
    offer.vendor_id = world.center.keys.center_id.clone();
    offer.earner = earner(&offer.vendor_id, &buyer.secret);
    let offer = offer.sealed(world.center.keys.vendor_secrets.find(1).unwrap());
    assert_eq!(code(world.m4(&buyer.issue(Code::Gm4_1, &offer))), ErrorCode::OfferForged);
}

#[test]
fn an_offer_of_the_centers_own_that_does_not_say_what_it_pays_is_refused() {
    let mut world = World::new();
    let buyer = world.buyer("6");
    let order = ask(&mut world, "cash-out:USD:5:x").unwrap().offer;
    let secret = world.center.keys.vendor_secrets.find(1).unwrap().clone();
    let other_price = PaymentOffer { price: usd("5.5"), ..order.clone() }.sealed(&secret);
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &other_price))), ErrorCode::AmountOutOfRange);
    let article = PaymentOffer { delivery_method: DeliveryMethod::View, ..order }.sealed(&secret);
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &article))), ErrorCode::OfferForged);
}

#[test]
fn a_cash_out_that_nobody_finishes_comes_back() {
    let mut world = World::new();
    let mut buyer = world.buyer("6");
    let order = ask(&mut world, "cash-out:USD:5:x").unwrap().offer;
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    world.pass_minutes(10);
    buyer.take(&world.finish(&buyer.finish(Code::Pm6_2, None)).unwrap());
    assert_eq!((buyer.value(), world.balance(Account::Payouts)), (usd("6"), 0));
}

#[test]
fn a_returned_payout_raises_the_purse_and_ends_what_was_pending() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    let pending = world.steps.values().next();
    let found = Found { pending, ..Found::default() };
    let outcome = world.center.return_payout(world.purse(&buyer), found, usd("9.9"), world.now).unwrap();
    world.keep(outcome);
    // The payment was not confirmed yet, so it is back too; the purse's limit does not hold it up.
    buyer.take(&world.finish(&buyer.finish(Code::Pm6_2, None)).unwrap());
    assert_eq!((buyer.serial(), buyer.value()), (4, usd("10.9")));
    let finish = world.finish(&buyer.finish(Code::Pm6_2, of_payment(&order))).unwrap();
    assert_eq!(finish.tran_id(), Some(order.tran_id));
}
