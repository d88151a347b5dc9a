//! Budgets at the shop: paywords (spec/03) and the shop's own scrip (spec/02). What pays stands in the message, and no
//! browser sends it by itself: any page that has it may.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use serde::Serialize;
use tuppence_protocol::payword::{Charge, Countersigned};
use tuppence_protocol::vendor_scrip::{Request, Return};

use super::{StorefrontApi, fresh};
use crate::http::error::ApiError;
use crate::http::message::Message;
use crate::storefront::till::{AskBought, PaywordPurchase};

/// A countersigned authority -> how the budget stands.
pub(super) async fn open(
    api: Data<StorefrontApi>,
    Message(message): Message<Countersigned>,
) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.shop.open_budget(message).await?))
}

/// A charge -> the article that it pays.
pub(super) async fn payword(
    api: Data<StorefrontApi>,
    Message(message): Message<PaywordPurchase>,
) -> Result<HttpResponse, ApiError> {
    Ok(private(&api.shop.sell_for_payword(message).await?))
}

/// The last charge -> the last deposit.
pub(super) async fn end(
    api: Data<StorefrontApi>,
    Message(message): Message<Charge>,
) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.shop.end_budget(message).await?))
}

/// A request with scrip -> the article that it pays, and the change.
pub(super) async fn scrip(
    api: Data<StorefrontApi>,
    Message(message): Message<Request>,
) -> Result<HttpResponse, ApiError> {
    Ok(private(&api.shop.sell_for_scrip(message).await?))
}

/// A return -> the last settlement.
pub(super) async fn give_back(
    api: Data<StorefrontApi>,
    Message(message): Message<Return>,
) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.shop.end_purchase(message).await?))
}

/// A return, which is not carried out -> how its purchase stands.
pub(super) async fn standing(
    api: Data<StorefrontApi>,
    Message(message): Message<Return>,
) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.shop.standing(message).await?))
}

/// A return, which is not carried out -> what its purchase has bought.
pub(super) async fn bought(
    api: Data<StorefrontApi>,
    Message(message): Message<AskBought>,
) -> Result<HttpResponse, ApiError> {
    Ok(private(&api.shop.bought(message).await?))
}

/// What was paid for, which no cache keeps.
fn private(sold: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "private, no-store")).json(sold)
}
