//! Articles on pages of publishers elsewhere: `embed.js`, the wallet's window, and what comes back from it.

mod allowances;
mod attacks;
mod budgets;
mod earning;
mod meter;
mod one_approval;
mod pages;
mod states;
mod stream;
mod windows;

use std::rc::Rc;

use anyhow::Result;
use tuppence_tests::browser::{Browser, Tab};
use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::{Embed, Wallet};
use tuppence_tests::program::{Program, Settings};
use tuppence_tests::publisher::{Host, Page, Publisher};
use tuppence_tests::stage::Stage;

/// What the reader's wallet has in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purse {
    /// There is no wallet yet.
    None,
    /// The quiz's 4¢.
    FourCents,
}

/// A reader, and a publisher's site that sells what the program's shop has.
struct Visit {
    program: Rc<Program>,
    browser: Rc<Browser>,
    site: Publisher,
}

impl Visit {
    /// To a publisher whose site is another one than the shop's.
    async fn begin(stage: &Stage, purse: Purse) -> Result<Self> {
        Self::to(stage, Host::Numbers, purse).await
    }

    async fn to(stage: &Stage, host: Host, purse: Purse) -> Result<Self> {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::DESKTOP).await?;
        let visit = Visit { program, browser, site: Publisher::start(host)? };
        if purse == Purse::FourCents {
            visit.wallet().home().become_a_reader().await?;
            visit.wallet().earn().pass_the_quiz().await?;
        }
        Ok(visit)
    }

    fn wallet(&self) -> Wallet<'_> {
        Wallet::of(&self.browser, &self.program)
    }

    fn embed(&self) -> Embed<'_> {
        self.wallet().embed()
    }

    /// Puts a page on the site and opens it.
    async fn open(&self, page: Page) -> Result<Tab> {
        self.browser.open(&self.site.put("/story", page)).await?;
        self.browser.tab().await
    }
}
