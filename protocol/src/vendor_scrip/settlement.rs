//! Settlement (spec/02): a shop says how much of a purchase was redeemed, and the center pays it.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::canonical::{Tag, Writer};
use crate::ids::{IdType, VendorId};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;

/// Shop -> center: so much of this purchase was redeemed in all. A last one can also be brought by the customer, who
/// sells the rest back with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settlement {
    /// The shop.
    pub vendor_id: VendorId,
    /// Cust_ID#: the purchase.
    pub customer_id: IdType,
    /// What was redeemed in all.
    pub redeemed: Amount,
    /// Whether the shop takes no more, so that the rest can be returned.
    pub last: bool,
    /// Which Vendor_Secret seals the message.
    pub secret_id: u32,
    /// `H[VendorId || customerId || redeemed || last || secretId || Vendor_Secret]`.
    pub seal: Seal,
}

impl Settlement {
    /// Replaces the seal by the right one.
    #[must_use]
    pub fn sealed(mut self, vendor_secret: &Secret) -> Self {
        self.seal = self.expected_seal(vendor_secret);
        self
    }

    /// Whether the shop that shares `vendor_secret` made it.
    #[must_use]
    pub fn holds(&self, vendor_secret: &Secret) -> bool {
        self.expected_seal(vendor_secret).matches(&self.seal)
    }

    fn expected_seal(&self, vendor_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::Settlement, |w| {
            w.nested(&self.vendor_id);
            w.nested(&self.customer_id);
            w.nested(&self.redeemed);
            write_last(w, self.last);
            w.u32(self.secret_id);
        })
    }
}

/// Center -> shop: so much of this purchase is on the shop's account. The same settlement gets the same bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settled {
    /// Cust_ID#: the purchase.
    pub customer_id: IdType,
    /// What the settlement said, the center's fee included.
    pub redeemed: Amount,
    /// Whether the purchase is over.
    pub last: bool,
    /// Which Vendor_Secret seals the message: that of the settlement.
    pub secret_id: u32,
    /// `H[customerId || redeemed || last || secretId || Vendor_Secret]`.
    pub seal: Seal,
}

impl Settled {
    /// Replaces the seal by the right one.
    #[must_use]
    pub fn sealed(mut self, vendor_secret: &Secret) -> Self {
        self.seal = self.expected_seal(vendor_secret);
        self
    }

    /// Whether the center made it for the shop that shares `vendor_secret`.
    #[must_use]
    pub fn holds(&self, vendor_secret: &Secret) -> bool {
        self.expected_seal(vendor_secret).matches(&self.seal)
    }

    fn expected_seal(&self, vendor_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::SettlementReply, |w| {
            w.nested(&self.customer_id);
            w.nested(&self.redeemed);
            write_last(w, self.last);
            w.u32(self.secret_id);
        })
    }
}

fn write_last(writer: &mut Writer, last: bool) {
    writer.text(if last { "last" } else { "more" });
}
