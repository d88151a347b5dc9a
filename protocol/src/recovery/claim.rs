//! C1 and C2: a wallet that has its words and nothing else gets its purse back.
//!
//! C1 is signed with the key that R1 registered, over a challenge that the center gave and takes once. C2 is
//! as R2: the first scrip and Custom_Secret, encrypted under a session key that only the claimant has. The
//! first scrip is worth nothing by itself; the live one comes with the statement.

use serde::{Deserialize, Serialize};

use crate::canonical::{self, Tag};
use crate::challenge::{Content, Solution};
use crate::envelope::{KeyEnvelope, SecretBox};
use crate::error::{ErrorCode, Refusal};
use crate::ids::{Serial, VendorId, WalletId};
use crate::recovery::keys::{self, RecoveryKeys};
use crate::scrip::buyer::Purse;
use crate::scrip::{Code, Header, Scrip};
use crate::secret::Secret;
use crate::time::Timestamp;

/// C1, buyer -> center: RM1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimRequest {
    /// RM1.
    pub header: Header,
    /// The wallet identifier, as in R1.
    pub id: WalletId,
    /// The solved challenge: this claim is new.
    pub solution: Solution,
    /// `KUcenter[KS]`.
    pub key_envelope: KeyEnvelope,
    /// Ed25519 by the wallet's key, over code, center, ID, solution and envelope.
    #[serde(with = "crate::bytes::fixed")]
    pub signature: [u8; 64],
}

impl ClaimRequest {
    /// A claim of the wallet of `keys` at `center`.
    pub fn new(
        center: &VendorId,
        keys: &RecoveryKeys,
        solution: Solution,
        key_envelope: KeyEnvelope,
        now: Timestamp,
    ) -> Self {
        let header = Header::new(Code::Rm1, now);
        let mut claim =
            ClaimRequest { header, id: keys.wallet_id, solution, key_envelope, signature: [0; 64] };
        claim.signature = keys::sign(&keys.wallet_key, &claim.signed(center));
        claim
    }

    /// What the challenge must be solved for, before the claim is made.
    pub fn content_of(center: &VendorId, id: WalletId, key_envelope: &KeyEnvelope) -> Content {
        Content::of(&canonical::encode(Tag::ClaimContent, |w| {
            w.nested(center);
            w.bytes(id.as_bytes());
            w.bytes(key_envelope.as_slice());
        }))
    }

    /// What the challenge must be solved for.
    pub fn content(&self, center: &VendorId) -> Content {
        Self::content_of(center, self.id, &self.key_envelope)
    }

    /// Whether the wallet that registered `wallet_key` made it, for `center`.
    #[must_use]
    pub fn holds(&self, center: &VendorId, wallet_key: &[u8; 32]) -> bool {
        keys::verify(wallet_key, &self.signed(center), &self.signature)
    }

    /// What the signature covers.
    pub fn signed(&self, center: &VendorId) -> Vec<u8> {
        canonical::encode(Tag::Claim, |w| {
            w.u16(self.header.cmd_type.number());
            w.nested(center);
            w.bytes(self.id.as_bytes());
            w.nested(&self.solution);
            w.bytes(self.key_envelope.as_slice());
        })
    }
}

/// C2, center -> buyer: RM2.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimReply {
    /// RM2.
    pub header: Header,
    /// The purse's first scrip, of value 0.
    pub scrip: Scrip,
    /// When the wallet was registered.
    pub registered: Timestamp,
    /// `KS[Custom_Secret]`, with [`ClaimReply::associated`] data.
    pub custom_secret: SecretBox,
}

impl ClaimReply {
    /// What `KS[Custom_Secret]` authenticates besides.
    pub fn associated(header: &Header, scrip: &Scrip, registered: Timestamp) -> Vec<u8> {
        canonical::encode(Tag::ClaimEnvelope, |w| {
            w.nested(header);
            w.nested(scrip);
            w.u64(registered.as_millis());
        })
    }

    /// The purse, as it was when it was new. It is to be brought up to date before it is used.
    ///
    /// # Errors
    /// [`ErrorCode::ScripForged`] unless `center` made it under the session key that C1 encrypted.
    pub fn receive(&self, center: &VendorId, session_key: &Secret) -> Result<Purse, Refusal> {
        self.header.expect(&[Code::Rm2])?;
        let forged = |message: &str| Refusal::new(ErrorCode::ScripForged, message);
        let body = &self.scrip.scrip;
        if body.vendor_id != *center {
            return Err(forged("The scrip is another center's."));
        }
        if !body.value.is_zero() || body.scrip_id.serial_number != Serial::FIRST {
            return Err(forged("The first scrip has a value or a later serial."));
        }
        let associated = Self::associated(&self.header, &self.scrip, self.registered);
        let custom_secret = self
            .custom_secret
            .open(session_key, &associated)
            .map_err(|_| forged("The secret was not encrypted for this wallet."))?;
        Ok(Purse { scrip: self.scrip.clone(), custom_secret })
    }
}
