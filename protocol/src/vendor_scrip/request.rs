//! Step 3 (spec/02): a customer pays the shop, or gives the rest back.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::amount::Amount;
use crate::canonical::{Canonical, Tag};
use crate::scrip::RequestUrl;
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;
use crate::vendor_scrip::VendorScrip;

/// Customer -> shop: `request || scrip || H[request || scrip || customer_secret]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// What is bought.
    pub request_url: RequestUrl,
    /// What the customer pays for it.
    pub price: Amount,
    /// The live scrip.
    pub scrip: VendorScrip,
    /// `H[requestUrl || price || scrip || customer_secret]`.
    pub hash: Seal,
}

impl Request {
    /// The seal that this message must carry.
    pub fn seal(&self, customer_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(customer_secret, Tag::VendorScripRequest, |w| {
            w.text(self.request_url.as_str());
            self.price.write(w);
            w.nested(&self.scrip);
        })
    }
}

/// Shop -> customer, beside what was bought. The same request gets the same bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reply {
    /// SHA-256 of what was bought, as it is delivered.
    #[serde(with = "crate::bytes::fixed")]
    pub digest: [u8; 32],
    /// The change: the live scrip from now on. Absent if nothing is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<VendorScrip>,
    /// `H[hash of the request || digest || change || customer_secret]`.
    pub hash: Seal,
}

impl Reply {
    /// The seal that this message must carry as the answer to `request`.
    pub fn seal(&self, request: &Request, customer_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(customer_secret, Tag::VendorScripReply, |w| {
            w.bytes(request.hash.as_bytes());
            w.bytes(&self.digest);
            w.optional(self.change.as_ref(), |w, change| w.nested(change));
        })
    }
}

/// Customer -> shop: takes no more, and asks the shop to say so to the center.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Return {
    /// Any scrip of the purchase, also one that was spent: whoever lost the change finds it so.
    pub scrip: VendorScrip,
    /// `H[scrip || customer_secret]`.
    pub hash: Seal,
}

impl Return {
    /// The seal that this message must carry.
    pub fn seal(&self, customer_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(customer_secret, Tag::VendorScripReturn, |w| w.nested(&self.scrip))
    }
}

/// The digest of what was bought.
pub fn digest(delivered: &[u8]) -> [u8; 32] {
    Sha256::digest(delivered).into()
}
