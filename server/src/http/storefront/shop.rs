//! What everybody may know: the shop, its articles and campaigns, and whether it is well.

use actix_web::Responder;
use actix_web::web::{Data, Json, Path};
use serde_json::{Value, json};
use tuppence_protocol::ErrorCode;
use tuppence_protocol::scrip::Item;

use super::{StorefrontApi, fresh};
use crate::http::error::ApiError;

pub(super) async fn shop(api: Data<StorefrontApi>) -> impl Responder {
    fresh(api.shop.shop_view())
}

pub(super) async fn articles(api: Data<StorefrontApi>) -> impl Responder {
    fresh(api.shop.articles_view())
}

/// One article, up to its teaser.
pub(super) async fn article(
    api: Data<StorefrontApi>,
    slug: Path<String>,
) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.shop.article_view_of(&slug).await?))
}

pub(super) async fn campaigns(api: Data<StorefrontApi>) -> impl Responder {
    fresh(api.shop.campaigns_view())
}

/// A campaign with its questions; never with what is right (T10).
pub(super) async fn campaign(
    api: Data<StorefrontApi>,
    item: Path<String>,
) -> Result<impl Responder, ApiError> {
    let unknown = || ApiError::new(ErrorCode::ItemUnknown, "This question is not open here.");
    let item: Item = item.parse().map_err(|_| unknown())?;
    api.shop.campaign_detail(&item).map(fresh).ok_or_else(unknown)
}

/// Whether the shop answers and its store can be read.
pub(super) async fn health(api: Data<StorefrontApi>) -> Result<Json<Value>, ApiError> {
    api.shop.store().run(|store| store.check()).await?;
    Ok(Json(json!({"status": "ok"})))
}
