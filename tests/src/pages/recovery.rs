//! The recovery words: saved from their page, and used on the page that restores.

use anyhow::{Context, Result, ensure};

use super::Wallet;
use crate::target::{button, field, heading, link};

/// Recovery.
#[derive(Debug)]
pub struct Recovery<'a>(Wallet<'a>);

impl<'a> Recovery<'a> {
    pub(super) fn new(wallet: Wallet<'a>) -> Self {
        Self(wallet)
    }

    /// Follows the reminder at home to the page of the words.
    ///
    /// # Errors
    /// If there is none.
    pub async fn follow_the_reminder(&self) -> Result<()> {
        self.0.browser.click(&link("Save the words")).await?;
        self.0.browser.see(&heading("Recovery words")).await.map(drop)
    }

    /// Shows the words, and reads them.
    ///
    /// # Errors
    /// If there are not twelve.
    pub async fn read_the_words(&self) -> Result<Vec<String>> {
        self.0.browser.click(&button("Show the words")).await?;
        self.0.browser.see(&button("I have written them down")).await?;
        let script = "return [...document.querySelectorAll('.words li')].map((word) => word.textContent)";
        let words: Vec<String> = self.0.browser.script(script, Vec::new()).await?;
        ensure!(words.len() == 12, "{words:?}");
        Ok(words)
    }

    /// Says that they are written down, and gives the numbers of those that are asked back.
    ///
    /// # Errors
    /// If none are.
    pub async fn is_asked(&self) -> Result<Vec<usize>> {
        self.0.browser.click(&button("I have written them down")).await?;
        self.0.browser.see(&button("Check")).await?;
        let script =
            "return [...document.querySelectorAll('input')].map((input) => Number(input.id.slice(5)))";
        self.0.browser.script(script, Vec::new()).await
    }

    /// Types these words where they are asked for.
    ///
    /// # Errors
    /// If a field is missing.
    pub async fn answer(&self, asked: &[usize], words: &[String]) -> Result<()> {
        for number in asked {
            let word = number.checked_sub(1).and_then(|index| words.get(index)).context("such a word")?;
            self.0.browser.fill(&field(format!("Word {number}")), word).await?;
        }
        self.0.browser.click(&button("Check")).await
    }

    /// Saves the words, from the reminder to the end, and gives them.
    ///
    /// # Errors
    /// If something on the way is missing.
    pub async fn save_the_words(&self) -> Result<Vec<String>> {
        self.0.home().open().await?;
        self.follow_the_reminder().await?;
        let words = self.read_the_words().await?;
        let asked = self.is_asked().await?;
        self.answer(&asked, &words).await?;
        self.0.browser.says("Your wallet can be brought back now").await?;
        Ok(words)
    }

    /// From the welcome page: has words.
    ///
    /// # Errors
    /// If the page doesn't come.
    pub async fn has_words(&self) -> Result<()> {
        self.0.home().open().await?;
        self.0.browser.click(&link("I have recovery words")).await?;
        self.0.browser.see(&heading("Restore my wallet")).await.map(drop)
    }

    /// Types words on the page that restores.
    ///
    /// # Errors
    /// If there is no field for them.
    pub async fn type_words(&self, words: &str) -> Result<()> {
        self.0.browser.fill(&field("Your twelve words"), words).await?;
        self.0.browser.click(&button("Restore")).await
    }

    /// Restores, and waits until the wallet is there.
    ///
    /// # Errors
    /// If it doesn't come.
    pub async fn restore(&self, words: &[String]) -> Result<()> {
        self.type_words(&words.join(" ")).await?;
        self.0.browser.see(&link("Balance").containing()).await.map(drop)
    }
}
