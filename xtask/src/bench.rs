//! `cargo xtask bench`: how fast it is, measured on the program that is shipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::console::{Step, say};
use crate::tools::browser::Browser;
use crate::{package, prerequisites, process, workspace};

const PROGRAM: &str = "tuppence";
const GENERATOR: &str = "tuppence-load";

/// Measure speed: payments and earnings over HTTP on the real program, and what they cost.
///
/// Writes figures and pictures into docs/performance.md and docs/performance/. It takes about twelve minutes once
/// everything is built; with `--quick` some seconds, and then nothing but the screen shows what came out.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A short run, to see that all works
    #[arg(long)]
    quick: bool,
    /// Leave the micro-benchmarks as they were measured last
    #[arg(long)]
    skip_micro: bool,
    /// Leave out what a payment costs the wallet in Chromium
    #[arg(long)]
    skip_browser: bool,
    /// Further arguments of the generator, such as `-- --connections 1,64`
    #[arg(last = true)]
    further: Vec<String>,
}

/// Builds and measures.
pub fn bench(arguments: &Arguments) -> Result<ExitCode> {
    prerequisites::check()?;
    let mut step = Step::start("program and generator, optimised");
    let mut cargo = process::cargo();
    cargo.args(["build", "--profile", "bench", "--package", "tuppence-cli", "--package", "tuppence-load"]);
    process::must(cargo, &mut step)?;
    step.done("");
    if !arguments.quick && !arguments.skip_micro {
        let mut step = Step::start("micro-benchmarks");
        let mut cargo = process::cargo();
        cargo.args(["bench", "--package", "tuppence-load", "--benches"]);
        process::must(cargo, &mut step)?;
        step.done("");
    }
    let (program, generator) =
        (workspace::binary("release", PROGRAM), workspace::binary("release", GENERATOR));
    let mut command = measure(&generator, &program, arguments.quick);
    if !arguments.quick {
        command.arg("--document").arg(workspace::root().join("docs/performance.md"));
        command.arg("--criterion").arg(workspace::target().join("criterion"));
        if !arguments.skip_browser {
            command.arg("--browser").arg(browser(&program)?);
        }
        if process::first_line(samples()).is_some() {
            command.arg("--flame").arg(workspace::root().join("docs/performance/flame.svg"));
        } else {
            say("perf is not here, or may not sample: no flame graph, and no times by stage");
        }
    }
    command.args(&arguments.further);
    let status = command.status().with_context(|| format!("starting {}", generator.display()))?;
    say(&format!("Data of the measurement: {}", folder().display()));
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Pays in headless Chromium, and gives the file of what that cost the wallet.
fn browser(program: &Path) -> Result<PathBuf> {
    let programs = Browser::Chromium.ready()?;
    let package = package::built()?;
    let mut step = Step::start("the wallet in headless Chromium");
    let mut node = process::program("node");
    node.arg(workspace::root().join("tests/load/browser/measure.mjs")).envs(programs);
    node.env("TUPPENCE_PACKAGE", package).env("TUPPENCE_PROGRAM", program);
    let printed = process::must(node, &mut step)?;
    let figures =
        printed.iter().rev().find(|line| line.starts_with('{')).context("no figures were printed")?;
    let file = folder().join("browser.json");
    fs::create_dir_all(folder()).context("creating a folder")?;
    fs::write(&file, figures).with_context(|| format!("writing {}", file.display()))?;
    step.done("");
    Ok(file)
}

/// The generator's command for a run of seconds on programs of the profile whose folder is named.
pub fn smoke(profile_folder: &str) -> Command {
    measure(&workspace::binary(profile_folder, GENERATOR), &workspace::binary(profile_folder, PROGRAM), true)
}

fn measure(generator: &PathBuf, program: &PathBuf, quick: bool) -> Command {
    let mut command = process::program(generator);
    command.arg("measure").arg("--program").arg(program).arg("--folder").arg(folder());
    if quick {
        command.arg("--quick");
    }
    command
}

/// Whether samples can be taken at all.
fn samples() -> Command {
    let mut command = process::program("perf");
    command.args(["stat", "-x", ",", "-e", "task-clock", "--log-fd", "1", "true"]);
    command
}

fn folder() -> PathBuf {
    workspace::target().join("load")
}
