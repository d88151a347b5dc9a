//! A reader without a browser: the wallet's core over the real network, at a program that runs.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tuppence_protocol::{Duration, Timestamp};
use tuppence_wallet::ports::memory::{MemoryEvents, MemoryLock, MemoryStorage, PlainVault};
use tuppence_wallet::ports::{Clock, NetworkError, Ports, Random, RandomError, Request, Response, Transport};
use tuppence_wallet::{Config, Wallet};

use crate::serving::Serving;

/// The shop of the scenarios: its quiz pays four cents, its bread costs three.
pub fn fixtures() -> String {
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/shop");
    format!(
        "content = \"{shop}/content\"\ncampaigns = \"{shop}/campaigns\"\nchallenge-bits = 4\n\
         registrations-per-minute = 10000\n"
    )
}

/// A wallet and its records.
pub struct Reader {
    pub storage: MemoryStorage,
    pub wallet: Wallet,
    shop: String,
}

impl Reader {
    /// Somebody who has just created a wallet.
    pub async fn registered(serving: &Serving) -> Self {
        let [center, storefront] = serving.ports;
        let storage = MemoryStorage::default();
        let ports = Ports {
            storage: Rc::new(storage.clone()),
            transport: Rc::new(Http(reqwest_client())),
            clock: Rc::new(SystemClock),
            random: Rc::new(SystemRandom),
            lock: Rc::new(MemoryLock::default()),
            events: Rc::new(MemoryEvents::default()),
            vault: Rc::new(PlainVault),
            kit: Rc::new(tuppence_wallet::kit::Included),
        };
        let center_origin = format!("http://localhost:{center}").parse().unwrap();
        let wallet = Wallet::open(ports, Config { center_origin, fingerprint: None }).await.unwrap();
        wallet.register(|_| ()).await.unwrap();
        Reader { storage, wallet, shop: format!("http://localhost:{storefront}") }
    }

    /// Answers the quiz right.
    pub async fn earn(&self) {
        let questions = self.wallet.campaign(&self.shop, "quiz").await.unwrap().questions;
        let right = ["Two", "Copper"];
        let choice = |question: &tuppence_wallet::view::Question| {
            let choice = question.choices.iter().find(|choice| right.contains(&choice.text.as_str()));
            choice.unwrap().id.clone()
        };
        let answers: Vec<String> = questions.iter().map(choice).collect();
        self.wallet.earn(&self.shop, "quiz", &answers).await.unwrap();
    }

    /// Buys the bread.
    pub async fn pay(&self) -> Result<bool, tuppence_wallet::WalletError> {
        let paid = self.wallet.pay(&self.shop, "bread", "USD:0.03".parse().unwrap()).await?;
        Ok(paid.charged)
    }

    /// The balance, as the wallet shows it.
    pub async fn balance(&self) -> String {
        self.wallet.balance().await.unwrap().amount.to_string()
    }

    /// The numbers of the secrets by which its scrip is made and its purse's secret derived.
    pub fn secret_ids(&self) -> (u64, u64) {
        let records = self.storage.records();
        let scrip = records.values().find_map(|record| {
            let record: serde_json::Value = serde_json::from_slice(record).ok()?;
            record["scrip"]["scrip"].is_object().then(|| record["scrip"]["scrip"].clone())
        });
        let scrip = scrip.unwrap();
        let id = |name: &str| scrip[name]["secretId"].as_u64().unwrap();
        (id("scripId"), id("customId"))
    }
}

/// Runs what asks a program.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(work)
}

/// An HTTP client for what no wallet sends.
pub fn reqwest_client() -> reqwest::Client {
    tuppence_server::http::client::client(std::time::Duration::from_secs(60)).unwrap()
}

struct Http(reqwest::Client);

#[async_trait(?Send)]
impl Transport for Http {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        let address = format!("{}{}", request.origin, request.path);
        let ready = match request.body {
            Some(body) => self.0.post(address).header("content-type", "application/json").body(body),
            None => self.0.get(address),
        };
        let response = ready.send().await.map_err(|_| NetworkError::Unreachable)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(|_| NetworkError::Unreachable)?;
        Ok(Response { status, body: body.to_vec() })
    }
}

struct SystemClock;

#[async_trait(?Send)]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
    }

    async fn sleep(&self, duration: Duration) {
        wait_for_clock(duration).await;
    }
}

/// The wallet's own pauses, by the machine's clock.
async fn wait_for_clock(duration: Duration) {
    tokio::time::sleep(std::time::Duration::from_millis(duration.as_millis())).await;
}

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(|_| RandomError)
    }
}
