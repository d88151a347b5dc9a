//! What a shop takes, and what it refuses, by itself.

use super::*;

#[test]
fn a_charge_pays_its_units_and_the_same_again_nothing() {
    let (session, mut budget, mut chain) = World::new().session("shop");
    let charge = budget.charge(&mut chain, 6).unwrap();
    let first = session.charge(&charge, NOW).unwrap();
    assert_eq!((first.units, first.amount, first.session.index()), (6, usd("0.03"), 6));
    for _ in 0..3 {
        let again = first.session.charge(&charge, NOW).unwrap();
        assert_eq!((again.units, again.amount, again.session.index()), (0, usd("0"), 6));
    }
    assert_eq!(budget.again(&mut chain).unwrap(), charge, "the customer sends just the same");
}

#[test]
fn a_rewound_payword_pays_nothing_and_moves_nothing_back() {
    let (session, mut budget, mut chain) = World::new().session("shop");
    let old = budget.charge(&mut chain, 2).unwrap();
    let new = budget.charge(&mut chain, 5).unwrap();
    let session = session.charge(&new, NOW).unwrap().session;
    let rewound = session.charge(&old, NOW).unwrap();
    assert_eq!((rewound.units, rewound.session.index()), (0, 7));
    let ending = Charge { last: true, ..old };
    assert!(matches!(session.charge(&ending, NOW), Err(PaywordError::Forged(_))), "nor does it end anything");
}

#[test]
fn a_skip_pays_every_unit_between_and_none_beyond_the_bound_or_the_end() {
    let world = World::new();
    let (session, mut budget, mut chain) = world.session("shop");
    let _lost = budget.charge(&mut chain, 3).unwrap();
    let next = budget.charge(&mut chain, 4).unwrap();
    assert_eq!(session.charge(&next, NOW).unwrap().units, 7);
    let beyond = Charge { index: LENGTH + 1, ..next };
    let refused = session.charge(&beyond, NOW).err();
    assert_eq!(refused, Some(PaywordError::Payword(CheckError::Beyond(LENGTH))));

    let long = Plan { length: CHARGE_JUMP_MAX + 2, unit: usd("0.000001"), ..plan() };
    let customer = Customer::at(server("shop"), &Secret::from_bytes([8; 32]));
    let mut generator = long.generator(&server("shop")).unwrap();
    generator.step(long.length);
    let mut chain = generator.finish().unwrap();
    let order = customer.authorise(world.certificate(&customer), &long, chain.root());
    let reservation = world.reserve(&order);
    let session = world.vendor("shop").open(None, &reservation.countersigned, NOW).unwrap();
    let mut charge_at = |index| {
        let payword = chain.payword(index).unwrap();
        session.charge(&Charge { authority_id: session.id(), index, payword, last: false }, NOW)
    };
    assert_eq!(charge_at(CHARGE_JUMP_MAX).unwrap().units, CHARGE_JUMP_MAX);
    let refused = charge_at(CHARGE_JUMP_MAX + 1).err();
    assert_eq!(refused, Some(PaywordError::Payword(CheckError::Jump(CHARGE_JUMP_MAX))));
}

#[test]
fn a_forged_payword_is_refused_and_changes_nothing() {
    let (session, mut budget, mut chain) = World::new().session("shop");
    let charge = budget.charge(&mut chain, 2).unwrap();
    for forged in [
        Charge { payword: Payword::from_bytes([1; 32]), ..charge },
        Charge { index: 1, ..charge },
        Charge { index: 3, ..charge },
        Charge { index: 0, ..charge },
    ] {
        let refused = session.charge(&forged, NOW).err();
        assert_eq!(refused, Some(PaywordError::Payword(CheckError::Forged)), "{forged:?}");
    }
}

#[test]
fn an_authority_for_another_shop_is_refused() {
    let world = World::new();
    let foreign = world.budget("shop");
    let refused = world.vendor("other").open(None, foreign.countersigned(), NOW);
    assert!(matches!(refused, Err(PaywordError::Foreign(_))));
}

#[test]
fn a_charge_for_one_shop_pays_nothing_at_another() {
    let world = World::new();
    let (_, mut budget, mut chain) = world.session("shop");
    let (elsewhere, ..) = world.session("other");
    let charge = budget.charge(&mut chain, 2).unwrap();
    assert!(matches!(elsewhere.charge(&charge, NOW), Err(PaywordError::Foreign(_))));
    let renamed = Charge { authority_id: elsewhere.id(), ..charge };
    let refused = elsewhere.charge(&renamed, NOW).err();
    assert_eq!(refused, Some(PaywordError::Payword(CheckError::Forged)));
}

#[test]
fn the_same_chain_at_two_shops_pays_at_one_alone() {
    // A customer that signs the root of a chain for one shop into an authority for another cannot pay there.
    let world = World::new();
    let customer = Customer::at(server("other"), &Secret::from_bytes([8; 32]));
    let mut chain = chain_at("shop");
    let order = customer.authorise(world.certificate(&customer), &plan(), chain.root());
    let reservation = world.reserve(&order);
    let session = world.vendor("other").open(None, &reservation.countersigned, NOW).unwrap();
    for index in 1..=LENGTH {
        let payword = chain.payword(index).unwrap();
        let charge = Charge { authority_id: session.id(), index, payword, last: false };
        let refused = session.charge(&charge, NOW).err();
        assert_eq!(refused, Some(PaywordError::Payword(CheckError::Forged)));
    }
}

#[test]
fn an_authority_of_another_center_or_without_its_word_is_refused() {
    let world = World::new();
    let countersigned = world.budget("shop").countersigned().clone();
    let vendor = world.vendor("shop");
    let open = |change: &dyn Fn(&mut Countersigned)| {
        let mut countersigned = countersigned.clone();
        change(&mut countersigned);
        vendor.open(None, &countersigned, NOW)
    };
    assert!(open(&|_| ()).is_ok());
    let none = Signature::from_bytes([0; 64]);
    let forged: [&dyn Fn(&mut Countersigned); 8] = [
        &|c| c.signature = none,
        &|c| c.key_id = 2,
        &|c| c.order.certificate.signature = none,
        &|c| c.order.authority.signature = none,
        &|c| c.order.authority.length += 1,
        &|c| c.order.authority.unit = usd("0.006"),
        &|c| c.order.authority.root = Payword::from_bytes([1; 32]),
        &|c| c.order.authority.nonce = [1; 16],
    ];
    for (number, change) in forged.iter().enumerate() {
        assert!(matches!(open(change), Err(PaywordError::Forged(_))), "change {number}");
    }
    assert!(matches!(
        open(&|c| c.order.authority.center_id = server("elsewhere")),
        Err(PaywordError::Foreign(_))
    ));
    let another = World::signing_with(6);
    let refused = vendor.open(None, another.budget("shop").countersigned(), NOW);
    assert!(matches!(refused, Err(PaywordError::Forged(_))), "a center of the same name with other keys");
}

#[test]
fn an_expired_authority_opens_nothing_and_an_expired_budget_pays_nothing_new() {
    let world = World::new();
    let vendor = world.vendor("shop");
    let (session, mut budget, mut chain) = world.session("shop");
    let late = later(30).plus(Duration::from_millis(1));
    assert!(vendor.open(None, budget.countersigned(), later(30)).is_ok());
    let refused = vendor.open(None, budget.countersigned(), late);
    assert!(matches!(refused, Err(PaywordError::Expired(_))));

    let charge = budget.charge(&mut chain, 1).unwrap();
    assert_eq!(session.charge(&charge, later(30)).unwrap().units, 1);
    assert!(matches!(session.charge(&charge, late), Err(PaywordError::Expired(_))));
    let paid = session.charge(&charge, NOW).unwrap().session;
    assert_eq!(paid.charge(&charge, late).unwrap().units, 0, "what was paid is served again");
    assert!(!paid.is_over(later(37)));
    assert!(paid.is_over(later(37).plus(Duration::from_millis(1))));
}

#[test]
fn an_authority_that_ends_too_late_is_refused() {
    let world = World::new();
    let budget = world.budget("shop");
    let early = Timestamp::from_millis(later(30).as_millis() - LIFETIME_MAX.as_millis() - 1);
    let refused = world.vendor("shop").open(None, budget.countersigned(), early);
    assert!(matches!(refused, Err(PaywordError::Expired(_))));
}

#[test]
fn the_same_authority_again_rewinds_no_session() {
    let world = World::new();
    let (session, mut budget, mut chain) = world.session("shop");
    let charge = budget.charge(&mut chain, 9).unwrap();
    let session = session.charge(&charge, NOW).unwrap().session;
    let again = world.vendor("shop").open(Some(&session), budget.countersigned(), later(40)).unwrap();
    assert_eq!(again.index(), 9);
}

#[test]
fn the_last_charge_ends_a_budget_and_can_be_repeated() {
    let (session, mut budget, mut chain) = World::new().session("shop");
    let before = budget.charge(&mut chain, 2).unwrap();
    let session = session.charge(&before, NOW).unwrap().session;
    let stolen = Charge { index: 3, payword: chain.payword(3).unwrap(), ..before };
    let end = budget.end(&mut chain).unwrap();
    let ended = session.charge(&end, NOW).unwrap();
    assert!(ended.session.is_ended());
    assert_eq!((ended.units, budget.left()), (0, 0));
    assert!(ended.session.charge(&end, NOW).unwrap().session.is_ended());
    assert_eq!(ended.session.charge(&stolen, NOW).err(), Some(PaywordError::Ended(2)));
    assert_eq!(budget.charge(&mut chain, 1), Err(PaywordError::Ended(2)));
}
