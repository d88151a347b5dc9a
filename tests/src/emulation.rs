//! Screens, networks and blocked addresses, by Chromium's DevTools protocol.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use thirtyfour::WebDriver;

use crate::browser::Browser;

/// What a person looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Whether the system is set to dark.
    pub dark: bool,
    /// Whether the system asks for less motion.
    pub calm: bool,
}

impl Screen {
    /// A phone.
    pub const PHONE: Self = Self::of_width(360);
    /// A desktop window.
    pub const DESKTOP: Self = Self::of_width(1280);

    /// Of this width, light, with motion, and high as such screens are.
    pub const fn of_width(width: u32) -> Self {
        let height = if width < 700 { 740 } else { 900 };
        Self { width, height, dark: false, calm: false }
    }

    /// The same in the dark.
    #[must_use]
    pub const fn dark(self) -> Self {
        Self { dark: true, ..self }
    }

    /// The same with less motion.
    #[must_use]
    pub const fn calm(self) -> Self {
        Self { calm: true, ..self }
    }

    /// `320-dark`.
    pub fn name(self) -> String {
        format!("{}-{}", self.width, if self.dark { "dark" } else { "light" })
    }
}

/// Gives the current tab this screen.
pub(crate) async fn apply(driver: &WebDriver, screen: Screen) -> Result<()> {
    metrics(driver, screen, screen.height).await?;
    let scheme = if screen.dark { "dark" } else { "light" };
    let motion = if screen.calm { "reduce" } else { "no-preference" };
    let features = json!([
        { "name": "prefers-color-scheme", "value": scheme },
        { "name": "prefers-reduced-motion", "value": motion },
    ]);
    send(driver, "Emulation.setEmulatedMedia", json!({ "features": features })).await
}

/// Makes the screen as high as the page.
pub(crate) async fn unroll(driver: &WebDriver, screen: Screen) -> Result<()> {
    let height = driver.execute("return document.documentElement.scrollHeight", Vec::new()).await?;
    metrics(driver, screen, height.convert::<u32>()?.max(screen.height)).await
}

/// Makes the current tab the one that can be seen.
pub(crate) async fn bring_to_front(driver: &WebDriver) -> Result<()> {
    send(driver, "Page.bringToFront", json!({})).await
}

async fn metrics(driver: &WebDriver, screen: Screen, height: u32) -> Result<()> {
    let metrics = json!({
        "width": screen.width,
        "height": height,
        "deviceScaleFactor": 1,
        "mobile": screen.width < 700,
    });
    send(driver, "Emulation.setDeviceMetricsOverride", metrics).await
}

impl Browser {
    /// Takes the current tab's network away, or gives it back.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn set_offline(&self, offline: bool) -> Result<()> {
        let driver = self.driver()?;
        send(&driver, "Network.enable", json!({})).await?;
        let conditions =
            json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        send(&driver, "Network.emulateNetworkConditions", conditions).await
    }

    /// Lets no request of the current tab reach these addresses (`*` stands for anything); none gives all back.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn block(&self, patterns: &[&str]) -> Result<()> {
        let driver = self.driver()?;
        send(&driver, "Network.enable", json!({})).await?;
        send(&driver, "Network.setBlockedURLs", json!({ "urls": patterns })).await
    }

    /// Turns JavaScript off or on in the current tab.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn set_javascript(&self, on: bool) -> Result<()> {
        send(&self.driver()?, "Emulation.setScriptExecutionDisabled", json!({ "value": !on })).await
    }
}

async fn send(driver: &WebDriver, method: &str, parameters: Value) -> Result<()> {
    driver.cdp().send_raw(method, parameters).await.with_context(|| method.to_owned())?;
    Ok(())
}
