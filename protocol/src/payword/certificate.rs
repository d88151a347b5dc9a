//! The certificate (spec/03, session establishment, 1): the center vouches for a customer's public key.
//!
//! The key is a pseudonym, another at every shop, so that no two shops can compare their customers.

use serde::{Deserialize, Serialize};

use crate::canonical::{Canonical, Tag, Writer};
use crate::ids::VendorId;
use crate::scrip::Scrip;
use crate::seal::Seal;
use crate::secret::Secret;
use crate::signature::{PublicKey, PublicKeys, Signature};
use crate::time::{Duration, Timestamp};

/// How long a certificate is good.
pub const CERTIFICATE_LIFETIME: Duration = Duration::from_days(365);

/// Customer -> center: asks for a certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateRequest {
    /// Any scrip of the customer's, also an older or expired one.
    pub scrip: Scrip,
    /// The key to be certified.
    pub customer: PublicKey,
    /// `H[ScripType || customer || Custom_Secret]`.
    pub hash: Seal,
}

impl CertificateRequest {
    /// The seal that this message must carry.
    pub fn seal(&self, custom_secret: &Secret) -> Seal {
        self.scrip.hash_algorithm.seal(custom_secret, Tag::CertificateAsk, |w| {
            w.nested(&self.scrip);
            w.bytes(self.customer.as_bytes());
        })
    }
}

/// Center -> customer -> shop: the key belongs to somebody who has a purse.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// The center that says so.
    pub center_id: VendorId,
    /// The customer's key.
    pub customer: PublicKey,
    /// Until when authorities of this customer can be made and used.
    pub expires: Timestamp,
    /// Which of the center's keys signs this.
    pub key_id: u32,
    /// The center's signature.
    pub signature: Signature,
}

impl Certificate {
    /// The certificate of `customer`, signed with the center's key `key_id`.
    pub fn new(
        center_id: VendorId,
        customer: PublicKey,
        expires: Timestamp,
        key_id: u32,
        key: &Secret,
    ) -> Self {
        let unsigned = Signature::from_bytes([0; 64]);
        let mut certificate = Certificate { center_id, customer, expires, key_id, signature: unsigned };
        certificate.signature = Signature::new(key, Tag::CustomerCertificate, |w| certificate.write_terms(w));
        certificate
    }

    /// Whether the center signed it.
    #[must_use]
    pub fn holds(&self, center_keys: &PublicKeys) -> bool {
        center_keys.find(self.key_id).is_some_and(|key| {
            key.verifies(&self.signature, Tag::CustomerCertificate, |w| self.write_terms(w))
        })
    }

    fn write_terms(&self, writer: &mut Writer) {
        writer.nested(&self.center_id);
        writer.bytes(self.customer.as_bytes());
        writer.u64(self.expires.as_millis());
        writer.u32(self.key_id);
    }
}

impl Canonical for Certificate {
    fn write(&self, writer: &mut Writer) {
        self.write_terms(writer);
        writer.bytes(self.signature.as_bytes());
    }
}
