//! Who may call an address from a page (T21), how many at once, and what pages may read (CORS).
//!
//! Browsers say where a request comes from in `Sec-Fetch-Site` and `Origin`, which pages cannot change;
//! programs send neither. What changes something also takes JSON alone, for which a foreign page must ask
//! first.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST, HeaderMap,
    HeaderName, HeaderValue, ORIGIN, VARY,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};
use tokio::sync::Semaphore;
use tuppence_protocol::ErrorCode;

use crate::http::error::ApiError;
use crate::http::middleware::headers;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Seconds for which a browser remembers a permission.
const PREFLIGHT_S: &str = "3600";

/// Who may call a method of an address.
#[derive(Debug, Clone)]
pub enum Access {
    /// Everybody, and pages of every origin may read the answer. For what is public and changes nothing.
    Anyone,
    /// Programs, and pages of this very origin.
    SameOrigin,
    /// Programs, and pages of this origin and of those named (`https://wallet.example`).
    Origins(Arc<[String]>),
    /// Programs alone: other servers, and the operator's tools.
    Programs,
}

impl Access {
    /// This origin's pages and those of `origins`.
    pub fn origins<T: Into<String>>(origins: impl IntoIterator<Item = T>) -> Self {
        Access::Origins(origins.into_iter().map(Into::into).collect())
    }

    /// Whether the request may pass.
    fn admits(&self, source: &Source) -> bool {
        match (self, source) {
            (Access::Anyone, _) | (_, Source::Program) => true,
            (Access::SameOrigin | Access::Origins(_), Source::SameOrigin) => true,
            (Access::Origins(origins), Source::Page(origin)) => origins.iter().any(|known| known == origin),
            (Access::SameOrigin | Access::Origins(_), _) | (Access::Programs, _) => false,
        }
    }

    /// The origin that may read the answer.
    fn reader(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        match self {
            Access::Anyone => Some(HeaderValue::from_static("*")),
            Access::SameOrigin | Access::Programs => None,
            Access::Origins(origins) => {
                let origin = headers.get(ORIGIN)?;
                origins.iter().any(|known| known.as_bytes() == origin.as_bytes()).then(|| origin.clone())
            }
        }
    }
}

/// Where a request comes from.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    /// No browser.
    Program,
    /// A page of this origin.
    SameOrigin,
    /// A page of this other origin.
    Page(String),
    /// A browser that does not say which page.
    Unknown,
}

impl Source {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
        let site = text(SEC_FETCH_SITE);
        match (site.as_deref(), text(ORIGIN)) {
            (Some("same-origin"), _) => Source::SameOrigin,
            // The reader's own doing: an address typed, a bookmark. A page behind it would have an Origin.
            (Some("none"), None) | (None, None) => Source::Program,
            (None, Some(origin)) if is_own(&origin, headers) => Source::SameOrigin,
            (_, Some(origin)) => Source::Page(origin),
            (Some(_), None) => Source::Unknown,
        }
    }
}

/// For browsers without `Sec-Fetch-Site`: whether `origin` is the host that was asked.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let of_origin = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == of_origin
}

/// The gate of one address.
#[derive(Debug)]
pub struct Gate {
    policies: Vec<(Method, Access)>,
    held: bool,
}

impl Gate {
    /// A gate with a policy for each method; `held` requests do not count as work in progress.
    pub fn new(policies: Vec<(Method, Access)>, held: bool) -> Rc<Self> {
        Rc::new(Gate { policies, held })
    }

    fn policy(&self, method: &Method) -> Option<&Access> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.policies.iter().find(|(known, _)| known == method).map(|(_, access)| access)
    }

    /// The answer to a browser that asks whether a page may call this address.
    fn preflight(&self, headers: &HeaderMap) -> Option<HttpResponse> {
        let asked = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?.to_str().ok()?;
        let access = self.policy(&Method::from_bytes(asked.as_bytes()).ok()?)?;
        let mut response = HttpResponse::NoContent();
        response.insert_header((VARY, "Origin, Access-Control-Request-Method"));
        if let Some(reader) = access.reader(headers) {
            response.insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, reader));
            response.insert_header((ACCESS_CONTROL_ALLOW_METHODS, asked));
            response.insert_header((ACCESS_CONTROL_ALLOW_HEADERS, "content-type"));
            response.insert_header((ACCESS_CONTROL_MAX_AGE, PREFLIGHT_S));
        }
        Some(response.finish())
    }
}

/// How many requests are worked on at once, over all addresses of an origin that do not hold them.
#[derive(Debug)]
pub struct InFlight(Arc<Semaphore>);

impl InFlight {
    /// Room for `max` requests.
    pub fn new(max: usize) -> Self {
        InFlight(Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))))
    }
}

/// That a request is to be counted as work once its body is there: whoever sends slowly takes no room from others.
#[derive(Debug, Clone, Copy)]
struct Counted;

/// The work on a request begins: it takes its room, until it is answered.
///
/// # Errors
/// `busy` where the server is at its limit.
pub fn begin(request: &HttpRequest) -> Result<(), ApiError> {
    let counted = request.extensions().contains::<Counted>();
    if let Some(room) = request.app_data::<web::Data<InFlight>>().filter(|_| counted) {
        let full = |_| ApiError::new(ErrorCode::Busy, "The server is at its limit.");
        let permit = room.0.clone().try_acquire_owned().map_err(full)?;
        request.extensions_mut().insert(permit);
    }
    Ok(())
}

/// Lets a request through the gate, and adds what pages may read.
///
/// # Errors
/// Those of the service inside.
pub async fn pass(
    gate: Rc<Gate>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if *request.method() == Method::OPTIONS
        && let Some(response) = gate.preflight(request.headers())
    {
        return Ok(request.into_response(response));
    }
    let Some(access) = gate.policy(request.method()).cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let reader = access.reader(request.headers());
    let mut response = if access.admits(&Source::of(request.headers())) {
        if !gate.held {
            request.extensions_mut().insert(Counted);
        }
        // What comes with a body begins when that has arrived.
        let begun = if *request.method() == Method::POST { Ok(()) } else { begin(request.request()) };
        match begun {
            Ok(()) => next.call(request).await?.map_into_boxed_body(),
            Err(error) => request.error_response(error),
        }
    } else {
        request.error_response(ApiError::new(ErrorCode::Origin, "A page of another origin sent this."))
    };
    let answer = response.headers_mut();
    if answer.get(actix_web::http::header::CONTENT_TYPE).is_none_or(|value| value == "application/json") {
        headers::mark_as_data(answer);
    }
    if let Access::Anyone = access {
        headers::open_to_pages(answer);
    }
    if let Access::Origins(_) = access {
        answer.append(VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(reader) = reader {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, reader);
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-request-id, retry-after"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn browsers_say_where_a_request_comes_from() {
        let shop = || Source::Page("https://shop.example".to_owned());
        for (given, source) in [
            (&[][..], Source::Program),
            (&[("sec-fetch-site", "none")][..], Source::Program),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://a.example")][..], Source::SameOrigin),
            (&[("host", "a.example:8080"), ("origin", "http://a.example:8080")][..], Source::SameOrigin),
            (&[("host", "a.example"), ("origin", "https://shop.example")][..], shop()),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://shop.example")][..], shop()),
            (&[("sec-fetch-site", "same-site"), ("origin", "https://shop.example")][..], shop()),
            (&[("sec-fetch-site", "none"), ("origin", "https://shop.example")][..], shop()),
            (&[("sec-fetch-site", "cross-site")][..], Source::Unknown),
            (&[("sec-fetch-site", "nonsense")][..], Source::Unknown),
            (&[("origin", "null")][..], Source::Page("null".to_owned())),
        ] {
            assert_eq!(Source::of(&headers(given)), source, "{given:?}");
        }
    }

    #[test]
    fn each_policy_admits_just_whom_it_names() {
        let wallet = Access::origins(["https://wallet.example"]);
        let sources = [
            Source::Program,
            Source::SameOrigin,
            Source::Page("https://wallet.example".to_owned()),
            Source::Page("https://wallet.example.evil.example".to_owned()),
            Source::Page("null".to_owned()),
            Source::Unknown,
        ];
        let admitted =
            |access: &Access| sources.iter().map(|source| access.admits(source)).collect::<Vec<_>>();
        assert_eq!(admitted(&Access::Anyone), [true; 6]);
        assert_eq!(admitted(&Access::SameOrigin), [true, true, false, false, false, false]);
        assert_eq!(admitted(&wallet), [true, true, true, false, false, false]);
        assert_eq!(admitted(&Access::Programs), [true, false, false, false, false, false]);
    }
}
