//! Campaign funding (spec/01, rule 8): a seller sets the budget of a campaign item aside.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::canonical::Tag;
use crate::ids::VendorId;
use crate::scrip::Item;
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;
use crate::time::Timestamp;

/// Seller -> center: from now on `budget` is what this item may issue in all, rewards already issued
/// included; 0 ends it, and the rest goes back to the seller's account. Safe to repeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CampaignFunding {
    /// The seller.
    pub vendor_id: VendorId,
    /// The item.
    pub item: Item,
    /// What it may issue in all.
    pub budget: Amount,
    /// The seller's clock: a message older than the last one that was obeyed changes nothing, so that
    /// a delayed copy does not bring an old budget back.
    pub date: Timestamp,
    /// Which Vendor_Secret seals the message.
    pub secret_id: u32,
    /// `H[VendorId || item || budget || date || secretId || Vendor_Secret]`.
    pub seal: Seal,
}

impl CampaignFunding {
    /// Replaces the seal by the right one.
    #[must_use]
    pub fn sealed(mut self, vendor_secret: &Secret) -> Self {
        self.seal = self.expected_seal(vendor_secret);
        self
    }

    /// Whether the seller that shares `vendor_secret` made it.
    #[must_use]
    pub fn holds(&self, vendor_secret: &Secret) -> bool {
        self.expected_seal(vendor_secret).matches(&self.seal)
    }

    fn expected_seal(&self, vendor_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::CampaignFunding, |w| {
            w.nested(&self.vendor_id);
            w.text(self.item.as_str());
            w.nested(&self.budget);
            w.u64(self.date.as_millis());
            w.u32(self.secret_id);
        })
    }
}

/// How a campaign item stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CampaignState {
    /// The item.
    pub item: Item,
    /// What was asked for last.
    pub budget: Amount,
    /// What is left of it for rewards.
    pub remaining: Amount,
}
