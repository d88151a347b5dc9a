//! Budgets (spec/03): a payment to the center itself reserves a sum for one shop, which deposits what paywords show.

use tuppence_protocol::ids::IdType;
use tuppence_protocol::payword::{AuthorityId, AuthorityOrder, Broker, Countersigned, Deposit, Paid};
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::center::{Center, Found, StepKey};
use tuppence_protocol::scrip::payment::{DeliveryMethod, PaymentBalance, PaymentStart};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::{Amount, ErrorCode, Refusal, Timestamp};

use super::books::{as_seller, fault, keep, post};
use super::payment::start as start_payment;
use crate::ledger::{AccountId, Posting, Transfer};
use crate::store::WorkingSet;
use crate::store::records::Reservation;

/// S4 with its order: the sum leaves the purse, and is reserved once S6 completes the payment.
pub(super) fn reserve(
    center: &Center,
    set: &mut WorkingSet,
    start: &PaymentStart,
    order: &AuthorityOrder,
    now: Timestamp,
) -> Result<PaymentBalance, Refusal> {
    start.header.expect(&[Code::Pm4_1])?;
    if start.order.delivery_method != DeliveryMethod::Budget {
        return Err(Refusal::new(ErrorCode::OfferForged, "The offer is for no budget."));
    }
    // The payment comes first: it says whether the offer and the scrip hold, and whether the same came before.
    let kept = Broker { center }.reserve(order, &start.order, start.scrip.scrip.custom_id)?;
    let reply = start_payment(center, set, start, now)?;
    if reply.tran_id != Some(start.order.tran_id) {
        // The purse is in the middle of another payment, which was answered: this one has not begun.
        return Ok(reply);
    }
    if let Some(known) = set.reservation(&kept.id()) {
        // The payment was begun before with just this order; or another one has paid for it.
        return if known.kept.tran_id == kept.tran_id { Ok(reply) } else { Err(paid_before()) };
    }
    let vendor = set.vendor_by_id(&order.authority.vendor_id).map(|vendor| vendor.number);
    let unknown = || {
        let message = format!("{} is no shop of this center.", order.authority.vendor_id.server_name);
        Refusal::new(ErrorCode::VendorUnknown, message)
    };
    set.put_reservation(Reservation { vendor: vendor.ok_or_else(unknown)?, funded: false, kept });
    Ok(reply)
}

/// The countersigned authority, for the receipt of its payment.
pub(super) fn countersigned(
    center: &Center,
    set: &WorkingSet,
    id: &AuthorityId,
    receipt: &Receipt,
) -> Result<Countersigned, Refusal> {
    let reservation = set.reservation(id).filter(|reservation| reservation.funded);
    Ok(Broker { center }.countersigned(&reservation.ok_or_else(unknown)?.kept, receipt)?)
}

/// A shop deposits what a payword shows; its last deposit returns the rest.
pub(super) fn deposit(
    center: &Center,
    set: &mut WorkingSet,
    message: &Deposit,
    now: Timestamp,
) -> Result<Paid, Refusal> {
    let reservation = set.reservation(&message.authority_id).filter(|reservation| reservation.funded);
    let reservation = reservation.ok_or_else(unknown)?.clone();
    let shop = set.vendor(reservation.vendor).ok_or_else(|| fault("a reservation has no shop"))?;
    let deposited = Broker { center }.deposit(message, &reservation.kept, as_seller(shop), now)?;
    let vendor = AccountId::Vendor(reservation.vendor);
    let (step, custom_id) = (reservation.step(), reservation.kept.custom_id);
    give_out(set, step, vendor, deposited.to_vendor, Posting::Redeem, now)?;
    give_out(set, step, AccountId::Fees, deposited.fee, Posting::RedeemFee, now)?;
    give_back(center, set, step, custom_id, deposited.to_purse, now)?;
    let after = Reservation { kept: deposited.reservation, ..reservation.clone() };
    if !after.stands_as(&reservation) {
        set.put_reservation(after);
    }
    Ok(deposited.reply)
}

/// Returns the rest of those of these budgets whose time is over, and says of how many.
pub(super) fn release(
    center: &Center,
    set: &mut WorkingSet,
    ids: &[AuthorityId],
    now: Timestamp,
) -> Result<usize, Refusal> {
    let mut released: usize = 0;
    for id in ids {
        let Some(reservation) = set.reservation(id).filter(|reservation| reservation.funded).cloned() else {
            continue;
        };
        let Some(closed) = Broker { center }.close(&reservation.kept, now)? else { continue };
        let (step, custom_id) = (reservation.step(), reservation.kept.custom_id);
        give_back(center, set, step, custom_id, closed.to_purse, now)?;
        set.put_reservation(Reservation { kept: closed.reservation, ..reservation });
        released = released.saturating_add(1);
    }
    Ok(released)
}

/// The rest goes back to the purse, under a new serial; a step that is pending ends first, in the buyer's favour.
pub(super) fn give_back(
    center: &Center,
    set: &mut WorkingSet,
    step: StepKey,
    custom_id: IdType,
    rest: Amount,
    now: Timestamp,
) -> Result<(), Refusal> {
    if rest.is_zero() {
        return Ok(());
    }
    let customer = custom_id.serial_number;
    let purse = set.purse(customer).ok_or_else(|| fault("a reservation has no purse"))?;
    let pending = purse.pending.and_then(|key| set.step(&key));
    let found = Found { pending, epoch: set.epoch().number, ..Found::default() };
    let outcome = center.return_payout(purse, found, rest, now)?;
    keep(set, outcome, now)?;
    give_out(set, step, AccountId::Purse(customer.get()), rest, Posting::Release, now)
}

/// From what the payment `step` holds.
pub(super) fn give_out(
    set: &mut WorkingSet,
    step: StepKey,
    credit: AccountId,
    amount: Amount,
    posting: Posting,
    now: Timestamp,
) -> Result<(), Refusal> {
    let debit = AccountId::Reservations;
    let step = Some(step);
    post(set, Transfer { debit, credit, amount, posting, step, payout: None, movement: None, at: now })
}

fn unknown() -> Refusal {
    Refusal::new(ErrorCode::AuthorityUnknown, "The center holds no such budget.")
}

fn paid_before() -> Refusal {
    Refusal::new(ErrorCode::TransactionConflict, "The authority was paid by another payment.")
}
