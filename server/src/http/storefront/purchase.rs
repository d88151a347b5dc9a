//! S1, S3, and a receipt for the article again.

use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use tuppence_protocol::scrip::payment::PurchaseRequest;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::relay::CenterInit;

use super::{StorefrontApi, delivered, fresh};
use crate::http::error::ApiError;
use crate::http::message::Message;

/// S1 -> S2.
pub(super) async fn quote(
    api: Data<StorefrontApi>,
    Message(message): Message<PurchaseRequest>,
) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.shop.quote(&message)?))
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
    Ok(fresh(api.shop.open_article(receipt)?))
}
