//! M6 and S6: a step is finished or taken back, or the wallet asks where it stands.

use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::scrip::finish::{Finish, FinishReply};
use tuppence_protocol::{Refusal, Timestamp};

use super::books::{find, keep};
use super::claim::claim;
use crate::store::WorkingSet;

/// Ends a step, or resynchronises a wallet.
pub(super) fn finish(
    center: &Center,
    set: &mut WorkingSet,
    message: &Finish,
    now: Timestamp,
) -> Result<FinishReply, Refusal> {
    let customer = message.new_scrip.scrip.custom_id.serial_number;
    let transaction = message.transaction.as_ref().map(|t| (&t.vendor_id, Some(t.tran_id)));
    let mut outcome = center.finish(message, find(center, set, Some(customer), transaction), now)?;
    if transaction.is_none() {
        // Before the purse is renewed for a new epoch: afterwards its serial would be beyond every lost one.
        let epoch = *set.epoch();
        claim(center, set, &message.new_scrip, now)?;
        if *set.epoch() != epoch {
            outcome = center.finish(message, find(center, set, Some(customer), transaction), now)?;
        }
    }
    keep(set, outcome, now)
}
