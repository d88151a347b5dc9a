//! A person's browser: headless Chromium with a profile of its own, which outlives restarts.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::session::scriptret::ScriptRet;
use thirtyfour::{BrowserLogEntry, Capabilities, WebDriver, WindowHandle};

use crate::chromedriver::{Chromedriver, program_named_by};
use crate::console;
use crate::emulation::{self, Screen};
use crate::http;
use crate::wait::{Seen, until};

/// What every browser is started with: nothing of its own on the network, no first-run pages.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--hide-scrollbars",
    "--window-size=1280,900",
];

/// What a browser may do, as its settings say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Permissions {
    /// As it comes.
    #[default]
    Usual,
    /// "Block all cookies", which blocks every storage of pages too.
    NoStorage,
}

/// A browser and the tab of it that the person looks at.
#[derive(Debug)]
pub struct Browser {
    chromedriver: Arc<Chromedriver>,
    profile: TempDir,
    permissions: Permissions,
    driver: RefCell<Option<WebDriver>>,
    screen: Cell<Screen>,
    console: RefCell<Vec<BrowserLogEntry>>,
}

/// A tab of a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab(WindowHandle);

impl Browser {
    /// Starts one with an empty profile.
    ///
    /// # Errors
    /// If `CHROMEDRIVER` or `CHROMIUM` name no program that starts.
    pub async fn start(screen: Screen, permissions: Permissions) -> Result<Self> {
        let browser = Self {
            chromedriver: Chromedriver::shared()?,
            profile: tempfile::tempdir().context("creating a browser's profile")?,
            permissions,
            driver: RefCell::new(None),
            screen: Cell::new(screen),
            console: RefCell::new(Vec::new()),
        };
        browser.launch().await?;
        Ok(browser)
    }

    /// Closes the browser and opens it again with the same profile, as after switching a computer off and on.
    ///
    /// # Errors
    /// If it doesn't start.
    pub async fn restart(&self) -> Result<()> {
        self.quit().await?;
        self.launch().await
    }

    /// Closes it. What its console said is kept.
    ///
    /// # Errors
    /// If chromedriver doesn't answer.
    pub async fn quit(&self) -> Result<()> {
        if self.driver.borrow().is_some() {
            self.read_console().await?;
        }
        let driver = self.driver.borrow_mut().take();
        match driver {
            Some(driver) => Ok(driver.quit().await?),
            None => Ok(()),
        }
    }

    /// Errors that pages have reported since the last call: exceptions, `console.error`, violations of the content
    /// security policy. A refused or failed request is none: scenarios provoke them.
    ///
    /// # Errors
    /// If chromedriver doesn't answer.
    pub async fn problems(&self) -> Result<Vec<String>> {
        if self.driver.borrow().is_some() {
            self.read_console().await?;
        }
        Ok(console::problems(&self.console.take()))
    }

    /// Everything that the consoles of its pages have said since the last call of [`Browser::problems`].
    pub async fn console(&self) -> Vec<String> {
        let _ = self.read_console().await;
        self.console.borrow().iter().map(console::line).collect()
    }

    /// Waits until the page has asked for an address that ends so, with or without a reply.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn asks(&self, end: &str) -> Result<()> {
        let script = "return performance.getEntriesByType('resource').map((entry) => entry.name)";
        until(&format!("a request to {end}"), async || {
            let asked: Vec<String> = self.script(script, Vec::new()).await.unwrap_or_default();
            let found = asked.iter().any(|address| address.ends_with(end));
            Ok(if found { Seen::Ready(()) } else { Seen::NotYet(asked.join(", ")) })
        })
        .await
    }

    /// Goes to an address and waits until it has loaded.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn open(&self, address: &str) -> Result<()> {
        self.driver()?.goto(address).await.with_context(|| format!("opening {address}"))
    }

    /// Loads the page again.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn reload(&self) -> Result<()> {
        self.driver()?.refresh().await.context("reloading")
    }

    /// Goes back one page.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn back(&self) -> Result<()> {
        self.driver()?.back().await.context("going back")
    }

    /// Where it is.
    ///
    /// # Errors
    /// If chromedriver doesn't answer.
    pub async fn address(&self) -> Result<String> {
        Ok(self.driver()?.current_url().await?.to_string())
    }

    /// Runs a script in the page (`arguments`, `return`) and reads what it returns.
    ///
    /// # Errors
    /// If it throws, or returns something else.
    pub async fn script<T: DeserializeOwned>(&self, script: &str, arguments: Vec<Value>) -> Result<T> {
        Ok(self.run(script, arguments).await?.convert()?)
    }

    /// Waits until a file was downloaded whole, and gives its path.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn download(&self) -> Result<PathBuf> {
        until("a download", async || {
            let entries = fs::read_dir(self.downloads()).ok().into_iter().flatten();
            let paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
            let whole = |path: &&PathBuf| path.extension().is_none_or(|part| part != "crdownload");
            Ok(match paths.iter().find(whole) {
                Some(path) => Seen::Ready(path.clone()),
                None => Seen::NotYet(format!("{paths:?}")),
            })
        })
        .await
    }

    /// Saves what is visible as `artifacts/screenshots/<name>.png`.
    ///
    /// # Errors
    /// If it can't be written.
    pub async fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let path = artifacts().join("screenshots").join(format!("{name}.png"));
        self.save(&path).await?;
        Ok(path)
    }

    /// Saves the whole page, also what would have to be scrolled to.
    ///
    /// # Errors
    /// If it can't be written.
    pub async fn screenshot_of_page(&self, name: &str) -> Result<PathBuf> {
        let driver = self.driver()?;
        emulation::unroll(&driver, self.screen.get()).await?;
        let path = self.screenshot(name).await;
        emulation::apply(&driver, self.screen.get()).await?;
        path
    }

    /// Saves what is visible to a path.
    ///
    /// # Errors
    /// If it can't be written.
    pub async fn save(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(self.driver()?.screenshot(path).await?)
    }

    /// Changes size, colour scheme or motion.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn set_screen(&self, screen: Screen) -> Result<()> {
        self.screen.set(screen);
        emulation::apply(&self.driver()?, screen).await
    }

    /// The tab that the person looks at.
    ///
    /// # Errors
    /// If chromedriver doesn't answer.
    pub async fn tab(&self) -> Result<Tab> {
        Ok(Tab(self.driver()?.window().await?))
    }

    /// Opens another tab and looks at it.
    ///
    /// # Errors
    /// If chromedriver doesn't answer.
    pub async fn new_tab(&self) -> Result<Tab> {
        let tab = Tab(self.driver()?.new_tab().await?);
        self.look_at(&tab).await?;
        emulation::apply(&self.driver()?, self.screen.get()).await?;
        Ok(tab)
    }

    /// Opens another window beside the first and looks at it.
    ///
    /// # Errors
    /// If chromedriver doesn't answer.
    pub async fn new_window(&self) -> Result<Tab> {
        let tab = Tab(self.driver()?.new_window().await?);
        self.look_at(&tab).await?;
        emulation::apply(&self.driver()?, self.screen.get()).await?;
        Ok(tab)
    }

    /// Looks at another tab.
    ///
    /// # Errors
    /// If it is closed.
    pub async fn look_at(&self, tab: &Tab) -> Result<()> {
        let driver = self.driver()?;
        driver.switch_to_window(tab.0.clone()).await?;
        emulation::bring_to_front(&driver).await
    }

    /// Closes the tab that the person looks at, whatever it is doing, and looks at `next`.
    ///
    /// # Errors
    /// If chromedriver doesn't answer.
    pub async fn close_tab(&self, next: &Tab) -> Result<()> {
        self.read_console().await?;
        self.driver()?.close_window().await?;
        self.look_at(next).await
    }

    /// The WebDriver session, for what only one scenario needs.
    ///
    /// # Errors
    /// If the browser is closed.
    pub fn driver(&self) -> Result<WebDriver> {
        self.driver.borrow().clone().context("the browser is closed")
    }

    async fn launch(&self) -> Result<()> {
        let preferences = match self.permissions {
            Permissions::Usual => json!({ "download.default_directory": self.downloads() }),
            Permissions::NoStorage => json!({ "profile.default_content_setting_values.cookies": 2 }),
        };
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let flags: Vec<&str> = FLAGS.into_iter().chain([profile.as_str()]).collect();
        let mut capabilities = Capabilities::new();
        capabilities.set("browserName", "chrome")?;
        capabilities.set("goog:loggingPrefs", json!({ "browser": "ALL" }))?;
        capabilities.set(
            "goog:chromeOptions",
            json!({ "binary": program_named_by("CHROMIUM")?, "args": flags, "prefs": preferences }),
        )?;
        let driver = WebDriver::builder(self.chromedriver.address(), capabilities)
            .client(http::client()?)
            .connect()
            .await
            .context("starting Chromium")?;
        driver.set_page_load_timeout(Duration::from_secs(60)).await?;
        emulation::apply(&driver, self.screen.get()).await?;
        *self.driver.borrow_mut() = Some(driver);
        Ok(())
    }

    fn downloads(&self) -> PathBuf {
        self.profile.path().join("downloads")
    }

    async fn read_console(&self) -> Result<()> {
        let entries = self.driver()?.browser_log().await?;
        self.console.borrow_mut().extend(entries);
        Ok(())
    }

    pub(crate) async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<ScriptRet> {
        Ok(self.driver()?.execute(script, arguments).await?)
    }
}

/// Where screenshots go, and what is left of failed scenarios. Git ignores it.
pub fn artifacts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts")
}
