//! What the center reserves, pays and returns.

use super::*;
use crate::ErrorCode;
use crate::scrip::payment::PaymentOffer;

/// Charges `units` and gives the session and the budget that follow.
fn charged(world: &World, units: u32) -> (Session, Budget, Chain) {
    let (session, mut budget, mut chain) = world.session("shop");
    let charge = budget.charge(&mut chain, units).unwrap();
    (session.charge(&charge, NOW).unwrap().session, budget, chain)
}

#[test]
fn a_deposit_pays_the_shop_its_units_less_the_fee_and_again_nothing() {
    let world = World::new();
    let (session, ..) = charged(&world, 10);
    let vendor = world.vendor("shop");
    let deposit = vendor.deposit(&session).unwrap().unwrap();
    let first = world.deposit("shop", &deposit, &world.reservation("shop"), NOW).unwrap();
    assert_eq!((first.to_vendor, first.fee, first.to_purse), (usd("0.045"), usd("0.005"), usd("0")));
    assert_eq!(first.reservation.rest().unwrap(), usd("0.2"));
    assert_eq!(first.reply.amount, usd("0.05"));

    let again = world.deposit("shop", &deposit, &first.reservation, later(60)).unwrap();
    assert!(again.to_vendor.is_zero() && again.fee.is_zero() && again.to_purse.is_zero());
    let bytes = |reply: &Paid| serde_json::to_string(reply).unwrap();
    assert_eq!(bytes(&again.reply), bytes(&first.reply), "also when the time is over");

    let session = vendor.confirm(&session, &first.reply).unwrap();
    assert!(vendor.deposit(&session).unwrap().is_none(), "there is nothing more to deposit");
}

#[test]
fn the_fee_does_not_depend_on_how_often_a_shop_deposits() {
    let world = World::new();
    let customer = Customer::at(server("shop"), &Secret::from_bytes([8; 32]));
    let small = Plan { unit: usd("0.000005"), ..plan() };
    let order = customer.authorise(world.certificate(&customer), &small, chain_at("shop").root());
    let mut reservation = world.reserve(&order);
    let vendor = world.vendor("shop");
    let mut session = vendor.open(None, &reservation.countersigned, NOW).unwrap();
    let (mut chain, mut fees) = (chain_at("shop"), 0);
    for index in 1..=10 {
        session = session.charge(&charge_at(&mut chain, &session, index), NOW).unwrap().session;
        let deposit = vendor.deposit(&session).unwrap().unwrap();
        let taken = world.deposit("shop", &deposit, &reservation, NOW).unwrap();
        session = vendor.confirm(&session, &taken.reply).unwrap();
        reservation = taken.reservation;
        fees += taken.fee.micros();
    }
    assert_eq!(fees, 5, "a tenth of fifty millionths; a tenth of five each time would be nothing");
}

#[test]
fn an_older_deposit_pays_nothing_twice() {
    let world = World::new();
    let vendor = world.vendor("shop");
    let (session, mut budget, mut chain) = charged(&world, 10);
    let old = vendor.deposit(&session).unwrap().unwrap();
    let session = session.charge(&budget.charge(&mut chain, 5).unwrap(), NOW).unwrap().session;
    let new = vendor.deposit(&session).unwrap().unwrap();
    let after = world.deposit("shop", &new, &world.reservation("shop"), NOW).unwrap();
    let late = world.deposit("shop", &old, &after.reservation, NOW).unwrap();
    assert!(late.to_vendor.is_zero());
    assert_eq!((late.reservation.paid.index, late.reply.index), (15, 10));
}

#[test]
fn a_last_deposit_returns_the_rest_once() {
    let world = World::new();
    let vendor = world.vendor("shop");
    let (session, mut budget, mut chain) = charged(&world, 10);
    let session = session.charge(&budget.end(&mut chain).unwrap(), NOW).unwrap().session;
    let deposit = vendor.deposit(&session).unwrap().unwrap();
    assert!(deposit.last);
    let ended = world.deposit("shop", &deposit, &world.reservation("shop"), NOW).unwrap();
    assert_eq!((ended.to_vendor, ended.fee, ended.to_purse), (usd("0.045"), usd("0.005"), usd("0.2")));
    assert!(ended.reservation.rest().unwrap().is_zero());

    let again = world.deposit("shop", &deposit, &ended.reservation, later(60)).unwrap();
    assert!(again.to_purse.is_zero() && again.to_vendor.is_zero());
    assert_eq!(again.reservation.closed, Some(NOW), "it stays as it ended");
    assert!(world.broker().close(&ended.reservation, later(60)).unwrap().is_none());
    let session = vendor.confirm(&session, &again.reply).unwrap();
    assert!(vendor.deposit(&session).unwrap().is_none());
}

#[test]
fn after_the_end_a_shop_is_paid_no_more() {
    let world = World::new();
    let vendor = world.vendor("shop");
    let (session, mut budget, mut chain) = charged(&world, 10);
    let more = session.charge(&budget.charge(&mut chain, 1).unwrap(), NOW).unwrap().session;
    let session = session.charge(&Charge { last: true, ..charge_at(&mut chain, &session, 10) }, NOW);
    let last = vendor.deposit(&session.unwrap().session).unwrap().unwrap();
    let ended = world.deposit("shop", &last, &world.reservation("shop"), NOW).unwrap();
    let too_late = vendor.deposit(&more).unwrap().unwrap();
    let refused = world.deposit("shop", &too_late, &ended.reservation, NOW).err();
    assert_eq!(refused, Some(PaywordError::Ended(10)));
}

#[test]
fn the_rest_of_a_forgotten_budget_returns_when_the_grace_is_over() {
    let world = World::new();
    let vendor = world.vendor("shop");
    let (session, ..) = charged(&world, 10);
    let deposit = vendor.deposit(&session).unwrap().unwrap();
    let reservation = world.reservation("shop");
    let over = later(37).plus(Duration::from_millis(1));
    assert!(world.broker().close(&reservation, later(37)).unwrap().is_none());
    assert!(world.deposit("shop", &deposit, &reservation, later(37)).is_ok(), "until then the shop deposits");

    assert_eq!(world.deposit("shop", &deposit, &reservation, over).err(), Some(PaywordError::Ended(0)));
    let closed = world.broker().close(&reservation, over).unwrap().unwrap();
    assert_eq!(closed.to_purse, usd("0.25"));
    assert!(world.broker().close(&closed.reservation, over).unwrap().is_none());
    let refused = world.deposit("shop", &deposit, &closed.reservation, over).err();
    assert_eq!(refused, Some(PaywordError::Ended(0)));
}

#[test]
fn a_deposit_that_is_forged_foreign_or_too_far_on_is_refused() {
    let world = World::new();
    let (session, ..) = charged(&world, 10);
    let genuine = world.vendor("shop").deposit(&session).unwrap().unwrap();
    let secret = Secret::from_bytes([11; 32]);
    let refused = |change: &dyn Fn(&mut Deposit)| {
        let mut deposit = genuine.clone();
        change(&mut deposit);
        let sealed = deposit.sealed(&secret);
        world.deposit("shop", &sealed, &world.reservation("shop"), NOW).err().unwrap()
    };
    let check = |error| PaywordError::Payword(error);
    assert_eq!(refused(&|d| d.payword = Payword::from_bytes([1; 32])), check(CheckError::Forged));
    assert_eq!(refused(&|d| d.index += 1), check(CheckError::Forged));
    assert_eq!(refused(&|d| d.index = LENGTH + 1), check(CheckError::Beyond(LENGTH)));
    assert!(matches!(refused(&|d| d.vendor_id = server("other")), PaywordError::Foreign(_)));
    let other = world.reservation("other").id();
    assert!(matches!(refused(&|d| d.authority_id = other), PaywordError::Foreign(_)));

    let mut unsealed = genuine.clone();
    unsealed.last = true;
    let reservation = world.reservation("shop");
    let forged = world.deposit("shop", &unsealed, &reservation, NOW).err();
    assert!(matches!(forged, Some(PaywordError::Forged(_))));
    let foreign = world.deposit("other", &genuine, &reservation, NOW).err();
    assert!(matches!(foreign, Some(PaywordError::Foreign(_))), "another shop takes nothing");
}

#[test]
fn a_long_chain_is_deposited_in_bounded_steps() {
    let world = World::new();
    let length = 2 * DEPOSIT_JUMP_MAX + 5;
    let long = Plan { length, unit: usd("0.000001"), ..plan() };
    let customer = Customer::at(server("shop"), &Secret::from_bytes([8; 32]));
    let mut generator = long.generator(&server("shop")).unwrap();
    generator.step(length);
    let mut chain = generator.finish().unwrap();
    let order = customer.authorise(world.certificate(&customer), &long, chain.root());
    let mut reservation = world.reserve(&order);
    let vendor = world.vendor("shop");
    let mut session = vendor.open(None, &reservation.countersigned, NOW).unwrap();
    while session.index() < length {
        let next = length.min(session.index() + CHARGE_JUMP_MAX);
        session = session.charge(&charge_at(&mut chain, &session, next), NOW).unwrap().session;
    }
    let mut at_once = vendor.deposit(&session).unwrap().unwrap();
    at_once.index = length;
    at_once.payword = chain.payword(length).unwrap();
    let refused =
        world.deposit("shop", &at_once.sealed(&Secret::from_bytes([11; 32])), &reservation, NOW).err();
    assert_eq!(refused, Some(PaywordError::Payword(CheckError::Jump(DEPOSIT_JUMP_MAX))));

    let mut indices = Vec::new();
    while let Some(deposit) = vendor.deposit(&session).unwrap() {
        let taken = world.deposit("shop", &deposit, &reservation, NOW).unwrap();
        indices.push(deposit.index);
        reservation = taken.reservation;
        session = vendor.confirm(&session, &taken.reply).unwrap();
    }
    assert_eq!(indices, [DEPOSIT_JUMP_MAX, 2 * DEPOSIT_JUMP_MAX, length]);
}

#[test]
fn a_shop_that_lost_its_confirmations_finds_its_way() {
    let world = World::new();
    let vendor = world.vendor("shop");
    let (session, mut budget, mut chain) = charged(&world, 10);
    let deposit = vendor.deposit(&session).unwrap().unwrap();
    let reservation = world.deposit("shop", &deposit, &world.reservation("shop"), NOW).unwrap().reservation;
    let session = session.charge(&budget.charge(&mut chain, 4).unwrap(), NOW).unwrap().session;
    let deposit = vendor.deposit(&session).unwrap().unwrap();
    let taken = world.deposit("shop", &deposit, &reservation, NOW).unwrap();
    assert_eq!(taken.to_vendor, usd("0.018"), "the four units that were not paid before");
}

#[test]
fn a_confirmation_of_what_was_not_deposited_is_refused() {
    let world = World::new();
    let vendor = world.vendor("shop");
    let (session, ..) = charged(&world, 10);
    let deposit = vendor.deposit(&session).unwrap().unwrap();
    let paid = world.deposit("shop", &deposit, &world.reservation("shop"), NOW).unwrap().reply;
    let other = Paid { authority_id: world.reservation("other").id(), ..paid.clone() };
    assert!(matches!(vendor.confirm(&session, &other), Err(PaywordError::Foreign(_))));
    let more = Paid { index: 11, ..paid.clone() };
    assert!(matches!(vendor.confirm(&session, &more), Err(PaywordError::Foreign(_))));
    let altered = Paid { last: true, ..paid };
    assert!(matches!(vendor.confirm(&session, &altered), Err(PaywordError::Forged(_))));
}

#[test]
fn an_authority_is_countersigned_for_its_own_receipt_alone() {
    let world = World::new();
    let order = world.order("shop");
    let reservation = world.reserve(&order);
    let paid = world.receipt(&order, usd("0.25"));
    let countersigned = |receipt: &Receipt| world.broker().countersigned(&reservation, receipt);
    let first = countersigned(&paid).unwrap();
    let resealed = |change: &dyn Fn(&mut Receipt)| {
        let mut receipt = paid.clone();
        change(&mut receipt);
        receipt.sealed(&Secret::from_bytes([3; 32]))
    };
    for receipt in [
        world.receipt(&order, usd("0.24")),
        world.receipt(&world.order("other"), usd("0.25")),
        resealed(&|receipt| receipt.kind = ReceiptKind::Issue),
        resealed(&|receipt| receipt.vendor_id = server("shop")),
        resealed(&|receipt| receipt.tran_id = TranId::new(NOW, [7; 10])),
        Receipt { date: later(1), ..paid.clone() },
    ] {
        assert!(matches!(countersigned(&receipt), Err(PaywordError::Unpaid(_))), "{receipt:?}");
    }
    let bytes = |countersigned: &Countersigned| serde_json::to_string(countersigned).unwrap();
    assert_eq!(bytes(&countersigned(&paid).unwrap()), bytes(&first));
    assert_eq!(bytes(&world.reserve(&order).countersigned), bytes(&first));
}

#[test]
fn a_sum_is_reserved_for_its_own_order_alone() {
    let world = World::new();
    let order = world.order("shop");
    let (id, secrets) = (server("shop"), ring(11));
    let shop = Seller { number: 1, id: &id, secrets: &secrets };
    let offer = world.broker().quote(&order, shop, TranId::new(NOW, [6; 10]), NOW).unwrap().offer;
    let expected = (usd("0.25"), order.authority.id().request_url().unwrap());
    assert_eq!((offer.price, offer.request_url.clone()), expected);
    let reserve =
        |order: &AuthorityOrder, offer: &PaymentOffer| world.broker().reserve(order, offer, world.custom_id);
    assert!(reserve(&order, &offer).is_ok());
    assert!(matches!(reserve(&world.order("other"), &offer), Err(PaywordError::Foreign(_))));
    let cheaper = PaymentOffer { price: usd("0.2"), ..offer.clone() };
    assert!(matches!(reserve(&order, &cheaper), Err(PaywordError::Foreign(_))));
    let mut forged = order;
    forged.authority.signature = Signature::from_bytes([0; 64]);
    assert!(matches!(reserve(&forged, &offer), Err(PaywordError::Forged(_))));
}

#[test]
fn a_budget_keeps_the_fee_that_it_was_made_with() {
    let mut world = World::new();
    let vendor = world.vendor("shop");
    let (session, mut budget, mut chain) = charged(&world, 10);
    let deposit = vendor.deposit(&session).unwrap().unwrap();
    let first = world.deposit("shop", &deposit, &world.reservation("shop"), NOW).unwrap();
    world.center.policy.fee_basis_points = 0;
    let session = session.charge(&budget.charge(&mut chain, 10).unwrap(), NOW).unwrap().session;
    let deposit = vendor.deposit(&session).unwrap().unwrap();
    let second = world.deposit("shop", &deposit, &first.reservation, NOW).unwrap();
    assert_eq!((second.to_vendor, second.fee), (usd("0.045"), usd("0.005")));
}

#[test]
fn an_order_that_could_not_be_kept_is_refused_before_it_is_paid() {
    let world = World::new();
    let customer = Customer::at(server("shop"), &Secret::from_bytes([8; 32]));
    let certificate = world.certificate(&customer);
    let shop = server("shop");
    let secrets = ring(11);
    let check = |order: &AuthorityOrder, now| {
        world.broker().check(order, Seller { number: 1, id: &shop, secrets: &secrets }, now)
    };
    let planned = |change: &dyn Fn(&mut Plan)| {
        let mut plan = plan();
        change(&mut plan);
        check(&customer.authorise(certificate.clone(), &plan, chain_at("shop").root()), NOW)
    };
    assert_eq!(planned(&|_| ()), Ok(usd("0.25")));
    assert!(matches!(planned(&|p| p.length = 0), Err(PaywordError::Terms(_))));
    assert!(matches!(planned(&|p| p.length = LENGTH_MAX + 1), Err(PaywordError::Terms(_))));
    assert!(matches!(planned(&|p| p.unit = usd("0")), Err(PaywordError::Terms(_))));
    assert!(matches!(planned(&|p| p.unit = usd("9007199254")), Err(PaywordError::Terms(_))));
    assert!(matches!(planned(&|p| p.unit = usd("5")), Err(PaywordError::Terms(_))), "beyond a purse");
    assert!(matches!(planned(&|p| p.unit = "EUR:0.005".parse().unwrap()), Err(PaywordError::Terms(_))));
    assert_eq!(planned(&|p| p.expires = later(90)), Ok(usd("0.25")), "the longest");
    let too_long = later(90).plus(Duration::from_millis(1));
    assert!(matches!(planned(&|p| p.expires = too_long), Err(PaywordError::Expired(_))));

    let stranger = Customer::at(server("other"), &Secret::from_bytes([8; 32]));
    let borrowed = customer.authorise(world.certificate(&stranger), &plan(), chain_at("shop").root());
    assert!(matches!(check(&borrowed, NOW), Err(PaywordError::Foreign(_))), "another's certificate");

    let order = world.order("shop");
    assert_eq!(check(&order, later(30)), Ok(usd("0.25")), "until its very end");
    let moment = Duration::from_millis(1);
    assert!(matches!(check(&order, later(30).plus(moment)), Err(PaywordError::Expired(_))));
    assert!(matches!(check(&world.order("other"), NOW), Err(PaywordError::Foreign(_))));
    let old = Plan { expires: later(366), ..plan() };
    let order = customer.authorise(certificate, &old, chain_at("shop").root());
    assert!(matches!(check(&order, later(300)), Err(PaywordError::Expired(_))), "beyond the certificate");
}

#[test]
fn a_certificate_is_given_to_a_purses_owner_alone() {
    let world = World::new();
    let customer = Customer::at(server("shop"), &Secret::from_bytes([8; 32]));
    let asking = customer.certificate(&world.purse).request;
    assert!(world.broker().certify(&asking, NOW).is_ok());
    let mut another = asking.clone();
    another.customer = Customer::at(server("other"), &Secret::from_bytes([8; 32])).public_key();
    let Err(PaywordError::Scrip(refusal)) = world.broker().certify(&another, NOW) else { panic!("taken") };
    assert_eq!(refusal.code, ErrorCode::SealInvalid);
    let mut forged = asking;
    forged.scrip.scrip.value = usd("9");
    let Err(PaywordError::Scrip(refusal)) = world.broker().certify(&forged, NOW) else { panic!("taken") };
    assert_eq!(refusal.code, ErrorCode::ScripForged);
}

fn charge_at(chain: &mut Chain, session: &Session, index: u32) -> Charge {
    Charge { authority_id: session.id(), index, payword: chain.payword(index).unwrap(), last: false }
}
