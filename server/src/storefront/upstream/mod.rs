//! Another site, in front of which the storefront stands: its pages pass through, and some of them are sold.
//!
//! ```text
//! rules      which pages, for how much, and what everybody may read of them
//! path       one name for each page, and no way around a rule by another spelling
//! page       a page taken apart: the paid text, the teaser, the page without the rest
//! passages   finds the paid text where a page repeats it
//! ```
//!
//! A page is sold as an article like any other: under a name that says its path, with a receipt, to every kind of wallet.
//! Its text is what the site gives a stranger who asks, fetched when it is needed and kept for a minute. HTTP passes
//! through in `http::storefront::proxy`.

pub mod page;
pub mod passages;
pub mod path;
pub mod rules;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tuppence_protocol::scrip::seller;
use tuppence_protocol::{Amount, ErrorCode, Refusal, Text, Timestamp};

use super::catalogue::fields::{Prices, is_language};
use super::catalogue::markdown::shortened;
use super::catalogue::sanitise::{Pictures, sanitised_page};
use super::catalogue::{Article, Paid, Picture, minutes};
use super::fault;
use super::problem::Problem;
use page::Page;
use path::SitePath;
use rules::{Rules, Sold};

/// The longest that the site may take for a page that is sold.
const PAGE_TIME_MAX: Duration = Duration::from_secs(20);
/// Bytes of such a page.
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long its text is kept.
const KEPT: tuppence_protocol::Duration = tuppence_protocol::Duration::from_minutes(1);
/// How many are kept.
const KEPT_MAX: usize = 256;
/// Answers of the site that pass through at once.
const ANSWERS_MAX: usize = 2_048;
/// Characters of a teaser as plain text.
const SUMMARY_CHARS: usize = 300;
/// Bytes of a rules' file.
const RULES_BYTES_MAX: u64 = 1024 * 1024;

/// The site, as a publisher names it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the storefront reaches it, such as `http://127.0.0.1:3000`; without a slash at the end.
    pub address: String,
    /// The file of rules.
    pub rules: PathBuf,
    /// What reaches it: follows no redirects, and has no limit for a whole answer.
    pub http: Client,
}

/// The site.
#[derive(Debug)]
pub struct Upstream {
    settings: Settings,
    /// The shop's own origin, under which readers see the site.
    origin: String,
    prices: Prices,
    rules: ArcSwap<Rules>,
    kept: Mutex<HashMap<SitePath, (Timestamp, Arc<Article>)>>,
    room: Arc<Semaphore>,
}

/// The place of one answer among those that pass through at once.
pub type Room = OwnedSemaphorePermit;

impl Upstream {
    /// The site of `settings`, which readers see at `origin`.
    ///
    /// # Errors
    /// What is wrong with the rules.
    pub fn open(settings: Settings, origin: &str, prices: Prices) -> Result<Self, Vec<Problem>> {
        let rules = read_rules(&settings.rules, prices)?;
        Ok(Upstream {
            settings,
            origin: origin.to_owned(),
            prices,
            rules: ArcSwap::from_pointee(rules),
            kept: Mutex::default(),
            room: Arc::new(Semaphore::new(ANSWERS_MAX)),
        })
    }

    /// Reads the rules again. What is wrong with them is said, and the former ones stay: nothing that is sold becomes free
    /// by a slip.
    pub fn reload(&self) -> Vec<Problem> {
        match read_rules(&self.settings.rules, self.prices) {
            Ok(rules) => {
                self.rules.store(Arc::new(rules));
                self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
                Vec::new()
            }
            Err(problems) => problems,
        }
    }

    /// What the site was named by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The host under which readers see it.
    pub fn host(&self) -> &str {
        self.origin.split_once("://").map_or(&self.origin, |(_, host)| host)
    }

    /// `http` or `https`, as readers see it.
    pub fn scheme(&self) -> &str {
        self.origin.split_once("://").map_or("http", |(scheme, _)| scheme)
    }

    /// Room for one more answer, if there is some.
    pub fn room(&self) -> Option<Room> {
        self.room.clone().try_acquire_owned().ok()
    }

    /// The rules, as last read.
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.load_full()
    }

    /// What its pages cost.
    pub fn prices(&self) -> Vec<Amount> {
        self.rules.load().prices().collect()
    }

    /// The page of this name as an article, if it is sold; as it was at most a minute ago.
    ///
    /// # Errors
    /// [`ErrorCode::ArticleUnknown`] if it is not sold, not there, or does not fit its rule; [`ErrorCode::Busy`] if the site
    /// does not answer.
    pub async fn article(&self, slug: &str, now: Timestamp) -> Result<Arc<Article>, Refusal> {
        let unknown = || Refusal::new(ErrorCode::ArticleUnknown, "There is no such article in this shop.");
        let path = SitePath::of_slug(slug).ok_or_else(unknown)?;
        let rules = self.rules.load_full();
        let sold = rules.sold(&path).ok_or_else(unknown)?;
        if let Some(kept) = self.kept(&path, now) {
            return Ok(kept);
        }
        let response = self.fetch(&path).await?;
        if !response.status().is_success() {
            tracing::info!(
                path = path.as_str(),
                status = response.status().as_u16(),
                "the site does not give this page"
            );
            return Err(if response.status().is_server_error() { absent() } else { unknown() });
        }
        let text = text_of(response).await?;
        let page = self.read(&path, &text, sold)?;
        let article = Arc::new(self.article_of(&path, &page, sold.price)?);
        // Rules that have changed meanwhile find nothing of the former ones kept.
        if Arc::ptr_eq(&rules, &self.rules.load_full()) {
            self.keep(path, &article, now);
        }
        Ok(article)
    }

    /// A page for whoever has not paid it: its text up to the teaser, and what `offer` makes of the article.
    ///
    /// # Errors
    /// As for [`Upstream::article`].
    pub fn unpaid(
        &self,
        path: &SitePath,
        text: &str,
        sold: &Sold,
        offer: impl FnOnce(&Article) -> Result<String, Refusal>,
    ) -> Result<String, Refusal> {
        let page = self.read(path, text, sold)?;
        let offer = offer(&self.article_of(path, &page, sold.price)?)?;
        Ok(page.unpaid(&offer))
    }

    /// Asks for a page as a stranger does.
    async fn fetch(&self, path: &SitePath) -> Result<Response, Refusal> {
        let url = format!("{}{}", self.settings.address, path.address());
        let request = self.settings.http.get(url).header(HOST, self.host()).header(ACCEPT, "text/html");
        request.timeout(PAGE_TIME_MAX).send().await.map_err(|error| {
            tracing::warn!(path = path.as_str(), %error, "the site does not answer");
            absent()
        })
    }

    fn read(&self, path: &SitePath, text: &str, sold: &Sold) -> Result<Page, Refusal> {
        page::read(text, sold).map_err(|reason| {
            tracing::warn!(path = path.as_str(), %reason, "not sold, and not shown");
            let message =
                "This page is for sale, but its text was not found in it. The publisher has to mend that.";
            Refusal::new(ErrorCode::ArticleUnknown, message)
        })
    }

    fn article_of(&self, path: &SitePath, page: &Page, price: Amount) -> Result<Article, Refusal> {
        let address = Url::parse(&format!("{}{}", self.origin, path.address())).map_err(fault)?;
        let pictures = self.pictures(&address);
        let too_long =
            |error| Refusal::new(ErrorCode::ArticleUnknown, format!("This article is too long: {error}."));
        let teaser = sanitised_page(&page.teaser, &pictures, address.clone()).map_err(too_long)?;
        let whole = sanitised_page(&page.whole, &pictures, address.clone()).map_err(too_long)?;
        let facts = &page.facts;
        let slug = path.slug();
        let title = if facts.title.is_empty() { path.as_str() } else { &facts.title };
        let summary = facts.description.as_deref().unwrap_or(&page.teaser_text);
        let summary: String = summary.split_whitespace().collect::<Vec<_>>().join(" ");
        let summary = summary.chars().filter(|c| !c.is_control()).collect::<String>();
        Ok(Article {
            url: seller::article_url(&self.origin, &slug)?,
            slug,
            title: Text::normalized(&shortened(title, TITLE_CHARS)).map_err(fault)?,
            price: Some(price),
            meter: None,
            stream: None,
            part_of: None,
            date: facts.date,
            authors: facts.author.iter().map(|author| shortened(author, NAME_CHARS)).collect(),
            tags: Vec::new(),
            image: facts
                .image
                .as_deref()
                .and_then(|image| pictures(image))
                .map(|url| Picture { url, alt: String::new() }),
            language: facts.language.clone().filter(|tag| is_language(tag)),
            teaser: teaser.document,
            summary: shortened(&summary, SUMMARY_CHARS),
            minutes: minutes(page.words),
            whole: Paid::new(whole.document),
        })
    }

    /// Pictures of the site itself are shown elsewhere too, at its address for readers.
    fn pictures(&self, page: &Url) -> Pictures {
        let (page, origin, own) = (page.clone(), page.origin(), self.settings.address.clone());
        Arc::new(move |address: &str| {
            let joined = match address.strip_prefix(&own) {
                Some(path) if path.starts_with('/') => page.join(path),
                _ => page.join(address),
            };
            joined.ok().filter(|url| url.origin() == origin).map(String::from)
        })
    }

    fn kept(&self, path: &SitePath, now: Timestamp) -> Option<Arc<Article>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(path).filter(|(since, _)| now.since(*since) < KEPT).map(|(_, article)| article.clone())
    }

    fn keep(&self, path: SitePath, article: &Arc<Article>, now: Timestamp) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (since, _)| now.since(*since) < KEPT);
        }
        if kept.len() < KEPT_MAX {
            kept.insert(path, (now, article.clone()));
        }
    }
}

/// Characters of a title, each of at most four bytes.
const TITLE_CHARS: usize = 99;
/// Characters of an author's name.
const NAME_CHARS: usize = 80;

/// The rules in the file at `path`.
///
/// # Errors
/// What is wrong with them, or that they cannot be read.
pub fn read_rules(path: &std::path::Path, prices: Prices) -> Result<Rules, Vec<Problem>> {
    let file = path.display().to_string();
    let cannot =
        |error: std::io::Error| vec![Problem::hides(&file, format!("the rules cannot be read: {error}"))];
    if std::fs::metadata(path).map_err(cannot)?.len() > RULES_BYTES_MAX {
        return Err(vec![Problem::hides(&file, "the rules are larger than 1 MiB")]);
    }
    Rules::read(&file, &std::fs::read_to_string(path).map_err(cannot)?, prices)
}

/// The text of a page that is sold.
///
/// # Errors
/// [`ErrorCode::ArticleUnknown`] if it is no page; [`ErrorCode::Busy`] if it breaks off.
pub async fn text_of(mut response: Response) -> Result<String, Refusal> {
    let no_page = |message: &str| Err(Refusal::new(ErrorCode::ArticleUnknown, message));
    let header = |name| header_text(response.headers(), name).to_ascii_lowercase();
    let (media_type, encoding) = (header(CONTENT_TYPE), header(CONTENT_ENCODING));
    if response.status() != StatusCode::OK || !is_html(&media_type) {
        return no_page("What is here is for sale, but it is no page, and only pages can be sold.");
    }
    if !matches!(encoding.as_str(), "" | "identity") {
        tracing::warn!(encoding, "the site compresses pages that are sold although it was asked not to");
        return no_page(
            "What is here is for sale, but the shop cannot read it. The publisher has to mend that.",
        );
    }
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| {
        tracing::warn!(%error, "the site's page breaks off");
        absent()
    })? {
        bytes.extend_from_slice(&part);
        if bytes.len() > PAGE_BYTES_MAX {
            return no_page("What is here is for sale, but it is too long.");
        }
    }
    Ok(page::decoded(&media_type, &bytes))
}

/// Whether the media type is that of a page.
fn is_html(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim();
    matches!(name, "text/html" | "application/xhtml+xml")
}

fn header_text(headers: &HeaderMap, name: reqwest::header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The site does not answer.
pub fn absent() -> Refusal {
    Refusal::new(ErrorCode::Busy, "The site behind this shop does not answer just now.")
}
