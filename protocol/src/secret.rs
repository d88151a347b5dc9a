//! Secrets, and the rings of master secrets that they are chosen from and derived by.

use std::collections::BTreeMap;
use std::fmt;

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::canonical::{self, Tag};

/// 256 secret bits. Never printed, wiped when dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(#[serde(with = "crate::bytes::fixed")] [u8; 32]);

impl Secret {
    /// A secret of these bytes, which must come from a secure source.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Secret(bytes)
    }

    /// The bytes, for hashing, encrypting and storing.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// `Custom_Secret` of the buyer `customer` under this master customer secret (spec/01): HKDF-SHA-256
    /// with the canonical encoding of the serial as its info, so that the center stores none.
    pub fn custom_secret(&self, customer: u64) -> Secret {
        let info = canonical::encode(Tag::CustomSecret, |w| w.u64(customer));
        let mut derived = [0; 32];
        // HKDF-SHA-256 refuses only outputs beyond 8,160 bytes.
        let _ = Hkdf::<Sha256>::new(None, &self.0).expand(&info, &mut derived);
        Secret(derived)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Secrets by their id. New things are made with the newest one; older ones still verify.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyRing {
    secrets: BTreeMap<u32, Secret>,
}

impl KeyRing {
    /// A ring of one secret.
    pub fn new(id: u32, secret: Secret) -> Self {
        KeyRing { secrets: BTreeMap::from([(id, secret)]) }
    }

    /// Adds a secret; the one with the highest id is the current one. Replaces nothing.
    ///
    /// # Errors
    /// [`IdTaken`] if the ring has a secret of this id.
    pub fn add(&mut self, id: u32, secret: Secret) -> Result<(), IdTaken> {
        if self.secrets.contains_key(&id) {
            return Err(IdTaken(id));
        }
        self.secrets.insert(id, secret);
        Ok(())
    }

    /// Forgets the secret `id`; what it sealed no longer verifies.
    pub fn remove(&mut self, id: u32) {
        self.secrets.remove(&id);
    }

    /// The secret that new things are made with, and its id. Absent only from an emptied ring.
    pub fn current(&self) -> Option<(u32, &Secret)> {
        self.secrets.last_key_value().map(|(id, secret)| (*id, secret))
    }

    /// The secret of this id.
    pub fn find(&self, id: u32) -> Option<&Secret> {
        self.secrets.get(&id)
    }

    /// Whether this ring has every secret of `older`, each under its id.
    #[must_use]
    pub fn extends(&self, older: &KeyRing) -> bool {
        older.secrets.iter().all(|(id, secret)| {
            self.find(*id).is_some_and(|kept| kept.expose().ct_eq(secret.expose()).into())
        })
    }

    /// The ids, in ascending order.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.secrets.keys().copied()
    }
}

/// A ring has a secret of this id already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is a secret of id {0} already")]
pub struct IdTaken(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_secrets_differ_by_customer_and_master() {
        let (a, b) = (Secret::from_bytes([1; 32]), Secret::from_bytes([2; 32]));
        assert_ne!(a.custom_secret(1).expose(), a.custom_secret(2).expose());
        assert_ne!(a.custom_secret(1).expose(), b.custom_secret(1).expose());
        assert_eq!(a.custom_secret(1).expose(), a.custom_secret(1).expose());
    }

    #[test]
    fn the_newest_secret_is_current_and_the_old_one_stays() {
        let mut ring = KeyRing::new(1, Secret::from_bytes([1; 32]));
        ring.add(2, Secret::from_bytes([2; 32])).unwrap();
        assert_eq!(ring.current().unwrap().0, 2);
        assert!(ring.find(1).is_some());
        assert_eq!(ring.add(1, Secret::from_bytes([3; 32])), Err(IdTaken(1)));
    }

    #[test]
    fn a_ring_extends_another_that_it_has_wholly() {
        let older = KeyRing::new(1, Secret::from_bytes([1; 32]));
        let mut newer = older.clone();
        newer.add(2, Secret::from_bytes([2; 32])).unwrap();
        assert!(newer.extends(&older) && older.extends(&older));
        assert!(!older.extends(&newer));
        assert!(!KeyRing::new(1, Secret::from_bytes([3; 32])).extends(&older));
    }

    #[test]
    fn printing_a_secret_shows_nothing_of_it() {
        assert_eq!(format!("{:?}", Secret::from_bytes([0xAB; 32])), "Secret(..)");
    }
}
