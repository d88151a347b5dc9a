//! A person's browser, of the engine that is tested, with a profile of its own, which outlives restarts.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;
use thirtyfour::session::scriptret::ScriptRet;
use thirtyfour::{WebDriver, WindowHandle};

use crate::emulation::Screen;
use crate::engine::{Engine, Entry, Permissions, Session};
use crate::wait::{Seen, until};

/// A browser and the tab of it that the person looks at.
#[derive(Debug)]
pub struct Browser {
    engine: Engine,
    profile: TempDir,
    permissions: Permissions,
    session: RefCell<Option<Session>>,
    screen: Cell<Screen>,
    console: RefCell<Vec<Entry>>,
}

/// A tab of a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab(WindowHandle);

impl Browser {
    /// Starts one with an empty profile.
    ///
    /// # Errors
    /// If the variables of its engine (`CHROMEDRIVER` and `CHROMIUM`, ...) name no program that starts.
    pub async fn start(screen: Screen, permissions: Permissions) -> Result<Self> {
        let browser = Self {
            engine: Engine::chosen()?,
            profile: tempfile::tempdir().context("creating a browser's profile")?,
            permissions,
            session: RefCell::new(None),
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
    /// If its driver doesn't answer.
    pub async fn quit(&self) -> Result<()> {
        if self.session.borrow().is_some() {
            self.read_console().await?;
        }
        let session = self.session.borrow_mut().take();
        match session {
            Some(session) => Ok(session.driver.quit().await?),
            None => Ok(()),
        }
    }

    /// Whether the scenario itself has closed it.
    pub fn is_closed(&self) -> bool {
        self.session.borrow().is_none()
    }

    /// Errors that pages have reported since the last call: exceptions, `console.error`, violations of the content
    /// security policy. A refused or failed request is none: scenarios provoke them.
    ///
    /// # Errors
    /// If its driver doesn't answer.
    pub async fn problems(&self) -> Result<Vec<String>> {
        if self.session.borrow().is_some() {
            self.read_console().await?;
        }
        Ok(self.console.take().into_iter().filter(|entry| entry.problem).map(|entry| entry.line).collect())
    }

    /// Everything that the consoles of its pages have said since the last call of [`Browser::problems`].
    pub async fn console(&self) -> Vec<String> {
        let _ = self.read_console().await;
        self.console.borrow().iter().map(|entry| entry.line.clone()).collect()
    }

    /// Waits until the page has asked for addresses that end so, one after the other, with or without a reply.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn asks(&self, ends: &[&str]) -> Result<()> {
        until(&format!("requests to {}", ends.join(", then ")), async || {
            let Session { driver, controls } = self.session()?;
            let asked = controls.asked(&driver).await.unwrap_or_default();
            let mut asked_later = asked.iter();
            let found = ends.iter().all(|end| asked_later.any(|address| address.ends_with(end)));
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
    /// If its driver doesn't answer.
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
            let partial = ["crdownload", "part", "wkdownload"];
            let whole = |path: &&PathBuf| {
                let of_a_part = path.extension().is_some_and(|end| partial.iter().any(|part| end == *part));
                // Firefox holds the place with an empty file.
                !of_a_part && path.metadata().is_ok_and(|file| file.len() > 0)
            };
            Ok(match paths.iter().find(whole) {
                Some(path) => Seen::Ready(path.clone()),
                None => Seen::NotYet(format!("{paths:?}")),
            })
        })
        .await
    }

    /// Saves what is visible as `target/screenshots/<name>.png`; of another engine than Chromium, in its folder there.
    ///
    /// # Errors
    /// If it can't be written.
    pub async fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let mut folder = target().join("screenshots");
        if self.engine != Engine::Chromium {
            folder.push(self.engine.name().to_lowercase());
        }
        let path = folder.join(format!("{name}.png"));
        self.save(&path).await?;
        Ok(path)
    }

    /// Saves the whole page, also what would have to be scrolled to.
    ///
    /// # Errors
    /// If it can't be written.
    pub async fn screenshot_of_page(&self, name: &str) -> Result<PathBuf> {
        let screen = self.screen.get();
        let page: u32 = self.script("return document.documentElement.scrollHeight", Vec::new()).await?;
        self.show(page.max(screen.height)).await?;
        let path = self.screenshot(name).await;
        self.show(screen.height).await?;
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
        self.show(screen.height).await
    }

    /// The tab that the person looks at.
    ///
    /// # Errors
    /// If its driver doesn't answer.
    pub async fn tab(&self) -> Result<Tab> {
        Ok(Tab(self.driver()?.window().await?))
    }

    /// Opens another tab and looks at it.
    ///
    /// # Errors
    /// If its driver doesn't answer.
    pub async fn new_tab(&self) -> Result<Tab> {
        let tab = Tab(self.driver()?.new_tab().await?);
        self.look_at(&tab).await?;
        self.show(self.screen.get().height).await?;
        Ok(tab)
    }

    /// Opens another window beside the first and looks at it.
    ///
    /// # Errors
    /// If its driver doesn't answer.
    pub async fn new_window(&self) -> Result<Tab> {
        let tab = Tab(self.driver()?.new_window().await?);
        self.look_at(&tab).await?;
        self.show(self.screen.get().height).await?;
        Ok(tab)
    }

    /// Looks at another tab.
    ///
    /// # Errors
    /// If it is closed.
    pub async fn look_at(&self, tab: &Tab) -> Result<()> {
        let Session { driver, controls } = self.session()?;
        driver.switch_to_window(tab.0.clone()).await?;
        controls.bring_to_front(&driver).await
    }

    /// The tabs and windows that are open.
    ///
    /// # Errors
    /// If its driver doesn't answer.
    pub async fn tabs(&self) -> Result<Vec<Tab>> {
        Ok(self.driver()?.windows().await?.into_iter().map(Tab).collect())
    }

    /// Waits until there is a window beside those `known`, and looks at it.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn look_at_another_than(&self, known: &[Tab]) -> Result<Tab> {
        let opened = until("another window", async || {
            let new = self.tabs().await?.into_iter().find(|tab| !known.contains(tab));
            Ok(new.map_or_else(|| Seen::NotYet("none".to_owned()), Seen::Ready))
        })
        .await?;
        self.look_at(&opened).await?;
        Ok(opened)
    }

    /// Waits until a tab or window has closed by itself, and looks at `next`.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn closes(&self, tab: &Tab, next: &Tab) -> Result<()> {
        until("a window to close", async || {
            let open = self.tabs().await?.contains(tab);
            Ok(if open { Seen::NotYet(self.glance().await) } else { Seen::Ready(()) })
        })
        .await?;
        self.look_at(next).await
    }

    /// Closes the tab that the person looks at, whatever it is doing, and looks at `next`.
    ///
    /// # Errors
    /// If its driver doesn't answer.
    pub async fn close_tab(&self, next: &Tab) -> Result<()> {
        self.read_console().await?;
        let Session { driver, controls } = self.session()?;
        driver.close_window().await?;
        controls.forget_tab();
        self.look_at(next).await
    }

    /// The WebDriver session, for what only one scenario needs.
    ///
    /// # Errors
    /// If the browser is closed.
    pub fn driver(&self) -> Result<WebDriver> {
        Ok(self.session()?.driver)
    }

    /// Takes the current tab's network away, or gives it back.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn set_offline(&self, offline: bool) -> Result<()> {
        let Session { driver, controls } = self.session()?;
        controls.set_offline(&driver, offline).await
    }

    /// Lets no request of the current tab reach these addresses (`*` stands for anything); none gives all back.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn block(&self, patterns: &[&str]) -> Result<()> {
        let Session { driver, controls } = self.session()?;
        controls.block(&driver, patterns).await
    }

    /// Clears away what an origin has stored, of these kinds (`indexeddb`, `cache_storage`, `local_storage`, with commas
    /// between them), as a browser does that needs room.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn clear_storage(&self, origin: &str, kinds: &str) -> Result<()> {
        let Session { driver, controls } = self.session()?;
        controls.clear_storage(&driver, origin, kinds).await
    }

    /// Says yes when a page of this origin asks the browser to keep what it stored (`Ability::AskToKeep`).
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn let_keep(&self, origin: &str) -> Result<()> {
        let Session { driver, controls } = self.session()?;
        controls.let_keep(&driver, origin).await
    }

    /// Turns JavaScript off or on in the current tab.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn set_javascript(&self, on: bool) -> Result<()> {
        let Session { driver, controls } = self.session()?;
        controls.set_scripts(&driver, on).await
    }

    async fn launch(&self) -> Result<()> {
        let session = self.engine.launch(self.profile.path(), self.permissions).await?;
        session.driver.set_page_load_timeout(Duration::from_secs(60)).await?;
        *self.session.borrow_mut() = Some(session);
        self.show(self.screen.get().height).await
    }

    /// Gives the current tab the person's screen, of this height.
    async fn show(&self, height: u32) -> Result<()> {
        let Session { driver, controls } = self.session()?;
        controls.show(&driver, self.screen.get(), height).await
    }

    fn session(&self) -> Result<Session> {
        self.session.borrow().clone().context("the browser is closed")
    }

    fn downloads(&self) -> PathBuf {
        self.profile.path().join("downloads")
    }

    async fn read_console(&self) -> Result<()> {
        let Session { driver, controls } = self.session()?;
        let entries = controls.console(&driver).await?;
        self.console.borrow_mut().extend(entries);
        Ok(())
    }

    pub(crate) async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<ScriptRet> {
        Ok(self.driver()?.execute(script, arguments).await?)
    }
}

/// Where screenshots go, and what is left of failed scenarios. Git ignores it.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")
}
