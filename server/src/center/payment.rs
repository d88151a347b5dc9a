//! S4 -> S5: a buyer pays a seller, or orders a cash-out; and what the center holds for a budget.

use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::scrip::payment::{DeliveryMethod, PaymentBalance, PaymentStart};
use tuppence_protocol::{ErrorCode, Refusal, Timestamp};

use super::books::{find, keep};
use crate::store::WorkingSet;

/// Starts or cancels a payment.
pub(super) fn payment(
    center: &Center,
    set: &mut WorkingSet,
    message: &PaymentStart,
    now: Timestamp,
) -> Result<PaymentBalance, Refusal> {
    let budget = message.order.delivery_method == DeliveryMethod::Budget;
    if budget && message.header.cmd_type == Code::Pm4_1 {
        return Err(Refusal::new(ErrorCode::AuthorityUnknown, "A budget is paid with its authority."));
    }
    start(center, set, message, now)
}

/// Starts or cancels a payment, also one for a budget, whose reservation the caller keeps.
pub(super) fn start(
    center: &Center,
    set: &mut WorkingSet,
    message: &PaymentStart,
    now: Timestamp,
) -> Result<PaymentBalance, Refusal> {
    let customer = message.scrip.scrip.custom_id.serial_number;
    let order = &message.order;
    let found = find(center, set, Some(customer), Some((&order.vendor_id, Some(order.tran_id))));
    let outcome = center.payment(message, found, now)?;
    keep(set, outcome, now)
}
