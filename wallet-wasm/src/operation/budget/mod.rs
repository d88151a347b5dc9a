//! A budget at one shop, in scrip of that shop (spec/02): approved once, then spent there without the center, by a page
//! that keeps what pays for itself (`web/embed/budget.js`), or by a program ([`spend`]), which also spends budgets in
//! paywords ([`payword`]).
//!
//! ```text
//! order -> S2 of the center; S4 with the order, S5, S6, receipt, as of any payment -> BudgetRecord
//! receipt -> what was bought, for whoever spends it
//! what a page has bought -> library
//! Return -> last settlement, brought to the center -> the rest is in the purse
//! ```
//!
//! The record keeps what was bought, wrapped by the vault: with it the budget is ended also where the page has lost it.

mod collect;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod payword;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod spend;

use serde::{Deserialize, Serialize};
use tuppence_protocol::bytes::Bytes;
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::buyer::{Ecash, Offer, Start};
use tuppence_protocol::scrip::payment::{PaymentBalance, PaymentInformation, PaymentStart};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::vendor_scrip::{
    AwaitingScrip, GRACE, Holding, Order, OrderId, Purchased, Settled, Settlement, VendorScripError,
};
use tuppence_protocol::{Amount, ErrorCode, Refusal, Timestamp};

use crate::client::{self, CallError, Peer};
use crate::error::{Problem, WalletError};
use crate::json;
use crate::operation::exchange::note;
use crate::operation::session::{NewEntry, Session};
use crate::operation::{Errand, Stage};
use crate::origin::{Origin, segment};
use crate::ports::{Changes, Scan};
use crate::record::{self, ShopRecord, at_shop};
use crate::view::{Budget, Change, EntryKind, ExchangeStep, Party, ShopRef};
use crate::wallet::Inner;

/// A budget as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BudgetRecord {
    pub(crate) shop: ShopRef,
    /// The origin of the page that spends it; absent where this wallet does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<Origin>,
    /// What was bought of the shop's scrip; of a budget in paywords, the shop and the sum.
    pub(crate) order: Order,
    /// What was bought of paywords. Absent from the browser's module, which can't spend them, and passes over this.
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authorised: Option<Box<payword::Authorised>>,
    /// That it was paid: with it the center gives what was bought, any number of times.
    pub(crate) receipt: Receipt,
    /// What is left, as far as this wallet knows.
    pub(crate) left: Amount,
    /// Until when it can be spent; absent until what was bought is here.
    #[serde(default)]
    pub(crate) expires: Option<Timestamp>,
    /// [`Held`], wrapped; of a budget in paywords, its own kind of it.
    #[serde(default)]
    pub(crate) held: Option<Bytes<32_768>>,
    /// Whether a request has no answer yet.
    #[serde(default)]
    pub(crate) asking: bool,
    /// Whether the center was told that it has ended.
    #[serde(default)]
    pub(crate) ended: bool,
    /// The shop's number of the last article of it that is in the library.
    #[serde(default)]
    pub(crate) collected: u64,
}

impl BudgetRecord {
    pub(crate) fn new(shop: ShopRef, page: Option<Origin>, order: Order, receipt: Receipt) -> Self {
        let left = order.value;
        BudgetRecord {
            shop,
            page,
            order,
            #[cfg(not(target_arch = "wasm32"))]
            authorised: None,
            receipt,
            left,
            expires: None,
            held: None,
            asking: false,
            ended: false,
            collected: 0,
        }
    }

    /// Its name among the records: one for each shop, and for each page that spends there.
    pub(crate) fn name(&self) -> String {
        name(&self.shop.origin, self.page.as_ref())
    }

    /// Whether another device with the same words can go on with it, by its order alone.
    pub(crate) fn can_be_taken_up(&self) -> bool {
        #[cfg(not(target_arch = "wasm32"))]
        if self.authorised.is_some() {
            return false;
        }
        !self.ended
    }

    fn view(self) -> Budget {
        Budget {
            #[cfg(not(target_arch = "wasm32"))]
            method: self.method(),
            shop: self.shop,
            page: self.page.map(|page| page.to_string()),
            approved: self.order.value,
            left: self.left,
            expires: self.expires,
        }
    }
}

fn name(shop: &str, page: Option<&Origin>) -> String {
    page.map_or_else(|| segment(shop), |page| at_shop(shop, page.as_str()))
}

/// What pays.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    holding: Holding,
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(default)]
    asking: Option<spend::Asking>,
}

impl Held {
    fn new(holding: Holding) -> Self {
        Held {
            holding,
            #[cfg(not(target_arch = "wasm32"))]
            asking: None,
        }
    }
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

/// What a shop says of a budget.
#[derive(Deserialize)]
struct Standing {
    redeemed: Amount,
    ended: bool,
}

/// What a payment has bought.
pub(crate) fn record(changes: &mut Changes, errand: &Errand, receipt: &Receipt) -> Result<(), WalletError> {
    let Errand::Budget { shop, page, order, .. } = errand else { return Ok(()) };
    let budget = BudgetRecord::new(shop.clone(), page.clone(), read_order(order)?, receipt.clone());
    #[cfg(not(target_arch = "wasm32"))]
    let budget = budget.authorised_by(errand);
    changes.write(&budget.name(), &budget)
}

fn read_order(order: &str) -> Result<Order, WalletError> {
    json::read(order.as_bytes())
        .map_err(|error| WalletError::from(Problem::RecordDamaged).because(format!("order: {error}.")))
}

/// The budgets that can be spent still, or whose rest has not come back.
pub(crate) async fn budgets(inner: &Inner) -> Result<Vec<Budget>, WalletError> {
    let budgets: Vec<BudgetRecord> = record::list(&*inner.ports.storage, Scan::All).await?;
    Ok(budgets.into_iter().map(BudgetRecord::view).collect())
}

impl Session {
    /// Buys a budget of `value` at `shop` for the page at `page`, and gives what pays. One that the page had there is ended
    /// first, so that its rest is in the purse.
    pub(crate) async fn buy_for_page(
        &mut self,
        shop: &ShopRecord,
        page: Origin,
        value: Amount,
    ) -> Result<Holding, WalletError> {
        if let Some(old) = self.budget(&shop.origin, Some(&page)).await? {
            self.end_budget(old).await?;
        }
        let mut budget = self.buy_budget(shop, Some(page), value).await?;
        let held = self.held(&mut budget).await?;
        self.hold(&mut budget, &held).await?;
        self.keep_budget(&budget).await?;
        Ok(held.holding)
    }

    /// Asks the shops how those budgets stand that pages spend. What a page has ended is collected; what a shop does not
    /// answer for is left as it was last known.
    pub(crate) async fn look_after_budgets(&mut self) -> Result<(), WalletError> {
        let known: Vec<BudgetRecord> = record::list(&*self.ports().storage, Scan::All).await?;
        for budget in known.into_iter().filter(|budget| budget.page.is_some()) {
            // A shop that does not answer must not hold up the rest.
            let _ = self.look_after(budget).await;
        }
        Ok(())
    }

    /// Ends the budget at a shop: the rest comes back. Gives it as it was.
    pub(crate) async fn end_budget_of(
        &mut self,
        shop: &Origin,
        page: Option<&Origin>,
    ) -> Result<Budget, WalletError> {
        #[cfg(not(target_arch = "wasm32"))]
        self.finish_asking(shop).await?;
        let budget = self.budget(shop, page).await?.ok_or_else(|| {
            WalletError::from(Problem::ArgumentInvalid).because(format!("There is no budget at {shop}."))
        })?;
        let view = budget.clone().view();
        self.end_budget(budget).await?;
        Ok(view)
    }

    async fn budget(
        &self,
        shop: &Origin,
        page: Option<&Origin>,
    ) -> Result<Option<BudgetRecord>, WalletError> {
        record::read(&*self.ports().storage, &name(shop.as_str(), page)).await
    }

    /// order -> S2 -> S4 to S6.
    async fn buy_budget(
        &mut self,
        shop: &ShopRecord,
        page: Option<Origin>,
        value: Amount,
    ) -> Result<BudgetRecord, WalletError> {
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
        let written = json::write(&order).map_err(|_| Problem::RecordDamaged)?;
        let order = String::from_utf8_lossy(&written).into_owned();
        let errand = Errand::Budget {
            shop: shop.reference(),
            page: page.clone(),
            order,
            value,
            #[cfg(not(target_arch = "wasm32"))]
            authorised: None,
        };
        let mut operation = self.operation(errand, Stage::Starting(Box::new(awaiting)))?;
        operation.exchange = exchange;
        self.run(operation).await?;
        let bought = self.budget(&shop.origin, page.as_ref()).await?;
        bought.ok_or_else(|| WalletError::from(Problem::RecordDamaged))
    }

    /// S4 of a budget.
    pub(super) async fn send_order(
        &self,
        exchange: &mut Vec<ExchangeStep>,
        start: &Start,
        order: &str,
    ) -> Result<Ecash, CallError> {
        let Start::Payment(payment) = start else {
            return Err(CallError::Unclear(Problem::RecordDamaged.into()));
        };
        let order = read_order(order).map_err(CallError::Unclear)?;
        let message = BuyScrip { payment, order: &order };
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
        Ok(Held::new(holding))
    }

    /// Puts what pays into the record, with what is known of it.
    async fn hold(&self, budget: &mut BudgetRecord, held: &Held) -> Result<(), WalletError> {
        let plain = json::write(held).map_err(|error| {
            WalletError::from(Problem::RecordDamaged).because(format!("budget: {error}."))
        })?;
        let wrapped = self.ports().vault.wrap(&plain).await?;
        budget.held = Some(wrapped.try_into().map_err(|_| Problem::Unsupported)?);
        budget.left = held.holding.value();
        #[cfg(not(target_arch = "wasm32"))]
        {
            budget.asking = held.asking.is_some();
        }
        Ok(())
    }

    async fn keep_budget(&self, budget: &BudgetRecord) -> Result<(), WalletError> {
        let mut changes = Changes::default();
        changes.write(&budget.name(), budget)?;
        self.keep(changes).await
    }

    /// How a budget stands at its shop, into its record; what is over is collected.
    async fn look_after(&mut self, mut budget: BudgetRecord) -> Result<(), WalletError> {
        if budget.expires.is_some_and(|expires| self.now() > expires) {
            return self.end_budget(budget).await;
        }
        let held = self.held(&mut budget).await?;
        let shop = budget.shop.origin.parse()?;
        let message = held.holding.give_back();
        let standing: Standing =
            client::post(self.ports(), Peer::Shop(&shop), "/vendor-scrip/standing", &message).await?;
        if standing.ended {
            return self.end_budget(budget).await;
        }
        let left = budget.order.value.checked_sub(standing.redeemed);
        let left = left.map_err(|_| Problem::ReplyInvalid)?;
        let is_collected = left == budget.left && (budget.collected > 0 || standing.redeemed.is_zero());
        if !is_collected {
            self.collect(&mut budget, &held).await?;
        }
        budget.left = left;
        self.keep_budget(&budget).await
    }

    /// Return -> last settlement -> the rest, in purse and history.
    async fn end_budget(&mut self, mut budget: BudgetRecord) -> Result<(), WalletError> {
        #[cfg(not(target_arch = "wasm32"))]
        if budget.authorised.is_some() {
            return self.end_paywords(budget).await;
        }
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
            // The page buys no more: this is all of it. A shop that has just answered has no reason to be silent now.
            self.collect(&mut budget, &held).await?;
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
        changes.erase::<BudgetRecord>(&budget.name());
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
