//! Settings: the center, storage, copies of the wallet.

use std::path::PathBuf;

use anyhow::Result;

use super::Wallet;
use crate::target::{button, field, heading};

/// Settings.
#[derive(Debug)]
pub struct Settings<'a>(Wallet<'a>);

impl<'a> Settings<'a> {
    pub(super) fn new(wallet: Wallet<'a>) -> Self {
        Self(wallet)
    }

    /// Goes to the page.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn open(&self) -> Result<()> {
        self.0.load("/settings").await?;
        self.0.browser.see(&heading("Settings")).await.map(drop)
    }

    /// Saves a copy of the wallet, and gives the file.
    ///
    /// # Errors
    /// If none is downloaded.
    pub async fn save_a_copy(&self) -> Result<PathBuf> {
        self.open().await?;
        self.0.browser.click(&button("Save a copy")).await?;
        self.0.browser.download().await
    }

    /// Compares with the center's books, and waits for the balance that they say.
    ///
    /// # Errors
    /// If they say another.
    pub async fn compare_with_the_center(&self, balance: &str) -> Result<()> {
        self.0.browser.click(&button("Compare now")).await?;
        self.0.browser.says(&format!("The books agree: {balance}.")).await
    }

    /// Deletes the wallet, as somebody who means it.
    ///
    /// # Errors
    /// If something on the way is missing.
    pub async fn delete_the_wallet(&self) -> Result<()> {
        self.0.browser.click(&button("Delete the wallet")).await?;
        self.0.browser.fill(&field("Type “delete” to confirm"), "delete").await?;
        self.0.browser.click(&button("Delete for good")).await
    }
}
