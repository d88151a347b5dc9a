//! M4 -> M5: a campaign pays a buyer.

use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::scrip::issue::{IssueEcash, IssueStart};
use tuppence_protocol::{Refusal, Timestamp};

use super::books::{find, keep};
use crate::ledger::AccountId;
use crate::store::WorkingSet;

/// Starts or cancels an issue.
pub(super) fn issue(
    center: &Center,
    set: &mut WorkingSet,
    message: &IssueStart,
    now: Timestamp,
) -> Result<IssueEcash, Refusal> {
    let customer = message.scrip.scrip.custom_id.serial_number;
    let offer = &message.offer;
    let found = find(center, set, Some(customer), Some((&offer.vendor_id, Some(offer.tran_id))));
    let campaign = found.seller.and_then(|seller| set.campaign_by_item(seller.number, &offer.item));
    let budget = campaign.and_then(|campaign| set.funds(AccountId::Campaign(campaign.number)));
    let outcome = center.issue(message, found, budget, now)?;
    keep(set, outcome, now)
}
