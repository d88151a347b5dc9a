//! E1 -> E2: the center attests a buyer's pseudonym to a seller (rule 9).

use tuppence_protocol::Refusal;
use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::scrip::earner::{AttestationReply, AttestationRequest};

use super::books::find;
use crate::store::WorkingSet;

/// Attests; changes nothing.
pub(super) fn attest(
    center: &Center,
    set: &WorkingSet,
    message: &AttestationRequest,
) -> Result<AttestationReply, Refusal> {
    let customer = message.scrip.scrip.custom_id.serial_number;
    center.attest(message, find(center, set, Some(customer), Some((&message.vendor_id, None))))
}
