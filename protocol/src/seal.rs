//! Seals: keyed hashes over canonical encodings, `H[m || secret]` (spec/README, Algorithms).

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::canonical::{self, Tag, Writer};
use crate::secret::Secret;

/// How a seal is made. The center's configuration decides, never the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HashAlgorithm {
    /// HMAC-SHA-256 (RFC 2104), the default.
    #[default]
    HmacSha256,
    /// The patent's literal SHA-256 of `m || secret`.
    Sha256,
}

impl HashAlgorithm {
    /// The name, as sent and as hashed.
    pub const fn as_str(self) -> &'static str {
        match self {
            HashAlgorithm::HmacSha256 => "hmac-sha256",
            HashAlgorithm::Sha256 => "sha256",
        }
    }

    /// The algorithm of this name.
    ///
    /// # Errors
    /// A sentence that lists the names.
    pub fn named(name: &str) -> Result<Self, &'static str> {
        [HashAlgorithm::HmacSha256, HashAlgorithm::Sha256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or("a hash algorithm is hmac-sha256 or sha256")
    }

    /// Makes the seal of `tag` and `fields` under `secret`.
    pub fn seal(self, secret: &Secret, tag: Tag, fields: impl FnOnce(&mut Writer)) -> Seal {
        let message = canonical::encode(tag, fields);
        Seal(match self {
            HashAlgorithm::HmacSha256 => hmac_sha256(secret, &message),
            HashAlgorithm::Sha256 => {
                Sha256::new().chain_update(&message).chain_update(secret.expose()).finalize().into()
            }
        })
    }
}

fn hmac_sha256(secret: &Secret, message: &[u8]) -> [u8; 32] {
    // A 32-byte key is shorter than the block, so the key is used as it is and no length is refused.
    match Hmac::<Sha256>::new_from_slice(secret.expose()) {
        Ok(mac) => mac.chain_update(message).finalize().into_bytes().into(),
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}

/// A keyed hash. It cannot be compared with `==`: [`Seal::matches`] takes the same time whatever differs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seal(#[serde(with = "crate::bytes::fixed")] [u8; 32]);

impl Seal {
    /// The seal of these stored bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Seal(bytes)
    }

    /// The bytes, for storing and for hashing into another seal.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are the same, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Seal) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_algorithms_agree_with_their_definitions() {
        let secret = Secret::from_bytes([7; 32]);
        let message = canonical::encode(Tag::Receipt, |w| w.u64(9));
        let literal = Sha256::digest([message.as_slice(), &[7; 32]].concat());
        let seal = HashAlgorithm::Sha256.seal(&secret, Tag::Receipt, |w| w.u64(9));
        assert_eq!(seal.as_bytes(), literal.as_slice());

        // RFC 2104: H(K ^ opad || H(K ^ ipad || m)).
        let pad = |byte: u8| [[7 ^ byte; 32], [byte; 32]].concat();
        let inner = Sha256::digest([pad(0x36).as_slice(), &message].concat());
        let outer = Sha256::digest([pad(0x5C).as_slice(), &inner].concat());
        let seal = HashAlgorithm::HmacSha256.seal(&secret, Tag::Receipt, |w| w.u64(9));
        assert_eq!(seal.as_bytes(), outer.as_slice());
    }

    #[test]
    fn a_seal_made_for_one_message_is_none_for_another() {
        let secret = Secret::from_bytes([7; 32]);
        let a = HashAlgorithm::HmacSha256.seal(&secret, Tag::PaymentOffer, |w| w.u64(9));
        let b = HashAlgorithm::HmacSha256.seal(&secret, Tag::IssueOffer, |w| w.u64(9));
        assert!(!a.matches(&b));
        assert!(a.matches(&a.clone()));
    }
}
