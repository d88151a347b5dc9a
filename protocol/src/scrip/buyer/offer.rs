//! E1, M1 and S1: a buyer asks, and gets an attestation or an offer (spec/01, figures 2 and 3).

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::error::{ErrorCode, Refusal};
use crate::ids::{TranId, VendorId};
use crate::scrip::buyer::{Purse, wrong};
use crate::scrip::earner::{Attestation, AttestationReply, AttestationRequest, earner};
use crate::scrip::finish::Transaction;
use crate::scrip::issue::{IssueOffer, IssuePermitted, IssueRequest};
use crate::scrip::payment::{PaymentInformation, PaymentMethod, PaymentOffer, PurchaseRequest};
use crate::scrip::{Code, Header, Item, RequestUrl};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::text::Text;
use crate::time::Timestamp;

/// What a seller offers: to have e-cash issued (M2), or to sell (S2).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Offer {
    /// M2's.
    Issue(IssueOffer),
    /// S2's: pOrder.
    Payment(PaymentOffer),
}

impl Offer {
    /// Issued or to be paid.
    pub fn amount(&self) -> Amount {
        match self {
            Offer::Issue(offer) => offer.value,
            Offer::Payment(offer) => offer.price,
        }
    }

    /// The transaction.
    pub fn tran_id(&self) -> TranId {
        match self {
            Offer::Issue(offer) => offer.tran_id,
            Offer::Payment(offer) => offer.tran_id,
        }
    }

    /// The seller.
    pub fn vendor_id(&self) -> &VendorId {
        match self {
            Offer::Issue(offer) => &offer.vendor_id,
            Offer::Payment(offer) => &offer.vendor_id,
        }
    }

    /// The center that it is meant for.
    pub fn center_id(&self) -> &VendorId {
        match self {
            Offer::Issue(offer) => &offer.center_id,
            Offer::Payment(offer) => &offer.center_id,
        }
    }

    /// The item or the article's address.
    pub fn subject(&self) -> &str {
        match self {
            Offer::Issue(offer) => offer.item.as_str(),
            Offer::Payment(offer) => offer.request_url.as_str(),
        }
    }

    /// Until when the center takes it.
    pub fn expires(&self) -> Timestamp {
        match self {
            Offer::Issue(offer) => offer.expires,
            Offer::Payment(offer) => offer.expires,
        }
    }

    /// Seller and TranID together.
    pub fn transaction(&self) -> Transaction {
        Transaction { vendor_id: self.vendor_id().clone(), tran_id: self.tran_id() }
    }

    /// Refuses an offer of another seller, or for another center or currency, or of nothing.
    fn check(&self, vendor_id: &VendorId, purse: &Purse) -> Result<(), Refusal> {
        if self.vendor_id() != vendor_id {
            return Err(wrong("The offer is another shop's."));
        }
        if self.center_id() != purse.center() {
            return Err(Refusal::new(ErrorCode::OfferForeign, "The offer is meant for another center."));
        }
        if self.amount().currency() != purse.value().currency() {
            return Err(Refusal::new(ErrorCode::CurrencyMismatch, "The offer is in another currency."));
        }
        if self.amount().is_zero() {
            return Err(Refusal::new(ErrorCode::AmountOutOfRange, "The offer is of nothing."));
        }
        Ok(())
    }
}

/// E1 was sent, E2 is awaited.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingAttestation {
    /// E1.
    pub request: AttestationRequest,
}

impl AwaitingAttestation {
    /// The attestation of this buyer's own pseudonym at that seller.
    ///
    /// # Errors
    /// [`ErrorCode::EarnerMismatch`] for any other pseudonym.
    pub fn receive(&self, reply: &AttestationReply, custom_secret: &Secret) -> Result<Attestation, Refusal> {
        reply.header.expect(&[Code::Em2])?;
        if reply.attestation.earner != earner(&self.request.vendor_id, custom_secret) {
            let message = "The attestation is for another earner.";
            return Err(Refusal::new(ErrorCode::EarnerMismatch, message));
        }
        Ok(reply.attestation.clone())
    }
}

/// M1 was sent, M2 is awaited.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingIssueOffer {
    /// M1.
    pub request: IssueRequest,
    /// The seller that was asked.
    pub vendor_id: VendorId,
}

impl AwaitingIssueOffer {
    /// M1: `answers` to the questions of `item`.
    pub fn new(
        vendor_id: VendorId,
        item: Item,
        answers: Vec<Text<2_000>>,
        earner: Attestation,
        now: Timestamp,
    ) -> Self {
        let header = Header::new(Code::Gm1_1, now);
        AwaitingIssueOffer { request: IssueRequest { header, item, value: answers, earner }, vendor_id }
    }

    /// The offer, if it is for this answer, this earner and this purse's center.
    ///
    /// # Errors
    /// With the code of what differs.
    pub fn receive(&self, reply: &IssuePermitted, purse: &Purse) -> Result<Offer, Refusal> {
        reply.header.expect(&[Code::Gm2_1])?;
        if reply.offer.item != self.request.item {
            return Err(wrong("The offer is for another item."));
        }
        if reply.offer.earner != self.request.earner.earner {
            let message = "The offer is made for another earner.";
            return Err(Refusal::new(ErrorCode::EarnerMismatch, message));
        }
        let offer = Offer::Issue(reply.offer.clone());
        offer.check(&self.vendor_id, purse)?;
        Ok(offer)
    }
}

/// S1 was sent, S2 is awaited.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingPaymentOffer {
    /// S1.
    pub request: PurchaseRequest,
    /// The seller that was asked; in a cash-out, the center.
    pub vendor_id: VendorId,
}

impl AwaitingPaymentOffer {
    /// S1: asks for `request_url`.
    pub fn new(vendor_id: VendorId, request_url: RequestUrl, now: Timestamp) -> Self {
        let header = Header::new(Code::Pm1_1, now);
        let request = PurchaseRequest { header, request_url, p_method: PaymentMethod::View };
        AwaitingPaymentOffer { request, vendor_id }
    }

    /// The offer, if it sells what was asked for, to this purse's center's e-cash. Whether its price is
    /// agreeable is for the buyer to say.
    ///
    /// # Errors
    /// With the code of what differs.
    pub fn receive(&self, reply: &PaymentInformation, purse: &Purse) -> Result<Offer, Refusal> {
        reply.header.expect(&[Code::Pm2_1])?;
        if reply.offer.request_url != self.request.request_url {
            return Err(wrong("The offer is for another article."));
        }
        let offer = Offer::Payment(reply.offer.clone());
        offer.check(&self.vendor_id, purse)?;
        Ok(offer)
    }
}

impl Purse {
    /// E1: asks for this buyer's attestation at `vendor_id`.
    pub fn attestation(&self, vendor_id: VendorId, now: Timestamp) -> AwaitingAttestation {
        let mut request = AttestationRequest {
            header: Header::new(Code::Em1, now),
            scrip: self.scrip.clone(),
            vendor_id,
            hash: Seal::from_bytes([0; 32]),
        };
        request.hash = request.seal(&self.custom_secret);
        AwaitingAttestation { request }
    }
}
