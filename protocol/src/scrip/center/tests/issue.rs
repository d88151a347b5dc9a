//! M4-M6: GM4_1, GM4_2, GM5_1, GM6_1, GM6_2, GM6_3, GM8_1.

use super::*;

#[test]
fn gm4_1_gets_the_reward_in_gm5_1_and_gm6_1_the_receipt() {
    let mut world = World::new();
    let mut buyer = world.buyer("0");
    let offer = world.issue_offer(&buyer, "0.04");

    let reply = world.m4(&buyer.issue(Code::Gm4_1, &offer)).unwrap();
    buyer.take(&reply);
    assert_eq!((buyer.serial(), buyer.value(), reply.tran_id), (2, usd("0.04"), Some(offer.tran_id)));
    assert_eq!(buyer.scrip.scrip.ad, Some(offer.item.clone()));
    assert_eq!(world.balance(Account::Campaign), 960_000);

    world.pass_minutes(1);
    let finish = buyer.finish(Code::Gm6_1, of_issue(&offer));
    let FinishReply::Receipt(reply) = world.finish(&finish).unwrap() else { panic!("no receipt") };
    assert_eq!(reply.header.cmd_type, Code::Gm8_1);
    assert!(reply.receipt.holds(world.shops[0].secret()) && !reply.receipt.holds(world.shops[1].secret()));
    assert_eq!((reply.receipt.amount, reply.receipt.date), (usd("0.04"), world.now));
    assert_eq!(reply.receipt.subject.as_str(), "quiz");
    assert_eq!(world.purse(&buyer).pending, None);

    world.pass_minutes(60);
    let again = world.finish(&finish).unwrap();
    assert_eq!(bytes_of(&again), bytes_of(&FinishReply::Receipt(reply)));
}

#[test]
fn the_same_gm4_1_gets_the_same_bytes_however_the_step_stands() {
    let mut world = World::new();
    let mut buyer = world.buyer("0");
    let offer = world.issue_offer(&buyer, "0.04");
    let mut message = buyer.issue(Code::Gm4_1, &offer);
    let first = world.m4(&message).unwrap();
    buyer.take(&first);
    let finishing = [None, Some(Code::Gm6_1)];
    for (minutes, code) in [1, 30].into_iter().zip(finishing) {
        world.pass_minutes(minutes);
        if let Some(code) = code {
            world.finish(&buyer.finish(code, of_issue(&offer))).unwrap();
        }
        message.p_count = u16::MAX;
        let books = world.books.clone();
        assert_eq!(bytes_of(&world.m4(&message).unwrap()), bytes_of(&first));
        assert_eq!(world.books, books);
    }
}

#[test]
fn gm6_2_repeats_the_reply_of_its_transaction() {
    let mut world = World::new();
    let mut buyer = world.buyer("0");
    let offer = world.issue_offer(&buyer, "0.04");
    let first = world.m4(&buyer.issue(Code::Gm4_1, &offer)).unwrap();
    world.pass_minutes(1);

    let again = world.finish(&buyer.finish(Code::Gm6_2, of_issue(&offer))).unwrap();
    assert_eq!(bytes_of(&again), bytes_of(&FinishReply::Ecash(first)));
    buyer.take(&again);
    assert_eq!(buyer.value(), usd("0.04"));
}

#[test]
fn gm6_3_takes_the_reward_back_under_a_new_serial() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let offer = world.issue_offer(&buyer, "0.04");
    buyer.take(&world.m4(&buyer.issue(Code::Gm4_1, &offer)).unwrap());
    let cancel = buyer.finish(Code::Gm6_3, of_issue(&offer));
    let reply = world.finish(&cancel).unwrap();
    world.pass_minutes(5);
    assert_eq!(bytes_of(&world.finish(&cancel).unwrap()), bytes_of(&reply));

    let finish = buyer.finish(Code::Gm6_1, of_issue(&offer));
    assert_eq!(code(world.finish(&finish)), ErrorCode::TransactionVoided);
    buyer.take(&reply);
    assert_eq!((buyer.serial(), buyer.value(), buyer.scrip.scrip.ad.clone()), (3, usd("1"), None));
    assert_eq!(world.balance(Account::Campaign), 1_000_000);
}

#[test]
fn gm6_3_comes_too_late_after_gm6_1() {
    let mut world = World::new();
    let mut buyer = world.buyer("0");
    let offer = world.issue_offer(&buyer, "0.04");
    buyer.take(&world.m4(&buyer.issue(Code::Gm4_1, &offer)).unwrap());
    world.finish(&buyer.finish(Code::Gm6_1, of_issue(&offer))).unwrap();
    let result = world.finish(&buyer.finish(Code::Gm6_3, of_issue(&offer)));
    assert_eq!(code(result), ErrorCode::TransactionPosted);
    assert_eq!(code(world.m4(&buyer.issue(Code::Gm4_2, &offer))), ErrorCode::TransactionPosted);
}

#[test]
fn an_issue_that_nobody_finishes_is_posted_after_ten_minutes() {
    let mut world = World::new();
    let mut buyer = world.buyer("0");
    let offer = world.issue_offer(&buyer, "0.04");
    buyer.take(&world.m4(&buyer.issue(Code::Gm4_1, &offer)).unwrap());
    world.pass_minutes(10);
    let cancel = world.finish(&buyer.finish(Code::Gm6_3, of_issue(&offer)));
    assert_eq!(code(cancel), ErrorCode::TransactionPosted);
    let posted = receipt(world.finish(&buyer.finish(Code::Gm6_1, of_issue(&offer))).unwrap());
    assert_eq!(posted.date, world.now);
}

#[test]
fn the_last_reward_is_paid_once_and_the_budget_ends_at_zero() {
    let mut world = World::new();
    world.books.insert(Account::Campaign, 40_000);
    let buyers: Vec<Buyer> = (0..20).map(|_| world.buyer("0")).collect();
    let mut paid = 0;
    for buyer in &buyers {
        let offer = world.issue_offer(buyer, "0.04");
        match world.m4(&buyer.issue(Code::Gm4_1, &offer)) {
            Ok(_) => paid += 1,
            Err(refusal) => assert_eq!(refusal.code, ErrorCode::CampaignExhausted),
        }
    }
    assert_eq!((paid, world.balance(Account::Campaign)), (1, 0));
}

#[test]
fn a_full_purse_takes_no_reward() {
    let mut world = World::new();
    let buyer = world.buyer("9.97");
    let offer = world.issue_offer(&buyer, "0.04");
    assert_eq!(code(world.m4(&buyer.issue(Code::Gm4_1, &offer))), ErrorCode::BalanceLimit);
    let offer = world.issue_offer(&buyer, "0.03");
    assert_eq!(world.m4(&buyer.issue(Code::Gm4_1, &offer)).unwrap().new_scrip.scrip.value, usd("10"));
}

#[test]
fn an_item_without_a_budget_pays_nothing() {
    let mut world = World::new();
    let buyer = world.buyer("0");
    let mut offer = world.issue_offer(&buyer, "0.04");
    offer.item = "survey".parse().unwrap();
    let offer = offer.sealed(world.shops[0].secret());
    assert_eq!(code(world.m4(&buyer.issue(Code::Gm4_1, &offer))), ErrorCode::CampaignExhausted);
}
