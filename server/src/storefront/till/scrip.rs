//! The shop's own scrip (spec/02): a request buys an article and gets the change; a return ends the purchase.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::vendor_scrip::{Account, Offer, Reply, Request, Return, Served, Settlement, Vendor};
use tuppence_protocol::{Amount, Refusal, Timestamp};

use super::wares::Wares;
use crate::storefront::store::till::{BoughtArticle, Owed};
use crate::storefront::store::{self, till as rows};
use crate::storefront::{Storefront, fault};

/// The article, with the sealed reply that has the change. The last request again gets the same bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScripSale {
    /// The change, and the digest of the delivery's document.
    pub reply: Reply,
    /// The article.
    pub delivery: Delivery,
}

/// How a purchase stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScripStanding {
    /// What was redeemed in all.
    pub redeemed: Amount,
    /// Until when it can be spent.
    pub expires: Timestamp,
    /// Whether it was ended.
    pub ended: bool,
}

/// So many articles are told of at once.
const BOUGHT_MAX: u32 = 50;

/// Asks what a purchase has bought.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskBought {
    /// Whose; it is not carried out.
    #[serde(rename = "return")]
    pub message: Return,
    /// The number of the last article that is known already; 0 for all.
    pub after: u64,
}

/// What a purchase has bought, in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScripBought {
    /// Articles, and parts of them.
    pub articles: Vec<BoughtArticle>,
    /// Whether there are more after these.
    pub more: bool,
}

impl Storefront {
    /// The article that a request pays; the spent ID# and the answer are stored before this returns.
    ///
    /// # Errors
    /// The scrip is another shop's, forged, spent, ended or over, or does not cover the price.
    pub async fn sell_for_scrip(&self, request: Request) -> Result<ScripSale, Refusal> {
        let (wares, vendor, now) = (self.wares(&request.request_url).await, self.scrip_vendor()?, self.now());
        self.store.commit(move |store| sell(store, &vendor, &request, wares, now)).await?
    }

    /// How a purchase stands. Whoever could end it may ask.
    ///
    /// # Errors
    /// The scrip is another shop's, forged, or was forgotten.
    pub async fn standing(&self, message: Return) -> Result<ScripStanding, Refusal> {
        let vendor = self.scrip_vendor()?;
        let asked = move |store: &Connection| {
            let account = rows::account(store, message.scrip.scrip.customer_id)?;
            Ok(vendor.standing(&message, account.as_ref()).map_err(Refusal::from))
        };
        let Account { redeemed, expires, ended, .. } =
            self.store.run(move |store| store.read(asked)).await??;
        Ok(ScripStanding { redeemed, expires, ended })
    }

    /// What a purchase has bought, ended or not, until it is forgotten. Whoever could end it may ask.
    ///
    /// # Errors
    /// The scrip is another shop's, forged, or was forgotten.
    pub async fn bought(&self, AskBought { message, after }: AskBought) -> Result<ScripBought, Refusal> {
        let vendor = self.scrip_vendor()?;
        let asked = move |store: &Connection| {
            let account = rows::account(store, message.scrip.scrip.customer_id)?;
            match vendor.standing(&message, account.as_ref()) {
                Ok(account) => Ok(Ok(rows::bought(store, account.customer_id, after, BOUGHT_MAX + 1)?)),
                Err(error) => Ok(Err(Refusal::from(error))),
            }
        };
        let mut articles = self.store.run(move |store| store.read(asked)).await??;
        let most = usize::try_from(BOUGHT_MAX).unwrap_or(usize::MAX);
        let more = articles.len() > most;
        articles.truncate(most);
        Ok(ScripBought { articles, more })
    }

    /// Ends a purchase: nothing more is taken. Whoever brings the settlement to the center has the rest at once, also
    /// before the shop does.
    ///
    /// # Errors
    /// The scrip is another shop's, forged, or was forgotten.
    pub async fn end_purchase(&self, message: Return) -> Result<Settlement, Refusal> {
        let vendor = self.scrip_vendor()?;
        let ended = move |store: &Connection| {
            let account = rows::account(store, message.scrip.scrip.customer_id)?;
            let ended = match vendor.end(&message, account.as_ref()) {
                Ok(ended) => ended,
                Err(error) => return Ok(Err(Refusal::from(error))),
            };
            rows::keep_account(store, &ended.account, Owed(!ended.account.closed))?;
            Ok(Ok(ended.settlement))
        };
        let ended = self.store.commit(ended).await?;
        self.till.ended.notify_one();
        ended
    }
}

fn sell(
    store: &Connection,
    vendor: &Vendor,
    request: &Request,
    wares: Result<Wares, Refusal>,
    now: Timestamp,
) -> store::Result<Result<ScripSale, Refusal>> {
    let body = &request.scrip.scrip;
    let account = rows::account(store, body.customer_id)?;
    // Live scrip was not answered for yet, which is nearly always so.
    let live = account.as_ref().is_some_and(|account| account.live == Some(body.id));
    let kept = if live { None } else { rows::spent(store, body.customer_id)? };
    let kept = kept.filter(|spent| spent.id == body.id);
    let serial = rows::next_change(store)?;
    let offer = match &wares {
        Ok(wares) => Offer { price: wares.price, digest: wares.sold.digest, serial },
        // What was sold before is answered again, also where it is sold no more; and what is spent is told first.
        Err(_) => Offer { price: request.price, digest: [0; 32], serial },
    };
    let Served { account, spent, new } =
        match vendor.serve(request, offer, account.as_ref(), kept.as_ref(), now) {
            Ok(served) => served,
            Err(error) => return Ok(Err(error.into())),
        };
    if !new {
        let delivery = rows::handed_out(store, account.customer_id)?;
        let delivery = delivery.ok_or_else(|| fault("what was handed out is gone"));
        return Ok(delivery.map(|delivery| ScripSale { reply: spent.reply, delivery }));
    }
    let wares = match wares {
        Ok(wares) => wares,
        Err(refusal) => return Ok(Err(refusal)),
    };
    rows::keep_spent(store, &account, &spent, &wares.sold)?;
    if spent.reply.change.is_some() {
        rows::keep_change(store, serial)?;
    }
    Ok(Ok(ScripSale { reply: spent.reply, delivery: wares.sold.delivery }))
}
