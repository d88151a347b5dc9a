//! A buyer's pseudonym at one seller, and the center's word that it is real (spec/01, rule 9).
//!
//! Rule 9 lets the center refuse a foreign pseudonym when the reward is claimed. But a robot could
//! still try out quiz answers under invented ones, since the seller cannot tell. So the center
//! attests the pseudonym to the seller, once for each shop (docs/decisions/0002).

use serde::{Deserialize, Serialize};

use crate::canonical::Tag;
use crate::ids::{EarnerId, VendorId};
use crate::scrip::{Header, Scrip};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;

/// `earner = H[VendorId || Custom_Secret]`, always by HMAC-SHA-256.
pub fn earner(vendor: &VendorId, custom_secret: &Secret) -> EarnerId {
    let seal = HashAlgorithm::HmacSha256.seal(custom_secret, Tag::Earner, |w| w.nested(vendor));
    EarnerId::from_bytes(*seal.as_bytes())
}

/// E1, buyer -> center: EM1. Asks for the attestation of the buyer's pseudonym at `vendor_id`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttestationRequest {
    /// EM1.
    pub header: Header,
    /// Any scrip of the buyer's, also an older or expired one.
    pub scrip: Scrip,
    /// The shop.
    pub vendor_id: VendorId,
    /// `H[code || ScripType || VendorId || Custom_Secret]`.
    pub hash: Seal,
}

impl AttestationRequest {
    /// The seal that this message must carry.
    pub fn seal(&self, custom_secret: &Secret) -> Seal {
        self.scrip.hash_algorithm.seal(custom_secret, Tag::EarnerAsk, |w| {
            w.u16(self.header.cmd_type.number());
            w.nested(&self.scrip);
            w.nested(&self.vendor_id);
        })
    }
}

/// E2, center -> buyer: EM2.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttestationReply {
    /// EM2.
    pub header: Header,
    /// To be sent with every M1 to this shop.
    pub attestation: Attestation,
}

/// The center's word to one seller that a pseudonym belongs to one registered buyer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attestation {
    /// The pseudonym.
    pub earner: EarnerId,
    /// Which Vendor_Secret seals this.
    pub secret_id: u32,
    /// `H[VendorId || earner || secretId || Vendor_Secret]`.
    pub seal: Seal,
}

impl Attestation {
    /// The attestation of `earner` for `vendor` under the Vendor_Secret `secret_id`.
    pub fn new(vendor: &VendorId, earner: EarnerId, secret_id: u32, vendor_secret: &Secret) -> Self {
        Attestation { earner, secret_id, seal: attest(vendor, earner, secret_id, vendor_secret) }
    }

    /// Whether the center made it for this vendor.
    #[must_use]
    pub fn holds(&self, vendor: &VendorId, vendor_secret: &Secret) -> bool {
        attest(vendor, self.earner, self.secret_id, vendor_secret).matches(&self.seal)
    }
}

fn attest(vendor: &VendorId, earner: EarnerId, secret_id: u32, vendor_secret: &Secret) -> Seal {
    HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::EarnerAttestation, |w| {
        w.nested(vendor);
        w.bytes(earner.as_bytes());
        w.u32(secret_id);
    })
}
