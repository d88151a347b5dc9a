//! The seller's side (spec/01): offers (M2, S2), relayed messages (M3, S3) and deliveries (M7, S7).
//!
//! A seller keeps nothing for an offer (rule 10). What it must remember of an answer, so that each earner
//! has one attempt and the same M1 gets the same M2 (rule 9), its store keeps; the rules of the messages
//! are here. Time, random numbers, prices and rewards are arguments.
//!
//! ```text
//! S1 -> Seller::quote -> S2          M1 -> Seller::attested -> (grading) -> Seller::permit | refuse_issue -> M2
//! S3, M3 -> Seller::relay -> AwaitingOutcome -> AwaitingOutcome::settle -> Settled -> Seller::deliver -> S7, M7
//! receipt -> Seller::admit -> Seller::deliver -> S7
//! ```

use crate::amount::Amount;
use crate::error::{ErrorCode, Refusal};
use crate::ids::{EarnerId, TranId, VendorId};
use crate::scrip::campaign::CampaignFunding;
use crate::scrip::issue::{IssueOffer, IssuePermitted, IssueRequest};
use crate::scrip::payment::{PaymentInformation, PaymentOffer, PurchaseRequest};
use crate::scrip::receipt::{Receipt, ReceiptKind};
use crate::scrip::relay::{CenterInit, Delivery, Outcome, RELAY, RelayReply, RelayRequest, Unconfirmed};
use crate::scrip::{Code, Document, Header, Item, Refused, RequestUrl};
use crate::seal::Seal;
use crate::secret::{KeyRing, Secret};
use crate::text::Text;
use crate::time::{Duration, Timestamp};

/// How long a center takes a quoted price.
pub const PAYMENT_OFFER_LIFETIME: Duration = Duration::from_minutes(30);
/// How long a center takes a permitted reward.
pub const ISSUE_OFFER_LIFETIME: Duration = Duration::from_minutes(60);

/// Fills the place of a seal until the message is sealed.
const UNSEALED: Seal = Seal::from_bytes([0; 32]);

/// What an offer is made with: the seller's clock, and 80 bits for its TranID from a secure source.
#[derive(Debug, Clone, Copy)]
pub struct Fresh {
    /// The seller's clock.
    pub now: Timestamp,
    /// Random bits.
    pub random: [u8; 10],
}

/// A seller that shares secrets with one center.
#[derive(Debug, Clone)]
pub struct Seller {
    vendor_id: VendorId,
    center_id: VendorId,
    secrets: KeyRing,
}

impl Seller {
    /// The seller `vendor_id` at the center `center_id`, with the Vendor_Secrets that both share.
    ///
    /// # Errors
    /// [`ErrorCode::Unauthorized`] for a ring without secrets, with which nothing could be sealed.
    pub fn new(vendor_id: VendorId, center_id: VendorId, secrets: KeyRing) -> Result<Self, Refusal> {
        if secrets.current().is_none() {
            let message = "The shop has no secret that it shares with the center.";
            return Err(Refusal::new(ErrorCode::Unauthorized, message));
        }
        Ok(Seller { vendor_id, center_id, secrets })
    }

    /// Who sells.
    pub fn vendor_id(&self) -> &VendorId {
        &self.vendor_id
    }

    /// The center whose e-cash is taken.
    pub fn center_id(&self) -> &VendorId {
        &self.center_id
    }

    /// S1 -> S2: offers the article for `price`, for [`PAYMENT_OFFER_LIFETIME`].
    ///
    /// # Errors
    /// [`ErrorCode::Version`] or [`ErrorCode::WrongMessage`] for anything but an S1;
    /// [`ErrorCode::AmountOutOfRange`] for a price of zero, which no payment can move.
    pub fn quote(
        &self,
        request: &PurchaseRequest,
        price: Amount,
        fresh: Fresh,
    ) -> Result<PaymentInformation, Refusal> {
        request.header.expect(&[Code::Pm1_1])?;
        not_zero(price)?;
        let (secret_id, secret) = self.secret()?;
        let offer = PaymentOffer {
            vendor_id: self.vendor_id.clone(),
            center_id: self.center_id.clone(),
            tran_id: TranId::new(fresh.now, fresh.random),
            request_url: request.request_url.clone(),
            price,
            delivery_method: request.p_method.into(),
            expires: fresh.now.plus(PAYMENT_OFFER_LIFETIME),
            secret_id,
            seal: UNSEALED,
        };
        let header = Header::new(Code::Pm2_1, fresh.now);
        Ok(PaymentInformation { header, offer: offer.sealed(secret) })
    }

    /// M1: who answers, once the center's attestation was checked.
    ///
    /// # Errors
    /// [`ErrorCode::Version`] or [`ErrorCode::WrongMessage`] for anything but an M1;
    /// [`ErrorCode::EarnerUnattested`] if the attestation is not for this seller.
    pub fn attested(&self, request: &IssueRequest) -> Result<EarnerId, Refusal> {
        request.header.expect(&[Code::Gm1_1])?;
        let attestation = &request.earner;
        let secret = self.secrets.find(attestation.secret_id);
        if secret.is_some_and(|secret| attestation.holds(&self.vendor_id, secret)) {
            Ok(attestation.earner)
        } else {
            let message = "The center has not attested this pseudonym for this shop.";
            Err(Refusal::new(ErrorCode::EarnerUnattested, message))
        }
    }

    /// M1 -> M2: permits the center to issue `reward` to the earner, for [`ISSUE_OFFER_LIFETIME`].
    ///
    /// # Errors
    /// [`ErrorCode::AmountOutOfRange`] for a reward of zero.
    pub fn permit(
        &self,
        request: &IssueRequest,
        reward: Amount,
        fresh: Fresh,
    ) -> Result<IssuePermitted, Refusal> {
        not_zero(reward)?;
        let (secret_id, secret) = self.secret()?;
        let offer = IssueOffer {
            vendor_id: self.vendor_id.clone(),
            center_id: self.center_id.clone(),
            tran_id: TranId::new(fresh.now, fresh.random),
            item: request.item.clone(),
            value: reward,
            earner: request.earner.earner,
            expires: fresh.now.plus(ISSUE_OFFER_LIFETIME),
            secret_id,
            seal: UNSEALED,
        };
        let header = Header::new(Code::Gm2_1, fresh.now);
        Ok(IssuePermitted { header, offer: offer.sealed(secret) })
    }

    /// M3 or S3 -> the request that the center is asked with.
    ///
    /// # Errors
    /// [`ErrorCode::Version`] or [`ErrorCode::WrongMessage`] for anything but an M3 or S3.
    pub fn relay(&self, init: &CenterInit, now: Timestamp) -> Result<AwaitingOutcome, Refusal> {
        let code = init.header.expect(&RELAY)?;
        let (secret_id, secret) = self.secret()?;
        let request = RelayRequest {
            header: Header::new(code, now),
            vendor_id: self.vendor_id.clone(),
            tran_id: init.tran_id,
            secret_id,
            seal: UNSEALED,
        };
        Ok(AwaitingOutcome { code, request: request.sealed(secret) })
    }

    /// Checks that the center made this receipt, for this seller, and that it is of this kind.
    ///
    /// # Errors
    /// [`ErrorCode::ReceiptInvalid`].
    pub fn admit(&self, receipt: &Receipt, kind: ReceiptKind) -> Result<(), Refusal> {
        receipt.admit(&self.vendor_id, &self.secrets, kind)
    }

    /// S7 for a payment's receipt, M7 for an issue's.
    pub fn deliver(
        &self,
        receipt: Receipt,
        title: Text<400>,
        document: Document,
        now: Timestamp,
    ) -> Delivery {
        let code = match receipt.kind {
            ReceiptKind::Payment => Code::Pm7_1,
            ReceiptKind::Issue => Code::Gm7_1,
        };
        Delivery { header: Header::new(code, now), title, document, receipt }
    }

    /// Asks the center to set `budget` aside for `item`; 0 ends the campaign.
    ///
    /// # Errors
    /// [`ErrorCode::Unauthorized`] if the seller's secrets were taken away.
    pub fn fund(&self, item: Item, budget: Amount, now: Timestamp) -> Result<CampaignFunding, Refusal> {
        let (secret_id, secret) = self.secret()?;
        let vendor_id = self.vendor_id.clone();
        let funding = CampaignFunding { vendor_id, item, budget, date: now, secret_id, seal: UNSEALED };
        Ok(funding.sealed(secret))
    }

    fn secret(&self) -> Result<(u32, &Secret), Refusal> {
        let none = || Refusal::new(ErrorCode::Unauthorized, "The shop has no secret to seal with.");
        self.secrets.current().ok_or_else(none)
    }
}

/// A relayed M3 or S3, waiting for the center's word.
#[derive(Debug, Clone)]
pub struct AwaitingOutcome {
    code: Code,
    request: RelayRequest,
}

/// What the center said of a transaction.
#[derive(Debug, Clone)]
pub enum Settled {
    /// Nothing final yet: ask again.
    Open,
    /// Completed; the receipt was checked.
    Posted(Receipt),
    /// Cancelled, or out of time.
    Voided,
}

impl AwaitingOutcome {
    /// What to send to the center.
    pub fn request(&self) -> &RelayRequest {
        &self.request
    }

    /// Takes the center's answer, once its seal and all that it names fit the question.
    ///
    /// # Errors
    /// [`ErrorCode::Version`], [`ErrorCode::WrongMessage`], or [`ErrorCode::SealInvalid`] if the answer is
    /// for another transaction or not the center's; [`ErrorCode::ReceiptInvalid`] for its receipt.
    pub fn settle(&self, seller: &Seller, reply: RelayReply) -> Result<Settled, Refusal> {
        reply.header.expect(&[self.code])?;
        let secret = seller.secrets.find(reply.secret_id);
        let sealed = secret.is_some_and(|secret| reply.holds(secret));
        if !sealed || reply.tran_id != self.request.tran_id {
            let message = "The center's answer is not sealed for this transaction.";
            return Err(Refusal::new(ErrorCode::SealInvalid, message));
        }
        match reply.outcome {
            Outcome::Open => Ok(Settled::Open),
            Outcome::Voided => Ok(Settled::Voided),
            Outcome::Posted(receipt) => {
                let payment = self.code == Code::Pm3_1;
                seller.admit(&receipt, if payment { ReceiptKind::Payment } else { ReceiptKind::Issue })?;
                if receipt.tran_id != self.request.tran_id {
                    let message = "The receipt is for another transaction.";
                    return Err(Refusal::new(ErrorCode::ReceiptInvalid, message));
                }
                Ok(Settled::Posted(receipt))
            }
        }
    }

    /// GM7_2 or PM7_2: the center has not confirmed; `ask_again` is the path for the same M3 or S3.
    pub fn unconfirmed(&self, ask_again: Text<200>, now: Timestamp) -> Unconfirmed {
        let code = if self.code == Code::Pm3_1 { Code::Pm7_2 } else { Code::Gm7_2 };
        Unconfirmed { header: Header::new(code, now), tran_id: self.request.tran_id, ask_again }
    }
}

/// GM2_2: the issue is refused, with the reason for the reader.
pub fn refuse_issue(refusal: &Refusal, document: Document, now: Timestamp) -> Refused {
    refused(Code::Gm2_2, refusal, document, now)
}

/// PM2_2: not for sale, with the reason for the reader.
pub fn refuse_purchase(refusal: &Refusal, document: Document, now: Timestamp) -> Refused {
    refused(Code::Pm2_2, refusal, document, now)
}

/// The article's address at its shop: `{origin}/articles/{slug}`.
///
/// # Errors
/// [`ErrorCode::ArticleUnknown`] if origin and slug together are longer than an address may be.
pub fn article_url(origin: &str, slug: &str) -> Result<RequestUrl, Refusal> {
    format!("{origin}/articles/{slug}")
        .parse()
        .map_err(|error| Refusal::new(ErrorCode::ArticleUnknown, format!("The article's address: {error}.")))
}

fn refused(code: Code, refusal: &Refusal, document: Document, now: Timestamp) -> Refused {
    let mut header = Header::new(code, now);
    header.error_message = Text::normalized(&refusal.message).ok();
    Refused { header, document: Some(document), scrip: None, order: None, hash: None, p_count: None }
}

fn not_zero(amount: Amount) -> Result<(), Refusal> {
    if amount.is_zero() {
        return Err(Refusal::new(ErrorCode::AmountOutOfRange, "An offer of nothing cannot be made."));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
