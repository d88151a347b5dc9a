//! A publisher's page with the elements of `embed.js`.

use anyhow::Result;
use serde_json::json;

use super::Wallet;
use super::shop::Article;
use crate::browser::Tab;
use crate::publisher::Page;
use crate::target::button;
use crate::wait::{Seen, until};

/// A page of a publisher's, and the wallet's windows that it opens.
#[derive(Debug)]
pub struct Embed<'a>(Wallet<'a>);

impl<'a> Embed<'a> {
    pub(super) fn new(wallet: Wallet<'a>) -> Self {
        Self(wallet)
    }

    /// The element that loads the script.
    pub fn script(&self) -> String {
        format!("<script type=\"module\" src=\"{}/embed.js\"></script>", self.0.storefront)
    }

    /// The element of an article.
    pub fn article(&self, article: Article) -> String {
        self.article_with(article, "")
    }

    /// The same with further attributes.
    pub fn article_with(&self, article: Article, attributes: &str) -> String {
        format!(
            "<tuppence-article src=\"{}/articles/{}\" {attributes}></tuppence-article>",
            self.0.storefront, article.slug
        )
    }

    /// A page with one article.
    pub fn page(&self, article: Article) -> Page {
        self.page_of(&self.article(article))
    }

    /// A page with this in it. It notes what its elements tell.
    pub fn page_of(&self, body: &str) -> Page {
        let notes = "<script>globalThis.told = []; for (const name of ['tuppence-state', 'tuppence-paid', 'tuppence-earned']) \
                     addEventListener(name, ({ detail }) => told.push(detail.state ?? name))</script>";
        let body = format!("<main><h1>The Evening Post</h1>{body}</main>");
        Page::new(&format!("{notes}{}", self.script()), &body)
    }

    /// Waits until the first element is in this state.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn is(&self, state: &str) -> Result<()> {
        self.nth_is(0, state).await
    }

    /// Waits until an element, counted from 0, is in this state.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn nth_is(&self, number: usize, state: &str) -> Result<()> {
        let script = "return document.querySelectorAll('tuppence-article, tuppence-earn, tuppence-balance')[arguments[0]]\
                      ?.getAttribute('state') ?? 'none'";
        until(&format!("the state {state}"), async || {
            let seen: String = self.0.browser.script(script, vec![json!(number)]).await.unwrap_or_default();
            Ok(if seen == state {
                Seen::Ready(())
            } else {
                Seen::NotYet(format!("{seen}: {}", self.0.browser.glance().await))
            })
        })
        .await
    }

    /// What the elements have told the page, in order.
    ///
    /// # Errors
    /// If the page doesn't answer.
    pub async fn told(&self) -> Result<Vec<String>> {
        self.0.browser.script("return told", Vec::new()).await
    }

    /// Presses the button with the price, and looks at the wallet's window.
    ///
    /// # Errors
    /// If none opens.
    pub async fn ask_for(&self, article: Article) -> Result<Tab> {
        self.press(&format!("Read for {}", article.price)).await
    }

    /// Presses a button, and looks at the window that it opens.
    ///
    /// # Errors
    /// If none opens.
    pub async fn press(&self, name: &str) -> Result<Tab> {
        let known = self.0.browser.tabs().await?;
        self.0.browser.click(&button(name)).await?;
        self.0.browser.look_at_another_than(&known).await
    }

    /// Buys the article in the wallet's window, and looks at the page again.
    ///
    /// # Errors
    /// If it can't.
    pub async fn buy(&self, article: Article) -> Result<()> {
        let page = self.0.browser.tab().await?;
        let window = self.ask_for(article).await?;
        self.0.approve().pay(article.price).await?;
        self.0.browser.closes(&window, &page).await
    }

    /// Waits until the page shows the paid part.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn shows_all_of(&self, article: Article) -> Result<()> {
        self.0.browser.says(article.paid).await
    }
}
