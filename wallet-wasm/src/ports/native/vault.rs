//! Secrets at rest, under a key that lies beside the records (ChaCha20-Poly1305, RFC 8439). How that key is kept is
//! the program's affair.

use async_trait::async_trait;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use zeroize::Zeroizing;

use crate::ports::{Vault, VaultError};

const NONCE_BYTES: usize = 12;
/// Authenticated with every secret.
const PURPOSE: &[u8] = b"tuppence/vault/1";

/// A vault under one key.
pub struct KeyVault(Zeroizing<[u8; 32]>);

impl KeyVault {
    /// Under this key.
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        KeyVault(key)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

impl std::fmt::Debug for KeyVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyVault(..)")
    }
}

#[async_trait(?Send)]
impl Vault for KeyVault {
    async fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::Unsupported)?;
        let payload = Payload { msg: secret, aad: PURPOSE };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload);
        Ok([nonce.as_slice(), &sealed.map_err(|_| VaultError::Unsupported)?].concat())
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_BYTES>().ok_or(VaultError::Lost)?;
        let payload = Payload { msg: sealed, aad: PURPOSE };
        self.cipher().decrypt(&Nonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| VaultError::Lost)
    }
}
