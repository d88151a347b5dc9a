//! One connection and the buyers behind it: M4 and M6, or S4 and S6, again and again, each with another purse.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::buyer::{Ecash, Offer, Purse, Start, Started};
use tuppence_protocol::scrip::earner::earner;
use tuppence_protocol::scrip::finish::FinishReply;
use tuppence_protocol::scrip::issue::IssueOffer;
use tuppence_protocol::scrip::payment::{DeliveryMethod, PaymentOffer};
use tuppence_protocol::scrip::seller::{ISSUE_OFFER_LIFETIME, PAYMENT_OFFER_LIFETIME};
use tuppence_protocol::{Amount, Currency, Seal, TranId};
use tuppence_server::clock::{Clock, SystemClock};

use crate::books::Books;
use crate::http::Connection;

/// The price of an article, and the reward of an answer, in millionths.
const AMOUNT_MICROS: u64 = 3_000;

/// What the buyers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// M4 and M6.
    Earnings,
    /// S4 and S6.
    Payments,
}

/// The scrip that purses have now, where it isn't the one that they began with.
pub type Live = HashMap<u64, Scrip>;

/// How long each part of a payment or an earning took, in millionths of a second, and how large its messages were.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// When the last answer came.
    pub at: Instant,
    /// From S4 to S5.
    pub start_micros: u32,
    /// From S6 to the receipt.
    pub finish_micros: u32,
    /// From S4 to the receipt.
    pub total_micros: u32,
    /// Bytes of both requests' bodies.
    pub sent_bytes: u32,
    /// Bytes of both answers' bodies.
    pub received_bytes: u32,
}

/// The buyers of one connection.
pub struct Buyers<'b> {
    books: &'b Books,
    work: Work,
    connection: Connection,
    /// The numbers of the purses that are this connection's alone: so many from the first.
    first: u64,
    count: u64,
    random: Random,
    body: Vec<u8>,
}

impl<'b> Buyers<'b> {
    /// The buyers of the connection number `index` of `connections`.
    ///
    /// # Errors
    /// If nobody listens at `port`, or there are fewer purses than connections.
    pub async fn connect(
        books: &'b Books,
        work: Work,
        port: u16,
        index: u64,
        connections: u64,
    ) -> Result<Self> {
        let count = books.purses / connections;
        if count == 0 {
            bail!("{connections} connections need as many purses");
        }
        let connection = Connection::open(port).await?;
        let random = Random::new()?;
        Ok(Buyers { books, work, connection, first: 1 + index * count, count, random, body: Vec::new() })
    }

    /// One payment or earning, with a purse by chance.
    ///
    /// # Errors
    /// If anything is refused: under load nothing may be.
    pub async fn buy(&mut self, live: &RefCell<Live>) -> Result<Done> {
        let customer = self.first + self.random.next() % self.count;
        let scrip = live.borrow_mut().remove(&customer);
        let purse = self.books.purse(customer, scrip)?;
        let (scrip, done) = self.exchange(&purse).await?;
        live.borrow_mut().insert(customer, scrip);
        Ok(done)
    }

    async fn exchange(&mut self, purse: &Purse) -> Result<(Scrip, Done)> {
        let (start_path, finish_path) = match self.work {
            Work::Earnings => ("/api/v1/issue", "/api/v1/issue/finish"),
            Work::Payments => ("/api/v1/payment", "/api/v1/payment/finish"),
        };
        let offer = offer(self.books, self.work, purse, self.random.ten_bytes())?;
        let awaiting = purse.start(offer, SystemClock.now())?;
        self.body.clear();
        match &awaiting.start {
            Start::Issue(message) => serde_json::to_writer(&mut self.body, message)?,
            Start::Payment(message) => serde_json::to_writer(&mut self.body, message)?,
        }
        let mut sent_bytes = self.body.len();
        let begun = Instant::now();
        let answer = self.connection.post(start_path, &self.body).await?;
        let started = Instant::now();
        let mut received_bytes = answer.len();
        let ecash = match self.work {
            Work::Earnings => Ecash::Issue(serde_json::from_slice(answer)?),
            Work::Payments => Ecash::Payment(serde_json::from_slice(answer)?),
        };
        let receipt = match awaiting.receive(&ecash, &purse.custom_secret, SystemClock.now())? {
            Started::Ours(receipt) => receipt,
            Started::Other(tran_id, _) => bail!("the purse is in the middle of {tran_id}"),
        };
        self.body.clear();
        serde_json::to_writer(&mut self.body, &receipt.finish)?;
        sent_bytes += self.body.len();
        let confirming = Instant::now();
        let answer = self.connection.post(finish_path, &self.body).await?;
        let at = Instant::now();
        received_bytes += answer.len();
        let reply: FinishReply = serde_json::from_slice(answer).context("a receipt does not parse")?;
        receipt.receive(&reply)?;
        let micros = |from: Instant, to: Instant| u32::try_from((to - from).as_micros()).unwrap_or(u32::MAX);
        let done = Done {
            at,
            start_micros: micros(begun, started),
            finish_micros: micros(confirming, at),
            total_micros: micros(begun, at),
            sent_bytes: u32::try_from(sent_bytes)?,
            received_bytes: u32::try_from(received_bytes)?,
        };
        Ok((receipt.finish.new_scrip, done))
    }
}

/// What the shop would offer: made here, since the shop isn't what is measured.
///
/// # Errors
/// None, with amounts as they are.
pub fn offer(books: &Books, work: Work, purse: &Purse, random: [u8; 10]) -> Result<Offer> {
    let now = SystemClock.now();
    let tran_id = TranId::new(now, random);
    let amount = Amount::new(Currency::USD, AMOUNT_MICROS)?;
    let (vendor_id, center_id) = (books.seller.vendor_id().clone(), books.seller.center_id().clone());
    let (secret_id, secret) = &books.shop_secret;
    let seal = Seal::from_bytes([0; 32]);
    Ok(match work {
        Work::Earnings => {
            let offer = IssueOffer {
                earner: earner(&vendor_id, &purse.custom_secret),
                vendor_id,
                center_id,
                tran_id,
                item: books.item.clone(),
                value: amount,
                expires: now.plus(ISSUE_OFFER_LIFETIME),
                secret_id: *secret_id,
                seal,
            };
            Offer::Issue(offer.sealed(secret))
        }
        Work::Payments => {
            let offer = PaymentOffer {
                vendor_id,
                center_id,
                tran_id,
                request_url: books.article.clone(),
                price: amount,
                delivery_method: DeliveryMethod::View,
                expires: now.plus(PAYMENT_OFFER_LIFETIME),
                secret_id: *secret_id,
                seal,
            };
            Offer::Payment(offer.sealed(secret))
        }
    })
}

/// Numbers that no secret depends on (splitmix64, Steele and others 2014), without a call of the system for each.
struct Random(u64);

impl Random {
    fn new() -> Result<Self> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)?;
        Ok(Random(u64::from_le_bytes(seed)))
    }

    fn ten_bytes(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next().to_le_bytes());
        bytes[8..].copy_from_slice(&self.next().to_le_bytes()[..2]);
        bytes
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
