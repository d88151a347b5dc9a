//! The way to the site behind the storefront (`storefront::upstream`): what is free passes through as it comes, both ways,
//! and of what is sold the unpaid part alone.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_TYPE, COOKIE, ETAG, EXPECT, EXPIRES, HOST, HeaderMap, HeaderName, HeaderValue,
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, LOCATION,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, RANGE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tuppence_protocol::{ErrorCode, Refusal};

use super::StorefrontApi;
use super::demand::{self, Form};
use super::pages::{entitlement, not_found, trouble};
use crate::http::error::ApiError;
use crate::http::middleware::headers::OfAnotherSite;
use crate::http::middleware::observe::RequestId;
use crate::storefront::catalogue::Entitlement;
use crate::storefront::cookie;
use crate::storefront::upstream::path::SitePath;
use crate::storefront::upstream::rules::{Decision, Sold};
use crate::storefront::upstream::{self, Room, Upstream};

/// Parts of a request's body that wait for the site.
const PARTS_WAITING: usize = 8;
/// What belongs to one connection, and not to what it carries (RFC 9110, 7.6.1).
const OF_CONNECTION: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    EXPECT,
];
/// What only a proxy could know of a reader: from the reader it is a claim.
const CLAIMS: [HeaderName; 2] = [HeaderName::from_static("forwarded"), HeaderName::from_static("x-real-ip")];
/// What a browser says of the copy that it has, and of the part that it wants: of what is sold it may have another one.
const OF_COPIES: [HeaderName; 7] =
    [IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE, ACCEPT_ENCODING];
/// What the site says of its whole page, which is not what is sent.
const OF_WHOLE: [HeaderName; 7] = [
    ACCEPT_RANGES,
    CACHE_CONTROL,
    CONTENT_ENCODING,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    HeaderName::from_static("content-md5"),
];
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whatever is not the storefront's own.
pub(super) async fn serve(
    api: Data<StorefrontApi>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let Some(site) = api.shop.upstream() else { return not_found(api, request).await };
    let Some(room) = site.room() else {
        return trouble(&api, &request, Refusal::new(ErrorCode::Busy, "Too many readers are here just now."));
    };
    let rules = site.rules();
    match rules.decide(request.uri().path()) {
        Decision::Free => {
            let target = request.uri().path_and_query().map(|target| target.as_str());
            // `OPTIONS *` asks of no path.
            let target = target.filter(|target| target.starts_with('/')).unwrap_or("/");
            let answer =
                ask(site, &request, request.method(), target, passed_on(site, &request, &[]), Some(body))
                    .await;
            match answer {
                Ok(answer) => Ok(streamed(site, answer, &[], room)),
                Err(refusal) => trouble(&api, &request, refusal),
            }
        }
        Decision::Closed => not_found(api.clone(), request).await,
        Decision::Sold(path, sold) => match sell(&api, site, &request, &path, sold, body, room).await {
            Err(Stopped::Refused(refusal)) => trouble(&api, &request, refusal),
            Err(Stopped::Error(error)) => Err(error),
            Ok(mut response) => {
                let (name, value) = demand::DEPENDS_ON;
                response.headers_mut().append(name, value);
                Ok(response)
            }
        },
    }
}

/// Why a page is not given.
enum Stopped {
    Refused(Refusal),
    Error(ApiError),
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Stopped::Refused(refusal)
    }
}

impl From<ApiError> for Stopped {
    fn from(error: ApiError) -> Self {
        Stopped::Error(error)
    }
}

/// A page that is sold: the site's own for whoever has paid, else the offer or the page up to the teaser.
async fn sell(
    api: &StorefrontApi,
    site: &Upstream,
    request: &HttpRequest,
    path: &SitePath,
    sold: &Sold,
    body: Payload,
    room: Room,
) -> Result<HttpResponse, Stopped> {
    let shop = &api.shop;
    let slug = path.slug();
    let entitled = entitlement(shop, &slug, request).await?;
    let form = Form::of(request.headers());
    // The site sees one spelling of a page, and no query that might make another one of it.
    let target = path.address();
    let headers = passed_on(site, request, &OF_COPIES);
    match (form, entitled) {
        (Form::Json, Some(entitled)) => {
            let article = shop.article(&slug).await?;
            let data = shop.article_data(&article, Some(entitled));
            Ok(HttpResponse::Ok().insert_header(PRIVATE).json(data))
        }
        (_, Some(Entitlement::Receipt | Entitlement::Cookie)) => {
            let answer = ask(site, request, request.method(), &target, headers, Some(body)).await?;
            let mut response = streamed(site, answer, &OF_WHOLE, room);
            response.headers_mut().insert(PRIVATE.0, HeaderValue::from_static(PRIVATE.1));
            Ok(response)
        }
        (_, None) if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            Err(ApiError::method(vec![Method::GET]).into())
        }
        (Form::Json | Form::Any, None) => {
            Ok(demand::payment_required(&shop.demand(&*shop.article(&slug).await?)))
        }
        (Form::Page, None) => {
            let answer = ask(site, request, &Method::GET, &target, headers, None).await?;
            if !answer.status().is_success() {
                // It says that the page is elsewhere, or not there.
                return Ok(streamed(site, answer, &OF_WHOLE, room));
            }
            let mut response = HttpResponse::Ok();
            hand_back(site, &mut response, answer.headers(), &OF_WHOLE);
            let text = upstream::text_of(answer).await?;
            let offer = |article: &_| {
                shop.offer(article).map_err(|error| {
                    tracing::error!(%error, "an offer cannot be written");
                    upstream::absent()
                })
            };
            let page = site.unpaid(path, &text, sold, offer)?;
            response.insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).insert_header(UNPAID);
            Ok(of_site(response.body(page)))
        }
    }
}

/// What was paid for is kept by nobody in between.
const PRIVATE: (HeaderName, &str) = (CACHE_CONTROL, "private, no-store");
/// The page may be paid at any moment, and is the site's answer to this reader.
const UNPAID: (HeaderName, &str) = (CACHE_CONTROL, "private, no-cache");

/// Sends a request to the site, and waits for the head of its answer.
async fn ask(
    site: &Upstream,
    request: &HttpRequest,
    method: &Method,
    target: &str,
    headers: reqwest::header::HeaderMap,
    body: Option<Payload>,
) -> Result<reqwest::Response, Refusal> {
    let settings = site.settings();
    let failed = |error: String| {
        tracing::warn!(error, "the site does not answer");
        upstream::absent()
    };
    let method =
        reqwest::Method::from_bytes(method.as_str().as_bytes()).map_err(|error| failed(error.to_string()))?;
    let url = format!("{}{target}", settings.address);
    let has_body =
        request.headers().contains_key(CONTENT_LENGTH) || request.headers().contains_key(TRANSFER_ENCODING);
    let body = body.filter(|_| has_body);
    let mut headers = headers;
    if body.is_none() {
        headers.remove(reqwest::header::CONTENT_LENGTH);
    }
    let mut asked =
        settings.http.request(method, url).headers(headers).header(reqwest::header::HOST, site.host());
    if let Some(body) = body {
        asked = asked.body(carried(body));
    }
    asked.send().await.map_err(|error| failed(error.to_string()))
}

/// A request's body, handed on part by part as the site takes it.
fn carried(mut body: Payload) -> reqwest::Body {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(PARTS_WAITING);
    actix_web::rt::spawn(async move {
        while let Some(part) = body.next().await {
            if sender.send(part.map_err(std::io::Error::other)).await.is_err() {
                return;
            }
        }
    });
    let parts =
        futures_util::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    reqwest::Body::wrap_stream(parts)
}

/// The headers of a request as the site gets them: without `left_out`, and without what is the storefront's.
fn passed_on(site: &Upstream, request: &HttpRequest, left_out: &[HeaderName]) -> reqwest::header::HeaderMap {
    let mut passed = reqwest::header::HeaderMap::new();
    let named = named_by_connection(request.headers());
    for (name, value) in request.headers() {
        let own = *name == AUTHORIZATION && demand::is_ours(value);
        if own || *name == HOST || CLAIMS.contains(name) || is_left_out(name, left_out, &named) {
            continue;
        }
        let value = if *name == COOKIE { without_own_cookie(value) } else { Some(value.clone()) };
        let name = reqwest::header::HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Some(Ok(value))) =
            (name, value.map(|value| reqwest::header::HeaderValue::from_bytes(value.as_bytes())))
        {
            passed.append(name, value);
        }
    }
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    let before = request.headers().get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    let hops: Vec<String> = before.map(str::to_owned).chain([peer.to_string()]).collect();
    let id = request.extensions().get::<RequestId>().map(ToString::to_string);
    for (name, value) in [
        (FORWARDED_FOR, Some(hops.join(", "))),
        (FORWARDED_HOST, Some(site.host().to_owned())),
        (FORWARDED_PROTO, Some(site.scheme().to_owned())),
        (REQUEST_ID, id),
    ] {
        let name = reqwest::header::HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Some(Ok(value))) =
            (name, value.map(|value| reqwest::header::HeaderValue::from_str(&value)))
        {
            passed.insert(name, value);
        }
    }
    passed
}

/// The cookies that are the site's.
fn without_own_cookie(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    let own = |pair: &&str| pair.trim().split('=').next() != Some(cookie::NAME);
    let kept: Vec<&str> = text.split(';').filter(own).map(str::trim).collect();
    HeaderValue::from_str(&kept.join("; ")).ok().filter(|kept| !kept.is_empty())
}

/// The site's answer as it comes.
fn streamed(site: &Upstream, answer: reqwest::Response, left_out: &[HeaderName], room: Room) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status().as_u16());
    let Ok(status) = status else { return HttpResponse::BadGateway().finish() };
    let mut response = HttpResponse::build(status);
    hand_back(site, &mut response, answer.headers(), left_out);
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return of_site(response.finish());
    }
    let length = answer.headers().get(reqwest::header::CONTENT_LENGTH);
    if let Some(length) =
        length.and_then(|length| length.to_str().ok()).and_then(|length| length.parse().ok())
    {
        response.no_chunking(length);
    }
    // The room is taken until the last part has left.
    let parts = answer.bytes_stream().map(move |part| {
        let _ = &room;
        part
    });
    of_site(response.streaming(parts))
}

/// The headers of the site's answer, without `left_out`.
fn hand_back(
    site: &Upstream,
    response: &mut HttpResponseBuilder,
    headers: &reqwest::header::HeaderMap,
    left_out: &[HeaderName],
) {
    let named: Vec<String> = headers
        .get_all(reqwest::header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(names)
        .collect();
    for (name, value) in headers {
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_str().as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        else {
            continue;
        };
        if name == CONTENT_LENGTH || is_left_out(&name, left_out, &named) {
            continue;
        }
        let value = if name == LOCATION { here(site, &value) } else { value };
        response.append_header((name, value));
    }
}

/// An address of the site as readers know it.
fn here(site: &Upstream, location: &HeaderValue) -> HeaderValue {
    let address = &site.settings().address;
    let path = location.to_str().ok().and_then(|text| text.strip_prefix(address.as_str()));
    let path = path.filter(|path| path.is_empty() || path.starts_with('/'));
    path.and_then(|path| HeaderValue::from_str(if path.is_empty() { "/" } else { path }).ok())
        .unwrap_or_else(|| location.clone())
}

fn of_site(mut response: HttpResponse) -> HttpResponse {
    response.extensions_mut().insert(OfAnotherSite);
    response
}

fn is_left_out(name: &HeaderName, left_out: &[HeaderName], named: &[String]) -> bool {
    OF_CONNECTION.contains(name)
        || left_out.contains(name)
        || named.iter().any(|named| named == name.as_str())
}

/// The headers that a connection has named as its own.
fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    headers.get_all(CONNECTION).filter_map(|value| value.to_str().ok()).flat_map(names).collect()
}

fn names(list: &str) -> impl Iterator<Item = String> + '_ {
    list.split(',').map(|name| name.trim().to_ascii_lowercase())
}
