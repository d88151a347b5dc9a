//! What an address that is for sale says to a program: the price, from whom it comes, and where it is paid
//! (docs/protocol/http-402.md). It names the article and shows its teaser, and nothing of what is paid for.

use serde::Serialize;
use tuppence_protocol::{ErrorBody, ErrorCode, Refusal};

use super::Storefront;
use super::catalogue::{Article, Entitlement};
use super::view::{ArticleView, ShopView};

/// How every shop is paid: by scrip (spec 01).
const SCRIP: &str = "scrip";

/// The body of a 402: an error like any other, and the offer.
#[derive(Debug, Clone, Serialize)]
pub struct Demand {
    /// That payment is required.
    #[serde(flatten)]
    pub error: ErrorBody,
    /// For what, and how.
    pub offer: Offer,
}

/// What is offered, and how it is paid.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// The shop, with its center.
    pub shop: ShopView,
    /// The article, with its price; its `url` is the requestUrl of an S1.
    pub article: ArticleView,
    /// How the shop may be paid: by `scrip`, and what its budgets are made of.
    pub methods: Vec<&'static str>,
    /// Where S1 goes.
    pub purchase: String,
    /// Where S3 goes.
    pub deliver: String,
    /// What describes all of it (OpenAPI).
    pub description: String,
}

/// A whole article as data.
#[derive(Serialize)]
pub struct ArticleData {
    /// As in the list of articles.
    #[serde(flatten)]
    pub article: ArticleView,
    /// All of it, as sanitised HTML.
    pub document: String,
}

impl Storefront {
    /// What `article` asks of whoever has not paid it.
    pub fn demand(&self, article: &Article) -> Demand {
        let view = self.article_view(article);
        let origin = &self.settings.origin;
        let what = if article.part_of.is_some() { "part" } else { "article" };
        let message = format!("This {what} costs {}.", view.price);
        let shop = self.shop_view();
        let budgets = shop.budget.iter().flat_map(|budget| budget.methods.iter().copied());
        Demand {
            error: ErrorBody::from(&Refusal::new(ErrorCode::PaymentRequired, message)),
            offer: Offer {
                // What is sold by the part costs less than a payment at the center.
                methods: article.part_of.is_none().then_some(SCRIP).into_iter().chain(budgets).collect(),
                shop,
                article: view,
                purchase: format!("{origin}/api/v1/purchase"),
                deliver: format!("{origin}/api/v1/purchase/deliver"),
                description: format!("{origin}/api/v1/openapi.json"),
            },
        }
    }

    /// The whole of an article as data, for whoever may have it; nothing for those who have to pay.
    pub fn article_data(&self, article: &Article, entitlement: Option<Entitlement>) -> Option<ArticleData> {
        let document = match entitlement {
            Some(entitlement) => article.whole(entitlement),
            None => article.free()?,
        };
        Some(ArticleData { article: self.article_view(article), document: document.to_string() })
    }
}
