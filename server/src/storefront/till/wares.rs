//! What is handed out for a budget: the article as for any payment, with a receipt that the shop makes itself, so that
//! the article opens again wherever receipts do.

use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::scrip::{Code, Header, RequestUrl};
use tuppence_protocol::{Amount, ErrorCode, Refusal, Seal, TranId};

use crate::storefront::Storefront;
use crate::storefront::catalogue::Entitlement;
use crate::storefront::store::till::Sold;

/// An article that is for sale just now.
#[derive(Debug)]
pub(super) struct Wares {
    /// What it costs.
    pub(super) price: Amount,
    /// The article, for whoever has paid it. Made before, so that the writer of all sales need not.
    pub(super) sold: Sold,
}

impl Storefront {
    /// What `url` stands for, if it is sold here.
    pub(super) async fn wares(&self, url: &RequestUrl) -> Result<Wares, Refusal> {
        let article = self.article_at(url).await?;
        let free = || Refusal::new(ErrorCode::ArticleUnknown, "This article is free. Just read it.");
        let price = article.price.ok_or_else(free)?;
        let none = || Refusal::new(ErrorCode::Unauthorized, "The shop has no secret to make a receipt with.");
        let (secret_id, secret) = self.settings.credentials.secrets.current().ok_or_else(none)?;
        let fresh = self.fresh()?;
        let receipt = Receipt {
            kind: ReceiptKind::Payment,
            vendor_id: self.settings.credentials.vendor_id.clone(),
            tran_id: TranId::new(fresh.now, fresh.random),
            subject: url.clone(),
            amount: price,
            date: fresh.now,
            secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        let delivery = Delivery {
            header: Header::new(Code::Pm7_1, fresh.now),
            title: article.title.clone(),
            document: article.whole(Entitlement::Receipt).clone(),
            receipt: receipt.sealed(secret),
        };
        Ok(Wares { price, sold: Sold::new(delivery, article.digest())? })
    }
}
