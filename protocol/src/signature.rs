//! Signatures: Ed25519 (RFC 8032) over canonical encodings, for what somebody without a shared secret checks.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::canonical::{self, Tag, Writer};
use crate::secret::{KeyRing, Secret};

/// An Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "crate::bytes::fixed")] [u8; 32]);

impl PublicKey {
    /// The public half of the key whose RFC 8032 seed is `secret`.
    pub fn of(secret: &Secret) -> Self {
        PublicKey(ed25519_dalek::SigningKey::from_bytes(secret.expose()).verifying_key().to_bytes())
    }

    /// The key of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        PublicKey(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this key's owner signed `tag` and `fields`. Strict: no other bytes hold for the same message.
    #[must_use]
    pub fn verifies(&self, signature: &Signature, tag: Tag, fields: impl FnOnce(&mut Writer)) -> bool {
        let message = canonical::encode(tag, fields);
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| key.verify_strict(&message, &signature).is_ok())
    }
}

/// An Ed25519 signature.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(#[serde(with = "crate::bytes::fixed")] [u8; 64]);

impl Signature {
    /// Signs `tag` and `fields` with the key whose seed is `secret`. The same again gives the same bytes.
    pub fn new(secret: &Secret, tag: Tag, fields: impl FnOnce(&mut Writer)) -> Self {
        let message = canonical::encode(tag, fields);
        Signature(ed25519_dalek::SigningKey::from_bytes(secret.expose()).sign(&message).to_bytes())
    }

    /// The signature of these bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Signature(bytes)
    }

    /// The bytes, for hashing into another signature.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// Public keys by their id, as a center publishes them. Older ones stay for as long as something that they
/// signed is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKeys(BTreeMap<u32, PublicKey>);

impl PublicKeys {
    /// The public halves of the seeds in `ring`.
    pub fn of(ring: &KeyRing) -> Self {
        let public = |id| ring.find(id).map(|secret| (id, PublicKey::of(secret)));
        PublicKeys(ring.ids().filter_map(public).collect())
    }

    /// The key of this id.
    pub fn find(&self, id: u32) -> Option<&PublicKey> {
        self.0.get(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_tag_and_fields_alone() {
        let (secret, other) = (Secret::from_bytes([1; 32]), Secret::from_bytes([2; 32]));
        let signature = Signature::new(&secret, Tag::Authority, |w| w.u64(9));
        let key = PublicKey::of(&secret);
        assert!(key.verifies(&signature, Tag::Authority, |w| w.u64(9)));
        assert!(!key.verifies(&signature, Tag::Authority, |w| w.u64(8)));
        assert!(!key.verifies(&signature, Tag::Countersignature, |w| w.u64(9)));
        assert!(!PublicKey::of(&other).verifies(&signature, Tag::Authority, |w| w.u64(9)));
        assert!(!PublicKey::from_bytes([0xFF; 32]).verifies(&signature, Tag::Authority, |w| w.u64(9)));
    }

    #[test]
    fn a_ring_publishes_every_key_under_its_id() {
        let mut ring = KeyRing::new(1, Secret::from_bytes([1; 32]));
        ring.add(4, Secret::from_bytes([4; 32])).unwrap();
        let keys = PublicKeys::of(&ring);
        assert_eq!(keys.find(4), Some(&PublicKey::of(&Secret::from_bytes([4; 32]))));
        assert!(keys.find(1).is_some() && keys.find(2).is_none());
        let json = serde_json::to_string(&keys).unwrap();
        assert_eq!(serde_json::from_str::<PublicKeys>(&json).unwrap(), keys);
    }
}
