//! A center's data folder with as many purses as wanted, written through the store.
//!
//! Every purse was registered and holds one reward, with the step and the transfer that go with it, so that the audit
//! finds nothing. The generator has the keys, and so every purse's secret: nobody has to register over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tuppence_protocol::ids::{Serial, VendorId};
use tuppence_protocol::scrip::buyer::Purse as BuyersPurse;
use tuppence_protocol::scrip::center::{
    Center, Policy, Purse, ScripState, Step, StepKey, StepKind, StepState,
};
use tuppence_protocol::scrip::seller::Seller;
use tuppence_protocol::scrip::{Item, RequestUrl, Scrip};
use tuppence_protocol::{
    Amount, Currency, HashAlgorithm, KeyRing, Seal, Secret, Timestamp, TranId, WalletId,
};
use tuppence_server::center::keys::{KeyFile, random_secret};
use tuppence_server::center::{CenterRules, Command};
use tuppence_server::clock::{Clock, SystemClock};
use tuppence_server::ledger::{AccountId, Posting, Transfer};
use tuppence_server::store::committer::{Committer, Limits};
use tuppence_server::store::records::{Direction, Registration};
use tuppence_server::store::sqlite::SqliteStore;
use tuppence_server::store::{Change, Changes, Store};

/// What every purse begins with, in millionths: half of what it may hold.
const START_MICROS: u64 = 100_000_000;

/// What the shop has paid in, in millionths.
const FUNDS_MICROS: u64 = 2_000_000_000_000_000;

/// What is set aside for the campaign, in millionths.
const BUDGET_MICROS: u64 = 1_000_000_000_000_000;

/// Purses that are written at once.
const CHUNK: u64 = 5_000;

/// The shop's number in the center's directory, and its campaign's.
const FIRST: u32 = 1;

/// A data folder and all that a generator has to know of it.
pub struct Books {
    /// Keys and rules, as the program uses them.
    pub center: Center,
    /// The one shop.
    pub seller: Seller,
    /// The secret that the shop shares with the center, and its id.
    pub shop_secret: (u32, Secret),
    /// The article that is paid for.
    pub article: RequestUrl,
    /// The quiz that is answered.
    pub item: Item,
    /// How many purses there are: their numbers begin at 1.
    pub purses: u64,
    /// When they were made.
    at: Timestamp,
    folder: PathBuf,
}

impl Books {
    /// A new data folder at `folder` with so many purses.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(folder: &Path, purses: u64) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let keys = KeyFile::generate(vendor_id("center")?)?;
        keys.create(&folder.join("center-keys.json"))?;
        let policy = Policy::new(Currency::USD);
        let center = Center { keys: keys.center_keys(HashAlgorithm::HmacSha256, false), policy };
        let shop_secret = (1, random_secret()?);
        let ring = KeyRing::new(shop_secret.0, shop_secret.1.clone());
        let seller = Seller::new(vendor_id("shop")?, keys.center_id().clone(), ring)?;
        let books = Books {
            center,
            seller,
            shop_secret,
            article: "https://shop.example/articles/cartwheel-twopence".parse()?,
            item: "small-coins".parse()?,
            purses,
            at: SystemClock.now(),
            folder: folder.to_owned(),
        };
        let store = SqliteStore::open(&books.folder.join("center.sqlite"), Currency::USD)?;
        books.write(Box::new(store))?;
        Ok(books)
    }

    /// Writes shop and purses into an empty store, and gives it back.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, store: Box<dyn Store>) -> Result<Box<dyn Store>> {
        let mut store = self.with_shop(store)?;
        self.fill(store.as_mut())?;
        Ok(store)
    }

    /// Where the data are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The purse of a buyer, with `scrip` if it has changed since it was made.
    ///
    /// # Errors
    /// If there is none.
    pub fn purse(&self, customer: u64, scrip: Option<Scrip>) -> Result<BuyersPurse> {
        let scrip = match scrip {
            Some(scrip) => scrip,
            None => self.center.live_scrip(&self.purse_record(customer)?)?,
        };
        let custom_secret = self.center.keys.custom_secret(scrip.scrip.custom_id)?;
        Ok(BuyersPurse { scrip, custom_secret })
    }

    /// The secrets that the shop shares with the center.
    pub fn ring(&self) -> KeyRing {
        KeyRing::new(self.shop_secret.0, self.shop_secret.1.clone())
    }

    /// The store with the shop, its money and its campaign.
    fn with_shop(&self, store: Box<dyn Store>) -> Result<Box<dyn Store>> {
        let rules = CenterRules::new(self.center.clone());
        let committer = Committer::start(store, rules, Arc::new(SystemClock), Limits::default())?;
        let handle = committer.handle();
        let amount = |micros| Amount::new(Currency::USD, micros);
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            let id = self.seller.vendor_id().clone();
            let (origin, secret) = ("https://shop.example".parse()?, self.shop_secret.1.clone());
            handle.submit(Command::AddVendor { id, origin, secret }).await?;
            let (reference, amount_in) = ("opening".parse()?, amount(FUNDS_MICROS)?);
            let direction = Direction::Deposit;
            handle.submit(Command::Book { reference, vendor: FIRST, direction, amount: amount_in }).await?;
            let funding = self.seller.fund(self.item.clone(), amount(BUDGET_MICROS)?, self.at)?;
            handle.submit(Command::FundCampaign(Box::new(funding))).await?;
            anyhow::Ok(())
        })?;
        Ok(committer.stop()?)
    }

    fn fill(&self, store: &mut dyn Store) -> Result<()> {
        let campaign = AccountId::Campaign(FIRST);
        let held = i64::try_from(BUDGET_MICROS)?;
        ensure!(store.balance(campaign)? == held, "the campaign has no budget");
        let mut first = 1;
        while first <= self.purses {
            let last = self.purses.min(first + CHUNK - 1);
            let mut changes = Changes::default();
            for customer in first..=last {
                self.add_purse(&mut changes, customer)?;
            }
            let left = held - i64::try_from(last * START_MICROS)?;
            changes.balances.push((campaign, left));
            // Steps are stored in the order of their keys, as a working set gives them.
            changes.steps.sort_by_key(|change| change.after.key);
            store.commit(changes)?;
            first = last + 1;
        }
        Ok(())
    }

    fn add_purse(&self, changes: &mut Changes, customer: u64) -> Result<()> {
        let purse = self.purse_record(customer)?;
        let registered = self.center.new_purse(purse.custom_id.serial_number, self.at)?;
        let (mut wallet, mut random, mut bytes) = ([0; 16], [0; 10], [0; 32]);
        getrandom::fill(&mut wallet)?;
        getrandom::fill(&mut random)?;
        getrandom::fill(&mut bytes)?;
        let key = StepKey { vendor: FIRST, tran_id: TranId::new(self.at, random) };
        changes.registrations.push(Registration {
            wallet: WalletId::from_bytes(wallet),
            digest: bytes,
            customer: purse.custom_id.serial_number,
            nonce: [0; 12],
            first: registered.live.clone(),
            wallet_key: bytes,
            name: None,
            address: None,
            e_mail: None,
            at: self.at,
        });
        changes.steps.push(Change {
            before: None,
            after: Step {
                key,
                kind: StepKind::Issue,
                customer: purse.custom_id.serial_number,
                amount: purse.live.value,
                fee: Amount::zero(Currency::USD),
                subject: RequestUrl::try_from(String::from(self.item.clone()))?,
                secret_id: self.shop_secret.0,
                request_hash: Seal::from_bytes(bytes),
                old: registered.live,
                new: purse.live.clone(),
                started: self.at,
                state: StepState::Posted(self.at),
            },
        });
        changes.transfers.push(Transfer {
            debit: AccountId::Campaign(FIRST),
            credit: AccountId::Purse(customer),
            amount: purse.live.value,
            posting: Posting::Issue,
            step: Some(key),
            payout: None,
            movement: None,
            at: self.at,
        });
        changes.purses.push(Change { before: None, after: purse });
        Ok(())
    }

    /// The center's record of a buyer who has earned once.
    ///
    /// # Errors
    /// If the number is none of a buyer's.
    pub fn purse_record(&self, customer: u64) -> Result<Purse> {
        let registered = self.center.new_purse(serial(customer)?, self.at)?;
        let live = ScripState {
            serial: registered.live.serial.next().context("a purse has a second serial")?,
            value: Amount::new(Currency::USD, START_MICROS)?,
            ad: Some(self.item.clone()),
            ..registered.live
        };
        Ok(Purse { live, ..registered })
    }
}

fn serial(number: u64) -> Result<Serial> {
    Serial::try_from(number).map_err(anyhow::Error::msg)
}

fn vendor_id(name: &str) -> Result<VendorId> {
    Ok(VendorId {
        dns_name: format!("{name}.example").parse().map_err(anyhow::Error::msg)?,
        ip_addr: None,
        server_name: name.parse()?,
        port: 443,
    })
}
