//! The three engines that a scenario may run in, and what each does beyond WebDriver.
//!
//! What every engine does by WebDriver is in [`crate::browser`]. What WebDriver has no command for is a method of
//! [`Controls`], which each engine answers in its own way: Chromium by its DevTools protocol, Firefox by scripts in its
//! own window, WebKit by a small window of ours (`webkit_window.py`); the last two reach the network through
//! [`network`], which can cut it. What an engine can't be made to do is an [`Ability`] that it is without.

mod chromium;
mod console;
mod driver;
mod firefox;
mod network;
mod webkit;

use std::env;
use std::fmt::Debug;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use serde::Deserialize;
use thirtyfour::{Capabilities, WebDriver};

use crate::emulation::Screen;
use crate::http;
use crate::wait::{Seen, until};

pub use console::Entry;

/// What renders the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Chromium, by chromedriver.
    Chromium,
    /// Firefox ESR, by geckodriver.
    Firefox,
    /// WebKitGTK, by WebKitWebDriver.
    WebKit,
}

/// What some engine can't be made to do, so that scenarios have to say that they need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// Pages may ask the browser to keep what they stored.
    AskToKeep,
}

/// What a browser may do, as its settings say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Permissions {
    /// As it comes.
    #[default]
    Usual,
    /// "Block all cookies", which blocks every storage of pages too.
    NoStorage,
    /// "Block third-party cookies": pages within other sites' pages keep nothing.
    NoForeignStorage,
    /// A private window: what pages keep ends with the browser.
    Private,
}

/// A running browser: its WebDriver session, and what it does beyond that.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub driver: WebDriver,
    pub controls: Rc<dyn Controls>,
}

/// What WebDriver has no command for. Each works on the tab that the person looks at.
#[async_trait(?Send)]
pub(crate) trait Controls: Debug {
    /// Gives the tab this screen, of this height.
    async fn show(&self, driver: &WebDriver, screen: Screen, height: u32) -> Result<()>;

    /// Makes the tab the one that can be seen.
    async fn bring_to_front(&self, driver: &WebDriver) -> Result<()>;

    /// Takes the network away, or gives it back.
    async fn set_offline(&self, driver: &WebDriver, offline: bool) -> Result<()>;

    /// Lets no request reach these addresses, and any other.
    async fn block(&self, driver: &WebDriver, patterns: &[&str]) -> Result<()>;

    /// Gives back what a tab that was closed had been without.
    fn forget_tab(&self);

    /// The addresses that the page has asked for, with or without a reply.
    async fn asked(&self, driver: &WebDriver) -> Result<Vec<String>>;

    /// Clears away what an origin has stored, of these kinds (as Chromium's protocol names them).
    async fn clear_storage(&self, driver: &WebDriver, origin: &str, kinds: &str) -> Result<()>;

    /// Says yes when a page of an origin asks to keep what it stored.
    async fn let_keep(&self, driver: &WebDriver, origin: &str) -> Result<()>;

    /// Turns JavaScript off or on.
    async fn set_scripts(&self, driver: &WebDriver, on: bool) -> Result<()>;

    /// What consoles of pages have said since the last call.
    async fn console(&self, driver: &WebDriver) -> Result<Vec<Entry>>;
}

impl Engine {
    /// All of them, in the order in which they are tested.
    pub const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    /// The one that `TUPPENCE_ENGINE` names; without it, Chromium.
    ///
    /// # Errors
    /// If it names none.
    pub fn chosen() -> Result<Self> {
        let Some(name) = env::var_os("TUPPENCE_ENGINE").filter(|name| !name.is_empty()) else {
            return Ok(Self::Chromium);
        };
        let named = Self::ALL.into_iter().find(|engine| name.eq_ignore_ascii_case(engine.name()));
        named.with_context(|| format!("TUPPENCE_ENGINE is {}, which is no engine", name.display()))
    }

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::WebKit => "WebKit",
        }
    }

    /// Why it is without an ability, if it is.
    pub fn lacks(self, ability: Ability) -> Option<&'static str> {
        match (self, ability) {
            (Self::Chromium | Self::Firefox, Ability::AskToKeep) => None,
            (Self::WebKit, Ability::AskToKeep) => {
                Some("WebKitGTK has no `navigator.storage` as it comes; Safari has it")
            }
        }
    }

    /// Starts the browser.
    pub(crate) async fn launch(self, profile: &Path, permissions: Permissions) -> Result<Session> {
        match self {
            Self::Chromium => chromium::launch(profile, permissions).await,
            Self::Firefox => firefox::launch(profile, permissions).await,
            Self::WebKit => webkit::launch(profile, permissions).await,
        }
    }
}

impl Ability {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::AskToKeep];

    /// As docs/browsers.md names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AskToKeep => "to be asked to keep the wallet",
        }
    }
}

/// Opens a session at a driver.
async fn connect(engine: Engine, address: String, capabilities: Capabilities) -> Result<WebDriver> {
    let builder = WebDriver::builder(address, capabilities).client(http::client()?);
    builder.connect().await.with_context(|| format!("starting {}", engine.name()))
}

/// Waits until the page knows of its screen: engines that are told elsewhere tell their pages a little later.
async fn knows_its_screen(driver: &WebDriver, screen: Screen, height: u32) -> Result<()> {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Shown {
        width: u32,
        height: u32,
        dark: bool,
        calm: bool,
    }
    let wanted = Shown { width: screen.width, height, dark: screen.dark, calm: screen.calm };
    let script = "return { width: innerWidth, height: innerHeight,
        dark: matchMedia('(prefers-color-scheme: dark)').matches,
        calm: matchMedia('(prefers-reduced-motion: reduce)').matches }";
    until(&format!("a page that knows its screen is {wanted:?}"), async || {
        let shown: Shown = driver.execute(script, Vec::new()).await?.convert()?;
        Ok(if shown == wanted { Seen::Ready(()) } else { Seen::NotYet(format!("{shown:?}")) })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../docs/browsers.md");

    #[test]
    fn the_document_says_what_an_engine_cannot_do_and_nothing_else() {
        let table = DOCUMENT.split("## What is not tested where").nth(1).unwrap();
        let table = table.split("\n## ").next().unwrap();
        let said: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        let mut true_of_all = Vec::new();
        for engine in Engine::ALL {
            for ability in Ability::ALL {
                if let Some(reason) = engine.lacks(ability) {
                    true_of_all.push(format!("| {} | {} | {reason} |", engine.name(), ability.name()));
                }
            }
        }
        assert_eq!(said, true_of_all);
    }
}
