//! What a center says of itself to everybody: its name, key, limits and fees, and the shops that work with it.

use serde::{Deserialize, Serialize};

use crate::amount::{Amount, Currency};
use crate::envelope::{CenterPublicKey, Fingerprint};
use crate::ids::VendorId;
use crate::seal::HashAlgorithm;
use crate::text::Text;
use crate::time::Timestamp;

/// A center, as wallets and shops meet it (GET `/api/v1/center`).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CenterInfo {
    /// Who it is; every scrip says so.
    pub center_id: VendorId,
    /// Where it is, such as `https://center.example`.
    pub origin: Text<300>,
    /// The one currency of its e-cash.
    pub currency: Currency,
    /// What wallets encrypt their session keys with.
    pub public_key: CenterPublicKey,
    /// SHA-256 of that key, to be compared with the pinned one.
    pub fingerprint: Fingerprint,
    /// How new scrip is sealed.
    pub hash_algorithm: HashAlgorithm,
    /// The center's share of a payment, in hundredths of a percent.
    pub fee_basis_points: u16,
    /// The least that is cashed out at once, fee included.
    pub payout_threshold: Amount,
    /// What a cash-out costs.
    pub payout_fee: Amount,
    /// The most that a purse holds.
    pub balance_max: Amount,
    /// How long a step waits for its M6 or S6, in minutes.
    pub pending_minutes: u32,
    /// The center's clock.
    pub server_date: Timestamp,
    /// The protocol version that it speaks.
    pub protocol_version: u16,
}

/// The shops that work with a center (GET `/api/v1/shops`).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shops {
    /// In the order in which they joined.
    pub shops: Vec<Shop>,
}

/// A shop, as its center knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shop {
    /// Who it is.
    pub vendor_id: VendorId,
    /// Where it is.
    pub origin: Text<300>,
}
