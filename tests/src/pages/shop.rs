//! The storefront's pages.

use anyhow::Result;

use super::Wallet;
use crate::target::{control, heading};

/// The storefront.
#[derive(Debug)]
pub struct Shop<'a>(Wallet<'a>);

/// An article of `fixtures/shop`.
#[derive(Debug, Clone, Copy)]
pub struct Article {
    /// The last part of its address.
    pub slug: &'static str,
    /// Title.
    pub title: &'static str,
    /// The price, as the button says it.
    pub price: &'static str,
    /// Words that everybody may read.
    pub teaser: &'static str,
    /// Words of the paid part.
    pub paid: &'static str,
}

/// Costs less than a quiz pays.
pub const BREAD: Article = Article {
    slug: "bread",
    title: "Bread in the morning",
    price: "3¢",
    teaser: "The oven is warm before the street is awake.",
    paid: "The crust of the second loaf",
};

/// Costs less than a cent.
pub const NIGHT_TRAINS: Article = Article {
    slug: "night-trains",
    title: "Night trains",
    price: "0.4¢",
    teaser: "A sleeping car smells of soap and iron.",
    paid: "the last compartment but one",
};

/// Costs more than all campaigns together pay.
pub const LONG_WALK: Article = Article {
    slug: "long-walk",
    title: "A long walk",
    price: "12¢",
    teaser: "The path begins behind the mill and asks for nothing.",
    paid: "that is the view which the map leaves out",
};

impl<'a> Shop<'a> {
    pub(super) fn new(wallet: Wallet<'a>) -> Self {
        Self(wallet)
    }

    /// An article's address.
    pub fn address(&self, article: Article) -> String {
        format!("{}/articles/{}", self.0.storefront, article.slug)
    }

    /// Loads an article's page.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn open(&self, article: Article) -> Result<()> {
        self.0.browser.open(&self.address(article)).await?;
        self.0.browser.see(&heading(article.title)).await.map(drop)
    }

    /// Follows the button with the price.
    ///
    /// # Errors
    /// If it isn't there.
    pub async fn buy(&self, article: Article) -> Result<()> {
        self.0.browser.click(&control(format!("Read for {}", article.price)).containing()).await?;
        self.0.browser.arrives_at(&format!("{}/approve", self.0.origin)).await
    }

    /// Waits until the article's page shows the paid part.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn shows_all_of(&self, article: Article) -> Result<()> {
        self.0.browser.arrives_at(&self.address(article)).await?;
        self.0.browser.says(article.paid).await
    }
}
