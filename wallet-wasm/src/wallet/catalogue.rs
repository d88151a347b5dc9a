//! What shops have to offer: articles and campaigns, joined with what this wallet has bought and answered.

use std::collections::{BTreeMap, BTreeSet};

use tuppence_protocol::Amount;
use tuppence_protocol::scrip::info::Shops;

use crate::client::{self, Peer};
use crate::error::{Problem, WalletError};
use crate::json;
use crate::operation::{Errand, Operation};
use crate::origin::{Origin, segment};
use crate::ports::{Changes, Scan};
use crate::record::{self, Answered, ShopRecord, WalletRecord, at_shop};
use crate::shop_wire::{Article, Articles, BudgetTerms, Campaign, CampaignWithQuestions, Campaigns, Shop};
use crate::view::{
    ArticleCard, CampaignCard, CampaignDetail, CampaignState, LibraryEntry, MeterTerms, ShopInfo, ShopRef,
};
use crate::wallet::Inner;

/// The shops of the center, each asked now; one that does not answer is shown as last known.
pub(crate) async fn shops(inner: &Inner) -> Result<Vec<ShopInfo>, WalletError> {
    let center = &inner.config.center_origin;
    let known: Vec<ShopRecord> = record::list(&*inner.ports.storage, Scan::All).await?;
    let listed = client::get::<Shops>(&inner.ports, Peer::Center(center), "/shops").await;
    let mut origins: Vec<Origin> = match (listed, known.is_empty()) {
        (Ok(listed), _) => listed.shops.iter().filter_map(|shop| shop.origin.as_str().parse().ok()).collect(),
        (Err(_), false) => Vec::new(),
        (Err(error), true) => return Err(error.into()),
    };
    for shop in &known {
        if !origins.contains(&shop.origin) {
            origins.push(shop.origin.clone());
        }
    }
    let asked = futures_util::future::join_all(origins.iter().map(|origin| shop(inner, origin))).await;
    let last_known = |origin: &Origin| known.iter().find(|shop| shop.origin == *origin).cloned();
    let found = asked.into_iter().zip(&origins).filter_map(|(shop, origin)| shop.ok().or(last_known(origin)));
    Ok(found.map(|shop| info(inner, &shop)).collect())
}

/// A shop, asked now, and remembered.
pub(crate) async fn shop(inner: &Inner, origin: &Origin) -> Result<ShopRecord, WalletError> {
    let shop: Shop = client::get(&inner.ports, Peer::Shop(origin), "/shop").await.map_err(not_a_shop)?;
    let name = segment(origin.as_str());
    let known: Option<ShopRecord> = record::read(&*inner.ports.storage, &name).await?;
    // The attestation names the shop's pseudonym for this wallet: another VendorId, another pseudonym.
    let attestation =
        known.filter(|known| known.shop.vendor_id == shop.vendor_id).and_then(|known| known.attestation);
    let record = ShopRecord { origin: origin.clone(), shop, attestation };
    let mut changes = Changes::default();
    changes.write(&name, &record)?;
    inner.ports.storage.commit(changes).await?;
    Ok(record)
}

/// The same, if the shop takes this center's e-cash.
pub(crate) async fn accepting_shop(inner: &Inner, origin: &Origin) -> Result<ShopRecord, WalletError> {
    let shop = shop(inner, origin).await?;
    if accepts(inner, &shop) { Ok(shop) } else { Err(Problem::ShopForeign.into()) }
}

fn not_a_shop(error: client::CallError) -> WalletError {
    let error = WalletError::from(error);
    if error.is(Problem::ReplyInvalid) || error.is_refusal(tuppence_protocol::ErrorCode::NotFound) {
        return Problem::ShopInvalid.into();
    }
    error
}

/// Whether the shop takes this center's e-cash.
pub(super) fn accepts(inner: &Inner, shop: &ShopRecord) -> bool {
    shop.shop.center_origin.parse::<Origin>().is_ok_and(|center| center == inner.config.center_origin)
}

/// The shop as interfaces show it.
pub(crate) fn info(inner: &Inner, shop: &ShopRecord) -> ShopInfo {
    ShopInfo {
        shop: shop.reference(),
        description: shop.shop.description.clone(),
        accepted: accepts(inner, shop),
        budget: shop.shop.budget.as_ref().and_then(BudgetTerms::in_vendor_scrip),
    }
}

/// The articles of a shop.
pub(crate) async fn articles(inner: &Inner, origin: &Origin) -> Result<Vec<ArticleCard>, WalletError> {
    let shop = shop(inner, origin).await?;
    let listed: Articles = client::get(&inner.ports, Peer::Shop(origin), "/articles").await?;
    let owned = owned(inner, origin).await?;
    let currency = currency(inner).await?;
    let cards = listed.articles.into_iter().filter(|article| origin.has(&article.url));
    Ok(cards.map(|article| card(&shop.reference(), article, &owned, currency)).collect())
}

/// One article of a shop, which its list need not have.
pub(crate) async fn article(inner: &Inner, origin: &Origin, slug: &str) -> Result<Article, WalletError> {
    let path = format!("/article/{}", segment(slug));
    let article: Article = client::get(&inner.ports, Peer::Shop(origin), &path).await?;
    if article.slug == slug { Ok(article) } else { Err(Problem::ShopInvalid.into()) }
}

/// The slugs of the articles that were bought at a shop.
async fn owned(inner: &Inner, origin: &Origin) -> Result<BTreeSet<String>, WalletError> {
    let library: Vec<LibraryEntry> = record::list(&*inner.ports.storage, Scan::All).await?;
    let here = library.into_iter().filter(|article| article.shop.origin == origin.as_str());
    Ok(here.map(|article| article.slug).collect())
}

async fn currency(inner: &Inner) -> Result<tuppence_protocol::Currency, WalletError> {
    let wallet: Option<WalletRecord> = record::read(&*inner.ports.storage, "").await?;
    Ok(wallet.map_or(tuppence_protocol::Currency::USD, |wallet| wallet.center.currency))
}

fn card(
    shop: &ShopRef,
    article: Article,
    owned: &BTreeSet<String>,
    currency: tuppence_protocol::Currency,
) -> ArticleCard {
    ArticleCard {
        owned: owned.contains(&article.slug),
        shop: shop.clone(),
        slug: article.slug,
        url: article.url,
        title: article.title,
        teaser: article.teaser,
        price: article.price.unwrap_or(Amount::zero(currency)),
        meter: article.meter.map(|meter| MeterTerms { unit: meter.unit, parts: meter.parts }),
        date: article.date,
        authors: article.authors,
        tags: article.tags,
        image: article.image.and_then(|image| address(&shop.origin, image)),
    }
}

/// One article as interfaces show it.
pub(crate) async fn article_card(
    inner: &Inner,
    origin: &Origin,
    slug: &str,
) -> Result<ArticleCard, WalletError> {
    let shop = shop(inner, origin).await?;
    let article = article(inner, origin, slug).await?;
    let owned = owned(inner, origin).await?;
    Ok(card(&shop.reference(), article, &owned, currency(inner).await?))
}

/// An article that a shop has named by itself, as interfaces show it.
pub(super) async fn card_of(
    inner: &Inner,
    shop: &ShopRecord,
    article: Article,
) -> Result<ArticleCard, WalletError> {
    let owned = owned(inner, &shop.origin).await?;
    Ok(card(&shop.reference(), article, &owned, currency(inner).await?))
}

/// The campaigns of a shop.
pub(crate) async fn campaigns(inner: &Inner, origin: &Origin) -> Result<Vec<CampaignCard>, WalletError> {
    let shop = shop(inner, origin).await?;
    let listed: Campaigns = client::get(&inner.ports, Peer::Shop(origin), "/campaigns").await?;
    let states = Answers::read(inner, origin).await?;
    let shown = |campaign: Campaign<u32>| {
        let questions = campaign.questions;
        campaign_card(&shop, &states, campaign, questions)
    };
    Ok(listed.campaigns.into_iter().map(shown).collect())
}

/// One campaign, as the shop tells it.
pub(crate) async fn campaign(
    inner: &Inner,
    origin: &Origin,
    item: &str,
) -> Result<CampaignWithQuestions, WalletError> {
    let path = format!("/campaigns/{}", segment(item));
    Ok(client::get(&inner.ports, Peer::Shop(origin), &path).await?)
}

/// One campaign as interfaces show it.
pub(crate) async fn campaign_detail(
    inner: &Inner,
    origin: &Origin,
    item: &str,
) -> Result<CampaignDetail, WalletError> {
    let shop = shop(inner, origin).await?;
    let mut campaign = campaign(inner, origin, item).await?;
    let states = Answers::read(inner, origin).await?;
    let questions = std::mem::take(&mut campaign.questions);
    let count = u32::try_from(questions.len()).unwrap_or(u32::MAX);
    let (intro, audience) = (campaign.intro.clone(), campaign.audience.clone());
    let image = campaign.image.take().and_then(|image| address(origin.as_str(), image));
    let link = campaign.link.take().filter(|link| is_web(link));
    let card = campaign_card(&shop, &states, campaign, count);
    Ok(CampaignDetail { card, intro, image, link, audience, questions })
}

/// How the campaigns of one shop were answered.
struct Answers {
    settled: BTreeMap<String, Answered>,
    open: BTreeSet<String>,
}

impl Answers {
    async fn read(inner: &Inner, origin: &Origin) -> Result<Self, WalletError> {
        let storage = &*inner.ports.storage;
        let prefix = format!("answer/{}/", segment(origin.as_str()));
        let mut settled = BTreeMap::new();
        for (key, record) in storage.list(&prefix, Scan::All).await? {
            if let Ok(answered) = json::read(&record) {
                settled.insert(key, answered);
            }
        }
        let operations: Vec<Operation> = record::list(storage, Scan::All).await?;
        let open = operations.into_iter().filter_map(|operation| match operation.errand {
            Errand::Earn { shop, item, .. } if shop.origin == origin.as_str() => Some(item),
            _ => None,
        });
        Ok(Answers { settled, open: open.collect() })
    }

    fn state(&self, origin: &Origin, item: &str) -> CampaignState {
        match self.settled.get(&format!("answer/{}", at_shop(origin.as_str(), item))) {
            Some(Answered::Earned) => CampaignState::Earned,
            Some(Answered::Missed) => CampaignState::Missed,
            None if self.open.contains(item) => CampaignState::Pending,
            None => CampaignState::Open,
        }
    }
}

fn campaign_card<Q>(
    shop: &ShopRecord,
    states: &Answers,
    campaign: Campaign<Q>,
    questions: u32,
) -> CampaignCard {
    CampaignCard {
        state: states.state(&shop.origin, campaign.item.as_str()),
        shop: shop.reference(),
        item: campaign.item.to_string(),
        kind: campaign.kind,
        title: campaign.title,
        sponsor: campaign.sponsor,
        reward: campaign.reward,
        minutes: campaign.minutes,
        questions,
        remaining: campaign.remaining,
        end: campaign.end,
    }
}

/// The address of a picture: the shop's own paths, or a web address; nothing else.
fn address(origin: &str, text: String) -> Option<String> {
    if text.starts_with('/') && !text.starts_with("//") {
        return Some(format!("{origin}{text}"));
    }
    is_web(&text).then_some(text)
}

fn is_web(text: &str) -> bool {
    let lower = text.trim_start().to_ascii_lowercase();
    lower.starts_with("https://") || lower.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_from_shops_are_of_the_web_only() {
        let shop = "https://shop.example";
        assert_eq!(address(shop, "/media/a.png".into()).unwrap(), "https://shop.example/media/a.png");
        assert!(address(shop, "https://cdn.example/a.png".into()).is_some());
        for text in ["//evil.example/a.png", "javascript:alert(1)", "data:image/svg+xml,x", "a.png", ""] {
            assert_eq!(address(shop, text.into()), None, "{text:?}");
        }
    }
}
