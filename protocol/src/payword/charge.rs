//! Payment transfer (spec/03): a charge, the deposit that a shop makes of it, and what the center says to that.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::canonical::{Tag, Writer};
use crate::ids::VendorId;
use crate::payword::authority::AuthorityId;
use crate::payword::check::Position;
use crate::payword::link::Payword;
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;

/// How many paywords one charge moves on at most: what a shop hashes for one message. Whoever owes more sends
/// several charges.
pub const CHARGE_JUMP_MAX: u32 = 1 << 12;
/// How many paywords one deposit moves on at most: what the center hashes for one message. A shop that has more
/// makes several deposits, whose paywords it hashes from its last one.
pub const DEPOSIT_JUMP_MAX: u32 = 1 << 14;

/// Customer -> shop: `index` units in all are paid. Whoever sends the same again pays nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Charge {
    /// The budget.
    pub authority_id: AuthorityId,
    /// i.
    pub index: u32,
    /// `w_i`.
    pub payword: Payword,
    /// Whether it is the last one: the shop takes no more, and lets the center return the rest at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
}

impl Charge {
    /// Index and payword.
    pub const fn position(&self) -> Position {
        Position { index: self.index, payword: self.payword }
    }
}

/// Shop -> center: the customer has paid `index` units in all. A last one can also be brought by the customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deposit {
    /// The shop.
    pub vendor_id: VendorId,
    /// The budget.
    pub authority_id: AuthorityId,
    /// i.
    pub index: u32,
    /// `w_i`.
    pub payword: Payword,
    /// Whether the shop takes no more, so that the rest can be returned.
    pub last: bool,
    /// Which Vendor_Secret seals the message.
    pub secret_id: u32,
    /// `H[VendorId || authorityId || index || payword || last || secretId || Vendor_Secret]`.
    pub seal: Seal,
}

impl Deposit {
    /// Index and payword.
    pub const fn position(&self) -> Position {
        Position { index: self.index, payword: self.payword }
    }

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
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::Deposit, |w| {
            w.nested(&self.vendor_id);
            w.bytes(self.authority_id.as_bytes());
            w.u32(self.index);
            w.bytes(self.payword.as_bytes());
            write_last(w, self.last);
            w.u32(self.secret_id);
        })
    }
}

/// Center -> shop: `index` units in all are on the shop's account. The same deposit gets the same bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Paid {
    /// The budget.
    pub authority_id: AuthorityId,
    /// i of the deposit.
    pub index: u32,
    /// What i units are worth, the center's fee included.
    pub amount: Amount,
    /// Whether the budget is over.
    pub last: bool,
    /// Which Vendor_Secret seals the message: that of the deposit.
    pub secret_id: u32,
    /// `H[authorityId || index || amount || last || secretId || Vendor_Secret]`.
    pub seal: Seal,
}

impl Paid {
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
        HashAlgorithm::HmacSha256.seal(vendor_secret, Tag::DepositReply, |w| {
            w.bytes(self.authority_id.as_bytes());
            w.u32(self.index);
            w.nested(&self.amount);
            write_last(w, self.last);
            w.u32(self.secret_id);
        })
    }
}

fn write_last(writer: &mut Writer, last: bool) {
    writer.text(if last { "last" } else { "more" });
}
