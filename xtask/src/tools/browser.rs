//! Chromium and its driver: found, named by CHROMIUM and CHROMEDRIVER, or installed where that is allowed.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::console::Step;
use crate::process;

use super::{find, named_by};

/// The browser and the program that drives it.
pub struct Chromium {
    pub browser: PathBuf,
    pub driver: PathBuf,
}

/// Finds both, or installs them with apt as root.
pub fn chromium() -> Result<Chromium> {
    if let Some(found) = present()? {
        return Ok(found);
    }
    if !is_root() || find(&["apt-get"]).is_none() {
        bail!(
            "Chromium or its driver is missing. Install both (`sudo apt-get install chromium chromium-driver`, \
             or `brew install --cask chromium chromedriver`), or name them with CHROMIUM and CHROMEDRIVER."
        );
    }
    let mut step = Step::start("installing Chromium and its driver with apt");
    let mut update = process::program("apt-get");
    update.args(["update", "-q"]);
    process::must(update, &mut step)?;
    let mut install = process::program("apt-get");
    install.args([
        "install",
        "-y",
        "-q",
        "--no-install-recommends",
        "chromium",
        "chromium-driver",
        "fonts-noto-cjk",
    ]);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    process::must(install, &mut step)?;
    step.done("");
    match present()? {
        Some(found) => Ok(found),
        None => {
            bail!("apt installed chromium and chromium-driver, but neither CHROMIUM nor PATH leads to both.")
        }
    }
}

fn present() -> Result<Option<Chromium>> {
    let browser = match named_by("CHROMIUM")? {
        Some(path) => Some(path),
        None => find(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]),
    };
    let driver = match named_by("CHROMEDRIVER")? {
        Some(path) => Some(path),
        None => find(&["chromedriver"]),
    };
    Ok(browser.zip(driver).map(|(browser, driver)| Chromium { browser, driver }))
}

fn is_root() -> bool {
    let mut id = process::program("id");
    id.arg("-u");
    process::first_line(id).is_some_and(|id| id == "0")
}
