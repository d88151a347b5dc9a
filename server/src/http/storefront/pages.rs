//! The shop's pages and feeds.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH, LOCATION};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};
use tuppence_protocol::{ErrorCode, Refusal, bytes};

use super::StorefrontApi;
use super::demand::{self, Form};
use crate::http::error::ApiError;
use crate::storefront::catalogue::Entitlement;
use crate::storefront::catalogue::meter::part_name;
use crate::storefront::{Storefront, cookie, pages};

const HTML: &str = "text/html; charset=utf-8";
/// Kept, but asked about each time: an article may be changed or bought at any moment.
const REVALIDATE: &str = "no-cache";
/// What was paid for is kept by nobody in between.
const PRIVATE: &str = "private, no-store";

/// The index.
pub(super) async fn index(api: Data<StorefrontApi>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let page = api.shop.index_page().map_err(ApiError::fault)?;
    Ok(unless_known(&request, HTML, page))
}

/// An article: whole if it is free, or a receipt or the browser's cookie opens it. Who has to pay first gets the page
/// up to the teaser, or the offer with 402, as they ask.
pub(super) async fn article(
    api: Data<StorefrontApi>,
    slug: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    at(api, &slug, request).await
}

/// A part of an article, likewise; but whoever asks for a page and has not paid is led to that of the whole.
pub(super) async fn part(
    api: Data<StorefrontApi>,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (whole, number) = path.into_inner();
    at(api, &part_name(&whole, &number), request).await
}

async fn at(api: Data<StorefrontApi>, slug: &str, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let shop = &api.shop;
    let article = match shop.article(slug).await {
        Ok(article) => article,
        Err(refusal) if refusal.code == ErrorCode::ArticleUnknown => return not_found(api, request).await,
        Err(refusal) => return trouble(&api, &request, refusal),
    };
    let entitlement =
        if article.price.is_some() { entitlement(shop, &article.slug, &request).await? } else { None };
    let mut response = match (Form::of(request.headers()), entitlement) {
        (Form::Json | Form::Any, None) if article.price.is_some() => {
            return Ok(demand::payment_required(&shop.demand(&article)));
        }
        // The site has a page of its own for it.
        (_, None) if shop.upstream().is_some() => see(&shop.page_of(&article.slug)),
        (_, None) if let Some(whole) = &article.part_of => see(&shop.page_of(whole)),
        (Form::Json, entitlement) => {
            let data = shop.article_data(&article, entitlement);
            HttpResponse::Ok().insert_header((CACHE_CONTROL, PRIVATE)).json(data)
        }
        (_, Some(entitlement)) => {
            let page = shop.article_page(&article, Some(entitlement)).map_err(ApiError::fault)?;
            HttpResponse::Ok().content_type(HTML).insert_header((CACHE_CONTROL, PRIVATE)).body(page)
        }
        _ => {
            let page = shop.article_page(&article, None).map_err(ApiError::fault)?;
            unless_known(&request, HTML, page)
        }
    };
    let (name, value) = demand::DEPENDS_ON;
    response.headers_mut().insert(name, value);
    Ok(response)
}

/// Why the asker may have all of the article `slug`, if so.
pub(super) async fn entitlement(
    shop: &Storefront,
    slug: &str,
    request: &HttpRequest,
) -> Result<Option<Entitlement>, ApiError> {
    if let Some(receipt) = demand::receipt_in(request.headers())? {
        let paid = shop.unlock(&receipt).await?;
        if paid.slug != slug {
            let message = format!("This receipt is for {}.", paid.url);
            return Err(ApiError::new(ErrorCode::ReceiptInvalid, message));
        }
        return Ok(Some(Entitlement::Receipt));
    }
    // One page may lie below another, and a browser then sends the cookies of both.
    let opens = |kept: &Cookie<'_>| kept.name() == cookie::NAME && shop.cookies().opens(kept.value(), slug);
    let opened = request.cookies().is_ok_and(|cookies| cookies.iter().any(opens));
    Ok(opened.then_some(Entitlement::Cookie))
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

/// The stylesheet of offers in another site's pages, likewise.
pub(super) async fn offer_style() -> HttpResponse {
    constant("text/css; charset=utf-8", pages::OFFER_STYLE)
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

/// A refusal as a page for people, and as JSON for programs.
pub(super) fn trouble(
    api: &StorefrontApi,
    request: &HttpRequest,
    refusal: Refusal,
) -> Result<HttpResponse, ApiError> {
    if !wants_page(request.headers()) {
        return Err(refusal.into());
    }
    let page = api.shop.trouble_page(&refusal).map_err(ApiError::fault)?;
    let status = StatusCode::from_u16(refusal.code.status()).map_err(ApiError::fault)?;
    Ok(HttpResponse::build(status).content_type(HTML).insert_header((CACHE_CONTROL, "no-store")).body(page))
}

/// The way to another page of this origin.
pub(super) fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, path))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// Whether a person's browser asks.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/html"))
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
