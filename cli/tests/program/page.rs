//! What a reader allows a page: a budget that the page spends by itself, and articles that are paid without asking, up to a
//! sum a day.

use futures_util::future::join_all;
use serde::Deserialize;
use tuppence_protocol::Amount;
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::vendor_scrip::{Holding, Reply, digest};
use tuppence_wallet::{Money, Problem, Wallet, WalletError};

use crate::cheap_shop::Shop;
use crate::proxy::At;
use crate::reader::{Reader, block_on, fixtures, reqwest_client};
use crate::serving::Serving;

const PAGE: &str = "https://page.example";
const OTHER_PAGE: &str = "https://other.example";

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn stand() -> (Serving, Shop) {
    let serving = Serving::with_settings(&fixtures());
    let center = format!("http://localhost:{}", serving.ports[0]);
    let shop = Shop::at(&serving, &center);
    (serving, shop)
}

/// A reader with four cents.
async fn reader(serving: &Serving) -> Reader {
    let reader = Reader::registered(serving).await;
    reader.earn().await;
    reader
}

/// What the wallet hands to the page.
fn bought(handed: Result<String, WalletError>) -> Holding {
    serde_json::from_str(&handed.unwrap()).unwrap()
}

#[derive(Deserialize)]
struct Sold {
    reply: Reply,
    delivery: Delivery,
}

/// The page pays an article, as `web/embed/budget.js` does.
async fn spends(shop: &Shop, holding: &Holding, number: u32) -> Holding {
    let awaiting = holding.pay(shop.article(number).parse().unwrap(), amount("USD:0.0003")).unwrap();
    let address = format!("{}/api/v1/vendor-scrip/buy", shop.origin());
    let answer = reqwest_client().post(address).json(&awaiting.request).send().await.unwrap();
    let Sold { reply, delivery } = answer.json().await.unwrap();
    awaiting.receive(&reply, digest(delivery.document.as_str().as_bytes())).unwrap()
}

async fn titles(wallet: &Wallet) -> Vec<String> {
    wallet.library().await.unwrap().into_iter().map(|article| article.title).collect()
}

#[test]
fn a_page_spends_what_was_bought_for_it_and_the_wallet_sees_it_and_takes_the_rest_back() {
    let (serving, shop) = stand();
    block_on(async {
        let reader = reader(&serving).await;
        let wallet = &reader.wallet;
        let holding = bought(wallet.buy_budget(&shop.origin(), PAGE, amount("USD:0.03")).await);
        wallet.buy_budget(&shop.origin(), OTHER_PAGE, amount("USD:0.005")).await.unwrap();
        let rest = spends(&shop, &holding, 1).await;
        spends(&shop, &rest, 2).await;
        let known = wallet.granted().await.unwrap().budgets;
        let left =
            |page: &str| known.iter().find(|budget| budget.page.as_deref() == Some(page)).unwrap().left;
        assert_eq!((left(PAGE), left(OTHER_PAGE)), (amount("USD:0.0294"), amount("USD:0.005")));
        assert_eq!(titles(wallet).await, ["Number 2", "Number 1"]);
        wallet.open_article(&shop.origin(), "n2").await.unwrap();
        assert!(!wallet.pay_url(&shop.article(1), amount("USD:0.0003"), |_| ()).await.unwrap().charged);
        assert_eq!(wallet.balance().await.unwrap().amount, amount("USD:0.005"));
        // Another budget for the same page ends the one before.
        wallet.buy_budget(&shop.origin(), PAGE, amount("USD:0.01")).await.unwrap();
        assert_eq!(wallet.balance().await.unwrap().amount, amount("USD:0.0244"));
        wallet.end_budget(&shop.origin(), Some(PAGE)).await.unwrap();
        wallet.end_budget(&shop.origin(), Some(OTHER_PAGE)).await.unwrap();
        assert_eq!(wallet.balance().await.unwrap().amount, amount("USD:0.0394"));
        assert_eq!(wallet.budgets().await.unwrap(), []);
    });
    drop(shop);
    serving.ask(&["audit"]);
}

#[test]
fn what_a_page_has_ended_is_in_the_balance_when_the_wallet_looks() {
    let (serving, shop) = stand();
    block_on(async {
        let reader = reader(&serving).await;
        let wallet = &reader.wallet;
        let holding = bought(wallet.buy_budget(&shop.origin(), PAGE, amount("USD:0.03")).await);
        let rest = spends(&shop, &holding, 1).await;
        let address = format!("{}/api/v1/vendor-scrip/end", shop.origin());
        let ended = reqwest_client().post(address).json(&rest.give_back()).send().await.unwrap();
        assert!(ended.status().is_success());
        assert_eq!(wallet.granted().await.unwrap().budgets, []);
        assert_eq!(titles(wallet).await, ["Number 1"]);
        assert_eq!(wallet.balance().await.unwrap().amount, amount("USD:0.0397"));
    });
}

#[test]
fn a_shop_that_does_not_answer_leaves_a_page_s_budget_as_it_was_known() {
    let (serving, mut shop) = stand();
    block_on(async {
        let reader = reader(&serving).await;
        let wallet = &reader.wallet;
        wallet.buy_budget(&shop.origin(), PAGE, amount("USD:0.03")).await.unwrap();
        shop.kill();
        assert_eq!(wallet.granted().await.unwrap().budgets[0].left, amount("USD:0.03"));
        let refused = wallet.end_budget(&shop.origin(), Some(PAGE)).await.unwrap_err();
        assert_eq!(refused.money, Money::Untouched);
        shop.start();
        wallet.end_budget(&shop.origin(), Some(PAGE)).await.unwrap();
        assert_eq!(wallet.balance().await.unwrap().amount, amount("USD:0.04"));
    });
}

#[test]
fn a_page_that_need_not_ask_spends_no_more_a_day_than_was_allowed() {
    let (serving, shop) = stand();
    block_on(async {
        let reader = reader(&serving).await;
        let (wallet, origin) = (&reader.wallet, shop.origin());
        let pays = async |page: &str, slug: &str| wallet.pay_allowed(&origin, page, slug).await;
        assert!(pays(PAGE, "n0").await.unwrap_err().is(Problem::PriceChanged));
        wallet.allow(&origin, PAGE, amount("USD:0.0007")).await.unwrap();
        assert!(pays(OTHER_PAGE, "n0").await.unwrap_err().is(Problem::PriceChanged));
        assert!(wallet.may_be_allowed(&origin, PAGE).await.unwrap());
        assert!(pays(PAGE, "n0").await.unwrap().charged);
        // What is owned costs nothing, and counts nothing.
        assert!(!pays(PAGE, "n0").await.unwrap().charged);
        // Of four at once, one is covered still.
        let many = ["n1", "n2", "n3", "n4"].map(|slug| pays(PAGE, slug));
        let paid = join_all(many).await.into_iter().filter(Result::is_ok).count();
        assert_eq!(paid, 1);
        assert_eq!(wallet.balance().await.unwrap().amount, amount("USD:0.0394"));
        let known = wallet.granted().await.unwrap().allowances;
        assert_eq!((known[0].a_day, known[0].spent), (amount("USD:0.0007"), amount("USD:0.0006")));
        // Given anew, it has not forgotten what was spent today.
        wallet.allow(&origin, PAGE, amount("USD:0.0008")).await.unwrap();
        assert!(pays(PAGE, "n8").await.unwrap_err().is(Problem::PriceChanged));
        wallet.allow(&origin, PAGE, amount("USD:0.0009")).await.unwrap();
        assert!(pays(PAGE, "n8").await.unwrap().charged);
        wallet.end_allowance(&origin, PAGE).await.unwrap();
        assert!(pays(PAGE, "n9").await.unwrap_err().is(Problem::PriceChanged));
        assert_eq!(wallet.granted().await.unwrap().allowances, []);
    });
}

#[test]
fn a_payment_that_was_allowed_and_cost_nothing_counts_nothing() {
    let (serving, mut shop) = stand();
    block_on(async {
        let reader = reader(&serving).await;
        let (wallet, origin) = (&reader.wallet, shop.origin());
        wallet.allow(&origin, PAGE, amount("USD:0.0003")).await.unwrap();
        shop.proxy.stop("/api/v1/purchase", At::Break);
        assert!(wallet.pay_allowed(&origin, PAGE, "n0").await.is_err());
        assert_eq!(wallet.granted().await.unwrap().allowances[0].spent, amount("USD:0"));
        shop.proxy.to(shop.port);
        assert!(wallet.pay_allowed(&origin, PAGE, "n0").await.unwrap().charged);
        shop.kill();
    });
}
