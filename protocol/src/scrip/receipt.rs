//! Receipts (spec/01, rule 3): the center's word to a seller, sealed with the secret that both share.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::canonical::{Canonical, Tag, Writer};
use crate::error::{ErrorCode, Refusal};
use crate::ids::{TranId, VendorId};
use crate::scrip::{Header, RequestUrl};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::{KeyRing, Secret};
use crate::time::Timestamp;

/// What a receipt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptKind {
    /// E-cash was issued for an answer.
    Issue,
    /// An article was paid.
    Payment,
}

impl ReceiptKind {
    /// The name, as sent and as hashed.
    pub const fn as_str(self) -> &'static str {
        match self {
            ReceiptKind::Issue => "issue",
            ReceiptKind::Payment => "payment",
        }
    }
}

/// That a transaction was completed. Good at its seller any number of times.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// Issue or payment.
    pub kind: ReceiptKind,
    /// The seller.
    pub vendor_id: VendorId,
    /// The transaction.
    pub tran_id: TranId,
    /// The article's address, or the item.
    pub subject: RequestUrl,
    /// What was paid or issued.
    pub amount: Amount,
    /// When it was completed.
    pub date: Timestamp,
    /// Which Vendor_Secret seals the receipt.
    pub secret_id: u32,
    /// `H[receipt || Vendor_Secret]`.
    pub seal: Seal,
}

impl Receipt {
    /// Replaces the seal by the right one.
    #[must_use]
    pub fn sealed(mut self, vendor_secret: &Secret) -> Self {
        self.seal = self.expected_seal(vendor_secret);
        self
    }

    /// Whether the center made it for the seller that shares `vendor_secret`.
    #[must_use]
    pub fn holds(&self, vendor_secret: &Secret) -> bool {
        self.expected_seal(vendor_secret).matches(&self.seal)
    }

    /// Checks that the center made it, for the seller `vendor_id` that shares `secrets`, and that it is of this kind.
    pub(super) fn admit(
        &self,
        vendor_id: &VendorId,
        secrets: &KeyRing,
        kind: ReceiptKind,
    ) -> Result<(), Refusal> {
        if self.vendor_id != *vendor_id {
            return refuse("The receipt is another shop's.");
        }
        if self.kind != kind {
            return refuse("The receipt is for something else.");
        }
        if !secrets.find(self.secret_id).is_some_and(|secret| self.holds(secret)) {
            return refuse("The receipt was not made by the center.");
        }
        Ok(())
    }

    fn expected_seal(&self, vendor_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::Receipt, |w| self.write_terms(w))
    }

    fn write_terms(&self, writer: &mut Writer) {
        writer.text(self.kind.as_str());
        writer.nested(&self.vendor_id);
        writer.bytes(self.tran_id.as_bytes());
        writer.text(self.subject.as_str());
        self.amount.write(writer);
        writer.u64(self.date.as_millis());
        writer.u32(self.secret_id);
    }
}

fn refuse<T>(message: &str) -> Result<T, Refusal> {
    Err(Refusal::new(ErrorCode::ReceiptInvalid, message))
}

/// What a payment's receipt says, once it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The transaction.
    pub tran_id: TranId,
    /// The article's address at its storefront.
    pub article: RequestUrl,
    /// What was paid.
    pub amount: Amount,
    /// When.
    pub date: Timestamp,
}

/// What `receipt` paid, for a publisher's own server: the center made it for the shop `vendor_id` that shares
/// `secrets`, and for the article at `article`. `packages/shop` does the same for Node.js.
///
/// # Errors
/// [`ErrorCode::ReceiptInvalid`].
pub fn verify_receipt(
    receipt: &Receipt,
    vendor_id: &VendorId,
    secrets: &KeyRing,
    article: &RequestUrl,
) -> Result<Paid, Refusal> {
    receipt.admit(vendor_id, secrets, ReceiptKind::Payment)?;
    if receipt.subject != *article {
        return refuse("The receipt is for another article.");
    }
    let Receipt { tran_id, subject, amount, date, .. } = receipt.clone();
    Ok(Paid { tran_id, article: subject, amount, date })
}

impl Canonical for Receipt {
    fn write(&self, writer: &mut Writer) {
        self.write_terms(writer);
        writer.bytes(self.seal.as_bytes());
    }
}

/// The reply to GM6_1 (GM8_1) or PM6_1 (PM8_1).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptReply {
    /// GM8_1 or PM8_1.
    pub header: Header,
    /// The receipt.
    pub receipt: Receipt,
}
