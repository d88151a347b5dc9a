//! Paying what an address asks for, from its 402 alone.

use std::cell::Cell;

use serde_json::{Value, json};
use tuppence_protocol::Amount;
use tuppence_protocol::scrip::center::StepKind;
use tuppence_wallet::view::ArticleCard;
use tuppence_wallet::{Money, Problem};

use crate::sim::{SHOP, World};

const COINS: &str = "https://shop.example/articles/coins";

fn price() -> Amount {
    "USD:0.03".parse().unwrap()
}

fn untold(card: &ArticleCard) {
    panic!("{} was about to be paid", card.url);
}

#[test]
fn an_address_is_paid_from_its_402_alone_and_once() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let asked = world.faults.count("/api/v1/article/coins") + world.faults.count("/api/v1/shop");
    let told = Cell::new(false);
    let hear = |card: &ArticleCard| told.set(card.price == price() && card.shop.name == "The Shop");
    let bought = world.run(wallet.pay_url(COINS, price(), hear)).unwrap();
    assert!(told.get() && bought.charged);
    assert!(bought.text.html.contains("The whole of https://shop.example/articles/coins"));
    assert_eq!(bought.article.unwrap().slug, "coins");
    let asked_now = world.faults.count("/api/v1/article/coins") + world.faults.count("/api/v1/shop");
    assert_eq!(asked_now, asked, "the 402 says it all");

    for again in [COINS.to_owned(), format!("{COINS}?from=mail#top")] {
        let bought = world.run(wallet.pay_url(&again, price(), untold)).unwrap();
        assert!(!bought.charged && bought.text.html.contains("The whole of"), "{again}");
    }
    assert!(!world.run(wallet.pay(SHOP, "coins", price())).unwrap().charged, "the library knows it");
    assert_eq!(world.outside.borrow().center.posted(StepKind::Payment), 1);
    world.assert_at_rest();
}

#[test]
fn above_the_approved_price_nothing_is_even_asked_for() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    for approved in ["USD:0.02", "EUR:0.03"] {
        let error = world.run(wallet.pay_url(COINS, approved.parse().unwrap(), untold)).unwrap_err();
        assert!(error.is(Problem::PriceChanged), "{error:?}");
        assert_eq!(error.money, Money::Untouched);
    }
    assert_eq!(world.faults.count("/purchase"), 0);
    assert_eq!(world.balance(), "USD:0.04");
}

#[test]
fn what_asks_for_no_money_is_given_as_it_is() {
    let world = World::with_four_cents();
    let bought = world.run(world.wallet().pay_url("https://shop.example/free", price(), untold)).unwrap();
    assert!(!bought.charged && bought.article.is_none());
    assert_eq!(bought.text.html, "<p>Free.</p>");
}

#[test]
fn a_402_that_names_somebody_else_or_makes_no_sense_is_not_paid() {
    type Change = fn(&mut Value);
    let changes: [(Change, Problem); 7] = [
        (|body| body["offer"]["article"]["url"] = json!("https://other.example/a"), Problem::ShopInvalid),
        (
            |body| body["offer"]["article"]["url"] = json!("https://shop.example.evil.example/a"),
            Problem::ShopInvalid,
        ),
        (|body| body["offer"]["shop"]["centerOrigin"] = json!("https://other.example"), Problem::ShopForeign),
        (|body| body["offer"]["methods"] = json!(["card"]), Problem::ShopInvalid),
        (|body| body["offer"]["article"]["price"] = json!(0.03), Problem::ShopInvalid),
        (|body| body["offer"] = json!(null), Problem::ShopInvalid),
        (|body| *body = json!([]), Problem::ShopInvalid),
    ];
    for (change, problem) in changes {
        let world = World::with_four_cents();
        let wallet = world.wallet();
        world.outside.borrow_mut().shop.demand_changed = Some(change);
        let error = world.run(wallet.pay_url(COINS, price(), untold)).unwrap_err();
        assert!(error.is(problem), "{error:?}");
        assert_eq!((error.money, world.faults.count("/purchase")), (Money::Untouched, 0));
        world.assert_at_rest();
    }
}

#[test]
fn an_offer_above_the_402_s_own_price_is_not_paid() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.outside.borrow_mut().shop.demand_changed =
        Some(|body| body["offer"]["article"]["price"] = json!("USD:0.01"));
    let error = world.run(wallet.pay_url(COINS, "USD:0.02".parse().unwrap(), |_| ())).unwrap_err();
    assert!(error.is(Problem::PriceChanged), "{error:?}");
    assert_eq!(world.faults.count("/api/v1/payment"), 0);
    world.assert_at_rest();
}

#[test]
fn an_address_without_a_shop_says_what_it_answered() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let error = world.run(wallet.pay_url("https://shop.example/none", price(), untold)).unwrap_err();
    assert!(error.is(Problem::ShopInvalid) && error.message.ends_with("It answered 404."), "{error:?}");
    let error = world.run(World::new().wallet().pay_url(COINS, price(), untold)).unwrap_err();
    assert!(error.is(Problem::NoWallet), "{error:?}");
}

#[test]
fn an_article_that_is_paid_and_does_not_come_is_said_to_be_paid_and_comes_later_for_nothing() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.outside.borrow_mut().shop.hands_out_nothing = true;
    let error = world.run(wallet.pay_url(COINS, price(), |_| ())).unwrap_err();
    assert_eq!((error.money, error.is(Problem::ShopUnreachable)), (Money::Moved, true), "{error:?}");
    assert_eq!(world.balance(), "USD:0.01");

    world.outside.borrow_mut().shop.hands_out_nothing = false;
    let bought = world.run(wallet.pay_url(COINS, price(), untold)).unwrap();
    assert!(!bought.charged && bought.text.html.contains("The whole of"));
    world.assert_at_rest();
}
