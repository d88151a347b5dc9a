//! `/unlock`: the wallet's form with a receipt, which becomes a cookie and the way to the article.

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use tuppence_protocol::Refusal;

use super::StorefrontApi;
use super::demand::receipt_of;
use super::pages::wants_page;
use crate::http::error::ApiError;
use crate::storefront::{Declined, cookie};

/// What the form has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unlock {
    /// The receipt's JSON, base64url.
    receipt: String,
}

/// Checks the receipt, sets the cookie, and shows the article.
pub(super) async fn unlock(
    api: Data<StorefrontApi>,
    request: HttpRequest,
    Form(form): Form<Unlock>,
) -> Result<HttpResponse, ApiError> {
    match receipt_of(&form.receipt).map_err(Declined::from).and_then(|receipt| api.shop.unlock(&receipt)) {
        Ok(article) => Ok(opened(&api, &article.slug)),
        Err(declined) if wants_page(request.headers()) => refused(&api, &declined.refusal),
        Err(declined) => Err(declined.into()),
    }
}

fn opened(api: &StorefrontApi, slug: &str) -> HttpResponse {
    let path = format!("/articles/{slug}");
    let cookie = Cookie::build(cookie::NAME, api.shop.cookies().seal(slug))
        .path(path.clone())
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(api.shop.settings().origin.starts_with("https://"))
        .max_age(time::Duration::days(cookie::AGE_MAX_DAYS))
        .finish();
    HttpResponse::SeeOther()
        .cookie(cookie)
        .insert_header((LOCATION, path))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

fn refused(api: &StorefrontApi, refusal: &Refusal) -> Result<HttpResponse, ApiError> {
    let page = api.shop.trouble_page(refusal).map_err(ApiError::fault)?;
    let status = actix_web::http::StatusCode::from_u16(refusal.code.status()).map_err(ApiError::fault)?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(page))
}
