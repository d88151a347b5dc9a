//! A shop's process: the real storefront over its real store, which outlives it, on the world's ports.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_channel::oneshot;
use serde::Serialize;
use tuppence_protocol::scrip::Item;
use tuppence_protocol::{Currency, ErrorCode, KeyRing, Refusal};
use tuppence_server::storefront::catalogue::fields::Prices;
use tuppence_server::storefront::credentials::Credentials;
use tuppence_server::storefront::ports::{self, Background, Later, Ports, Transport};
use tuppence_server::storefront::store::{ShopStore, StoreHandle};
use tuppence_server::storefront::till::{DAYS, Terms};
use tuppence_server::storefront::{Declined, Delivered, Settings, Storefront};

use crate::center::{decode, json, refused};
use crate::chance::Chance;
use crate::fixture;
use crate::kernel::{Party, Reply, Time, Wish, Wishes, lock, wait};

/// How often the center is told what was taken for budgets.
const SETTLE_EVERY: Duration = Duration::from_secs(60);
/// A program that asks for an address that is for sale hears this.
const PAYMENT_REQUIRED: u16 = 402;

/// A shop.
pub struct ShopProcess {
    /// Which one.
    pub index: usize,
    /// Its clock.
    pub time: Time,
    /// The secrets that it knows.
    pub secrets: KeyRing,
    store: Arc<ShopStore>,
    running: Option<Arc<Storefront>>,
    wishes: Wishes,
    chance: Arc<Mutex<Chance>>,
}

impl ShopProcess {
    /// A shop that was never started.
    pub fn new(index: usize, time: Time, wishes: Wishes, chance: Chance) -> Self {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        ShopProcess {
            index,
            time,
            secrets: KeyRing::new(1, fixture::vendor_secret(number, 1)),
            store: Arc::new(ShopStore::in_memory().expect("SQLite has memory")),
            running: None,
            wishes,
            chance: Arc::new(Mutex::new(chance)),
        }
    }

    /// What it has kept.
    pub fn store(&self) -> &ShopStore {
        &self.store
    }

    /// The process, while it runs.
    pub fn running(&self) -> Option<Arc<Storefront>> {
        self.running.clone()
    }

    /// Starts it; its work is to be run as a task.
    pub fn start(&mut self) -> Arc<Storefront> {
        let folder = fixture::folder(self.index);
        let number = u32::try_from(self.index + 1).unwrap_or(u32::MAX);
        let settings = Settings {
            database: folder.join("none.db"),
            content: folder.join("content"),
            upstream: None,
            campaigns: folder.join("campaigns"),
            credentials: Credentials { vendor_id: fixture::vendor(number), secrets: self.secrets.clone() },
            origin: fixture::SHOPS[self.index].to_owned(),
            center_origin: fixture::CENTER.to_owned(),
            wallet_origin: fixture::CENTER.to_owned(),
            title: format!("Shop {number}"),
            description: "Sells articles.".to_owned(),
            prices: Prices { currency: Currency::USD, default: None },
            hold: Duration::from_secs(30),
            held_max: 50,
            till: Terms {
                taken: true,
                suggested: fixture::usd(100_000),
                days: DAYS,
                settle_every: SETTLE_EVERY,
            },
        };
        let port =
            Arc::new(Port { index: self.index, wishes: self.wishes.clone(), chance: self.chance.clone() });
        let ports = Ports {
            clock: Arc::new(self.time.clone()),
            random: port.clone(),
            center: port.clone(),
            background: port,
        };
        let shop = Storefront::on(settings, ports, StoreHandle::here(self.store.clone()));
        let shop = shop.expect("the fixture's shop opens");
        self.running = Some(shop.clone());
        shop
    }

    /// Kills it; its store stays. Its tasks are the world's to end.
    pub fn crash(&mut self) {
        self.running = None;
    }
}

struct Port {
    index: usize,
    wishes: Wishes,
    chance: Arc<Mutex<Chance>>,
}

impl ports::Random for Port {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        lock(&self.chance).fill(bytes);
        Ok(())
    }
}

impl Transport for Port {
    fn send(&self, path: String, body: Option<Vec<u8>>) -> Later<'_, Result<ports::Answer, String>> {
        let (answer, answered) = oneshot::channel();
        let patience = tuppence_server::storefront::ANSWER_TIME_MAX.as_millis();
        lock(&self.wishes).push(Wish::Send {
            from: Party::Shop(self.index),
            to: Some(Party::Center),
            path,
            body,
            patience: u64::try_from(patience).unwrap_or(u64::MAX),
            answer,
        });
        Box::pin(async move {
            match answered.await {
                Ok(Ok(Reply { status, body })) => Ok(ports::Answer { status, body }),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the world has ended".to_owned()),
            }
        })
    }
}

impl Background for Port {
    fn spawn(&self, work: Later<'static, ()>) {
        lock(&self.wishes).push(Wish::Spawn(work));
    }

    fn pause(&self, duration: Duration) -> Later<'static, ()> {
        Box::pin(wait(&self.wishes, u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// Answers one request, as the shop's HTTP handlers do.
pub async fn handle(shop: Arc<Storefront>, path: String, body: Option<Vec<u8>>) -> Reply {
    let answered = match body {
        None => show(&shop, &path).await,
        Some(body) => act(&shop, &path, &body).await,
    };
    answered.unwrap_or_else(|Declined { refusal, reply }| refused(&refusal, reply))
}

async fn show(shop: &Arc<Storefront>, path: &str) -> Result<Reply, Declined> {
    let closed = || Refusal::new(ErrorCode::ItemUnknown, "This question is not open here.");
    match path {
        "shop" => Ok(json(&shop.shop_view())),
        "articles" => Ok(json(&shop.articles_view())),
        "campaigns" => Ok(json(&shop.campaigns_view())),
        _ if path.starts_with("/articles/") => {
            let catalogue = shop.catalogue();
            let slug = path.strip_prefix("/articles/").unwrap_or_default();
            let article = catalogue.find(slug, shop.now()).ok_or_else(nothing)?;
            Ok(Reply { status: PAYMENT_REQUIRED, ..json(&shop.demand(article)) })
        }
        _ if path.starts_with("article/") => {
            Ok(json(&shop.article_view_of(path.strip_prefix("article/").unwrap_or_default()).await?))
        }
        _ => match path.strip_prefix("campaigns/") {
            Some(item) => {
                let item: Item = item.parse().map_err(|_| closed())?;
                Ok(json(&shop.campaign_detail(&item).ok_or_else(closed)?))
            }
            None => Err(nothing().into()),
        },
    }
}

async fn act(shop: &Arc<Storefront>, path: &str, body: &[u8]) -> Result<Reply, Declined> {
    let patient = std::future::pending::<()>;
    Ok(match path {
        "purchase" => json(&shop.quote(&decode(body)?).await?),
        "purchase/deliver" => delivered(&shop.deliver_article(&decode(body)?, patient()).await?),
        "articles/open" => json(&shop.open_article(decode(body)?).await?),
        "payword/open" => json(&shop.open_budget(decode(body)?).await?),
        "payword/buy" => json(&shop.sell_for_payword(decode(body)?).await?),
        "payword/end" => json(&shop.end_budget(decode(body)?).await?),
        "vendor-scrip/buy" => json(&shop.sell_for_scrip(decode(body)?).await?),
        "vendor-scrip/bought" => json(&shop.bought(decode(body)?).await?),
        "vendor-scrip/end" => json(&shop.end_purchase(decode(body)?).await?),
        "earn" => Reply { status: 200, body: shop.answer(decode(body)?).await?.0.into_bytes() },
        "earn/deliver" => delivered(&shop.deliver_reward(&decode(body)?, patient()).await?),
        _ => return Err(nothing().into()),
    })
}

fn delivered(delivered: &Delivered) -> Reply {
    fn with<T: Serialize>(status: u16, message: &T) -> Reply {
        Reply { status, ..json(message) }
    }
    match delivered {
        Delivered::Document(delivery) => json(delivery),
        Delivered::Unconfirmed(unconfirmed) => with(ErrorCode::Unconfirmed.status(), unconfirmed),
    }
}

fn nothing() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is nothing at this address.")
}
