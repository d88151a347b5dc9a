//! The customer's side (spec/03): the wallet makes and signs the authority, and whoever it hands the [`Budget`] to pays
//! with it: the shop's own page, without the wallet.
//!
//! What is sent is stored first, so that the same can be sent again; an index is stored before its payword leaves.

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::amount::Amount;
use crate::canonical::{self, Tag};
use crate::ids::VendorId;
use crate::payword::authority::{Authority, AuthorityOrder, Countersigned};
use crate::payword::certificate::{Certificate, CertificateRequest};
use crate::payword::chain::{Chain, ChainError, Generator};
use crate::payword::charge::{CHARGE_JUMP_MAX, Charge};
use crate::payword::check::CheckError;
use crate::payword::error::PaywordError;
use crate::payword::link::{ChainId, Payword};
use crate::scrip::buyer::Purse;
use crate::seal::Seal;
use crate::secret::Secret;
use crate::signature::{PublicKey, PublicKeys, Signature};
use crate::time::Timestamp;

/// A customer at one shop: a pseudonym with its key.
#[derive(Debug, Clone)]
pub struct Customer {
    vendor_id: VendorId,
    key: Secret,
}

impl Customer {
    /// The customer of the wallet that registered with `wallet_key`, at `vendor_id`: HKDF-SHA-256 with the shop's
    /// canonical encoding as its info, so that a wallet stores no further key and two shops see two customers. The
    /// center cannot make it, as it could from Custom_Secret.
    pub fn at(vendor_id: VendorId, wallet_key: &Secret) -> Self {
        let info = canonical::encode(Tag::CustomerKey, |w| w.nested(&vendor_id));
        let mut key = [0; 32];
        // HKDF-SHA-256 refuses only outputs beyond 8,160 bytes.
        let _ = Hkdf::<Sha256>::new(None, wallet_key.expose()).expand(&info, &mut key);
        Customer { vendor_id, key: Secret::from_bytes(key) }
    }

    /// The customer's public key.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of(&self.key)
    }

    /// Asks the center for a certificate.
    pub fn certificate(&self, purse: &Purse) -> AwaitingCertificate {
        let scrip = purse.scrip.clone();
        let hash = Seal::from_bytes([0; 32]);
        let mut request = CertificateRequest { scrip, customer: self.public_key(), hash };
        request.hash = request.seal(&purse.custom_secret);
        AwaitingCertificate { request }
    }

    /// Authorises the shop to take what `plan` says.
    pub fn authorise(&self, certificate: Certificate, plan: &Plan, root: Payword) -> AuthorityOrder {
        let authority = Authority {
            vendor_id: self.vendor_id.clone(),
            center_id: certificate.center_id.clone(),
            customer: self.public_key(),
            nonce: plan.nonce,
            root,
            length: plan.length,
            unit: plan.unit,
            expires: plan.expires,
            signature: Signature::from_bytes([0; 64]),
        };
        AuthorityOrder { authority: authority.signed(&self.key), certificate }
    }
}

/// A budget that is planned: its chain and its terms. To be stored before the authority is paid, since `end` is the
/// money.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// 128 random bits.
    #[serde(with = "crate::bytes::fixed")]
    pub nonce: [u8; 16],
    /// `w_n`: 256 random bits.
    pub end: Secret,
    /// n.
    pub length: u32,
    /// What one payword is worth.
    pub unit: Amount,
    /// Until when the shop takes paywords.
    pub expires: Timestamp,
}

impl Plan {
    /// Begins to make its chain for `vendor_id`.
    ///
    /// # Errors
    /// [`ChainError::Length`].
    pub fn generator(&self, vendor_id: &VendorId) -> Result<Generator, ChainError> {
        Generator::new(&ChainId::at(vendor_id, &self.nonce), self.length, self.end.clone())
    }
}

/// A certificate was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingCertificate {
    /// What was sent.
    pub request: CertificateRequest,
}

impl AwaitingCertificate {
    /// The certificate, if this center gave it to this customer.
    ///
    /// # Errors
    /// [`PaywordError::Foreign`], [`PaywordError::Forged`].
    pub fn receive(
        &self,
        certificate: &Certificate,
        center_keys: &PublicKeys,
    ) -> Result<Certificate, PaywordError> {
        if certificate.center_id != self.request.scrip.scrip.vendor_id {
            return Err(PaywordError::Foreign("The certificate is another center's."));
        }
        if certificate.customer != self.request.customer {
            return Err(PaywordError::Foreign("The certificate is another customer's."));
        }
        if !certificate.holds(center_keys) {
            return Err(PaywordError::Forged("The center has not signed the certificate."));
        }
        Ok(certificate.clone())
    }
}

/// An authority was paid and sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingCountersignature {
    /// What was sent.
    pub order: AuthorityOrder,
    /// Its secret end.
    pub end: Secret,
}

impl AwaitingCountersignature {
    /// The budget, if the center countersigned just this authority.
    ///
    /// # Errors
    /// [`PaywordError::Foreign`], and what is wrong with the countersignature.
    pub fn receive(
        &self,
        countersigned: &Countersigned,
        center_keys: &PublicKeys,
    ) -> Result<Budget, PaywordError> {
        if countersigned.authority().id() != self.order.authority.id() {
            return Err(PaywordError::Foreign("Another authority was countersigned."));
        }
        countersigned.check(&self.order.authority.center_id, center_keys)?;
        Ok(Budget { countersigned: countersigned.clone(), end: self.end.clone(), paid: 0, ended: false })
    }
}

/// What can be spent at one shop. Whoever has it can spend it: it holds the chain's end, and no key of the wallet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Budget {
    countersigned: Countersigned,
    end: Secret,
    paid: u32,
    ended: bool,
}

impl Budget {
    /// The authority, for the shop.
    pub fn countersigned(&self) -> &Countersigned {
        &self.countersigned
    }

    /// Begins to make the chain again, where it is no longer in memory.
    ///
    /// # Errors
    /// [`ChainError::Length`].
    pub fn generator(&self) -> Result<Generator, ChainError> {
        let authority = self.countersigned.authority();
        let id = ChainId::at(&authority.vendor_id, &authority.nonce);
        Generator::new(&id, authority.length, self.end.clone())
    }

    /// How many units were spent.
    pub const fn paid(&self) -> u32 {
        self.paid
    }

    /// How many units are left.
    pub fn left(&self) -> u32 {
        if self.ended { 0 } else { self.countersigned.authority().length - self.paid }
    }

    /// Pays `units` more: to be stored as it is now before the charge is sent. Until the shop has answered, the same
    /// charge is sent again, by [`Budget::again`].
    ///
    /// # Errors
    /// [`PaywordError::Payword`] for more than is left or than a shop takes at once, [`PaywordError::Ended`],
    /// [`PaywordError::Foreign`] for another budget's chain.
    pub fn charge(&mut self, chain: &mut Chain, units: u32) -> Result<Charge, PaywordError> {
        if self.ended {
            return Err(PaywordError::Ended(self.paid));
        }
        if units > CHARGE_JUMP_MAX {
            return Err(CheckError::Jump(CHARGE_JUMP_MAX).into());
        }
        if units > self.left() {
            return Err(CheckError::Beyond(self.countersigned.authority().length).into());
        }
        let charge = self.show(chain, self.paid + units)?;
        self.paid = charge.index;
        Ok(charge)
    }

    /// The charge that was sent last.
    ///
    /// # Errors
    /// [`PaywordError::Foreign`] for another budget's chain.
    pub fn again(&self, chain: &mut Chain) -> Result<Charge, PaywordError> {
        self.show(chain, self.paid)
    }

    /// Ends the budget: the shop takes no more, and the rest returns. To be stored before the charge is sent.
    ///
    /// # Errors
    /// [`PaywordError::Foreign`] for another budget's chain.
    pub fn end(&mut self, chain: &mut Chain) -> Result<Charge, PaywordError> {
        self.ended = true;
        self.show(chain, self.paid)
    }

    fn show(&self, chain: &mut Chain, index: u32) -> Result<Charge, PaywordError> {
        let authority = self.countersigned.authority();
        if chain.root() != authority.root {
            return Err(PaywordError::Foreign("The chain is another budget's."));
        }
        let payword = chain.payword(index)?;
        Ok(Charge { authority_id: authority.id(), index, payword, last: self.ended })
    }
}
