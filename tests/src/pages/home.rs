//! Home: creation of the wallet, balance, what is pending.

use std::path::Path;

use anyhow::Result;

use super::Wallet;
use crate::target::{button, file, link};

/// Home.
#[derive(Debug)]
pub struct Home<'a>(Wallet<'a>);

impl<'a> Home<'a> {
    pub(super) fn new(wallet: Wallet<'a>) -> Self {
        Self(wallet)
    }

    /// Loads the page.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn open(&self) -> Result<()> {
        self.0.load("/").await
    }

    /// On the first visit: one click, and the wallet is there.
    ///
    /// # Errors
    /// If it doesn't come.
    pub async fn create(&self) -> Result<()> {
        self.0.browser.click(&button("Create my wallet")).await?;
        self.has_a_wallet().await
    }

    /// On the first visit: brings a wallet back from its copy.
    ///
    /// # Errors
    /// If it doesn't come.
    pub async fn use_copy(&self, copy: &Path) -> Result<()> {
        self.0.browser.click(&button("I have a copy of a wallet")).await?;
        self.0.browser.choose_file(&file("Choose the file").containing(), copy).await?;
        self.has_a_wallet().await
    }

    /// Loads the page and creates a wallet.
    ///
    /// # Errors
    /// If it doesn't come.
    pub async fn become_a_reader(&self) -> Result<()> {
        self.open().await?;
        self.create().await
    }

    /// Loads the page and waits until it shows this balance.
    ///
    /// # Errors
    /// If it shows another one.
    pub async fn has(&self, balance: &str) -> Result<()> {
        self.open().await?;
        self.shows(balance).await
    }

    /// Waits until the page, as it is, shows this balance.
    ///
    /// # Errors
    /// If it shows another one.
    pub async fn shows(&self, balance: &str) -> Result<()> {
        self.0.browser.see(&link(format!("Balance {balance}"))).await.map(drop)
    }

    /// Waits until the masthead shows a balance, whichever.
    async fn has_a_wallet(&self) -> Result<()> {
        self.0.browser.see(&link("Balance").containing()).await.map(drop)
    }
}
