//! Offers (M2, S2) as the center sees them: rules 1, 2 and 9.

use crate::amount::Amount;
use crate::error::{ErrorCode, Refusal};
use crate::ids::{TranId, VendorId};
use crate::scrip::cash_out::CashOutOrder;
use crate::scrip::center::{Center, REPLIES_KEPT, Seller, StepKind};
use crate::scrip::earner::earner;
use crate::scrip::issue::{IssueOffer, IssueStart};
use crate::scrip::payment::{DeliveryMethod, PaymentOffer, PaymentStart};
use crate::scrip::{Code, Header, RequestUrl, Scrip};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::time::{Duration, Timestamp};

/// How long before its end an offer can be taken at all.
const OFFER_LIFETIME_MAX: Duration = Duration::from_days(30);

/// The offer of an M4 or an S4.
#[derive(Clone, Copy)]
pub(super) enum Offer<'a> {
    /// M2's.
    Issue(&'a IssueOffer),
    /// S2's.
    Payment(&'a PaymentOffer),
}

impl Offer<'_> {
    pub(super) fn vendor_id(&self) -> &VendorId {
        match self {
            Offer::Issue(offer) => &offer.vendor_id,
            Offer::Payment(offer) => &offer.vendor_id,
        }
    }

    fn center_id(&self) -> &VendorId {
        match self {
            Offer::Issue(offer) => &offer.center_id,
            Offer::Payment(offer) => &offer.center_id,
        }
    }

    pub(super) fn tran_id(&self) -> TranId {
        match self {
            Offer::Issue(offer) => offer.tran_id,
            Offer::Payment(offer) => offer.tran_id,
        }
    }

    pub(super) fn amount(&self) -> Amount {
        match self {
            Offer::Issue(offer) => offer.value,
            Offer::Payment(offer) => offer.price,
        }
    }

    fn expires(&self) -> Timestamp {
        match self {
            Offer::Issue(offer) => offer.expires,
            Offer::Payment(offer) => offer.expires,
        }
    }

    pub(super) fn secret_id(&self) -> u32 {
        match self {
            Offer::Issue(offer) => offer.secret_id,
            Offer::Payment(offer) => offer.secret_id,
        }
    }

    fn holds(&self, vendor_secret: &Secret) -> bool {
        match self {
            Offer::Issue(offer) => offer.holds(vendor_secret),
            Offer::Payment(offer) => offer.holds(vendor_secret),
        }
    }

    /// The item, or the article's address.
    pub(super) fn subject(&self) -> Result<RequestUrl, Refusal> {
        match self {
            Offer::Issue(offer) => RequestUrl::try_from(String::from(offer.item.clone()))
                .map_err(|error| Refusal::new(ErrorCode::Malformed, error.to_string())),
            Offer::Payment(offer) => Ok(offer.request_url.clone()),
        }
    }

    /// Which way the money goes. The center sells nothing but payouts, and nobody else pays out.
    pub(super) fn kind(&self, seller: Seller<'_>) -> Result<StepKind, Refusal> {
        let forged = |message: &str| Err(Refusal::new(ErrorCode::OfferForged, message));
        match self {
            Offer::Issue(_) if seller.number == 0 => forged("The center itself pays for no answers."),
            Offer::Issue(_) => Ok(StepKind::Issue),
            Offer::Payment(offer) => match (seller.number, offer.delivery_method) {
                (0, DeliveryMethod::Payout) => Ok(StepKind::CashOut),
                (0, DeliveryMethod::Budget) => Ok(StepKind::Payment),
                (0, _) => forged("The center itself sells nothing but budgets."),
                (_, DeliveryMethod::Payout) => forged("Only the center itself pays e-cash out."),
                (_, DeliveryMethod::Budget) => forged("Only the center itself holds budgets."),
                (..) => Ok(StepKind::Payment),
            },
        }
    }

    /// The hash of the GM4_1 or PM4_1 that takes this offer with `scrip`.
    pub(super) fn start_hash(&self, scrip: Scrip, custom_secret: &Secret) -> Seal {
        // A seal covers of the header the code alone.
        let header = |code| Header::new(code, Timestamp::from_millis(0));
        let (hash, p_count) = (Seal::from_bytes([0; 32]), 0);
        match *self {
            Offer::Issue(offer) => {
                let offer = offer.clone();
                IssueStart { header: header(Code::Gm4_1), scrip, offer, hash, p_count }.seal(custom_secret)
            }
            Offer::Payment(order) => {
                let order = order.clone();
                PaymentStart { header: header(Code::Pm4_1), scrip, order, hash, p_count }.seal(custom_secret)
            }
        }
    }

    /// That the seller made this offer.
    pub(super) fn check_sealed(&self, seller: Seller<'_>) -> Result<(), Refusal> {
        match seller.secrets.find(self.secret_id()) {
            Some(secret) if self.holds(secret) => Ok(()),
            _ => {
                let message = format!("{} did not seal this offer.", seller.id.server_name);
                Err(Refusal::new(ErrorCode::OfferForged, message))
            }
        }
    }

    /// That the offer names this center.
    pub(super) fn check_center(&self, center: &Center) -> Result<(), Refusal> {
        if self.center_id() == &center.keys.center_id {
            return Ok(());
        }
        let message = format!("The offer is for {}.", self.center_id().server_name);
        Err(Refusal::new(ErrorCode::OfferForeign, message))
    }

    /// That the offer is still good, by the center's clock.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), Refusal> {
        self.check_end(now)?;
        if now <= self.expires() {
            return Ok(());
        }
        Err(Refusal::new(ErrorCode::OfferExpired, "The offer has expired."))
    }

    /// That the offer ends soon enough: for as long as it can be taken, it is remembered that it was cancelled.
    pub(super) fn check_end(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.expires() <= now.plus(OFFER_LIFETIME_MAX) {
            return Ok(());
        }
        Err(Refusal::new(ErrorCode::OfferExpired, "The offer's end is too far ahead."))
    }

    /// Whether a cancellation of it is worth remembering: it could still be taken, or the reply asked for again.
    pub(super) fn is_remembered(&self, now: Timestamp) -> bool {
        now <= self.expires().plus(REPLIES_KEPT)
    }

    /// That whoever answered is whoever claims the reward (rule 9).
    pub(super) fn check_earner(&self, custom_secret: &Secret) -> Result<(), Refusal> {
        let Offer::Issue(offer) = self else { return Ok(()) };
        let expected = earner(&offer.vendor_id, custom_secret);
        if Seal::from_bytes(*expected.as_bytes()).matches(&Seal::from_bytes(*offer.earner.as_bytes())) {
            return Ok(());
        }
        Err(Refusal::new(ErrorCode::EarnerMismatch, "Another buyer's answer earned this."))
    }

    /// That the amount is one that a step may move.
    pub(super) fn check_amount(&self, center: &Center) -> Result<(), Refusal> {
        let (amount, most) = (self.amount(), center.policy.balance_max);
        if amount.currency() != center.policy.currency {
            let message = format!("This center's e-cash is in {}.", center.policy.currency);
            return Err(Refusal::new(ErrorCode::CurrencyMismatch, message));
        }
        if amount.is_zero() || !most.covers(amount) {
            let message = format!("{amount} is not between nothing and {most}.");
            return Err(Refusal::new(ErrorCode::AmountOutOfRange, message));
        }
        Ok(())
    }

    /// A cash-out's order, which must be for the whole price.
    pub(super) fn cash_out_order(&self) -> Result<CashOutOrder, Refusal> {
        let order = CashOutOrder::parse(&self.subject()?)?;
        if order.amount == self.amount() {
            return Ok(order);
        }
        Err(Refusal::new(ErrorCode::AmountOutOfRange, "The order's amount is not the offer's."))
    }
}
