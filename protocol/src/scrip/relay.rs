//! M3 and S3, which reach the center by way of the seller, and M7 and S7, the seller's answers (spec/01).

use serde::{Deserialize, Serialize};

use crate::canonical::Tag;
use crate::ids::{TranId, VendorId};
use crate::scrip::receipt::Receipt;
use crate::scrip::{Code, Document, Header};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;
use crate::text::Text;

/// M3 or S3, buyer -> seller: GM3_1 or PM3_1. Held until the center confirms, at most 30 seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CenterInit {
    /// GM3_1 or PM3_1.
    pub header: Header,
    /// The transaction.
    pub tran_id: TranId,
}

/// M3 or S3 as the seller relays it to the center, which answers when the transaction has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelayRequest {
    /// GM3_1 or PM3_1.
    pub header: Header,
    /// The seller that relays.
    pub vendor_id: VendorId,
    /// The transaction.
    pub tran_id: TranId,
    /// Which Vendor_Secret seals the request.
    pub secret_id: u32,
    /// `H[code || VendorId || TranID || secretId || Vendor_Secret]`.
    pub seal: Seal,
}

impl RelayRequest {
    /// Replaces the seal by the right one.
    #[must_use]
    pub fn sealed(mut self, vendor_secret: &Secret) -> Self {
        self.seal = self.expected_seal(vendor_secret);
        self
    }

    /// Whether the seller made it.
    #[must_use]
    pub fn holds(&self, vendor_secret: &Secret) -> bool {
        self.expected_seal(vendor_secret).matches(&self.seal)
    }

    fn expected_seal(&self, vendor_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::RelayRequest, |w| {
            w.u16(self.header.cmd_type.number());
            w.nested(&self.vendor_id);
            w.bytes(self.tran_id.as_bytes());
            w.u32(self.secret_id);
        })
    }
}

/// How a transaction stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Outcome {
    /// The center has not heard of it, or waits for the buyer's M6 or S6. Ask again.
    Open,
    /// Completed.
    Posted(Receipt),
    /// Cancelled, or out of time.
    Voided,
}

/// The center's answer to a relayed M3 or S3.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelayReply {
    /// GM3_1 or PM3_1.
    pub header: Header,
    /// The transaction.
    pub tran_id: TranId,
    /// How it stands.
    pub outcome: Outcome,
    /// Which Vendor_Secret seals the reply.
    pub secret_id: u32,
    /// `H[code || TranID || outcome || secretId || Vendor_Secret]`.
    pub seal: Seal,
}

impl RelayReply {
    /// Replaces the seal by the right one.
    #[must_use]
    pub fn sealed(mut self, vendor_secret: &Secret) -> Self {
        self.seal = self.expected_seal(vendor_secret);
        self
    }

    /// Whether the center made it.
    #[must_use]
    pub fn holds(&self, vendor_secret: &Secret) -> bool {
        self.expected_seal(vendor_secret).matches(&self.seal)
    }

    fn expected_seal(&self, vendor_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::RelayOutcome, |w| {
            w.u16(self.header.cmd_type.number());
            w.bytes(self.tran_id.as_bytes());
            match &self.outcome {
                Outcome::Open => w.text("open"),
                Outcome::Posted(receipt) => {
                    w.text("posted");
                    w.nested(receipt);
                }
                Outcome::Voided => w.text("voided"),
            }
            w.u32(self.secret_id);
        })
    }
}

/// M7 or S7, seller -> buyer: GM7_1 with information on the issue, PM7_1 with the article.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delivery {
    /// GM7_1 or PM7_1.
    pub header: Header,
    /// The document's title.
    pub title: Text<400>,
    /// The article or the information, as sanitised HTML.
    pub document: Document,
    /// That it was paid or issued.
    pub receipt: Receipt,
}

/// M7 or S7 where the center has not confirmed yet (HTTP 202): GM7_2 or PM7_2.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unconfirmed {
    /// GM7_2 or PM7_2.
    pub header: Header,
    /// The transaction.
    pub tran_id: TranId,
    /// Where to send M3 or S3 again: a path at the same seller.
    pub ask_again: Text<200>,
}

/// The codes of a relayed message.
pub const RELAY: [Code; 2] = [Code::Gm3_1, Code::Pm3_1];
