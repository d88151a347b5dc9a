//! The licence (spec/02): a shop lets a center make so many of its scrips, with secrets that are good for those alone.

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::canonical::{self, Canonical, Tag, Writer};
use crate::envelope::SecretBox;
use crate::ids::{IdType, Serial, VendorId};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::vendor_scrip::error::VendorScripError;
use crate::vendor_scrip::{Props, customer_secret};

/// How many scrips one licence is for at most.
pub const LICENCE_COUNT_MAX: u32 = 1_000_000;

/// ID#s or Cust_ID#s that follow each other, under one master secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdRange {
    /// The master secret's number.
    pub secret_id: u32,
    /// The first serial.
    pub first: Serial,
}

impl IdRange {
    /// The identifier after `position` others; absent beyond the last serial that there is.
    pub fn nth(&self, position: u32) -> Option<IdType> {
        let serial = self.first.get().checked_add(u64::from(position))?;
        Some(IdType { secret_id: self.secret_id, serial_number: Serial::try_from(serial).ok()? })
    }

    /// Whether `id` is one of the first `count`.
    pub fn contains(&self, id: IdType, count: u32) -> bool {
        let position = id.serial_number.get().checked_sub(self.first.get());
        id.secret_id == self.secret_id && position.is_some_and(|position| position < u64::from(count))
    }
}

impl Canonical for IdRange {
    fn write(&self, writer: &mut Writer) {
        writer.u32(self.secret_id);
        writer.u64(self.first.get());
    }
}

/// What a licence is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LicenceTerms {
    /// The shop.
    pub vendor_id: VendorId,
    /// The center.
    pub center_id: VendorId,
    /// Which of the shop's licences; a later one has a higher number.
    pub number: u32,
    /// The ID#s.
    pub scrips: IdRange,
    /// The Cust_ID#s.
    pub customers: IdRange,
    /// How many of each, at most [`LICENCE_COUNT_MAX`].
    pub count: u32,
    /// Until when scrip of this licence can be spent at most.
    pub expires: Timestamp,
    /// What its scrip says besides.
    pub props: Props,
}

impl LicenceTerms {
    pub(super) fn check(&self) -> Result<(), VendorScripError> {
        if !(1..=LICENCE_COUNT_MAX).contains(&self.count) {
            return Err(VendorScripError::Terms("A licence is for one to a million scrips."));
        }
        let last = self.count - 1;
        if self.scrips.nth(last).is_none() || self.customers.nth(last).is_none() {
            return Err(VendorScripError::Terms("The licence's numbers go beyond the last serial."));
        }
        Ok(())
    }
}

impl Canonical for LicenceTerms {
    fn write(&self, writer: &mut Writer) {
        writer.nested(&self.vendor_id);
        writer.nested(&self.center_id);
        writer.u32(self.number);
        writer.nested(&self.scrips);
        writer.nested(&self.customers);
        writer.u32(self.count);
        writer.u64(self.expires.as_millis());
        writer.text(self.props.as_str());
    }
}

/// A licence with its secrets, as shop and center keep it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Licensed {
    /// What it is for.
    pub terms: LicenceTerms,
    /// The master scrip secret of its ID#s.
    pub scrip_secret: Secret,
    /// The master customer secret of its Cust_ID#s.
    pub customer_secret: Secret,
}

impl Licensed {
    /// Whether `other` is the same licence, with the same secrets.
    pub(super) fn is(&self, other: &Licensed) -> bool {
        let same = |ours: &Secret, theirs: &Secret| bool::from(ours.expose().ct_eq(theirs.expose()));
        self.terms == other.terms
            && same(&self.scrip_secret, &other.scrip_secret)
            && same(&self.customer_secret, &other.customer_secret)
    }

    /// The customer_secret of one of its Cust_ID#s.
    pub fn customer(&self, customer_id: IdType) -> Option<Secret> {
        let licensed = self.terms.customers.contains(customer_id, self.terms.count);
        licensed.then(|| customer_secret(customer_id, &self.customer_secret))
    }

    /// The secret that certifies one of its ID#s.
    pub fn scrip(&self, id: IdType) -> Option<&Secret> {
        self.terms.scrips.contains(id, self.terms.count).then_some(&self.scrip_secret)
    }
}

/// Shop -> center: a licence, its secrets encrypted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Licence {
    /// What it is for.
    pub terms: LicenceTerms,
    /// The master scrip secret, under a key that Vendor_Secret and terms derive.
    pub scrip_secret: SecretBox,
    /// The master customer secret, likewise.
    pub customer_secret: SecretBox,
    /// Which Vendor_Secret encrypts and seals.
    pub secret_id: u32,
    /// `H[terms || scripSecret || customerSecret || secretId || Vendor_Secret]`.
    pub seal: Seal,
}

impl Licence {
    /// The message that hands `licensed` over; `nonces` are random.
    ///
    /// # Errors
    /// None in practice: encryption of 32 bytes does not fail.
    pub fn new(
        licensed: &Licensed,
        nonces: [[u8; 12]; 2],
        secret_id: u32,
        vendor_secret: &Secret,
    ) -> Result<Self, VendorScripError> {
        let terms = licensed.terms.clone();
        let key = key(vendor_secret, &terms);
        let close = |nonce, which, secret| {
            let closed = SecretBox::close(&key, nonce, &associated(&terms, which), secret);
            closed.map_err(|_| VendorScripError::Forged("The secret cannot be encrypted."))
        };
        let [first, second] = nonces;
        let scrip_secret = close(first, "scrip", &licensed.scrip_secret)?;
        let customer_secret = close(second, "customer", &licensed.customer_secret)?;
        let seal = Seal::from_bytes([0; 32]);
        let mut licence = Licence { terms, scrip_secret, customer_secret, secret_id, seal };
        licence.seal = licence.expected_seal(vendor_secret);
        Ok(licence)
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`VendorScripError::Forged`] unless the shop that shares `vendor_secret` made it.
    pub fn open(&self, vendor_secret: &Secret) -> Result<Licensed, VendorScripError> {
        let forged = VendorScripError::Forged("The shop has not sealed the licence.");
        if !self.expected_seal(vendor_secret).matches(&self.seal) {
            return Err(forged);
        }
        let key = key(vendor_secret, &self.terms);
        let open = |secret: &SecretBox, which| secret.open(&key, &associated(&self.terms, which));
        match (open(&self.scrip_secret, "scrip"), open(&self.customer_secret, "customer")) {
            (Ok(scrip_secret), Ok(customer_secret)) => {
                Ok(Licensed { terms: self.terms.clone(), scrip_secret, customer_secret })
            }
            _ => Err(forged),
        }
    }

    fn expected_seal(&self, vendor_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::Licence, |w| {
            w.nested(&self.terms);
            for secret in [&self.scrip_secret, &self.customer_secret] {
                w.bytes(&secret.nonce);
                w.bytes(&secret.ciphertext);
            }
            w.u32(self.secret_id);
        })
    }
}

/// HKDF-SHA-256 of Vendor_Secret, with the terms as its info: no key of one licence opens another.
fn key(vendor_secret: &Secret, terms: &LicenceTerms) -> Secret {
    let info = canonical::encode(Tag::LicenceKey, |w| w.nested(terms));
    let mut key = [0; 32];
    // HKDF-SHA-256 refuses only outputs beyond 8,160 bytes.
    let _ = Hkdf::<Sha256>::new(None, vendor_secret.expose()).expand(&info, &mut key);
    Secret::from_bytes(key)
}

fn associated(terms: &LicenceTerms, which: &str) -> Vec<u8> {
    canonical::encode(Tag::LicensedSecret, |w| {
        w.nested(terms);
        w.text(which);
    })
}
