//! Page objects: what a person sees and does on each page, in the words of the page.

pub mod approve;
pub mod cash_out;
pub mod earn;
pub mod embed;
pub mod history;
pub mod home;
pub mod read;
pub mod recovery;
pub mod settings;
pub mod shop;

use anyhow::Result;

use crate::browser::Browser;
use crate::program::Program;
use crate::target::link;

pub use approve::Approve;
pub use cash_out::CashOut;
pub use earn::Earn;
pub use embed::Embed;
pub use history::History;
pub use home::Home;
pub use read::Read;
pub use recovery::Recovery;
pub use settings::Settings;
pub use shop::Shop;

/// The wallet's site in a browser, and from it each page.
#[derive(Debug, Clone)]
pub struct Wallet<'a> {
    browser: &'a Browser,
    origin: String,
    storefront: String,
}

impl<'a> Wallet<'a> {
    /// The wallet of this program, in this browser.
    pub fn of(browser: &'a Browser, program: &Program) -> Self {
        Self { browser, origin: program.center(), storefront: program.storefront() }
    }

    /// The same wallet for what is bought at another shop.
    #[must_use]
    pub fn at_shop(self, origin: &str) -> Self {
        Self { storefront: origin.to_owned(), ..self }
    }

    /// Home: creation, balance, what is pending.
    pub fn home(&self) -> Home<'a> {
        Home::new(self.clone())
    }

    /// Earn: campaigns and their questions.
    pub fn earn(&self) -> Earn<'a> {
        Earn::new(self.clone())
    }

    /// Read: articles on sale, and those that are paid.
    pub fn read(&self) -> Read<'a> {
        Read::new(self.clone())
    }

    /// Approve: paying for an article.
    pub fn approve(&self) -> Approve<'a> {
        Approve::new(self.clone())
    }

    /// A publisher's page that sells from the shop.
    pub fn embed(&self) -> Embed<'a> {
        Embed::new(self.clone())
    }

    /// History, and its entries.
    pub fn history(&self) -> History<'a> {
        History::new(self.clone())
    }

    /// Cash out.
    pub fn cash_out(&self) -> CashOut<'a> {
        CashOut::new(self.clone())
    }

    /// Recovery words.
    pub fn recovery(&self) -> Recovery<'a> {
        Recovery::new(self.clone())
    }

    /// Settings.
    pub fn settings(&self) -> Settings<'a> {
        Settings::new(self.clone())
    }

    /// The storefront's pages, in the same browser.
    pub fn shop(&self) -> Shop<'a> {
        Shop::new(self.clone())
    }

    /// Goes to a page by the wallet's navigation, without loading anything anew.
    async fn go_to(&self, page: &str) -> Result<()> {
        self.browser.click(&link(page)).await
    }

    /// Loads a path of the wallet.
    async fn load(&self, path: &str) -> Result<()> {
        self.browser.open(&format!("{}{path}", self.origin)).await
    }
}
