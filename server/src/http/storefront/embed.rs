//! For pages of publishers elsewhere: the script, and the receipts that wait for them.

use std::sync::LazyLock;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, Responder};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha384};
use tuppence_protocol::scrip::receipt::Receipt;

use super::{StorefrontApi, fresh};
use crate::http::error::ApiError;
use crate::http::message::Message;
use crate::http::middleware::headers;
use crate::storefront::claims::Claim;

/// The publisher's script, as it is sent: without the lines that are for its authors.
pub static SCRIPT: LazyLock<String> =
    LazyLock::new(|| without_comments(include_str!("../../../../web/embed/embed.js")));

/// The hash by which a page can insist on this very script (Subresource Integrity).
pub fn integrity() -> String {
    format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(SCRIPT.as_bytes())))
}

/// Its words in other languages than English, which is in the script.
const WORDS: [(&str, &str); 2] = [
    ("ko", include_str!("../../../../web/embed/ko.json")),
    ("ja", include_str!("../../../../web/embed/ja.json")),
];

/// A receipt for the page that made the claim.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Left {
    claim: Claim,
    receipt: Receipt,
}

/// Who asks for a receipt.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Asked {
    claim: Claim,
}

/// What waits, if anything.
#[derive(Debug, Serialize)]
struct Waiting {
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
}

/// The script, which pages of all origins may load, also with `integrity`.
pub(super) async fn script() -> HttpResponse {
    kept("text/javascript; charset=utf-8", SCRIPT.as_str())
}

/// The script's words in another language.
pub(super) async fn words(language: Path<String>) -> Result<HttpResponse, ApiError> {
    let words = WORDS.iter().find(|(name, _)| *name == language.as_str());
    let (_, words) = words.ok_or_else(ApiError::not_found)?;
    Ok(kept("application/json", words))
}

fn kept(media_type: &str, text: &'static str) -> HttpResponse {
    let mut response = HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(text);
    headers::open_to_pages(response.headers_mut());
    response
}

/// Comments have lines of their own in this script, and no text of it has a line that begins as they do.
fn without_comments(script: &str) -> String {
    let lines = script.lines().map(str::trim_start);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

/// The wallet leaves a receipt. What opens nothing is not kept.
pub(super) async fn leave(
    api: Data<StorefrontApi>,
    Message(left): Message<Left>,
) -> Result<Json<Value>, ApiError> {
    api.shop.unlock(&left.receipt)?;
    api.shop.claims().leave(left.claim, left.receipt, api.shop.now())?;
    Ok(Json(json!({})))
}

/// The page takes it.
pub(super) async fn take(
    api: Data<StorefrontApi>,
    Message(asked): Message<Asked>,
) -> Result<impl Responder, ApiError> {
    let receipt = api.shop.claims().take(asked.claim, api.shop.now());
    Ok(fresh(Waiting { receipt }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const SCRIPT_GZIP_BYTES_MAX: usize = 8_000;

    #[test]
    fn the_script_has_at_most_8_kb_after_gzip() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(SCRIPT.as_bytes()).unwrap();
        let length = encoder.finish().unwrap().len();
        assert!(length <= SCRIPT_GZIP_BYTES_MAX, "{length} bytes");
    }

    #[test]
    fn the_script_is_sent_without_comments_and_without_eval() {
        assert!(!SCRIPT.contains("\n//") && !SCRIPT.starts_with("//"));
        for way in ["eval(", "new Function", "innerHTML", "document.write", "insertAdjacentHTML"] {
            assert!(!SCRIPT.contains(way), "{way}");
        }
    }

    #[test]
    fn every_language_has_every_word_of_the_script() {
        let english = SCRIPT.split_once("const ENGLISH = {").unwrap().1.split_once("};").unwrap().0;
        let names: BTreeSet<&str> =
            english.lines().filter_map(|line| Some(line.split_once(": \"")?.0)).collect();
        assert!(names.len() > 20, "{names:?}");
        for (language, words) in WORDS {
            let words: serde_json::Map<String, Value> = serde_json::from_str(words).unwrap();
            assert_eq!(words.keys().map(String::as_str).collect::<BTreeSet<_>>(), names, "{language}");
        }
    }
}
