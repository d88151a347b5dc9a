//! The shop's pages and feeds. They work without JavaScript; there is none.

pub mod feed;
pub mod money;
mod offer;

use std::sync::LazyLock;

use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use sha2::{Digest, Sha256};
use tuppence_protocol::{Refusal, bytes};

use super::Storefront;
use super::catalogue::{Article, Entitlement, Picture};
use super::upstream::path::SitePath;

/// The stylesheet of the shop's own pages.
pub const STYLE: &str = include_str!("../../../templates/storefront/style.css");
/// The stylesheet of the offer in another site's page.
pub const OFFER_STYLE: &str = include_str!("../../../templates/storefront/offer.css");
/// The mark: two coins, one behind the other.
pub const ICON: &str = include_str!("../../../templates/storefront/icon.svg");

static STYLE_ADDRESS: LazyLock<String> = LazyLock::new(|| address_of("shop.css", STYLE));
static OFFER_STYLE_ADDRESS: LazyLock<String> = LazyLock::new(|| address_of("offer.css", OFFER_STYLE));

/// A stylesheet's address changes with it, so that browsers may keep it.
fn address_of(name: &str, style: &str) -> String {
    let hash = Sha256::digest(style);
    format!("/embed/{name}?v={}", bytes::encode(&hash[..9]))
}

/// What the frame of every page says.
struct Frame<'a> {
    shop: &'a str,
    description: &'a str,
    wallet_origin: &'a str,
    style: &'static str,
}

impl<'a> Frame<'a> {
    fn new(shop: &'a Storefront) -> Self {
        let settings = shop.settings();
        Frame {
            shop: &settings.title,
            description: &settings.description,
            wallet_origin: &settings.wallet_origin,
            style: STYLE_ADDRESS.as_str(),
        }
    }
}

#[derive(Template)]
#[template(path = "storefront/index.html")]
struct IndexPage<'a> {
    frame: Frame<'a>,
    origin: &'a str,
    cards: Vec<Card<'a>>,
}

/// An article in the list.
struct Card<'a> {
    article: &'a Article,
    price: String,
    byline: String,
    minutes: usize,
}

#[derive(Template)]
#[template(path = "storefront/article.html")]
struct ArticlePage<'a> {
    frame: Frame<'a>,
    article: &'a Article,
    language: &'a str,
    byline: String,
    price: String,
    whole: Option<&'a str>,
    approve: String,
    metadata: String,
    picture: Option<&'a Picture>,
}

#[derive(Template)]
#[template(path = "storefront/offer.html")]
struct OfferPart {
    style: &'static str,
    words: &'static offer::Words,
    price: String,
    approve: String,
    metadata: String,
}

#[derive(Template)]
#[template(path = "storefront/trouble.html")]
struct TroublePage<'a> {
    frame: Frame<'a>,
    message: &'a str,
    hint: &'a str,
}

#[derive(Template)]
#[template(path = "storefront/not_found.html")]
struct NotFoundPage<'a> {
    frame: Frame<'a>,
}

impl Storefront {
    /// The index of articles.
    ///
    /// # Errors
    /// If the template cannot be written, which memory alone could cause.
    pub fn index_page(&self) -> askama::Result<String> {
        let catalogue = self.catalogue();
        let cards = catalogue.articles(self.now()).map(|article| Card {
            article,
            price: price(article),
            byline: byline(article),
            minutes: article.minutes,
        });
        IndexPage { frame: Frame::new(self), origin: &self.settings().origin, cards: cards.collect() }
            .render()
    }

    /// An article's page: whole for whoever may read it, else up to the teaser.
    ///
    /// # Errors
    /// As for [`Storefront::index_page`].
    pub fn article_page(&self, article: &Article, entitled: Option<Entitlement>) -> askama::Result<String> {
        let whole = article.free().or_else(|| entitled.map(|by| article.whole(by)));
        ArticlePage {
            frame: Frame::new(self),
            article,
            language: article.language.as_deref().unwrap_or("en"),
            byline: byline(article),
            price: price(article),
            whole: whole.map(|document| document.as_str()),
            approve: self.approve_address(article),
            metadata: self.metadata(article),
            picture: article.image.as_ref(),
        }
        .render()
    }

    /// The page for addresses with nothing behind them.
    ///
    /// # Errors
    /// As for [`Storefront::index_page`].
    pub fn not_found_page(&self) -> askama::Result<String> {
        NotFoundPage { frame: Frame::new(self) }.render()
    }

    /// The page for a receipt that opens nothing.
    ///
    /// # Errors
    /// As for [`Storefront::index_page`].
    pub fn trouble_page(&self, refusal: &Refusal) -> askama::Result<String> {
        TroublePage { frame: Frame::new(self), message: &refusal.message, hint: refusal.code.hint() }.render()
    }

    /// What stands where the paid part of another site's page was, as HTML.
    ///
    /// # Errors
    /// As for [`Storefront::index_page`].
    pub fn offer(&self, article: &Article) -> askama::Result<String> {
        OfferPart {
            style: OFFER_STYLE_ADDRESS.as_str(),
            words: offer::words(article.language.as_deref()),
            price: price(article),
            approve: self.approve_address(article),
            metadata: self.metadata(article),
        }
        .render()
    }

    /// The path of an article's page at this origin.
    pub fn page_of(&self, slug: &str) -> String {
        let of_site = self.upstream().and(SitePath::of_slug(slug));
        of_site.map_or_else(|| format!("/articles/{slug}"), |path| path.address())
    }

    /// Where the reader's wallet approves the payment.
    fn approve_address(&self, article: &Article) -> String {
        let settings = self.settings();
        let [shop, slug] =
            [&settings.origin, &article.slug].map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC));
        format!("{}/approve?shop={shop}&article={slug}", settings.wallet_origin)
    }

    /// What search engines are told (schema.org), as JSON that can stand inside a `script` element.
    fn metadata(&self, article: &Article) -> String {
        let free = article.price.is_none();
        let address = format!("{}{}", self.settings().origin, self.page_of(&article.slug));
        let mut about = json!({
            "@context": "https://schema.org",
            "@type": "Article",
            "headline": article.title,
            "description": article.summary,
            "url": address,
            "mainEntityOfPage": address,
            "isAccessibleForFree": free,
            "keywords": article.tags,
            "author": article.authors.iter().map(|name| json!({"@type": "Person", "name": name})).collect::<Vec<_>>(),
            "publisher": {"@type": "Organization", "name": self.settings().title, "url": self.settings().origin},
        });
        if let Some(date) = article.date {
            about["datePublished"] = json!(date.to_rfc3339());
        }
        if let Some(picture) = &article.image {
            about["image"] = json!(picture.url);
        }
        if !free {
            about["hasPart"] =
                json!({"@type": "WebPageElement", "isAccessibleForFree": false, "cssSelector": ".paid-part"});
        }
        // No `<` is left, so nothing in it ends the element or opens a comment.
        about.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    }
}

fn price(article: &Article) -> String {
    article.price.map_or_else(|| "Free".to_owned(), money::spoken)
}

/// `Ann Example, 5 January 2026`.
fn byline(article: &Article) -> String {
    let names = article.authors.join(", ");
    let date = article.date.map(|date| date.format("%-d %B %Y").to_string());
    [Some(names).filter(|names| !names.is_empty()), date]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}
