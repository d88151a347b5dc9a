//! The browsers that tests run in, and their drivers: found, named by variables, or installed where that is allowed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::console::Step;
use crate::process;

use super::{CargoTool, executable, find, named_by};

/// The driver of Firefox, which Debian doesn't have.
const GECKODRIVER: &str = "0.37.1";

/// Debian's Python, which is the one that can load WebKit.
const PYTHON: &str = "/usr/bin/python3";

/// The screen of what has no headless mode: as wide as the widest window, as high as the longest page.
const SCREEN: &str = "-screen 0 1400x16000x24 -nolisten tcp";

/// Debian's package of letters for Korean, in which the wallet and a sample article are written too.
const KOREAN_LETTERS: &str = "fonts-noto-cjk";

const KOREAN_ADVICE: &str = "this system has none, so pictures show boxes in their place. Debian and Ubuntu: sudo apt-get install \
                             fonts-noto-cjk";

/// A browser that tests run in.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Browser {
    /// Chromium, by chromedriver
    Chromium,
    /// Firefox ESR, by geckodriver
    Firefox,
    /// WebKitGTK, by WebKitWebDriver, on a screen of Xvfb's
    Webkit,
}

/// The programs of a browser, by the variables in which the tests look for them.
type Programs = Vec<(&'static str, PathBuf)>;

impl Browser {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::Webkit => "WebKit",
        }
    }

    /// Finds its programs, or installs them with apt as root; and letters for every language of the wallet.
    pub fn ready(self) -> Result<Programs> {
        let present = self.present()?;
        let mut missing = if present.is_some() { Vec::new() } else { self.packages().to_vec() };
        let letters = has_korean_letters();
        if !letters {
            missing.push(KOREAN_LETTERS);
        }
        if !missing.is_empty() && can_install() {
            install(&missing)?;
        } else if present.is_none() {
            bail!("{}", self.advice());
        } else if !letters {
            Step::start("letters for Korean").skipped(KOREAN_ADVICE);
        }
        if let Some(found) = present {
            return self.with_driver(found);
        }
        let packages = self.packages();
        let found = self.present()?.with_context(|| {
            format!(
                "apt installed {}, but they are not all to be found. {}",
                packages.join(", "),
                self.advice()
            )
        })?;
        self.with_driver(found)
    }

    /// A command that has a screen, if the browser needs one.
    pub fn command(self, program: Command) -> Command {
        if self != Self::Webkit {
            return program;
        }
        let mut command = process::program("xvfb-run");
        command.args(["--auto-servernum", "--server-args", SCREEN]).arg(program.get_program());
        command.args(program.get_args());
        if is_root() {
            // Its sandbox wants a user who isn't root. The pages are our own.
            command.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
        }
        command
    }

    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Chromium => &["chromium", "chromium-driver"],
            Self::Firefox => &["firefox-esr"],
            Self::Webkit => &["webkit2gtk-driver", "gir1.2-webkit2-4.1", "python3-gi", "xvfb", "xauth"],
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Chromium => {
                "Chromium or its driver is missing. Install both (`sudo apt-get install chromium chromium-driver`, \
                 or `brew install --cask chromium chromedriver`), or name them with CHROMIUM and CHROMEDRIVER."
            }
            Self::Firefox => {
                "Firefox is missing. Install it (`sudo apt-get install firefox-esr`, or `brew install --cask \
                 firefox`), or name it with FIREFOX."
            }
            Self::Webkit => {
                "WebKit, its driver or its screen is missing. Install them on Debian or Ubuntu (`sudo apt-get \
                 install webkit2gtk-driver gir1.2-webkit2-4.1 python3-gi xvfb xauth`), or name the driver with \
                 WEBKITWEBDRIVER."
            }
        }
    }

    fn present(self) -> Result<Option<Programs>> {
        Ok(match self {
            Self::Chromium => {
                let names =
                    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
                let browser = program("CHROMIUM", &names)?;
                let driver = program("CHROMEDRIVER", &["chromedriver"])?;
                browser
                    .zip(driver)
                    .map(|(browser, driver)| vec![("CHROMIUM", browser), ("CHROMEDRIVER", driver)])
            }
            Self::Firefox => {
                let browser = program("FIREFOX", &["firefox-esr", "firefox"])?;
                browser.map(|browser| vec![("FIREFOX", browser)])
            }
            Self::Webkit => {
                let driver = program("WEBKITWEBDRIVER", &["WebKitWebDriver"])?;
                let screen = find(&["xvfb-run"]).is_some() && find(&["xauth"]).is_some();
                driver
                    .filter(|_| screen && python_has_webkit())
                    .map(|driver| vec![("WEBKITWEBDRIVER", driver)])
            }
        })
    }

    /// Adds the driver that no package of the system's has.
    fn with_driver(self, mut programs: Programs) -> Result<Programs> {
        if self == Self::Firefox {
            let driver = match named_by("GECKODRIVER")? {
                Some(path) => path,
                None => geckodriver()?,
            };
            programs.push(("GECKODRIVER", driver));
        }
        Ok(programs)
    }
}

fn can_install() -> bool {
    is_root() && find(&["apt-get"]).is_some()
}

fn install(packages: &[&str]) -> Result<()> {
    let mut step = Step::start(format!("installing {} with apt", packages.join(", ")));
    let mut update = process::program("apt-get");
    update.args(["update", "-q"]);
    process::must(update, &mut step)?;
    let mut install = process::program("apt-get");
    install.args(["install", "-y", "-q", "--no-install-recommends"]).args(packages);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    process::must(install, &mut step)?;
    step.done("");
    Ok(())
}

/// Whether the system can draw Korean. Where there is no fontconfig, the system brings its letters itself.
fn has_korean_letters() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let Some(list) = find(&["fc-list"]) else { return false };
    let mut list = process::program(list);
    list.args([":lang=ko", "family"]);
    process::first_line(list).is_some()
}

fn geckodriver() -> Result<PathBuf> {
    let name = "geckodriver";
    let tool = CargoTool { name, version: GECKODRIVER.to_owned(), program: name, options: &["--locked"] };
    Ok(executable(&tool.ready()?, name))
}

fn program(variable: &str, names: &[&str]) -> Result<Option<PathBuf>> {
    Ok(named_by(variable)?.or_else(|| find(names)))
}

fn python_has_webkit() -> bool {
    let mut python = process::program(PYTHON);
    python.args(["-c", "import gi; gi.require_version('WebKit2', '4.1'); print('there')"]);
    process::first_line(python).is_some()
}

fn is_root() -> bool {
    let mut id = process::program("id");
    id.arg("-u");
    process::first_line(id).is_some_and(|id| id == "0")
}
