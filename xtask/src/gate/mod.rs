//! `cargo xtask test`: the whole gate, from the cheapest stage to the dearest.

mod stages;
mod tally;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::console::{Step, say};
use crate::tools::browser::Browser;
use crate::{prerequisites, process, tools, workspace};
use tally::Tally;

/// The lines that a failed stage shows; its log has them all.
const SHOWN_LINES: usize = 200;

/// Test everything: format, dependency policy, tidy, lints, tests natively and in a browser.
///
/// Each stage says what it does, how long it took and what came out; a failed one shows what failed, and the
/// later ones run all the same. Full logs lie in target/xtask/. The last line is `N passed, N failed`. A stage
/// that isn't made of tests counts as one.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Run this stage alone (may be repeated)
    #[arg(long, value_name = "STAGE", value_enum)]
    only: Vec<Stage>,

    /// Run the stages within a browser in this one (may be repeated) [default: chromium]
    #[arg(long, value_name = "BROWSER", value_enum, conflicts_with = "all_browsers")]
    browser: Vec<Browser>,

    /// Run them in Chromium, Firefox and WebKit
    #[arg(long)]
    all_browsers: bool,
}

impl Arguments {
    fn browsers(&self) -> Vec<Browser> {
        match (self.all_browsers, self.browser.as_slice()) {
            (true, _) => Browser::value_variants().to_vec(),
            (false, []) => vec![Browser::Chromium],
            (false, chosen) => chosen.to_vec(),
        }
    }
}

/// The stages, in their order.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// rustfmt has nothing to change
    Format,
    /// Dependencies: licences, bans, sources and, where the database can be had, advisories
    Deny,
    /// The structure holds (`cargo xtask tidy`)
    Tidy,
    /// Clippy, natively and for WebAssembly; a warning is an error
    Clippy,
    /// Unit, property, conformance and HTTP tests
    Native,
    /// The wallet's site builds, and fits its size
    Site,
    /// The wallet's tests within a browser
    Wasm,
    /// What people do, in a browser against the real program
    E2e,
}

impl Stage {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn purpose(self) -> String {
        let value = self.to_possible_value();
        value.and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }

    fn run(self, report: &mut Report, browsers: &[Browser]) -> Result<()> {
        match self {
            Self::Format => stages::format(report),
            Self::Deny => stages::deny(report),
            Self::Tidy => stages::tidy(report),
            Self::Clippy => stages::clippy(report),
            Self::Native => stages::native(report),
            Self::Site => stages::site(report),
            Self::Wasm => each(browsers, report, stages::wasm),
            Self::E2e => each(browsers, report, stages::e2e),
        }
    }
}

/// Runs a stage in each browser; one that can't be had is a failure, and the next one runs all the same.
fn each(
    browsers: &[Browser],
    report: &mut Report,
    stage: fn(&mut Report, Browser) -> Result<()>,
) -> Result<()> {
    for browser in browsers {
        if let Err(error) = stage(report, *browser) {
            say(&indented(&format!("{}: {error:#}", browser.name())));
            report.tally.failed += 1;
        }
    }
    Ok(())
}

/// Runs the stages and closes with the sum.
pub fn test(arguments: &Arguments) -> Result<ExitCode> {
    prerequisites::check()?;
    let chosen = Stage::value_variants()
        .iter()
        .filter(|stage| arguments.only.is_empty() || arguments.only.contains(stage));
    if arguments.only.is_empty() {
        tools::install_meanwhile();
    }
    let browsers = arguments.browsers();
    let mut sum = Tally::default();
    for stage in chosen {
        say(&format!("{}: {}", stage.name(), stage.purpose()));
        let mut report = Report { stage: stage.name(), tally: Tally::default(), parts: 0 };
        if let Err(error) = stage.run(&mut report, &browsers) {
            say(&indented(&format!("{error:#}")));
            report.tally.failed += 1;
        }
        sum.add(report.tally);
    }
    if sum.missing > 0 {
        say(&format!("{} not in their engine: docs/browsers.md says which, and why", sum.missing));
    }
    say(&format!("{} passed, {} failed", sum.passed, sum.failed));
    Ok(if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What one stage has come to.
struct Report {
    stage: String,
    tally: Tally,
    parts: usize,
}

impl Report {
    /// Runs a check that passes or fails as a whole.
    fn check(&mut self, title: &str, command: std::process::Command) -> Result<bool> {
        let mut step = Step::start(title);
        let output = process::watch(command, &mut step)?;
        let log = self.keep(&output.lines)?;
        if output.success {
            step.done("");
            self.tally.passed += 1;
        } else {
            step.failed(&workspace::relative(&log));
            let useful = tally::without_passed(&output.lines);
            say(&indented(&process::tail(&useful, SHOWN_LINES)));
            self.tally.failed += 1;
        }
        Ok(output.success)
    }

    /// Runs tests of Rust's harness and counts them. No test at all is a failure: a gate that tests nothing
    /// must not be green. A scenario that its browser's engine can't play is said, and counts as neither.
    fn tests(&mut self, title: &str, command: std::process::Command, browser: Browser) -> Result<()> {
        let mut step = Step::start(title);
        let output = process::watch(command, &mut step)?;
        let log = self.keep(&output.lines)?;
        let missing = tally::not_in(browser.name(), &output.lines);
        let mut tally = Tally::of(&output.lines).without(missing.len());
        let ran_none = output.success && tally.passed + tally.failed == 0;
        if ran_none || (!output.success && tally.failed == 0) {
            tally.failed += 1;
        }
        if tally.failed == 0 {
            step.done(&tally.to_string());
        } else {
            step.failed(&format!("{tally}, {}", workspace::relative(&log)));
            let useful = tally::without_passed(&output.lines);
            say(&indented(&process::tail(&useful, SHOWN_LINES)));
            if ran_none {
                say("     not one test ran");
            }
        }
        for line in missing {
            say(&indented(line));
        }
        self.tally.add(tally);
        Ok(())
    }

    fn keep(&mut self, lines: &[String]) -> Result<PathBuf> {
        self.parts += 1;
        let folder = workspace::target().join("xtask");
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let path = folder.join(format!("{}-{}.log", self.stage, self.parts));
        fs::write(&path, lines.join("\n")).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("     {line}")).collect::<Vec<_>>().join("\n")
}
