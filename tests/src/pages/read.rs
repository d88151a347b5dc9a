//! Read: articles on sale, and those that are paid.

use anyhow::Result;

use super::Wallet;
use crate::target::{button, field, heading, link};

/// Read.
#[derive(Debug)]
pub struct Read<'a>(Wallet<'a>);

impl<'a> Read<'a> {
    pub(super) fn new(wallet: Wallet<'a>) -> Self {
        Self(wallet)
    }

    /// Loads the page.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn open(&self) -> Result<()> {
        self.0.load("/read").await?;
        self.0.browser.see(&heading("Read")).await.map(drop)
    }

    /// Goes there by the navigation.
    ///
    /// # Errors
    /// If it isn't there.
    pub async fn go_there(&self) -> Result<()> {
        self.0.go_to("Read").await
    }

    /// Opens an article that is the reader's.
    ///
    /// # Errors
    /// If it isn't.
    pub async fn open_mine(&self, title: &str) -> Result<()> {
        self.0.browser.click(&button(title).containing()).await
    }

    /// Chooses an article that is on sale.
    ///
    /// # Errors
    /// If it isn't there.
    pub async fn choose(&self, title: &str) -> Result<()> {
        self.0.browser.click(&link(title).containing()).await
    }

    /// Searches, and waits until the page says how many were found.
    ///
    /// # Errors
    /// If it says another number.
    pub async fn search(&self, words: &str, found: &str) -> Result<()> {
        self.0.browser.fill(&field("Search articles"), words).await?;
        self.0.browser.says(found).await
    }
}
