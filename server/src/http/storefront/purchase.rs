//! S1, S3, and a receipt for the article again.

use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use serde::Serialize;
use tuppence_protocol::scrip::RequestUrl;
use tuppence_protocol::scrip::payment::PurchaseRequest;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::relay::CenterInit;
use tuppence_protocol::{Amount, Timestamp, TranId};

use super::{StorefrontApi, delivered, fresh};
use crate::http::error::ApiError;
use crate::http::message::Message;

/// S1 -> S2.
pub(super) async fn quote(
    api: Data<StorefrontApi>,
    Message(message): Message<PurchaseRequest>,
) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.shop.quote(&message).await?))
}

/// S3 -> S7.
pub(super) async fn deliver(
    api: Data<StorefrontApi>,
    Message(message): Message<CenterInit>,
) -> Result<HttpResponse, ApiError> {
    Ok(delivered(api.shop.deliver_article(&message, api.stopping.wait()).await?))
}

/// The article for its receipt.
pub(super) async fn open(
    api: Data<StorefrontApi>,
    Message(receipt): Message<Receipt>,
) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.shop.open_article(receipt).await?))
}

/// What a receipt says, for a publisher's own server.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    tran_id: TranId,
    article: RequestUrl,
    amount: Amount,
    date: Timestamp,
}

/// Whether a receipt is good here, and for what.
pub(super) async fn verify(
    api: Data<StorefrontApi>,
    Message(receipt): Message<Receipt>,
) -> Result<impl Responder, ApiError> {
    api.shop.unlock(&receipt).await?;
    let Receipt { tran_id, subject, amount, date, .. } = receipt;
    Ok(fresh(Verified { tran_id, article: subject, amount, date }))
}
