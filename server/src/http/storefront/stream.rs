//! Sound and film in ranges (RFC 9110, 14): what is paid at once, and what is not when its tick is there.

use std::io;
use std::ops::Range;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, Header as _, Range as Asked};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use futures_util::stream::unfold;

use super::pages::entitlement;
use super::{StorefrontApi, demand, fresh};
use crate::http::error::ApiError;
use crate::http::message::Message;
use crate::http::middleware::headers;
use crate::http::stopping::Stopping;
use crate::storefront::catalogue::meter::part_name;
use crate::storefront::listening::{Piece, Playing, Shown, Source};

/// Bytes that are read and sent at a time.
const CHUNK: u64 = 64 * 1024;
/// How long a player waits for what is not paid yet: less than servers in between wait for an answer.
const PATIENCE: Duration = Duration::from_secs(50);
const PRIVATE: &str = "private, no-store";

/// Receipts -> where the player asks.
pub(super) async fn listen(
    api: Data<StorefrontApi>,
    Message(shown): Message<Shown>,
) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.shop.listen(shown).await?))
}

/// What a player asks for by its ticket. The answer has the length that was asked for; what is not paid comes when it is,
/// and an answer that has waited for too long is broken off, which players take for a bad line.
pub(super) async fn play(
    api: Data<StorefrontApi>,
    ticket: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let playing = api.shop.play(&ticket).await?;
    let stream = playing.source.stream.clone();
    let Some(part) = ranged(&request, stream.bytes) else { return Ok(beyond(stream.bytes)) };
    let Range { start: at, end } = part.bytes;
    let sent = Sent { at, end, from: From::Ticket(playing, api.stopping.clone()) };
    let mut response = answer(stream.media_type, &part, sent);
    headers::open_to_pages(response.headers_mut());
    Ok(response)
}

/// The stream of an article, for whoever has paid it.
pub(super) async fn of_article(
    api: Data<StorefrontApi>,
    slug: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    at(api, &slug, request).await
}

/// The bytes of a part, likewise: all parts one after the other are the stream.
pub(super) async fn of_part(
    api: Data<StorefrontApi>,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (whole, number) = path.into_inner();
    at(api, &part_name(&whole, &number), request).await
}

async fn at(api: Data<StorefrontApi>, slug: &str, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let shop = &api.shop;
    let article = shop.article(slug).await?;
    let (source, bytes) = shop.stream_of(&article).await?;
    if article.price.is_some() && entitlement(shop, &article.slug, &request).await?.is_none() {
        return Ok(demand::payment_required(&shop.demand(&article)));
    }
    let length = bytes.end - bytes.start;
    let Some(part) = ranged(&request, length) else { return Ok(beyond(length)) };
    let (at, end) = (bytes.start + part.bytes.start, bytes.start + part.bytes.end);
    Ok(answer(source.stream.media_type, &part, Sent { at, end, from: From::Paid(source) }))
}

/// What an answer holds of all the bytes that there are.
struct Part {
    bytes: Range<u64>,
    of: u64,
    /// Whether it answers a range. All of them may be one: players take that for leave to ask for others.
    status: StatusCode,
}

/// The range that is asked for, or all; nothing if it lies beyond the end. Of several ranges none is served by itself, which a
/// server may do.
fn ranged(request: &HttpRequest, of: u64) -> Option<Part> {
    match Asked::parse(request) {
        Ok(Asked::Bytes(ranges)) if ranges.len() == 1 => {
            let (first, last) = ranges.first()?.to_satisfiable_range(of)?;
            Some(Part { bytes: first..last + 1, of, status: StatusCode::PARTIAL_CONTENT })
        }
        _ => Some(Part { bytes: 0..of, of, status: StatusCode::OK }),
    }
}

fn beyond(length: u64) -> HttpResponse {
    HttpResponse::RangeNotSatisfiable().insert_header((CONTENT_RANGE, format!("bytes */{length}"))).finish()
}

fn answer(media_type: &str, part: &Part, sent: Sent) -> HttpResponse {
    let Part { bytes, of, status } = part;
    let mut response = HttpResponse::build(*status);
    if *status == StatusCode::PARTIAL_CONTENT {
        response.insert_header((CONTENT_RANGE, format!("bytes {}-{}/{of}", bytes.start, bytes.end - 1)));
    }
    response
        .content_type(media_type)
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CACHE_CONTROL, PRIVATE))
        .body(SizedStream::new(bytes.end - bytes.start, unfold(Some(sent), next)))
}

/// What is still to be sent, and from where.
struct Sent {
    at: u64,
    end: u64,
    from: From,
}

enum From {
    /// All of it can be had.
    Paid(Source),
    /// What is paid can be had.
    Ticket(Playing, Stopping),
}

/// The next bytes; none after an error.
async fn next(sent: Option<Sent>) -> Option<(io::Result<Bytes>, Option<Sent>)> {
    let mut sent = sent.filter(|sent| sent.at < sent.end)?;
    match sent.chunk().await {
        Ok(bytes) => {
            sent.at = sent.at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            Some((Ok(bytes), Some(sent)))
        }
        Err(error) => Some((Err(error), None)),
    }
}

impl Sent {
    async fn chunk(&mut self) -> io::Result<Bytes> {
        let at = self.at;
        let (piece, source) = match &mut self.from {
            From::Paid(source) => (Piece::Paid(self.end), &*source),
            From::Ticket(Playing { source, opened, .. }, stopping) => {
                let paid = opened.wait_for(|opened| opened.piece(&source.stream, at) != Piece::Unpaid);
                let piece = tokio::select! {
                    paid = paid => paid.map_err(io::Error::other)?.piece(&source.stream, at),
                    () = tokio::time::sleep(PATIENCE) => return Err(io::ErrorKind::TimedOut.into()),
                    () = stopping.wait() => return Err(io::ErrorKind::ConnectionAborted.into()),
                };
                (piece, &*source)
            }
        };
        let length = |until: u64| CHUNK.min(until.min(self.end).saturating_sub(at));
        match piece {
            Piece::Paid(until) => {
                let (source, length) = (source.clone(), length(until));
                let read = tokio::task::spawn_blocking(move || source.read(at, length));
                read.await.map_err(io::Error::other)?.map(Bytes::from)
            }
            Piece::Gap(until) => {
                Ok(vec![0; usize::try_from(length(until)).map_err(io::Error::other)?].into())
            }
            Piece::Unpaid => Err(io::Error::other("what was waited for is not there")),
        }
    }
}
