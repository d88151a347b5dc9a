//! What each stage runs. Native stages share one build: the same packages, features and profile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::console::{Step, say};
use crate::tidy;
use crate::tools::{self, browser::Browser};
use crate::{bench, crash, prerequisites, process, site as wallet_site, size, workspace};

use super::{Report, indented};

const WASM: &str = "wasm32-unknown-unknown";
/// The wallet with its class for JavaScript, which its own site leaves out.
const JS_API: &str = "tuppence-wallet/js-api";

/// The crates that run natively: all but the browser's user interface.
const NATIVE: [&str; 3] = ["--workspace", "--exclude", "tuppence-web"];

pub fn format(report: &mut Report) -> Result<()> {
    prerequisites::component("rustfmt", "fmt")?;
    report.check("rustfmt", cargo(&["fmt", "--all", "--check", "--", "--color", "never"])).map(drop)
}

pub fn deny(report: &mut Report) -> Result<()> {
    let program = tools::cargo_deny()?;
    let deny = |arguments: &[&str]| {
        let mut command = process::program(&program);
        command.args(["--color", "never"]).args(arguments);
        command
    };
    report.check("licences, bans, sources", deny(&["check", "licenses", "bans", "sources"]))?;

    let mut step = Step::start("advisory database");
    let mut fetch = deny(&["fetch", "db"]);
    // Git asks nobody: without a network this must fail, not wait.
    fetch.env("GIT_TERMINAL_PROMPT", "0");
    if process::watch(fetch, &mut step)?.success {
        step.done("");
        report.check("advisories", deny(&["check", "--disable-fetch", "advisories"]))?;
    } else {
        step.skipped("not reachable from here: advisories are not checked");
    }
    Ok(())
}

pub fn tidy(report: &mut Report) -> Result<()> {
    let step = Step::start("tidy");
    let findings = tidy::findings()?;
    if findings.is_empty() {
        step.done("");
        report.tally.passed += 1;
    } else {
        step.failed(&format!("{} findings", findings.len()));
        for finding in findings {
            say(&indented(&finding.to_string()));
        }
        report.tally.failed += 1;
    }
    Ok(())
}

pub fn clippy(report: &mut Report) -> Result<()> {
    prerequisites::component("clippy", "clippy")?;
    let mut native = cargo(&["clippy"]);
    native.args(NATIVE).args(["--all-targets", "--features", "tuppence-tests/e2e", "--", "-D", "warnings"]);
    report.check("clippy, natively", native)?;

    prerequisites::wasm_target()?;
    let mut wasm = cargo(&["clippy"]);
    wasm.args(["--package", "tuppence-wallet", "--package", "tuppence-web", "--package", "tuppence-kit"]);
    wasm.args(["--features", JS_API, "--target", WASM, "--", "-D", "warnings"]);
    report.check("clippy, WebAssembly", wasm)?;
    Ok(())
}

pub fn native(report: &mut Report) -> Result<()> {
    native_build()?;
    scripts(report)?;
    let mut command = cargo(&["test", "--no-fail-fast"]);
    command.args(NATIVE);
    report.tests("tests, natively", command, Browser::Chromium)?;
    report.check("load on the program, for seconds", bench::smoke("debug"))?;
    report.check("the program killed a few times under load", crash::smoke("debug")).map(drop)
}

/// Says how large the scripts for publishers' pages are, and their hashes; that they are small enough is a test.
fn scripts(report: &mut Report) -> Result<()> {
    let step = Step::start("scripts for pages");
    let output = Command::new(workspace::binary("debug", "tuppence")).args(["embed", "--sizes"]).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        step.done(&format!("scripts for pages\n{}", indented(&said)));
        report.tally.passed += 1;
    } else {
        step.failed(&String::from_utf8_lossy(&output.stderr));
        report.tally.failed += 1;
    }
    Ok(())
}

pub fn site(report: &mut Report) -> Result<()> {
    wallet_site::ensure()?;
    let step = Step::start("size");
    match size::check(&workspace::site()) {
        Ok(words) => {
            step.done(&words);
            report.tally.passed += 1;
        }
        Err(error) => {
            step.failed(&format!("{error:#}"));
            report.tally.failed += 1;
        }
    }
    Ok(())
}

pub fn wasm(report: &mut Report, browser: Browser) -> Result<()> {
    let runner = tools::wasm_test_runner()?;
    let programs = browser.ready()?;
    let mut command = browser.command(cargo(&["test", "--no-fail-fast", "--package", "tuppence-wallet"]));
    command.args(["--target", WASM, "--features", JS_API]);
    // The runner takes the first driver that a variable names.
    for variable in ["CHROMEDRIVER", "GECKODRIVER", "SAFARIDRIVER"] {
        command.env_remove(variable);
    }
    for (variable, program) in programs {
        match variable {
            // The runner knows no WebKit but Safari's, and speaks the same with both.
            "WEBKITWEBDRIVER" => command.env("SAFARIDRIVER", program),
            "FIREFOX" => command.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", firefox_options(&program)?),
            _ => command.env(variable, program),
        };
    }
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner).env("WASM_BINDGEN_USE_BROWSER", "1");
    report.tests(&format!("wallet in {}", headless(browser)), command, browser)
}

pub fn e2e(report: &mut Report, browser: Browser) -> Result<()> {
    wallet_site::ensure()?;
    native_build()?;
    let programs = browser.ready()?;
    let mut command = browser.command(cargo(&["test", "--no-fail-fast"]));
    command.args(NATIVE).args(["--features", "tuppence-tests/e2e", "--test", "e2e"]);
    command
        .env("TUPPENCE_ENGINE", browser.name())
        .env("TUPPENCE_BIN", workspace::binary("debug", "tuppence"))
        .env("TUPPENCE_WALLET_SITE", workspace::site())
        .env("TUPPENCE_AXE", tools::axe()?)
        .envs(programs);
    report.tests(&format!("people in {}", headless(browser)), command, browser)
}

fn headless(browser: Browser) -> String {
    match browser {
        Browser::Chromium | Browser::Firefox => format!("headless {}", browser.name()),
        Browser::Webkit => browser.name().to_owned(),
    }
}

/// What the wallet's tests ask of Firefox, in a file.
fn firefox_options(firefox: &Path) -> Result<PathBuf> {
    let options = serde_json::json!({ "moz:firefoxOptions": { "binary": firefox } });
    let path = workspace::target().join("xtask/webdriver-firefox.json");
    fs::create_dir_all(path.parent().unwrap_or(&path))?;
    fs::write(&path, options.to_string()).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

/// Builds programs and tests in one go, so that the stages after it find everything built.
fn native_build() -> Result<()> {
    let mut step = Step::start("build of programs and tests");
    let mut command = cargo(&["build"]);
    command.args(NATIVE).args(["--all-targets", "--features", "tuppence-tests/e2e"]);
    process::must(command, &mut step)?;
    step.done("");
    Ok(())
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = process::cargo();
    command.args(arguments);
    command
}
