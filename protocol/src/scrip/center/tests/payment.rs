//! S4-S6: PM4_1, PM4_2, PM5_1, PM6_1, PM6_2, PM6_3, PM8_1; a purse idle and pending (rule 5).

use super::*;

#[test]
fn pm4_1_gets_the_balance_in_pm5_1_and_pm6_1_the_receipt() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    let reply = world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap();
    buyer.take(&reply);
    assert_eq!((buyer.serial(), buyer.value(), reply.tran_id), (2, usd("0.97"), Some(order.tran_id)));
    assert_eq!(reply.header.server_date, world.now);
    assert_eq!((world.balance(Account::Transit), world.balance(Account::Vendor(1))), (30_000, 0));

    let finish = buyer.finish(Code::Pm6_1, of_payment(&order));
    let FinishReply::Receipt(reply) = world.finish(&finish).unwrap() else { panic!("no receipt") };
    assert_eq!(reply.header.cmd_type, Code::Pm8_1);
    assert!(reply.receipt.holds(world.shops[0].secret()));
    assert_eq!(
        (reply.receipt.subject.clone(), reply.receipt.amount),
        (order.request_url.clone(), usd("0.03"))
    );
    // A tenth is the center's, as this policy says.
    assert_eq!((world.balance(Account::Vendor(1)), world.balance(Account::Fees)), (27_000, 3_000));
    assert_eq!(world.balance(Account::Transit), 0);

    world.pass_minutes(60);
    assert_eq!(bytes_of(&world.finish(&finish).unwrap()), bytes_of(&FinishReply::Receipt(reply)));
    assert_eq!(world.balance(Account::Vendor(1)), 27_000);
}

#[test]
fn the_same_pm4_1_gets_the_same_bytes_however_the_step_stands() {
    for end in [None, Some(Code::Pm6_1), Some(Code::Pm6_3)] {
        let mut world = World::new();
        let mut buyer = world.buyer("1");
        let order = world.payment_offer("0.03");
        let mut message = buyer.pay(Code::Pm4_1, &order);
        let first = world.s4(&message).unwrap();
        buyer.take(&first);
        if let Some(code) = end {
            world.finish(&buyer.finish(code, of_payment(&order))).unwrap();
        }
        // Also when the offer, and the time to finish, are long over.
        world.pass_minutes(60);
        message.p_count = 7;
        let before = world.snapshot();
        assert_eq!(bytes_of(&world.s4(&message).unwrap()), bytes_of(&first), "{end:?}");
        assert_eq!(world.snapshot(), before);
    }
}

#[test]
fn the_same_transaction_with_other_content_is_refused_and_changes_nothing() {
    let mut world = World::new();
    let buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap();
    let dearer = PaymentOffer { price: usd("0.04"), ..order.clone() }.sealed(world.shops[0].secret());
    let other = world.buyer("1");
    let before = world.snapshot();
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &dearer))), ErrorCode::TransactionConflict);
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_2, &dearer))), ErrorCode::TransactionConflict);
    assert_eq!(code(world.s4(&other.pay(Code::Pm4_1, &order))), ErrorCode::TransactionConflict);
    assert_eq!(code(world.s4(&other.pay(Code::Pm4_2, &order))), ErrorCode::TransactionConflict);
    let mut as_issue = world.issue_offer(&buyer, "0.03");
    as_issue.tran_id = order.tran_id;
    let as_issue = as_issue.sealed(world.shops[0].secret());
    assert_eq!(code(world.m4(&buyer.issue(Code::Gm4_1, &as_issue))), ErrorCode::TransactionConflict);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn another_pm4_1_with_the_old_scrip_gets_the_pending_reply_and_no_second_debit() {
    let mut world = World::new();
    let buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    let first = world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap();
    let before = world.snapshot();
    for _ in 0..3 {
        let other = world.payment_offer("0.05");
        let reply = world.s4(&buyer.pay(Code::Pm4_1, &other)).unwrap();
        assert_eq!(bytes_of(&reply), bytes_of(&first));
    }
    // In the form that was asked for, an M4 learns the same.
    let offer = world.issue_offer(&buyer, "0.04");
    let reply = world.m4(&buyer.issue(Code::Gm4_1, &offer)).unwrap();
    assert_eq!(reply.tran_id, Some(order.tran_id));
    assert!(reply.holds(&buyer.secret));
    assert_eq!(world.snapshot(), before);
}

#[test]
fn spending_the_new_scrip_posts_what_was_pending() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let first = world.payment_offer("0.03");
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &first)).unwrap());
    let finish_first = buyer.finish(Code::Pm6_1, of_payment(&first));

    let second = world.payment_offer("0.05");
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &second)).unwrap());
    assert_eq!((buyer.serial(), buyer.value()), (3, usd("0.92")));
    assert_eq!((world.balance(Account::Vendor(1)), world.balance(Account::Transit)), (27_000, 50_000));
    assert!(receipt(world.finish(&finish_first).unwrap()).holds(world.shops[0].secret()));
}

#[test]
fn pm4_2_and_pm6_3_take_a_pending_payment_back_with_the_same_reply() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    let at_first = buyer.clone();
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());

    let cancelled = world.s4(&at_first.pay(Code::Pm4_2, &order)).unwrap();
    world.pass_minutes(1);
    assert_eq!(bytes_of(&world.s4(&at_first.pay(Code::Pm4_2, &order)).unwrap()), bytes_of(&cancelled));
    let failed = world.finish(&buyer.finish(Code::Pm6_3, of_payment(&order))).unwrap();
    assert_eq!(bytes_of(&failed), bytes_of(&FinishReply::Balance(cancelled)));
    let finish = buyer.finish(Code::Pm6_1, of_payment(&order));
    assert_eq!(code(world.finish(&finish)), ErrorCode::TransactionVoided);
    buyer.take(&failed);
    assert_eq!((buyer.serial(), buyer.value()), (3, usd("1")));
    assert_eq!(world.balance(Account::Transit), 0);
}

#[test]
fn pm4_2_also_works_with_a_scrip_fetched_since() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap();
    buyer.take(&world.finish(&buyer.finish(Code::Pm6_2, None)).unwrap());
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_2, &order)).unwrap());
    assert_eq!((buyer.serial(), buyer.value()), (3, usd("1")));
}

#[test]
fn pm4_2_before_its_pm4_1_keeps_that_from_ever_happening() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    let delayed = buyer.pay(Code::Pm4_1, &order);
    let cancelled = world.s4(&buyer.pay(Code::Pm4_2, &order)).unwrap();
    assert_eq!((cancelled.tran_id, cancelled.new_scrip.scrip.value), (Some(order.tran_id), usd("1")));
    let before = world.snapshot();
    assert_eq!(code(world.s4(&delayed)), ErrorCode::TransactionVoided);
    world.pass_minutes(1);
    let again = world.s4(&buyer.pay(Code::Pm4_2, &order)).unwrap();
    assert_eq!(bytes_of(&again), bytes_of(&cancelled));
    assert_eq!(world.snapshot(), before);

    // The purse itself was not touched: the same scrip goes on.
    let other = world.payment_offer("0.05");
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &other)).unwrap());
    assert_eq!(code(world.s4(&delayed)), ErrorCode::TransactionVoided);
    let transaction = of_payment(&order);
    for code_ in [Code::Pm6_1, Code::Pm6_2] {
        let result = world.finish(&buyer.finish(code_, transaction.clone()));
        let expected =
            if code_ == Code::Pm6_1 { ErrorCode::ScripStale } else { ErrorCode::TransactionVoided };
        assert_eq!(code(result), expected);
    }
}

#[test]
fn gm4_2_before_its_gm4_1_needs_an_offer_that_holds() {
    let mut world = World::new();
    let buyer = world.buyer("0");
    let offer = world.issue_offer(&buyer, "0.04");
    let forged = IssueOffer { value: usd("0.05"), ..offer.clone() };
    assert_eq!(code(world.m4(&buyer.issue(Code::Gm4_2, &forged))), ErrorCode::OfferForged);
    assert!(world.steps.is_empty());
    world.m4(&buyer.issue(Code::Gm4_2, &offer)).unwrap();
    assert!(world.steps.values().next().unwrap().is_tombstone());
    assert_eq!(code(world.m4(&buyer.issue(Code::Gm4_1, &offer))), ErrorCode::TransactionVoided);
}

#[test]
fn a_payment_that_nobody_finishes_is_voided_after_ten_minutes() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    world.now = Timestamp::from_millis(world.now.as_millis() + 10 * MINUTE_MS - 1);
    let purse = world.purse(&buyer);
    let found = Found { pending: world.steps.values().next(), ..Found::default() };
    let swept = world.center.sweep(purse, found, world.now).unwrap();
    assert!(swept.changes.is_empty() && swept.purse.is_none());

    world.now = Timestamp::from_millis(world.now.as_millis() + 1);
    let finish = buyer.finish(Code::Pm6_1, of_payment(&order));
    assert_eq!(code(world.finish(&finish)), ErrorCode::TransactionVoided);
    let found = Found { pending: world.steps.values().next(), ..Found::default() };
    let outcome = world.center.sweep(world.purse(&buyer), found, world.now).unwrap();
    world.keep(outcome);
    assert_eq!((world.balance(Account::Transit), world.purse(&buyer).live.value), (0, usd("1")));
    assert_eq!(code(world.finish(&finish)), ErrorCode::TransactionVoided);
}

#[test]
fn a_double_spent_scrip_has_one_winner() {
    let mut world = World::new();
    let mut buyer = world.buyer("0.03");
    let spent = buyer.clone();
    let order = world.payment_offer("0.03");
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    world.finish(&buyer.finish(Code::Pm6_1, of_payment(&order))).unwrap();
    let before = world.snapshot();
    for _ in 0..64 {
        let again = world.payment_offer("0.03");
        assert_eq!(code(world.s4(&spent.pay(Code::Pm4_1, &again))), ErrorCode::ScripStale);
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn the_last_serials_leave_room_to_take_a_payment_back() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let most = (1 << 53) - 1;
    for (serial, goes) in [(most, false), (most - 1, false), (most - 2, true)] {
        let purse = world.purses.get_mut(&buyer.custom_id.serial_number).unwrap();
        purse.live.serial = Serial::try_from(serial).unwrap();
        buyer.scrip = world.center.live_scrip(world.purse(&buyer)).unwrap();
        let order = world.payment_offer("0.03");
        match world.s4(&buyer.pay(Code::Pm4_1, &order)) {
            Ok(reply) => {
                assert!(goes);
                buyer.take(&reply);
                buyer.take(&world.finish(&buyer.finish(Code::Pm6_3, of_payment(&order))).unwrap());
                assert_eq!((buyer.serial(), buyer.value()), (most, usd("1")));
            }
            Err(refusal) => assert_eq!((refusal.code, goes), (ErrorCode::SerialLimit, false)),
        }
    }
}
