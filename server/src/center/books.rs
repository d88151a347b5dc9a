//! From messages to records, and from the protocol's decisions to records and transfers (docs/ARCHITECTURE.md).

use tuppence_protocol::ids::{Serial, VendorId};
use tuppence_protocol::scrip::Item;
use tuppence_protocol::scrip::cash_out::CashOutOrder;
use tuppence_protocol::scrip::center::{Center, Change, Found, Outcome, Seller, Step, StepKey, StepKind};
use tuppence_protocol::{Amount, ErrorCode, Refusal, Text, Timestamp, TranId};

use crate::ledger::{AccountId, Posting, Transfer};
use crate::store::WorkingSet;
use crate::store::records::{Payout, PayoutState, Vendor};

/// The seller that is wholly `id`; the center itself is one too.
pub(super) fn seller<'a>(center: &'a Center, set: &'a WorkingSet, id: &VendorId) -> Option<Seller<'a>> {
    if *id == center.keys.center_id {
        return Some(center.as_seller());
    }
    set.vendor_by_id(id).map(as_seller)
}

/// A directory entry as the protocol sees it.
pub(super) fn as_seller(vendor: &Vendor) -> Seller<'_> {
    Seller { number: vendor.number, id: &vendor.id, secrets: &vendor.secrets }
}

/// The records that a message names: a buyer's purse, and perhaps a seller's transaction.
pub(super) fn find<'a>(
    center: &'a Center,
    set: &'a WorkingSet,
    customer: Option<Serial>,
    transaction: Option<(&VendorId, Option<TranId>)>,
) -> Found<'a> {
    let purse = customer.and_then(|customer| set.purse(customer));
    let seller = transaction.and_then(|(id, _)| seller(center, set, id));
    let key = |tran_id| seller.map(|seller| StepKey { vendor: seller.number, tran_id });
    let step = transaction.and_then(|(_, tran_id)| tran_id).and_then(key);
    Found {
        purse,
        pending: purse.and_then(|purse| purse.pending).and_then(|key| set.step(&key)),
        seller,
        step: step.and_then(|key| set.step(&key)),
        epoch: set.epoch().number,
    }
}

/// Keeps the outcome's records and makes its transfers; its reply is left.
pub(super) fn keep<R>(set: &mut WorkingSet, outcome: Outcome<R>, now: Timestamp) -> Result<R, Refusal> {
    for change in outcome.changes {
        for (debit, credit, amount, posting) in flows(set, &change)? {
            post(
                set,
                Transfer {
                    debit,
                    credit,
                    amount,
                    posting,
                    step: Some(change.step().key),
                    payout: None,
                    movement: None,
                    at: now,
                },
            )?;
        }
        if let Change::Posted(step) = &change
            && step.kind == StepKind::CashOut
        {
            order_payout(set, step, now)?;
        }
        set.put_step(change.step().clone());
        settle_reservation(set, &change, now)?;
    }
    if let Some(purse) = outcome.purse {
        set.put_purse(purse);
    }
    Ok(outcome.reply)
}

/// A budget, or scrip of a shop, is held once its payment is completed, and over where that was taken back.
fn settle_reservation(set: &mut WorkingSet, change: &Change, now: Timestamp) -> Result<(), Refusal> {
    let step = change.step();
    if step.kind != StepKind::Payment || step.key.vendor != 0 {
        return Ok(());
    }
    let (funded, closed) = match change {
        Change::Began(_) | Change::Forestalled(_) => return Ok(()),
        Change::Posted(_) => (true, None),
        Change::Voided(_) => (false, Some(now)),
    };
    if let Some(mut reservation) = set.reservation_of(&step.key).cloned() {
        (reservation.funded, reservation.kept.closed) = (funded, closed);
        set.put_reservation(reservation);
    } else if let Some(mut sale) = set.sale_of(&step.key).cloned() {
        (sale.funded, sale.kept.closed) = (funded, closed);
        set.put_sale(sale);
    } else {
        return Err(fault("a payment to the center itself has nothing that it paid for"));
    }
    Ok(())
}

/// Makes a transfer, unless it would move nothing (a fee of 0).
pub(super) fn post(set: &mut WorkingSet, transfer: Transfer) -> Result<(), Refusal> {
    if transfer.amount.is_zero() {
        return Ok(());
    }
    Ok(set.post(transfer)?)
}

/// From where to where, how much, and why.
type Flow = (AccountId, AccountId, Amount, Posting);

fn flows(set: &WorkingSet, change: &Change) -> Result<Vec<Flow>, Refusal> {
    use AccountId::{Campaign, Fees, Payouts, Purse, Reservations, Transit, Vendor};
    let step = change.step();
    let Step { amount, fee, .. } = *step;
    let purse = Purse(step.customer.get());
    Ok(match (change, step.kind) {
        (Change::Began(_), StepKind::Issue) => {
            vec![(Campaign(campaign(set, step)?), purse, amount, Posting::Issue)]
        }
        (Change::Voided(_), StepKind::Issue) => {
            vec![(purse, Campaign(campaign(set, step)?), amount, Posting::IssueVoid)]
        }
        (Change::Posted(_), StepKind::Issue) | (Change::Forestalled(_), _) => Vec::new(),
        (Change::Began(_), StepKind::Payment | StepKind::CashOut) => {
            vec![(purse, Transit, amount, Posting::Hold)]
        }
        (Change::Voided(_), StepKind::Payment | StepKind::CashOut) => {
            vec![(Transit, purse, amount, Posting::HoldVoid)]
        }
        (Change::Posted(_), StepKind::Payment) if step.key.vendor == 0 => {
            vec![(Transit, Reservations, amount, Posting::Reserve)]
        }
        (Change::Posted(_), StepKind::Payment) => vec![
            (Transit, Vendor(step.key.vendor), rest(step)?, Posting::Payment),
            (Transit, Fees, fee, Posting::Fee),
        ],
        (Change::Posted(_), StepKind::CashOut) => {
            vec![(Transit, Payouts, rest(step)?, Posting::CashOut), (Transit, Fees, fee, Posting::Fee)]
        }
    })
}

/// The number of the campaign that an issue is paid from.
fn campaign(set: &WorkingSet, step: &Step) -> Result<u32, Refusal> {
    let item: Option<Item> = step.subject.as_str().parse().ok();
    let campaign = item.and_then(|item| set.campaign_by_item(step.key.vendor, &item));
    campaign.map(|campaign| campaign.number).ok_or_else(|| fault("an issue has no campaign"))
}

/// What a seller or a payout gets.
fn rest(step: &Step) -> Result<Amount, Refusal> {
    step.amount.checked_sub(step.fee).map_err(|_| fault("a fee is more than its amount"))
}

fn order_payout(set: &mut WorkingSet, step: &Step, now: Timestamp) -> Result<(), Refusal> {
    let number = set.next_payout().ok_or_else(|| fault("there are no more payout numbers"))?;
    let destination = CashOutOrder::parse(&step.subject)?.destination;
    let destination = Text::try_from(String::from(destination));
    set.put_payout(Payout {
        number,
        step: step.key,
        customer: step.customer,
        amount: rest(step)?,
        fee: step.fee,
        destination: destination.map_err(|_| fault("a destination is too long"))?,
        ordered: now,
        state: PayoutState::Ordered,
    });
    Ok(())
}

/// The center's own records contradict each other.
pub(super) fn fault(what: &str) -> Refusal {
    Refusal::new(ErrorCode::Fault, format!("The center's records disagree: {what}."))
}
