//! The published types of the JavaScript API say what the wallet really gives.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::sim::{SHOP, World};

const TYPES: &str = include_str!("../../src/js_api/types.d.ts");

/// The properties of each interface, and whether each may be absent.
fn interfaces() -> BTreeMap<&'static str, BTreeMap<&'static str, bool>> {
    let mut all: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    let mut current = None;
    for line in TYPES.lines() {
        if let Some(rest) = line.strip_prefix("export interface ") {
            current = rest.split([' ', '{']).next();
        } else if line == "}" {
            current = None;
        } else if let (Some(interface), Some((name, _))) = (current, line.trim().split_once(": ")) {
            let optional = name.ends_with('?');
            if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '?') {
                all.entry(interface).or_default().insert(name.trim_end_matches('?'), optional);
            }
        }
    }
    all
}

/// The value has every property that its type demands, and none beside.
fn assert_is(interface: &str, value: &impl Serialize) {
    let value = serde_json::to_value(value).unwrap();
    let Value::Object(object) = value else { panic!("{interface} is no object") };
    let types = interfaces();
    let properties = types.get(interface).unwrap_or_else(|| panic!("there is no interface {interface}"));
    let has: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    let knows: BTreeSet<&str> = properties.keys().copied().collect();
    let needs: BTreeSet<&str> =
        properties.iter().filter(|(_, optional)| !**optional).map(|(name, _)| *name).collect();
    let beside: Vec<_> = has.difference(&knows).collect();
    let missing: Vec<_> = needs.difference(&has).collect();
    assert!(beside.is_empty() && missing.is_empty(), "{interface}: beside {beside:?}, missing {missing:?}");
}

#[test]
fn every_value_is_what_its_type_says() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.run(wallet.earn(SHOP, "survey", &["a".into()])).unwrap();
    let paid = world.run(wallet.pay(SHOP, "coins", "USD:0.03".parse().unwrap())).unwrap();
    assert_is("Paid", &paid);
    assert_is("LibraryEntry", &paid.article);
    assert_is("Receipt", &paid.article.receipt);
    assert_is("VendorId", &paid.article.receipt.vendor_id);
    assert_is("ArticleText", paid.text.as_ref().unwrap());

    let bought = world.run(wallet.pay_url(&paid.article.url, "USD:0.03".parse().unwrap(), |_| ()));
    assert_is("Bought", &bought.unwrap());

    let earned = world.run(wallet.earn(SHOP, "spot", &["a".into()])).unwrap();
    assert_is("Earned", &earned);
    let detail = world.run(wallet.history_detail(earned.entry.number)).unwrap();
    assert_is("HistoryDetail", &detail);
    assert_is("ExchangeStep", &detail.exchange[0]);
    for entry in world.run(wallet.history(None, 10)).unwrap() {
        assert_is("HistoryEntry", &entry);
        assert_is("Change", &entry.change);
    }

    let status = world.run(wallet.status()).unwrap();
    assert_is("Status", &status);
    assert_is("CenterView", status.center.as_ref().unwrap());
    assert_is("RecoveryState", &world.run(wallet.recovery()).unwrap());
    let balance = world.run(wallet.balance()).unwrap();
    assert_is("Balance", &balance);
    let shops = world.run(wallet.shops()).unwrap();
    assert_is("ShopInfo", &shops[0]);
    assert_is("ShopRef", &shops[0].shop);
    assert_is("ArticleCard", &world.run(wallet.articles(SHOP)).unwrap()[0]);
    assert_is("CampaignCard", &world.run(wallet.campaigns(SHOP)).unwrap()[0]);
    let campaign = world.run(wallet.campaign(SHOP, "quiz")).unwrap();
    assert_is("CampaignDetail", &campaign);
    assert_is("Question", &campaign.questions[0]);
    assert_is("Choice", &campaign.questions[0].choices[0]);

    assert_is("CashOutTerms", &world.run(wallet.cash_out_terms()).unwrap());
    assert_is("CashOutOrder", &world.run(wallet.cash_out("USD:5".parse().unwrap(), "Account 12")).unwrap());
    assert_is("StorageState", &world.run(wallet.storage_state()));
    let error = world.run(wallet.pay(SHOP, "trains", "USD:1".parse().unwrap()));
    assert!(error.is_ok(), "there is a dollar left");

    world.outside.borrow_mut().center.center.policy.balance_max = "USD:0.1".parse().unwrap();
    let error = world.run(wallet.earn(SHOP, "quiz", &["a".into()])).unwrap_err();
    assert_is("Problem", &error);
}

#[test]
fn an_open_operation_is_what_its_type_says() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    world.outside.borrow_mut().center.center.policy.balance_max = "USD:0.05".parse().unwrap();
    let _ = world.run(wallet.earn(SHOP, "spot", &["a".into()]));
    let open = world.run(wallet.pending()).unwrap();
    assert_is("PendingOperation", &open[0]);
    assert_is("Problem", open[0].problem.as_ref().unwrap());
}
