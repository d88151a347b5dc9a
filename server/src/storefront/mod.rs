//! The storefront: a shop's articles and campaigns, its offers and deliveries.
//!
//! ```text
//! catalogue, campaigns   folders as values, read again when files change
//! upstream               or another site, in front of which the shop stands
//! sale, earn             S1-S7 and M1-M7 over protocol::scrip::seller
//! relay, center          the way to the center: HTTP only
//! till                   budgets: paywords and the shop's own scrip, taken without the center
//! store                  what must survive a restart: attempts, answers, the till, the shop's own secret
//! pages, view            what browsers and wallets see
//! ```
//!
//! [`Storefront::open`] reads the folders and opens the store; [`Storefront::start`] meets the center, sets
//! budgets aside and watches the folders.

pub mod campaigns;
pub mod catalogue;
mod center;
pub mod claims;
pub mod cookie;
pub mod credentials;
pub mod demand;
mod earn;
pub mod folder;
mod funding;
pub mod listening;
pub mod pages;
pub mod ports;
pub mod problem;
mod relay;
mod sale;
pub mod sample;
pub mod store;
pub mod sum;
pub mod till;
pub mod upstream;
pub mod view;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch as value};
use tuppence_protocol::scrip::campaign::CampaignState;
use tuppence_protocol::scrip::relay::{Delivery, Unconfirmed};
use tuppence_protocol::scrip::seller::{AwaitingOutcome, Fresh, Seller};
use tuppence_protocol::scrip::{Item, Refused};
use tuppence_protocol::{ErrorCode, Refusal, Timestamp, VendorId};

use crate::clock::Clock;
use campaigns::Campaigns;
use catalogue::fields::Prices;
use catalogue::media::{MediaAddresses, Root};
use catalogue::{Article, Catalogue, CatalogueSettings};
pub use center::ANSWER_TIME_MAX;
use center::CenterClient;
use claims::Claims;
use cookie::Cookies;
use credentials::Credentials;
pub use earn::Permission;
use listening::Listenings;
use ports::Ports;
use problem::{Problem, Severity};
use relay::Relay;
use store::{ShopStore, ShopStoreError, StoreHandle};
use upstream::Upstream;

/// How often budgets are compared with the center's.
const FUNDING_PERIOD: Duration = Duration::from_secs(60);
/// How long a shop waits before it looks for its center again: at first, and at most.
const MEETING_PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];
/// Under which name the store keeps the center's identity.
const CENTER_SETTING: &str = "center";

/// What a shop is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The shop's database file.
    pub database: PathBuf,
    /// The folder of articles; not looked at where the shop stands in front of a site.
    pub content: PathBuf,
    /// The site that the shop stands in front of.
    pub upstream: Option<upstream::Settings>,
    /// The folder of campaigns.
    pub campaigns: PathBuf,
    /// What the shop shares with its center.
    pub credentials: Credentials,
    /// Where browsers find the shop, such as `https://shop.example`; without a slash at the end.
    pub origin: String,
    /// Where the shop reaches its center.
    pub center_origin: String,
    /// Where readers find their wallet: the center's address for browsers.
    pub wallet_origin: String,
    /// The shop's name.
    pub title: String,
    /// What it sells, in a sentence.
    pub description: String,
    /// The currency of its center, and the price of articles that name none.
    pub prices: Prices,
    /// The longest that an M3 or S3 is held.
    pub hold: Duration,
    /// How many are held at once.
    pub held_max: usize,
    /// What the shop says of budgets.
    pub till: till::Terms,
}

/// The longest that an M3 or S3 is held, unless settings say otherwise (spec/01).
pub const HOLD: Duration = Duration::from_secs(30);
/// How many are held at once, unless settings say otherwise.
pub const HELD_MAX: usize = 2_000;

/// A shop.
pub struct Storefront {
    settings: Settings,
    ports: Ports,
    store: StoreHandle,
    cookies: Cookies,
    claims: Claims,
    listenings: Listenings,
    till: till::Till,
    catalogue_settings: CatalogueSettings,
    campaign_media: MediaAddresses,
    catalogue: ArcSwap<Catalogue>,
    upstream: Option<Upstream>,
    campaigns: ArcSwap<Campaigns>,
    seller: ArcSwapOption<Seller>,
    budgets: ArcSwap<BTreeMap<Item, CampaignState>>,
    /// Campaigns for which the center refuses to set a budget aside.
    unfunded: Mutex<BTreeSet<Item>>,
    budgets_changed: Notify,
    reloads: value::Sender<u64>,
    center: CenterClient,
    relay: Arc<Relay>,
}

/// A refusal, with the protocol's own message (PM2_2, GM2_2) where there is one.
#[derive(Debug)]
pub struct Declined {
    /// Why.
    pub refusal: Refusal,
    /// The message.
    pub reply: Option<Box<Refused>>,
}

impl From<Refusal> for Declined {
    fn from(refusal: Refusal) -> Self {
        Declined { refusal, reply: None }
    }
}

/// The answer to an M3 or S3.
#[derive(Debug)]
pub enum Delivered {
    /// M7 or S7.
    Document(Box<Delivery>),
    /// Not confirmed within the time.
    Unconfirmed(Unconfirmed),
}

/// Why a shop cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its store.
    #[error(transparent)]
    Store(#[from] ShopStoreError),
    /// Its settings.
    #[error("{}", .0.message)]
    Settings(Refusal),
    /// The rules of the site that it stands in front of.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Rules(Vec<Problem>),
}

/// The center's identity, as kept for a start without it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KnownCenter {
    origin: String,
    center_id: VendorId,
}

impl Storefront {
    /// Opens the shop's store, and reads its folders; `http` reaches the center.
    ///
    /// # Errors
    /// If the store cannot be opened, or the credentials have no secret.
    pub fn open(
        settings: Settings,
        clock: Arc<dyn Clock>,
        http: reqwest::Client,
    ) -> Result<Arc<Self>, OpenError> {
        let store = StoreHandle::new(ShopStore::open(&settings.database)?)?;
        let ports = Ports { clock, ..Ports::system(http, &settings.center_origin) };
        Self::on(settings, ports, store)
    }

    /// A shop on these ports and this store, whatever they are; reads its folders.
    ///
    /// # Errors
    /// If the store fails, or the credentials have no secret.
    pub fn on(settings: Settings, ports: Ports, handle: StoreHandle) -> Result<Arc<Self>, OpenError> {
        let store = handle.blocking();
        let secret = store.secret(&*ports.random)?;
        let budgets = store.budgets()?.into_iter().map(|state| (state.item.clone(), state)).collect();
        let known: Option<KnownCenter> =
            store.setting(CENTER_SETTING)?.and_then(|text| serde_json::from_str(&text).ok());
        let seller = match known.filter(|known| known.origin == settings.center_origin) {
            Some(known) => Some(seller(&settings, known.center_id).map_err(OpenError::Settings)?),
            None => None,
        };
        let media = |root| MediaAddresses::new(&settings.origin, root, secret.clone());
        let (article_media, campaign_media) = (media(Root::Articles), media(Root::Campaigns));
        let catalogue_settings = CatalogueSettings {
            origin: settings.origin.clone(),
            prices: settings.prices,
            media: article_media,
        };
        let upstream = settings.upstream.clone();
        let upstream = upstream.map(|site| Upstream::open(site, &settings.origin, settings.prices));
        let upstream = upstream.transpose().map_err(OpenError::Rules)?;
        let catalogue = articles(&settings, &catalogue_settings);
        let campaigns = Campaigns::load(&settings.campaigns, settings.prices.currency, &campaign_media);
        let center = CenterClient::new(ports.center.clone());
        let background = ports.background.clone();
        let shop = Arc::new(Storefront {
            relay: Relay::new(center.clone(), background, settings.hold, settings.held_max),
            listenings: Listenings::new(secret.clone()),
            cookies: Cookies::new(secret),
            claims: Claims::default(),
            till: till::Till::new(),
            store: handle,
            catalogue: ArcSwap::from_pointee(catalogue),
            upstream,
            campaigns: ArcSwap::from_pointee(campaigns),
            seller: ArcSwapOption::new(seller),
            budgets: ArcSwap::from_pointee(budgets),
            unfunded: Mutex::default(),
            budgets_changed: Notify::new(),
            reloads: value::Sender::new(0),
            settings,
            ports,
            catalogue_settings,
            campaign_media,
            center,
        });
        if let Some(seller) = shop.seller.load_full() {
            shop.prepare_from_store(seller.center_id())?;
        }
        log_problems(&shop.problems());
        Ok(shop)
    }

    /// Meets the center, sets budgets aside, tends the till and watches the folders, as long as the result lives.
    /// Must be called in a Tokio runtime.
    #[must_use]
    pub fn start(self: &Arc<Self>) -> Running {
        Running {
            funding: tokio::spawn(self.clone().work()),
            till: tokio::spawn(self.clone().tend()),
            _watching: watch::watch(self),
        }
    }

    /// Meets the center, then sets budgets aside: at once, from time to time, and whenever they may have changed.
    /// Never ends.
    pub async fn work(self: Arc<Self>) {
        self.meet_center().await;
        let mut reloads = self.reloads.subscribe();
        loop {
            self.fund_all().await;
            tokio::select! {
                biased;
                () = self.ports.background.pause(FUNDING_PERIOD) => {}
                () = self.budgets_changed.notified() => {}
                _ = reloads.changed() => {}
            }
        }
    }

    /// Reads folders and rules again; what is read replaces what was there, between two requests.
    pub fn reload(&self) {
        let catalogue = articles(&self.settings, &self.catalogue_settings);
        let campaigns =
            Campaigns::load(&self.settings.campaigns, self.settings.prices.currency, &self.campaign_media);
        self.catalogue.store(Arc::new(catalogue));
        self.campaigns.store(Arc::new(campaigns));
        if let Some(upstream) = &self.upstream {
            for problem in upstream.reload() {
                tracing::error!(%problem, "the rules stay as they were");
            }
        }
        tracing::info!("articles and campaigns were read again");
        log_problems(&self.problems());
        self.reloads.send_modify(|count| *count += 1);
    }

    /// Counts how often the folders were read again.
    pub fn reloads(&self) -> value::Receiver<u64> {
        self.reloads.subscribe()
    }

    /// What is wrong with articles and campaigns just now.
    pub fn problems(&self) -> Vec<Problem> {
        let (catalogue, campaigns) = (self.catalogue.load(), self.campaigns.load());
        catalogue.problems().iter().chain(campaigns.problems()).cloned().collect()
    }

    /// The articles, as last read.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.load_full()
    }

    /// The site that the shop stands in front of.
    pub fn upstream(&self) -> Option<&Upstream> {
        self.upstream.as_ref()
    }

    /// The article of this name, if it is out.
    ///
    /// # Errors
    /// [`ErrorCode::ArticleUnknown`]; [`ErrorCode::Busy`] if the site that has it does not answer.
    pub async fn article(&self, slug: &str) -> Result<Arc<Article>, Refusal> {
        if let Some(upstream) = &self.upstream {
            return upstream.article(slug, self.now()).await;
        }
        let unknown = || Refusal::new(ErrorCode::ArticleUnknown, "There is no such article in this shop.");
        self.catalogue.load().find(slug, self.now()).cloned().ok_or_else(unknown)
    }

    /// The campaigns, as last read.
    pub fn campaigns(&self) -> Arc<Campaigns> {
        self.campaigns.load_full()
    }

    /// What it was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What it remembers.
    pub fn store(&self) -> &StoreHandle {
        &self.store
    }

    /// The receipts that wait for the pages that asked for them.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Seals and checks the cookies of paid articles.
    pub fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// The picture behind an address's parts, if the shop gave that address out.
    pub fn picture(&self, root: &str, seal: &str, file: &str) -> Option<(std::fs::File, &'static str)> {
        let opened = if root == Root::Articles.as_str() {
            let file = self.catalogue_settings.media.file(seal, file)?;
            self.catalogue.load().folder()?.open_file(file)
        } else if root == Root::Campaigns.as_str() {
            let file = self.campaign_media.file(seal, file)?;
            self.campaigns.load().folder()?.open_file(file)
        } else {
            return None;
        };
        Some((opened.ok()?, catalogue::media::media_type(file)?))
    }

    /// The shop's clock.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// The seller's side of the protocol, once the center is known.
    fn seller(&self) -> Result<Arc<Seller>, Refusal> {
        let unknown =
            || Refusal::new(ErrorCode::CenterUnreachable, "The shop has not reached its payment center yet.");
        self.seller.load_full().ok_or_else(unknown)
    }

    fn fresh(&self) -> Result<Fresh, Refusal> {
        let mut random = [0; 10];
        self.ports.random.fill(&mut random).map_err(fault)?;
        Ok(Fresh { now: self.now(), random })
    }

    fn ask_again(&self, waiting: &AwaitingOutcome, path: &str) -> Result<Delivered, Refusal> {
        let path = path.parse().map_err(fault)?;
        Ok(Delivered::Unconfirmed(waiting.unconfirmed(path, self.now())))
    }

    /// Finds out who the center is, and keeps it for a start without it.
    async fn meet_center(&self) {
        let [mut pause, longest] = MEETING_PAUSES;
        let info = loop {
            match self.center.info().await {
                Ok(info) => break info,
                Err(_) => self.ports.background.pause(pause).await,
            }
            pause = longest.min(pause.saturating_mul(2));
        };
        if info.currency != self.settings.prices.currency {
            tracing::error!(center = %info.currency, shop = %self.settings.prices.currency,
                "the center's currency is another one: nothing can be sold");
        }
        match seller(&self.settings, info.center_id.clone()) {
            Ok(seller) => self.seller.store(Some(seller)),
            Err(refusal) => tracing::error!(reason = refusal.message, "nothing can be sold"),
        }
        let known = KnownCenter { origin: self.settings.center_origin.clone(), center_id: info.center_id };
        if let Ok(text) = serde_json::to_string(&known) {
            // Its failure is in the log, and costs a start without the center only.
            let _ = self.store.run(move |store| store.keep_setting(CENTER_SETTING, &text)).await;
        }
    }
}

/// A shop's background work; it ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    funding: tokio::task::JoinHandle<()>,
    till: tokio::task::JoinHandle<()>,
    _watching: Option<watch::Watching>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.funding.abort();
        self.till.abort();
    }
}

/// The articles of the shop's own folder.
fn articles(settings: &Settings, how: &CatalogueSettings) -> Catalogue {
    if settings.upstream.is_some() { Catalogue::empty() } else { Catalogue::load(&settings.content, how) }
}

fn seller(settings: &Settings, center_id: VendorId) -> Result<Arc<Seller>, Refusal> {
    let Credentials { vendor_id, secrets } = settings.credentials.clone();
    Seller::new(vendor_id, center_id, secrets).map(Arc::new)
}

/// Where a shop's articles are.
#[derive(Debug, Clone, Copy)]
pub enum Articles<'a> {
    /// In a folder of its own.
    Folder(&'a std::path::Path),
    /// On a site that it stands in front of, sold by the rules in this file.
    Rules(&'a std::path::Path),
}

/// What is wrong with a shop's files, without opening the shop.
pub fn check(articles: Articles<'_>, campaigns: &std::path::Path, prices: Prices) -> Vec<Problem> {
    let media =
        |root| MediaAddresses::new("http://localhost", root, tuppence_protocol::Secret::from_bytes([0; 32]));
    let settings =
        CatalogueSettings { origin: "http://localhost".to_owned(), prices, media: media(Root::Articles) };
    let mut problems = match articles {
        Articles::Folder(content) => Catalogue::load(content, &settings).problems().to_vec(),
        Articles::Rules(file) => upstream::read_rules(file, prices).err().unwrap_or_default(),
    };
    let campaigns = Campaigns::load(campaigns, prices.currency, &media(Root::Campaigns));
    problems.extend_from_slice(campaigns.problems());
    problems
}

fn log_problems(problems: &[Problem]) {
    for problem in problems {
        match problem.severity {
            Severity::Hidden => tracing::warn!(%problem, "not shown"),
            Severity::Notice => tracing::info!(%problem, "shown, but"),
        }
    }
}

/// A mistake of this program, which the log has and the reader is spared.
fn fault(error: impl std::fmt::Display) -> Refusal {
    tracing::error!(%error, "a reply cannot be made");
    Refusal::new(ErrorCode::Fault, "The shop made a mistake.")
}

#[cfg(test)]
pub(crate) mod tests;
