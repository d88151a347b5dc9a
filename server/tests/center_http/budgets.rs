//! Budgets at a real shop: a storefront over HTTP with its own file, a center over HTTP with its own, and a reader who
//! spends while the center is stopped. Then all books agree to the unit.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tuppence_protocol::payword::{AwaitingCountersignature, Chain, Countersigned, Customer, Plan};
use tuppence_protocol::scrip::payment::PaymentInformation;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::vendor_scrip::{AwaitingScrip, Holding, Order, Purchased, Settlement, digest};
use tuppence_protocol::{Currency, ErrorCode, KeyRing, Secret};
use tuppence_server::clock::SystemClock;
use tuppence_server::http::client::client;
use tuppence_server::http::site::Limits;
use tuppence_server::http::stopping::{Stop, Stopping};
use tuppence_server::http::storefront::{self, StorefrontApi};
use tuppence_server::storefront::catalogue::fields::Prices;
use tuppence_server::storefront::credentials::Credentials;
use tuppence_server::storefront::till::{
    EndedBudget, PaywordSale, ScripBought, ScripSale, ScripStanding, Terms,
};
use tuppence_server::storefront::{Running, Settings, Storefront};

use crate::buyer::Buyer;
use crate::stand::{Answer, SHOP_SECRET, Stand, random, send, until};

const ORIGIN: &str = "https://shop.example";
const ARTICLE: &str = "---\ntitle: Bread\nprice: 0.01\n---\nWarm.\n\n<!-- more -->\n\nZQX-PAID-WORDS.\n";

/// A storefront that runs.
struct Shop {
    settings: Settings,
    serving: Option<Serving>,
    address: String,
}

/// Until it is dropped, as a killed program drops everything.
struct Serving {
    shop: Arc<Storefront>,
    _running: Running,
    _stop: Stop,
    server: actix_web::dev::ServerHandle,
}

impl Shop {
    fn start(stand: &Stand, folder: &TempDir) -> Self {
        let content = folder.path().join("content");
        std::fs::create_dir_all(&content).unwrap();
        std::fs::write(content.join("bread.md"), ARTICLE).unwrap();
        let settings = Settings {
            database: folder.path().join("shop.sqlite"),
            content,
            upstream: None,
            campaigns: folder.path().join("campaigns"),
            credentials: Credentials {
                vendor_id: stand.seller.vendor_id().clone(),
                secrets: KeyRing::new(1, Secret::from_bytes(SHOP_SECRET)),
            },
            origin: ORIGIN.to_owned(),
            center_origin: stand.origin.clone(),
            wallet_origin: stand.origin.clone(),
            title: "Shop".to_owned(),
            description: "Bread.".to_owned(),
            prices: Prices { currency: Currency::USD, default: None },
            hold: Duration::from_secs(1),
            held_max: 10,
            till: Terms {
                taken: true,
                suggested: "USD:0.5".parse().unwrap(),
                days: 30,
                settle_every: Duration::from_millis(20),
            },
        };
        let mut shop = Shop { settings, serving: None, address: String::new() };
        shop.open();
        shop
    }

    fn open(&mut self) {
        let http = client(Duration::from_secs(5)).unwrap();
        let shop = Storefront::open(self.settings.clone(), Arc::new(SystemClock), http).unwrap();
        let running = shop.start();
        let (stop, stopping) = Stopping::new();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        self.address = format!("http://{}", listener.local_addr().unwrap());
        let limits = Limits { workers: 1, shutdown_time_max: Duration::ZERO, ..Limits::default() };
        let server = storefront::site(StorefrontApi::new(shop.clone(), stopping));
        let server = server.serve(listener, limits).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        self.serving = Some(Serving { shop, _running: running, _stop: stop, server: handle });
    }

    /// Everything in memory is gone; the file is as it was.
    async fn kill(&mut self) {
        let Serving { server, .. } = self.serving.take().unwrap();
        server.stop(false).await;
        self.open();
    }

    async fn post(&self, stand: &Stand, path: &str, message: &impl serde::Serialize) -> Answer {
        let answer = send(stand.http.post(format!("{}/api/v1{path}", self.address)).json(message)).await;
        let description: Value = serde_json::from_str(storefront::OPENAPI).unwrap();
        answer.fits_in(&description, "post", path);
        if answer.status == 200 {
            let content = &description["paths"][path]["post"]["requestBody"]["content"];
            let name = content["application/json"]["schema"]["$ref"].as_str().unwrap();
            let schema = json!({"$ref": name, "components": description["components"]});
            let message = serde_json::to_value(message).unwrap();
            assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&message), "{path}: {message}");
        }
        answer
    }

    /// Until the shop has met its center, and may license and settle.
    async fn offers_budgets(&self) {
        let shop = self.serving.as_ref().unwrap().shop.clone();
        until("the shop takes budgets", move || {
            shop.budget_view().is_some_and(|view| view.methods.len() == 2)
        })
        .await;
    }
}

fn chain(plan: &Plan, stand: &Stand) -> Chain {
    let mut generator = plan.generator(stand.seller.vendor_id()).unwrap();
    while generator.step(1_000).done < plan.length {}
    generator.finish().unwrap()
}

async fn balance(stand: &Stand) -> String {
    let vendors: Value = stand.get("/operator/vendors", "/operator/vendors").await.expect(200).json();
    vendors["vendors"][0]["balance"].as_str().unwrap().to_owned()
}

/// Asks the center until it is so.
async fn until_balance(stand: &Stand, expected: &str) {
    for _ in 0..500 {
        if balance(stand).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(balance(stand).await, expected);
}

#[actix_web::test]
async fn ten_articles_in_paywords_while_the_center_is_stopped_and_the_shop_killed_then_all_books_agree() {
    let mut stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let folder = tempfile::tempdir().unwrap();
    let mut shop = Shop::start(&stand, &folder);
    shop.offers_budgets().await;
    let description: Value = serde_json::from_str(storefront::OPENAPI).unwrap();
    let said = send(stand.http.get(format!("{}/api/v1/shop", shop.address))).await;
    said.fits_in(&description, "get", "/shop");
    assert_eq!(said.json::<Value>()["budget"]["unit"], "USD:0.01");
    let offer =
        stand.http.get(format!("{}/articles/bread", shop.address)).header("accept", "application/json");
    let offer: Value = send(offer).await.expect(402).json();
    assert_eq!(offer["offer"]["methods"], json!(["scrip", "vendor-scrip", "payword"]));
    let plan = Plan {
        nonce: random(),
        end: Secret::from_bytes(random()),
        length: 50,
        unit: "USD:0.01".parse().unwrap(),
        expires: stand.now().plus(tuppence_protocol::Duration::from_days(30)),
    };
    let customer = Customer::at(stand.seller.vendor_id().clone(), &Secret::from_bytes([8; 32]));
    let asking = customer.certificate(&buyer.purse);
    let keys = stand.get("/payword/keys", "/payword/keys").await.expect(200).json();
    let certificate = stand.post("/payword/certificate", &asking.request).await.expect(200).json();
    let certificate = asking.receive(&certificate, &keys).unwrap();
    let mut paywords = chain(&plan, &stand);
    let order = customer.authorise(certificate, &plan, paywords.root());
    let information: PaymentInformation = stand.post("/payword/authority", &order).await.expect(200).json();
    let receipt: Receipt =
        buyer.pays_with(&stand, information, "/payword/reserve", "order", json!(order)).await;
    let ask = json!({"authorityId": order.authority.id(), "receipt": receipt});
    let countersigned: Countersigned = stand.post("/payword/countersigned", &ask).await.expect(200).json();
    let mut budget =
        AwaitingCountersignature { order, end: plan.end.clone() }.receive(&countersigned, &keys).unwrap();

    stand.stop().await;
    shop.post(&stand, "/payword/open", budget.countersigned()).await.expect(200);
    let url = format!("{ORIGIN}/articles/bread");
    let mut last = None;
    for number in 0..10 {
        let charge = budget.charge(&mut paywords, 1).unwrap();
        let purchase = json!({"requestUrl": url, "charge": charge});
        let answer = shop.post(&stand, "/payword/buy", &purchase).await.expect(200);
        let sale: PaywordSale = answer.json();
        assert!(sale.delivery.document.as_str().contains("ZQX-PAID-WORDS"));
        last = Some((purchase, answer.body));
        if number % 4 == 0 {
            shop.kill().await;
        }
    }
    let (purchase, body) = last.unwrap();
    assert_eq!(shop.post(&stand, "/payword/buy", &purchase).await.expect(200).body, body);
    stand.resume_where_it_was();

    // 100 paid in, 50 set aside; ten cents less a tenth.
    until_balance(&stand, "USD:50.09").await;
    let last = budget.end(&mut paywords).unwrap();
    let ended: EndedBudget = shop.post(&stand, "/payword/end", &last).await.expect(200).json();
    // The reader is quicker than the shop, or not: the center takes it once.
    if let Some(deposit) = ended.deposit {
        stand.post("/payword/deposit", &deposit).await.expect(200);
    }
    assert_eq!(buyer.live(&stand).await, "USD:0.9".parse().unwrap());
    assert_eq!(balance(&stand).await, "USD:50.09");
    let more = json!({"requestUrl": url, "charge": {"authorityId": last.authority_id, "index": 11, "payword": paywords.payword(11).unwrap()}});
    shop.post(&stand, "/payword/buy", &more).await.refused_for(ErrorCode::BudgetEnded);
    shop.post(&stand, "/payword/open", &json!({"order": 1})).await.refused_for(ErrorCode::Malformed);
}

#[actix_web::test]
async fn ten_articles_in_the_shop_s_scrip_while_the_center_is_stopped_and_the_rest_is_sold_back() {
    let mut stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let folder = tempfile::tempdir().unwrap();
    let mut shop = Shop::start(&stand, &folder);
    shop.offers_budgets().await;
    let order = Order {
        vendor_id: stand.seller.vendor_id().clone(),
        center_id: stand.seller.center_id().clone(),
        value: "USD:0.5".parse().unwrap(),
        nonce: random(),
    };
    let information: PaymentInformation = stand.post("/vendor-scrip/order", &order).await.expect(200).json();
    let receipt: Receipt =
        buyer.pays_with(&stand, information, "/vendor-scrip/buy", "order", json!(order)).await;
    let ask = json!({"orderId": order.id(), "receipt": receipt});
    let purchased: Purchased = stand.post("/vendor-scrip/purchased", &ask).await.expect(200).json();
    let mut holding = AwaitingScrip { order }.receive(&purchased, &buyer.purse.custom_secret).unwrap();
    waits_for_its_page(&stand, &shop, &holding).await;

    stand.stop().await;
    for number in 0..10 {
        let url = format!("{ORIGIN}/articles/bread").parse().unwrap();
        let paid = holding.pay(url, "USD:0.01".parse().unwrap()).unwrap();
        let answer = shop.post(&stand, "/vendor-scrip/buy", &paid.request).await.expect(200);
        if number % 4 == 0 {
            shop.kill().await;
        }
        let again = shop.post(&stand, "/vendor-scrip/buy", &paid.request).await.expect(200);
        assert_eq!(again.body, answer.body);
        let sale: ScripSale = answer.json();
        holding = paid.receive(&sale.reply, digest(sale.delivery.document.as_str().as_bytes())).unwrap();
    }
    let standing: ScripStanding =
        shop.post(&stand, "/vendor-scrip/standing", &holding.give_back()).await.expect(200).json();
    assert_eq!((standing.redeemed, standing.ended), ("USD:0.1".parse().unwrap(), false));
    let ask = json!({"return": holding.give_back(), "after": 0});
    let bought: ScripBought = shop.post(&stand, "/vendor-scrip/bought", &ask).await.expect(200).json();
    assert_eq!((bought.articles.len(), bought.more), (10, false));
    stand.resume_where_it_was();
    until_balance(&stand, "USD:50.09").await;
    let settlement: Settlement =
        shop.post(&stand, "/vendor-scrip/end", &holding.give_back()).await.expect(200).json();
    stand.post("/vendor-scrip/settlement", &settlement).await.expect(200);
    assert_eq!(buyer.live(&stand).await, "USD:0.9".parse().unwrap());
    assert_eq!(balance(&stand).await, "USD:50.09");
}

/// A budget that the wallet leaves at the shop is there for its page; what the shop would not take is not kept.
async fn waits_for_its_page(stand: &Stand, shop: &Shop, holding: &Holding) {
    let (claim, other) = ("AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAQ");
    let budget = serde_json::to_value(holding).unwrap();
    let mut richer = budget.clone();
    for scrip in ["first", "live"] {
        richer[scrip]["scrip"]["value"] = json!("USD:5");
    }
    let left = json!({"claim": other, "budget": richer});
    shop.post(stand, "/claims", &left).await.refused_for(ErrorCode::VendorScripInvalid);
    shop.post(stand, "/claims", &json!({"claim": other})).await.refused_for(ErrorCode::Malformed);
    shop.post(stand, "/claims", &json!({"claim": claim, "budget": budget})).await.expect(200);
    let taken: Value = shop.post(stand, "/claims/take", &json!({"claim": claim})).await.expect(200).json();
    assert_eq!(taken, json!({"budget": budget}));
    let nothing: Value = shop.post(stand, "/claims/take", &json!({"claim": other})).await.expect(200).json();
    assert_eq!(nothing, json!({}));
}
