//! Keys at rest under a passphrase: Argon2id (RFC 9106) makes the key, ChaCha20-Poly1305 (RFC 8439) seals (T24).

use std::fmt;
use std::fs;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use serde::{Deserialize, Serialize};
use tuppence_protocol::bytes::Bytes;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{KeyError, check_private};

/// Memory that a guess costs, in KiB: RFC 9106's second recommendation.
const MEMORY_KIB: u32 = 64 * 1_024;
/// The most that a file may ask for.
const MEMORY_KIB_MAX: u32 = 1_024 * 1_024;
/// Passes over it.
const PASSES: u32 = 3;
const PASSES_MAX: u32 = 64;
/// Shorter ones are guessed whatever a guess costs.
const CHARS_MIN: usize = 8;

/// What the key file is sealed under. Never printed, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

impl Passphrase {
    /// The passphrase in a file that only its owner may read, without the line's end.
    ///
    /// # Errors
    /// [`KeyError`] if the file cannot be read, can be read by others, or says too little.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        check_private(path)?;
        let file_error = |source| KeyError::File { path: path.to_owned(), source };
        let text = Zeroizing::new(fs::read_to_string(path).map_err(file_error)?);
        Self::new(text.trim_end_matches(['\r', '\n'])).ok_or_else(|| {
            KeyError::Unusable(format!(
                "the passphrase in {} has fewer than {CHARS_MIN} characters",
                path.display()
            ))
        })
    }

    /// A passphrase of at least eight characters.
    pub fn new(text: &str) -> Option<Self> {
        (text.chars().count() >= CHARS_MIN).then(|| Passphrase(text.to_owned()))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// A sealed text, with all that is needed to open it but the passphrase.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Sealed {
    kdf: Kdf,
    memory_kib: u32,
    passes: u32,
    salt: Bytes<64>,
    nonce: Bytes<12>,
    ciphertext: Bytes<65_536>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kdf {
    Argon2id,
}

impl Sealed {
    /// Seals `text`.
    ///
    /// # Errors
    /// [`KeyError::Random`], or a text beyond the limit.
    pub fn close(text: &[u8], passphrase: &Passphrase) -> Result<Self, KeyError> {
        let mut random = [0; 28];
        getrandom::fill(&mut random).map_err(KeyError::Random)?;
        let (salt, nonce) = random.split_at(16);
        let unusable = || KeyError::Unusable("the keys cannot be sealed".to_owned());
        let bytes = |bytes: &[u8]| bytes.to_vec();
        let key = key(passphrase, salt, MEMORY_KIB, PASSES)?;
        let fixed: [u8; 12] = nonce.try_into().map_err(|_| unusable())?;
        let payload = Payload { msg: text, aad: &associated(MEMORY_KIB, PASSES, salt) };
        let ciphertext = cipher(&key).encrypt(&Nonce::from(fixed), payload).map_err(|_| unusable())?;
        Ok(Sealed {
            kdf: Kdf::Argon2id,
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            salt: Bytes::try_from(bytes(salt)).map_err(|_| unusable())?,
            nonce: Bytes::try_from(bytes(nonce)).map_err(|_| unusable())?,
            ciphertext: Bytes::try_from(ciphertext).map_err(|_| unusable())?,
        })
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`KeyError::PassphraseWrong`], whatever does not fit.
    pub fn open(&self, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let Self { kdf: Kdf::Argon2id, memory_kib, passes, salt, nonce, ciphertext } = self;
        if *memory_kib > MEMORY_KIB_MAX || *passes > PASSES_MAX {
            return Err(KeyError::Unusable("the key file asks for more work than a center does".to_owned()));
        }
        let key = key(passphrase, salt.as_slice(), *memory_kib, *passes)?;
        let nonce: [u8; 12] = nonce.as_slice().try_into().map_err(|_| KeyError::PassphraseWrong)?;
        let associated = associated(*memory_kib, *passes, salt.as_slice());
        let payload = Payload { msg: ciphertext.as_slice(), aad: &associated };
        let opened = cipher(&key).decrypt(&Nonce::from(nonce), payload);
        opened.map(Zeroizing::new).map_err(|_| KeyError::PassphraseWrong)
    }
}

fn key(
    passphrase: &Passphrase,
    salt: &[u8],
    memory: u32,
    passes: u32,
) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let unusable =
        |error: argon2::Error| KeyError::Unusable(format!("the passphrase cannot be used: {error}"));
    let params = Params::new(memory, passes, 1, Some(32)).map_err(unusable)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.as_bytes(), salt, key.as_mut_slice())
        .map_err(unusable)?;
    Ok(key)
}

/// The work is authenticated too, so that nobody makes guessing cheaper for the next sealing.
fn associated(memory_kib: u32, passes: u32, salt: &[u8]) -> Vec<u8> {
    [b"tuppence/keys/1".as_slice(), &memory_kib.to_be_bytes(), &passes.to_be_bytes(), salt].concat()
}

fn cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(*key))
}
