//! Cash-out (spec/01, rule 11): the center as its own seller.

use crate::amount::Amount;
use crate::error::{ErrorCode, Refusal};
use crate::ids::TranId;
use crate::scrip::cash_out::CashOutOrder;
use crate::scrip::center::keys::no_secret;
use crate::scrip::center::purse::OpenPurse;
use crate::scrip::center::{Center, Found, Outcome, Purse, Seller};
use crate::scrip::payment::{DeliveryMethod, PaymentInformation, PaymentOffer, PurchaseRequest};
use crate::scrip::{Code, Header};
use crate::seal::Seal;
use crate::time::Timestamp;

impl Center {
    /// The center as a seller: number 0.
    pub fn as_seller(&self) -> Seller<'_> {
        Seller { number: 0, id: &self.keys.center_id, secrets: &self.keys.vendor_secrets }
    }

    /// S1 -> S2 of a cash-out. Nothing is stored (rule 10).
    ///
    /// # Errors
    /// [`ErrorCode::Malformed`] for another requestURL, and as [`Center::payment`] will check again.
    pub fn cash_out_offer(
        &self,
        request: &PurchaseRequest,
        tran_id: TranId,
        now: Timestamp,
    ) -> Result<PaymentInformation, Refusal> {
        request.header.expect(&[Code::Pm1_1])?;
        let order = CashOutOrder::parse(&request.request_url)?;
        if order.amount.currency() != self.policy.currency {
            let message = format!("This center's e-cash is in {}.", self.policy.currency);
            return Err(Refusal::new(ErrorCode::CurrencyMismatch, message));
        }
        self.check_cash_out(&order)?;
        let (secret_id, secret) = self.keys.vendor_secrets.current().ok_or_else(no_secret)?;
        let offer = PaymentOffer {
            vendor_id: self.keys.center_id.clone(),
            center_id: self.keys.center_id.clone(),
            tran_id,
            request_url: request.request_url.clone(),
            price: order.amount,
            delivery_method: DeliveryMethod::Payout,
            expires: now.plus(self.policy.payout_offer_lifetime),
            secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        Ok(PaymentInformation { header: Header::new(Code::Pm2_1, now), offer: offer.sealed(secret) })
    }

    /// The fee of an order that reaches the threshold.
    pub(super) fn check_cash_out(&self, order: &CashOutOrder) -> Result<Amount, Refusal> {
        let (threshold, fee, most) =
            (self.policy.payout_threshold, self.policy.payout_fee, self.policy.balance_max);
        if order.amount.is_zero() || !most.covers(order.amount) {
            let message = format!("{} is not between nothing and {most}.", order.amount);
            return Err(Refusal::new(ErrorCode::AmountOutOfRange, message));
        }
        if !order.amount.covers(threshold) || fee.covers(order.amount) {
            let message = format!("Cash-out begins at {threshold}, and costs {fee}.");
            return Err(Refusal::new(ErrorCode::BelowThreshold, message));
        }
        Ok(fee)
    }

    /// A payout that came back: `amount`, the fee included, returns to the purse under a new serial. A
    /// step that is pending ends first, in the buyer's favour.
    ///
    /// # Errors
    /// [`ErrorCode::BalanceLimit`] beyond the largest amount that there is; a purse's own limit does not
    /// apply, since the money was the buyer's before.
    pub fn return_payout(
        &self,
        purse: &Purse,
        found: Found<'_>,
        amount: Amount,
        now: Timestamp,
    ) -> Result<Outcome<()>, Refusal> {
        let mut purse = OpenPurse::open(self, purse, &found, now)?;
        purse.settle()?;
        purse.give_back(amount)?;
        Ok(purse.close(()))
    }

    /// Ends the pending step of `purse` if it has waited too long (rule 5).
    ///
    /// # Errors
    /// [`ErrorCode::Fault`] for records that contradict each other.
    pub fn sweep(&self, purse: &Purse, found: Found<'_>, now: Timestamp) -> Result<Outcome<()>, Refusal> {
        Ok(OpenPurse::open(self, purse, &found, now)?.close(()))
    }
}
