//! Paying what an address asks for: a GET that is answered with 402 names shop, article and price
//! (docs/protocol/http-402.md), so that a program needs the address alone.

use std::rc::Rc;

use tuppence_protocol::{Amount, ErrorBody};

use super::catalogue;
use crate::client;
use crate::error::{Money, Problem, WalletError};
use crate::json;
#[cfg(not(target_arch = "wasm32"))]
use crate::operation::budget::spend::{self, Approved};
use crate::operation::pay;
use crate::origin::Origin;
use crate::ports::{Response, Scan};
use crate::record::{self, ShopRecord};
use crate::shop_wire::{Article, Demand};
#[cfg(not(target_arch = "wasm32"))]
use crate::view::BudgetMethod;
use crate::view::{ArticleCard, ArticleText, Bought, LibraryEntry, Paid};
use crate::wallet::Inner;

const OK: u16 = 200;
const PAYMENT_REQUIRED: u16 = 402;

/// How an address is to be paid.
#[derive(Clone, Copy)]
enum Way {
    /// With e-cash of the center.
    Scrip,
    /// From a budget, in what was named.
    #[cfg(not(target_arch = "wasm32"))]
    Budget(Option<BudgetMethod>),
}

impl Way {
    /// Whether a shop takes it that offers these methods; and what is wrong where it does not.
    fn is_among(self, methods: &[String]) -> Result<(), &'static str> {
        let offers = |method: &str| methods.iter().any(|offered| offered == method);
        match self {
            Way::Scrip if offers("scrip") => Ok(()),
            Way::Scrip => Err("It takes no e-cash of the center: pay it from a budget."),
            #[cfg(not(target_arch = "wasm32"))]
            Way::Budget(Some(method)) if offers(method.name()) => Ok(()),
            #[cfg(not(target_arch = "wasm32"))]
            Way::Budget(None) if first_of(methods).is_some() => Ok(()),
            #[cfg(not(target_arch = "wasm32"))]
            Way::Budget(_) => Err("It takes no such budgets, or not yet: pay without one."),
        }
    }
}

/// What budgets are held in at a shop, unless something else is named: what the shop names first.
#[cfg(not(target_arch = "wasm32"))]
fn first_of(methods: &[String]) -> Option<BudgetMethod> {
    methods.iter().find_map(|method| BudgetMethod::named(method))
}

/// What is at an address.
enum Found {
    /// What needs no payment: it is free, or was paid before.
    Free(Bought),
    /// An article that costs no more than was approved.
    Sold(ShopRecord, Article),
}

/// Gets what is at `url`, and pays at most `approved` for it. `told` hears what is about to be paid.
pub(super) async fn pay_url(
    inner: &Rc<Inner>,
    url: &str,
    approved: Amount,
    told: &dyn Fn(&ArticleCard),
) -> Result<Bought, WalletError> {
    match found(inner, url, approved, Way::Scrip, told).await? {
        Found::Free(bought) => Ok(bought),
        Found::Sold(shop, article) => {
            handed_out(inner, pay::pay(inner, shop, article, approved).await?).await
        }
    }
}

/// The same, from a budget at the shop; where there is none with enough left, one of `budget` is bought first.
#[cfg(not(target_arch = "wasm32"))]
pub(super) async fn pay_url_from_budget(
    inner: &Rc<Inner>,
    url: &str,
    approved: Amount,
    (budget, method): (Amount, Option<BudgetMethod>),
    told: &dyn Fn(&ArticleCard),
) -> Result<Bought, WalletError> {
    match found(inner, url, approved, Way::Budget(method), told).await? {
        Found::Free(bought) => Ok(bought),
        Found::Sold(shop, article) => {
            let first = shop.shop.budget.as_ref().and_then(|terms| first_of(&terms.methods));
            let approved = Approved { value: budget, named: method, otherwise: first.unwrap_or_default() };
            handed_out(inner, spend::pay(inner, shop, article, approved).await?).await
        }
    }
}

async fn found(
    inner: &Rc<Inner>,
    url: &str,
    approved: Amount,
    way: Way,
    told: &dyn Fn(&ArticleCard),
) -> Result<Found, WalletError> {
    let (origin, path) = split(url)?;
    inner.existing().await?;
    if let Some(entry) = owned(inner, url).await? {
        let text = pay::open_article(inner, &entry).await?;
        return Ok(Found::Free(Bought { charged: false, article: Some(entry), text }));
    }
    let response = client::look(&inner.ports, &origin, path).await?;
    let (shop, article) = match response.status {
        OK => return free(&response).map(Found::Free),
        PAYMENT_REQUIRED => demanded(inner, &origin, &response, way)?,
        status => return Err(refused(status, &response.body)),
    };
    let card = catalogue::card_of(inner, &shop, article.clone()).await?;
    if !card.owned {
        if card.price.currency() != approved.currency() || !approved.covers(card.price) {
            let error = WalletError::from(Problem::PriceChanged);
            return Err(error.because(format!("It is {} now.", card.price)));
        }
        told(&card);
    }
    Ok(Found::Sold(shop, article))
}

/// What was paid for; where its text did not come along, it is fetched.
async fn handed_out(inner: &Rc<Inner>, paid: Paid) -> Result<Bought, WalletError> {
    let Paid { charged, article, text } = paid;
    let text = match text {
        Some(text) => text,
        None => {
            let money = if charged { Money::Moved } else { Money::Untouched };
            pay::open_article(inner, &article).await.map_err(|error| error.with_money(money))?
        }
    };
    Ok(Bought { charged, article: Some(article), text })
}

/// Origin and path of an address; the part after `#` never leaves the reader.
fn split(url: &str) -> Result<(Origin, String), WalletError> {
    let url = url.split('#').next().unwrap_or_default();
    let rest = url.find("://").and_then(|scheme| url.get(scheme + 3..)).unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (origin, path) = url.split_at(url.len() - (rest.len() - end));
    let origin = origin.parse()?;
    // What may not stand in an address as it is would break the request apart.
    if path.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(WalletError::from(Problem::ArgumentInvalid).because(format!("{url:?} is no address.")));
    }
    Ok((origin, if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }))
}

async fn owned(inner: &Inner, url: &str) -> Result<Option<LibraryEntry>, WalletError> {
    let url = url.split('#').next().unwrap_or_default();
    let library: Vec<LibraryEntry> = record::list(&*inner.ports.storage, Scan::All).await?;
    Ok(library.into_iter().find(|entry| entry.url == url))
}

/// What answers without asking for money.
fn free(response: &Response) -> Result<Bought, WalletError> {
    let html = String::from_utf8(response.body.clone())
        .map_err(|_| WalletError::from(Problem::ShopInvalid).because("What it sends is no text."))?;
    let text = ArticleText { title: String::new(), html };
    Ok(Bought { charged: false, article: None, text })
}

fn demanded(
    inner: &Inner,
    origin: &Origin,
    response: &Response,
    way: Way,
) -> Result<(ShopRecord, Article), WalletError> {
    let demand: Demand = json::read(&response.body)
        .map_err(|error| WalletError::from(Problem::ShopInvalid).because(format!("Its 402: {error}.")))?;
    let Demand { offer } = demand;
    if let Err(otherwise) = way.is_among(&offer.methods) {
        return Err(WalletError::from(Problem::ShopInvalid).because(otherwise));
    }
    // Who pays an address pays who is there, and nobody whom a page there only names.
    if !origin.has(&offer.article.url) {
        let error = WalletError::from(Problem::ShopInvalid);
        return Err(error.because(format!("The article is sold at {}: pay that address.", offer.article.url)));
    }
    let shop = ShopRecord { origin: origin.clone(), shop: offer.shop, attestation: None };
    if !catalogue::accepts(inner, &shop) {
        let error = WalletError::from(Problem::ShopForeign);
        return Err(error.because(format!("Its center is {}.", shop.shop.center_origin)));
    }
    Ok((shop, offer.article))
}

fn refused(status: u16, body: &[u8]) -> WalletError {
    match json::read::<ErrorBody>(body) {
        Ok(body) => body.into(),
        Err(_) => WalletError::from(Problem::ShopInvalid).because(format!("It answered {status}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_origin_and_a_path() {
        for (url, origin, path) in [
            ("https://shop.example/articles/a", "https://shop.example", "/articles/a"),
            ("https://Shop.example:443/a?b=c/d#e", "https://shop.example", "/a?b=c/d"),
            ("http://localhost:8081", "http://localhost:8081", "/"),
            ("http://localhost:8081?a", "http://localhost:8081", "/?a"),
        ] {
            let (found, rest) = split(url).unwrap();
            assert_eq!((found.as_str(), &*rest), (origin, path), "{url}");
        }
        for url in ["", "/a", "shop.example/a", "ftp://shop.example/a", "https://a@shop.example/a"] {
            assert!(split(url).is_err(), "{url:?}");
        }
        for url in
            ["https://shop.example/a b", "https://shop.example/a\r\nhost: b", "https://shop.example/\\a"]
        {
            assert!(split(url).is_err(), "{url:?}");
        }
    }
}
