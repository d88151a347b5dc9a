//! What a wallet takes for a budget, and what a budget pays.

use super::*;

#[test]
fn a_customer_is_another_at_every_shop_and_the_same_at_one() {
    let key = Secret::from_bytes([8; 32]);
    let at = |name: &str| Customer::at(server(name), &key).public_key();
    assert_eq!(at("shop"), at("shop"));
    assert_ne!(at("shop"), at("other"));
    assert_ne!(at("shop"), Customer::at(server("shop"), &Secret::from_bytes([9; 32])).public_key());
}

#[test]
fn a_certificate_that_was_not_asked_for_is_refused() {
    let world = World::new();
    let customer = Customer::at(server("shop"), &Secret::from_bytes([8; 32]));
    let asking = customer.certificate(&world.purse);
    let genuine = world.broker().certify(&asking.request, NOW).unwrap();
    assert!(asking.receive(&genuine, &world.keys()).is_ok());
    let other = Customer::at(server("other"), &Secret::from_bytes([8; 32]));
    assert!(matches!(
        asking.receive(&world.certificate(&other), &world.keys()),
        Err(PaywordError::Foreign(_))
    ));
    let elsewhere = Certificate { center_id: server("elsewhere"), ..genuine.clone() };
    assert!(matches!(asking.receive(&elsewhere, &world.keys()), Err(PaywordError::Foreign(_))));
    let longer = Certificate { expires: later(400), ..genuine };
    assert!(matches!(asking.receive(&longer, &world.keys()), Err(PaywordError::Forged(_))));
}

#[test]
fn a_countersignature_of_another_authority_or_hand_is_refused() {
    let world = World::new();
    let awaiting = AwaitingCountersignature { order: world.order("shop"), end: plan().end };
    let countersigned = world.reservation("shop").countersigned;
    assert!(awaiting.receive(&countersigned, &world.keys()).is_ok());
    let other = world.reservation("other").countersigned;
    assert!(matches!(awaiting.receive(&other, &world.keys()), Err(PaywordError::Foreign(_))));
    let forged = Countersigned { signature: Signature::from_bytes([1; 64]), ..countersigned };
    assert!(matches!(awaiting.receive(&forged, &world.keys()), Err(PaywordError::Forged(_))));
}

#[test]
fn a_budget_pays_all_that_it_has_and_no_more() {
    let (mut session, mut budget, mut chain) = World::new().session("shop");
    assert_eq!(budget.charge(&mut chain, CHARGE_JUMP_MAX + 1), Err(CheckError::Jump(CHARGE_JUMP_MAX).into()));
    for left in (0..LENGTH).rev() {
        let charge = budget.charge(&mut chain, 1).unwrap();
        session = session.charge(&charge, NOW).unwrap().session;
        assert_eq!(budget.left(), left);
    }
    assert_eq!(budget.charge(&mut chain, 1), Err(CheckError::Beyond(LENGTH).into()));
    assert_eq!((budget.paid(), session.index()), (LENGTH, LENGTH));
}

#[test]
fn a_stored_budget_goes_on_with_a_chain_that_is_made_again() {
    let (session, mut budget, mut chain) = World::new().session("shop");
    let first = budget.charge(&mut chain, 3).unwrap();
    let stored = serde_json::to_string(&budget).unwrap();
    let mut budget: Budget = serde_json::from_str(&stored).unwrap();
    let mut generator = budget.generator().unwrap();
    generator.step(LENGTH);
    let mut chain = generator.finish().unwrap();
    assert_eq!(budget.again(&mut chain).unwrap(), first);
    let next = budget.charge(&mut chain, 2).unwrap();
    let stored = serde_json::to_string(&session.charge(&first, NOW).unwrap().session).unwrap();
    let session: Session = serde_json::from_str(&stored).unwrap();
    assert_eq!(session.charge(&next, NOW).unwrap().units, 2);
}

#[test]
fn another_budgets_chain_pays_nothing() {
    let (_, mut budget, _) = World::new().session("shop");
    let mut other = chain_at("other");
    assert!(matches!(budget.charge(&mut other, 1), Err(PaywordError::Foreign(_))));
    assert_eq!(budget.paid(), 0);
}
