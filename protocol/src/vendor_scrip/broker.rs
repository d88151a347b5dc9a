//! The center's side (spec/02): it makes licensed scrip, holds what was paid for it, pays the shop what was redeemed, and
//! buys the rest back.
//!
//! The sum is paid by a payment of spec/01 with the center as the seller. [`Broker::sell`] goes with its S4, and what it
//! made is handed out for its receipt by [`Broker::purchased`]. Each function says what money it moves; records and money are
//! to be written together, before the reply leaves.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::ids::{IdType, TranId};
use crate::scrip::center::{Center, Seller};
use crate::scrip::payment::{DeliveryMethod, PaymentInformation, PaymentOffer};
use crate::scrip::receipt::{Receipt, ReceiptKind};
use crate::scrip::{Code, Header};
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
    /// The licence that it was made with.
    pub licence: u32,
    /// The scrip that was made.
    pub scrip: VendorScrip,
    /// The center's share of what the shop gets, as it was when the scrip was sold, in hundredths of a percent.
    pub fee_basis_points: u16,
    /// What the shop was paid for, the fee included.
    pub redeemed: Amount,
    /// When the rest went back; absent while the purchase is open.
    pub closed: Option<Timestamp>,
}

/// Scrip that was made.
#[derive(Debug, Clone)]
pub struct Sold {
    /// The sale.
    pub sale: Sale,
    /// The licence as it is now.
    pub licence: LicenceState,
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

    /// Whether `order` would be sold now. `licence` is one of the shop's that is good, if
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

    /// S2: offers `order` for its value. Nothing is stored.
    ///
    /// # Errors
    /// What is wrong with the order.
    pub fn quote(
        &self,
        order: &Order,
        shop: Seller<'_>,
        licence: Option<&LicenceState>,
        tran_id: TranId,
        now: Timestamp,
    ) -> Result<PaymentInformation, VendorScripError> {
        self.check(order, shop, licence, now)?;
        let Center { keys, policy } = self.center;
        let none = VendorScripError::Forged("The center has no secret to seal with.");
        let (secret_id, secret) = keys.vendor_secrets.current().ok_or(none)?;
        let offer = PaymentOffer {
            vendor_id: keys.center_id.clone(),
            center_id: keys.center_id.clone(),
            tran_id,
            request_url: order.id().request_url()?,
            price: order.value,
            delivery_method: DeliveryMethod::Budget,
            expires: now.plus(policy.payout_offer_lifetime),
            secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        Ok(PaymentInformation { header: Header::new(Code::Pm2_1, now), offer: offer.sealed(secret) })
    }

    /// Makes the scrip that S4 pays for with `offer`, out of the purse `custom_id`. Whether the offer holds is for the
    /// payment's own rules to say. `licence` is one of the shop's that is good, if there is one.
    ///
    /// # Errors
    /// [`VendorScripError::Foreign`] for another order's offer, [`VendorScripError::Unlicensed`].
    pub fn sell(
        &self,
        order: &Order,
        offer: &PaymentOffer,
        custom_id: IdType,
        licence: Option<&LicenceState>,
        now: Timestamp,
    ) -> Result<Sold, VendorScripError> {
        if offer.request_url != order.id().request_url()? || offer.price != order.value {
            return Err(VendorScripError::Foreign("The offer is for another order."));
        }
        let (licence, id, customer_id) = good(order, licence, now).ok_or(VendorScripError::Unlicensed)?;
        let Licensed { terms, scrip_secret, .. } = &licence.licensed;
        let body = VendorScripBody {
            vendor_id: order.vendor_id.clone(),
            value: order.value,
            id,
            customer_id,
            expires: now.plus(LIFETIME).min(terms.expires),
            props: terms.props.clone(),
        };
        let sale = Sale {
            order: order.clone(),
            tran_id: offer.tran_id,
            custom_id,
            licence: terms.number,
            scrip: VendorScrip::new(body, scrip_secret),
            fee_basis_points: self.center.policy.fee_basis_points,
            redeemed: Amount::zero(order.value.currency()),
            closed: None,
        };
        Ok(Sold { sale, licence: LicenceState { used: licence.used + 1, ..licence.clone() } })
    }

    /// What `sale` is, for the receipt of its payment. `licensed` is the licence that it was made with.
    ///
    /// # Errors
    /// [`VendorScripError::Unpaid`], and [`VendorScripError::Center`] if the center misses a secret.
    pub fn purchased(
        &self,
        sale: &Sale,
        receipt: &Receipt,
        licensed: &Licensed,
    ) -> Result<Purchased, VendorScripError> {
        self.check_paid(sale, receipt)?;
        let customer = licensed.customer(sale.scrip.scrip.customer_id).ok_or(VendorScripError::Unlicensed)?;
        let custom_secret = self.center.keys.custom_secret(sale.custom_id)?;
        let purchased = Purchased::new(sale.order.id(), sale.scrip.clone(), &customer, &custom_secret);
        purchased.ok_or(VendorScripError::Forged("The secret cannot be encrypted."))
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
        if sale.scrip.scrip.customer_id != settlement.customer_id {
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
        let (vendor_before, fee_before) = sale.shares()?;
        let (vendor_after, fee_after) = next.shares()?;
        let (to_vendor, fee) = (less(vendor_after, vendor_before)?, less(fee_after, fee_before)?);
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

    fn check_paid(&self, sale: &Sale, receipt: &Receipt) -> Result<(), VendorScripError> {
        let keys = &self.center.keys;
        let secret = keys.vendor_secrets.find(receipt.secret_id);
        if receipt.kind != ReceiptKind::Payment || !secret.is_some_and(|secret| receipt.holds(secret)) {
            return Err(VendorScripError::Unpaid("The receipt is not this center's."));
        }
        let subject = sale.order.id().request_url()?;
        if receipt.vendor_id != keys.center_id
            || receipt.subject != subject
            || receipt.tran_id != sale.tran_id
        {
            return Err(VendorScripError::Unpaid("The receipt is for something else."));
        }
        if receipt.amount != sale.order.value {
            return Err(VendorScripError::Unpaid("The receipt is for another sum."));
        }
        Ok(())
    }
}

impl Sale {
    /// What the shop and the center got so far. The fee is that of the whole, not of each part: it does not depend on how
    /// often the shop settles.
    ///
    /// # Errors
    /// [`VendorScripError::Terms`] for a record that contradicts itself.
    pub fn shares(&self) -> Result<(Amount, Amount), VendorScripError> {
        let fee = self.redeemed.share(self.fee_basis_points);
        Ok((less(self.redeemed, fee)?, fee))
    }

    /// Until when the shop settles; afterwards the rest goes back.
    pub fn due(&self) -> Timestamp {
        self.scrip.scrip.expires.plus(GRACE)
    }

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
        now > self.due()
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
