//! What shops say of themselves, their articles and campaigns (docs/ARCHITECTURE.md, HTTP of a storefront).
//!
//! None of it moves money: offers do. So fields that this wallet does not know are passed over.

use serde::{Deserialize, Serialize};
use tuppence_protocol::scrip::Item;
use tuppence_protocol::{Amount, Timestamp, VendorId};

use crate::view::{CampaignKind, Question};

/// GET `/shop`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shop {
    pub(crate) vendor_id: VendorId,
    pub(crate) center_origin: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) budget: Option<BudgetTerms>,
}

/// The way to pay by budgets in the shop's own scrip, by its name.
pub(crate) const VENDOR_SCRIP: &str = "vendor-scrip";
/// The way to pay by budgets in paywords, by its name.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) const PAYWORD: &str = "payword";

/// What a shop says of budgets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BudgetTerms {
    pub(crate) methods: Vec<String>,
    pub(crate) suggested: Amount,
    /// For how many days a budget in paywords is to be good.
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(default)]
    pub(crate) days: Option<u32>,
    /// The unit of paywords that pays every article.
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(default)]
    pub(crate) unit: Option<Amount>,
}

impl BudgetTerms {
    /// What the shop suggests, if it takes scrip of its own.
    pub(crate) fn in_vendor_scrip(&self) -> Option<Amount> {
        self.methods.iter().any(|method| method == VENDOR_SCRIP).then_some(self.suggested)
    }
}

/// GET `/articles`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Articles {
    pub(crate) articles: Vec<Article>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Article {
    pub(crate) slug: String,
    pub(crate) url: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) teaser: String,
    /// Absent or zero for what is free.
    #[serde(default)]
    pub(crate) price: Option<Amount>,
    #[serde(default)]
    pub(crate) meter: Option<Meter>,
    #[serde(default)]
    pub(crate) date: Option<Timestamp>,
    #[serde(default)]
    pub(crate) authors: Vec<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) image: Option<String>,
}

/// How an article is sold by the part.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Meter {
    pub(crate) unit: Amount,
    pub(crate) parts: u32,
}

/// The body of a 402: what an address asks for, and from whom it comes (docs/protocol/http-402.md).
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Demand {
    pub(crate) offer: DemandOffer,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DemandOffer {
    pub(crate) shop: Shop,
    pub(crate) article: Article,
    /// How the shop may be paid.
    pub(crate) methods: Vec<String>,
}

/// GET `/campaigns`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Campaigns {
    pub(crate) campaigns: Vec<Campaign<u32>>,
}

/// GET `/campaigns/{item}`: with the questions themselves in place of their number.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Campaign<Q> {
    pub(crate) item: Item,
    pub(crate) kind: CampaignKind,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) sponsor: String,
    pub(crate) reward: Amount,
    #[serde(default)]
    pub(crate) minutes: u32,
    pub(crate) questions: Q,
    #[serde(default)]
    pub(crate) remaining: Option<u64>,
    #[serde(default)]
    pub(crate) end: Option<Timestamp>,
    #[serde(default)]
    pub(crate) intro: String,
    #[serde(default)]
    pub(crate) image: Option<String>,
    #[serde(default)]
    pub(crate) link: Option<String>,
    #[serde(default)]
    pub(crate) audience: String,
}

pub(crate) type CampaignWithQuestions = Campaign<Vec<Question>>;
