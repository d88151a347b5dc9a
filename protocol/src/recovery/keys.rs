//! What twelve words derive: by HKDF-SHA-256 (RFC 5869), for one center, so that two centers that
//! compare their wallets find none in common.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::canonical::{self, Tag};
use crate::ids::{VendorId, WalletId};
use crate::recovery::words::Mnemonic;
use crate::secret::Secret;

/// What a wallet registers, claims and encrypts with.
#[derive(Debug, Clone)]
pub struct RecoveryKeys {
    /// `ID` of R1.
    pub wallet_id: WalletId,
    /// The Ed25519 key (RFC 8032) whose public half is in R1's `etc`.
    pub wallet_key: Secret,
    /// Encrypts the notes.
    pub notes_key: Secret,
}

impl RecoveryKeys {
    /// What `words` derive for `center`.
    pub fn new(words: &Mnemonic, center: &VendorId) -> Self {
        let mut wallet_id = [0; 16];
        let id = derive(words, center, Tag::RecoveryWalletId);
        wallet_id.copy_from_slice(&id.expose()[..16]);
        RecoveryKeys {
            wallet_id: WalletId::from_bytes(wallet_id),
            wallet_key: derive(words, center, Tag::RecoveryWalletKey),
            notes_key: derive(words, center, Tag::RecoveryNotesKey),
        }
    }

    /// The public half of the wallet's key.
    pub fn public_key(&self) -> [u8; 32] {
        public_key(&self.wallet_key)
    }
}

fn derive(words: &Mnemonic, center: &VendorId, tag: Tag) -> Secret {
    let info = canonical::encode(tag, |w| w.nested(center));
    let mut derived = [0; 32];
    // HKDF-SHA-256 refuses only outputs beyond 8,160 bytes.
    let _ = Hkdf::<Sha256>::new(None, words.entropy()).expand(&info, &mut derived);
    Secret::from_bytes(derived)
}

/// The public half of an Ed25519 key.
pub fn public_key(key: &Secret) -> [u8; 32] {
    SigningKey::from_bytes(key.expose()).verifying_key().to_bytes()
}

/// Signs with an Ed25519 key.
pub(super) fn sign(key: &Secret, message: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(key.expose()).sign(message).to_bytes()
}

/// Whether the signature is that of the key, strictly: no other bytes hold for the same message.
pub(super) fn verify(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public_key)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn center(name: &str) -> VendorId {
        VendorId {
            dns_name: name.parse().unwrap(),
            ip_addr: None,
            server_name: "Center".parse().unwrap(),
            port: 443,
        }
    }

    #[test]
    fn the_same_words_give_the_same_keys_at_one_center_and_others_at_another() {
        let words = Mnemonic::from_entropy([7; 16]);
        let keys = RecoveryKeys::new(&words, &center("a.example"));
        let again = RecoveryKeys::new(&words, &center("a.example"));
        let elsewhere = RecoveryKeys::new(&words, &center("b.example"));
        let others = RecoveryKeys::new(&Mnemonic::from_entropy([8; 16]), &center("a.example"));
        assert_eq!(keys.wallet_id, again.wallet_id);
        assert_eq!(keys.wallet_key.expose(), again.wallet_key.expose());
        assert_eq!(keys.notes_key.expose(), again.notes_key.expose());
        for other in [&elsewhere, &others] {
            assert_ne!(keys.wallet_id, other.wallet_id);
            assert_ne!(keys.wallet_key.expose(), other.wallet_key.expose());
            assert_ne!(keys.notes_key.expose(), other.notes_key.expose());
        }
        assert_ne!(keys.notes_key.expose(), keys.wallet_key.expose());
    }

    #[test]
    fn a_signature_holds_for_its_key_and_message_alone() {
        let (key, other) = (Secret::from_bytes([1; 32]), Secret::from_bytes([2; 32]));
        let signature = sign(&key, b"message");
        assert!(verify(&public_key(&key), b"message", &signature));
        assert!(!verify(&public_key(&key), b"another", &signature));
        assert!(!verify(&public_key(&other), b"message", &signature));
        assert!(!verify(&[0xFF; 32], b"message", &signature), "no point of the curve");
    }
}
