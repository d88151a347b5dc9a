//! The wallet's records: what is kept, and under which keys.
//!
//! | key | record |
//! |---|---|
//! | `wallet` | [`WalletRecord`]: center, scrip, wrapped secrets |
//! | `operation/<time>-<random>` | [`Operation`]: what is under way |
//! | `history/<number>`, `detail/<number>` | a history entry, and the messages exchanged for it |
//! | `library/<origin>/<slug>` | a paid article |
//! | `answer/<origin>/<item>` | how a campaign was answered |
//! | `order/<TranID>` | a cash-out order |
//! | `budget/<origin>`, `budget/<origin>/<page>` | a budget at a shop that this wallet spends, or that a page does |
//! | `allowance/<origin>/<page>` | how much a page may have paid at a shop without asking |
//! | `shop/<origin>` | [`ShopRecord`]: a shop as last seen, and the attestation for it |

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tuppence_protocol::bytes::Bytes;
use tuppence_protocol::envelope::Fingerprint;
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::earner::Attestation;
use tuppence_protocol::scrip::info::CenterInfo;
use tuppence_protocol::{Amount, Currency, Timestamp, VendorId, WalletId};

use crate::error::{Problem, WalletError};
use crate::json::{self, Tree};
use crate::operation::Operation;
use crate::origin::{Origin, segment};
use crate::ports::{Changes, Scan, Storage};
use crate::shop_wire::Shop;
use crate::view::{CashOutOrder, CenterView, ExchangeStep, HistoryEntry, LibraryEntry, ShopRef};

/// The version of these records; a newer one is left alone.
pub(crate) const VERSION: u32 = 2;

/// A secret, wrapped by the vault.
pub(crate) type Wrapped = Bytes<1024>;

/// The wallet itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WalletRecord {
    pub(crate) version: u32,
    pub(crate) center: CenterRecord,
    pub(crate) wallet_id: WalletId,
    pub(crate) created: Timestamp,
    /// The live scrip, as far as this wallet knows.
    pub(crate) scrip: Scrip,
    /// Custom_Secret.
    pub(crate) custom_secret: Wrapped,
    /// The Ed25519 key with which a lost wallet is claimed.
    pub(crate) wallet_key: Wrapped,
    /// The number of the last history entry.
    pub(crate) entries: u64,
    /// Whether the scrip may be an older one, so that the center must be asked first.
    pub(crate) stale: bool,
    /// The 128 bits of the recovery words; absent in wallets from before there were any.
    #[serde(default)]
    pub(crate) words: Option<Wrapped>,
    /// When the words were asked back, and known.
    #[serde(default)]
    pub(crate) words_saved: Option<Timestamp>,
    /// How many history entries the notes at the center cover; 0 also while they lack an article.
    #[serde(default)]
    pub(crate) noted: u64,
    /// Whether a step has no name because somebody did not answer, so that it is to be asked for again.
    #[serde(default)]
    pub(crate) unnamed: bool,
}

/// The center, as it was met.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CenterRecord {
    pub(crate) id: VendorId,
    pub(crate) origin: Origin,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) pinned: bool,
    pub(crate) currency: Currency,
    pub(crate) balance_max: Amount,
    pub(crate) pending_minutes: u32,
}

impl CenterRecord {
    pub(crate) fn new(info: &CenterInfo, origin: Origin, pinned: bool) -> Self {
        CenterRecord {
            id: info.center_id.clone(),
            origin,
            fingerprint: info.public_key.fingerprint(),
            pinned,
            currency: info.currency,
            balance_max: info.balance_max,
            pending_minutes: info.pending_minutes,
        }
    }

    pub(crate) fn view(&self) -> CenterView {
        CenterView {
            name: self.id.server_name.to_string(),
            origin: self.origin.to_string(),
            fingerprint: self.fingerprint.to_string(),
            pinned: self.pinned,
            currency: self.currency,
            balance_max: self.balance_max,
        }
    }
}

/// A shop as last seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShopRecord {
    pub(crate) origin: Origin,
    pub(crate) shop: Shop,
    /// The center's word to this shop on this wallet's pseudonym there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attestation: Option<Attestation>,
}

impl ShopRecord {
    pub(crate) fn reference(&self) -> ShopRef {
        ShopRef { origin: self.origin.to_string(), name: self.shop.title.clone() }
    }
}

/// How a campaign was answered, once that is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answered {
    Earned,
    Missed,
}

/// A kind of record: its keys' beginning, and its type.
pub(crate) trait Record: Serialize + DeserializeOwned {
    const PREFIX: &'static str;
}

macro_rules! records {
    ($($(#[$built:meta])* $record:ty = $prefix:literal;)*) => {
        $($(#[$built])* impl Record for $record { const PREFIX: &'static str = $prefix; })*

        /// Reads the record at `key` and writes it again, for whoever examines records from outside (tests/fuzz).
        ///
        /// # Errors
        /// [`Problem::RecordDamaged`] if it is none of the kind that the key says.
        #[cfg(not(target_arch = "wasm32"))]
        pub fn record_again(key: &str, record: &[u8]) -> Result<Vec<u8>, WalletError> {
            $($(#[$built])* if key.starts_with(<$record>::PREFIX) {
                let record: $record = decode(record)?;
                return json::write(&record).map_err(|error| damaged(<$record>::PREFIX, &error));
            })*
            Err(WalletError::from(Problem::RecordDamaged).because("No record has such a key."))
        }

        /// Whether `value` is a record of the kind that `key` says.
        pub(crate) fn fits(key: &str, value: &Tree) -> bool {
            $($(#[$built])*
            if key.starts_with(<$record>::PREFIX) {
                return <$record>::deserialize(value).is_ok();
            })*
            false
        }
    };
}

records! {
    WalletRecord = "wallet";
    Operation = "operation/";
    HistoryEntry = "history/";
    Vec<ExchangeStep> = "detail/";
    LibraryEntry = "library/";
    Answered = "answer/";
    CashOutOrder = "order/";
    ShopRecord = "shop/";
    #[cfg(feature = "budgets")]
    crate::operation::budget::BudgetRecord = "budget/";
    #[cfg(feature = "budgets")]
    crate::operation::allowance::AllowanceRecord = "allowance/";
}

/// The key of a history entry: in the order of the numbers.
pub(crate) fn numbered(number: u64) -> String {
    format!("{number:016}")
}

/// The key of something at a shop.
pub(crate) fn at_shop(origin: &str, name: &str) -> String {
    format!("{}/{}", segment(origin), segment(name))
}

/// Reads the record `name` of its kind.
pub(crate) async fn read<R: Record>(storage: &dyn Storage, name: &str) -> Result<Option<R>, WalletError> {
    let record = storage.read(&format!("{}{name}", R::PREFIX)).await?;
    record.map(|record| decode(&record)).transpose()
}

/// Reads the records of a kind.
pub(crate) async fn list<R: Record>(storage: &dyn Storage, scan: Scan) -> Result<Vec<R>, WalletError> {
    let records = storage.list(R::PREFIX, scan).await?;
    records.iter().map(|(_, record)| decode(record)).collect()
}

fn decode<R: Record>(record: &[u8]) -> Result<R, WalletError> {
    json::read(record).map_err(|error| damaged(R::PREFIX, &error))
}

#[inline(never)]
fn damaged(prefix: &str, error: &json::Error) -> WalletError {
    WalletError::from(Problem::RecordDamaged).because(format!("{prefix}: {error}."))
}

impl Changes {
    /// Writes the record `name` of its kind.
    pub(crate) fn write<R: Record>(&mut self, name: &str, record: &R) -> Result<(), WalletError> {
        let json = json::write(record).map_err(|error| damaged(R::PREFIX, &error))?;
        self.put(format!("{}{name}", R::PREFIX), json);
        Ok(())
    }

    /// Removes the record `name` of its kind.
    pub(crate) fn erase<R: Record>(&mut self, name: &str) {
        self.remove(format!("{}{name}", R::PREFIX));
    }
}
