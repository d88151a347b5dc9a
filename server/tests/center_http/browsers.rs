//! What pages may send (T21), what they may read (CORS), and what browsers are told (T18, T19).

use reqwest::Method;
use tuppence_protocol::ErrorCode;

use crate::stand::{Answer, DESCRIPTION, Stand, send};

const FOREIGN: &str = "https://evil.example";

#[actix_web::test]
async fn a_page_of_another_origin_changes_nothing() {
    let stand = Stand::start().await;
    for path in changing() {
        for headers in [
            &[("origin", FOREIGN)][..],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", FOREIGN)],
            &[("sec-fetch-site", "same-site"), ("origin", FOREIGN)],
            &[("sec-fetch-site", "none"), ("origin", FOREIGN)],
        ] {
            let answer = posted(&stand, path, headers).await;
            answer.refused_for(ErrorCode::Origin);
            assert_eq!(answer.header("access-control-allow-origin"), "", "{path} {headers:?}");
        }
    }
}

#[actix_web::test]
async fn the_wallets_own_page_and_programs_pass() {
    let stand = Stand::start().await;
    let own = stand.origin.clone();
    for path in changing().into_iter().filter(|path| wallets(path)) {
        for headers in [
            &[][..],
            &[("origin", own.as_str())],
            &[("sec-fetch-site", "same-origin"), ("origin", own.as_str())],
            &[("sec-fetch-site", "none")],
        ] {
            posted(&stand, path, headers).await.refused_for(ErrorCode::Malformed);
        }
    }
    // What only servers send is for no page at all.
    for path in ["/relay", "/campaigns", "/operator/vendors"] {
        let headers = [("sec-fetch-site", "same-origin"), ("origin", own.as_str())];
        posted(&stand, path, &headers).await.refused_for(ErrorCode::Origin);
    }
}

#[actix_web::test]
async fn a_browser_that_asks_first_hears_who_may() {
    let stand = Stand::start().await;
    let ask = async |path: &str, method: &str| {
        let request = stand.request(Method::OPTIONS, path).header("origin", FOREIGN);
        send(request.header("access-control-request-method", method)).await
    };
    for path in changing() {
        let answer = ask(path, "POST").await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, ""), "{path}");
    }
    let answer = ask("/center", "GET").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, "*"));
}

#[actix_web::test]
async fn what_is_public_may_be_read_by_every_page() {
    let stand = Stand::start().await;
    for path in ["/center", "/shops", "/openapi.json"] {
        let request = stand.request(Method::GET, path).header("origin", FOREIGN);
        let answer = send(request.header("sec-fetch-site", "cross-site")).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin", "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
    }
}

#[actix_web::test]
async fn every_answer_carries_the_security_headers() {
    let stand = Stand::start().await;
    for path in ["/", "/approve", "/nothing.js", "/health", "/api/v1/center", "/api/v1/nothing"] {
        let answer = stand.page(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains(" 'unsafe-eval'"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "strict-origin", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
    }
    assert!(stand.page("/").await.header("content-security-policy").contains("'wasm-unsafe-eval'"));
    assert!(!stand.page("/health").await.header("content-security-policy").contains("script-src"));
}

#[actix_web::test]
async fn a_request_keeps_the_id_that_a_proxy_gave_it() {
    let stand = Stand::start().await;
    let answer = send(stand.request(Method::GET, "/center").header("x-request-id", "edge-17")).await;
    assert_eq!(answer.header("x-request-id"), "edge-17");
    let answer = send(stand.request(Method::GET, "/center").header("x-request-id", "a b;c")).await;
    assert_ne!(answer.header("x-request-id"), "a b;c");
}

async fn posted(stand: &Stand, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = stand.request(Method::POST, path).header("content-type", "application/json").body("{}");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request).await
}

/// Every address that changes something, from the description.
fn changing() -> Vec<&'static str> {
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    paths.iter().filter(|(_, item)| item.get("post").is_some()).map(|(path, _)| path.as_str()).collect()
}

fn wallets(path: &str) -> bool {
    DESCRIPTION["paths"][path]["post"]["tags"][0] == "wallet"
}
