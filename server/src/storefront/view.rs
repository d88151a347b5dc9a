//! What the shop's API shows: plain records, made of teasers and questions alone.

use serde::{Deserialize, Serialize};
use tuppence_protocol::scrip::Item;
use tuppence_protocol::{Amount, Refusal, Timestamp, VendorId};

use super::Storefront;
use super::campaigns::{Campaign, Choice, Kind};
use super::catalogue::Article;
use super::catalogue::meter::Measure;
use super::till::BudgetView;

/// Who the shop is (GET `/shop`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShopView {
    /// The shop at its center.
    pub vendor_id: VendorId,
    /// Where it is.
    pub origin: String,
    /// Where its center is.
    pub center_origin: String,
    /// Where wallets of that center are.
    pub wallet_origin: String,
    /// Its name.
    pub title: String,
    /// What it sells, in a sentence.
    pub description: String,
    /// What it says of budgets; absent where it takes none, or can't yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetView>,
}

/// All articles (GET `/articles`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArticlesView {
    /// The newest first.
    pub articles: Vec<ArticleView>,
}

/// An article in a list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArticleView {
    /// The last part of its address.
    pub slug: String,
    /// Its address: the requestURL of an S1.
    pub url: String,
    /// The title.
    pub title: String,
    /// The teaser as plain text.
    pub teaser: String,
    /// The price; zero for a free article.
    pub price: Amount,
    /// By what it is sold besides; absent where it is sold as a whole alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meter: Option<MeterView>,
    /// The sound or film that belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamView>,
    /// When it appeared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// What it is about.
    pub tags: Vec<String>,
    /// A picture's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// How an article is sold by the part: part 3 is at the article's address with `/parts/3` behind it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterView {
    /// What a part is.
    pub measure: Measure,
    /// What each costs.
    pub unit: Amount,
    /// How many there are.
    pub parts: usize,
}

/// The sound or film of an article: for whoever has paid it, at the article's address with `/stream` behind it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamView {
    /// Its media type, such as `audio/mpeg`.
    pub media_type: &'static str,
    /// How long it plays.
    pub seconds: u32,
}

/// All open campaigns (GET `/campaigns`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CampaignsView {
    /// By name.
    pub campaigns: Vec<CampaignView>,
}

/// A campaign in a list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CampaignView {
    /// Its name: the item of an M1.
    pub item: Item,
    /// What it asks for.
    pub kind: Kind,
    /// The title.
    pub title: String,
    /// Who pays.
    pub sponsor: String,
    /// What an earner gets.
    pub reward: Amount,
    /// Minutes that it takes.
    pub minutes: u32,
    /// How many questions it has.
    pub questions: usize,
    /// Rewards that are left; absent until the center has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// Until when it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
}

/// One campaign (GET `/campaigns/{item}`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CampaignDetailView {
    /// Its name: the item of an M1.
    pub item: Item,
    /// What it asks for.
    pub kind: Kind,
    /// The title.
    pub title: String,
    /// Who pays.
    pub sponsor: String,
    /// What an earner gets.
    pub reward: Amount,
    /// Minutes that it takes.
    pub minutes: u32,
    /// Rewards that are left; absent until the center has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// Until when it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// What the reader sees first; plain text.
    pub intro: String,
    /// A picture's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Where the reader finds out more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Who sees the answers, in a sentence.
    pub audience: String,
    /// The questions, in the order of an M1's answers.
    pub questions: Vec<QuestionView>,
}

/// A question.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuestionView {
    /// The question.
    pub text: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// Its choices; none where the answer is written in words.
    pub choices: Vec<Choice>,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionKind {
    /// By a choice's id.
    Choice,
    /// In words.
    Text,
}

impl Storefront {
    /// Who the shop is.
    pub fn shop_view(&self) -> ShopView {
        let settings = &self.settings;
        ShopView {
            vendor_id: settings.credentials.vendor_id.clone(),
            origin: settings.origin.clone(),
            // As browsers reach it: the shop itself may have a shorter way.
            center_origin: settings.wallet_origin.clone(),
            wallet_origin: settings.wallet_origin.clone(),
            title: settings.title.clone(),
            description: settings.description.clone(),
            budget: self.budget_view(),
        }
    }

    /// All articles that are out.
    pub fn articles_view(&self) -> ArticlesView {
        let catalogue = self.catalogue.load();
        let articles = catalogue.articles(self.now()).map(|article| self.article_view(article)).collect();
        ArticlesView { articles }
    }

    /// One article that is out.
    ///
    /// # Errors
    /// As [`Storefront::article`].
    pub async fn article_view_of(&self, slug: &str) -> Result<ArticleView, Refusal> {
        self.article(slug).await.map(|article| self.article_view(&article))
    }

    pub(super) fn article_view(&self, article: &Article) -> ArticleView {
        let date = article.date.and_then(|date| u64::try_from(date.timestamp_millis()).ok());
        ArticleView {
            slug: article.slug.clone(),
            url: article.url.to_string(),
            title: article.title.to_string(),
            teaser: article.summary.clone(),
            price: article.price.unwrap_or(Amount::zero(self.settings.prices.currency)),
            meter: article.meter.as_ref().map(|meter| MeterView {
                measure: meter.measure,
                unit: meter.unit,
                parts: meter.parts(),
            }),
            stream: article
                .stream
                .as_ref()
                .map(|stream| StreamView { media_type: stream.media_type, seconds: stream.seconds }),
            date: date.map(Timestamp::from_millis),
            authors: article.authors.clone(),
            tags: article.tags.clone(),
            image: article.image.as_ref().map(|picture| picture.url.clone()),
        }
    }

    /// All open campaigns.
    pub fn campaigns_view(&self) -> CampaignsView {
        let campaigns = self.campaigns.load();
        let campaigns = campaigns.open(self.now()).map(|campaign| self.campaign_view(campaign)).collect();
        CampaignsView { campaigns }
    }

    fn campaign_view(&self, campaign: &Campaign) -> CampaignView {
        CampaignView {
            item: campaign.item.clone(),
            kind: campaign.kind,
            title: campaign.title.to_string(),
            sponsor: campaign.sponsor.clone(),
            reward: campaign.reward,
            minutes: campaign.minutes,
            questions: campaign.questions.len(),
            remaining: self.rewards_left(campaign),
            end: campaign.end,
        }
    }

    /// One open campaign.
    pub fn campaign_detail(&self, item: &Item) -> Option<CampaignDetailView> {
        let campaigns = self.campaigns.load();
        let campaign = campaigns.find(item).filter(|campaign| campaign.is_open(self.now()))?;
        let question = |question: &super::campaigns::Question| QuestionView {
            text: question.text.clone(),
            kind: if question.choices.is_empty() { QuestionKind::Text } else { QuestionKind::Choice },
            choices: question.choices.clone(),
        };
        Some(CampaignDetailView {
            item: campaign.item.clone(),
            kind: campaign.kind,
            title: campaign.title.to_string(),
            sponsor: campaign.sponsor.clone(),
            reward: campaign.reward,
            minutes: campaign.minutes,
            remaining: self.rewards_left(campaign),
            end: campaign.end,
            intro: campaign.intro.clone(),
            image: campaign.image.clone(),
            link: campaign.link.clone(),
            audience: campaign.audience.clone(),
            questions: campaign.questions.iter().map(question).collect(),
        })
    }
}
