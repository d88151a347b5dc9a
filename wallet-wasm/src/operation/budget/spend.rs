//! Spending a budget without a page, for programs: what pays stays in the wallet's records.
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

use super::{BudgetRecord, Held, wrong};
use crate::client::{self, CallError, Peer};
use crate::error::{Money, Problem, WalletError};
use crate::operation::pay::bought;
use crate::operation::session::Session;
use crate::origin::Origin;
use crate::ports::{Changes, Scan};
use crate::record::{self, ShopRecord, at_shop};
use crate::shop_wire::Article;
use crate::view::{ArticleText, LibraryEntry, Paid, WalletEvent};
use crate::wallet::Inner;

/// How a shop refuses a budget that has gone on without this wallet.
const PASSED_BY: [ErrorCode; 2] = [ErrorCode::VendorScripSpent, ErrorCode::BudgetEnded];

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
    let mut known = session.budget(&shop.origin, None).await?;
    if let Some(budget) = known.clone().filter(|budget| budget.serves(price, session.now())) {
        match session.spend(budget, &shop.origin, &article, price).await {
            // Another device with the same words has spent of it, and has its change, or has ended it.
            Err(error) if PASSED_BY.iter().any(|code| error.is_refusal(*code)) => {
                known = session.budget(&shop.origin, None).await?;
            }
            done => return done,
        }
    }
    if !approved.covers(price) {
        let error = WalletError::from(Problem::PriceChanged);
        return Err(error.because(format!("It is {price} now, more than the whole budget.")));
    }
    if let Some(old) = known {
        session.end_budget(old).await?;
    }
    let budget = session.buy_budget(&shop, None, approved).await?;
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
        !self.ended && self.left.covers(price) && self.expires.is_none_or(|expires| now <= expires)
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
    pub(super) async fn finish_asking(&mut self, shop: &Origin) -> Result<(), WalletError> {
        let Some(mut budget) = self.budget(shop, None).await?.filter(|budget| budget.asking) else {
            return Ok(());
        };
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
        self.hold(&mut budget, &Held::new(holding)).await?;
        // The center's books do not have it: the notes are to.
        self.wallet.noted = 0;
        let mut changes = Changes::default();
        changes.write("", &self.wallet)?;
        changes.write(&budget.name(), &budget)?;
        changes.write(&at_shop(shop.as_str(), &article.slug), &article)?;
        self.keep(changes).await?;
        self.inner.tell(&WalletEvent::Records);
        let text = ArticleText { title: delivery.title.to_string(), html: delivery.document.to_string() };
        Ok((article, text))
    }
}
