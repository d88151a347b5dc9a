//! Vendor scrip (Millicent; spec/02): one approval for a budget at one shop, whose own scrip pays there, and is checked
//! by the shop alone.
//!
//! ```text
//! customer                     broker (the center)                    vendor (the shop)
//!                              Broker::accept <----- Licence -------- Vendor::licence
//! Order ---------------------> Broker::quote: S2 (spec/01), the center as the seller
//! S4 and Order --------------> Broker::sell -> Sale; S5, S6 and receipt as ever
//! receipt -------------------> Broker::purchased
//! AwaitingScrip <------------- Purchased
//! Holding::pay: Request ---------------------------------------------> Vendor::serve -> Account, Spent
//! AwaitingChange <---------------------------------------------------- Reply
//!                              Broker::settle <----- Settlement ------ Vendor::settle
//! Holding::give_back: Return ----------------------------------------> Vendor::end
//! (or the shop itself) ------> Broker::settle <----- Settlement, last '
//!                              Broker::close, at the end of the grace: the rest returns
//! ```
//!
//! A purchase is one scrip under one Cust_ID#. Paying replaces it by its change, with a new ID#, so that there is
//! always one that is live. The center pays the shop what it says was redeemed, up to what was sold; the rest is bought back.

pub mod account;
pub mod broker;
pub mod customer;
pub mod error;
pub mod licence;
pub mod purchase;
pub mod request;
pub mod settlement;
pub mod vendor;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::canonical::{Canonical, Tag, Writer};
use crate::ids::{IdType, VendorId};
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;
use crate::text::Text;
use crate::time::{Duration, Timestamp};

pub use account::{Account, Spent};
pub use broker::{Broker, Closed, LicenceState, Sale, Settling, Sold};
pub use customer::{AwaitingChange, AwaitingScrip, Holding};
pub use error::VendorScripError;
pub use licence::{IdRange, LICENCE_COUNT_MAX, Licence, LicenceTerms, Licensed};
pub use purchase::{Order, OrderId, Purchased};
pub use request::{Reply, Request, Return, digest};
pub use settlement::{Settled, Settlement};
pub use vendor::{Ended, Offer, Served, Vendor};

/// How long scrip that is sold can be spent, unless its licence ends before.
pub const LIFETIME: Duration = Duration::from_days(30);
/// How long after a scrip's end its shop can still settle; then the rest goes back to the customer, and the shop forgets.
pub const GRACE: Duration = Duration::from_days(7);

/// Props: what a shop wants its scrip to say besides, such as a section of it.
pub type Props = Text<200>;

/// The scrip's body: what a certificate covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VendorScripBody {
    /// The shop that takes it.
    pub vendor_id: VendorId,
    /// Currency and value.
    pub value: Amount,
    /// ID#: which master scrip secret, and which scrip.
    pub id: IdType,
    /// Cust_ID#: which master customer secret, and which purchase.
    pub customer_id: IdType,
    /// Until when it can be spent.
    pub expires: Timestamp,
    /// What the shop wants it to say besides; may be empty.
    pub props: Props,
}

impl VendorScripBody {
    /// `H[body || master_scrip_secret]`.
    pub fn certify(&self, master_scrip_secret: &Secret) -> Seal {
        HashAlgorithm::HmacSha256.seal(master_scrip_secret, Tag::VendorScripCertificate, |w| self.write(w))
    }
}

impl Canonical for VendorScripBody {
    fn write(&self, writer: &mut Writer) {
        writer.nested(&self.vendor_id);
        self.value.write(writer);
        writer.nested(&self.id);
        writer.nested(&self.customer_id);
        writer.u64(self.expires.as_millis());
        writer.text(self.props.as_str());
    }
}

/// Scrip of one shop. Worth something only to whoever has the customer_secret too.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VendorScrip {
    /// What it says.
    pub scrip: VendorScripBody,
    /// That the shop, or the center by its licence, said so.
    pub certificate: Seal,
}

impl VendorScrip {
    /// The scrip that says `body`.
    pub fn new(body: VendorScripBody, master_scrip_secret: &Secret) -> Self {
        let certificate = body.certify(master_scrip_secret);
        VendorScrip { scrip: body, certificate }
    }
}

impl Canonical for VendorScrip {
    fn write(&self, writer: &mut Writer) {
        writer.nested(&self.scrip);
        writer.bytes(self.certificate.as_bytes());
    }
}

/// `customer_secret = H[Cust_ID# || master_customer_secret]`, always by HMAC-SHA-256.
pub fn customer_secret(customer_id: IdType, master_customer_secret: &Secret) -> Secret {
    let seal = HashAlgorithm::HmacSha256
        .seal(master_customer_secret, Tag::VendorScripCustomer, |w| customer_id.write(w));
    Secret::from_bytes(*seal.as_bytes())
}

#[cfg(test)]
mod tests;
