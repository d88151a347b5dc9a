//! S4 -> S5: a buyer pays a seller, or orders a cash-out.

use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::scrip::payment::{PaymentBalance, PaymentStart};
use tuppence_protocol::{Refusal, Timestamp};

use super::books::{find, keep};
use crate::store::WorkingSet;

/// Starts or cancels a payment.
pub(super) fn payment(
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
