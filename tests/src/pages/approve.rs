//! Approve: paying for an article, or not.

use anyhow::Result;

use super::Wallet;
use super::shop::Article;
use crate::target::{Target, button, choice, control, heading};
use crate::wait::{Seen, until};

/// The approval page, to which a shop's button leads.
#[derive(Debug)]
pub struct Approve<'a>(Wallet<'a>);

impl<'a> Approve<'a> {
    pub(super) fn new(wallet: Wallet<'a>) -> Self {
        Self(wallet)
    }

    /// The address at which the shop asks for this article's price.
    pub fn address(&self, slug: &str) -> String {
        format!("{}/approve?shop={}&article={slug}", self.0.origin, self.0.storefront)
    }

    /// Loads the page as the shop's button does.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn open(&self, slug: &str) -> Result<()> {
        self.0.browser.open(&self.address(slug)).await
    }

    /// Pays, once the button is armed.
    ///
    /// # Errors
    /// If it never is.
    pub async fn pay(&self, price: &str) -> Result<()> {
        self.0.browser.click(&pay_button(price)).await
    }

    /// Chooses a budget of this sum for the shop, and sets it aside once the button is armed.
    ///
    /// # Errors
    /// If none is offered.
    pub async fn sets_aside(&self, sum: &str) -> Result<()> {
        self.0.browser.click(&choice("A budget for").containing()).await?;
        self.0.browser.click(&button(format!("Set aside {sum}"))).await
    }

    /// Pays as somebody does who clicks everything twice.
    ///
    /// # Errors
    /// If the button is never armed.
    pub async fn pay_with_a_double_click(&self, price: &str) -> Result<()> {
        self.0.browser.double_click(&pay_button(price)).await
    }

    /// Pays at a time, in milliseconds since the Unix epoch, whatever tab the person looks at by then.
    ///
    /// # Errors
    /// If the button is never armed.
    pub async fn pay_at(&self, time_ms: u128, price: &str) -> Result<()> {
        self.0.browser.click_at(&pay_button(price), time_ms).await
    }

    /// Waits until the page asks for this price.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn asks_for(&self, price: &str) -> Result<()> {
        self.0.browser.see(&pay_button(price)).await.map(drop)
    }

    /// Waits for the word that the balance is too small by this sum.
    ///
    /// # Errors
    /// If it doesn't come.
    pub async fn is_short_of(&self, missing: &str) -> Result<()> {
        self.0.browser.see(&heading(format!("You need {missing} more"))).await?;
        self.0.browser.says("You have not been charged.").await
    }

    /// Goes and earns the rest.
    ///
    /// # Errors
    /// If there is no way.
    pub async fn earn_the_rest(&self) -> Result<()> {
        self.0.browser.click(&control("Earn the rest")).await
    }

    /// Goes back to the shop without paying.
    ///
    /// # Errors
    /// If there is no way.
    pub async fn cancel(&self) -> Result<()> {
        self.0.browser.click(&control("Cancel")).await
    }

    /// Opens an article that was paid before.
    ///
    /// # Errors
    /// If it wasn't.
    pub async fn open_what_is_mine(&self) -> Result<()> {
        self.0.browser.see(&heading("This article is yours")).await?;
        self.0.browser.click(&control("Open the article")).await
    }

    /// Waits until the article is open after a payment, or opens it where another window was quicker to pay it: some
    /// browsers slow a window down that is not seen, so that its press comes too late.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn opened(&self, article: Article) -> Result<()> {
        let (browser, shop) = (self.0.browser, self.0.shop().address(article));
        until("the article, or that it is the reader's", async || {
            let is_there = browser.address().await?.starts_with(&shop);
            let is_mine = browser.count(&heading("This article is yours")).await? > 0;
            Ok(match (is_there, is_mine) {
                (true, _) => Seen::Ready(()),
                (false, true) => {
                    self.open_what_is_mine().await?;
                    Seen::Ready(())
                }
                (false, false) => Seen::NotYet(browser.glance().await),
            })
        })
        .await?;
        self.0.shop().shows_all_of(article).await
    }
}

/// The button with the price on it.
pub(super) fn pay_button(price: &str) -> Target {
    button(format!("Pay {price}"))
}
