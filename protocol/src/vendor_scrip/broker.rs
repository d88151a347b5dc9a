//! The center's side (spec/02): it makes licensed scrip, holds what was paid for it, pays the shop what was redeemed, and
//! buys the rest back.
//!
//! The sum is paid by a payment of spec/01 with the center as the seller: the receipt of it is what [`Broker::sell`] takes.
//! Each function says what money it moves; records and money are to be written together, before the reply leaves.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::ids::{IdType, TranId};
use crate::scrip::center::{Center, Seller};
use crate::scrip::receipt::{Receipt, ReceiptKind};
use crate::seal::Seal;
use crate::time::Timestamp;
use crate::vendor_scrip::error::VendorScripError;
use crate::vendor_scrip::licence::{Licence, Licensed};
use crate::vendor_scrip::purchase::{Order, Purchased};
use crate::vendor_scrip::settlement::{Settled, Settlement};
use crate::vendor_scrip::{GRACE, LIFETIME, VendorScrip, VendorScripBody};

/// A center that sells the scrip of shops.
#[derive(Debug, Clone, Copy)]
pub struct Broker<'a> {
    /// Its name, secrets and limits.
    pub center: &'a Center,
}

/// A licence, and how much of it was used.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LicenceState {
    /// The licence.
    pub licensed: Licensed,
    /// How many of its numbers were used.
    pub used: u32,
}

impl LicenceState {
    /// Whether scrip can be made with it.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.used < self.licensed.terms.count && now < self.licensed.terms.expires
    }
}

/// What the center keeps of one purchase, by its Cust_ID# and by its order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sale {
    /// What was ordered.
    pub order: Order,
    /// The payment that brought the sum.
    pub tran_id: TranId,
    /// The purse that the rest goes back to.
    pub custom_id: IdType,
    /// The scrip that was made; absent if the shop had licensed none, and the money went back.
    pub scrip: Option<VendorScrip>,
    /// The center's share of what the shop gets, as it was when the scrip was sold, in hundredths of a percent.
    pub fee_basis_points: u16,
    /// What the shop was paid for, the fee included.
    pub redeemed: Amount,
    /// When the rest went back; absent while the purchase is open.
    pub closed: Option<Timestamp>,
}

/// An order that was paid.
#[derive(Debug, Clone)]
pub struct Sold {
    /// The sale as it is now.
    pub sale: Sale,
    /// The licence as it is now; absent if it has not changed.
    pub licence: Option<LicenceState>,
    /// From the sale to the purse: the whole sum, if the shop had licensed no scrip.
    pub to_purse: Amount,
    /// What to answer; absent if the money went back.
    pub reply: Option<Purchased>,
}

/// A settlement that was taken.
#[derive(Debug, Clone)]
pub struct Settling {
    /// The sale as it is now.
    pub sale: Sale,
    /// From the sale to the shop.
    pub to_vendor: Amount,
    /// From the sale to the center.
    pub fee: Amount,
    /// From the sale to the purse: the rest, if this was the last settlement.
    pub to_purse: Amount,
    /// What to answer.
    pub reply: Settled,
}

/// A purchase that came to its end.
#[derive(Debug, Clone)]
pub struct Closed {
    /// The sale as it is now.
    pub sale: Sale,
    /// From the sale to the purse.
    pub to_purse: Amount,
}

impl Broker<'_> {
    /// Takes a shop's licence. `newest` is its newest one so far, if there is one; that one again changes nothing.
    ///
    /// # Errors
    /// [`VendorScripError::Foreign`], [`VendorScripError::Forged`], [`VendorScripError::Expired`], and
    /// [`VendorScripError::Terms`] also for a number that is not the highest.
    pub fn accept(
        &self,
        licence: &Licence,
        shop: Seller<'_>,
        newest: Option<&LicenceState>,
        now: Timestamp,
    ) -> Result<LicenceState, VendorScripError> {
        let terms = &licence.terms;
        if terms.vendor_id != *shop.id || terms.center_id != self.center.keys.center_id {
            return Err(VendorScripError::Foreign("The licence is another shop's, or for another center."));
        }
        let forged = VendorScripError::Forged("The shop has not sealed the licence.");
        let licensed = licence.open(shop.secrets.find(licence.secret_id).ok_or(forged)?)?;
        if let Some(newest) = newest.filter(|newest| newest.licensed.is(&licensed)) {
            return Ok(newest.clone());
        }
        if newest.is_some_and(|newest| terms.number <= newest.licensed.terms.number) {
            return Err(VendorScripError::Terms("A new licence has a higher number than the last one."));
        }
        terms.check()?;
        if now >= terms.expires {
            return Err(VendorScripError::Expired("The licence has ended."));
        }
        Ok(LicenceState { licensed, used: 0 })
    }

    /// Whether `order` would be sold now: to be asked before it is paid. `licence` is one of the shop's that is good, if
    /// there is one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(
        &self,
        order: &Order,
        shop: Seller<'_>,
        licence: Option<&LicenceState>,
        now: Timestamp,
    ) -> Result<(), VendorScripError> {
        if order.center_id != self.center.keys.center_id || order.vendor_id != *shop.id {
            return Err(VendorScripError::Foreign("The order is for another shop or center."));
        }
        if order.value.currency() != self.center.policy.currency {
            return Err(VendorScripError::Terms("The order is in another currency."));
        }
        if order.value.is_zero() || !self.center.policy.balance_max.covers(order.value) {
            return Err(VendorScripError::Terms(
                "The order is for nothing, or for more than a purse may hold.",
            ));
        }
        good(order, licence, now).map(|_| ()).ok_or(VendorScripError::Unlicensed)
    }

    /// Makes what `order` asks for, which `receipt` has paid for out of the purse `custom_id`. `known` is the sale that is
    /// stored for the order, if there is one; the same again gets the same. `licence` is a good one of the shop's, or the
    /// one that the known sale was made with. Where none is good any more, the money goes back.
    ///
    /// # Errors
    /// [`VendorScripError::Unpaid`], and [`VendorScripError::Center`] if the center misses a secret.
    pub fn sell(
        &self,
        order: &Order,
        receipt: &Receipt,
        custom_id: IdType,
        known: Option<&Sale>,
        licence: Option<&LicenceState>,
        now: Timestamp,
    ) -> Result<Sold, VendorScripError> {
        self.check_paid(order, receipt)?;
        let nothing = Amount::zero(order.value.currency());
        if let Some(sale) = known.filter(|sale| sale.order == *order) {
            if sale.tran_id != receipt.tran_id {
                return Err(VendorScripError::Unpaid("The order was paid by another payment."));
            }
            let customer = licence.and_then(|licence| sale.customer(&licence.licensed));
            let reply = self.purchased(sale, customer)?;
            return Ok(Sold { sale: sale.clone(), licence: None, to_purse: nothing, reply });
        }
        let tran_id = receipt.tran_id;
        let sale = Sale {
            order: order.clone(),
            tran_id,
            custom_id,
            scrip: None,
            fee_basis_points: self.center.policy.fee_basis_points,
            redeemed: nothing,
            closed: None,
        };
        let Some((licence, id, customer_id)) = good(order, licence, now) else {
            let sale = Sale { closed: Some(now), ..sale };
            return Ok(Sold { sale, licence: None, to_purse: order.value, reply: None });
        };
        let Licensed { terms, scrip_secret, .. } = &licence.licensed;
        let body = VendorScripBody {
            vendor_id: order.vendor_id.clone(),
            value: order.value,
            id,
            customer_id,
            expires: now.plus(LIFETIME).min(terms.expires),
            props: terms.props.clone(),
        };
        let sale = Sale { scrip: Some(VendorScrip::new(body, scrip_secret)), ..sale };
        let reply = self.purchased(&sale, sale.customer(&licence.licensed))?;
        let licence = LicenceState { used: licence.used + 1, ..licence.clone() };
        Ok(Sold { sale, licence: Some(licence), to_purse: nothing, reply })
    }

    /// Takes a settlement of `shop`. What is on its account already is confirmed again, and moves nothing.
    ///
    /// # Errors
    /// [`VendorScripError::Forged`], [`VendorScripError::Foreign`], [`VendorScripError::Terms`] for more than was sold,
    /// and [`VendorScripError::Ended`] for what comes after the end.
    pub fn settle(
        &self,
        settlement: &Settlement,
        sale: &Sale,
        shop: Seller<'_>,
        now: Timestamp,
    ) -> Result<Settling, VendorScripError> {
        if settlement.vendor_id != *shop.id || sale.order.vendor_id != *shop.id {
            return Err(VendorScripError::Foreign("The purchase is another shop's."));
        }
        let secret = shop.secrets.find(settlement.secret_id).filter(|secret| settlement.holds(secret));
        let secret = secret.ok_or(VendorScripError::Forged("The shop has not sealed the settlement."))?;
        if sale.scrip.as_ref().is_none_or(|scrip| scrip.scrip.customer_id != settlement.customer_id) {
            return Err(VendorScripError::Foreign("The settlement is for another purchase."));
        }
        if !sale.order.value.covers(settlement.redeemed) {
            return Err(VendorScripError::Terms("More is settled than was sold."));
        }
        let mut next = sale.clone();
        if !sale.redeemed.covers(settlement.redeemed) {
            if sale.closed.is_some() || sale.is_due(now) {
                return Err(VendorScripError::Ended(sale.redeemed));
            }
            next.redeemed = settlement.redeemed;
        }
        // The fee of the whole, not of each part: it does not depend on how often the shop settles.
        let fee_of = |amount: Amount| amount.share(sale.fee_basis_points);
        let fee = less(fee_of(next.redeemed), fee_of(sale.redeemed))?;
        let to_vendor = less(less(next.redeemed, sale.redeemed)?, fee)?;
        let mut to_purse = Amount::zero(sale.order.value.currency());
        if settlement.last && next.closed.is_none() {
            to_purse = next.rest()?;
            next.closed = Some(now);
        }
        let reply = Settled {
            customer_id: settlement.customer_id,
            redeemed: settlement.redeemed,
            last: settlement.last,
            secret_id: settlement.secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        Ok(Settling { sale: next, to_vendor, fee, to_purse, reply: reply.sealed(secret) })
    }

    /// Returns the rest of a purchase whose grace is over. Absent if it is not, or if the rest went back before.
    ///
    /// # Errors
    /// [`VendorScripError::Terms`] for a record that contradicts itself.
    pub fn close(&self, sale: &Sale, now: Timestamp) -> Result<Option<Closed>, VendorScripError> {
        if sale.closed.is_some() || !sale.is_due(now) {
            return Ok(None);
        }
        let to_purse = sale.rest()?;
        Ok(Some(Closed { sale: Sale { closed: Some(now), ..sale.clone() }, to_purse }))
    }

    fn check_paid(&self, order: &Order, receipt: &Receipt) -> Result<(), VendorScripError> {
        let keys = &self.center.keys;
        let secret = keys.vendor_secrets.find(receipt.secret_id);
        if receipt.kind != ReceiptKind::Payment || !secret.is_some_and(|secret| receipt.holds(secret)) {
            return Err(VendorScripError::Unpaid("The receipt is not this center's."));
        }
        if receipt.vendor_id != keys.center_id || receipt.subject != order.id().request_url()? {
            return Err(VendorScripError::Unpaid("The receipt is for something else."));
        }
        if receipt.amount != order.value {
            return Err(VendorScripError::Unpaid("The receipt is for another sum."));
        }
        Ok(())
    }

    /// The reply about `sale`.
    fn purchased(
        &self,
        sale: &Sale,
        customer: Option<crate::Secret>,
    ) -> Result<Option<Purchased>, VendorScripError> {
        let Some(scrip) = sale.scrip.clone() else { return Ok(None) };
        let customer = customer.ok_or(VendorScripError::Unlicensed)?;
        let custom_secret = self.center.keys.custom_secret(sale.custom_id)?;
        Ok(Purchased::new(sale.order.id(), scrip, &customer, &custom_secret))
    }
}

impl Sale {
    /// What is held still.
    ///
    /// # Errors
    /// [`VendorScripError::Terms`] for a record that contradicts itself.
    pub fn rest(&self) -> Result<Amount, VendorScripError> {
        if self.closed.is_some() {
            return Ok(Amount::zero(self.order.value.currency()));
        }
        less(self.order.value, self.redeemed)
    }

    /// Whether the time for settlements is over.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.scrip.as_ref().is_some_and(|scrip| now > scrip.scrip.expires.plus(GRACE))
    }

    fn customer(&self, licensed: &Licensed) -> Option<crate::Secret> {
        licensed.customer(self.scrip.as_ref()?.scrip.customer_id)
    }
}

/// The licence, if it is one of the order's shop and good, and the next of its numbers.
fn good<'a>(
    order: &Order,
    licence: Option<&'a LicenceState>,
    now: Timestamp,
) -> Option<(&'a LicenceState, IdType, IdType)> {
    let licence = licence.filter(|licence| licence.is_good(now))?;
    let terms = &licence.licensed.terms;
    if terms.vendor_id != order.vendor_id {
        return None;
    }
    Some((licence, terms.scrips.nth(licence.used)?, terms.customers.nth(licence.used)?))
}

fn less(whole: Amount, part: Amount) -> Result<Amount, VendorScripError> {
    whole.checked_sub(part).map_err(|_| VendorScripError::Terms("The sale contradicts itself."))
}
