//! Registration, once for each center (spec/01, figure 1): R1 and R2.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::canonical::{self, Tag, Writer};
use crate::challenge::{Content, Solution};
use crate::envelope::{KeyEnvelope, SecretBox};
use crate::ids::WalletId;
use crate::scrip::{Header, Scrip};
use crate::text::Text;

/// R1, buyer -> center: UM1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegistrationRequest {
    /// UM1.
    pub header: Header,
    /// The wallet identifier.
    pub id: WalletId,
    /// The buyer's name, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<200>>,
    /// The buyer's address, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Text<400>>,
    /// The buyer's e-mail address, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_mail: Option<Text<254>>,
    /// What the product adds.
    pub etc: Etc,
    /// `KUcenter[KS]`.
    pub key_envelope: KeyEnvelope,
}

/// `etc` of R1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Etc {
    /// The wallet's Ed25519 public key (RFC 8032), with which a lost wallet is claimed.
    #[serde(with = "crate::bytes::fixed")]
    pub wallet_key: [u8; 32],
    /// The solved anti-robot challenge.
    pub solution: Solution,
}

impl RegistrationRequest {
    /// What the challenge must be solved for.
    pub fn content(&self) -> Content {
        let Self { id, name, address, e_mail, etc, key_envelope, header: _ } = self;
        content(
            *id,
            [
                name.as_ref().map(Text::as_str),
                address.as_ref().map(Text::as_str),
                e_mail.as_ref().map(Text::as_str),
            ],
            &etc.wallet_key,
            key_envelope,
        )
    }

    /// SHA-256 of all that was sent but the header: by it the center knows the same R1 again.
    pub fn digest(&self) -> [u8; 32] {
        let message = canonical::encode(Tag::RegistrationRequest, |w| {
            w.bytes(self.id.as_bytes());
            w.optional(self.name.as_ref(), |w, text| w.text(text.as_str()));
            w.optional(self.address.as_ref(), |w, text| w.text(text.as_str()));
            w.optional(self.e_mail.as_ref(), |w, text| w.text(text.as_str()));
            w.bytes(&self.etc.wallet_key);
            w.nested(&self.etc.solution);
            w.bytes(self.key_envelope.as_slice());
        });
        Sha256::digest(message).into()
    }
}

/// The content of an R1 with these fields; `about` are name, address and e-mail.
pub(crate) fn content(
    id: WalletId,
    about: [Option<&str>; 3],
    wallet_key: &[u8; 32],
    key_envelope: &KeyEnvelope,
) -> Content {
    Content::of(&canonical::encode(Tag::RegistrationContent, |w| {
        w.bytes(id.as_bytes());
        for text in about {
            w.optional(text, Writer::text);
        }
        w.bytes(wallet_key);
        w.bytes(key_envelope.as_slice());
    }))
}

/// R2, center -> buyer: UM2.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegistrationReply {
    /// UM2.
    pub header: Header,
    /// The first scrip, of value 0.
    pub scrip: Scrip,
    /// `KS[Custom_Secret]`, with [`associated`] data.
    pub custom_secret: SecretBox,
}

/// What `KS[Custom_Secret]` authenticates besides: the header and the scrip of R2.
pub fn associated(header: &Header, scrip: &Scrip) -> Vec<u8> {
    canonical::encode(Tag::RegistrationEnvelope, |w| {
        w.nested(header);
        w.nested(scrip);
    })
}
