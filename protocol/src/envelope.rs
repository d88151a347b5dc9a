//! Public-key encryption at registration: `KUcenter[KS]` and `KS[m]` (spec/01; RSA-OAEP of RFC 8017,
//! ChaCha20-Poly1305 of RFC 8439).

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use rsa::rand_core::CryptoRng;
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::bytes::{self, Bytes};
use crate::secret::Secret;

/// Bits of a new center's key.
pub const RSA_BITS: usize = 3072;
/// Bits of the smallest key that a wallet takes.
pub const RSA_BITS_MIN: usize = 2048;
/// Bits of the largest key that a wallet takes.
pub const RSA_BITS_MAX: usize = 4096;

/// The center's public key, DER of SubjectPublicKeyInfo on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Bytes<1024>", into = "Bytes<1024>")]
pub struct CenterPublicKey {
    key: RsaPublicKey,
    der: Bytes<1024>,
}

impl CenterPublicKey {
    /// SHA-256 of the DER: what a wallet pins, and shows in groups of four.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.der.as_slice()).into())
    }

    /// `KUcenter[KS]`.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the key cannot encrypt, which its check at decoding rules out.
    pub fn encrypt<R: CryptoRng>(
        &self,
        session_key: &Secret,
        rng: &mut R,
    ) -> Result<KeyEnvelope, EnvelopeError> {
        let encrypted = self.key.encrypt(rng, Oaep::<Sha256>::new(), session_key.expose());
        KeyEnvelope::try_from(encrypted.map_err(|_| EnvelopeError)?).map_err(|_| EnvelopeError)
    }
}

impl TryFrom<Bytes<1024>> for CenterPublicKey {
    type Error = &'static str;

    fn try_from(der: Bytes<1024>) -> Result<Self, Self::Error> {
        let key =
            RsaPublicKey::from_public_key_der(der.as_slice()).map_err(|_| "not an RSA public key in DER")?;
        if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&key.n().bits().try_into().unwrap_or(0)) {
            return Err("the center's key has fewer than 2048 or more than 4096 bits");
        }
        Ok(CenterPublicKey { key, der })
    }
}

impl From<CenterPublicKey> for Bytes<1024> {
    fn from(key: CenterPublicKey) -> Self {
        key.der
    }
}

/// SHA-256 of a public key's DER.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(#[serde(with = "crate::bytes::fixed")] [u8; 32]);

impl std::fmt::Display for Fingerprint {
    /// The first 128 bits in hexadecimal, in groups of four digits: enough to compare by eye.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, pair) in self.0[..16].chunks_exact(2).enumerate() {
            let gap = if position == 0 { "" } else { " " };
            write!(f, "{gap}{:02x}{:02x}", pair[0], pair[1])?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&bytes::encode(&self.0))
    }
}

/// `KUcenter[KS]`: an RSA-OAEP-SHA-256 ciphertext.
pub type KeyEnvelope = Bytes<512>;

/// The center's private key.
#[derive(Clone)]
pub struct CenterPrivateKey(RsaPrivateKey);

impl CenterPrivateKey {
    /// A new key of [`RSA_BITS`] bits; takes a second or more.
    ///
    /// # Errors
    /// [`EnvelopeError`] if no primes were found.
    pub fn generate<R: CryptoRng>(rng: &mut R) -> Result<Self, EnvelopeError> {
        RsaPrivateKey::new(rng, RSA_BITS).map(CenterPrivateKey).map_err(|_| EnvelopeError)
    }

    /// A key from its PKCS #8 DER.
    ///
    /// # Errors
    /// [`EnvelopeError`] for anything else.
    pub fn from_der(der: &[u8]) -> Result<Self, EnvelopeError> {
        RsaPrivateKey::from_pkcs8_der(der).map(CenterPrivateKey).map_err(|_| EnvelopeError)
    }

    /// The PKCS #8 DER, for keeping; wiped when dropped.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the key cannot be encoded.
    pub fn to_der(&self) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let document = self.0.to_pkcs8_der().map_err(|_| EnvelopeError)?;
        Ok(Zeroizing::new(document.as_bytes().to_vec()))
    }

    /// The public half.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the key cannot be encoded.
    pub fn public(&self) -> Result<CenterPublicKey, EnvelopeError> {
        let der = self.0.to_public_key().to_public_key_der().map_err(|_| EnvelopeError)?;
        let der = Bytes::try_from(der.as_bytes().to_vec()).map_err(|_| EnvelopeError)?;
        CenterPublicKey::try_from(der).map_err(|_| EnvelopeError)
    }

    /// `KS`, decrypted with blinding: one error for whatever was wrong (T15).
    ///
    /// # Errors
    /// [`EnvelopeError`] unless the envelope holds a session key of 32 bytes for this key.
    pub fn decrypt<R: CryptoRng>(
        &self,
        envelope: &KeyEnvelope,
        rng: &mut R,
    ) -> Result<Secret, EnvelopeError> {
        let decrypted = self.0.decrypt_blinded(rng, Oaep::<Sha256>::new(), envelope.as_slice());
        let bytes = Zeroizing::new(decrypted.map_err(|_| EnvelopeError)?);
        bytes.as_slice().try_into().map(Secret::from_bytes).map_err(|_| EnvelopeError)
    }
}

impl std::fmt::Debug for CenterPrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CenterPrivateKey(..)")
    }
}

/// `KS[m]` of a secret: a ChaCha20-Poly1305 nonce and ciphertext.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretBox {
    /// 96 random bits.
    #[serde(with = "crate::bytes::fixed")]
    pub nonce: [u8; 12],
    /// The secret, encrypted, and its tag.
    #[serde(with = "crate::bytes::fixed")]
    pub ciphertext: [u8; 48],
}

impl SecretBox {
    /// Encrypts `secret` under `session_key`; `associated` is authenticated with it.
    ///
    /// # Errors
    /// [`EnvelopeError`], which 32 bytes never cause.
    pub fn close(
        session_key: &Secret,
        nonce: [u8; 12],
        associated: &[u8],
        secret: &Secret,
    ) -> Result<Self, EnvelopeError> {
        let payload = Payload { msg: secret.expose(), aad: associated };
        let ciphertext =
            cipher(session_key).encrypt(&Nonce::from(nonce), payload).map_err(|_| EnvelopeError)?;
        Ok(SecretBox { nonce, ciphertext: ciphertext.try_into().map_err(|_| EnvelopeError)? })
    }

    /// Decrypts and authenticates.
    ///
    /// # Errors
    /// [`EnvelopeError`] if key, nonce, ciphertext or associated data differ from what was closed.
    pub fn open(&self, session_key: &Secret, associated: &[u8]) -> Result<Secret, EnvelopeError> {
        let payload = Payload { msg: &self.ciphertext, aad: associated };
        let opened =
            cipher(session_key).decrypt(&Nonce::from(self.nonce), payload).map_err(|_| EnvelopeError)?;
        let opened = Zeroizing::new(opened);
        opened.as_slice().try_into().map(Secret::from_bytes).map_err(|_| EnvelopeError)
    }
}

fn cipher(session_key: &Secret) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(*session_key.expose()))
}

/// Encryption or decryption failed; it does not say why, so that nothing can be learnt from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the encrypted key or secret cannot be used")]
pub struct EnvelopeError;

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use rsa::rand_core::{TryCryptoRng, TryRng};

    use super::*;

    /// Counts what is drawn from it.
    struct Counting {
        state: u64,
        drawn: usize,
    }

    impl TryRng for Counting {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes).map(|()| u32::from_be_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes).map(|()| u64::from_be_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            for byte in bytes {
                self.state = self
                    .state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *byte = self.state.to_be_bytes()[0];
                self.drawn += 1;
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Counting {}

    #[test]
    fn decryption_is_blinded_with_a_number_of_the_size_of_the_key() {
        let mut rng = Counting { state: 7, drawn: 0 };
        let key = CenterPrivateKey(RsaPrivateKey::new(&mut rng, RSA_BITS_MIN).unwrap());
        let secret = Secret::from_bytes([5; 32]);
        let good = key.public().unwrap().encrypt(&secret, &mut rng).unwrap();
        let bad = KeyEnvelope::try_from(vec![1; RSA_BITS_MIN / 8]).unwrap();
        for (envelope, opens) in [(good, true), (bad, false)] {
            let before = rng.drawn;
            let opened = key.decrypt(&envelope, &mut rng);
            assert_eq!(opened.is_ok_and(|opened| opened.expose() == secret.expose()), opens);
            assert!(rng.drawn - before >= RSA_BITS_MIN / 8, "{} bytes blind nothing", rng.drawn - before);
        }
    }
}
