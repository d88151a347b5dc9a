//! Campaigns: a seller sets a budget aside, and anybody may ask what is left (rule 8).

use tuppence_protocol::scrip::Item;
use tuppence_protocol::scrip::campaign::{CampaignFunding, CampaignState};
use tuppence_protocol::scrip::center::{Center, Found};
use tuppence_protocol::{Amount, ErrorCode, Refusal, Timestamp};

use super::books::{as_seller, fault, post};
use crate::ledger::{AccountId, Posting, Transfer};
use crate::store::WorkingSet;
use crate::store::records::Campaign;

/// Sets a campaign's budget. What its rewards have used is never taken back.
pub(super) fn fund(
    center: &Center,
    set: &mut WorkingSet,
    message: &CampaignFunding,
    now: Timestamp,
) -> Result<CampaignState, Refusal> {
    let vendor = set.vendor_by_id(&message.vendor_id);
    center.check_funding(message, Found { seller: vendor.map(as_seller), ..Found::default() })?;
    let vendor = vendor.map(|vendor| vendor.number).ok_or_else(|| fault("a seller has no number"))?;
    let nothing = Amount::zero(center.policy.currency);
    let known = set.campaign_by_item(vendor, &message.item).cloned();
    let campaign = match known {
        Some(campaign) if message.date <= campaign.asked => return state(set, vendor, &message.item),
        Some(campaign) => campaign,
        None => Campaign {
            number: set.next_campaign().ok_or_else(|| fault("there are no more campaign numbers"))?,
            vendor,
            item: message.item.clone(),
            budget: nothing,
            funded: nothing,
            asked: message.date,
        },
    };
    let account = AccountId::Campaign(campaign.number);
    let held = set.funds(account).unwrap_or(nothing);
    let target = center.campaign_target(message.budget, campaign.funded, held)?;
    let (debit, credit, amount, posting) = match target.checked_sub(held) {
        Ok(more) => (AccountId::Vendor(vendor), account, more, Posting::Funding),
        Err(_) => {
            let less = held.checked_sub(target).unwrap_or(nothing);
            (account, AccountId::Vendor(vendor), less, Posting::Defunding)
        }
    };
    let covered = set.funds(debit).unwrap_or(nothing);
    if !covered.covers(amount) {
        let message = format!("The account holds {covered}; the campaign needs {amount} more.");
        return Err(Refusal::new(ErrorCode::FundsInsufficient, message));
    }

    let issued = campaign.funded.checked_sub(held).map_err(|_| fault("a campaign has issued too little"))?;
    let funded = issued.checked_add(target).map_err(|_| fault("a campaign is too large"))?;
    set.put_campaign(Campaign { budget: message.budget, funded, asked: message.date, ..campaign });
    post(
        set,
        Transfer { debit, credit, amount, posting, step: None, payout: None, movement: None, at: now },
    )?;
    state(set, vendor, &message.item)
}

/// How a campaign stands.
pub(super) fn state(set: &WorkingSet, vendor: u32, item: &Item) -> Result<CampaignState, Refusal> {
    let campaign = set.campaign_by_item(vendor, item);
    let unknown = || Refusal::new(ErrorCode::ItemUnknown, "The seller has set nothing aside for this item.");
    let campaign = campaign.ok_or_else(unknown)?;
    let remaining = set.funds(AccountId::Campaign(campaign.number));
    Ok(CampaignState {
        item: campaign.item.clone(),
        budget: campaign.budget,
        remaining: remaining.unwrap_or(Amount::zero(set.currency())),
    })
}
