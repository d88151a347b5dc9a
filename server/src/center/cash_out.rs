//! How a reader's cash-out stands (rule 11). Its offer is [`Center::cash_out_offer`], its S4 and S6 are a payment's.

use tuppence_protocol::scrip::cash_out::{CashOutStage, CashOutState};
use tuppence_protocol::scrip::center::{Center, StepKey};
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::{ErrorCode, Refusal};

use crate::store::WorkingSet;
use crate::store::records::{Payout, PayoutState};

/// Whoever has the receipt may ask.
pub(super) fn state(center: &Center, set: &WorkingSet, receipt: &Receipt) -> Result<CashOutState, Refusal> {
    let secret = center.keys.vendor_secrets.find(receipt.secret_id);
    let ours = receipt.vendor_id == center.keys.center_id && receipt.kind == ReceiptKind::Payment;
    if !ours || !secret.is_some_and(|secret| receipt.holds(secret)) {
        return Err(Refusal::new(
            ErrorCode::ReceiptInvalid,
            "This center gave no such receipt for a cash-out.",
        ));
    }
    let payout = set.payout_of(&StepKey { vendor: 0, tran_id: receipt.tran_id });
    let unknown = || Refusal::new(ErrorCode::PayoutUnknown, "There is no cash-out of this receipt.");
    let payout = payout.ok_or_else(unknown)?;
    Ok(state_of(payout))
}

/// An order as its reader sees it.
pub(crate) fn state_of(payout: &Payout) -> CashOutState {
    let (state, date, note) = match &payout.state {
        PayoutState::Ordered => (CashOutStage::Ordered, payout.ordered, None),
        PayoutState::Confirmed(at, reference) => (CashOutStage::Confirmed, *at, Some(reference.clone())),
        PayoutState::Returned(at, reason) => (CashOutStage::Returned, *at, Some(reason.clone())),
    };
    CashOutState { state, number: payout.number, amount: payout.amount, fee: payout.fee, date, note }
}
