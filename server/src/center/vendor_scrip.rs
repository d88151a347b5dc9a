//! Vendor scrip (spec/02): shops license it, a payment to the center itself buys it, shops settle it, the rest is bought
//! back.

use tuppence_protocol::ids::{IdType, VendorId};
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::center::{Center, Seller};
use tuppence_protocol::scrip::payment::{DeliveryMethod, PaymentBalance, PaymentInformation, PaymentStart};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::vendor_scrip::{
    Broker, Licence, LicenceState, Order, OrderId, Purchased, Settled, Settlement,
};
use tuppence_protocol::{ErrorCode, Refusal, Timestamp, TranId};

use super::books::{as_seller, fault};
use super::payment::start as start_payment;
use super::payword::{give_back, give_out};
use crate::ledger::{AccountId, Posting};
use crate::store::WorkingSet;
use crate::store::records::{KeptLicence, Sale};

/// Takes a shop's licence; the same again changes nothing.
pub(super) fn license(
    center: &Center,
    set: &mut WorkingSet,
    message: &Licence,
    now: Timestamp,
) -> Result<u32, Refusal> {
    let shop = shop(set, &message.terms.vendor_id)?;
    let vendor = shop.number;
    let licences = set.licences(vendor);
    let newest = licences.last().map(|licence| &licence.state);
    let state = Broker { center }.accept(message, shop, newest, now)?;
    let number = state.licensed.terms.number;
    if newest.is_none_or(|newest| newest.licensed.terms.number != number) {
        set.put_licence(KeptLicence { vendor, state });
    }
    Ok(number)
}

/// S2 of the center as a seller; nothing is stored.
pub(super) fn quote(
    center: &Center,
    set: &WorkingSet,
    order: &Order,
    tran_id: TranId,
    now: Timestamp,
) -> Result<PaymentInformation, Refusal> {
    let shop = shop(set, &order.vendor_id)?;
    let licence = good(set, shop.number, now);
    Ok(Broker { center }.quote(order, shop, licence.as_ref(), tran_id, now)?)
}

/// S4 with its order: the sum leaves the purse, and is held once S6 completes the payment.
pub(super) fn buy(
    center: &Center,
    set: &mut WorkingSet,
    start: &PaymentStart,
    order: &Order,
    now: Timestamp,
) -> Result<PaymentBalance, Refusal> {
    start.header.expect(&[Code::Pm4_1])?;
    if start.order.delivery_method != DeliveryMethod::Budget {
        return Err(Refusal::new(ErrorCode::OfferForged, "The offer is for no scrip of a shop."));
    }
    let reply = start_payment(center, set, start, now)?;
    if reply.tran_id != Some(start.order.tran_id) {
        // The purse is in the middle of another payment, which was answered: this one has not begun.
        return Ok(reply);
    }
    if let Some(known) = set.sale(&order.id()) {
        if known.kept.tran_id == start.order.tran_id {
            return Ok(reply);
        }
        let message = "The order was paid by another payment.";
        return Err(Refusal::new(ErrorCode::TransactionConflict, message));
    }
    let vendor = shop(set, &order.vendor_id)?.number;
    let licence = good(set, vendor, now);
    let custom_id = start.scrip.scrip.custom_id;
    let sold = Broker { center }.sell(order, &start.order, custom_id, licence.as_ref(), now)?;
    set.put_licence(KeptLicence { vendor, state: sold.licence });
    set.put_sale(Sale { vendor, funded: false, kept: sold.sale });
    Ok(reply)
}

/// What was bought, for the receipt of its payment.
pub(super) fn purchased(
    center: &Center,
    set: &WorkingSet,
    id: &OrderId,
    receipt: &Receipt,
) -> Result<Purchased, Refusal> {
    let sale = set.sale(id).filter(|sale| sale.funded).ok_or_else(unknown)?;
    let licences = set.licences(sale.vendor);
    let licence = licences.into_iter().find(|licence| licence.key().1 == sale.kept.licence);
    let licence = licence.ok_or_else(|| fault("a sale has no licence"))?;
    Ok(Broker { center }.purchased(&sale.kept, receipt, &licence.state.licensed)?)
}

/// A shop settles what was redeemed; its last settlement buys the rest back.
pub(super) fn settle(
    center: &Center,
    set: &mut WorkingSet,
    message: &Settlement,
    now: Timestamp,
) -> Result<Settled, Refusal> {
    let shop = shop(set, &message.vendor_id)?;
    let IdType { secret_id, serial_number } = message.customer_id;
    let sale = set.sale_by_purchase(&(shop.number, secret_id, serial_number));
    let sale = sale.filter(|sale| sale.funded).ok_or_else(unknown)?.clone();
    let settling = Broker { center }.settle(message, &sale.kept, shop, now)?;
    let step = sale.step();
    give_out(set, step, AccountId::Vendor(sale.vendor), settling.to_vendor, Posting::Redeem, now)?;
    give_out(set, step, AccountId::Fees, settling.fee, Posting::RedeemFee, now)?;
    give_back(center, set, step, sale.kept.custom_id, settling.to_purse, now)?;
    let after = Sale { kept: settling.sale, ..sale.clone() };
    if !after.stands_as(&sale) {
        set.put_sale(after);
    }
    Ok(settling.reply)
}

/// Buys the rest of those of these sales back whose time is over, and says of how many.
pub(super) fn close(
    center: &Center,
    set: &mut WorkingSet,
    ids: &[OrderId],
    now: Timestamp,
) -> Result<usize, Refusal> {
    let mut closed: usize = 0;
    for id in ids {
        let Some(sale) = set.sale(id).filter(|sale| sale.funded).cloned() else { continue };
        let Some(over) = Broker { center }.close(&sale.kept, now)? else { continue };
        give_back(center, set, sale.step(), sale.kept.custom_id, over.to_purse, now)?;
        set.put_sale(Sale { kept: over.sale, ..sale });
        closed = closed.saturating_add(1);
    }
    Ok(closed)
}

/// The oldest licence with which scrip can be made.
fn good(set: &WorkingSet, vendor: u32, now: Timestamp) -> Option<LicenceState> {
    set.licences(vendor).into_iter().map(|licence| &licence.state).find(|state| state.is_good(now)).cloned()
}

fn shop<'a>(set: &'a WorkingSet, id: &VendorId) -> Result<Seller<'a>, Refusal> {
    let unknown =
        || Refusal::new(ErrorCode::VendorUnknown, format!("{} is no shop of this center.", id.server_name));
    set.vendor_by_id(id).map(as_seller).ok_or_else(unknown)
}

fn unknown() -> Refusal {
    Refusal::new(ErrorCode::VendorScripUnknown, "The center sold no such scrip.")
}
