//! Replies that no honest center or shop gives, and centers that are not who they were.

use serde_json::{Value, json};
use tuppence_protocol::ErrorCode;
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::center::StepKind;
use tuppence_wallet::{Money, Problem};

use crate::sim::{CENTER, SHOP, World};

/// A change that a forger makes to a reply.
type Forgery = Box<dyn Fn(&mut Value)>;

fn price() -> tuppence_protocol::Amount {
    "USD:0.03".parse().unwrap()
}

#[test]
fn a_forged_balance_is_not_taken_and_the_payment_stays_open() {
    let forgeries: [fn(&mut Value); 4] = [
        |reply| reply["newScrip"]["scrip"]["value"] = json!("USD:0"),
        |reply| reply["newScrip"]["scrip"]["scripId"]["serialNumber"] = json!(1),
        |reply| reply["hash"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        |reply| *reply = json!({"hello": "captive portal"}),
    ];
    for forge in forgeries {
        let world = World::with_four_cents();
        let wallet = world.wallet();
        world.faults.forge(format!("{CENTER}/api/v1/payment"), forge);
        let error = world.run(wallet.pay(SHOP, "coins", price())).unwrap_err();
        assert!(error.is(Problem::ReplyForged) || error.is(Problem::ReplyInvalid), "{error:?}");
        assert_eq!(error.money, Money::Open);
        assert_eq!(world.balance(), "USD:0.04");

        world.faults.honest();
        assert!(world.run(wallet.resume()).unwrap().is_empty());
        assert_eq!(world.balance(), "USD:0.01");
        world.assert_at_rest();
    }
}

#[test]
fn a_forged_receipt_is_not_taken() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.faults.forge(format!("{CENTER}/api/v1/payment/finish"), |reply| {
        reply["receipt"]["receipt"]["subject"] = json!("https://shop.example/articles/else");
    });
    let error = world.run(wallet.pay(SHOP, "coins", price())).unwrap_err();
    assert!(error.is(Problem::ReplyInvalid), "{error:?}");
    assert!(world.run(wallet.library()).unwrap().is_empty());
    world.faults.honest();
    world.run(wallet.resume()).unwrap();
    world.assert_at_rest();
}

#[test]
fn a_shop_that_asks_more_in_its_offer_than_on_its_page_gets_nothing() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.faults.forge(format!("{SHOP}/api/v1/purchase"), |reply| {
        reply["offer"]["price"] = json!("USD:0.04");
    });
    let error = world.run(wallet.pay(SHOP, "coins", price())).unwrap_err();
    assert!(error.is(Problem::PriceChanged), "{error:?}");
    assert_eq!(world.faults.count("/api/v1/payment"), 0);
    world.assert_at_rest();
}

#[test]
fn an_offer_that_the_shop_did_not_seal_is_refused_by_the_center_and_ends() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.faults.forge(format!("{SHOP}/api/v1/purchase"), |reply| {
        reply["offer"]["price"] = json!("USD:0.02");
    });
    let error = world.run(wallet.pay(SHOP, "coins", price())).unwrap_err();
    assert!(error.is_refusal(ErrorCode::OfferForged), "{error:?}");
    assert_eq!(error.money, Money::Untouched);
    world.assert_at_rest();
}

#[test]
fn an_offer_for_another_center_or_article_is_not_taken() {
    let other = |name: &str| json!({"dnsName": name, "serverName": name, "port": 443});
    let forgeries: [Forgery; 3] = [
        Box::new(move |reply| reply["offer"]["centerId"] = other("else.example")),
        Box::new(move |reply| reply["offer"]["vendorId"] = other("else.example")),
        Box::new(|reply| reply["offer"]["requestUrl"] = json!("https://shop.example/articles/trains")),
    ];
    for forge in forgeries {
        let world = World::with_four_cents();
        let wallet = world.wallet();
        world.faults.forge(format!("{SHOP}/api/v1/purchase"), forge);
        let error = world.run(wallet.pay(SHOP, "coins", price())).unwrap_err();
        assert!(error.is(Problem::ReplyInvalid) || error.is(Problem::ShopForeign), "{error:?}");
        assert_eq!(world.faults.count("/api/v1/payment"), 0);
    }
}

#[test]
fn articles_at_another_origin_are_neither_shown_nor_paid() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.faults.forge(format!("{SHOP}/api/v1/articles"), |reply| {
        for article in reply["articles"].as_array_mut().unwrap() {
            article["url"] = json!("https://shop.example.evil.example/articles/coins");
        }
    });
    assert!(world.run(wallet.articles(SHOP)).unwrap().is_empty());
    world.faults.forge(format!("{SHOP}/api/v1/article/coins"), |reply| {
        reply["url"] = json!("https://shop.example.evil.example/articles/coins");
    });
    let error = world.run(wallet.pay(SHOP, "coins", price())).unwrap_err();
    assert!(error.is(Problem::ShopInvalid), "{error:?}");
}

#[test]
fn a_shop_that_names_another_article_than_was_asked_for_is_not_paid() {
    let world = World::with_four_cents();
    world.faults.forge(format!("{SHOP}/api/v1/article/coins"), |reply| {
        reply["slug"] = json!("bread");
        reply["url"] = json!("https://shop.example/articles/bread");
    });
    let error = world.run(world.wallet().pay(SHOP, "coins", price())).unwrap_err();
    assert!(error.is(Problem::ShopInvalid), "{error:?}");
    assert_eq!(world.faults.count("/api/v1/payment"), 0);
}

#[test]
fn a_shop_of_another_center_is_shown_as_such_and_not_paid() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.faults.forge(format!("{SHOP}/api/v1/shop"), |reply| {
        reply["centerOrigin"] = json!("https://else.example");
    });
    assert!(!world.run(wallet.shop(SHOP)).unwrap().accepted);
    let error = world.run(wallet.pay(SHOP, "coins", price())).unwrap_err();
    assert!(error.is(Problem::ShopForeign), "{error:?}");
    let error = world.run(wallet.earn(SHOP, "spot", &["a".into()])).unwrap_err();
    assert!(error.is(Problem::ShopForeign), "{error:?}");
}

#[test]
fn what_is_no_shop_is_said_to_be_none() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.faults.forge(format!("{SHOP}/api/v1/shop"), |reply| *reply = json!("a web page"));
    let error = world.run(wallet.shop(SHOP)).unwrap_err();
    assert!(error.is(Problem::ShopInvalid), "{error:?}");
    let error = world.run(wallet.shop("https://nobody.example")).unwrap_err();
    assert!(error.is(Problem::ShopUnreachable), "{error:?}");
    let error = world.run(wallet.shop("javascript:alert(1)")).unwrap_err();
    assert!(error.is(Problem::ArgumentInvalid), "{error:?}");
}

#[test]
fn a_center_with_another_key_than_the_pinned_one_is_not_met() {
    let world = World::new();
    let wallet = world.run(world.open_pinned([1; 32])).unwrap();
    let error = world.run(wallet.register(|_| ())).unwrap_err();
    assert!(error.is(Problem::CenterKeyChanged), "{error:?}");
    assert_eq!(world.outside.borrow().center.purses.len(), 0);
}

#[test]
fn a_center_of_another_version_is_not_met() {
    let world = World::new();
    let wallet = world.wallet();
    world.faults.forge(format!("{CENTER}/api/v1/center"), |reply| reply["protocolVersion"] = json!(2));
    let error = world.run(wallet.register(|_| ())).unwrap_err();
    assert!(error.is(Problem::CenterInvalid), "{error:?}");
}

#[test]
fn a_center_that_went_back_to_yesterdays_books_is_followed_and_told_of() {
    let world = World::with_four_cents();
    let yesterday = world.outside.borrow().clone();
    let wallet = world.wallet();
    world.run(wallet.pay(SHOP, "coins", price())).unwrap();
    *world.outside.borrow_mut() = yesterday;
    world.run(wallet.resync()).unwrap();
    assert_eq!(world.balance(), "USD:0.04");
    let entry = &world.run(wallet.history(None, 1)).unwrap()[0];
    assert!(entry.note.as_deref().unwrap().contains("went back"), "{entry:?}");
    world.assert_at_rest();
    world.run(wallet.pay(SHOP, "bread", "USD:0.01".parse().unwrap())).unwrap();
    assert_eq!(world.outside.borrow().center.posted(StepKind::Payment), 1);
    world.assert_at_rest();
}

/// The scrip that the wallet holds.
fn scrip(world: &World) -> Scrip {
    let wallet: Value = serde_json::from_slice(&world.storage.records()["wallet"]).unwrap();
    serde_json::from_value(wallet["scrip"].clone()).unwrap()
}

/// T26: the center knows that an older copy was put back, and has begun a new epoch.
#[test]
fn t26_a_center_that_restored_yesterdays_books_is_followed_and_the_proof_is_kept() {
    let world = World::with_four_cents();
    let yesterday = world.outside.borrow().clone();
    let wallet = world.wallet();
    world.run(wallet.pay(SHOP, "coins", price())).unwrap();
    let held = scrip(&world);
    *world.outside.borrow_mut() = yesterday;
    world.outside.borrow_mut().center.epoch = 500_000;

    // The next payment asks by itself, and goes through.
    world.run(wallet.pay(SHOP, "bread", "USD:0.01".parse().unwrap())).unwrap();
    assert_eq!(world.balance(), "USD:0.03");
    assert_eq!(world.outside.borrow().center.posted(StepKind::Payment), 1);
    let serial = scrip(&world).scrip.scrip_id.serial_number;
    assert_eq!(serial.epoch(), 500_000);
    let history = world.run(wallet.history(None, 10)).unwrap();
    let entry = history.iter().find(|entry| entry.note.is_some()).unwrap();
    assert!(entry.note.as_deref().unwrap().contains("went back"), "{entry:?}");
    assert_eq!(entry.balance_after, "USD:0.04".parse().unwrap());
    // What the books have lost can be proved: the newest scrip of before, with the center's certificate.
    let detail = world.run(wallet.history_detail(entry.number)).unwrap();
    let shown = serde_json::to_string(&detail).unwrap();
    let certificate = serde_json::to_value(&held).unwrap()["certificate"].as_str().unwrap().to_owned();
    assert!(shown.contains(&certificate), "{shown}");
    assert_eq!(world.outside.borrow().center.center.keys.check_issued(&held), Ok(()));
    world.assert_at_rest();
}

/// A wallet that lost nothing hears of it once, and goes on.
#[test]
fn t26_a_wallet_that_lost_nothing_goes_on_after_a_restore() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.outside.borrow_mut().center.epoch = 500_000;
    world.run(wallet.pay(SHOP, "bread", "USD:0.01".parse().unwrap())).unwrap();
    assert_eq!(world.balance(), "USD:0.03");
    let history = world.run(wallet.history(None, 10)).unwrap();
    assert_eq!(history.iter().filter(|entry| entry.note.is_some()).count(), 1);
    world.run(wallet.resync()).unwrap();
    assert_eq!(world.run(wallet.history(None, 10)).unwrap().len(), history.len());
    world.assert_at_rest();
}

#[test]
fn records_of_a_newer_program_are_left_alone() {
    let world = World::with_four_cents();
    let mut records = world.storage.records();
    let mut wallet: Value = serde_json::from_slice(&records["wallet"]).unwrap();
    wallet["version"] = json!(3);
    records.insert("wallet".into(), serde_json::to_vec(&wallet).unwrap());
    world.storage.replace(records.clone());
    let error = world.run(world.open()).unwrap_err();
    assert!(error.is(Problem::RecordNewer), "{error:?}");
    assert_eq!(world.storage.records(), records);
}
