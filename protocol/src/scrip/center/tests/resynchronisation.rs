//! GM6_2 and PM6_2 without a transaction (rules 6 and 7): a wallet always finds back.

use super::*;

#[test]
fn any_scrip_of_the_purse_finds_the_live_one() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let backup = buyer.clone();
    for price in ["0.03", "0.05"] {
        let order = world.payment_offer(price);
        buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
        world.finish(&buyer.finish(Code::Pm6_1, of_payment(&order))).unwrap();
    }
    let before = world.snapshot();
    for code in [Code::Pm6_2, Code::Gm6_2] {
        let mut restored = backup.clone();
        let reply = world.finish(&backup.finish(code, None)).unwrap();
        assert_eq!(reply.tran_id(), None);
        restored.take(&reply);
        assert_eq!((restored.serial(), restored.value()), (3, usd("0.92")));
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn while_a_step_is_pending_its_reply_comes_again() {
    let mut world = World::new();
    let buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    let first = world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap();
    world.pass_minutes(1);
    let reply = world.finish(&buyer.finish(Code::Pm6_2, None)).unwrap();
    assert_eq!(bytes_of(&reply), bytes_of(&FinishReply::Balance(first)));
}

#[test]
fn a_pending_step_is_not_renewed_but_repeated() {
    let mut world = World::new();
    world.center.policy.scrip_lifetime = Duration::from_minutes(1);
    let buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    let first = world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap();
    world.pass_minutes(2);
    let reply = world.finish(&buyer.finish(Code::Pm6_2, None)).unwrap();
    assert_eq!(bytes_of(&reply), bytes_of(&FinishReply::Balance(first)));
}

#[test]
fn after_the_time_a_payment_is_back_and_a_reward_is_there() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap();
    world.pass_minutes(11);
    buyer.take(&world.finish(&buyer.finish(Code::Pm6_2, None)).unwrap());
    assert_eq!((buyer.serial(), buyer.value()), (3, usd("1")));

    let offer = world.issue_offer(&buyer, "0.04");
    world.m4(&buyer.issue(Code::Gm4_1, &offer)).unwrap();
    world.pass_minutes(11);
    buyer.take(&world.finish(&buyer.finish(Code::Gm6_2, None)).unwrap());
    assert_eq!((buyer.serial(), buyer.value()), (4, usd("1.04")));
    assert_eq!(world.purse(&buyer).pending, None);
}

#[test]
fn an_expired_scrip_is_renewed_with_its_value() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    world.pass_minutes(366 * 24 * 60);
    let order = world.payment_offer("0.03");
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &order))), ErrorCode::ScripExpired);
    let ask = buyer.finish(Code::Pm6_2, None);
    buyer.take(&world.finish(&ask).unwrap());
    assert_eq!((buyer.serial(), buyer.value()), (2, usd("1")));
    assert!(buyer.scrip.scrip.expiration_date > world.now);
    // Asking twice renews once.
    let mut again = buyer.clone();
    again.take(&world.finish(&ask).unwrap());
    assert_eq!(again.serial(), 2);
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    assert_eq!(buyer.value(), usd("0.97"));
}

#[test]
fn a_stale_scrip_is_stale_even_when_it_has_expired() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let stale = buyer.clone();
    let order = world.payment_offer("0.03");
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    world.pass_minutes(366 * 24 * 60);
    let order = world.payment_offer("0.03");
    assert_eq!(code(world.s4(&stale.pay(Code::Pm4_1, &order))), ErrorCode::ScripStale);
}

#[test]
fn a_scrip_that_is_good_to_its_last_millisecond_pays() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    world.now = buyer.scrip.scrip.expiration_date;
    let order = world.payment_offer("0.03");
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    assert_eq!(buyer.value(), usd("0.97"));
}
