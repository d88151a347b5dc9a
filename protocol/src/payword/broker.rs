//! The center's side (spec/03): certificates, and budgets that it holds the whole sum of. So a shop that checked the
//! center's signature is always paid, and what was not used goes back.
//!
//! The sum is paid by a payment of spec/01 with the center as the seller. [`Broker::reserve`] goes with its S4, and what it
//! made is handed out for its receipt by [`Reservation::countersigned`]. Each function says what money it moves; records and
//! money are to be written together, before the reply leaves.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::ids::{IdType, TranId};
use crate::payword::authority::{AuthorityId, AuthorityOrder, Countersigned, GRACE, LIFETIME_MAX};
use crate::payword::certificate::{CERTIFICATE_LIFETIME, Certificate, CertificateRequest};
use crate::payword::charge::{DEPOSIT_JUMP_MAX, Deposit, Paid};
use crate::payword::check::{Position, check};
use crate::payword::error::PaywordError;
use crate::scrip::center::{Center, Seller};
use crate::scrip::payment::{DeliveryMethod, PaymentInformation, PaymentOffer};
use crate::scrip::receipt::{Receipt, ReceiptKind};
use crate::scrip::{Code, Header};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::signature::PublicKeys;
use crate::time::Timestamp;

/// A center that holds budgets.
#[derive(Debug, Clone, Copy)]
pub struct Broker<'a> {
    /// Its name, secrets and limits.
    pub center: &'a Center,
}

/// What the center keeps of one budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reservation {
    /// The authority, countersigned.
    pub countersigned: Countersigned,
    /// The payment that brought the sum.
    pub tran_id: TranId,
    /// The purse that the rest goes back to.
    pub custom_id: IdType,
    /// The center's share of what the shop gets, as it was when the budget was made, in hundredths of a percent.
    pub fee_basis_points: u16,
    /// What the shop was paid for; at first the root.
    pub paid: Position,
    /// When the rest went back; absent while the budget is open.
    pub closed: Option<Timestamp>,
}

/// A deposit that was taken.
#[derive(Debug, Clone)]
pub struct Deposited {
    /// The reservation as it is now.
    pub reservation: Reservation,
    /// From the reservation to the shop.
    pub to_vendor: Amount,
    /// From the reservation to the center.
    pub fee: Amount,
    /// From the reservation to the purse: the rest, if this was the last deposit.
    pub to_purse: Amount,
    /// What to answer.
    pub reply: Paid,
}

/// A budget that came to its end.
#[derive(Debug, Clone)]
pub struct Closed {
    /// The reservation as it is now.
    pub reservation: Reservation,
    /// From the reservation to the purse.
    pub to_purse: Amount,
}

/// The center's rings are never empty; were one, nothing would be signed.
const NO_SECRET: PaywordError = PaywordError::Forged("The center has no secret to sign or seal with.");

impl Broker<'_> {
    /// The public halves of its keys.
    pub fn public_keys(&self) -> PublicKeys {
        PublicKeys::of(&self.center.keys.signing_secrets)
    }

    /// Certifies a customer's key. Nothing is stored.
    ///
    /// # Errors
    /// [`PaywordError::Scrip`] unless a purse's owner asks.
    pub fn certify(&self, request: &CertificateRequest, now: Timestamp) -> Result<Certificate, PaywordError> {
        self.center.keys.authenticate(&request.scrip, &request.hash, |secret| request.seal(secret))?;
        let (key_id, key) = self.key()?;
        let center_id = self.center.keys.center_id.clone();
        Ok(Certificate::new(center_id, request.customer, now.plus(CERTIFICATE_LIFETIME), key_id, key))
    }

    /// The sum that `order` costs, if it would be countersigned now: to be asked before it is paid.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(
        &self,
        order: &AuthorityOrder,
        shop: Seller<'_>,
        now: Timestamp,
    ) -> Result<Amount, PaywordError> {
        let authority = &order.authority;
        order.check(&self.center.keys.center_id, &self.public_keys())?;
        if authority.vendor_id != *shop.id {
            return Err(PaywordError::Foreign("The authority is for another shop."));
        }
        if now > authority.expires || authority.expires > now.plus(LIFETIME_MAX) {
            return Err(PaywordError::Expired("An authority ends within 90 days."));
        }
        let value = authority.value()?;
        if value.currency() != self.center.policy.currency {
            return Err(PaywordError::Terms("The authority is in another currency."));
        }
        if !self.center.policy.balance_max.covers(value) {
            return Err(PaywordError::Terms("The authority is for more than a purse may hold."));
        }
        Ok(value)
    }

    /// S2: offers `order` for its sum. Nothing is stored.
    ///
    /// # Errors
    /// What is wrong with the order.
    pub fn quote(
        &self,
        order: &AuthorityOrder,
        shop: Seller<'_>,
        tran_id: TranId,
        now: Timestamp,
    ) -> Result<PaymentInformation, PaywordError> {
        let price = self.check(order, shop, now)?;
        let Center { keys, policy } = self.center;
        let (secret_id, secret) = keys.vendor_secrets.current().ok_or(NO_SECRET)?;
        let offer = PaymentOffer {
            vendor_id: keys.center_id.clone(),
            center_id: keys.center_id.clone(),
            tran_id,
            request_url: order.authority.id().request_url()?,
            price,
            delivery_method: DeliveryMethod::Budget,
            expires: now.plus(policy.payout_offer_lifetime),
            secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        Ok(PaymentInformation { header: Header::new(Code::Pm2_1, now), offer: offer.sealed(secret) })
    }

    /// Makes the reservation that S4 pays for with `offer`, out of the purse `custom_id`. Whether the offer holds is for the
    /// payment's own rules to say. An order is taken also where its end has come near since it was offered.
    ///
    /// # Errors
    /// [`PaywordError::Foreign`] for another order's offer, and what is wrong with the order.
    pub fn reserve(
        &self,
        order: &AuthorityOrder,
        offer: &PaymentOffer,
        custom_id: IdType,
    ) -> Result<Reservation, PaywordError> {
        let authority = &order.authority;
        if offer.request_url != authority.id().request_url()? || offer.price != authority.value()? {
            return Err(PaywordError::Foreign("The offer is for another authority."));
        }
        order.check(&self.center.keys.center_id, &self.public_keys())?;
        let (key_id, key) = self.key()?;
        Ok(Reservation {
            countersigned: Countersigned::new(order.clone(), key_id, key),
            tran_id: offer.tran_id,
            custom_id,
            fee_basis_points: self.center.policy.fee_basis_points,
            paid: Position { index: 0, payword: authority.root },
            closed: None,
        })
    }

    /// The countersigned authority, for the receipt of its payment.
    ///
    /// # Errors
    /// [`PaywordError::Unpaid`].
    pub fn countersigned(
        &self,
        reservation: &Reservation,
        receipt: &Receipt,
    ) -> Result<Countersigned, PaywordError> {
        let keys = &self.center.keys;
        let secret = keys.vendor_secrets.find(receipt.secret_id);
        if receipt.kind != ReceiptKind::Payment || !secret.is_some_and(|secret| receipt.holds(secret)) {
            return Err(PaywordError::Unpaid("The receipt is not this center's."));
        }
        let subject = reservation.id().request_url()?;
        if receipt.vendor_id != keys.center_id
            || receipt.subject != subject
            || receipt.tran_id != reservation.tran_id
        {
            return Err(PaywordError::Unpaid("The receipt is for something else."));
        }
        if receipt.amount != reservation.countersigned.authority().value()? {
            return Err(PaywordError::Unpaid("The receipt is for another sum."));
        }
        Ok(reservation.countersigned.clone())
    }

    /// Takes a deposit of `shop`. What is on its account already is confirmed again, and moves nothing.
    ///
    /// # Errors
    /// [`PaywordError::Forged`], [`PaywordError::Foreign`], [`PaywordError::Payword`], and [`PaywordError::Ended`] for
    /// what comes after the end.
    pub fn deposit(
        &self,
        deposit: &Deposit,
        reservation: &Reservation,
        shop: Seller<'_>,
        now: Timestamp,
    ) -> Result<Deposited, PaywordError> {
        let authority = reservation.countersigned.authority();
        if deposit.vendor_id != *shop.id || authority.vendor_id != *shop.id {
            return Err(PaywordError::Foreign("The budget is another shop's."));
        }
        let secret = shop.secrets.find(deposit.secret_id).filter(|secret| deposit.holds(secret));
        let secret = secret.ok_or(PaywordError::Forged("The shop has not sealed the deposit."))?;
        if deposit.authority_id != reservation.id() {
            return Err(PaywordError::Foreign("The deposit is for another budget."));
        }
        let mut next = reservation.clone();
        if deposit.index > reservation.paid.index {
            // The payword first: what is no payword of this chain has no time either.
            let (link, last) = (authority.link(), &reservation.paid);
            check(&link, authority.length, DEPOSIT_JUMP_MAX, last, &deposit.position())?;
            if reservation.closed.is_some() || reservation.is_due(now) {
                return Err(PaywordError::Ended(reservation.paid.index));
            }
            next.paid = deposit.position();
        }
        let (vendor_before, fee_before) = reservation.shares()?;
        let (vendor_after, fee_after) = next.shares()?;
        let (to_vendor, fee) = (less(vendor_after, vendor_before)?, less(fee_after, fee_before)?);
        let mut to_purse = Amount::zero(authority.unit.currency());
        if deposit.last && next.closed.is_none() {
            (next.closed, to_purse) = (Some(now), next.rest()?);
        }
        let reply = Paid {
            authority_id: deposit.authority_id,
            index: deposit.index,
            amount: authority.worth(deposit.index)?,
            last: deposit.last,
            secret_id: deposit.secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        Ok(Deposited { reservation: next, to_vendor, fee, to_purse, reply: reply.sealed(secret) })
    }

    /// Returns the rest of a budget whose grace is over. Absent if it is not, or if the rest went back before.
    ///
    /// # Errors
    /// [`PaywordError::Terms`] for a record that contradicts itself.
    pub fn close(&self, reservation: &Reservation, now: Timestamp) -> Result<Option<Closed>, PaywordError> {
        if reservation.closed.is_some() || !reservation.is_due(now) {
            return Ok(None);
        }
        let to_purse = reservation.rest()?;
        let reservation = Reservation { closed: Some(now), ..reservation.clone() };
        Ok(Some(Closed { reservation, to_purse }))
    }

    fn key(&self) -> Result<(u32, &Secret), PaywordError> {
        self.center.keys.signing_secrets.current().ok_or(NO_SECRET)
    }
}

impl Reservation {
    /// Which budget.
    pub fn id(&self) -> AuthorityId {
        self.countersigned.authority().id()
    }

    /// What the shop and the center got so far. The fee is that of the whole, not of each part: it does not depend on how
    /// often the shop deposits.
    ///
    /// # Errors
    /// [`PaywordError::Terms`] for a record that contradicts itself.
    pub fn shares(&self) -> Result<(Amount, Amount), PaywordError> {
        let whole = self.countersigned.authority().worth(self.paid.index)?;
        let fee = whole.share(self.fee_basis_points);
        Ok((less(whole, fee)?, fee))
    }

    /// What is reserved still.
    ///
    /// # Errors
    /// [`PaywordError::Terms`] for a record that contradicts itself.
    pub fn rest(&self) -> Result<Amount, PaywordError> {
        let authority = self.countersigned.authority();
        if self.closed.is_some() {
            return Ok(Amount::zero(authority.unit.currency()));
        }
        less(authority.value()?, authority.worth(self.paid.index)?)
    }

    /// Whether the time for deposits is over.
    pub fn is_due(&self, now: Timestamp) -> bool {
        now > self.countersigned.authority().expires.plus(GRACE)
    }
}

fn less(whole: Amount, part: Amount) -> Result<Amount, PaywordError> {
    whole.checked_sub(part).map_err(|_| PaywordError::Terms("The reservation contradicts itself."))
}
