//! A budget at one shop, in scrip of that shop (spec/02): approved once, then spent there without the center. For
//! programs without a browser; pages keep budgets in the shop's own storage.
//!
//! ```text
//! order -> S2 of the center; S4 with the order, S5, S6, receipt, as of any payment -> BudgetRecord
//! receipt -> what was bought
//! Request (stored first) -> Reply with change -> library
//! Return -> last settlement, brought to the center -> the rest is in the purse
//! ```
//!
//! What pays is wrapped by the vault. A request without an answer is sent again before anything else.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tuppence_protocol::bytes::Bytes;
use tuppence_protocol::scrip::buyer::{Ecash, Offer, Start};
use tuppence_protocol::scrip::payment::{PaymentBalance, PaymentInformation, PaymentStart};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::scrip::{Code, RequestUrl};
use tuppence_protocol::vendor_scrip::{
    AwaitingChange, AwaitingScrip, GRACE, Holding, Order, OrderId, Purchased, Reply, Settled, Settlement,
    VendorScripError, digest,
};
use tuppence_protocol::{Amount, ErrorCode, Refusal, Timestamp};

use crate::client::{self, CallError, Peer};
use crate::error::{Money, Problem, WalletError};
use crate::json;
use crate::operation::exchange::note;
use crate::operation::pay::bought;
use crate::operation::session::{NewEntry, Session};
use crate::operation::{Errand, Stage};
use crate::origin::{Origin, segment};
use crate::ports::{Changes, Scan};
use crate::record::{self, ShopRecord, at_shop};
use crate::shop_wire::Article;
use crate::view::{
    ArticleText, Change, EntryKind, ExchangeStep, LibraryEntry, Paid, Party, ShopRef, WalletEvent,
};
use crate::wallet::Inner;

/// A budget as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BudgetRecord {
    pub(crate) shop: ShopRef,
    pub(crate) order: Order,
    /// That it was paid: with it the center gives what was bought, any number of times.
    pub(crate) receipt: Receipt,
    /// What is left, as far as this wallet knows.
    pub(crate) left: Amount,
    /// Until when it can be spent; absent until what was bought is here.
    #[serde(default)]
    pub(crate) expires: Option<Timestamp>,
    /// [`Held`], wrapped.
    #[serde(default)]
    pub(crate) held: Option<Bytes<32_768>>,
    /// Whether a request has no answer yet.
    #[serde(default)]
    pub(crate) asking: bool,
    /// Whether the center was told that it has ended.
    #[serde(default)]
    pub(crate) ended: bool,
}

/// A budget as interfaces show it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Where it can be spent.
    pub shop: ShopRef,
    /// What was approved.
    pub approved: Amount,
    /// What is left.
    pub left: Amount,
    /// Until when it can be spent; seven days later at the latest the rest is back.
    pub expires: Option<Timestamp>,
}

impl BudgetRecord {
    pub(crate) fn new(shop: ShopRef, order: Order, receipt: Receipt) -> Self {
        let left = order.value;
        BudgetRecord { shop, order, receipt, left, expires: None, held: None, asking: false, ended: false }
    }

    fn view(self) -> Budget {
        Budget { shop: self.shop, approved: self.order.value, left: self.left, expires: self.expires }
    }
}

/// What pays.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    holding: Holding,
    #[serde(default)]
    asking: Option<Asking>,
}

/// A request that was sent, and for what.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asking {
    awaiting: AwaitingChange,
    slug: String,
    title: String,
}

/// S4 with what it buys.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuyScrip<'a> {
    payment: &'a PaymentStart,
    order: &'a Order,
}

/// Asks for what was bought.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AskPurchased<'a> {
    order_id: OrderId,
    receipt: &'a Receipt,
}

/// What a shop answers to a request.
#[derive(Deserialize)]
struct Sold {
    reply: Reply,
    delivery: Delivery,
}

/// Pays `article` of `shop` from the budget there. Where there is none with enough left, one of `approved` is bought.
pub(crate) async fn pay(
    inner: &Rc<Inner>,
    shop: ShopRecord,
    article: Article,
    approved: Amount,
) -> Result<Paid, WalletError> {
    let mut session = Session::open(inner).await?;
    session.settle().await?;
    session.finish_asking(&shop.origin).await?;
    // Another program, or the request that had no answer.
    if let Some(article) = bought(inner, shop.origin.as_str(), &article.slug).await? {
        return Ok(Paid { charged: false, article, text: None });
    }
    let price = article.price.unwrap_or(Amount::zero(session.value().currency()));
    let known = session.budget(&shop.origin).await?;
    let budget = match known {
        Some(budget) if budget.serves(price, session.now()) => budget,
        other => {
            if !approved.covers(price) {
                let error = WalletError::from(Problem::PriceChanged);
                return Err(error.because(format!("It is {price} now, more than the whole budget.")));
            }
            if let Some(old) = other {
                session.end_budget(old).await?;
            }
            session.buy_budget(&shop, approved).await?
        }
    };
    session.spend(budget, &shop.origin, &article, price).await
}

/// The budgets that can be spent still, or whose rest has not come back.
pub(crate) async fn budgets(inner: &Inner) -> Result<Vec<Budget>, WalletError> {
    let budgets: Vec<BudgetRecord> = record::list(&*inner.ports.storage, Scan::All).await?;
    Ok(budgets.into_iter().map(BudgetRecord::view).collect())
}

/// Ends the budget at a shop: the rest comes back.
pub(crate) async fn end(inner: &Rc<Inner>, origin: &Origin) -> Result<Budget, WalletError> {
    let mut session = Session::open(inner).await?;
    session.settle().await?;
    session.finish_asking(origin).await?;
    let budget = session.budget(origin).await?.ok_or_else(|| {
        WalletError::from(Problem::ArgumentInvalid).because(format!("There is no budget at {origin}."))
    })?;
    let view = budget.clone().view();
    session.end_budget(budget).await?;
    Ok(view)
}

/// Sends requests again that have no answer. What has none still stays as it is.
pub(crate) async fn finish(inner: &Rc<Inner>) -> Result<(), WalletError> {
    let budgets: Vec<BudgetRecord> = record::list(&*inner.ports.storage, Scan::All).await?;
    for budget in budgets.into_iter().filter(|budget| budget.asking) {
        let origin = budget.shop.origin.parse()?;
        Session::open(inner).await?.finish_asking(&origin).await?;
    }
    Ok(())
}

impl BudgetRecord {
    fn serves(&self, price: Amount, now: Timestamp) -> bool {
        !self.ended && self.left.covers(price) && self.expires.is_none_or(|expires| now <= expires)
    }
}

impl Session {
    async fn budget(&self, shop: &Origin) -> Result<Option<BudgetRecord>, WalletError> {
        record::read(&*self.ports().storage, &segment(shop.as_str())).await
    }

    /// order -> S2 -> S4 to S6.
    async fn buy_budget(&mut self, shop: &ShopRecord, value: Amount) -> Result<BudgetRecord, WalletError> {
        let mut nonce = [0; 16];
        self.ports().random.fill(&mut nonce)?;
        let center_id = self.wallet.center.id.clone();
        let order =
            Order { vendor_id: shop.shop.vendor_id.clone(), center_id: center_id.clone(), value, nonce };
        let mut exchange = Vec::new();
        note(&mut exchange, Code::Pm1_1, Party::Buyer, Party::Center, self.now(), &order);
        let reply: PaymentInformation =
            client::post(self.ports(), self.center(), "/vendor-scrip/order", &order).await?;
        note(&mut exchange, reply.header.cmd_type, Party::Center, Party::Buyer, self.now(), &reply);
        let wrong = |why: &str| WalletError::from(Problem::ReplyInvalid).because(why);
        let offer = reply.offer;
        if offer.vendor_id != center_id
            || offer.price != value
            || offer.request_url != order.id().request_url()?
        {
            return Err(wrong("The center's offer is for something else."));
        }
        let awaiting = self.purse().start(Offer::Payment(offer), self.now())?;
        let errand = Errand::Budget { shop: shop.reference(), order };
        let mut operation = self.operation(errand, Stage::Starting(Box::new(awaiting)))?;
        operation.exchange = exchange;
        self.run(operation).await?;
        self.budget(&shop.origin).await?.ok_or_else(|| WalletError::from(Problem::RecordDamaged))
    }

    /// S4 of a budget.
    pub(super) async fn send_order(
        &self,
        exchange: &mut Vec<ExchangeStep>,
        start: &Start,
        order: &Order,
    ) -> Result<Ecash, CallError> {
        let Start::Payment(payment) = start else {
            return Err(CallError::Unclear(Problem::RecordDamaged.into()));
        };
        let message = BuyScrip { payment, order };
        let code = payment.header.cmd_type;
        let reply: PaymentBalance = self.ask_center(exchange, "/vendor-scrip/buy", code, &message).await?;
        note(exchange, reply.header.cmd_type, Party::Center, Party::Buyer, self.now(), &reply);
        Ok(Ecash::Payment(reply))
    }

    /// What pays: from the records, or from the center, which gives what was bought for its receipt.
    async fn held(&self, budget: &mut BudgetRecord) -> Result<Held, WalletError> {
        if let Some(wrapped) = &budget.held
            && let Ok(plain) = self.ports().vault.unwrap(wrapped.as_slice()).await
        {
            let damaged =
                |error| WalletError::from(Problem::RecordDamaged).because(format!("budget: {error}."));
            return json::read(&plain).map_err(damaged);
        }
        // Not here yet, or brought along in a copy, whose secrets another device has wrapped.
        let message = AskPurchased { order_id: budget.order.id(), receipt: &budget.receipt };
        let purchased: Purchased =
            client::post(self.ports(), self.center(), "/vendor-scrip/purchased", &message).await?;
        let awaiting = AwaitingScrip { order: budget.order.clone() };
        let holding = awaiting.receive(&purchased, &self.custom_secret).map_err(wrong)?;
        budget.expires = Some(purchased.scrip.scrip.expires);
        budget.left = holding.value();
        Ok(Held { holding, asking: None })
    }

    /// Puts what pays into the record, with what is known of it.
    async fn hold(&self, budget: &mut BudgetRecord, held: &Held) -> Result<(), WalletError> {
        let plain = json::write(held).map_err(|error| {
            WalletError::from(Problem::RecordDamaged).because(format!("budget: {error}."))
        })?;
        let wrapped = self.ports().vault.wrap(&plain).await?;
        budget.held = Some(wrapped.try_into().map_err(|_| Problem::Unsupported)?);
        budget.asking = held.asking.is_some();
        budget.left = held.holding.value();
        Ok(())
    }

    async fn keep_budget(&self, budget: &BudgetRecord) -> Result<(), WalletError> {
        let mut changes = Changes::default();
        changes.write(&segment(&budget.shop.origin), budget)?;
        self.keep(changes).await
    }

    /// Pays `article`, and puts it into the library.
    async fn spend(
        &mut self,
        mut budget: BudgetRecord,
        shop: &Origin,
        article: &Article,
        price: Amount,
    ) -> Result<Paid, WalletError> {
        if !shop.has(&article.url) {
            let error = WalletError::from(Problem::ShopInvalid);
            return Err(error.because(format!("{} is not at this shop.", article.url)));
        }
        let mut held = self.held(&mut budget).await?;
        let url = RequestUrl::normalized(&article.url).map_err(|error| {
            WalletError::from(Problem::ArgumentInvalid).because(format!("{:?}: {error}.", article.url))
        })?;
        let awaiting = held.holding.pay(url, price).map_err(wrong)?;
        held.asking = Some(Asking { awaiting, slug: article.slug.clone(), title: article.title.clone() });
        self.hold(&mut budget, &held).await?;
        self.keep_budget(&budget).await?;
        let (article, text) = self.ask(budget, held, shop).await?;
        Ok(Paid { charged: true, article, text: Some(text) })
    }

    /// Sends a request again that has no answer yet, if there is one at this shop.
    async fn finish_asking(&mut self, shop: &Origin) -> Result<(), WalletError> {
        let Some(mut budget) = self.budget(shop).await?.filter(|budget| budget.asking) else { return Ok(()) };
        let held = self.held(&mut budget).await?;
        if held.asking.is_none() {
            // The copy of another device: that one has the answer.
            budget.asking = false;
            return self.keep_budget(&budget).await;
        }
        match self.ask(budget, held, shop).await {
            // A refusal is an answer too.
            Err(error) if error.money == Money::Untouched => Ok(()),
            done => done.map(drop),
        }
    }

    /// Request -> Reply: library and change are written at once.
    async fn ask(
        &mut self,
        mut budget: BudgetRecord,
        mut held: Held,
        shop: &Origin,
    ) -> Result<(LibraryEntry, ArticleText), WalletError> {
        let Some(Asking { awaiting, slug, title }) = held.asking.take() else {
            return Err(Problem::RecordDamaged.into());
        };
        let request = &awaiting.request;
        let sold: Sold =
            match client::post(self.ports(), Peer::Shop(shop), "/vendor-scrip/buy", request).await {
                Ok(sold) => sold,
                Err(error @ CallError::Unclear(_)) => {
                    return Err(WalletError::from(error).with_money(Money::Open));
                }
                Err(refused) => {
                    self.hold(&mut budget, &held).await?;
                    self.keep_budget(&budget).await?;
                    return Err(refused.into());
                }
            };
        let Sold { reply, delivery } = sold;
        let open = |error: WalletError| error.with_money(Money::Open);
        delivery.header.expect(&[Code::Pm7_1]).map_err(|refusal| open(refusal.into()))?;
        let delivered = digest(delivery.document.as_str().as_bytes());
        let holding = awaiting.receive(&reply, delivered).map_err(|error| open(wrong(error)))?;
        let article = LibraryEntry {
            shop: budget.shop.clone(),
            slug,
            url: request.request_url.to_string(),
            title,
            at: self.now(),
            receipt: delivery.receipt,
        };
        self.hold(&mut budget, &Held { holding, asking: None }).await?;
        let mut changes = Changes::default();
        changes.write(&segment(&budget.shop.origin), &budget)?;
        changes.write(&at_shop(shop.as_str(), &article.slug), &article)?;
        self.keep(changes).await?;
        self.inner.tell(&WalletEvent::Records);
        let text = ArticleText { title: delivery.title.to_string(), html: delivery.document.to_string() };
        Ok((article, text))
    }

    /// Return -> last settlement -> the rest, in purse and history.
    async fn end_budget(&mut self, mut budget: BudgetRecord) -> Result<(), WalletError> {
        let over = budget.expires.is_some_and(|expires| self.now() > expires.plus(GRACE));
        if !budget.ended && !over {
            let held = self.held(&mut budget).await?;
            let shop = budget.shop.origin.parse()?;
            let message = held.holding.give_back();
            let last: Settlement =
                client::post(self.ports(), Peer::Shop(&shop), "/vendor-scrip/end", &message).await?;
            if last.customer_id != held.holding.customer_id() || !budget.order.value.covers(last.redeemed) {
                return Err(
                    WalletError::from(Problem::ReplyInvalid).because("The shop ended another budget.")
                );
            }
            let settled =
                client::post::<Settled>(self.ports(), self.center(), "/vendor-scrip/settlement", &last);
            match settled.await {
                Ok(_) => {}
                // The shop was quicker, or the time was up.
                Err(CallError::Refused(body)) if body.code == ErrorCode::BudgetEnded => {}
                Err(error) => return Err(error.into()),
            }
            budget.left = budget.order.value.checked_sub(last.redeemed).unwrap_or(budget.left);
            budget.ended = true;
            self.keep_budget(&budget).await?;
        }
        self.take_rest(&budget).await
    }

    /// The rest is in the purse: scrip, entry and the end of the record at once.
    async fn take_rest(&mut self, budget: &BudgetRecord) -> Result<(), WalletError> {
        let live = self.live_scrip(&mut Vec::new()).await?;
        let with_rest = self.value().checked_add(budget.left);
        let as_expected =
            live.pending.is_none() && with_rest.is_ok_and(|value| live.scrip.scrip.value == value);
        let mut changes = Changes::default();
        changes.erase::<BudgetRecord>(&segment(&budget.shop.origin));
        if !as_expected || budget.left.is_zero() {
            // Something else has happened to the purse as well: the books say what.
            self.keep(changes).await?;
            return self.resynchronise().await;
        }
        self.adopt(&live.scrip);
        let mut entry = NewEntry::new(EntryKind::Adjusted, Change::gain(budget.left));
        entry.shop = Some(budget.shop.clone());
        entry.title = Some(format!("The rest of the budget at {}", budget.shop.name));
        entry.note = Some("What was not spent of the budget came back.".to_owned());
        let entry = self.enter(&mut changes, entry, &[])?;
        self.commit(changes, std::slice::from_ref(&entry)).await
    }
}

/// A refusal by the customer's own rules.
fn wrong(error: VendorScripError) -> WalletError {
    Refusal::from(error).into()
}
