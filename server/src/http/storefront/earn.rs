//! M1 and M3.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use tuppence_protocol::scrip::issue::IssueRequest;
use tuppence_protocol::scrip::relay::CenterInit;

use super::{StorefrontApi, delivered};
use crate::http::error::ApiError;
use crate::http::message::Message;
use crate::storefront::Permission;

/// M1 -> M2.
pub(super) async fn answer(
    api: Data<StorefrontApi>,
    Message(message): Message<IssueRequest>,
) -> Result<HttpResponse, ApiError> {
    let Permission(json) = api.shop.answer(message).await?;
    let no_store = (CACHE_CONTROL, "private, no-store");
    Ok(HttpResponse::Ok().insert_header(no_store).content_type("application/json").body(json))
}

/// M3 -> M7.
pub(super) async fn deliver(
    api: Data<StorefrontApi>,
    Message(message): Message<CenterInit>,
) -> Result<HttpResponse, ApiError> {
    Ok(delivered(api.shop.deliver_reward(&message, api.stopping.wait()).await?))
}
