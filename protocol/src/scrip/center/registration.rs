//! Registration (spec/01, figure 1) and the attestation of earners (rule 9): R1, E1.

use crate::challenge::Challenge;
use crate::envelope::SecretBox;
use crate::error::{ErrorCode, Refusal};
use crate::ids::{IdType, Serial};
use crate::scrip::center::keys::no_secret;
use crate::scrip::center::{Center, Found, Purse, ScripState};
use crate::scrip::earner::{Attestation, AttestationReply, AttestationRequest, earner};
use crate::scrip::registration::{RegistrationReply, RegistrationRequest, associated};
use crate::scrip::{Code, Header};
use crate::secret::Secret;
use crate::time::Timestamp;

impl Center {
    /// A challenge to be solved before a registration; nothing is stored.
    pub fn challenge(&self, salt: [u8; 16], now: Timestamp) -> Challenge {
        let expires = now.plus(self.policy.challenge_lifetime);
        Challenge::new(salt, self.policy.challenge_bits, expires, &self.keys.challenge_secret)
    }

    /// Whether an R1 is worth the decryption of its envelope: this center's challenge was solved for
    /// just this R1, however long ago. To be asked first, since it costs a thousandth (T14).
    ///
    /// # Errors
    /// [`ErrorCode::Challenge`], [`ErrorCode::Version`] or [`ErrorCode::WrongMessage`].
    pub fn check_work(&self, request: &RegistrationRequest) -> Result<(), Refusal> {
        self.check_registration(request, request.etc.solution.challenge.expires)
    }

    /// Whether a new wallet may register: this center's challenge was solved for it, in time. Whether the
    /// solution was used before is for the records to say.
    ///
    /// # Errors
    /// [`ErrorCode::Challenge`], [`ErrorCode::Version`] or [`ErrorCode::WrongMessage`].
    pub fn check_registration(&self, request: &RegistrationRequest, now: Timestamp) -> Result<(), Refusal> {
        request.header.expect(&[Code::Um1])?;
        // The bits are sealed too; a challenge given under an easier policy is good until it expires.
        request.etc.solution.verify(request.content(), &self.keys.challenge_secret, 0, now)
    }

    /// The purse of a new buyer, with its first scrip, of value 0.
    ///
    /// # Errors
    /// [`ErrorCode::Fault`] if the key rings are empty.
    pub fn new_purse(&self, customer: Serial, now: Timestamp) -> Result<Purse, Refusal> {
        let (secret_id, _) = self.keys.customer_secrets.current().ok_or_else(no_secret)?;
        let value = crate::Amount::zero(self.policy.currency);
        let expires = now.plus(self.policy.scrip_lifetime);
        // Buyers' numbers begin anew with each epoch of the books as serials do.
        let first = Serial::first_of(customer.epoch()).unwrap_or(Serial::FIRST);
        Ok(Purse {
            custom_id: IdType { secret_id, serial_number: customer },
            live: self.keys.new_scrip(first, value, None, expires)?,
            pending: None,
        })
    }

    /// R2 of a registration at `at` with the scrip `first`; the same arguments give the same bytes.
    ///
    /// # Errors
    /// [`ErrorCode::Fault`] if a secret was removed.
    pub fn registration_reply(
        &self,
        custom_id: IdType,
        first: &ScripState,
        session_key: &Secret,
        nonce: [u8; 12],
        at: Timestamp,
    ) -> Result<RegistrationReply, Refusal> {
        let header = Header::new(Code::Um2, at);
        let scrip = self.keys.scrip(custom_id, first)?;
        let custom_secret = self.keys.custom_secret(custom_id)?;
        let closed = SecretBox::close(session_key, nonce, &associated(&header, &scrip), &custom_secret);
        let custom_secret =
            closed.map_err(|_| Refusal::new(ErrorCode::Fault, "The secret cannot be encrypted."))?;
        Ok(RegistrationReply { header, scrip, custom_secret })
    }

    /// E1 -> E2.
    ///
    /// # Errors
    /// Whatever rule the message breaks.
    pub fn attest(
        &self,
        message: &AttestationRequest,
        found: Found<'_>,
    ) -> Result<AttestationReply, Refusal> {
        message.header.expect(&[Code::Em1])?;
        self.keys.authenticate(&message.scrip, &message.hash, |secret| message.seal(secret))?;
        let purse = found.purse(message.scrip.scrip.custom_id)?;
        let seller = found.seller(&message.vendor_id)?;
        let (secret_id, secret) = seller.secrets.current().ok_or_else(no_secret)?;
        let earner = earner(seller.id, &self.keys.custom_secret(purse.custom_id)?);
        let attestation = Attestation::new(seller.id, earner, secret_id, secret);
        // The question's own date, so that the same question gets the same bytes.
        Ok(AttestationReply { header: Header::new(Code::Em2, message.header.server_date), attestation })
    }
}
