//! The shop's pages and feeds.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH, VARY};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};
use tuppence_protocol::bytes;

use super::StorefrontApi;
use crate::http::error::ApiError;
use crate::storefront::catalogue::Entitlement;
use crate::storefront::{cookie, pages};

const HTML: &str = "text/html; charset=utf-8";
/// Kept, but asked about each time: an article may be changed or bought at any moment.
const REVALIDATE: &str = "no-cache";

/// The index.
pub(super) async fn index(api: Data<StorefrontApi>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let page = api.shop.index_page().map_err(ApiError::fault)?;
    Ok(unless_known(&request, HTML, page))
}

/// An article: whole if it is free or the browser's cookie opens it, else up to the teaser. Programs that ask for
/// JSON get the offer.
pub(super) async fn article(
    api: Data<StorefrontApi>,
    slug: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let shop = &api.shop;
    let Some(article) = shop.catalogue().find(&slug, shop.now()).cloned() else {
        return not_found(api, request).await;
    };
    let opened =
        request.cookie(cookie::NAME).is_some_and(|kept| shop.cookies().opens(kept.value(), &article.slug));
    if article.price.is_some() && !opened && prefers_json(request.headers()) {
        let mut response = HttpResponse::PaymentRequired();
        response.insert_header((CACHE_CONTROL, "no-store")).insert_header((VARY, "Accept, Cookie"));
        return Ok(response.json(shop.offer(&article)?));
    }
    let page = shop.article_page(&article, opened.then_some(Entitlement::Cookie)).map_err(ApiError::fault)?;
    let mut response = if opened && article.price.is_some() {
        HttpResponse::Ok().content_type(HTML).insert_header((CACHE_CONTROL, "private, no-store")).body(page)
    } else {
        unless_known(&request, HTML, page)
    };
    response.headers_mut().insert(VARY, actix_web::http::header::HeaderValue::from_static("Accept, Cookie"));
    Ok(response)
}

/// The Atom feed.
pub(super) async fn atom(api: Data<StorefrontApi>, request: HttpRequest) -> HttpResponse {
    unless_known(&request, "application/atom+xml; charset=utf-8", api.shop.atom_feed())
}

/// The RSS feed.
pub(super) async fn rss(api: Data<StorefrontApi>, request: HttpRequest) -> HttpResponse {
    unless_known(&request, "application/rss+xml; charset=utf-8", api.shop.rss_feed())
}

/// The stylesheet, at an address that changes with it.
pub(super) async fn style() -> HttpResponse {
    constant("text/css; charset=utf-8", pages::STYLE)
}

/// The mark.
pub(super) async fn icon() -> HttpResponse {
    constant("image/svg+xml", pages::ICON)
}

/// A page for people, JSON for programs.
pub(super) async fn not_found(
    api: Data<StorefrontApi>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    if !wants_page(request.headers()) {
        return Err(ApiError::not_found());
    }
    let page = api.shop.not_found_page().map_err(ApiError::fault)?;
    Ok(HttpResponse::build(StatusCode::NOT_FOUND)
        .content_type(HTML)
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(page))
}

/// Whether a person's browser asks.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    accepts(headers, "text/html")
}

fn prefers_json(headers: &HeaderMap) -> bool {
    accepts(headers, "application/json") && !wants_page(headers)
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).any(|value| value.contains(media_type))
}

/// The body, or 304 if the browser has it already.
fn unless_known(request: &HttpRequest, media_type: &str, body: String) -> HttpResponse {
    let hash = Sha256::digest(&body);
    let tag = format!("W/\"{}\"", bytes::encode(&hash[..15]));
    let known = request.headers().get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    let mut response = if known.flat_map(|value| value.split(',')).any(|value| value.trim() == tag) {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, REVALIDATE));
    response.content_type(media_type).body(body)
}

fn constant(media_type: &str, body: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(body)
}
