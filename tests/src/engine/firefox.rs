//! Firefox: what WebDriver doesn't know goes by scripts that run in its own window, with all that Firefox may do.

use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use async_trait::async_trait;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thirtyfour::common::command::{Command as WebDriverCommand, ExtensionCommand};
use thirtyfour::{Capabilities, WebDriver};

use crate::emulation::Screen;
use crate::process::program_named_by;

use super::driver::Driver;
use super::network::Network;
use super::{Controls, Engine, Entry, Permissions, Session, connect, knows_its_screen};

/// Gives the tab its size, and all tabs a colour scheme and as much motion.
const SHOW: &str = "
    const { width, height, dark, calm } = arguments[0];
    const { style } = gBrowser.selectedBrowser;
    for (const limit of ['', 'min-', 'max-']) {
      style.setProperty(limit + 'width', `${width}px`, 'important');
      style.setProperty(limit + 'height', `${height}px`, 'important');
    }
    Services.prefs.setIntPref('layout.css.prefers-color-scheme.content-override', dark ? 0 : 1);
    Services.prefs.setIntPref('ui.prefersReducedMotion', calm ? 1 : 0)";

/// Notes `console.error` of every page beside the exceptions, which Firefox notes itself.
const LISTEN: &str = "
    const listener = `
      const events = Cc['@mozilla.org/consoleAPI-storage;1'].getService(Ci.nsIConsoleAPIStorage);
      const system = Cc['@mozilla.org/systemprincipal;1'].createInstance(Ci.nsIPrincipal);
      events.addLogEventListener((event) => {
        const { level, arguments: words, filename, lineNumber } = event.wrappedJSObject;
        if (level !== 'error' && level !== 'assert') return;
        const error = Cc['@mozilla.org/scripterror;1'].createInstance(Ci.nsIScriptError);
        const text = Array.from(words, String).join(' ');
        error.init(text, filename, lineNumber, 0, Ci.nsIScriptError.errorFlag, 'console.error', false, false);
        Services.console.logMessage(error);
      }, system);`;
    Services.ppmm.loadProcessScript('data:application/javascript,' + encodeURIComponent(listener), true)";

/// Reads what was noted about pages, and forgets it: Firefox's own errors are not ours to judge.
const READ: &str = "
    const noted = Services.console.getMessageArray();
    Services.console.reset();
    return noted
      .filter((entry) => entry instanceof Ci.nsIScriptError && /^(https?|data|blob):/.test(entry.sourceName))
      .filter((entry) => !(entry.flags & Ci.nsIScriptError.warningFlag))
      .map((entry) => [entry.category, `${entry.sourceName}:${entry.lineNumber}: ${entry.errorMessage}`])";

/// Clears an origin's storage, kind by kind, and gives how each ended.
const CLEAR: &str = "
    const [origin, kinds, done] = arguments;
    const principal = Services.scriptSecurityManager.createContentPrincipalFromOrigin(origin);
    const cleared = kinds.map((kind) => new Promise((resolve) => {
      const request = Services.qms.clearStoragesForClient(principal, kind);
      request.callback = () => resolve(request.resultCode);
    }));
    Promise.all(cleared).then(done)";

/// The rest of it.
#[derive(Debug)]
struct Window {
    _geckodriver: Driver,
    network: Network,
}

pub(super) async fn launch(profile: &Path, permissions: Permissions) -> Result<Session> {
    let mut command = Command::new(program_named_by("GECKODRIVER")?);
    // Its own window is a page of the system's.
    command.args(["--allow-system-access", "--websocket-port=0"]);
    let geckodriver = Driver::alone(command, &profile.join("driver.log")).await?;
    let network = Network::start()?;
    let mut capabilities = Capabilities::new();
    capabilities.set("browserName", "firefox")?;
    let proxy = format!("127.0.0.1:{}", network.port());
    capabilities.set("proxy", json!({ "proxyType": "manual", "httpProxy": proxy, "sslProxy": proxy }))?;
    capabilities.set(
        "moz:firefoxOptions",
        json!({
            "binary": program_named_by("FIREFOX")?,
            "args": ["-headless", "-profile", profile],
            "prefs": preferences(&profile.join("downloads"), permissions),
        }),
    )?;
    let driver = connect(Engine::Firefox, geckodriver.address(), capabilities).await?;
    let window = Window { _geckodriver: geckodriver, network };
    in_its_window::<Value>(&driver, LISTEN, Vec::new()).await?;
    Ok(Session { driver, controls: Rc::new(window) })
}

/// Storage and downloads as asked for; this machine's addresses by way of our network, and secure all the same, as they
/// are without it.
fn preferences(downloads: &Path, permissions: Permissions) -> Value {
    json!({
        "browser.download.dir": downloads,
        "browser.download.folderList": 2,
        "browser.download.always_ask_before_handling_new_types": false,
        "browser.helperApps.neverAsk.saveToDisk": "application/json,application/octet-stream,text/plain",
        "browser.privatebrowsing.autostart": permissions == Permissions::Private,
        "network.cookie.cookieBehavior": if permissions == Permissions::NoStorage { 2 } else { 5 },
        "network.disable-localhost-when-offline": true,
        "network.proxy.allow_hijacking_localhost": true,
        "network.proxy.testing_localhost_is_secure_when_hijacked": true,
    })
}

#[async_trait(?Send)]
impl Controls for Window {
    async fn show(&self, driver: &WebDriver, screen: Screen, height: u32) -> Result<()> {
        let Screen { width, dark, calm, .. } = screen;
        let wanted = json!({ "width": width, "height": height, "dark": dark, "calm": calm });
        in_its_window::<Value>(driver, SHOW, vec![wanted]).await?;
        knows_its_screen(driver, screen, height).await
    }

    async fn bring_to_front(&self, _driver: &WebDriver) -> Result<()> {
        // geckodriver does that whenever it changes tabs.
        Ok(())
    }

    async fn set_offline(&self, driver: &WebDriver, offline: bool) -> Result<()> {
        self.network.set_offline(offline);
        in_its_window::<Value>(driver, "Services.io.offline = arguments[0]", vec![json!(offline)]).await?;
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

    async fn clear_storage(&self, driver: &WebDriver, origin: &str, kinds: &str) -> Result<()> {
        let clients = kinds.split(',').map(|kind| match kind {
            "indexeddb" => Ok("idb"),
            "cache_storage" => Ok("cache"),
            "local_storage" => Ok("ls"),
            other => Err(anyhow!("Firefox clears no {other}")),
        });
        let clients: Vec<&str> = clients.collect::<Result<_>>()?;
        context(driver, "chrome").await?;
        let outcome = driver.execute_async(CLEAR, vec![json!(origin), json!(clients)]).await;
        context(driver, "content").await?;
        let results: Vec<u32> = outcome.context("clearing Firefox's storage")?.convert()?;
        ensure!(results.iter().all(|result| *result == 0), "clearing {kinds} ended with {results:?}");
        Ok(())
    }

    async fn let_keep(&self, driver: &WebDriver, _origin: &str) -> Result<()> {
        let script = "for (const name of ['testing', 'testing.allow'])
                        Services.prefs.setBoolPref('dom.storageManager.prompt.' + name, true)";
        in_its_window::<Value>(driver, script, Vec::new()).await?;
        Ok(())
    }

    async fn set_scripts(&self, driver: &WebDriver, on: bool) -> Result<()> {
        let script = "Services.prefs.setBoolPref('javascript.enabled', arguments[0])";
        in_its_window::<Value>(driver, script, vec![json!(on)]).await?;
        Ok(())
    }

    async fn console(&self, driver: &WebDriver) -> Result<Vec<Entry>> {
        let noted: Vec<(String, String)> = in_its_window(driver, READ, Vec::new()).await?;
        Ok(noted.into_iter().map(|(category, line)| Entry::of_firefox(&category, line)).collect())
    }
}

/// Runs a script in Firefox's own window.
async fn in_its_window<T: DeserializeOwned>(
    driver: &WebDriver,
    script: &str,
    arguments: Vec<Value>,
) -> Result<T> {
    context(driver, "chrome").await?;
    let outcome = driver.execute(script, arguments).await;
    context(driver, "content").await?;
    Ok(outcome.context("a script in Firefox's own window")?.convert()?)
}

async fn context(driver: &WebDriver, name: &'static str) -> Result<()> {
    driver.cmd(WebDriverCommand::ExtensionCommand(Box::new(SetContext(name)))).await?;
    Ok(())
}

/// Where the next scripts run: in the page (`content`), or in Firefox's own window (`chrome`).
#[derive(Debug)]
struct SetContext(&'static str);

impl ExtensionCommand for SetContext {
    fn parameters_json(&self) -> Option<Value> {
        Some(json!({ "context": self.0 }))
    }

    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        "/moz/context".into()
    }
}
