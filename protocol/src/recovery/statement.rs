//! H1 and H2: what the center's books say of a purse, step by step, from any serial on.
//!
//! With it a restored wallet, or another device with the same words, writes the same history: each step tells
//! the value before and after it, so that nothing can be missing in between unseen.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::canonical::{Canonical, Tag, Writer};
use crate::error::{ErrorCode, Refusal};
use crate::ids::{Serial, TranId, VendorId};
use crate::scrip::buyer::Purse;
use crate::scrip::cash_out::{CashOutStage, CashOutState};
use crate::scrip::finish::{Finish, Transaction};
use crate::scrip::receipt::Receipt;
use crate::scrip::{Code, Header, RequestUrl, Scrip};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::time::Timestamp;

/// The most steps in one reply.
pub const STEPS_MAX: usize = 32;

/// H1, buyer -> center: SM1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatementRequest {
    /// SM1.
    pub header: Header,
    /// Any scrip of the buyer's, also an older or expired one.
    pub scrip: Scrip,
    /// The serial of the first step that is wanted: a step has the serial that it takes.
    pub from: Serial,
    /// 128 random bits, which the reply repeats.
    #[serde(with = "crate::bytes::fixed")]
    pub nonce: [u8; 16],
    /// `H[code || ScripType || from || nonce || Custom_Secret]`.
    pub hash: Seal,
}

impl StatementRequest {
    /// The seal that this message must carry.
    pub fn seal(&self, custom_secret: &Secret) -> Seal {
        self.scrip.hash_algorithm.seal(custom_secret, Tag::StatementAsk, |w| {
            w.u16(self.header.cmd_type.number());
            w.nested(&self.scrip);
            w.u64(self.from.get());
            w.bytes(&self.nonce);
        })
    }
}

/// H2, center -> buyer: SM2.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatementReply {
    /// SM2.
    pub header: Header,
    /// The request's.
    #[serde(with = "crate::bytes::fixed")]
    pub nonce: [u8; 16],
    /// The live scrip; while a step is pending, the one that it brings.
    pub scrip: Scrip,
    /// The steps, in the order of their serials, at most [`STEPS_MAX`].
    pub steps: Vec<StatementStep>,
    /// Whether there are further ones.
    pub more: bool,
    /// `H[code || date || nonce || ScripType || steps || more || Custom_Secret]`.
    pub hash: Seal,
}

/// One step that took a serial of the purse's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatementStep {
    /// What it was.
    pub kind: StatementKind,
    /// The seller; in a cash-out, the center.
    pub vendor_id: VendorId,
    /// The transaction.
    pub tran_id: TranId,
    /// The article's address, the item, or the payout's destination.
    pub subject: RequestUrl,
    /// What was issued or paid.
    pub amount: Amount,
    /// The serial that it took.
    pub serial: Serial,
    /// The serial after it.
    pub next: Serial,
    /// The value before it.
    pub before: Amount,
    /// The value after it: the same as before where it was taken back.
    pub after: Amount,
    /// When it began.
    pub started: Timestamp,
    /// How it stands.
    pub state: StatementState,
    /// How the payout stands, of a cash-out that was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<CashOutState>,
}

/// Which way the money of a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatementKind {
    /// E-cash was issued for an answer.
    Issue,
    /// An article was paid.
    Payment,
    /// E-cash was handed in for real money.
    CashOut,
}

/// How a step stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum StatementState {
    /// It waits for its M6 or S6.
    Pending,
    /// It was completed.
    Posted(Receipt),
    /// It was taken back at this time.
    Voided(Timestamp),
}

impl Canonical for StatementStep {
    fn write(&self, writer: &mut Writer) {
        writer.text(match self.kind {
            StatementKind::Issue => "issue",
            StatementKind::Payment => "payment",
            StatementKind::CashOut => "cash-out",
        });
        writer.nested(&self.vendor_id);
        writer.bytes(self.tran_id.as_bytes());
        writer.text(self.subject.as_str());
        self.amount.write(writer);
        writer.u64(self.serial.get());
        writer.u64(self.next.get());
        self.before.write(writer);
        self.after.write(writer);
        writer.u64(self.started.as_millis());
        match &self.state {
            StatementState::Pending => writer.text("pending"),
            StatementState::Posted(receipt) => {
                writer.text("posted");
                writer.nested(receipt);
            }
            StatementState::Voided(at) => {
                writer.text("voided");
                writer.u64(at.as_millis());
            }
        }
        writer.optional(self.payout.as_ref(), |w, payout| w.nested(payout));
    }
}

impl Canonical for CashOutState {
    fn write(&self, writer: &mut Writer) {
        writer.text(match self.state {
            CashOutStage::Ordered => "ordered",
            CashOutStage::Confirmed => "confirmed",
            CashOutStage::Returned => "returned",
        });
        writer.u64(self.number);
        self.amount.write(writer);
        self.fee.write(writer);
        writer.u64(self.date.as_millis());
        writer.optional(self.note.as_ref(), |w, note| w.text(note.as_str()));
    }
}

impl StatementReply {
    /// The seal that this message must carry.
    pub fn seal(&self, custom_secret: &Secret) -> Seal {
        self.scrip.hash_algorithm.seal(custom_secret, Tag::StatementReply, |w| {
            w.u16(self.header.cmd_type.number());
            w.u64(self.header.server_date.as_millis());
            w.bytes(&self.nonce);
            w.nested(&self.scrip);
            w.list(&self.steps, |w, step| w.nested(step));
            w.text(if self.more { "more" } else { "all" });
        })
    }
}

impl StatementReply {
    /// M6 or S6 that completes the pending step, if one is: its owner approved it when M4 or S4 was sealed, perhaps
    /// on another device.
    pub fn complete(&self, custom_secret: &Secret, now: Timestamp) -> Option<Finish> {
        let pending = |step: &&StatementStep| matches!(step.state, StatementState::Pending);
        let step = self.steps.last().filter(pending)?;
        let code = if step.kind == StatementKind::Issue { Code::Gm6_1 } else { Code::Pm6_1 };
        let transaction = Transaction { vendor_id: step.vendor_id.clone(), tran_id: step.tran_id };
        let mut finish = Finish {
            header: Header::new(code, now),
            transaction: Some(transaction),
            new_scrip: self.scrip.clone(),
            hash: Seal::from_bytes([0; 32]),
            p_count: 1,
        };
        finish.hash = finish.seal(custom_secret);
        Some(finish)
    }
}

/// H1 was sent, H2 is awaited.
#[derive(Debug, Clone)]
pub struct AwaitingStatement {
    /// H1.
    pub request: StatementRequest,
}

impl Purse {
    /// H1: asks for the steps from the serial `from` on.
    pub fn statement(&self, from: Serial, nonce: [u8; 16], now: Timestamp) -> AwaitingStatement {
        let mut request = StatementRequest {
            header: Header::new(Code::Sm1, now),
            scrip: self.scrip.clone(),
            from,
            nonce,
            hash: Seal::from_bytes([0; 32]),
        };
        request.hash = request.seal(&self.custom_secret);
        AwaitingStatement { request }
    }
}

impl AwaitingStatement {
    /// The statement.
    ///
    /// # Errors
    /// [`ErrorCode::SealInvalid`] for a reply that the center did not make for this buyer and this request;
    /// [`ErrorCode::ScripForged`] for another's scrip, or steps that do not follow one another.
    pub fn receive(&self, reply: StatementReply, custom_secret: &Secret) -> Result<StatementReply, Refusal> {
        reply.header.expect(&[Code::Sm2])?;
        if !reply.seal(custom_secret).matches(&reply.hash) || reply.nonce != self.request.nonce {
            return Err(Refusal::new(ErrorCode::SealInvalid, "The statement's seal does not hold."));
        }
        let (new, old) = (&reply.scrip.scrip, &self.request.scrip.scrip);
        let ours = new.vendor_id == old.vendor_id && new.custom_id == old.custom_id;
        let mut serial = self.request.from;
        let follow = reply.steps.iter().all(|step| {
            let follows = step.serial >= serial && step.next > step.serial;
            serial = step.next;
            follows
        });
        // A reply without steps that has further ones would be asked for without end.
        if !ours || !follow || (reply.more && reply.steps.is_empty()) {
            return Err(Refusal::new(ErrorCode::ScripForged, "The statement is not of this purse."));
        }
        Ok(reply)
    }
}
