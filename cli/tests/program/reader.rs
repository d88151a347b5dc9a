//! A reader without a browser: the wallet's core over the real network, at a program that runs.

use tuppence_wallet::ports::memory::MemoryStorage;
use tuppence_wallet::ports::native;
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
        let ports = native::in_memory(storage.clone(), reqwest_client());
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
