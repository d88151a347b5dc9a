//! M6 and S6 (spec/01): the buyer ends a step, or asks where it stands.

use serde::{Deserialize, Serialize};

use crate::canonical::Tag;
use crate::ids::{TranId, VendorId};
use crate::scrip::issue::IssueEcash;
use crate::scrip::payment::PaymentBalance;
use crate::scrip::receipt::ReceiptReply;
use crate::scrip::{Code, Header, Scrip};
use crate::seal::Seal;
use crate::secret::Secret;

/// The codes of M6.
pub const ISSUE_FINISH: [Code; 3] = [Code::Gm6_1, Code::Gm6_2, Code::Gm6_3];
/// The codes of S6.
pub const PAYMENT_FINISH: [Code; 3] = [Code::Pm6_1, Code::Pm6_2, Code::Pm6_3];

/// M6 or S6, buyer -> center.
///
/// `_6_1` finishes and `_6_3` takes back the transaction that it names, with the new scrip of M5 or S5.
/// `_6_2` asks for that reply again; with no transaction named, and any scrip of the purse, old or
/// expired, it asks for the live scrip (rule 6).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Finish {
    /// GM6_1-3 or PM6_1-3.
    pub header: Header,
    /// The transaction; absent only in `_6_2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    /// newScripType.
    pub new_scrip: Scrip,
    /// `H[code || transaction || newScripType || Custom_Secret]`.
    pub hash: Seal,
    /// Attempts so far; for diagnosis.
    pub p_count: u16,
}

/// Which transaction: unique by both together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transaction {
    /// The seller.
    pub vendor_id: VendorId,
    /// Its number there.
    pub tran_id: TranId,
}

impl Finish {
    /// The seal that this message must carry.
    pub fn seal(&self, custom_secret: &Secret) -> Seal {
        let payment = PAYMENT_FINISH.contains(&self.header.cmd_type);
        let tag = if payment { Tag::PaymentFinish } else { Tag::IssueFinish };
        self.new_scrip.hash_algorithm.seal(custom_secret, tag, |w| {
            w.u16(self.header.cmd_type.number());
            w.optional(self.transaction.as_ref().map(|t| &t.vendor_id), |w, id| w.nested(id));
            w.optional(self.transaction.as_ref().map(|t| &t.tran_id), |w, id| w.bytes(id.as_bytes()));
            w.nested(&self.new_scrip);
        })
    }
}

/// The reply to M6 or S6: exactly one of the three.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum FinishReply {
    /// To `_6_1`: the receipt.
    Receipt(ReceiptReply),
    /// To GM6_2 and GM6_3: the live scrip.
    Ecash(IssueEcash),
    /// To PM6_2 and PM6_3: the live scrip.
    Balance(PaymentBalance),
}
