//! Step 2 (spec/02): a customer buys vendor scrip from the center with the center's own scrip.

use std::fmt;

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::amount::Amount;
use crate::bytes;
use crate::canonical::{self, Canonical, Tag, Writer};
use crate::envelope::SecretBox;
use crate::error::{ErrorCode, Refusal};
use crate::ids::VendorId;
use crate::scrip::RequestUrl;
use crate::secret::Secret;
use crate::vendor_scrip::VendorScrip;

/// What the requestURL that pays for an order begins with.
const SCHEME: &str = "vendor-scrip:";

/// Which order: SHA-256 of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(#[serde(with = "crate::bytes::fixed")] [u8; 32]);

impl OrderId {
    /// The identifier of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        OrderId(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The requestURL of the S1 that pays for it: `vendor-scrip:<identifier>`.
    ///
    /// # Errors
    /// None: the address is far shorter than one may be.
    pub fn request_url(&self) -> Result<RequestUrl, Refusal> {
        let url = format!("{SCHEME}{self}").parse();
        url.map_err(|_| Refusal::new(ErrorCode::Malformed, "The order has no address."))
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bytes::encode(&self.0))
    }
}

impl fmt::Debug for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Customer -> center: so much scrip of one shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    /// The shop.
    pub vendor_id: VendorId,
    /// The center that sells.
    pub center_id: VendorId,
    /// How much.
    pub value: Amount,
    /// 128 random bits.
    #[serde(with = "crate::bytes::fixed")]
    pub nonce: [u8; 16],
}

impl Order {
    /// Which order it is.
    pub fn id(&self) -> OrderId {
        OrderId(Sha256::digest(canonical::encode(Tag::VendorScripOrder, |w| self.write(w))).into())
    }
}

impl Canonical for Order {
    fn write(&self, writer: &mut Writer) {
        writer.nested(&self.vendor_id);
        writer.nested(&self.center_id);
        self.value.write(writer);
        writer.bytes(&self.nonce);
    }
}

/// Center -> customer: what was bought. The same order gets the same bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Purchased {
    /// The order.
    pub order_id: OrderId,
    /// The scrip.
    pub scrip: VendorScrip,
    /// Its customer_secret, under a key that Custom_Secret, order and scrip derive.
    pub customer_secret: SecretBox,
}

impl Purchased {
    /// What `order_id` bought, for the buyer who has `custom_secret`. The key is good for this one message, so that its
    /// nonce can be zero, and the message the same again.
    pub(super) fn new(
        order_id: OrderId,
        scrip: VendorScrip,
        customer_secret: &Secret,
        custom_secret: &Secret,
    ) -> Option<Self> {
        let key = key(custom_secret, order_id, &scrip);
        let customer_secret = SecretBox::close(&key, [0; 12], &[], customer_secret).ok()?;
        Some(Purchased { order_id, scrip, customer_secret })
    }

    /// The customer_secret; absent unless the center made the message for this buyer and this scrip.
    pub(super) fn open(&self, custom_secret: &Secret) -> Option<Secret> {
        self.customer_secret.open(&key(custom_secret, self.order_id, &self.scrip), &[]).ok()
    }
}

fn key(custom_secret: &Secret, order_id: OrderId, scrip: &VendorScrip) -> Secret {
    let info = canonical::encode(Tag::VendorScripKey, |w| {
        w.bytes(order_id.as_bytes());
        w.nested(scrip);
    });
    let mut key = [0; 32];
    // HKDF-SHA-256 refuses only outputs beyond 8,160 bytes.
    let _ = Hkdf::<Sha256>::new(None, custom_secret.expose()).expand(&info, &mut key);
    Secret::from_bytes(key)
}
