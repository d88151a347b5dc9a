//! What a step of the books is called: the center knows addresses and numbers, a reader knows titles and names.
//!
//! The wallet's own notes come first, then what the shop says today, then the address itself.

use std::collections::BTreeMap;

use tuppence_protocol::recovery::statement::{StatementKind, StatementStep};
use tuppence_protocol::scrip::info::Shops;
use tuppence_protocol::{TranId, VendorId};

use crate::client::{self, Peer};
use crate::error::Problem;
use crate::kit::notes::{More, Note, Noted};
use crate::operation::session::Session;
use crate::operation::{Errand, Operation};
use crate::origin::Origin;
use crate::shop_wire::{Articles, Campaigns, Shop};
use crate::view::ShopRef;

/// What a step is called.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    pub(super) shop: Option<ShopRef>,
    /// The article's short name at its shop.
    pub(super) slug: Option<String>,
    pub(super) title: Option<String>,
    /// What it ordered, where it was for a budget that goes on.
    #[cfg_attr(
        not(feature = "budgets"),
        allow(dead_code, reason = "the wallet's first module has no budgets")
    )]
    pub(super) more: Option<More>,
}

/// Which step.
#[derive(Clone, Copy)]
pub(super) struct Unnamed<'a> {
    pub(super) kind: StatementKind,
    pub(super) vendor_id: &'a VendorId,
    pub(super) tran_id: &'a TranId,
    pub(super) subject: &'a str,
}

impl<'a> From<&'a StatementStep> for Unnamed<'a> {
    fn from(step: &'a StatementStep) -> Self {
        let StatementStep { kind, vendor_id, tran_id, subject, .. } = step;
        Unnamed { kind: *kind, vendor_id, tran_id, subject: subject.as_str() }
    }
}

/// Names as they are needed, each asked for once.
#[derive(Default)]
pub(super) struct Names {
    /// Whether somebody did not answer who may know a name.
    pub(super) missed: bool,
    pub(super) notes: Option<Noted>,
    /// What this device is about to pay.
    errands: Option<Vec<Operation>>,
    origins: Option<Vec<(VendorId, Origin)>>,
    shops: BTreeMap<String, Option<AtShop>>,
}

/// What a shop says of itself today.
struct AtShop {
    shop: ShopRef,
    /// Address, short name and title.
    articles: Vec<(String, String, String)>,
    /// Item and title.
    campaigns: Vec<(String, String)>,
}

impl Names {
    /// What `step` is called. A shop that does not answer leaves its names out.
    pub(super) async fn of(&mut self, session: &Session, step: Unnamed<'_>) -> Named {
        if step.kind == StatementKind::CashOut {
            return Named::default();
        }
        if let Some(named) = self.noted(session, step).await.or(self.intended(session, step).await) {
            return named;
        }
        let subject = step.subject;
        let by_address = || (step.kind == StatementKind::Payment).then(|| origin_of(subject)).flatten();
        let Some(origin) = self.origin(session, step.vendor_id).await.or_else(by_address) else {
            return Named::default();
        };
        if !self.shops.contains_key(origin.as_str()) {
            let asked = ask(session, &origin).await;
            self.missed |= asked.is_none();
            self.shops.insert(origin.to_string(), asked);
        }
        let shop = self.shops.get(origin.as_str()).and_then(Option::as_ref);
        let unnamed = || ShopRef { origin: origin.to_string(), name: step.vendor_id.server_name.to_string() };
        let reference = shop.map_or_else(unnamed, |shop| shop.shop.clone());
        match step.kind {
            StatementKind::Payment => {
                let listed = shop.and_then(|shop| shop.articles.iter().find(|article| article.0 == subject));
                let last = || subject.trim_end_matches('/').rsplit('/').next().map(str::to_owned);
                let slug = listed.map(|article| article.1.clone()).or_else(last);
                let title = listed.map(|article| article.2.clone());
                Named { shop: Some(reference), slug, title, more: None }
            }
            _ => {
                let listed = shop.and_then(|shop| shop.campaigns.iter().find(|item| item.0 == subject));
                let title = listed.map(|item| item.1.clone());
                Named { shop: Some(reference), slug: None, title, more: None }
            }
        }
    }

    /// As this wallet has noted it.
    async fn noted(&mut self, session: &Session, step: Unnamed<'_>) -> Option<Named> {
        if self.notes.is_none() {
            self.notes = match session.fetch_notes().await {
                Ok((_, noted)) => Some(noted),
                Err(error) => {
                    self.missed |= !error.is(Problem::WordsMissing);
                    None
                }
            };
        }
        let noted = self.notes.as_ref()?;
        let Note { shop, slug, title, more } = noted.of(step.tran_id)?;
        Some(Named { shop: Some(shop), slug, title, more })
    }

    /// As this device was about to do it when the other one was faster.
    async fn intended(&mut self, session: &Session, step: Unnamed<'_>) -> Option<Named> {
        if self.errands.is_none() {
            self.errands = session.operations().await.ok();
        }
        self.errands.iter().flatten().find_map(|operation| match &operation.errand {
            Errand::Pay { shop, slug, url, title } if url == step.subject => {
                let (slug, title) = (Some(slug.clone()), Some(title.clone()));
                Some(Named { shop: Some(shop.clone()), slug, title, more: None })
            }
            _ => None,
        })
    }

    /// Where a seller is found.
    async fn origin(&mut self, session: &Session, vendor: &VendorId) -> Option<Origin> {
        if self.origins.is_none() {
            let listed = client::get::<Shops>(session.ports(), session.center(), "/shops").await;
            self.missed |= listed.is_err();
            let listed = listed.ok()?;
            let shops = listed.shops.into_iter();
            let known = shops.filter_map(|shop| Some((shop.vendor_id, shop.origin.as_str().parse().ok()?)));
            self.origins = Some(known.collect());
        }
        let known = self.origins.iter().flatten();
        known.into_iter().find(|(id, _)| id == vendor).map(|(_, origin)| origin.clone())
    }
}

async fn ask(session: &Session, origin: &Origin) -> Option<AtShop> {
    let (ports, peer) = (session.ports(), Peer::Shop(origin));
    let shop: Shop = client::get(ports, peer, "/shop").await.ok()?;
    let articles: Articles = client::get(ports, peer, "/articles").await.ok()?;
    let campaigns: Campaigns = client::get(ports, peer, "/campaigns").await.ok()?;
    let (articles, campaigns) = (articles.articles.into_iter(), campaigns.campaigns.into_iter());
    Some(AtShop {
        shop: ShopRef { origin: origin.to_string(), name: shop.title },
        articles: articles.map(|article| (article.url, article.slug, article.title)).collect(),
        campaigns: campaigns.map(|campaign| (campaign.item.to_string(), campaign.title)).collect(),
    })
}

/// The origin of an address.
fn origin_of(url: &str) -> Option<Origin> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    format!("{scheme}://{host}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_its_origin() {
        let origin = |url| origin_of(url).map(|origin| origin.to_string());
        assert_eq!(origin("https://shop.example/articles/coins").as_deref(), Some("https://shop.example"));
        assert_eq!(origin("http://localhost:8081/a?b#c").as_deref(), Some("http://localhost:8081"));
        assert_eq!(origin("cash-out:USD:5:x"), None);
    }
}
