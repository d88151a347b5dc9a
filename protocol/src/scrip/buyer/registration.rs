//! R1 and R2: a buyer registers (spec/01, figure 1).

use serde::{Deserialize, Serialize};

use crate::challenge::{Content, Solution};
use crate::envelope::KeyEnvelope;
use crate::error::Refusal;
use crate::ids::{Serial, VendorId, WalletId};
use crate::scrip::buyer::{Purse, forged};
use crate::scrip::registration::{self, Etc, RegistrationReply, RegistrationRequest, associated};
use crate::scrip::{Code, Header};
use crate::secret::Secret;
use crate::time::Timestamp;

/// What a nameless wallet registers with; the challenge is solved for just this.
#[derive(Debug, Clone)]
pub struct NewWallet {
    /// The wallet identifier.
    pub id: WalletId,
    /// The wallet's Ed25519 public key.
    pub wallet_key: [u8; 32],
    /// `KUcenter[KS]`.
    pub key_envelope: KeyEnvelope,
}

impl NewWallet {
    /// What the challenge must be solved for.
    pub fn content(&self) -> Content {
        registration::content(self.id, [None; 3], &self.wallet_key, &self.key_envelope)
    }
}

/// R1 was sent, R2 is awaited. The session key is kept apart, since it is secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingRegistration {
    /// R1.
    pub request: RegistrationRequest,
    /// The center that was met.
    pub center_id: VendorId,
}

impl AwaitingRegistration {
    /// R1 of `wallet`, with a challenge that was solved for its content.
    pub fn new(center_id: VendorId, wallet: NewWallet, solution: Solution, now: Timestamp) -> Self {
        let NewWallet { id, wallet_key, key_envelope } = wallet;
        let request = RegistrationRequest {
            header: Header::new(Code::Um1, now),
            id,
            name: None,
            address: None,
            e_mail: None,
            etc: Etc { wallet_key, solution },
            key_envelope,
        };
        AwaitingRegistration { request, center_id }
    }

    /// R2, opened with the session key that R1 encrypted.
    ///
    /// # Errors
    /// [`crate::ErrorCode::ScripForged`] unless it holds this center's first scrip, of value 0, and a
    /// secret that was encrypted under the session key together with just this header and scrip.
    pub fn receive(&self, reply: &RegistrationReply, session_key: &Secret) -> Result<Purse, Refusal> {
        reply.header.expect(&[Code::Um2])?;
        let body = &reply.scrip.scrip;
        if body.vendor_id != self.center_id {
            return Err(forged("The scrip is another center's."));
        }
        if !body.value.is_zero()
            || Some(body.scrip_id.serial_number) != Serial::first_of(body.custom_id.serial_number.epoch())
        {
            return Err(forged("The first scrip has a value or a later serial."));
        }
        let associated = associated(&reply.header, &reply.scrip);
        let custom_secret = reply
            .custom_secret
            .open(session_key, &associated)
            .map_err(|_| forged("The secret was not encrypted for this wallet."))?;
        Ok(Purse { scrip: reply.scrip.clone(), custom_secret })
    }
}
