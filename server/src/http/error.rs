//! Errors become HTTP here, and nowhere else: a status, and an [`ErrorBody`] that says what to do.

use std::borrow::Cow;
use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use tuppence_protocol::scrip::Refused;
use tuppence_protocol::{ErrorBody, ErrorCode, Refusal};

use crate::http::middleware::observe::RequestId;

/// Seconds after which a busy or absent server is asked again.
const RETRY_AFTER_S: u64 = 1;

/// What an address answers when it refuses or fails.
#[derive(Debug)]
pub struct ApiError {
    refusal: Refusal,
    reply: Option<Box<Refused>>,
    retry_after_s: u64,
    allow: Vec<Method>,
    cause: Option<Cow<'static, str>>,
}

impl ApiError {
    /// A refusal for `code` with what was wrong in this case.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Refusal::new(code, message).into()
    }

    /// A fault of this server. The `cause` is logged with the request's id; the client gets the id alone.
    pub fn fault(cause: impl fmt::Display) -> Self {
        let mut error = ApiError::new(ErrorCode::Fault, "The server made a mistake.");
        error.cause = Some(Cow::Owned(cause.to_string()));
        error
    }

    /// Nothing is here.
    pub fn not_found() -> Self {
        ApiError::new(ErrorCode::NotFound, "There is nothing at this address.")
    }

    /// The address takes other methods.
    pub fn method(allow: Vec<Method>) -> Self {
        let names: Vec<_> = allow.iter().map(Method::as_str).collect();
        let message = format!("This address takes {} alone.", names.join(" and "));
        ApiError { allow, ..ApiError::new(ErrorCode::Method, message) }
    }

    /// Too many requests; the next one may come in so many seconds.
    pub fn rate_limited(retry_after_s: u64) -> Self {
        let message = format!("Too many requests came from your network. Wait {retry_after_s} s.");
        ApiError { retry_after_s, ..ApiError::new(ErrorCode::RateLimited, message) }
    }

    /// With the protocol's own refusal message, such as GM5_2.
    #[must_use]
    pub fn with_reply(mut self, reply: Refused) -> Self {
        self.reply = Some(Box::new(reply));
        self
    }

    /// With what lies behind it, for the log alone.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(Cow::Owned(cause.to_string()));
        self
    }

    /// The reason.
    pub fn code(&self) -> ErrorCode {
        self.refusal.code
    }

    /// What lies behind it, for the log alone.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The answer; a fault names the request by which the operator finds it in the log.
    pub fn respond(&self, request: Option<&RequestId>) -> HttpResponse<BoxBody> {
        let mut body = ErrorBody::from(&self.refusal);
        if let (ErrorCode::Fault, Some(id)) = (self.code(), request) {
            body.message = format!("{} The request is {id}.", body.message);
        }
        body.reply = self.reply.clone();
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CACHE_CONTROL, "no-store"));
        if matches!(self.status_code(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.insert_header((RETRY_AFTER, self.retry_after_s.to_string()));
        }
        if !self.allow.is_empty() {
            let names: Vec<_> = self.allow.iter().map(Method::as_str).collect();
            response.insert_header((ALLOW, names.join(", ")));
        }
        response.json(body)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        ApiError { refusal, reply: None, retry_after_s: RETRY_AFTER_S, allow: Vec::new(), cause: None }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.refusal, f)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.respond(None)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;

    use super::*;

    #[test]
    fn every_code_has_a_status_and_a_body_that_decodes() {
        for code in ErrorCode::ALL {
            let response = ApiError::new(*code, "Why.").error_response();
            assert_eq!(response.status().as_u16(), code.status());
            let retry_after = response.headers().contains_key(RETRY_AFTER);
            assert_eq!(retry_after, matches!(code.status(), 503 | 429), "{code:?}");
            let bytes = response.into_body().try_into_bytes().unwrap();
            let body: ErrorBody = serde_json::from_slice(&bytes).unwrap();
            assert_eq!((body.code, body.message.as_str(), body.hint.as_str()), (*code, "Why.", code.hint()));
        }
    }

    #[test]
    fn a_fault_tells_its_request_and_keeps_its_cause() {
        let id = RequestId::from_text("abc123").unwrap();
        let response = ApiError::fault("disk sector 7").respond(Some(&id));
        let text = String::from_utf8(response.into_body().try_into_bytes().unwrap().to_vec()).unwrap();
        assert!(text.contains("abc123") && !text.contains("sector"), "{text}");
    }
}
