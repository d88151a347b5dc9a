//! Chromium: what WebDriver doesn't know goes by its DevTools protocol.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use serde_json::{Value, json};
use thirtyfour::{Capabilities, WebDriver};

use crate::emulation::Screen;
use crate::process::program_named_by;

use super::driver::Driver;
use super::{Controls, Engine, Entry, Permissions, Session, connect};

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

/// The rest of it. The driver ends with the last browser that holds it.
#[derive(Debug)]
struct DevTools {
    _chromedriver: Arc<Driver>,
}

pub(super) async fn launch(profile: &Path, permissions: Permissions) -> Result<Session> {
    let chromedriver = Driver::shared()?;
    let preferences = match permissions {
        Permissions::NoStorage => json!({ "profile.default_content_setting_values.cookies": 2 }),
        Permissions::NoForeignStorage => {
            json!({ "profile.cookie_controls_mode": 1, "profile.block_third_party_cookies": true })
        }
        Permissions::Usual | Permissions::Private => {
            json!({ "download.default_directory": profile.join("downloads") })
        }
    };
    let folder = format!("--user-data-dir={}", profile.display());
    let private = (permissions == Permissions::Private).then_some("--incognito");
    let flags: Vec<&str> = FLAGS.into_iter().chain([folder.as_str()]).chain(private).collect();
    let mut capabilities = Capabilities::new();
    capabilities.set("browserName", "chrome")?;
    capabilities.set("goog:loggingPrefs", json!({ "browser": "ALL" }))?;
    capabilities.set(
        "goog:chromeOptions",
        json!({ "binary": program_named_by("CHROMIUM")?, "args": flags, "prefs": preferences }),
    )?;
    let driver = connect(Engine::Chromium, chromedriver.address(), capabilities).await?;
    Ok(Session { driver, controls: Rc::new(DevTools { _chromedriver: chromedriver }) })
}

#[async_trait(?Send)]
impl Controls for DevTools {
    async fn show(&self, driver: &WebDriver, screen: Screen, height: u32) -> Result<()> {
        let metrics = json!({
            "width": screen.width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": screen.width < 700,
        });
        send(driver, "Emulation.setDeviceMetricsOverride", metrics).await?;
        let scheme = if screen.dark { "dark" } else { "light" };
        let motion = if screen.calm { "reduce" } else { "no-preference" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": motion },
        ]);
        send(driver, "Emulation.setEmulatedMedia", json!({ "features": features })).await
    }

    async fn bring_to_front(&self, driver: &WebDriver) -> Result<()> {
        send(driver, "Page.bringToFront", json!({})).await
    }

    async fn set_offline(&self, driver: &WebDriver, offline: bool) -> Result<()> {
        send(driver, "Network.enable", json!({})).await?;
        let conditions =
            json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        send(driver, "Network.emulateNetworkConditions", conditions).await
    }

    async fn block(&self, driver: &WebDriver, patterns: &[&str]) -> Result<()> {
        send(driver, "Network.enable", json!({})).await?;
        send(driver, "Network.setBlockedURLs", json!({ "urls": patterns })).await
    }

    fn forget_tab(&self) {
        // Each tab has its own.
    }

    async fn asked(&self, driver: &WebDriver) -> Result<Vec<String>> {
        let script = "return performance.getEntriesByType('resource').map((entry) => entry.name)";
        Ok(driver.execute(script, Vec::new()).await?.convert()?)
    }

    async fn clear_storage(&self, driver: &WebDriver, origin: &str, kinds: &str) -> Result<()> {
        let parameters = json!({ "origin": origin, "storageTypes": kinds });
        send(driver, "Storage.clearDataForOrigin", parameters).await
    }

    async fn let_keep(&self, driver: &WebDriver, origin: &str) -> Result<()> {
        let parameters = json!({ "origin": origin, "permissions": ["durableStorage"] });
        send(driver, "Browser.grantPermissions", parameters).await
    }

    async fn set_scripts(&self, driver: &WebDriver, on: bool) -> Result<()> {
        send(driver, "Emulation.setScriptExecutionDisabled", json!({ "value": !on })).await
    }

    async fn console(&self, driver: &WebDriver) -> Result<Vec<Entry>> {
        Ok(driver.browser_log().await?.iter().map(Entry::of_chromium).collect())
    }
}

async fn send(driver: &WebDriver, method: &str, parameters: Value) -> Result<()> {
    driver.cdp().send_raw(method, parameters).await.with_context(|| method.to_owned())?;
    Ok(())
}
