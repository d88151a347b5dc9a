//! A shop alone, whose center is away: the real storefront, its store, and readers with budgets that they have already
//! bought. What a repeated payment costs the shop, in scrip of its own (spec/02) and in paywords (spec/03).

pub mod payer;
pub mod report;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;
use tuppence_protocol::ids::Serial;
use tuppence_protocol::payword::{
    AwaitingCountersignature, Budget, Certificate, Chain, Countersigned, Customer, Plan,
};
use tuppence_protocol::vendor_scrip::{
    Holding, IdRange, LicenceTerms, Licensed, VendorScrip, VendorScripBody,
};
use tuppence_protocol::{Amount, Duration, KeyRing, PublicKeys, Secret, Timestamp, VendorId};
use tuppence_server::clock::{Clock, SystemClock};
use tuppence_server::storefront::credentials::Credentials;
use tuppence_server::storefront::store::ShopStore;
use tuppence_server::storefront::store::till::{self, ChangeSecret, KeptLicence};

use crate::process::{self, Process};

/// Where the shop says that it is; nobody has to find it there.
const ORIGIN: &str = "http://localhost:8081";
/// Where its center would be: nobody listens on the port of discard.
const CENTER: &str = "http://localhost:9";
/// What the article costs, and a payword pays.
pub const PRICE: &str = "USD:0.000001";
/// Paywords of all budgets of a run together, and of one at least: more than are spent.
const LENGTHS: u32 = 1 << 17;
const LENGTH_MIN: u32 = 1 << 13;
/// The words of the article, which has about 2 KB.
const WORDS: usize = 300;

/// A shop on the disk.
pub struct Shop {
    folder: PathBuf,
    vendor_id: VendorId,
    center_id: VendorId,
    center_key: Secret,
    licensed: Licensed,
    started: Timestamp,
}

impl Shop {
    /// Writes it into `folder`: an article, and what the shop has when it has met its center once.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn create(folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder.join("content"))?;
        let words = "word ".repeat(WORDS);
        let article =
            format!("---\ntitle: Load\nprice: \"{PRICE}\"\n---\nIt begins.\n\n<!-- more -->\n\n{words}\n");
        fs::write(folder.join("content/load.md"), article)?;
        let (vendor_id, center_id) = (vendor("shop")?, vendor("center")?);
        let started = SystemClock.now();
        let numbers = IdRange { secret_id: 1, first: Serial::FIRST };
        let licensed = Licensed {
            terms: LicenceTerms {
                vendor_id: vendor_id.clone(),
                center_id: center_id.clone(),
                number: 1,
                scrips: numbers,
                customers: numbers,
                count: 1_000_000,
                expires: started.plus(Duration::from_days(90)),
                props: "".parse()?,
            },
            scrip_secret: secret()?,
            customer_secret: secret()?,
        };
        let shop = Shop {
            folder: folder.to_owned(),
            vendor_id,
            center_id,
            center_key: secret()?,
            licensed,
            started,
        };
        shop.write()?;
        Ok(shop)
    }

    fn write(&self) -> Result<()> {
        let secrets = KeyRing::new(1, secret()?);
        let credentials = Credentials { vendor_id: self.vendor_id.clone(), secrets };
        credentials.save(&self.folder.join("shop.json"))?;
        let store = ShopStore::open(&self.folder.join("shop.sqlite"))?;
        store.keep_setting("center", &json!({"origin": CENTER, "centerId": self.center_id}).to_string())?;
        store.keep_setting("payword-keys", &serde_json::to_string(&self.center_keys())?)?;
        let licence = KeptLicence { licensed: self.licensed.clone(), confirmed: true };
        store.read(|rows| till::keep_licence(rows, &licence))?;
        let change = ChangeSecret { id: 1 << 31, secret: secret()?, since: self.started };
        store.read(|rows| till::keep_change_secret(rows, &change))?;
        Ok(())
    }

    fn center_keys(&self) -> PublicKeys {
        PublicKeys::of(&KeyRing::new(1, self.center_key.clone()))
    }

    /// Starts the storefront over it.
    ///
    /// # Errors
    /// If it does not run.
    pub fn start(&self, program: &Path) -> Result<Process> {
        let port = process::free_port()?;
        let path =
            |name: &str| Ok::<_, anyhow::Error>(self.folder.join(name).to_str().context("UTF-8")?.to_owned());
        let (data, content, credentials) = (path("")?, path("content")?, path("shop.json")?);
        let number = port.to_string();
        let arguments = [
            "storefront",
            "--data",
            &data,
            "--content",
            &content,
            "--credentials",
            &credentials,
            "--storefront-port",
            &number,
            "--storefront-origin",
            ORIGIN,
            "--center-origin",
            CENTER,
            "--log",
            "error",
        ];
        Process::start(program, &arguments, port, &self.folder.join("program.log"))
    }

    /// What a request asks for.
    pub fn article(&self) -> String {
        format!("{ORIGIN}/articles/load")
    }

    /// The purchase number `number`, as the center would have sold it.
    ///
    /// # Errors
    /// Beyond the licence.
    pub fn holding(&self, number: u32) -> Result<Holding> {
        let terms = &self.licensed.terms;
        let body = VendorScripBody {
            vendor_id: self.vendor_id.clone(),
            value: "USD:100".parse()?,
            id: terms.scrips.nth(number).context("an ID#")?,
            customer_id: terms.customers.nth(number).context("a Cust_ID#")?,
            expires: self.started.plus(Duration::from_days(30)),
            props: terms.props.clone(),
        };
        let customer_secret = self.licensed.customer(body.customer_id).context("a licensed Cust_ID#")?;
        let scrip = VendorScrip::new(body, &self.licensed.scrip_secret);
        Ok(serde_json::from_value(json!({"first": scrip, "live": scrip, "customerSecret": customer_secret}))?)
    }

    /// The budget of one of so many connections, as the center would have countersigned it, with its chain.
    ///
    /// # Errors
    /// None in practice.
    pub fn budget(&self, connections: u32) -> Result<(Budget, Chain)> {
        let length = (LENGTHS / connections.max(1)).max(LENGTH_MIN);
        let customer = Customer::at(self.vendor_id.clone(), &secret()?);
        let mut nonce = [0; 16];
        random(&mut nonce)?;
        let unit: Amount = PRICE.parse()?;
        let expires = self.started.plus(Duration::from_days(30));
        let plan = Plan { nonce, end: secret()?, length, unit, expires };
        let mut generator = plan.generator(&self.vendor_id)?;
        while generator.step(length).done < length {}
        let chain = generator.finish()?;
        let until = self.started.plus(Duration::from_days(365));
        let key = customer.public_key();
        let certificate = Certificate::new(self.center_id.clone(), key, until, 1, &self.center_key);
        let order = customer.authorise(certificate, &plan, chain.root());
        let countersigned = Countersigned::new(order.clone(), 1, &self.center_key);
        let awaiting = AwaitingCountersignature { order, end: plan.end };
        Ok((awaiting.receive(&countersigned, &self.center_keys())?, chain))
    }
}

fn vendor(name: &str) -> Result<VendorId> {
    Ok(VendorId {
        dns_name: format!("{name}.example").parse().map_err(|error| anyhow::anyhow!("{error}"))?,
        ip_addr: None,
        server_name: name.parse()?,
        port: 443,
    })
}

fn secret() -> Result<Secret> {
    let mut bytes = [0; 32];
    random(&mut bytes)?;
    Ok(Secret::from_bytes(bytes))
}

fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))
}
