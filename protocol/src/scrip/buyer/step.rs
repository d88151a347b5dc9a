//! M4 to M6 and S4 to S6: a buyer has e-cash issued, or pays (spec/01, figures 2 and 3).

use serde::{Deserialize, Serialize};

use crate::amount::{Amount, AmountError};
use crate::error::{ErrorCode, Refusal};
use crate::ids::TranId;
use crate::scrip::buyer::{Offer, Purse, check_owner, check_seal, forged, wrong};
use crate::scrip::finish::{Finish, FinishReply};
use crate::scrip::issue::{IssueEcash, IssueStart};
use crate::scrip::payment::{PaymentBalance, PaymentStart};
use crate::scrip::receipt::{Receipt, ReceiptKind};
use crate::scrip::{Code, Header, Scrip};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::time::Timestamp;

const UNSEALED: Seal = Seal::from_bytes([0; 32]);

/// M4 or S4, as it goes to the center.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Start {
    /// M4.
    Issue(IssueStart),
    /// S4.
    Payment(PaymentStart),
}

/// M5 or S5.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ecash {
    /// M5.
    Issue(IssueEcash),
    /// S5.
    Payment(PaymentBalance),
}

impl Start {
    fn new(cancel: bool, scrip: Scrip, offer: Offer, custom_secret: &Secret, now: Timestamp) -> Self {
        let p_count = 0;
        match offer {
            Offer::Issue(offer) => {
                let code = if cancel { Code::Gm4_2 } else { Code::Gm4_1 };
                let header = Header::new(code, now);
                let mut start = IssueStart { header, scrip, offer, hash: UNSEALED, p_count };
                start.hash = start.seal(custom_secret);
                Start::Issue(start)
            }
            Offer::Payment(order) => {
                let code = if cancel { Code::Pm4_2 } else { Code::Pm4_1 };
                let header = Header::new(code, now);
                let mut start = PaymentStart { header, scrip, order, hash: UNSEALED, p_count };
                start.hash = start.seal(custom_secret);
                Start::Payment(start)
            }
        }
    }

    /// The offer that it takes.
    pub fn offer(&self) -> Offer {
        match self {
            Start::Issue(start) => Offer::Issue(start.offer.clone()),
            Start::Payment(start) => Offer::Payment(start.order.clone()),
        }
    }

    /// The scrip that it shows.
    pub fn scrip(&self) -> &Scrip {
        match self {
            Start::Issue(start) => &start.scrip,
            Start::Payment(start) => &start.scrip,
        }
    }

    /// Counts one more attempt (pCount); the seal does not cover it.
    pub fn count(&mut self) {
        let count = match self {
            Start::Issue(start) => &mut start.p_count,
            Start::Payment(start) => &mut start.p_count,
        };
        *count = count.saturating_add(1);
    }
}

impl Ecash {
    fn check(&self, is_issue: bool, old: &Scrip, custom_secret: &Secret) -> Result<(), Refusal> {
        match self {
            Ecash::Issue(reply) if is_issue => {
                reply.header.expect(&[Code::Gm5_1])?;
                check_seal(&reply.hash, &reply.seal(custom_secret))?;
            }
            Ecash::Payment(reply) if !is_issue => {
                reply.header.expect(&[Code::Pm5_1])?;
                check_seal(&reply.hash, &reply.seal(custom_secret))?;
            }
            _ => return Err(wrong("The reply is of the other figure.")),
        }
        check_owner(self.new_scrip(), old)
    }

    /// What it is the reply to.
    pub fn tran_id(&self) -> Option<TranId> {
        match self {
            Ecash::Issue(reply) => reply.tran_id,
            Ecash::Payment(reply) => reply.tran_id,
        }
    }

    /// The scrip from now on.
    pub fn new_scrip(&self) -> &Scrip {
        match self {
            Ecash::Issue(reply) => &reply.new_scrip,
            Ecash::Payment(reply) => &reply.new_scrip,
        }
    }
}

impl Purse {
    /// M4 or S4: takes `offer` with this purse's scrip.
    ///
    /// # Errors
    /// [`ErrorCode::BalanceInsufficient`] for a price that the purse does not cover.
    pub fn start(&self, offer: Offer, now: Timestamp) -> Result<AwaitingEcash, Refusal> {
        if matches!(offer, Offer::Payment(_)) && !self.value().covers(offer.amount()) {
            let message = format!("It costs {}; the purse has {}.", offer.amount(), self.value());
            return Err(Refusal::new(ErrorCode::BalanceInsufficient, message));
        }
        let start = Start::new(false, self.scrip.clone(), offer, &self.custom_secret, now);
        Ok(AwaitingEcash { start })
    }
}

/// M4 or S4 was sent, M5 or S5 is awaited.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingEcash {
    /// M4 or S4.
    pub start: Start,
}

/// What came for an M4 or S4.
#[derive(Debug, Clone)]
pub enum Started {
    /// The e-cash; to be confirmed.
    Ours(Box<AwaitingReceipt>),
    /// The purse is in the middle of another transaction (rule 5), whose new scrip this is. Nothing was
    /// begun: with that scrip the same offer can be taken.
    Other(TranId, Box<Scrip>),
}

impl AwaitingEcash {
    /// The new scrip, and what to confirm it with.
    ///
    /// # Errors
    /// [`ErrorCode::SealInvalid`] for a reply that the center did not make for this buyer;
    /// [`ErrorCode::ScripForged`] unless serial, value, center and buyer are exactly those that must come.
    pub fn receive(&self, reply: &Ecash, custom_secret: &Secret, now: Timestamp) -> Result<Started, Refusal> {
        let (offer, old) = (self.start.offer(), self.start.scrip());
        let is_issue = matches!(offer, Offer::Issue(_));
        reply.check(is_issue, old, custom_secret)?;
        let tran_id = reply.tran_id().ok_or_else(|| wrong("The reply names no transaction."))?;
        let new = reply.new_scrip();
        if tran_id != offer.tran_id() {
            return Ok(Started::Other(tran_id, Box::new(new.clone())));
        }
        if Some(new.scrip.scrip_id.serial_number) != old.scrip.scrip_id.serial_number.next() {
            return Err(forged("The new scrip's serial is not the next one."));
        }
        if Ok(new.scrip.value) != value_after(old.scrip.value, &offer) {
            return Err(forged("The new scrip's value is not what it must be."));
        }
        let code = if is_issue { Code::Gm6_1 } else { Code::Pm6_1 };
        let finish = finish(code, &offer, new, custom_secret, now);
        Ok(Started::Ours(Box::new(AwaitingReceipt { start: self.start.clone(), finish })))
    }

    /// `_4_2`: takes it back, whether or not the center knows it yet.
    pub fn cancel(&self, custom_secret: &Secret, now: Timestamp) -> AwaitingReturn {
        let scrip = self.start.scrip().clone();
        AwaitingReturn::Start(Start::new(true, scrip, self.start.offer(), custom_secret, now))
    }
}

fn value_after(old: Amount, offer: &Offer) -> Result<Amount, AmountError> {
    match offer {
        Offer::Issue(offer) => old.checked_add(offer.value),
        Offer::Payment(offer) => old.checked_sub(offer.price),
    }
}

fn finish(code: Code, offer: &Offer, new_scrip: &Scrip, custom_secret: &Secret, now: Timestamp) -> Finish {
    let mut finish = Finish {
        header: Header::new(code, now),
        transaction: Some(offer.transaction()),
        new_scrip: new_scrip.clone(),
        hash: UNSEALED,
        p_count: 1,
    };
    finish.hash = finish.seal(custom_secret);
    finish
}

/// M6 or S6 was sent, the receipt is awaited.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingReceipt {
    /// The M4 or S4 that began it.
    pub start: Start,
    /// M6 or S6.
    pub finish: Finish,
}

impl AwaitingReceipt {
    /// The scrip from now on.
    pub fn new_scrip(&self) -> &Scrip {
        &self.finish.new_scrip
    }

    /// The receipt. Its seal is for the seller to check; that it is for just this transaction, for the buyer.
    ///
    /// # Errors
    /// [`ErrorCode::ReceiptInvalid`] for a receipt of anything else.
    pub fn receive(&self, reply: &FinishReply) -> Result<Receipt, Refusal> {
        let offer = self.start.offer();
        let (code, kind) = match offer {
            Offer::Issue(_) => (Code::Gm8_1, ReceiptKind::Issue),
            Offer::Payment(_) => (Code::Pm8_1, ReceiptKind::Payment),
        };
        let FinishReply::Receipt(reply) = reply else {
            return Err(wrong("A receipt is expected."));
        };
        reply.header.expect(&[code])?;
        let receipt = &reply.receipt;
        let ours = receipt.kind == kind
            && receipt.vendor_id == *offer.vendor_id()
            && receipt.tran_id == offer.tran_id()
            && receipt.amount == offer.amount()
            && receipt.subject.as_str() == offer.subject();
        if !ours {
            return Err(Refusal::new(ErrorCode::ReceiptInvalid, "The receipt is for something else."));
        }
        Ok(receipt.clone())
    }

    /// `_6_3`: takes it back, if it was not confirmed yet.
    pub fn cancel(&self, custom_secret: &Secret, now: Timestamp) -> AwaitingReturn {
        let offer = self.start.offer();
        let code = if matches!(offer, Offer::Issue(_)) { Code::Gm6_3 } else { Code::Pm6_3 };
        AwaitingReturn::Finish(finish(code, &offer, &self.finish.new_scrip, custom_secret, now))
    }
}

/// A cancellation was sent; the live scrip is awaited.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AwaitingReturn {
    /// GM4_2 or PM4_2.
    Start(Start),
    /// GM6_3 or PM6_3.
    Finish(Finish),
}

impl AwaitingReturn {
    /// The live scrip: the old value, under the old serial or a new one.
    ///
    /// # Errors
    /// As for [`AwaitingEcash::receive`]; value and serial are not foreseen, since other transactions may
    /// have come between.
    pub fn receive(&self, reply: &Ecash, custom_secret: &Secret) -> Result<Scrip, Refusal> {
        let (shown, is_issue) = match self {
            AwaitingReturn::Start(start) => (start.scrip(), matches!(start, Start::Issue(_))),
            AwaitingReturn::Finish(finish) => (&finish.new_scrip, finish.header.cmd_type == Code::Gm6_3),
        };
        reply.check(is_issue, shown, custom_secret)?;
        Ok(reply.new_scrip().clone())
    }
}

impl TryFrom<FinishReply> for Ecash {
    type Error = Refusal;

    fn try_from(reply: FinishReply) -> Result<Self, Refusal> {
        match reply {
            FinishReply::Ecash(reply) => Ok(Ecash::Issue(reply)),
            FinishReply::Balance(reply) => Ok(Ecash::Payment(reply)),
            FinishReply::Receipt(_) => Err(wrong("A scrip is expected.")),
        }
    }
}
