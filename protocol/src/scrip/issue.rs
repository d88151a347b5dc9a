//! Issue: earning (spec/01, figure 2): M1, M2, M4, M5. M3 is in [`super::relay`], M6 in [`super::finish`].

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::amount::Amount;
use crate::canonical::{self, Canonical, Tag, Writer};
use crate::ids::{EarnerId, TranId, VendorId};
use crate::scrip::earner::Attestation;
use crate::scrip::{Header, Item, Scrip};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;
use crate::text::Text;
use crate::time::Timestamp;

/// The most answers that an M1 carries.
pub const ANSWERS_MAX: usize = 50;

/// M1, buyer -> seller: GM1_1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssueRequest {
    /// GM1_1.
    pub header: Header,
    /// The item that is answered.
    pub item: Item,
    /// The answer to each of its questions, in order: a choice's id, or text.
    pub value: Vec<Text<2_000>>,
    /// Who answers, attested for this seller.
    pub earner: Attestation,
}

impl IssueRequest {
    /// SHA-256 of item, answers and earner, by which the seller knows the same M1 again.
    pub fn digest(&self) -> [u8; 32] {
        let message = canonical::encode(Tag::IssueRequest, |w| {
            w.text(self.item.as_str());
            w.list(&self.value, |w, answer| w.text(answer.as_str()));
            w.bytes(self.earner.earner.as_bytes());
        });
        Sha256::digest(message).into()
    }
}

/// The offer of M2: what the seller permits the center to issue.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssueOffer {
    /// The seller.
    pub vendor_id: VendorId,
    /// The center that shall issue.
    pub center_id: VendorId,
    /// The transaction.
    pub tran_id: TranId,
    /// The item that was answered.
    pub item: Item,
    /// Currency and value of the reward.
    pub value: Amount,
    /// Who answered.
    pub earner: EarnerId,
    /// Until when the center takes the offer.
    pub expires: Timestamp,
    /// Which Vendor_Secret seals the offer.
    pub secret_id: u32,
    /// `H[offer || Vendor_Secret]`.
    pub seal: Seal,
}

impl IssueOffer {
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
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::IssueOffer, |w| self.write_terms(w))
    }

    fn write_terms(&self, writer: &mut Writer) {
        writer.nested(&self.vendor_id);
        writer.nested(&self.center_id);
        writer.bytes(self.tran_id.as_bytes());
        writer.text(self.item.as_str());
        self.value.write(writer);
        writer.bytes(self.earner.as_bytes());
        writer.u64(self.expires.as_millis());
        writer.u32(self.secret_id);
    }
}

impl Canonical for IssueOffer {
    fn write(&self, writer: &mut Writer) {
        self.write_terms(writer);
        writer.bytes(self.seal.as_bytes());
    }
}

/// M2, seller -> buyer: GM2_1. The refusal GM2_2 is a [`super::Refused`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssuePermitted {
    /// GM2_1.
    pub header: Header,
    /// What the center may issue.
    pub offer: IssueOffer,
}

/// M4, buyer -> center: GM4_1 starts the issue, GM4_2 cancels it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssueStart {
    /// GM4_1 or GM4_2.
    pub header: Header,
    /// The live scrip.
    pub scrip: Scrip,
    /// What M2 permitted (rule 1).
    pub offer: IssueOffer,
    /// `H[code || ScripType || offer || Custom_Secret]`.
    pub hash: Seal,
    /// Attempts so far; for diagnosis.
    pub p_count: u16,
}

impl IssueStart {
    /// The seal that this message must carry.
    pub fn seal(&self, custom_secret: &Secret) -> Seal {
        self.scrip.hash_algorithm.seal(custom_secret, Tag::IssueStart, |w| {
            w.u16(self.header.cmd_type.number());
            w.nested(&self.scrip);
            w.nested(&self.offer);
        })
    }
}

/// M5, center -> buyer: GM5_1. The refusals GM5_2-4 are a [`super::Refused`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssueEcash {
    /// GM5_1.
    pub header: Header,
    /// What it is the reply to; absent when a resynchronisation finds nothing under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tran_id: Option<TranId>,
    /// The scrip from now on.
    pub new_scrip: Scrip,
    /// `H[code || TranID || newScripType || Custom_Secret]`.
    pub hash: Seal,
    /// 0.
    pub p_count: u16,
}

impl IssueEcash {
    /// The seal that this message must carry.
    pub fn seal(&self, custom_secret: &Secret) -> Seal {
        self.new_scrip.hash_algorithm.seal(custom_secret, Tag::IssueEcash, |w| {
            w.u16(self.header.cmd_type.number());
            w.optional(self.tran_id.as_ref(), |w, id| w.bytes(id.as_bytes()));
            w.nested(&self.new_scrip);
        })
    }
}
