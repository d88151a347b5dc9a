//! WebKit: WebKitGTK in a window of ours (`webkit_window.py`), which does what WebDriver doesn't know.
//!
//! The browser that comes with WebKitWebDriver, MiniBrowser, is never narrower than 447 pixels and forgets everything
//! when it is closed. Ours is the same engine with its settings as they come, without a toolbar and with a profile.

use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use async_trait::async_trait;
use serde_json::{Value, json};
use thirtyfour::{Capabilities, WebDriver};

use crate::emulation::Screen;
use crate::process::program_named_by;

use super::driver::Driver;
use super::network::Network;
use super::{Controls, Engine, Entry, Permissions, Session, connect, knows_its_screen};

const WINDOW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/engine/webkit_window.py");

/// The rest of it.
#[derive(Debug)]
struct Window {
    _driver: Driver,
    network: Network,
    control: PathBuf,
    log: PathBuf,
    read: Cell<usize>,
}

pub(super) async fn launch(profile: &Path, permissions: Permissions) -> Result<Session> {
    let network = Network::start()?;
    let log = profile.join("browser.log");
    let control = profile.join("control");
    let wanted = json!({
        "profile": profile,
        "downloads": profile.join("downloads"),
        "log": log,
        "control": control,
        "proxy": format!("http://127.0.0.1:{}", network.port()),
        "storage": permissions != Permissions::NoStorage,
        "private": permissions == Permissions::Private,
    });
    fs::write(&log, "")?;
    let mut command = Command::new(program_named_by("WEBKITWEBDRIVER")?);
    // Nothing of the session in which the tests run: no settings, no accessibility bus, no screen reader.
    command.env("HOME", profile).env("GSETTINGS_BACKEND", "memory").env("NO_AT_BRIDGE", "1");
    command.env("GTK_A11Y", "none").env("GDK_BACKEND", "x11").env_remove("DBUS_SESSION_BUS_ADDRESS");
    let driver = Driver::alone(command, &profile.join("driver.log")).await?;
    let mut capabilities = Capabilities::new();
    capabilities.set("browserName", "TuppenceTests")?;
    capabilities
        .set("webkitgtk:browserOptions", json!({ "binary": WINDOW, "args": [wanted.to_string()] }))?;
    let session = connect(Engine::WebKit, driver.address(), capabilities).await;
    let session = session.with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
    let window = Window { _driver: driver, network, control, log, read: Cell::new(0) };
    Ok(Session { driver: session, controls: Rc::new(window) })
}

impl Window {
    /// Asks the window for something, and waits until it is so.
    fn ask(&self, what: &Value) -> Result<()> {
        let mut stream = UnixStream::connect(&self.control).context("reaching WebKit's window")?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        writeln!(stream, "{what}")?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        ensure!(answer.trim() == "done", "WebKit's window was asked for {what} and said: {answer}");
        Ok(())
    }
}

#[async_trait(?Send)]
impl Controls for Window {
    async fn show(&self, driver: &WebDriver, screen: Screen, height: u32) -> Result<()> {
        self.ask(&json!({ "dark": screen.dark, "calm": screen.calm }))?;
        driver.set_window_rect(0, 0, screen.width, height).await?;
        knows_its_screen(driver, screen, height).await
    }

    async fn bring_to_front(&self, _driver: &WebDriver) -> Result<()> {
        // Every tab is a window, and none hides another.
        Ok(())
    }

    async fn set_offline(&self, driver: &WebDriver, offline: bool) -> Result<()> {
        self.network.set_offline(offline);
        self.ask(&json!({ "online": !offline }))?;
        // WebKit takes the word from the system's network, which stays as it is: this page is told, as are those that
        // are loaded from now on.
        let script =
            "Object.defineProperty(navigator, 'onLine', { get: () => !arguments[0], configurable: true });
                      dispatchEvent(new Event(arguments[0] ? 'offline' : 'online'))";
        driver.execute(script, vec![json!(offline)]).await?;
        Ok(())
    }

    async fn block(&self, _driver: &WebDriver, patterns: &[&str]) -> Result<()> {
        self.network.block(patterns);
        Ok(())
    }

    fn forget_tab(&self) {
        self.network.block(&[]);
    }

    async fn asked(&self, _driver: &WebDriver) -> Result<Vec<String>> {
        Ok(self.network.asked())
    }

    async fn clear_storage(&self, _driver: &WebDriver, _origin: &str, kinds: &str) -> Result<()> {
        // Of all origins: a profile of a test has no other.
        self.ask(&json!({ "clear": kinds.split(',').collect::<Vec<_>>() }))
    }

    async fn let_keep(&self, _driver: &WebDriver, _origin: &str) -> Result<()> {
        bail!("a scenario that needs this says so (Ability::AskToKeep)")
    }

    async fn set_scripts(&self, _driver: &WebDriver, on: bool) -> Result<()> {
        self.ask(&json!({ "scripts": on }))
    }

    async fn console(&self, _driver: &WebDriver) -> Result<Vec<Entry>> {
        let text = String::from_utf8_lossy(&fs::read(&self.log)?).into_owned();
        // The last line may not be whole yet.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let new = text.get(self.read.replace(whole)..whole).unwrap_or_default();
        Ok(new.lines().filter_map(Entry::of_webkit).collect())
    }
}
