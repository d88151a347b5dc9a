//! API descriptions (OpenAPI 3.1): documents beside the handlers, which a test compares with the endpoints.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;

/// Answers with a description.
pub fn show(document: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(document)
}

/// For tests: what the description and the endpoints disagree on, one line each.
#[cfg(test)]
pub(crate) fn differences(document: &str, endpoints: &[super::endpoint::Endpoint]) -> Vec<String> {
    use std::collections::BTreeSet;

    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    let described: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods =
                item.as_object().unwrap().keys().filter(|key| ["get", "post"].contains(&key.as_str()));
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let served: BTreeSet<String> = endpoints
        .iter()
        .flat_map(|endpoint| endpoint.methods().map(|method| format!("{method} {}", endpoint.path())))
        .collect();
    let undescribed = served.difference(&described).map(|line| format!("not described: {line}"));
    let unserved = described.difference(&served).map(|line| format!("not served: {line}"));
    undescribed.chain(unserved).collect()
}
