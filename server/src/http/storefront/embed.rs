//! For pages of publishers elsewhere: the script, and the receipts that wait for them.

use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, Responder};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha384};
use tuppence_protocol::ErrorCode;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::vendor_scrip::Holding;

use super::{StorefrontApi, fresh};
use crate::http::error::ApiError;
use crate::http::message::Message;
use crate::http::middleware::headers;
use crate::storefront::claims::{Bought, Claim};

/// The publisher's script, as it is sent: without the lines that are for its authors.
static SCRIPT: LazyLock<String> =
    LazyLock::new(|| without_comments(include_str!("../../../../web/embed/embed.js")));

/// What it pays with where readers approve budgets, likewise.
static BUDGET_SCRIPT: LazyLock<String> =
    LazyLock::new(|| without_comments(include_str!("../../../../web/embed/budget.js")));

/// What reads articles by the part, likewise.
static METER_SCRIPT: LazyLock<String> =
    LazyLock::new(|| without_comments(include_str!("../../../../web/embed/meter.js")));

/// What plays sound and film, likewise.
static STREAM_SCRIPT: LazyLock<String> =
    LazyLock::new(|| without_comments(include_str!("../../../../web/embed/stream.js")));

/// A script for publishers' pages.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// Where the shop has it.
    pub path: &'static str,
    /// Its text, as it is sent.
    pub text: &'static str,
    /// The most bytes that it may have after gzip.
    pub gzip_bytes_max: usize,
}

/// All of them: the first is what every page needs, the others what they add.
pub fn scripts() -> [Script; 4] {
    [
        Script { path: "embed.js", text: &SCRIPT, gzip_bytes_max: 8_000 },
        Script { path: "embed/budget.js", text: &BUDGET_SCRIPT, gzip_bytes_max: 3_200 },
        Script { path: "embed/meter.js", text: &METER_SCRIPT, gzip_bytes_max: 3_400 },
        Script { path: "embed/stream.js", text: &STREAM_SCRIPT, gzip_bytes_max: 3_200 },
    ]
}

impl Script {
    /// Bytes after gzip.
    ///
    /// # Errors
    /// None in practice: memory takes what is written.
    pub fn gzip_bytes(&self) -> std::io::Result<usize> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(self.text.as_bytes())?;
        Ok(encoder.finish()?.len())
    }
}

/// The hash by which a page can insist on this very script (Subresource Integrity).
pub fn integrity(script: &str) -> String {
    format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(script.as_bytes())))
}

/// Its words in other languages than English, which is in the script.
const WORDS: [(&str, &str); 2] = [
    ("ko", include_str!("../../../../web/embed/ko.json")),
    ("ja", include_str!("../../../../web/embed/ja.json")),
];

/// A receipt or a budget for the page that made the claim.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Left {
    claim: Claim,
    #[serde(default)]
    receipt: Option<Receipt>,
    #[serde(default)]
    budget: Option<Holding>,
}

/// Who asks for it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Asked {
    claim: Claim,
}

/// The script, which pages of all origins may load, also with `integrity`.
pub(super) async fn script() -> HttpResponse {
    kept("text/javascript; charset=utf-8", SCRIPT.as_str())
}

/// The script for budgets.
pub(super) async fn budget_script() -> HttpResponse {
    kept("text/javascript; charset=utf-8", BUDGET_SCRIPT.as_str())
}

/// The script for reading by the part.
pub(super) async fn meter_script() -> HttpResponse {
    kept("text/javascript; charset=utf-8", METER_SCRIPT.as_str())
}

/// The script for sound and film.
pub(super) async fn stream_script() -> HttpResponse {
    kept("text/javascript; charset=utf-8", STREAM_SCRIPT.as_str())
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

/// The wallet leaves what was bought. What opens or pays nothing is not kept.
pub(super) async fn leave(
    api: Data<StorefrontApi>,
    Message(left): Message<Left>,
) -> Result<Json<Value>, ApiError> {
    let bought = match (left.receipt, left.budget) {
        (Some(receipt), None) => {
            api.shop.unlock(&receipt).await?;
            Bought::Receipt(receipt)
        }
        (None, Some(budget)) => {
            api.shop.standing(budget.give_back()).await?;
            Bought::Budget(Box::new(budget))
        }
        _ => return Err(ApiError::new(ErrorCode::Malformed, "Either a receipt or a budget can be left.")),
    };
    api.shop.claims().leave(left.claim, bought, api.shop.now())?;
    Ok(Json(json!({})))
}

/// The page takes it.
pub(super) async fn take(
    api: Data<StorefrontApi>,
    Message(asked): Message<Asked>,
) -> Result<impl Responder, ApiError> {
    Ok(match api.shop.claims().take(asked.claim, api.shop.now()) {
        Some(bought) => fresh(json!(bought)),
        None => fresh(json!({})),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_script_is_larger_than_it_may_be() {
        for script in scripts() {
            let (bytes, most) = (script.gzip_bytes().unwrap(), script.gzip_bytes_max);
            assert!(bytes <= most, "{}: {bytes} bytes", script.path);
        }
    }

    #[test]
    fn the_scripts_are_sent_without_comments_and_without_eval() {
        for script in scripts().map(|script| script.text) {
            assert!(!script.contains("\n//") && !script.starts_with("//"));
            for way in ["eval(", "new Function", "innerHTML", "document.write", "insertAdjacentHTML"] {
                assert!(!script.contains(way), "{way}");
            }
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
