//! What a shop stores: one account for each purchase, and what it answered for each ID# that was spent. Both are
//! stored in one step before anything is handed out, and forgotten [`GRACE`] after the scrip's end.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::ids::IdType;
use crate::seal::Seal;
use crate::time::Timestamp;
use crate::vendor_scrip::GRACE;
use crate::vendor_scrip::request::Reply;

/// How a purchase stands at its shop, by its Cust_ID#.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// Cust_ID#.
    pub customer_id: IdType,
    /// ID# of the live scrip; absent if nothing is left.
    pub live: Option<IdType>,
    /// What was redeemed in all.
    pub redeemed: Amount,
    /// Until when it can be spent.
    pub expires: Timestamp,
    /// Whether the customer gave the rest back.
    pub ended: bool,
    /// What the center has confirmed.
    pub settled: Amount,
    /// Whether the center has confirmed the last settlement.
    pub closed: bool,
}

impl Account {
    /// Whether it can be forgotten: nobody can pay or be paid by it any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now > self.expires.plus(GRACE)
    }
}

/// What was answered for an ID#, so that a lost reply is answered again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spent {
    /// ID#.
    pub id: IdType,
    /// The hash of the request.
    pub request: Seal,
    /// What was answered.
    pub reply: Reply,
    /// Until when the scrip could be spent; it is forgotten with its account.
    pub expires: Timestamp,
}
