//! Decoding of messages: JSON of a stated size, strictly, with the place of what is wrong.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::Deserializer;
use tuppence_protocol::{ErrorCode, Refusal};

use crate::http::error::ApiError;
use crate::http::middleware::gate;
use crate::json::{self, Objects};

/// The most bytes of a body, where its [`super::endpoint::Endpoint`] states no other limit.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The longest that a body may take to arrive, unless the site's limits say otherwise.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// The longest detail of a parser's complaint that is sent back.
const DETAIL_CHARS_MAX: usize = 300;

/// The limit of an endpoint's bodies, in its application data.
#[derive(Debug, Clone, Copy)]
pub struct BodyMax(pub usize);

/// The time in which a body must arrive, in a site's application data.
#[derive(Debug, Clone, Copy)]
pub struct BodyTime(pub Duration);

/// A message of the protocol, decoded from a JSON body.
#[derive(Debug)]
pub struct Message<T>(pub T);

/// A message, and the body that it came in: for handlers whose refusal repeats parts of the message, and which give
/// the message itself away.
#[derive(Debug)]
pub struct WithBody<T>(pub T, pub Bytes);

impl<T: DeserializeOwned + 'static> FromRequest for Message<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let message = WithBody::from_request(request, payload);
        Box::pin(async move { message.await.map(|WithBody(message, _)| Message(message)) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for WithBody<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<BodyMax>().map_or(BODY_BYTES_MAX, |max| max.0);
        let head = check_head(request, limit);
        let time = request.app_data::<BodyTime>().map_or(BODY_TIME_MAX, |max| max.0);
        let request = request.clone();
        let body = web::Payload::from_request(&request, payload).into_inner();
        Box::pin(async move {
            head?;
            let body = body.map_err(|error| malformed(error.to_string()))?;
            let arrived = tokio::time::timeout(time, body.to_bytes_limited(limit)).await;
            let bytes = arrived
                .map_err(|_| ApiError::new(ErrorCode::TooSlow, "The body did not arrive in time."))?
                .map_err(|_| too_large(limit))?
                .map_err(|_| malformed("The body broke off."))?;
            gate::begin(&request)?;
            Ok(WithBody(decode(&bytes)?, bytes))
        })
    }
}

/// Media type and announced length, before anything is read.
fn check_head(request: &HttpRequest, limit: usize) -> Result<(), ApiError> {
    let json = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_json);
    if !json {
        return Err(ApiError::new(ErrorCode::MediaType, "The body is not declared as application/json."));
    }
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match announced.map(str::parse::<u64>) {
        Some(Ok(length)) if usize::try_from(length).is_ok_and(|length| length <= limit) => Ok(()),
        Some(Ok(_)) => Err(too_large(limit)),
        Some(Err(_)) => Err(malformed("Content-Length is not a number.")),
        None => Ok(()),
    }
}

/// `application/json`, at most with `charset=utf-8` (RFC 8259 knows no other).
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    essence
        && parts.all(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
        })
}

/// The message in `bytes`: one JSON value, without unknown fields where `T` forbids them, and with an object for each
/// struct. A wallet reads the same (wallet-wasm/src/json.rs).
///
/// # Errors
/// [`ErrorCode::Malformed`] with the path of the field, its line and column, and what is wrong with it.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::new(ErrorCode::Malformed, "The body is empty."));
    }
    // Keeping track of the place costs as much as reading does: it is done where something is wrong.
    json::read(bytes).or_else(|_| decode_with_place(bytes))
}

fn decode_with_place<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut json = Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Objects(&mut json)).map_err(|error| {
        let place = error.path().to_string();
        let at = if place == "." { String::new() } else { format!("In `{place}`: ") };
        let detail: String = format!("{at}{}", error.inner()).chars().take(DETAIL_CHARS_MAX).collect();
        Refusal::new(ErrorCode::Malformed, format!("{detail}."))
    })?;
    json.end().map_err(|error| Refusal::new(ErrorCode::Malformed, format!("{error}.")))?;
    Ok(value)
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(ErrorCode::BodyTooLarge, format!("The body is larger than {limit} bytes."))
}

fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::Malformed, message)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use tuppence_protocol::Amount;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "decoded only")]
        inner_list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "decoded only")]
        price: Amount,
    }

    #[test]
    fn a_refusal_names_the_place() {
        let body = br#"{"innerList": [{"price": "USD:1"}, {"price": "USD:1.0"}]}"#;
        let message = decode::<Sample>(body).unwrap_err().message;
        assert!(message.contains("innerList[1].price") && message.contains("column"), "{message}");
    }

    #[test]
    fn anything_but_one_strict_value_is_malformed() {
        let deep = "[".repeat(100_000);
        for body in [
            "",
            "x",
            "null",
            "{}",
            r#"{"innerList": []} x"#,
            r#"{"innerList": [], "more": 1}"#,
            r#"{"innerList": [], "innerList": []}"#,
            &deep,
            "\u{feff}{\"innerList\": []}",
        ] {
            let refusal = decode::<Sample>(body.as_bytes()).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::Malformed, "{body:.40}");
            assert!(refusal.message.chars().count() <= DETAIL_CHARS_MAX + 1);
        }
        assert_eq!(decode::<Sample>(b"{\"innerList\": \xff}").unwrap_err().code, ErrorCode::Malformed);
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Choice {
        Named {
            #[expect(dead_code, reason = "decoded only")]
            price: Amount,
        },
        Of(#[expect(dead_code, reason = "decoded only")] Inner),
        Pair(
            #[expect(dead_code, reason = "decoded only")] u8,
            #[expect(dead_code, reason = "decoded only")] u8,
        ),
    }

    #[test]
    fn a_list_is_no_object() {
        type Any = (Option<Vec<Inner>>, std::collections::BTreeMap<String, Choice>);
        let accepted = [
            r#"[null, {}]"#,
            r#"[[{"price": "USD:1"}], {"a": {"named": {"price": "USD:1"}}, "b": {"of": {"price": "USD:1"}}}]"#,
            r#"[[], {"a": {"pair": [1, 2]}}]"#,
        ];
        for body in accepted {
            assert!(decode::<Any>(body.as_bytes()).is_ok(), "{body}");
        }
        for (body, place) in [
            (r#"[[["USD:1"]], {}]"#, "[0][0]"),
            (r#"[null, {"a": {"named": ["USD:1"]}}]"#, "[1].a.named"),
            (r#"[null, {"a": {"of": ["USD:1"]}}]"#, "[1].a.of"),
        ] {
            let refusal = decode::<Any>(body.as_bytes()).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::Malformed, "{body}");
            assert!(refusal.message.contains(place) && refusal.message.contains("sequence"), "{refusal}");
        }
        assert!(decode::<Sample>(b"[[]]").is_err() && decode::<Inner>(br#"["USD:1"]"#).is_err());
    }

    #[test]
    fn only_json_in_utf_8_is_json() {
        for accepted in
            ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=\"UTF-8\""]
        {
            assert!(is_json(accepted), "{accepted}");
        }
        for refused in
            ["", "text/plain", "application/json2", "application/json; charset=latin1", "text/json"]
        {
            assert!(!is_json(refused), "{refused}");
        }
    }
}
