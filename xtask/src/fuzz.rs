//! `cargo xtask fuzz`: cargo-fuzz on every target of tests/fuzz, one after another.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::console::{Step, say};
use crate::{process, tools, workspace};

/// The targets' inputs that are kept: a folder for each, which a test holds (tests/fuzz/tests/replay.rs).
const CORPUS: &str = "tests/fuzz/corpus";
const FUZZ: &str = "tests/fuzz";
/// Bytes of the longest input that is tried: above the longest seed.
const BYTES_MAX: usize = 16 * 1024;

/// Looks for bytes that break what takes bytes from outside (tests/fuzz): each target for some time.
///
/// Begins with the corpus of the repository; what is learnt stays in target/fuzz and is built upon by the next run. Input that
/// breaks a target is written to target/fuzz/found and named; put it into tests/fuzz/corpus/<target> with what mends it.
#[derive(clap::Args)]
pub struct Arguments {
    /// How long each target is tried.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// One target alone, by the name of its folder in tests/fuzz/corpus.
    #[arg(long)]
    target: Option<String>,
}

/// Builds the fuzzer, and runs the targets.
pub fn fuzz(arguments: &Arguments) -> Result<ExitCode> {
    let mut targets = targets()?;
    if let Some(only) = &arguments.target {
        if !targets.contains(only) {
            bail!("There is no target {only}. There are: {}.", targets.join(", "));
        }
        targets.retain(|target| target == only);
    }
    let tool = tools::cargo_fuzz()?;
    let mut step = Step::start("build of the fuzzer");
    process::must(cargo_fuzz(&tool, "build"), &mut step)?;
    step.done("");

    let mut broken = 0;
    for target in &targets {
        let mut step = Step::start(target);
        let output = process::watch(run(&tool, target, arguments.seconds)?, &mut step)?;
        if output.success {
            step.done(&format!(
                "{} executions",
                executions(&output.lines).context("the fuzzer counted nothing")?
            ));
        } else {
            step.failed("does not hold");
            say(&process::tail(&output.lines, 40));
            broken += 1;
        }
    }
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn targets() -> Result<Vec<String>> {
    let folder = workspace::root().join(CORPUS);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Without a sanitizer: our crates have no unsafe code, and the Rust of this repository is enough.
fn cargo_fuzz(tool: &Path, what: &str) -> Command {
    let mut command = process::program(tool);
    command.args(["fuzz", what, "--sanitizer", "none", "--fuzz-dir", FUZZ, "--target-dir"]);
    command.arg(workspace::target().join("fuzz")).arg("fuzz");
    command
}

fn run(tool: &Path, target: &str, seconds: u64) -> Result<Command> {
    let learnt = workspace::target().join("fuzz/corpus").join(target);
    let found = workspace::target().join("fuzz/found").join(target);
    for folder in [&learnt, &found] {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    let mut command = cargo_fuzz(tool, "run");
    command.arg(&learnt).arg(workspace::root().join(CORPUS).join(target)).arg("--");
    command.args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={BYTES_MAX}"),
        "-timeout=10".to_owned(),
        "-print_final_stats=1".to_owned(),
        format!("-artifact_prefix={}/", found.display()),
    ]);
    command.env("TUPPENCE_FUZZ_TARGET", target);
    Ok(command)
}

/// How many inputs libFuzzer says it tried.
fn executions(lines: &[String]) -> Option<u64> {
    lines
        .iter()
        .rev()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuzzers_count_is_read() {
        let lines =
            ["Done 12 runs in 1 second(s)", "stat::number_of_executed_units: 12", "stat::peak_rss_mb: 40"];
        assert_eq!(executions(&lines.map(str::to_owned)), Some(12));
        assert_eq!(executions(&[]), None);
    }
}
