//! Selling: S1 -> S2, S3 -> S7, and the receipt that opens an article again.

use std::future::Future;
use std::sync::Arc;

use tuppence_protocol::scrip::payment::{PaymentInformation, PurchaseRequest};
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::scrip::relay::{CenterInit, Delivery};
use tuppence_protocol::scrip::seller::{Settled, refuse_purchase};
use tuppence_protocol::scrip::{Code, Document, RequestUrl};
use tuppence_protocol::{Amount, ErrorCode, Refusal};

use super::catalogue::{Article, Entitlement};
use super::{Declined, Delivered, Storefront};
use crate::crash::{self, Point};

impl Storefront {
    /// S1 -> S2.
    ///
    /// # Errors
    /// PM2_2: there is no such article, it is free, or the center is not known yet.
    pub async fn quote(&self, request: &PurchaseRequest) -> Result<PaymentInformation, Declined> {
        let quoted = self.article_at(&request.request_url).await.and_then(|article| {
            let free = || Refusal::new(ErrorCode::ArticleUnknown, "This article is free. Just read it.");
            let price = article.price.ok_or_else(free)?;
            self.seller()?.quote(request, price, self.fresh()?)
        });
        quoted.map_err(|refusal| {
            let reply = refuse_purchase(&refusal, document(&refusal.message), self.now());
            Declined { refusal, reply: Some(Box::new(reply)) }
        })
    }

    /// S3 -> S7: the article, as soon as the center confirms the payment; else where to ask again.
    ///
    /// # Errors
    /// The payment was voided, the center cannot be reached, the article is gone, or too many wait.
    pub async fn deliver_article(
        &self,
        init: &CenterInit,
        give_up: impl Future<Output = ()>,
    ) -> Result<Delivered, Declined> {
        init.header.expect(&[Code::Pm3_1])?;
        let seller = self.seller()?;
        let waiting = seller.relay(init, self.now())?;
        match self.relay.wait(&seller, &waiting, give_up).await? {
            Settled::Posted(receipt) => {
                crash::at(Point::SaleConfirmed);
                Ok(Delivered::Document(Box::new(self.article_of(receipt).await?)))
            }
            Settled::Open => Ok(self.ask_again(&waiting, "/api/v1/purchase/deliver")?),
            Settled::Voided => {
                let message = "The payment was cancelled. You have not been charged.";
                Err(Refusal::new(ErrorCode::TransactionVoided, message).into())
            }
        }
    }

    /// The article that `receipt` paid for, any number of times, without the center.
    ///
    /// # Errors
    /// [`ErrorCode::ReceiptInvalid`], or [`ErrorCode::ArticleUnknown`] if it is no longer here.
    pub async fn open_article(&self, receipt: Receipt) -> Result<Delivery, Declined> {
        Ok(self.article_of(receipt).await?)
    }

    /// The article that `receipt` opens, for the cookie.
    ///
    /// # Errors
    /// As for [`Storefront::open_article`].
    pub async fn unlock(&self, receipt: &Receipt) -> Result<Arc<Article>, Declined> {
        Ok(self.paid_by(receipt).await?)
    }

    async fn article_of(&self, receipt: Receipt) -> Result<Delivery, Refusal> {
        self.seller()?.admit(&receipt, ReceiptKind::Payment)?;
        let (article, part) = self.sold_at(&receipt.subject).await?;
        let document = match part {
            Some(part) => part.document,
            None => article.whole(Entitlement::Receipt).clone(),
        };
        Ok(self.seller()?.deliver(receipt, article.title.clone(), document, self.now()))
    }

    async fn paid_by(&self, receipt: &Receipt) -> Result<Arc<Article>, Refusal> {
        self.seller()?.admit(receipt, ReceiptKind::Payment)?;
        self.article_at(&receipt.subject).await
    }

    /// The article at `url`, or the part of one that is sold by the part (`.../parts/3`).
    pub(super) async fn sold_at(&self, url: &RequestUrl) -> Result<(Arc<Article>, Option<Part>), Refusal> {
        let Some((whole, number)) = url.as_str().rsplit_once(PARTS) else {
            return Ok((self.article_at(url).await?, None));
        };
        let unknown =
            || Refusal::new(ErrorCode::ArticleUnknown, "There is no such part of an article in this shop.");
        let article = self.article_at(&whole.parse().map_err(|_| unknown())?).await?;
        let meter = article.meter.as_ref().ok_or_else(unknown)?;
        // One spelling for each part, and not `03` beside `3`.
        let number =
            number.parse().ok().filter(|parsed: &usize| parsed.to_string() == number).ok_or_else(unknown)?;
        let (document, digest) = meter.part(number, Entitlement::Receipt).ok_or_else(unknown)?;
        let part = Part { unit: meter.unit, document: document.clone(), digest };
        Ok((article, Some(part)))
    }

    pub(super) async fn article_at(&self, url: &RequestUrl) -> Result<Arc<Article>, Refusal> {
        let begins = format!("{}/articles/", self.settings.origin);
        let foreign = || Refusal::new(ErrorCode::ArticleUnknown, "There is no such article in this shop.");
        self.article(url.as_str().strip_prefix(&begins).ok_or_else(foreign)?).await
    }
}

/// What stands before the number of a part, in its address.
pub const PARTS: &str = "/parts/";

/// A part of an article that is sold by the part.
pub(super) struct Part {
    /// What it costs.
    pub(super) unit: Amount,
    /// Its HTML.
    pub(super) document: Document,
    /// SHA-256 of that.
    pub(super) digest: [u8; 32],
}

/// A sentence as a document. The sentences are this program's own, with names that publishers chose in them.
pub(super) fn document(sentence: &str) -> Document {
    let plain: String = sentence.chars().filter(|c| !c.is_control() && *c != '\u{338}').take(1_000).collect();
    let escaped = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Document::normalized(&format!("<p>{escaped}</p>"))
        .unwrap_or_else(|_| unreachable!("a thousand characters without control characters fit"))
}
