//! Spending a budget without a page, for programs: what pays stays in the wallet's records. Of budgets in paywords,
//! what is their own is in [`super::payword`].
//!
//! ```text
//! Request (stored first) -> Reply with change -> library
//! ```
//!
//! A request without an answer is sent again before anything else.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::scrip::{Code, RequestUrl};
use tuppence_protocol::vendor_scrip::{AwaitingChange, Reply, digest};
use tuppence_protocol::{Amount, ErrorCode, Timestamp};

use super::{BudgetRecord, Held, payword, wrong};
use crate::client::{self, CallError, Peer};
use crate::error::{Money, Problem, WalletError};
use crate::operation::pay::bought;
use crate::operation::session::Session;
use crate::origin::Origin;
use crate::ports::{Changes, Scan};
use crate::record::{self, ShopRecord, at_shop};
use crate::shop_wire::{Article, PAYWORD, VENDOR_SCRIP};
use crate::view::{ArticleText, BudgetMethod, LibraryEntry, Paid, WalletEvent};
use crate::wallet::Inner;

/// How a shop refuses a budget that has gone on without this wallet.
const PASSED_BY: [ErrorCode; 2] = [ErrorCode::VendorScripSpent, ErrorCode::BudgetEnded];

/// What a reader approves: a budget of this sum, where there is none with enough left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Approved {
    pub(crate) value: Amount,
    /// What it is to be held in.
    pub(crate) named: Option<BudgetMethod>,
    /// What a new one is held in, where none is named.
    pub(crate) otherwise: BudgetMethod,
}

impl BudgetMethod {
    /// Its name in an offer.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            BudgetMethod::VendorScrip => VENDOR_SCRIP,
            BudgetMethod::Payword => PAYWORD,
        }
    }

    /// The method of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [BudgetMethod::VendorScrip, BudgetMethod::Payword].into_iter().find(|method| method.name() == name)
    }
}

/// A request that was sent, and for what.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asking {
    awaiting: AwaitingChange,
    slug: String,
    title: String,
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
    approved: Approved,
) -> Result<Paid, WalletError> {
    let mut session = Session::open(inner).await?;
    session.settle().await?;
    session.finish_asking(&shop.origin).await?;
    // Another program, or the request that had no answer.
    if let Some(article) = bought(inner, shop.origin.as_str(), &article.slug).await? {
        return Ok(Paid { charged: false, article, text: None });
    }
    let price = article.price.unwrap_or(Amount::zero(session.value().currency()));
    let mut known = session.budget(&shop.origin, None).await?;
    let serves = |budget: &BudgetRecord| {
        budget.serves(price, session.now()) && approved.named.is_none_or(|method| method == budget.method())
    };
    if let Some(budget) = known.clone().filter(serves) {
        match session.spend(budget, &shop.origin, &article, price).await {
            // Another device with the same words has spent of it, and has its change, or has ended it.
            Err(error) if PASSED_BY.iter().any(|code| error.is_refusal(*code)) => {
                known = session.budget(&shop.origin, None).await?;
            }
            done => return done,
        }
    }
    if !approved.value.covers(price) {
        let error = WalletError::from(Problem::PriceChanged);
        return Err(error.because(format!("It is {price} now, more than the whole budget.")));
    }
    if let Some(old) = known {
        let is_in_paywords = old.method() == BudgetMethod::Payword;
        match session.end_budget(old).await {
            Err(error) if is_in_paywords && payword::is_out_of_reach(&error) => {}
            ended => ended?,
        }
    }
    let budget = match approved.named.unwrap_or(approved.otherwise) {
        BudgetMethod::VendorScrip => session.buy_budget(&shop, None, approved.value).await?,
        BudgetMethod::Payword => session.buy_paywords(&shop, approved.value, price).await?,
    };
    session.spend(budget, &shop.origin, &article, price).await
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
        !self.ended
            && self.left.covers(price)
            && self.expires.is_none_or(|expires| now <= expires)
            && self.authorised.as_ref().is_none_or(|authorised| authorised.pays(price))
    }

    /// What it is held in.
    pub(super) fn method(&self) -> BudgetMethod {
        if self.authorised.is_some() { BudgetMethod::Payword } else { BudgetMethod::VendorScrip }
    }
}

impl Session {
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
        let url = RequestUrl::normalized(&article.url).map_err(|error| {
            WalletError::from(Problem::ArgumentInvalid).because(format!("{:?}: {error}.", article.url))
        })?;
        if budget.authorised.is_some() {
            let held = self.charge(&mut budget, (article, url), price).await?;
            let (article, text) = self.ask_for_paywords(budget, held, shop).await?;
            return Ok(Paid { charged: true, article, text: Some(text) });
        }
        let mut held = self.held(&mut budget).await?;
        let awaiting = held.holding.pay(url, price).map_err(wrong)?;
        held.asking = Some(Asking { awaiting, slug: article.slug.clone(), title: article.title.clone() });
        self.hold(&mut budget, &held).await?;
        self.keep_budget(&budget).await?;
        let (article, text) = self.ask(budget, held, shop).await?;
        Ok(Paid { charged: true, article, text: Some(text) })
    }

    /// Sends a request again that has no answer yet, if there is one at this shop.
    pub(super) async fn finish_asking(&mut self, shop: &Origin) -> Result<(), WalletError> {
        let Some(mut budget) = self.budget(shop, None).await?.filter(|budget| budget.asking) else {
            return Ok(());
        };
        let answer = if budget.authorised.is_some() {
            // A copy can't read what pays: the device that can has the answer.
            match self.paywords(&budget).await.map(|held| held.asking.is_some().then_some(held)) {
                Ok(Some(held)) => self.ask_for_paywords(budget, held, shop).await,
                Err(error) if !payword::is_out_of_reach(&error) => return Err(error),
                Ok(None) | Err(_) => return self.ask_no_more(budget).await,
            }
        } else {
            let held = self.held(&mut budget).await?;
            if held.asking.is_none() {
                // The copy of another device: that one has the answer.
                return self.ask_no_more(budget).await;
            }
            self.ask(budget, held, shop).await
        };
        match answer {
            // A refusal is an answer too.
            Err(error) if error.money == Money::Untouched => Ok(()),
            done => done.map(drop),
        }
    }

    async fn ask_no_more(&self, mut budget: BudgetRecord) -> Result<(), WalletError> {
        budget.asking = false;
        self.keep_budget(&budget).await
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
        self.hold(&mut budget, &Held::new(holding)).await?;
        self.shelve(budget, (slug, title), request.request_url.to_string(), delivery).await
    }

    /// Writes the budget as it is after an article, with that article.
    pub(super) async fn shelve(
        &mut self,
        budget: BudgetRecord,
        (slug, title): (String, String),
        url: String,
        delivery: Delivery,
    ) -> Result<(LibraryEntry, ArticleText), WalletError> {
        let (shop, at) = (budget.shop.clone(), self.now());
        let article = LibraryEntry { shop, slug, url, title, at, receipt: delivery.receipt };
        // The center's books do not have it: the notes are to.
        self.wallet.noted = 0;
        let mut changes = Changes::default();
        changes.write("", &self.wallet)?;
        changes.write(&budget.name(), &budget)?;
        changes.write(&at_shop(&article.shop.origin, &article.slug), &article)?;
        self.keep(changes).await?;
        self.inner.tell(&WalletEvent::Records);
        let text = ArticleText { title: delivery.title.to_string(), html: delivery.document.to_string() };
        Ok((article, text))
    }
}
