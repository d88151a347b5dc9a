//! What the operator does: sellers join and bring or take real money, payouts are confirmed or come back.

use tuppence_protocol::ids::VendorId;
use tuppence_protocol::scrip::center::{Center, Found};
use tuppence_protocol::{Amount, ErrorCode, KeyRing, Refusal, Secret, Text, Timestamp};

use super::VendorState;
use super::books::{fault, keep, post};
use crate::ledger::demands::{self, Flow};
use crate::ledger::{AccountId, Posting, Transfer};
use crate::store::WorkingSet;
use crate::store::records::{Direction, Movement, Payout, PayoutState, Reference, Vendor};

/// A payout was paid: payouts -> reserve. The same again changes nothing.
pub(super) fn confirm(
    set: &mut WorkingSet,
    number: u64,
    reference: Text<200>,
    now: Timestamp,
) -> Result<Payout, Refusal> {
    let payout = set.payout(number).cloned().ok_or_else(|| payout_unknown(number))?;
    match &payout.state {
        PayoutState::Ordered => {}
        PayoutState::Confirmed(_, before) if *before == reference => return Ok(payout),
        PayoutState::Confirmed(..) | PayoutState::Returned(..) => return Err(payout_ended(&payout)),
    }

    let amount = payout.amount;
    let payout = Payout { state: PayoutState::Confirmed(now, reference), ..payout };
    set.put_payout(payout.clone());
    let (debit, credit) = (AccountId::Payouts, AccountId::Reserve);
    let posting = Posting::PayoutConfirmed;
    post(
        set,
        Transfer {
            debit,
            credit,
            amount,
            posting,
            step: None,
            payout: Some(number),
            movement: None,
            at: now,
        },
    )?;
    Ok(payout)
}

/// A payout comes back to its purse, the fee with it. The same again changes nothing.
pub(super) fn give_back(
    center: &Center,
    set: &mut WorkingSet,
    number: u64,
    reason: Text<200>,
    now: Timestamp,
) -> Result<Payout, Refusal> {
    let payout = set.payout(number).cloned().ok_or_else(|| payout_unknown(number))?;
    match &payout.state {
        PayoutState::Ordered => {}
        PayoutState::Returned(_, before) if *before == reason => return Ok(payout),
        PayoutState::Confirmed(..) | PayoutState::Returned(..) => return Err(payout_ended(&payout)),
    }
    let purse = set.purse(payout.customer).ok_or_else(|| fault("a payout order has no purse"))?;
    let pending = purse.pending.and_then(|key| set.step(&key));
    let found = Found { pending, epoch: set.epoch().number, ..Found::default() };
    let whole = payout.amount.checked_add(payout.fee).map_err(|_| fault("a payout order is too large"))?;
    let outcome = center.return_payout(purse, found, whole, now)?;

    keep(set, outcome, now)?;
    let credit = AccountId::Purse(payout.customer.get());
    for (debit, amount, posting) in [
        (AccountId::Payouts, payout.amount, Posting::PayoutReturned),
        (AccountId::Fees, payout.fee, Posting::FeeReturned),
    ] {
        post(
            set,
            Transfer {
                debit,
                credit,
                amount,
                posting,
                step: None,
                payout: Some(number),
                movement: None,
                at: now,
            },
        )?;
    }
    let payout = Payout { state: PayoutState::Returned(now, reason), ..payout };
    set.put_payout(payout.clone());
    Ok(payout)
}

fn payout_unknown(number: u64) -> Refusal {
    Refusal::new(ErrorCode::PayoutUnknown, format!("There is no cash-out order {number}."))
}

fn payout_ended(payout: &Payout) -> Refusal {
    let how = match payout.state {
        PayoutState::Confirmed(..) => "paid with another reference",
        _ => "returned to its purse, for another reason",
    };
    let message = format!("Cash-out order {} has ended: it was {how}.", payout.number);
    Refusal::new(ErrorCode::PayoutUnknown, message)
}

/// A seller joins. The same seller again keeps its number, its origin and its secrets.
pub(super) fn add_vendor(
    center: &Center,
    set: &mut WorkingSet,
    id: VendorId,
    origin: Text<300>,
    secret: Secret,
    now: Timestamp,
) -> Result<VendorState, Refusal> {
    if id == center.keys.center_id {
        return Err(Refusal::new(ErrorCode::Malformed, "The center's own identity is no shop's."));
    }
    if let Some(known) = set.vendor_by_id(&id) {
        return Ok(vendor_state(set, known));
    }

    let number = set.next_vendor().ok_or_else(|| fault("there are no more seller numbers"))?;
    let vendor = Vendor { number, id, origin, secrets: KeyRing::new(1, secret), at: now };
    set.put_vendor(vendor.clone());
    Ok(vendor_state(set, &vendor))
}

/// A seller gets a further secret, with the next id.
pub(super) fn add_vendor_secret(
    set: &mut WorkingSet,
    number: u32,
    secret: Secret,
) -> Result<VendorState, Refusal> {
    let mut vendor = set.vendor(number).cloned().ok_or_else(|| vendor_unknown(number))?;
    let id = vendor.secrets.current().map_or(0, |(id, _)| id).checked_add(1);
    let id = id.ok_or_else(|| fault("there are no more secret numbers"))?;
    vendor.secrets.add(id, secret).map_err(|_| fault("a secret's number is taken"))?;
    set.put_vendor(vendor.clone());
    Ok(vendor_state(set, &vendor))
}

/// All sellers, by number.
pub(super) fn vendors(set: &WorkingSet) -> Vec<VendorState> {
    (1..).map_while(|number| set.vendor(number)).map(|vendor| vendor_state(set, vendor)).collect()
}

/// Real money came in or went out: reserve -> vendor, or back. The same reference again moves nothing, whatever
/// the account holds by now.
pub(super) fn book(
    set: &mut WorkingSet,
    reference: Reference,
    number: u32,
    direction: Direction,
    amount: Amount,
    now: Timestamp,
) -> Result<Movement, Refusal> {
    let movement = Movement { reference, vendor: number, direction, amount, at: now };
    if let Some(known) = set.movement(&movement.reference) {
        let same = Movement { at: known.at, ..movement } == *known;
        return if same { Ok(known.clone()) } else { Err(reference_taken(known)) };
    }
    if movement.reference.as_str().trim().is_empty() {
        return Err(Refusal::new(ErrorCode::Malformed, "The reference is empty."));
    }
    set.vendor(number).ok_or_else(|| vendor_unknown(number))?;
    check_amount(set, amount)?;
    let held = funds(set, AccountId::Vendor(number));
    match direction {
        Direction::Deposit => held
            .checked_add(amount)
            .map(drop)
            .map_err(|error| Refusal::new(ErrorCode::AmountOutOfRange, format!("The account: {error}.")))?,
        Direction::Withdrawal if held.covers(amount) => {}
        Direction::Withdrawal => {
            let message = format!("The account holds {held}.");
            return Err(Refusal::new(ErrorCode::FundsInsufficient, message));
        }
    }

    let Flow { posting, debit, credit, .. } = demands::of_movement(&movement);
    let reference = Some(movement.reference.clone());
    let transfer =
        Transfer { debit, credit, amount, posting, step: None, payout: None, movement: reference, at: now };
    post(set, transfer)?;
    set.put_movement(movement.clone());
    Ok(movement)
}

fn reference_taken(known: &Movement) -> Refusal {
    let what = match known.direction {
        Direction::Deposit => "deposit",
        Direction::Withdrawal => "withdrawal",
    };
    let Movement { reference, vendor, amount, .. } = known;
    let message = format!(
        "The reference {reference:?} belongs to a {what} of {amount}, shop {vendor}. Nothing was moved: give this \
         one its own reference."
    );
    Refusal::new(ErrorCode::TransactionConflict, message)
}

fn vendor_unknown(number: u32) -> Refusal {
    Refusal::new(ErrorCode::VendorUnknown, format!("There is no shop {number}."))
}

fn check_amount(set: &WorkingSet, amount: Amount) -> Result<(), Refusal> {
    if amount.currency() != set.currency() {
        let message = format!("This center's money is in {}.", set.currency());
        return Err(Refusal::new(ErrorCode::CurrencyMismatch, message));
    }
    if amount.is_zero() {
        return Err(Refusal::new(ErrorCode::AmountOutOfRange, "Nothing cannot be moved."));
    }
    Ok(())
}

fn funds(set: &WorkingSet, account: AccountId) -> Amount {
    set.funds(account).unwrap_or(Amount::zero(set.currency()))
}

fn vendor_state(set: &WorkingSet, vendor: &Vendor) -> VendorState {
    VendorState {
        number: vendor.number,
        id: vendor.id.clone(),
        origin: vendor.origin.clone(),
        secret_id: vendor.secrets.current().map_or(0, |(id, _)| id),
        balance: funds(set, AccountId::Vendor(vendor.number)),
        since: vendor.at,
    }
}
