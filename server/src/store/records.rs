//! What the center keeps: plain records, one for each row.

use serde::{Deserialize, Serialize};
use tuppence_protocol::ids::{IdType, Serial, VendorId};
use tuppence_protocol::payword::{self, AuthorityId, GRACE};
use tuppence_protocol::recovery::notes::Notes;
use tuppence_protocol::scrip::center::{ScripState, StepKey};
use tuppence_protocol::scrip::{Item, RequestUrl};
use tuppence_protocol::vendor_scrip::{self, LicenceState, OrderId};
use tuppence_protocol::{Amount, KeyRing, Text, Timestamp, WalletId};

use crate::ledger::journal::Head;

/// A registration (R1), from which its reply can be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The wallet identifier: the key.
    pub wallet: WalletId,
    /// What R1 contained (`RegistrationRequest::digest`).
    pub digest: [u8; 32],
    /// The buyer's serial.
    pub customer: Serial,
    /// The nonce of `KS[Custom_Secret]` in R2.
    pub nonce: [u8; 12],
    /// The scrip of R2.
    pub first: ScripState,
    /// The wallet's Ed25519 public key.
    pub wallet_key: [u8; 32],
    /// The buyer's name, if given.
    pub name: Option<Text<200>>,
    /// The buyer's address, if given.
    pub address: Option<Text<400>>,
    /// The buyer's e-mail address, if given.
    pub e_mail: Option<Text<254>>,
    /// When: R2's date.
    pub at: Timestamp,
}

/// A seller that the center works with.
#[derive(Debug, Clone)]
pub struct Vendor {
    /// Its number in the directory, from 1; 0 is the center itself.
    pub number: u32,
    /// Who it is.
    pub id: VendorId,
    /// Where readers find it, such as `https://shop.example`.
    pub origin: Text<300>,
    /// The secrets that it shares with the center.
    pub secrets: KeyRing,
    /// Since when.
    pub at: Timestamp,
}

/// A campaign item that a seller pays rewards for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its number: the ledger account.
    pub number: u32,
    /// The seller's number.
    pub vendor: u32,
    /// The seller's name for it.
    pub item: Item,
    /// The budget that was asked for last.
    pub budget: Amount,
    /// What was set aside in all, less what went back.
    pub funded: Amount,
    /// The date of the funding message that was obeyed last; older ones change nothing.
    pub asked: Timestamp,
}

/// A cash-out order (rule 11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// Its number, from 1.
    pub number: u64,
    /// The cash-out step.
    pub step: StepKey,
    /// The buyer's serial.
    pub customer: Serial,
    /// What is paid out: the step's amount less its fee.
    pub amount: Amount,
    /// The center's fee.
    pub fee: Amount,
    /// Where to: what the reader entered, as the S2's requestURL carries it.
    pub destination: RequestUrl,
    /// When it was ordered.
    pub ordered: Timestamp,
    /// How it stands.
    pub state: PayoutState,
}

/// A budget at one shop (spec/03): the center holds its sum from the payment to the center itself that paid for it.
#[derive(Debug, Clone)]
pub struct Reservation {
    /// The shop's number.
    pub vendor: u32,
    /// Whether its payment was completed; until then nothing is given out.
    pub funded: bool,
    /// The authority, what was deposited, and whether the rest went back. Closed without being funded: the payment was
    /// taken back.
    pub kept: payword::Reservation,
}

impl Reservation {
    /// Which budget: the key.
    pub fn id(&self) -> AuthorityId {
        self.kept.id()
    }

    /// The payment that paid for it.
    pub fn step(&self) -> StepKey {
        StepKey { vendor: 0, tran_id: self.kept.tran_id }
    }

    /// Until when the shop deposits; afterwards the rest goes back.
    pub fn due(&self) -> Timestamp {
        self.kept.countersigned.authority().expires.plus(GRACE)
    }

    /// What it holds.
    ///
    /// # Errors
    /// A sentence, if it makes no sense.
    pub fn held(&self) -> Result<Held, &'static str> {
        let (to_vendor, fee) = self.kept.shares().map_err(|_| SENSE)?;
        let authority = self.kept.countersigned.authority();
        let value = authority.value().map_err(|_| SENSE)?;
        let paid = authority.worth(self.kept.paid.index).map_err(|_| SENSE)?;
        let rest = value.checked_sub(paid).map_err(|_| SENSE)?;
        let (step, customer) = (self.step(), self.kept.custom_id.serial_number);
        let (vendor, funded, closed) = (self.vendor, self.funded, self.kept.closed);
        Ok(Held { step, vendor, customer, value, to_vendor, fee, rest, funded, closed })
    }

    /// Whether `other` is the same budget as it stands now.
    pub fn stands_as(&self, other: &Reservation) -> bool {
        self.id() == other.id()
            && self.funded == other.funded
            && self.kept.paid == other.kept.paid
            && self.kept.closed == other.kept.closed
    }
}

/// Scrip of one shop that the center made and sold (spec/02). It holds the sum as a budget's.
#[derive(Debug, Clone)]
pub struct Sale {
    /// The shop's number.
    pub vendor: u32,
    /// Whether its payment was completed.
    pub funded: bool,
    /// What was sold, what was redeemed, and whether the rest was bought back.
    pub kept: vendor_scrip::Sale,
}

/// Which purchase: the shop's number, and its Cust_ID# in two numbers.
pub type Purchase = (u32, u32, Serial);

impl Sale {
    /// Which order: the key.
    pub fn id(&self) -> OrderId {
        self.kept.order.id()
    }

    /// The payment that paid for it.
    pub fn step(&self) -> StepKey {
        StepKey { vendor: 0, tran_id: self.kept.tran_id }
    }

    /// By what its shop knows it.
    pub fn purchase(&self) -> Purchase {
        let id = self.kept.scrip.scrip.customer_id;
        (self.vendor, id.secret_id, id.serial_number)
    }

    /// Whether `other` is the same sale as it stands now.
    pub fn stands_as(&self, other: &Sale) -> bool {
        self.id() == other.id()
            && self.funded == other.funded
            && self.kept.redeemed == other.kept.redeemed
            && self.kept.closed == other.kept.closed
    }

    /// What it holds.
    ///
    /// # Errors
    /// A sentence, if it makes no sense.
    pub fn held(&self) -> Result<Held, &'static str> {
        let (to_vendor, fee) = self.kept.shares().map_err(|_| SENSE)?;
        let value = self.kept.order.value;
        let rest = value.checked_sub(self.kept.redeemed).map_err(|_| SENSE)?;
        let (step, customer) = (self.step(), self.kept.custom_id.serial_number);
        let (vendor, funded, closed) = (self.vendor, self.funded, self.kept.closed);
        Ok(Held { step, vendor, customer, value, to_vendor, fee, rest, funded, closed })
    }
}

/// A licence of a shop, by the shop and its own number.
#[derive(Debug, Clone)]
pub struct KeptLicence {
    /// The shop's number.
    pub vendor: u32,
    /// The licence, and how much of it was used.
    pub state: LicenceState,
}

impl KeptLicence {
    /// The key.
    pub fn key(&self) -> (u32, u32) {
        (self.vendor, self.state.licensed.terms.number)
    }
}

/// What a payment to the center itself has paid for, as the books see it: a budget, or scrip of a shop.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// The payment.
    pub step: StepKey,
    /// The shop's number.
    pub vendor: u32,
    /// Whose purse the rest goes back to.
    pub customer: Serial,
    /// All of it.
    pub value: Amount,
    /// What the shop got so far.
    pub to_vendor: Amount,
    /// What the center got so far.
    pub fee: Amount,
    /// What neither got.
    pub rest: Amount,
    /// Whether the payment was completed.
    pub funded: bool,
    /// When the rest went back, or the payment was taken back.
    pub closed: Option<Timestamp>,
}

const SENSE: &str = "its amounts make no sense";

/// By what the operator knows a movement: the bank's reference, or an invoice's number.
pub type Reference = Text<100>;

/// Real money that a seller brought or took. Kept for good, so that the same request again moves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The operator's reference: the key.
    pub reference: Reference,
    /// The seller's number.
    pub vendor: u32,
    /// Which way.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// When it was booked.
    pub at: Timestamp,
}

/// Which way real money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From a seller to the operator.
    Deposit,
    /// From the operator to a seller.
    Withdrawal,
}

/// A time in which nothing that the books gave out was lost. A new one begins when an older copy of them is put
/// back: numbers begin anew, so that none means two things (docs/decisions).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Its number: 0 for new books; later ones only grow.
    pub number: u32,
    /// When it began.
    pub began: Timestamp,
    /// Why.
    pub reason: EpochReason,
    /// The last link of the journal that the books are known to have had before the copy was put back.
    pub lost: Option<Head>,
}

/// Why an epoch began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochReason {
    /// The books are new.
    New,
    /// `tuppence restore` put a backup back.
    Restored,
    /// At the start, the books ended before what this center had confirmed.
    WentBack,
    /// A buyer showed scrip of this center that the books do not know.
    Shown,
}

impl EpochReason {
    /// Every reason.
    pub const ALL: [EpochReason; 4] =
        [EpochReason::New, EpochReason::Restored, EpochReason::WentBack, EpochReason::Shown];

    /// The name, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            EpochReason::New => "new",
            EpochReason::Restored => "restored",
            EpochReason::WentBack => "went-back",
            EpochReason::Shown => "shown",
        }
    }
}

impl Epoch {
    /// The first of new books.
    pub const NEW: Epoch =
        Epoch { number: 0, began: Timestamp::from_millis(0), reason: EpochReason::New, lost: None };

    /// The number of an epoch that begins now, after every one of `known`. It grows by the hour, so that two copies
    /// of one backup get different numbers without knowing of each other.
    pub fn number_after(known: u32, now: Timestamp) -> u32 {
        const HOUR_MS: u64 = 60 * 60 * 1_000;
        let hours = u32::try_from(now.as_millis() / HOUR_MS).unwrap_or(Serial::EPOCH_MAX);
        known.saturating_add(1).max(hours).min(Serial::EPOCH_MAX)
    }
}

/// Scrip of this center that a buyer showed and the books do not know: what was given out between the copy that
/// was put back and the books that it replaced. One for each buyer, with the newest scrip that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The buyer: the master customer secret and the serial.
    pub custom_id: IdType,
    /// The scrip, whose certificate holds.
    pub shown: ScripState,
    /// The serial and the value that the books had then; absent if they did not know the buyer.
    pub known: Option<(Serial, Amount)>,
    /// When it was shown first.
    pub at: Timestamp,
}

/// Encrypted notes that a wallet keeps with its purse (docs/decisions/0007).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptNotes {
    /// The buyer's serial: the key.
    pub customer: Serial,
    /// Version and content, as they came.
    pub notes: Notes,
    /// Since when.
    pub at: Timestamp,
}

/// How a cash-out order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutState {
    /// The operator has yet to pay.
    Ordered,
    /// Paid: when, and the bank's reference.
    Confirmed(Timestamp, Text<200>),
    /// Back in the purse: when, and why.
    Returned(Timestamp, Text<200>),
}
