//! What was paid, and its text.

use serde::{Deserialize, Serialize};
use tuppence_protocol::Timestamp;
use tuppence_protocol::scrip::receipt::Receipt;

use super::ShopRef;

/// An article that was paid.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LibraryEntry {
    /// Where it was bought.
    pub shop: ShopRef,
    /// Its short name there.
    pub slug: String,
    /// Its address.
    pub url: String,
    /// Title.
    pub title: String,
    /// When it was paid.
    pub at: Timestamp,
    /// The receipt, with which the shop hands it out any number of times.
    pub receipt: Receipt,
}

impl LibraryEntry {
    /// Of a part of an article (docs/decisions/0013): the short name of the whole, and the part's number.
    pub fn part(&self) -> Option<(&str, u32)> {
        let (whole, number) = self.slug.rsplit_once("/parts/")?;
        Some((whole, number.parse().ok()?))
    }
}

/// A delivered article.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArticleText {
    /// Title.
    pub title: String,
    /// HTML that the shop has sanitised. Whoever shows it must not trust it: keep it out of the wallet's own page.
    pub html: String,
}
