//! Receipts (spec/01, rule 3): the center's word to a seller, sealed with the secret that both share.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::canonical::{Canonical, Tag, Writer};
use crate::ids::{TranId, VendorId};
use crate::scrip::{Header, RequestUrl};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;
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
