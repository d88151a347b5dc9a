//! The offer of an M4 or an S4, as the auditor sees it.

use tuppence_protocol::scrip::issue::IssueOffer;
use tuppence_protocol::scrip::payment::PaymentOffer;
use tuppence_protocol::{Amount, Secret, VendorId};

use super::books::Step;
use super::rules::Expected;

/// An offer, whichever.
#[derive(Clone, Copy)]
pub(super) enum Offer<'a> {
    /// M2's.
    Issue(&'a IssueOffer),
    /// S2's.
    Payment(&'a PaymentOffer),
}

impl Offer<'_> {
    pub(super) fn is_issue(self) -> bool {
        matches!(self, Offer::Issue(_))
    }

    pub(super) fn vendor(&self) -> &VendorId {
        match self {
            Offer::Issue(offer) => &offer.vendor_id,
            Offer::Payment(offer) => &offer.vendor_id,
        }
    }

    pub(super) fn center(&self) -> &VendorId {
        match self {
            Offer::Issue(offer) => &offer.center_id,
            Offer::Payment(offer) => &offer.center_id,
        }
    }

    pub(super) fn tran_id(self) -> [u8; 16] {
        match self {
            Offer::Issue(offer) => *offer.tran_id.as_bytes(),
            Offer::Payment(offer) => *offer.tran_id.as_bytes(),
        }
    }

    pub(super) fn price(self) -> Amount {
        match self {
            Offer::Issue(offer) => offer.value,
            Offer::Payment(offer) => offer.price,
        }
    }

    pub(super) fn amount(self) -> u64 {
        self.price().micros()
    }

    pub(super) fn subject(self) -> String {
        match self {
            Offer::Issue(offer) => offer.item.to_string(),
            Offer::Payment(offer) => offer.request_url.to_string(),
        }
    }

    pub(super) fn expires(self) -> u64 {
        match self {
            Offer::Issue(offer) => offer.expires.as_millis(),
            Offer::Payment(offer) => offer.expires.as_millis(),
        }
    }

    pub(super) fn secret_id(self) -> u32 {
        match self {
            Offer::Issue(offer) => offer.secret_id,
            Offer::Payment(offer) => offer.secret_id,
        }
    }

    pub(super) fn holds(self, secret: &Secret) -> bool {
        match self {
            Offer::Issue(offer) => offer.holds(secret),
            Offer::Payment(offer) => offer.holds(secret),
        }
    }

    pub(super) fn started(self, step: &Step) -> Expected {
        Expected::Scrip(self.is_issue(), Some(self.tran_id()), step.new.clone(), step.started)
    }
}
