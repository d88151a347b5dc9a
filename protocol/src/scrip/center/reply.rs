//! The center's replies, each made from a step (or the live scrip) and the keys alone (rule 4).

use crate::error::{ErrorCode, Refusal};
use crate::ids::{IdType, TranId};
use crate::scrip::center::keys::no_secret;
use crate::scrip::center::{Center, Purse, ScripState, Seller, Step, StepKind, StepState};
use crate::scrip::issue::IssueEcash;
use crate::scrip::payment::PaymentBalance;
use crate::scrip::receipt::{Receipt, ReceiptKind, ReceiptReply};
use crate::scrip::{Code, Header};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What an M5 or S5 says, whichever of the two was asked for.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    tran_id: Option<TranId>,
    date: Timestamp,
    scrip: ScripState,
}

impl Answer {
    /// The reply to the M4 or S4 of `step`.
    pub(super) fn started(step: &Step) -> Self {
        Answer { tran_id: Some(step.key.tran_id), date: step.started, scrip: step.new.clone() }
    }

    /// The reply to the M6, S6, M4 or S4 that took `step` back, if it was.
    pub(super) fn taken_back(step: &Step) -> Result<Self, Refusal> {
        match &step.state {
            StepState::Voided(at, back) => {
                Ok(Answer { tran_id: Some(step.key.tran_id), date: *at, scrip: back.clone() })
            }
            StepState::Posted(_) | StepState::Pending => {
                Err(Refusal::new(ErrorCode::TransactionPosted, "The transaction was completed."))
            }
        }
    }

    /// The reply to a resynchronisation that finds nothing under way.
    pub(super) fn live(scrip: &ScripState, now: Timestamp) -> Self {
        Answer { tran_id: None, date: now, scrip: scrip.clone() }
    }
}

impl Center {
    /// M5.
    pub(super) fn ecash(
        &self,
        custom_id: IdType,
        custom_secret: &Secret,
        answer: Answer,
    ) -> Result<IssueEcash, Refusal> {
        let mut reply = IssueEcash {
            header: Header::new(Code::Gm5_1, answer.date),
            tran_id: answer.tran_id,
            new_scrip: self.keys.scrip(custom_id, &answer.scrip)?,
            hash: Seal::from_bytes([0; 32]),
            p_count: 0,
        };
        reply.hash = reply.seal(custom_secret);
        Ok(reply)
    }

    /// S5.
    pub(super) fn balance(
        &self,
        custom_id: IdType,
        custom_secret: &Secret,
        answer: Answer,
    ) -> Result<PaymentBalance, Refusal> {
        let mut reply = PaymentBalance {
            header: Header::new(Code::Pm5_1, answer.date),
            tran_id: answer.tran_id,
            new_scrip: self.keys.scrip(custom_id, &answer.scrip)?,
            hash: Seal::from_bytes([0; 32]),
            p_count: 0,
        };
        reply.hash = reply.seal(custom_secret);
        Ok(reply)
    }

    /// The receipt of a posted step, and the reply to GM6_1 or PM6_1 with it.
    ///
    /// # Errors
    /// [`ErrorCode::TransactionUnknown`] for a step that is not posted.
    pub fn receipt(&self, step: &Step, seller: Seller<'_>) -> Result<ReceiptReply, Refusal> {
        let StepState::Posted(date) = step.state else {
            return Err(Refusal::new(ErrorCode::TransactionUnknown, "The transaction is not completed."));
        };
        let (code, kind) = match step.kind {
            StepKind::Issue => (Code::Gm8_1, ReceiptKind::Issue),
            StepKind::Payment | StepKind::CashOut => (Code::Pm8_1, ReceiptKind::Payment),
        };
        // The secret that sealed the offer, so that the receipt stays the same when newer ones come; the
        // newest one only where the seller has dropped it.
        let sealed_with = seller.secrets.find(step.secret_id).map(|secret| (step.secret_id, secret));
        let (secret_id, secret) = sealed_with.or_else(|| seller.secrets.current()).ok_or_else(no_secret)?;
        let receipt = Receipt {
            kind,
            vendor_id: seller.id.clone(),
            tran_id: step.key.tran_id,
            subject: step.subject.clone(),
            amount: step.amount,
            date,
            secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        Ok(ReceiptReply { header: Header::new(code, date), receipt: receipt.sealed(secret) })
    }

    /// The scrip that `purse` should be shown with: its live one.
    ///
    /// # Errors
    /// [`ErrorCode::Fault`] if its master secret was removed.
    pub fn live_scrip(&self, purse: &Purse) -> Result<crate::scrip::Scrip, Refusal> {
        self.keys.scrip(purse.custom_id, &purse.live)
    }
}
