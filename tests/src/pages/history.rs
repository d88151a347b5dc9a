//! History, and its entries.

use anyhow::{Context, Result, ensure};

use super::Wallet;
use crate::target::{button, heading, link};
use crate::wait::{Seen, until};

/// History.
#[derive(Debug)]
pub struct History<'a>(Wallet<'a>);

impl<'a> History<'a> {
    pub(super) fn new(wallet: Wallet<'a>) -> Self {
        Self(wallet)
    }

    /// Goes to the page.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn open(&self) -> Result<()> {
        self.0.load("/history").await?;
        self.0.browser.see(&heading("History")).await.map(drop)
    }

    /// Waits until these changes are listed, newest first, and no others.
    ///
    /// # Errors
    /// If others are.
    pub async fn lists(&self, changes: &[&str]) -> Result<()> {
        until("the history", async || {
            let listed: Vec<String> = self.rows().await?.into_iter().filter_map(|row| row.change).collect();
            Ok(if listed == changes { Seen::Ready(()) } else { Seen::NotYet(format!("{listed:?}")) })
        })
        .await
    }

    /// Asserts that these are the balances after the changes, newest first, and that each is the one before it and the
    /// change.
    ///
    /// # Errors
    /// If they are others.
    pub async fn adds_up_to(&self, balances: &[&str]) -> Result<()> {
        let rows = self.rows().await?;
        let changed: Vec<&Row> = rows.iter().filter(|row| row.change.is_some()).collect();
        let listed: Vec<&str> = changed.iter().map(|row| row.balance.as_str()).collect();
        ensure!(listed == balances, "the balances are {listed:?}");
        let mut before = 0;
        for row in changed.iter().rev() {
            let after = thousandths(&row.balance)?;
            let change = thousandths(row.change.as_deref().unwrap_or_default())?;
            ensure!(before + change == after, "{before} and {row:?} do not add up");
            before = after;
        }
        Ok(())
    }

    /// Opens the entry about this article or question.
    ///
    /// # Errors
    /// If there is none.
    pub async fn look_into(&self, title: &str) -> Result<()> {
        self.0.browser.click(&link(title).containing()).await?;
        self.0.browser.see(&heading(title)).await.map(drop)
    }

    /// Opens the details of an entry, and waits for its TranID, its receipt and a message with this code.
    ///
    /// # Errors
    /// If one of them is missing.
    pub async fn shows_the_exchange(&self, code: &str) -> Result<()> {
        let browser = self.0.browser;
        browser.click(&button("Details")).await?;
        for text in ["Transaction (TranID)", "What was exchanged", code, "Receipt"] {
            browser.says(text).await?;
        }
        Ok(())
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        let script = "return [...document.querySelectorAll('main li')].map((item) => item.innerText)";
        let items: Vec<String> = self.0.browser.script(script, Vec::new()).await?;
        Ok(items.iter().filter_map(|item| Row::read(item)).collect())
    }
}

/// A line of the history.
#[derive(Debug)]
struct Row {
    change: Option<String>,
    balance: String,
}

impl Row {
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim);
        let balance = lines.clone().find_map(|line| line.strip_prefix("Balance "))?.to_owned();
        let change = lines.find(|line| line.starts_with(['+', '−'])).map(str::to_owned);
        Some(Self { change, balance })
    }
}

/// `−0.4¢` as -400.
fn thousandths(cents: &str) -> Result<i64> {
    let number = cents.trim_start_matches(['+', '−']).trim_end_matches('¢');
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    let digits: i64 = format!("{whole}{rest:0<3}").parse().with_context(|| format!("the sum {cents}"))?;
    Ok(if cents.starts_with('−') { -digits } else { digits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_exactly() {
        assert_eq!(thousandths("−0.4¢").unwrap(), -400);
        assert_eq!(thousandths("+4¢").unwrap(), 4000);
        assert_eq!(thousandths("3.6¢").unwrap(), 3600);
    }

    #[test]
    fn a_row_has_a_change_and_a_balance() {
        let row = Row::read("Paid: Bread\n10:20 · Shop\n−3¢\nBalance 1¢").unwrap();
        assert_eq!((row.change.as_deref(), row.balance.as_str()), (Some("−3¢"), "1¢"));
        assert!(Row::read("Home").is_none());
    }
}
