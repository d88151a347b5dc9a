//! Security headers: what a browser may do with an answer (T18, T19).

use std::sync::Arc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;

const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// Nothing that the wallet or a shop's page asks for.
const NO_PERMISSIONS: &str =
    "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), serial=(), usb=()";

/// The wallet's pages: its own scripts and WebAssembly, any shop to talk to, no frame around it.
///
/// Shops are at https addresses, or on the reader's own machine while they are tried out; what the wallet
/// loads from them is data and pictures, never code. The form is the receipt that opens an article there.
const WALLET_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    font-src 'self'; manifest-src 'self'; worker-src 'self'; \
    img-src 'self' data: https: http://localhost:* http://127.0.0.1:*; \
    connect-src 'self' https: http://localhost:* http://127.0.0.1:*; \
    form-action 'self' https: http://localhost:* http://127.0.0.1:*; \
    base-uri 'none'; frame-ancestors 'none'";

/// A shop's pages: text, its own style, pictures, sound and film. No script at all.
const STOREFRONT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// An API's answers are data: a browser that is led to one shows text that can do nothing.
const DATA_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The headers that every answer of one origin gets, unless the handler has set its own.
#[derive(Debug, Clone)]
pub struct SecurityHeaders {
    pages: Arc<[(HeaderName, HeaderValue)]>,
}

impl SecurityHeaders {
    /// Of the center with the wallet's pages; `https` also says so to browsers for a year.
    pub fn wallet(https: bool) -> Self {
        // A form's Origin would read `null` under a stricter referrer policy, and shops check it.
        Self::new(WALLET_POLICY, "strict-origin", https)
    }

    /// Of a storefront.
    pub fn storefront(https: bool) -> Self {
        Self::new(STOREFRONT_POLICY, "strict-origin-when-cross-origin", https)
    }

    fn new(policy: &'static str, referrer: &'static str, https: bool) -> Self {
        let mut pages = vec![
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
            (REFERRER_POLICY, HeaderValue::from_static(referrer)),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (COOP, HeaderValue::from_static("same-origin")),
            (CORP, HeaderValue::from_static("same-origin")),
            (PERMISSIONS, HeaderValue::from_static(NO_PERMISSIONS)),
        ];
        if https {
            pages.push((STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")));
        }
        SecurityHeaders { pages: pages.into() }
    }

    fn add_to(&self, headers: &mut HeaderMap) {
        for (name, value) in self.pages.iter() {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Marks an answer as data that pages of other origins may read, as far as CORS lets them.
pub fn mark_as_data(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(DATA_POLICY));
    open_to_pages(headers);
}

/// Lets pages of other origins embed an answer, such as a picture, as far as CORS does not matter.
pub fn open_to_pages(headers: &mut HeaderMap) {
    headers.insert(CORP, HeaderValue::from_static("cross-origin"));
}

/// Leaves the line to the page that opened this one in a window, so that it can be told how that ended. What a page may do
/// with another origin's window is little: lead it elsewhere, and close it.
pub fn let_opener_listen(headers: &mut HeaderMap) {
    headers.insert(COOP, HeaderValue::from_static("unsafe-none"));
}

/// That an answer is another site's, which says itself what browsers may do with it.
#[derive(Debug, Clone, Copy)]
pub struct OfAnotherSite;

/// Adds `headers` to what comes from inside.
///
/// # Errors
/// Those of the service inside.
pub async fn add<B: MessageBody + 'static>(
    headers: SecurityHeaders,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    if !response.response().extensions().contains::<OfAnotherSite>() {
        headers.add_to(response.headers_mut());
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_policy_allows_inline_code_eval_or_frames() {
        for policy in [WALLET_POLICY, STOREFRONT_POLICY, DATA_POLICY] {
            assert!(policy.starts_with("default-src 'none'"), "{policy}");
            assert!(
                policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"),
                "{policy}"
            );
            assert!(!policy.contains("unsafe-inline") && !policy.contains(" 'unsafe-eval'"), "{policy}");
        }
    }
}
