//! One connection and the reader behind it, who buys the same article again and again from one budget.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use tuppence_protocol::Amount;
use tuppence_protocol::payword::{Budget, Chain};
use tuppence_protocol::scrip::RequestUrl;
use tuppence_protocol::vendor_scrip::{Holding, digest};
use tuppence_server::storefront::till::{PaywordPurchase, PaywordSale, ScripSale};

use super::{PRICE, Shop};
use crate::http::Connection;

/// What readers pay with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Scrip of the shop.
    VendorScrip,
    /// Paywords.
    Payword,
}

/// A reader.
pub struct Payer {
    connection: Connection,
    url: RequestUrl,
    price: Amount,
    means: Means,
    body: Vec<u8>,
}

enum Means {
    Scrip(Box<Holding>),
    Payword(Box<(Budget, Chain)>),
}

impl Payer {
    /// Connects to the shop at `port`, with a budget that nobody has used: of the purchase `number`, or a new
    /// chain, for one of so many connections.
    ///
    /// # Errors
    /// If the shop does not take it.
    pub async fn connect(
        shop: &Shop,
        method: Method,
        port: u16,
        number: u32,
        connections: u32,
    ) -> Result<Self> {
        let mut connection = Connection::open(port).await?;
        let means = match method {
            Method::VendorScrip => Means::Scrip(Box::new(shop.holding(number)?)),
            Method::Payword => {
                let (budget, chain) = shop.budget(connections)?;
                let opened = serde_json::to_vec(budget.countersigned())?;
                connection.post("/api/v1/payword/open", &opened).await?;
                Means::Payword(Box::new((budget, chain)))
            }
        };
        let url = shop.article().parse()?;
        Ok(Payer { connection, url, price: PRICE.parse()?, means, body: Vec::new() })
    }

    /// Buys the article; how long that took, in millionths of a second.
    ///
    /// # Errors
    /// If anything is refused, or the change or the article is not right.
    pub async fn buy(&mut self) -> Result<u32> {
        self.body.clear();
        let Payer { connection, url, price, means, body } = self;
        let took = match means {
            Means::Scrip(holding) => {
                let paid = holding.pay(url.clone(), *price)?;
                serde_json::to_writer(&mut *body, &paid.request)?;
                let begun = Instant::now();
                let answer = connection.post("/api/v1/vendor-scrip/buy", body).await?;
                let took = begun.elapsed();
                let sale: ScripSale = serde_json::from_slice(answer)?;
                let delivered = digest(sale.delivery.document.as_str().as_bytes());
                **holding = paid.receive(&sale.reply, delivered)?;
                took
            }
            Means::Payword(budget) => {
                let (budget, chain) = &mut **budget;
                let charge = budget.charge(chain, 1)?;
                serde_json::to_writer(&mut *body, &PaywordPurchase { request_url: url.clone(), charge })?;
                let begun = Instant::now();
                let answer = connection.post("/api/v1/payword/buy", body).await?;
                let took = begun.elapsed();
                let sale: PaywordSale = serde_json::from_slice(answer)?;
                ensure!(sale.index == charge.index, "another payword was answered");
                took
            }
        };
        Ok(u32::try_from(took.as_micros())?)
    }
}
