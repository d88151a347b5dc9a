//! Payment (spec/01, figure 3): S1, S2, S4, S5. S3 is in [`super::relay`], S6 in [`super::finish`].

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::canonical::{Canonical, Tag, Writer};
use crate::ids::{TranId, VendorId};
use crate::scrip::{Header, RequestUrl, Scrip};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;
use crate::time::Timestamp;

/// pMethod: what the buyer wants to do with the article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentMethod {
    /// Read it here.
    View,
    /// Keep it as a file.
    Save,
}

/// deliveryMethod: what the seller will do once it is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryMethod {
    /// Show the article.
    View,
    /// Hand the article over as a file.
    Save,
    /// Pay real money out (rule 11); only the center itself offers this.
    Payout,
    /// Hold the sum for another shop (spec/03); only the center itself offers this.
    Budget,
}

impl DeliveryMethod {
    /// The name, as sent and as hashed.
    pub const fn as_str(self) -> &'static str {
        match self {
            DeliveryMethod::View => "view",
            DeliveryMethod::Save => "save",
            DeliveryMethod::Payout => "payout",
            DeliveryMethod::Budget => "budget",
        }
    }
}

impl From<PaymentMethod> for DeliveryMethod {
    fn from(method: PaymentMethod) -> Self {
        match method {
            PaymentMethod::View => DeliveryMethod::View,
            PaymentMethod::Save => DeliveryMethod::Save,
        }
    }
}

/// S1, buyer -> seller: PM1_1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PurchaseRequest {
    /// PM1_1.
    pub header: Header,
    /// The article's address.
    pub request_url: RequestUrl,
    /// View or Save.
    pub p_method: PaymentMethod,
}

/// pOrder, the offer of S2: what is sold, and for how much.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentOffer {
    /// The seller.
    pub vendor_id: VendorId,
    /// The center whose e-cash is taken.
    pub center_id: VendorId,
    /// The transaction.
    pub tran_id: TranId,
    /// The article's address.
    pub request_url: RequestUrl,
    /// Currency and price.
    pub price: Amount,
    /// How it will be delivered.
    pub delivery_method: DeliveryMethod,
    /// Until when the center takes the offer.
    pub expires: Timestamp,
    /// Which Vendor_Secret seals the offer.
    pub secret_id: u32,
    /// `H[offer || Vendor_Secret]`.
    pub seal: Seal,
}

impl PaymentOffer {
    /// Replaces the seal by the right one.
    #[must_use]
    pub fn sealed(mut self, vendor_secret: &Secret) -> Self {
        self.seal = self.expected_seal(vendor_secret);
        self
    }

    /// Whether the seller that shares `vendor_secret` made it.
    #[must_use]
    pub fn holds(&self, vendor_secret: &Secret) -> bool {
        self.expected_seal(vendor_secret).matches(&self.seal)
    }

    fn expected_seal(&self, vendor_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::PaymentOffer, |w| self.write_terms(w))
    }

    fn write_terms(&self, writer: &mut Writer) {
        writer.nested(&self.vendor_id);
        writer.nested(&self.center_id);
        writer.bytes(self.tran_id.as_bytes());
        writer.text(self.request_url.as_str());
        self.price.write(writer);
        writer.text(self.delivery_method.as_str());
        writer.u64(self.expires.as_millis());
        writer.u32(self.secret_id);
    }
}

impl Canonical for PaymentOffer {
    fn write(&self, writer: &mut Writer) {
        self.write_terms(writer);
        writer.bytes(self.seal.as_bytes());
    }
}

/// S2, seller -> buyer: PM2_1. The refusal PM2_2 is a [`super::Refused`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentInformation {
    /// PM2_1.
    pub header: Header,
    /// What is sold, and for how much.
    pub offer: PaymentOffer,
}

/// S4, buyer -> center: PM4_1 pays, PM4_2 cancels.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentStart {
    /// PM4_1 or PM4_2.
    pub header: Header,
    /// The live scrip.
    pub scrip: Scrip,
    /// pOrder: what S2 offered.
    pub order: PaymentOffer,
    /// `H[code || ScripType || pOrder || Custom_Secret]`.
    pub hash: Seal,
    /// Attempts so far; for diagnosis.
    pub p_count: u16,
}

impl PaymentStart {
    /// The seal that this message must carry.
    pub fn seal(&self, custom_secret: &Secret) -> Seal {
        self.scrip.hash_algorithm.seal(custom_secret, Tag::PaymentStart, |w| {
            w.u16(self.header.cmd_type.number());
            w.nested(&self.scrip);
            w.nested(&self.order);
        })
    }
}

/// S5, center -> buyer: PM5_1. The refusals PM5_2-3 are a [`super::Refused`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentBalance {
    /// PM5_1.
    pub header: Header,
    /// What it is the reply to; absent when a resynchronisation finds nothing under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tran_id: Option<TranId>,
    /// The scrip from now on.
    pub new_scrip: Scrip,
    /// `H[code || TranID || newScripType || Custom_Secret]`.
    pub hash: Seal,
    /// 0.
    pub p_count: u16,
}

impl PaymentBalance {
    /// The seal that this message must carry.
    pub fn seal(&self, custom_secret: &Secret) -> Seal {
        self.new_scrip.hash_algorithm.seal(custom_secret, Tag::PaymentBalance, |w| {
            w.u16(self.header.cmd_type.number());
            w.optional(self.tran_id.as_ref(), |w, id| w.bytes(id.as_bytes()));
            w.nested(&self.new_scrip);
        })
    }
}
