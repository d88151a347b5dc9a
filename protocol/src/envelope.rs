//! Public-key encryption at registration: `KUcenter[KS]` and `KS[m]` (spec/01; RSA-OAEP of RFC 8017,
//! ChaCha20-Poly1305 of RFC 8439).

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::bytes::{self, Bytes};
use crate::secret::Secret;

#[cfg(not(target_arch = "wasm32"))]
mod rsa_key;

#[cfg(not(target_arch = "wasm32"))]
pub use rsa_key::CenterPrivateKey;

/// Bits of a new center's key.
pub const RSA_BITS: usize = 3072;
/// Bits of the smallest key that a wallet takes.
pub const RSA_BITS_MIN: usize = 2048;
/// Bits of the largest key that a wallet takes.
pub const RSA_BITS_MAX: usize = 4096;

/// The center's public key, DER of SubjectPublicKeyInfo on the wire. [`CenterPublicKey::encrypt`] makes `KUcenter[KS]`;
/// a wallet in a browser leaves that to the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Bytes<1024>", into = "Bytes<1024>")]
pub struct CenterPublicKey(Bytes<1024>);

impl CenterPublicKey {
    /// DER of SubjectPublicKeyInfo.
    pub fn as_der(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// SHA-256 of the DER: what a wallet pins, and shows in groups of four.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.as_der()).into())
    }
}

impl TryFrom<Bytes<1024>> for CenterPublicKey {
    type Error = &'static str;

    fn try_from(der: Bytes<1024>) -> Result<Self, Self::Error> {
        // Where the browser encrypts, it reads the key, and the wallet checks its size.
        #[cfg(not(target_arch = "wasm32"))]
        rsa_key::check(der.as_slice())?;
        Ok(CenterPublicKey(der))
    }
}

impl From<CenterPublicKey> for Bytes<1024> {
    fn from(key: CenterPublicKey) -> Self {
        key.0
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
