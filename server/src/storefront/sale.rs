//! Selling: S1 -> S2, S3 -> S7, and the receipt that opens an article again.

use std::future::Future;
use std::sync::Arc;

use tuppence_protocol::scrip::payment::{PaymentInformation, PurchaseRequest};
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::scrip::relay::{CenterInit, Delivery};
use tuppence_protocol::scrip::seller::{Settled, refuse_purchase};
use tuppence_protocol::scrip::{Code, Document, RequestUrl};
use tuppence_protocol::{ErrorCode, Refusal};

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
            if article.part_of.is_some() {
                let message = "A part of an article is paid from a budget at the shop, and not with e-cash of the center.";
                return Err(Refusal::new(ErrorCode::ArticleUnknown, message));
            }
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
        let article = self.article_at(&receipt.subject).await?;
        let document = article.whole(Entitlement::Receipt).clone();
        Ok(self.seller()?.deliver(receipt, article.title.clone(), document, self.now()))
    }

    async fn paid_by(&self, receipt: &Receipt) -> Result<Arc<Article>, Refusal> {
        self.seller()?.admit(receipt, ReceiptKind::Payment)?;
        self.article_at(&receipt.subject).await
    }

    /// The article at `url`, or the part of one.
    pub(super) async fn article_at(&self, url: &RequestUrl) -> Result<Arc<Article>, Refusal> {
        let begins = format!("{}/articles/", self.settings.origin);
        let foreign = || Refusal::new(ErrorCode::ArticleUnknown, "There is no such article in this shop.");
        self.article(url.as_str().strip_prefix(&begins).ok_or_else(foreign)?).await
    }
}

/// A sentence as a document. The sentences are this program's own, with names that publishers chose in them.
pub(super) fn document(sentence: &str) -> Document {
    let plain: String = sentence.chars().filter(|c| !c.is_control() && *c != '\u{338}').take(1_000).collect();
    let escaped = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Document::normalized(&format!("<p>{escaped}</p>"))
        .unwrap_or_else(|_| unreachable!("a thousand characters without control characters fit"))
}
