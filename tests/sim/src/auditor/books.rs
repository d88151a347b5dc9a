//! The auditor's own books: purses, steps and accounts as plain numbers.
//!
//! They are kept by what the protocol's specification says of each message ([`super::rules`]), never by the ledger's
//! own code, so that a mistake there does not repeat itself here.

use std::collections::{BTreeMap, BTreeSet};

use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::scrip::{Item, Scrip, ScripBody};
use tuppence_protocol::{Amount, HashAlgorithm, IdType, Seal, Secret, Timestamp};
use tuppence_server::store::records::EpochReason;

use super::budgets::Budgets;
use super::epochs::Claim;
use crate::fixture::{self, usd};

/// A transaction: the seller's number, and the TranID.
pub type Key = (u32, [u8; 16]);

/// What a scrip says, but for whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Its serial.
    pub serial: u64,
    /// Its value in millionths.
    pub value: u64,
    /// The item that last raised it.
    pub ad: Option<String>,
    /// Until when it can be spent.
    pub expires: u64,
}

/// A buyer's purse.
#[derive(Debug, Clone)]
pub struct Purse {
    /// The live scrip.
    pub live: Note,
    /// The pending step.
    pub pending: Option<Key>,
}

/// What a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A reward.
    Issue,
    /// A payment.
    Payment,
    /// A cash-out.
    CashOut,
}

/// How a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// It waits.
    Pending,
    /// Completed, and when.
    Posted(u64),
    /// Taken back, when, and the scrip from then on.
    Voided(u64, Note),
}

/// An issue, payment or cash-out.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is.
    pub kind: Kind,
    /// Whose.
    pub customer: u64,
    /// How much, in millionths.
    pub amount: u64,
    /// The center's part of it.
    pub fee: u64,
    /// The item, or the address.
    pub subject: String,
    /// The seal of the message that began it.
    pub hash: Seal,
    /// The scrip before.
    pub old: Note,
    /// The scrip after.
    pub new: Note,
    /// When it began.
    pub started: u64,
    /// How it stands.
    pub stand: Stand,
}

impl Step {
    /// Whether it was cancelled before it came.
    pub fn never_was(&self) -> bool {
        self.old.serial == self.new.serial
    }
}

/// A campaign.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Its account's number.
    pub number: u32,
    /// What it holds.
    pub held: u64,
    /// What was set aside in all, less what went back.
    pub funded: u64,
    /// The budget that was asked for last.
    pub budget: u64,
    /// When.
    pub asked: u64,
}

/// How a payout order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutStand {
    /// Open.
    Ordered,
    /// Paid, with this reference.
    Confirmed(String),
    /// Back in the purse, for this reason.
    Returned(String),
}

/// A payout order.
#[derive(Debug, Clone)]
pub struct Payout {
    /// The cash-out.
    pub step: Key,
    /// Whose.
    pub customer: u64,
    /// What is paid.
    pub amount: u64,
    /// The fee.
    pub fee: u64,
    /// How it stands.
    pub stand: PayoutStand,
}

/// Who registered.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The content of R1.
    pub digest: [u8; 32],
    /// The buyer.
    pub customer: u64,
    /// When.
    pub at: u64,
}

/// A record of the books that a command touched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// A purse.
    Purse(u64),
    /// A step.
    Step(Key),
    /// A payout order.
    Payout(u64),
    /// A claim.
    Claim(u64),
}

/// Everything that the center must have.
#[derive(Debug, Clone)]
pub struct Books {
    /// The center's own keys and limits.
    pub center: Center,
    /// By buyer.
    pub purses: BTreeMap<u64, Purse>,
    /// By transaction.
    pub steps: BTreeMap<Key, Step>,
    /// Each buyer's, but for those that never came.
    pub begun_by: BTreeMap<u64, BTreeSet<Key>>,
    /// By seller and item.
    pub campaigns: BTreeMap<(u32, String), Campaign>,
    /// What sellers have, by number; who is here is a seller.
    pub vendors: BTreeMap<u32, u64>,
    /// Their secrets.
    pub secrets: BTreeMap<u32, BTreeMap<u32, Secret>>,
    /// What pending payments hold.
    pub transit: u64,
    /// The center's fees.
    pub fees: u64,
    /// Payouts that are not paid.
    pub owed: u64,
    /// What came in, less what went out.
    pub reserve: u64,
    /// By number.
    pub payouts: BTreeMap<u64, Payout>,
    /// By reference: seller, whether it is a deposit, amount.
    pub movements: BTreeMap<String, (u32, bool, u64)>,
    /// By wallet identifier.
    pub wallets: BTreeMap<[u8; 16], Registered>,
    /// Used solutions, and until when they are remembered.
    pub salts: BTreeMap<[u8; 16], u64>,
    /// What the last batch touched.
    pub touched: BTreeSet<Touched>,
    /// The number of the next buyer.
    pub next_customer: u64,
    /// The number of the next payout order.
    pub next_payout: u64,
    /// The epoch.
    pub epoch: u32,
    /// All of them, and why they began.
    pub epochs: Vec<(u32, EpochReason)>,
    /// The epoch that the last batch began.
    pub begun: Option<u32>,
    /// Scrip that was shown and is lost, by buyer.
    pub claims: BTreeMap<u64, Claim>,
    /// When a sweep of this batch was, if there was one.
    pub forgets: u64,
    /// Budgets at shops, and what shops have licensed.
    pub budgets: Budgets,
}

impl Default for Books {
    /// The books of the fixture.
    fn default() -> Self {
        let center = fixture::center();
        let mut books = Books {
            center,
            purses: BTreeMap::new(),
            steps: BTreeMap::new(),
            begun_by: BTreeMap::new(),
            campaigns: BTreeMap::new(),
            vendors: BTreeMap::new(),
            secrets: BTreeMap::new(),
            transit: 0,
            fees: 0,
            owed: 0,
            reserve: 0,
            payouts: BTreeMap::new(),
            movements: BTreeMap::new(),
            wallets: BTreeMap::new(),
            salts: BTreeMap::new(),
            touched: BTreeSet::new(),
            next_customer: fixture::READER_PURSES[1] + 1,
            next_payout: 1,
            epoch: 0,
            epochs: vec![(0, EpochReason::New)],
            begun: None,
            claims: BTreeMap::new(),
            forgets: 0,
            budgets: Budgets::default(),
        };
        for (number, serial) in fixture::first_serials() {
            let live = Note { serial, value: 0, ad: None, expires: Timestamp::MAX.as_millis() };
            books.add_purse(number, live);
        }
        books
    }
}

impl Books {
    /// A new purse.
    pub fn add_purse(&mut self, number: u64, live: Note) {
        self.purses.insert(number, Purse { live, pending: None });
    }

    /// The seller's number, 0 for the center itself.
    pub fn number(&self, id: &tuppence_protocol::VendorId) -> Option<u32> {
        (0..=fixture::ROGUE_VENDOR)
            .find(|number| fixture::vendor(*number) == *id)
            .filter(|number| *number == 0 || self.vendors.contains_key(number))
    }

    /// A secret that the center shares with a seller.
    pub fn secret(&self, vendor: u32, id: u32) -> Option<&Secret> {
        if vendor == 0 {
            return self.center.keys.vendor_secrets.find(id);
        }
        self.secrets.get(&vendor)?.get(&id)
    }

    /// A buyer's Custom_Secret.
    pub fn custom_secret(&self, customer: u64) -> Secret {
        let master = self.center.keys.customer_secrets.find(1).expect("the fixture has one master secret");
        master.custom_secret(customer)
    }

    /// The scrip that `note` is, with its certificate.
    pub fn scrip(&self, customer: u64, note: &Note) -> Scrip {
        let number = |number| Serial::try_from(number).expect("the books' numbers are serials");
        let id = |serial_number| IdType { secret_id: 1, serial_number: number(serial_number) };
        let body = ScripBody {
            value: usd(note.value),
            vendor_id: self.center.keys.center_id.clone(),
            scrip_id: id(note.serial),
            custom_id: id(customer),
            ad: note.ad.as_ref().map(|ad| ad.parse::<Item>().expect("items are items")),
            expiration_date: Timestamp::from_millis(note.expires),
        };
        let master = self.center.keys.scrip_secrets.find(1).expect("the fixture has one master secret");
        let certificate = body.certify(HashAlgorithm::HmacSha256, master);
        Scrip { hash_algorithm: HashAlgorithm::HmacSha256, scrip: body, certificate }
    }

    /// What a scrip says.
    pub fn note(scrip: &Scrip) -> Note {
        let body = &scrip.scrip;
        Note {
            serial: body.scrip_id.serial_number.get(),
            value: body.value.micros(),
            ad: body.ad.as_ref().map(ToString::to_string),
            expires: body.expiration_date.as_millis(),
        }
    }

    /// Everything that there is, but for the reserve.
    pub fn held(&self) -> u64 {
        let purses: u64 = self.purses.values().map(|purse| purse.live.value).sum();
        let campaigns: u64 = self.campaigns.values().map(|campaign| campaign.held).sum();
        let vendors: u64 = self.vendors.values().sum();
        purses + campaigns + vendors + self.transit + self.fees + self.owed + self.budgets.account
    }

    /// What a purse must hold by its steps and payouts alone.
    pub fn by_steps(&self, customer: u64) -> i128 {
        let mut sum = 0_i128;
        let steps = self.begun_by.get(&customer).into_iter().flatten();
        for step in steps.filter_map(|key| self.steps.get(key)) {
            let amount = i128::from(step.amount);
            match (&step.stand, step.kind) {
                (Stand::Voided(..), _) => {}
                (_, Kind::Issue) => sum += amount,
                (_, Kind::Payment | Kind::CashOut) => sum -= amount,
            }
        }
        for payout in self.payouts.values().filter(|payout| payout.customer == customer) {
            if matches!(payout.stand, PayoutStand::Returned(_)) {
                sum += i128::from(payout.amount) + i128::from(payout.fee);
            }
        }
        let budgets = self.budgets.all.values().filter(|budget| budget.customer == customer);
        for budget in budgets.filter(|budget| budget.closed.is_some()) {
            sum += i128::from(budget.rest());
        }
        sum
    }

    /// The amount as the center's currency has it, or nothing.
    pub fn micros(&self, amount: Amount) -> Option<u64> {
        (amount.currency() == self.center.policy.currency).then_some(amount.micros())
    }
}
