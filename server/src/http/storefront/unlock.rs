//! `/unlock`: the wallet's form with a receipt, which becomes a cookie and the way to the article.

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::StorefrontApi;
use super::demand::receipt_of;
use super::pages::{see, trouble};
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
    let article = match receipt_of(&form.receipt) {
        Ok(receipt) => api.shop.unlock(&receipt).await,
        Err(refusal) => Err(Declined::from(refusal)),
    };
    match article {
        Ok(article) => opened(&api, &article.slug),
        Err(declined) => trouble(&api, &request, declined.refusal),
    }
}

fn opened(api: &StorefrontApi, slug: &str) -> Result<HttpResponse, ApiError> {
    let path = api.shop.page_of(slug);
    let cookie = Cookie::build(cookie::NAME, api.shop.cookies().seal(slug))
        .path(path.clone())
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(api.shop.settings().origin.starts_with("https://"))
        .max_age(time::Duration::days(cookie::AGE_MAX_DAYS))
        .finish();
    let mut response = see(&path);
    response.add_cookie(&cookie).map_err(ApiError::fault)?;
    Ok(response)
}
