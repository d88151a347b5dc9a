//! Cash out: progress to the threshold, an order, its state.

use anyhow::Result;

use super::Wallet;
use crate::target::{button, field, heading};

/// Cash out.
#[derive(Debug)]
pub struct CashOut<'a>(Wallet<'a>);

impl<'a> CashOut<'a> {
    pub(super) fn new(wallet: Wallet<'a>) -> Self {
        Self(wallet)
    }

    /// Goes to the page.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn open(&self) -> Result<()> {
        self.0.load("/cash-out").await?;
        self.0.browser.see(&heading("Cash out")).await.map(drop)
    }

    /// Orders a sum, looks at what it comes to, and confirms.
    ///
    /// # Errors
    /// If a field or a button is missing.
    pub async fn order(&self, amount: &str, said: &str, destination: &str) -> Result<()> {
        self.0.browser.fill(&field("Amount").containing(), amount).await?;
        self.0.browser.fill(&field("Where the money goes").containing(), destination).await?;
        self.0.browser.click(&button("Continue")).await?;
        self.0.browser.see(&heading("Is this right?")).await?;
        self.0.browser.click(&button(format!("Cash out {said}"))).await
    }
}
