//! The authority (spec/03, session establishment, 2 to 4): what a customer lets one shop take, signed by the
//! customer, and countersigned by the center once it has the whole sum.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::amount::Amount;
use crate::bytes;
use crate::canonical::{self, Canonical, Tag, Writer};
use crate::error::{ErrorCode, Refusal};
use crate::ids::VendorId;
use crate::payword::certificate::Certificate;
use crate::payword::error::PaywordError;
use crate::payword::link::{ChainId, LENGTH_MAX, Link, Payword};
use crate::scrip::RequestUrl;
use crate::secret::Secret;
use crate::signature::{PublicKey, PublicKeys, Signature};
use crate::time::{Duration, Timestamp};

/// How far ahead an authority may end: so long at most a customer waits for the rest of a forgotten budget, and
/// [`GRACE`].
pub const LIFETIME_MAX: Duration = Duration::from_days(90);
/// How long after an authority's end the shop can still deposit; then the rest goes back to the customer.
pub const GRACE: Duration = Duration::from_days(7);

/// What the requestURL that pays for an authority begins with.
const SCHEME: &str = "payword:";

/// Which authority: SHA-256 of its terms. Whoever names one has named all of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorityId(#[serde(with = "crate::bytes::fixed")] [u8; 32]);

impl AuthorityId {
    /// The identifier of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        AuthorityId(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The requestURL of the S1 that pays for it: `payword:<identifier>`.
    ///
    /// # Errors
    /// None: the address is far shorter than one may be.
    pub fn request_url(&self) -> Result<RequestUrl, Refusal> {
        let url = format!("{SCHEME}{self}").parse();
        url.map_err(|_| Refusal::new(ErrorCode::Malformed, "The authority has no address."))
    }
}

impl fmt::Display for AuthorityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bytes::encode(&self.0))
    }
}

impl fmt::Debug for AuthorityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a customer lets one shop take.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authority {
    /// The shop.
    pub vendor_id: VendorId,
    /// The center that pays.
    pub center_id: VendorId,
    /// The customer's key, which the certificate names too.
    pub customer: PublicKey,
    /// The 128 random bits of the chain's id.
    #[serde(with = "crate::bytes::fixed")]
    pub nonce: [u8; 16],
    /// `w_0`.
    pub root: Payword,
    /// n: how many units it is for, at most [`LENGTH_MAX`].
    pub length: u32,
    /// Currency and value of one payword.
    pub unit: Amount,
    /// Until when the shop takes paywords.
    pub expires: Timestamp,
    /// The customer's signature.
    pub signature: Signature,
}

impl Authority {
    /// Replaces the signature by that of the customer whose key's seed is `key`.
    #[must_use]
    pub fn signed(mut self, key: &Secret) -> Self {
        self.signature = Signature::new(key, Tag::Authority, |w| self.write_terms(w));
        self
    }

    /// Whether the customer that it names signed it.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.customer.verifies(&self.signature, Tag::Authority, |w| self.write_terms(w))
    }

    /// Which authority it is.
    pub fn id(&self) -> AuthorityId {
        let terms = canonical::encode(Tag::Authority, |w| self.write_terms(w));
        AuthorityId(Sha256::digest(terms).into())
    }

    /// All that it is for: n units.
    ///
    /// # Errors
    /// [`PaywordError::Terms`] beyond the largest amount.
    pub fn value(&self) -> Result<Amount, PaywordError> {
        self.worth(self.length)
    }

    /// What `index` units are worth.
    ///
    /// # Errors
    /// [`PaywordError::Terms`] beyond the largest amount.
    pub fn worth(&self, index: u32) -> Result<Amount, PaywordError> {
        self.unit
            .times(index)
            .map_err(|_| PaywordError::Terms("The units are worth more than an amount holds."))
    }

    /// The hash of its chain, which is another at every shop.
    pub fn link(&self) -> Link {
        Link::new(&ChainId::at(&self.vendor_id, &self.nonce))
    }

    fn check_terms(&self) -> Result<(), PaywordError> {
        if !(1..=LENGTH_MAX).contains(&self.length) || self.unit.is_zero() {
            return Err(PaywordError::Terms(
                "An authority is for one to 2^20 paywords that are worth something.",
            ));
        }
        self.value().map(|_| ())
    }

    fn write_terms(&self, writer: &mut Writer) {
        writer.nested(&self.vendor_id);
        writer.nested(&self.center_id);
        writer.bytes(self.customer.as_bytes());
        writer.bytes(&self.nonce);
        writer.bytes(self.root.as_bytes());
        writer.u32(self.length);
        self.unit.write(writer);
        writer.u64(self.expires.as_millis());
    }
}

impl Canonical for Authority {
    fn write(&self, writer: &mut Writer) {
        self.write_terms(writer);
        writer.bytes(self.signature.as_bytes());
    }
}

/// An authority with its customer's certificate: what the center is asked to countersign.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthorityOrder {
    /// What the customer signed.
    pub authority: Authority,
    /// That the center knows the customer.
    pub certificate: Certificate,
}

impl AuthorityOrder {
    /// That customer and certificate belong together, and both to `center_id`.
    pub(super) fn check(&self, center_id: &VendorId, center_keys: &PublicKeys) -> Result<(), PaywordError> {
        let AuthorityOrder { authority, certificate } = self;
        authority.check_terms()?;
        if authority.center_id != *center_id || certificate.center_id != *center_id {
            return Err(PaywordError::Foreign("The authority is for another center."));
        }
        if certificate.customer != authority.customer {
            return Err(PaywordError::Foreign("The certificate is another customer's."));
        }
        if !certificate.holds(center_keys) {
            return Err(PaywordError::Forged("The center has not signed the certificate."));
        }
        if !authority.holds() {
            return Err(PaywordError::Forged("The customer has not signed the authority."));
        }
        if authority.expires > certificate.expires {
            return Err(PaywordError::Expired("The authority ends after its customer's certificate."));
        }
        Ok(())
    }
}

/// An authority that the center countersigned: it has the whole sum, and pays the shop what paywords show.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Countersigned {
    /// What the customer signed, and who that is.
    pub order: AuthorityOrder,
    /// Which of the center's keys signs this.
    pub key_id: u32,
    /// The center's signature over authority and certificate.
    pub signature: Signature,
}

impl Countersigned {
    /// Countersigns `order` with the center's key `key_id`. The same again gives the same bytes.
    pub fn new(order: AuthorityOrder, key_id: u32, key: &Secret) -> Self {
        let signature =
            Signature::new(key, Tag::Countersignature, |w| write_countersigned(w, &order, key_id));
        Countersigned { order, key_id, signature }
    }

    /// What the customer signed.
    pub fn authority(&self) -> &Authority {
        &self.order.authority
    }

    /// That `center_id` signed all of it, and that it says nothing that contradicts itself: a shop needs to ask nobody.
    ///
    /// # Errors
    /// [`PaywordError::Forged`], [`PaywordError::Foreign`], [`PaywordError::Terms`], [`PaywordError::Expired`].
    pub fn check(&self, center_id: &VendorId, center_keys: &PublicKeys) -> Result<(), PaywordError> {
        self.order.check(center_id, center_keys)?;
        let holds = center_keys.find(self.key_id).is_some_and(|key| {
            key.verifies(&self.signature, Tag::Countersignature, |w| {
                write_countersigned(w, &self.order, self.key_id);
            })
        });
        if !holds {
            return Err(PaywordError::Forged("The center has not countersigned the authority."));
        }
        Ok(())
    }
}

fn write_countersigned(writer: &mut Writer, order: &AuthorityOrder, key_id: u32) {
    writer.nested(&order.authority);
    writer.nested(&order.certificate);
    writer.u32(key_id);
}
