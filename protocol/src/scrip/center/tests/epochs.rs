//! An older copy of the books was put back (rule 12, T26): no serial means two things, and no spent one revives.

use super::*;

const EPOCH: u32 = 500_000;

fn first() -> u64 {
    Serial::first_of(EPOCH).unwrap().get()
}

#[test]
fn serials_tell_their_epoch() {
    assert_eq!(Serial::first_of(0), Some(Serial::FIRST));
    for epoch in [0, 1, EPOCH, Serial::EPOCH_MAX] {
        let first = Serial::first_of(epoch).unwrap();
        assert_eq!((first.epoch(), first.next().unwrap().epoch()), (epoch, epoch));
        assert!(Serial::try_from(first.get()).is_ok());
    }
    assert_eq!(Serial::first_of(Serial::EPOCH_MAX + 1), None);
}

#[test]
fn scrip_of_an_earlier_epoch_is_spent_only_after_the_wallet_has_asked() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    world.epoch = EPOCH;
    let order = world.payment_offer("0.03");
    let before = world.snapshot();
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &order))), ErrorCode::ScripStale);
    assert_eq!(world.snapshot(), before);
    let spent = buyer.clone();
    buyer.take(&world.finish(&buyer.finish(Code::Pm6_2, None)).unwrap());
    assert_eq!((buyer.serial(), buyer.value()), (first(), usd("1")));
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    assert_eq!((buyer.serial(), buyer.value()), (first() + 1, usd("0.97")));
    // What was live in the copy is not live any more, whatever was done with it in the books that are lost.
    let again = world.payment_offer("0.03");
    assert_eq!(code(world.s4(&spent.pay(Code::Pm4_1, &again))), ErrorCode::ScripStale);
}

#[test]
fn a_scrip_that_the_books_have_lost_finds_the_one_that_they_have() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let copy = (world.purses.clone(), world.steps.clone(), world.books.clone());
    for price in ["0.03", "0.05"] {
        let order = world.payment_offer(price);
        buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
        world.finish(&buyer.finish(Code::Pm6_1, of_payment(&order))).unwrap();
    }
    (world.purses, world.steps, world.books) = copy;
    world.epoch = EPOCH;
    let lost = buyer.clone();
    buyer.take(&world.finish(&buyer.finish(Code::Pm6_2, None)).unwrap());
    assert_eq!((buyer.serial(), buyer.value()), (first(), usd("1")));
    assert!(
        buyer.scrip.scrip.scrip_id.serial_number.epoch() > lost.scrip.scrip.scrip_id.serial_number.epoch()
    );
    // The wallet's newest scrip is the center's own word: a proof that it can show.
    assert_eq!(world.center.keys.check_issued(&lost.scrip), Ok(()));
}

#[test]
fn a_step_that_was_pending_in_the_copy_can_be_finished_or_is_taken_back() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    let reply = world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap();
    world.epoch = EPOCH;
    // The same message again gets the same bytes, in the new epoch too.
    assert_eq!(bytes_of(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap()), bytes_of(&reply));
    let mut finishing = buyer.clone();
    finishing.take(&reply);
    let copy = (world.purses.clone(), world.steps.clone(), world.books.clone());
    world.finish(&finishing.finish(Code::Pm6_1, of_payment(&order))).unwrap();
    let next = world.payment_offer("0.01");
    assert_eq!(code(world.s4(&finishing.pay(Code::Pm4_1, &next))), ErrorCode::ScripStale);

    (world.purses, world.steps, world.books) = copy;
    buyer.take(&world.finish(&finishing.finish(Code::Pm6_2, None)).unwrap());
    assert_eq!((buyer.serial(), buyer.value()), (first(), usd("1")));
    assert_eq!(world.purse(&buyer).pending, None);
}

#[test]
fn a_buyer_who_registers_in_a_later_epoch_has_numbers_of_its_own() {
    let world = World::new();
    let customer = Serial::first_of(EPOCH).unwrap();
    let purse = world.center.new_purse(customer, world.now).unwrap();
    assert_eq!(purse.live.serial, customer);
    // Its secret is no other buyer's, though the lost books may have had as many buyers.
    let earlier = world.center.new_purse(Serial::FIRST, world.now).unwrap();
    let secret = |purse: &Purse| world.center.keys.custom_secret(purse.custom_id).unwrap();
    assert_ne!(secret(&purse).expose(), secret(&earlier).expose());
}
