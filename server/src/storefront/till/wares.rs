//! What is handed out for a budget: the article as for any payment, with a receipt that the shop makes itself, so that
//! the article opens again wherever receipts do.

use std::sync::Arc;

use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::scrip::seller::{Fresh, Seller};
use tuppence_protocol::scrip::{Code, Header, RequestUrl};
use tuppence_protocol::{Amount, ErrorCode, Refusal, Seal, TranId};

use crate::storefront::Storefront;
use crate::storefront::catalogue::{Article, Entitlement};

/// An article that is for sale just now.
#[derive(Debug)]
pub(super) struct Wares {
    article: Arc<Article>,
    /// What it costs.
    pub(super) price: Amount,
    /// SHA-256 of its document.
    pub(super) digest: [u8; 32],
    tran_id: TranId,
    fresh: Fresh,
    seller: Arc<Seller>,
    seal: (u32, tuppence_protocol::Secret),
}

impl Storefront {
    /// What `url` stands for, if it is sold here.
    pub(super) fn wares(&self, url: &RequestUrl) -> Result<Wares, Refusal> {
        let article = self.article_at(url)?;
        let free = || Refusal::new(ErrorCode::ArticleUnknown, "This article is free. Just read it.");
        let price = article.price.ok_or_else(free)?;
        let none = || Refusal::new(ErrorCode::Unauthorized, "The shop has no secret to make a receipt with.");
        let (id, secret) = self.settings.credentials.secrets.current().ok_or_else(none)?;
        let fresh = self.fresh()?;
        Ok(Wares {
            price,
            digest: article.digest(),
            article,
            tran_id: TranId::new(fresh.now, fresh.random),
            fresh,
            seller: self.seller()?,
            seal: (id, secret.clone()),
        })
    }
}

impl Wares {
    /// The article, for whoever has paid it.
    pub(super) fn hand_out(&self) -> Delivery {
        let (secret_id, secret) = &self.seal;
        let receipt = Receipt {
            kind: ReceiptKind::Payment,
            vendor_id: self.seller.vendor_id().clone(),
            tran_id: self.tran_id,
            subject: self.article.url.clone(),
            amount: self.price,
            date: self.fresh.now,
            secret_id: *secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        Delivery {
            header: Header::new(Code::Pm7_1, self.fresh.now),
            title: self.article.title.clone(),
            document: self.article.whole(Entitlement::Receipt).clone(),
            receipt: receipt.sealed(secret),
        }
    }
}
