//! 402 for programs (docs/protocol/http-402.md): who asks in which form, with which receipt, and what an unpaid
//! address answers.

use actix_web::HttpResponse;
use actix_web::http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderValue, LINK, VARY, WWW_AUTHENTICATE,
};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::{ErrorCode, Refusal, bytes};

use crate::http::message::decode;
use crate::storefront::demand::Demand;

/// What an article's answer depends on.
pub(super) const DEPENDS_ON: (actix_web::http::header::HeaderName, HeaderValue) =
    (VARY, HeaderValue::from_static("Accept, Authorization, Cookie"));
/// The scheme of the header that a receipt comes in.
const SCHEME: &str = "Tuppence";

/// The form in which somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A page: a browser, or whoever names HTML and does not prefer JSON.
    Page,
    /// JSON, by name.
    Json,
    /// Anything, as programs ask that don't care: a page if it may be had, and no page that only asks for money.
    Any,
}

impl Form {
    /// By the `Accept` headers, with their weights (RFC 9110, 12.5.1).
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let (mut page, mut json) = (0, 0);
        for value in headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()) {
            for range in value.split(',') {
                let (media_type, weight) = weighted(range);
                match media_type.as_str() {
                    "text/html" | "application/xhtml+xml" => page = page.max(weight),
                    "application/json" => json = json.max(weight),
                    _ => {}
                }
            }
        }
        match (page, json) {
            (0, 0) => Form::Any,
            (page, json) if page >= json => Form::Page,
            _ => Form::Json,
        }
    }
}

/// A media range, and its weight in thousandths.
fn weighted(range: &str) -> (String, u16) {
    let mut parts = range.split(';');
    let media_type = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let weight = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
    });
    (media_type, weight.unwrap_or(1_000))
}

/// `1`, `0.8` or `0.125`; what does not fit counts as nothing.
fn thousandths(value: &str) -> u16 {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    match (whole, fraction.len()) {
        ("1", _) => 1_000,
        ("0", 0..=3) if fraction.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{fraction:0<3}").parse().unwrap_or(0)
        }
        _ => 0,
    }
}

/// Whether an `Authorization` header is for the shop.
pub(super) fn is_ours(value: &HeaderValue) -> bool {
    let scheme = value.to_str().ok().and_then(|value| value.split(' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
}

/// The receipt of an `Authorization: Tuppence` header, if there is one. Other schemes are not for the shop.
///
/// # Errors
/// [`ErrorCode::ReceiptInvalid`], or what does not decode.
pub(super) fn receipt_in(headers: &HeaderMap) -> Result<Option<Receipt>, Refusal> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, receipt)) = value.and_then(|value| value.split_once(' ')) else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Ok(None);
    }
    receipt_of(receipt.trim()).map(Some)
}

/// A receipt's JSON, base64url.
///
/// # Errors
/// As [`receipt_in`].
pub(super) fn receipt_of(text: &str) -> Result<Receipt, Refusal> {
    let json = bytes::decode(text).map_err(|error| {
        Refusal::new(ErrorCode::ReceiptInvalid, format!("The receipt does not decode: {error}."))
    })?;
    decode(&json)
}

/// The answer to whoever has to pay first.
pub(super) fn payment_required(demand: &Demand) -> HttpResponse {
    let offer = &demand.offer;
    let challenge = format!(
        "{SCHEME} realm=\"{}\", center=\"{}\", price=\"{}\", methods=\"{}\", purchase=\"{}\"",
        offer.shop.origin,
        offer.shop.center_origin,
        offer.article.price,
        offer.methods.join(" "),
        offer.purchase
    );
    let links =
        format!("<{}>; rel=\"payment\", <{}>; rel=\"service-desc\"", offer.purchase, offer.description);
    HttpResponse::PaymentRequired()
        .insert_header((WWW_AUTHENTICATE, challenge))
        .insert_header((LINK, links))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(DEPENDS_ON)
        .json(demand)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accepts: &[&str]) -> Form {
        let mut headers = HeaderMap::new();
        for accept in accepts {
            headers.append(ACCEPT, HeaderValue::from_str(accept).unwrap());
        }
        Form::of(&headers)
    }

    #[test]
    fn browsers_get_pages_and_programs_data() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        for page in [browser, "text/html", "TEXT/HTML; charset=utf-8", "application/json;q=0.9, text/html"] {
            assert_eq!(form(&[page]), Form::Page, "{page}");
        }
        assert_eq!(form(&["application/json", "text/html"]), Form::Page);
        for json in
            ["application/json", "application/json, text/html;q=0.5", "application/json, text/html;q=0"]
        {
            assert_eq!(form(&[json]), Form::Json, "{json}");
        }
        for any in
            ["", "*/*", "text/markdown", "text/html;q=0", "text/html;q=0.000, */*", "text/htmlx", ",;=,"]
        {
            assert_eq!(form(&[any]), Form::Any, "{any}");
        }
        assert_eq!(form(&[]), Form::Any);
    }

    #[test]
    fn weights_that_are_none_count_as_nothing() {
        for (text, weight) in
            [("1", 1_000), ("1.000", 1_000), ("0.5", 500), ("0.125", 125), ("0", 0), ("0.", 0)]
        {
            assert_eq!(thousandths(text), weight, "{text}");
        }
        for text in ["", "2", "-1", "0.1234", "0.x", "abc", "0.+1"] {
            assert_eq!(thousandths(text), 0, "{text}");
        }
    }
}
