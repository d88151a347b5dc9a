//! M3 and S3 by way of a seller: how a transaction stands.

use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::scrip::relay::{RelayReply, RelayRequest};
use tuppence_protocol::{Refusal, Timestamp};

use super::books::find;
use crate::store::WorkingSet;

/// Answers a relayed message; changes nothing.
pub(super) fn relay(
    center: &Center,
    set: &WorkingSet,
    message: &RelayRequest,
    now: Timestamp,
) -> Result<RelayReply, Refusal> {
    let transaction = (&message.vendor_id, Some(message.tran_id));
    center.relay(message, find(center, set, None, Some(transaction)), now)
}
