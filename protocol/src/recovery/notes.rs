//! N1 and N2: what only the reader knows (titles, names) kept at the center, encrypted with a key of the words.
//!
//! The center sees a length in steps of a kibibyte and a version. Whoever keeps names the version that it has
//! read, so that of two devices none overwrites what the other has kept; the version is authenticated, so that
//! older notes cannot be passed off as the newest.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::bytes::Bytes;
use crate::canonical::{self, Canonical, Tag, Writer};
use crate::envelope::EnvelopeError;
use crate::error::{ErrorCode, Refusal};
use crate::ids::{Serial, VendorId};
use crate::recovery::keys::RecoveryKeys;
use crate::scrip::buyer::Purse;
use crate::scrip::{Code, Header, Scrip};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::time::Timestamp;

/// The most bytes of sealed notes.
pub const SEALED_MAX: usize = 32 * 1024;
/// Nonce and tag.
const OVERHEAD: usize = 12 + 16;
/// Plain notes are filled up to whole multiples of this.
const BLOCK: usize = 1024;
/// The most bytes of plain notes.
pub const PLAIN_MAX: usize = SEALED_MAX - BLOCK;

/// Encrypted notes, as the center keeps them.
pub type Sealed = Bytes<SEALED_MAX>;

/// N1, buyer -> center: NM1_1 or NM1_2.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotesRequest {
    /// NM1_1 fetches, NM1_2 keeps.
    pub header: Header,
    /// Any scrip of the buyer's, also an older or expired one.
    pub scrip: Scrip,
    /// What shall be kept (NM1_2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Notes>,
    /// 128 random bits, which the reply repeats.
    #[serde(with = "crate::bytes::fixed")]
    pub nonce: [u8; 16],
    /// `H[code || ScripType || notes || nonce || Custom_Secret]`.
    pub hash: Seal,
}

/// Notes and their version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notes {
    /// Which version these are: the first ones are 1.
    pub version: Serial,
    /// Nonce and ciphertext of ChaCha20-Poly1305.
    pub sealed: Sealed,
}

impl Canonical for Notes {
    fn write(&self, writer: &mut Writer) {
        writer.u64(self.version.get());
        writer.bytes(self.sealed.as_slice());
    }
}

impl Notes {
    /// Encrypts `plain` as this version of the notes of the wallet of `keys` at `center`.
    ///
    /// # Errors
    /// [`EnvelopeError`] for more than [`PLAIN_MAX`] bytes.
    pub fn seal(
        keys: &RecoveryKeys,
        center: &VendorId,
        version: Serial,
        nonce: [u8; 12],
        plain: &[u8],
    ) -> Result<Self, EnvelopeError> {
        if plain.len() > PLAIN_MAX {
            return Err(EnvelopeError);
        }
        let mut padded = Zeroizing::new(plain.to_vec());
        let whole = plain.len().saturating_add(OVERHEAD).next_multiple_of(BLOCK);
        // Spaces, since JSON does not mind them.
        padded.resize(whole.saturating_sub(OVERHEAD), b' ');
        let associated = associated(keys, center, version);
        let payload = Payload { msg: &padded, aad: &associated };
        let mut sealed = nonce.to_vec();
        sealed.extend(cipher(keys).encrypt(&Nonce::from(nonce), payload).map_err(|_| EnvelopeError)?);
        Ok(Notes { version, sealed: Sealed::try_from(sealed).map_err(|_| EnvelopeError)? })
    }

    /// Decrypts them.
    ///
    /// # Errors
    /// [`EnvelopeError`] unless this wallet made them as this version.
    pub fn open(&self, keys: &RecoveryKeys, center: &VendorId) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let (nonce, ciphertext) = self.sealed.as_slice().split_first_chunk::<12>().ok_or(EnvelopeError)?;
        let associated = associated(keys, center, self.version);
        let payload = Payload { msg: ciphertext, aad: &associated };
        let opened = cipher(keys).decrypt(&Nonce::from(*nonce), payload);
        opened.map(Zeroizing::new).map_err(|_| EnvelopeError)
    }
}

fn cipher(keys: &RecoveryKeys) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(*keys.notes_key.expose()))
}

fn associated(keys: &RecoveryKeys, center: &VendorId, version: Serial) -> Vec<u8> {
    canonical::encode(Tag::Notes, |w| {
        w.nested(center);
        w.bytes(keys.wallet_id.as_bytes());
        w.u64(version.get());
    })
}

impl NotesRequest {
    /// The seal that this message must carry.
    pub fn seal(&self, custom_secret: &Secret) -> Seal {
        self.scrip.hash_algorithm.seal(custom_secret, Tag::NotesAsk, |w| {
            w.u16(self.header.cmd_type.number());
            w.nested(&self.scrip);
            w.optional(self.notes.as_ref(), |w, notes| w.nested(notes));
            w.bytes(&self.nonce);
        })
    }
}

/// N2, center -> buyer: NM2_1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotesReply {
    /// NM2_1.
    pub header: Header,
    /// The request's.
    #[serde(with = "crate::bytes::fixed")]
    pub nonce: [u8; 16],
    /// The notes that are kept, to NM1_1; absent while there are none, and to NM1_2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Notes>,
    /// `H[code || nonce || notes || Custom_Secret]`, by the algorithm of the request's scrip.
    pub hash: Seal,
}

impl NotesReply {
    /// The seal that this message must carry, as the reply to a message with `scrip`.
    pub fn seal(&self, scrip: &Scrip, custom_secret: &Secret) -> Seal {
        scrip.hash_algorithm.seal(custom_secret, Tag::NotesReply, |w| {
            w.u16(self.header.cmd_type.number());
            w.bytes(&self.nonce);
            w.optional(self.notes.as_ref(), |w, notes| w.nested(notes));
        })
    }
}

/// N1 was sent, N2 is awaited.
#[derive(Debug, Clone)]
pub struct AwaitingNotes {
    /// N1.
    pub request: NotesRequest,
}

impl Purse {
    /// N1: fetches the notes, or keeps `notes`.
    pub fn notes(&self, notes: Option<Notes>, nonce: [u8; 16], now: Timestamp) -> AwaitingNotes {
        let code = if notes.is_some() { Code::Nm1_2 } else { Code::Nm1_1 };
        let mut request = NotesRequest {
            header: Header::new(code, now),
            scrip: self.scrip.clone(),
            notes,
            nonce,
            hash: Seal::from_bytes([0; 32]),
        };
        request.hash = request.seal(&self.custom_secret);
        AwaitingNotes { request }
    }
}

impl AwaitingNotes {
    /// The notes that are kept, if they were asked for and there are any.
    ///
    /// # Errors
    /// [`ErrorCode::SealInvalid`] for a reply that the center did not make for this buyer and this request.
    pub fn receive(&self, reply: NotesReply, custom_secret: &Secret) -> Result<Option<Notes>, Refusal> {
        reply.header.expect(&[Code::Nm2_1])?;
        let seal = reply.seal(&self.request.scrip, custom_secret);
        if !seal.matches(&reply.hash) || reply.nonce != self.request.nonce {
            return Err(Refusal::new(ErrorCode::SealInvalid, "The reply's seal does not hold."));
        }
        Ok(reply.notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::words::Mnemonic;

    fn center(name: &str) -> VendorId {
        VendorId {
            dns_name: name.parse().unwrap(),
            ip_addr: None,
            server_name: "Center".parse().unwrap(),
            port: 443,
        }
    }

    fn version(number: u64) -> Serial {
        Serial::try_from(number).unwrap()
    }

    #[test]
    fn notes_open_for_their_wallet_center_and_version_alone() {
        let here = center("a.example");
        let keys = RecoveryKeys::new(&Mnemonic::from_entropy([1; 16]), &here);
        let notes = Notes::seal(&keys, &here, version(3), [7; 12], b"{}").unwrap();
        assert_eq!(&notes.open(&keys, &here).unwrap()[..2], b"{}");
        let other = RecoveryKeys::new(&Mnemonic::from_entropy([2; 16]), &here);
        assert!(notes.open(&other, &here).is_err(), "stolen notes are useless without the words");
        assert!(notes.open(&keys, &center("b.example")).is_err());
        let older = Notes { version: version(4), ..notes.clone() };
        assert!(older.open(&keys, &here).is_err(), "older notes passed off as newer ones");
        let cut = Notes { sealed: Sealed::try_from(vec![1; 11]).unwrap(), ..notes };
        assert!(cut.open(&keys, &here).is_err());
    }

    #[test]
    fn a_length_says_little_and_has_its_limit() {
        let here = center("a.example");
        let keys = RecoveryKeys::new(&Mnemonic::from_entropy([1; 16]), &here);
        let sealed = |length: usize| Notes::seal(&keys, &here, version(1), [7; 12], &vec![b' '; length]);
        for (length, whole) in [(0, 1_024), (996, 1_024), (997, 2_048), (PLAIN_MAX, SEALED_MAX)] {
            assert_eq!(sealed(length).unwrap().sealed.as_slice().len(), whole);
        }
        assert!(sealed(PLAIN_MAX + 1).is_err());
    }
}
