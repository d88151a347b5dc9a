//! The till: what readers pay with budgets, while the center is there, away, or loses its answers; and what a shop
//! that is killed between any two steps still knows.

mod meter;
mod paywords;
mod scrip;

use tuppence_protocol::payword::{
    AuthorityOrder, AwaitingCountersignature, Budget, Certificate, Chain, Charge, Countersigned, Customer,
    Plan,
};
use tuppence_protocol::vendor_scrip::{
    AwaitingChange, Holding, Licensed, VendorScrip, VendorScripBody, digest,
};
use tuppence_protocol::{Duration, PublicKeys};

use super::fake_center::{Center, center_key};
use super::*;
use crate::storefront::till::{AskBought, PaywordPurchase, PaywordSale, ScripBought, ScripSale, Terms};

pub(super) const BREAD_URL: &str = "https://shop.example/articles/bread";
pub(super) const TRAM_URL: &str = "https://shop.example/articles/tram";
const TRAM: &str =
    "---\ntitle: Tram\nprice: 0.03\ndate: 2026-01-06\n---\nIt rings.\n\n<!-- more -->\n\nZQX-ON-RAILS.\n";

/// A shop that has met its center, sells two articles for the same price, and can be killed.
pub(super) struct Market {
    pub(super) center: Arc<Center>,
    pub(super) stand: Stand,
}

impl Market {
    pub(super) async fn open() -> Self {
        Self::with(|settings| settings).await
    }

    pub(super) async fn with(change: impl FnOnce(Settings) -> Settings) -> Self {
        let (center, origin) = fake_center::serve().await;
        let stand = stand_with(&origin, change);
        std::fs::write(stand.root.path().join("content/tram.md"), TRAM).unwrap();
        stand.shop.reload();
        stand.shop.prepare().await.unwrap();
        Market { center, stand }
    }

    pub(super) fn shop(&self) -> &Arc<Storefront> {
        &self.stand.shop
    }

    /// The shop is dropped as it is, and opened again on its file, with these settings.
    pub(super) fn kill_with(&mut self, change: impl FnOnce(Settings) -> Settings) {
        let settings = change(self.stand.shop.settings.clone());
        self.stand.shop = open(settings, &self.stand.clock);
    }

    pub(super) fn kill(&mut self) {
        self.kill_with(|settings| settings);
    }

    /// The shop tells the center what was taken; the first message of this kind has arrived, and has no answer yet.
    async fn settling(
        &self,
        kind: usize,
        arrived: impl Fn(&Center) -> usize,
    ) -> tokio::task::JoinHandle<Result<(), Refusal>> {
        self.center.slow[kind].store(true, Ordering::SeqCst);
        let shop = self.shop().clone();
        let settling = tokio::spawn(async move { shop.settle_all().await });
        while arrived(&self.center) == 0 {
            tokio::task::yield_now().await;
        }
        settling
    }

    /// That message is answered, the answer to the next one is lost, and the shop is killed.
    async fn answered_and_killed(
        &mut self,
        kind: usize,
        settling: tokio::task::JoinHandle<Result<(), Refusal>>,
    ) {
        self.losing(true);
        self.center.slow[kind].store(false, Ordering::SeqCst);
        assert_eq!(settling.await.unwrap().unwrap_err().code, ErrorCode::CenterUnreachable);
        self.losing(false);
        self.kill();
    }

    pub(super) fn down(&self, down: bool) {
        self.center.down.store(down, Ordering::SeqCst);
    }

    pub(super) fn losing(&self, losing: bool) {
        self.center.losing.store(losing, Ordering::SeqCst);
    }
}

/// Whoever holds a budget in paywords.
pub(super) struct Reader {
    pub(super) budget: Budget,
    pub(super) chain: Chain,
}

impl Reader {
    /// A budget of `length` cents at `shop`, countersigned with the center's key `key`.
    pub(super) fn at(shop: &str, length: u32, key: u32) -> Self {
        let vendor_id = server(shop);
        let customer = Customer::at(vendor_id.clone(), &Secret::from_bytes([8; 32]));
        let plan = Plan {
            nonce: [4; 16],
            end: Secret::from_bytes([9; 32]),
            length,
            unit: "USD:0.01".parse().unwrap(),
            expires: NOW.plus(Duration::from_days(30)),
        };
        let mut generator = plan.generator(&vendor_id).unwrap();
        while generator.step(1_000).done < length {}
        let chain = generator.finish().unwrap();
        let until = NOW.plus(Duration::from_days(365));
        let certificate =
            Certificate::new(server("center.example"), customer.public_key(), until, key, &center_key(key));
        let order: AuthorityOrder = customer.authorise(certificate, &plan, chain.root());
        let countersigned = Countersigned::new(order.clone(), key, &center_key(key));
        let mut ring = KeyRing::new(1, center_key(1));
        let _ = ring.add(key, center_key(key));
        let awaiting = AwaitingCountersignature { order, end: plan.end };
        let budget = awaiting.receive(&countersigned, &PublicKeys::of(&ring)).unwrap();
        Reader { budget, chain }
    }

    pub(super) async fn opens(&self, shop: &Storefront) -> Result<u32, Refusal> {
        shop.open_budget(self.budget.countersigned().clone()).await.map(|opened| opened.index)
    }

    /// Three more cents.
    pub(super) fn charge(&mut self) -> Charge {
        self.charge_of(3)
    }

    /// A charge of so many cents.
    pub(super) fn charge_of(&mut self, cents: u32) -> Charge {
        self.budget.charge(&mut self.chain, cents).unwrap()
    }
}

pub(super) fn purchase(url: &str, charge: Charge) -> PaywordPurchase {
    PaywordPurchase { request_url: url.parse().unwrap(), charge }
}

/// What the wire carries of a sale.
pub(super) fn bytes(sale: &impl Serialize) -> String {
    serde_json::to_string(sale).unwrap()
}

/// Scrip that the center made by the shop's newest licence: the purchase `number`, worth `value`.
pub(super) fn holding(center: &Center, number: u32, value: &str) -> Holding {
    let licences = center.licences.lock().unwrap();
    let Licensed { terms, scrip_secret, .. } = licences.last_key_value().unwrap().1;
    let body = VendorScripBody {
        vendor_id: terms.vendor_id.clone(),
        value: value.parse().unwrap(),
        id: terms.scrips.nth(number).unwrap(),
        customer_id: terms.customers.nth(number).unwrap(),
        expires: NOW.plus(Duration::from_days(30)),
        props: terms.props.clone(),
    };
    let customer_secret = licences.last_key_value().unwrap().1.customer(body.customer_id).unwrap();
    holding_of(&VendorScrip::new(body, scrip_secret), &customer_secret)
}

pub(super) fn holding_of(scrip: &VendorScrip, customer_secret: &Secret) -> Holding {
    let held = serde_json::json!({"first": scrip, "live": scrip, "customerSecret": customer_secret});
    serde_json::from_value(held).unwrap()
}

pub(super) fn pays(holding: &Holding, url: &str) -> AwaitingChange {
    holding.pay(url.parse().unwrap(), "USD:0.03".parse().unwrap()).unwrap()
}

/// The reader takes the change, having hashed what came.
pub(super) fn received(paid: &AwaitingChange, sale: &ScripSale) -> Holding {
    paid.receive(&sale.reply, digest(sale.delivery.document.as_str().as_bytes())).unwrap()
}

#[tokio::test]
async fn what_is_paid_while_a_deposit_is_under_way_is_deposited_though_the_shop_is_killed_after_its_answer() {
    let mut market = Market::open().await;
    let mut reader = Reader::at("shop.example", 50, 1);
    reader.opens(market.shop()).await.unwrap();
    market.shop().sell_for_payword(purchase(BREAD_URL, reader.charge())).await.unwrap();
    let settling = market.settling(0, |center| center.deposits.lock().unwrap().len()).await;
    market.shop().sell_for_payword(purchase(TRAM_URL, reader.charge())).await.unwrap();
    market.answered_and_killed(0, settling).await;
    assert_eq!(reader.opens(market.shop()).await, Ok(6));
    market.shop().settle_all().await.unwrap();
    let deposits: Vec<_> = market.center.deposits.lock().unwrap().iter().map(|sent| sent.index).collect();
    assert_eq!(deposits, [3, 6, 6]);
}

#[tokio::test]
async fn what_is_paid_while_a_settlement_is_under_way_is_settled_though_the_shop_is_killed_after_its_answer()
{
    let mut market = Market::open().await;
    let first = pays(&holding(&market.center, 0, "USD:0.5"), BREAD_URL);
    let held = received(&first, &market.shop().sell_for_scrip(first.request.clone()).await.unwrap());
    let settling = market.settling(1, |center| center.settlements.lock().unwrap().len()).await;
    market.shop().sell_for_scrip(pays(&held, TRAM_URL).request).await.unwrap();
    market.answered_and_killed(1, settling).await;
    market.shop().settle_all().await.unwrap();
    let settlements = market.center.settlements.lock().unwrap().clone();
    let redeemed: Vec<_> = settlements.iter().map(|sent| sent.redeemed.to_string()).collect();
    assert_eq!(redeemed, ["USD:0.03", "USD:0.06", "USD:0.06"]);
}

#[tokio::test]
async fn a_shop_that_takes_no_budgets_offers_none_and_honours_those_that_were_begun() {
    let mut market = Market::open().await;
    let view = market.shop().budget_view().unwrap();
    assert_eq!(view.methods, ["vendor-scrip", "payword"]);
    assert_eq!((view.unit, view.days), (Some("USD:0.03".parse().unwrap()), 30));
    let mut reader = Reader::at("shop.example", 50, 1);
    reader.opens(market.shop()).await.unwrap();
    let held = holding(&market.center, 0, "USD:0.5");
    market
        .kill_with(|settings| Settings { till: Terms { taken: false, ..settings.till.clone() }, ..settings });
    market.shop().prepare().await.unwrap();
    assert!(market.shop().budget_view().is_none());
    market.shop().sell_for_payword(purchase(BREAD_URL, reader.charge())).await.unwrap();
    market.shop().sell_for_scrip(pays(&held, BREAD_URL).request).await.unwrap();
    let other = Reader::at("shop.example", 40, 1);
    assert_eq!(other.opens(market.shop()).await.unwrap_err().code, ErrorCode::AuthorityInvalid);
}

#[tokio::test]
async fn a_shop_that_never_met_its_center_takes_no_budgets() {
    let stand = stand("http://127.0.0.1:1");
    assert!(stand.shop.prepare().await.is_err() && stand.shop.budget_view().is_none());
    let reader = Reader::at("shop.example", 50, 1);
    assert_eq!(reader.opens(&stand.shop).await.unwrap_err().code, ErrorCode::CenterUnreachable);
}

#[tokio::test]
async fn a_budget_s_receipt_opens_its_article_as_any_other() {
    let market = Market::open().await;
    let mut reader = Reader::at("shop.example", 50, 1);
    reader.opens(market.shop()).await.unwrap();
    let sale = market.shop().sell_for_payword(purchase(BREAD_URL, reader.charge())).await.unwrap();
    let paid = pays(&holding(&market.center, 0, "USD:0.5"), TRAM_URL);
    let bought = market.shop().sell_for_scrip(paid.request.clone()).await.unwrap();
    for (delivery, words) in [(sale.delivery, "ZQX-PAID-WORDS"), (bought.delivery, "ZQX-ON-RAILS")] {
        assert!(delivery.document.as_str().contains(words));
        let again = market.shop().open_article(delivery.receipt).await.unwrap();
        assert_eq!(again.document.as_str(), delivery.document.as_str());
    }
}
