//! The customer's side (spec/02): the wallet buys, and whoever it hands the [`Holding`] to pays with it: the shop's own
//! page, without the wallet.
//!
//! What is sent is stored first, so that the same can be sent again; a reply is stored before it is acted on. Two
//! requests never show the same scrip.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::ids::IdType;
use crate::scrip::RequestUrl;
use crate::seal::Seal;
use crate::secret::Secret;
use crate::vendor_scrip::VendorScrip;
use crate::vendor_scrip::error::VendorScripError;
use crate::vendor_scrip::purchase::{Order, Purchased};
use crate::vendor_scrip::request::{Reply, Request, Return};

/// An order was paid and sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingScrip {
    /// What was sent.
    pub order: Order,
}

impl AwaitingScrip {
    /// What was bought, if the center made it for this order and this buyer.
    ///
    /// # Errors
    /// [`VendorScripError::Foreign`], [`VendorScripError::Forged`].
    pub fn receive(&self, reply: &Purchased, custom_secret: &Secret) -> Result<Holding, VendorScripError> {
        let body = &reply.scrip.scrip;
        if reply.order_id != self.order.id() {
            return Err(VendorScripError::Foreign("Another order was answered."));
        }
        if body.vendor_id != self.order.vendor_id || body.value != self.order.value {
            return Err(VendorScripError::Foreign("The scrip is not what was ordered."));
        }
        let forged = VendorScripError::Forged("The secret was not encrypted for this wallet.");
        let customer_secret = reply.open(custom_secret).ok_or(forged)?;
        let first = reply.scrip.clone();
        Ok(Holding { live: Some(first.clone()), first, customer_secret })
    }
}

/// What can be spent at one shop. Whoever has it can spend it; it holds no secret of the wallet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Holding {
    /// The scrip that was bought. The wallet keeps it: it ends the purchase also where the change is lost.
    first: VendorScrip,
    /// The live scrip; absent if nothing is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    live: Option<VendorScrip>,
    customer_secret: Secret,
}

impl Holding {
    /// What is left.
    pub fn value(&self) -> Amount {
        let nothing = Amount::zero(self.first.scrip.value.currency());
        self.live.as_ref().map_or(nothing, |live| live.scrip.value)
    }

    /// Cust_ID#: which purchase it is.
    pub fn customer_id(&self) -> IdType {
        self.first.scrip.customer_id
    }

    /// The live scrip; absent if nothing is left.
    pub fn live(&self) -> Option<&VendorScrip> {
        self.live.as_ref()
    }

    /// Pays `price` for `request_url`. To be stored before it is sent, and sent again until it is answered.
    ///
    /// # Errors
    /// [`VendorScripError::Insufficient`].
    pub fn pay(&self, request_url: RequestUrl, price: Amount) -> Result<AwaitingChange, VendorScripError> {
        let insufficient = VendorScripError::Insufficient { value: self.value(), price };
        let scrip = self.live.clone().filter(|live| live.scrip.value.covers(price)).ok_or(insufficient)?;
        let mut request = Request { request_url, price, scrip, hash: Seal::from_bytes([0; 32]) };
        request.hash = request.seal(&self.customer_secret);
        Ok(AwaitingChange { request, holding: self.clone() })
    }

    /// Ends the purchase: the shop takes no more, and its answer sells the rest back to the center. Good with whatever
    /// scrip of the purchase there is.
    pub fn give_back(&self) -> Return {
        let scrip = self.live.clone().unwrap_or_else(|| self.first.clone());
        let mut message = Return { scrip, hash: Seal::from_bytes([0; 32]) };
        message.hash = message.seal(&self.customer_secret);
        message
    }
}

/// A request was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingChange {
    /// What was sent.
    pub request: Request,
    /// What was held before.
    holding: Holding,
}

impl AwaitingChange {
    /// What is held now, if the shop answered this request with `delivered` (by its digest) and the right change.
    ///
    /// # Errors
    /// [`VendorScripError::Forged`] unless the shop sealed it, [`VendorScripError::Foreign`] for other goods than those,
    /// [`VendorScripError::Terms`] for wrong change.
    pub fn receive(&self, reply: &Reply, delivered: [u8; 32]) -> Result<Holding, VendorScripError> {
        let customer_secret = &self.holding.customer_secret;
        if !reply.seal(&self.request, customer_secret).matches(&reply.hash) {
            return Err(VendorScripError::Forged("The shop has not sealed the reply."));
        }
        if reply.digest != delivered {
            return Err(VendorScripError::Foreign("What was delivered is not what was sealed."));
        }
        let shown = &self.request.scrip.scrip;
        let wrong = VendorScripError::Terms("The change is not what must be left.");
        let left = shown.value.checked_sub(self.request.price).map_err(|_| wrong.clone())?;
        let right = match &reply.change {
            None => left.is_zero(),
            Some(change) => {
                let expected = super::VendorScripBody { value: left, id: change.scrip.id, ..shown.clone() };
                !left.is_zero() && change.scrip == expected && change.scrip.id != shown.id
            }
        };
        if !right {
            return Err(wrong);
        }
        Ok(Holding { live: reply.change.clone(), ..self.holding.clone() })
    }
}
