//! One link: `w_i` is the hash of `w_{i+1}` under its chain's own tag.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::canonical::{self, Tag};
use crate::ids::VendorId;

/// The most paywords of a chain: a million, rounded up to a power of two.
pub const LENGTH_MAX: u32 = 1 << 20;

/// Which chain. It is part of each hash, so that no work on one chain helps with another, and that a chain
/// is worth nothing at a shop that it was not made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChainId(#[serde(with = "crate::bytes::fixed")] [u8; 16]);

impl ChainId {
    /// The chain that is made for `vendor` alone, from 128 random bits.
    pub fn at(vendor: &VendorId, nonce: &[u8; 16]) -> Self {
        let encoding = canonical::encode(Tag::ChainId, |w| {
            w.nested(vendor);
            w.bytes(nonce);
        });
        let mut id = [0; 16];
        id.copy_from_slice(&Sha256::digest(encoding)[..16]);
        ChainId(id)
    }

    /// The chain of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        ChainId(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// A payword that was paid, or the root `w_0`: no secret any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payword(#[serde(with = "crate::bytes::fixed")] [u8; 32]);

impl Payword {
    /// The payword of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Payword(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The hash of one chain.
#[derive(Debug, Clone)]
pub struct Link {
    /// What stands before the payword in the canonical encoding, hashed once.
    prefix: Sha256,
}

impl Link {
    /// The hash of the chain `id`.
    pub fn new(id: &ChainId) -> Self {
        let mut encoding = canonical::encode(Tag::PaywordLink, |w| {
            w.bytes(id.as_bytes());
            w.bytes(&[0; 32]);
        });
        encoding.truncate(encoding.len() - 32);
        Link { prefix: Sha256::new_with_prefix(&encoding) }
    }

    /// The payword before this one.
    pub(super) fn before(&self, payword: &[u8; 32]) -> [u8; 32] {
        self.prefix.clone().chain_update(payword).finalize().into()
    }

    /// The payword `steps` before this one.
    pub fn back(&self, payword: &Payword, steps: u32) -> Payword {
        Payword((0..steps).fold(payword.0, |payword, _| self.before(&payword)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_hash_of_its_canonical_encoding() {
        let encoding = canonical::encode(Tag::PaywordLink, |w| {
            w.bytes(&[1; 16]);
            w.bytes(&[2; 32]);
        });
        let expected: [u8; 32] = Sha256::digest(encoding).into();
        assert_eq!(Link::new(&ChainId([1; 16])).before(&[2; 32]), expected);
    }

    #[test]
    fn two_chains_hash_the_same_payword_differently() {
        let [a, b] = [1, 2].map(|id| Link::new(&ChainId([id; 16])).back(&Payword([3; 32]), 1));
        assert_ne!(a, b);
    }
}
