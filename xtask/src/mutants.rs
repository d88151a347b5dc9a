//! `cargo xtask mutants`: cargo-mutants on the rules of money, each mistake against the tests that must notice it.

mod copy;
mod exclusions;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::console::{Step, say};
use crate::{process, tools, workspace};

/// What cargo-mutants reads by itself; the reasons in it are read here.
const CONFIG: &str = ".cargo/mutants.toml";

/// A part of the repository whose every mistake must be noticed, and the tests that must notice it.
struct Part {
    name: &'static str,
    /// The files, as patterns.
    files: &'static [&'static str],
    /// What `cargo test` of the part's own package is told.
    tests: &'static [&'static str],
}

const PARTS: [Part; 2] = [
    Part { name: "protocol", files: &["protocol/src/**/*.rs"], tests: &["--tests"] },
    Part {
        name: "books",
        files: &["server/src/ledger/**/*.rs", "server/src/store/committer{.rs,/**/*.rs}"],
        tests: &["--lib", "--", "ledger::", "store::", "center::"],
    },
];

/// Makes mistakes in the rules of money, one at a time, and tells which of them no test notices.
///
/// Of the protocol, of the ledger and of the committer. Works in a copy, target/mutants, which may be removed afterwards; the
/// files here are never touched. All takes hours on two cores: `--only` limits it to a folder or file, `--shard` to a slice,
/// and `--resume` leaves out what earlier runs have caught. Mistakes that no test can notice are excluded in
/// .cargo/mutants.toml, each with its reason above it. Fails if a mistake survives that is not excluded.
#[derive(clap::Args)]
pub struct Arguments {
    /// A folder or file alone, such as protocol/src/payword.
    #[arg(long, value_name = "PATH")]
    only: Option<String>,
    /// A slice of the mistakes, such as 0/4 for the first of four.
    #[arg(long, value_name = "K/N", value_parser = shard)]
    shard: Option<String>,
    /// Leaves out what earlier runs have caught, as after one that was interrupted.
    #[arg(long)]
    resume: bool,
    /// Lists the mistakes, and makes none.
    #[arg(long)]
    list: bool,
}

/// Makes the copy, and runs the parts.
pub fn mutants(arguments: &Arguments) -> Result<ExitCode> {
    exclusions::explained(&read(&workspace::root().join(CONFIG))?)?;
    let only = arguments.only.as_deref().map(files_of).transpose()?;
    let tool = tools::cargo_mutants()?;
    let mut step = Step::start("copy of the sources");
    let copied = copy::refresh(workspace::root(), &tree())?;
    step.beat("");
    step.done(&format!("{copied} files changed"));

    let (mut tried, mut survivors) = (0, Vec::new());
    for part in &PARTS {
        let Some(files) = patterns(part, only.as_deref()) else { continue };
        if arguments.list {
            let mut step = Step::start(format!("mistakes in {}", part.name));
            let lines = process::must(cargo_mutants(&tool, part, &files, arguments), &mut step)?;
            step.done(&lines.len().to_string());
            lines.iter().for_each(|line| say(line));
            continue;
        }
        let mut step = Step::start(part.name);
        let run = process::watch(cargo_mutants(&tool, part, &files, arguments), &mut step)?;
        let found = Found::read(&output(part).join("mutants.out"), &run)?;
        let detail = found.summary();
        if found.missed.is_empty() {
            step.done(&detail)
        } else {
            step.failed(&detail)
        }
        tried += found.tried();
        survivors.extend(found.missed);
    }
    if arguments.list {
        return Ok(ExitCode::SUCCESS);
    }
    if tried == 0 && !arguments.resume {
        bail!(
            "Nothing was tried: there is no mistake to make in what was asked for that is not excluded in {CONFIG}."
        );
    }
    if survivors.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    say(
        "\nNo test notices these. Write one that does, or exclude what nobody can notice in .cargo/mutants.toml, with the reason:\n",
    );
    survivors.iter().for_each(|survivor| say(survivor));
    Ok(ExitCode::FAILURE)
}

/// How a part's mistakes ended.
struct Found {
    caught: usize,
    /// The tests hung: nobody overlooks that.
    hung: usize,
    /// No program at all.
    unviable: usize,
    missed: Vec<String>,
}

impl Found {
    fn read(folder: &Path, run: &process::Output) -> Result<Self> {
        let lines = |name: &str| -> Result<Vec<String>> {
            Ok(read(&folder.join(name))?.lines().map(str::to_owned).collect())
        };
        let found = Found {
            caught: lines("caught.txt")?.len(),
            hung: lines("timeout.txt")?.len(),
            unviable: lines("unviable.txt")?.len(),
            missed: lines("missed.txt")?,
        };
        // Survivors and hanging tests are told apart from the tool's own troubles by what it wrote.
        if !run.success && found.missed.is_empty() && found.hung == 0 {
            bail!("cargo-mutants came to no end:\n{}", process::tail(&run.lines, 60));
        }
        Ok(found)
    }

    fn tried(&self) -> usize {
        self.caught + self.hung + self.unviable + self.missed.len()
    }

    fn summary(&self) -> String {
        let Found { caught, hung, unviable, missed } = self;
        format!(
            "{} mistakes: {caught} caught, {hung} hung, {unviable} do not compile, {} survived",
            self.tried(),
            missed.len()
        )
    }
}

fn cargo_mutants(tool: &Path, part: &Part, files: &[String], arguments: &Arguments) -> Command {
    let mut command = process::program(tool);
    command.current_dir(tree()).arg("mutants");
    command.args(["--in-place", "--colors", "never", "--caught", "--unviable", "--output"]);
    command.arg(output(part));
    for file in files {
        command.args(["--file", file]);
    }
    if let Some(shard) = &arguments.shard {
        command.args(["--shard", shard]);
    }
    if arguments.resume {
        command.arg("--iterate");
    }
    if arguments.list {
        command.arg("--list");
    }
    command.arg("--").args(part.tests);
    // Without what only a debugger reads, each of the many builds is quicker.
    command.env("CARGO_TARGET_DIR", folder().join("build")).env("CARGO_PROFILE_DEV_DEBUG", "false");
    command
}

/// Where a folder or file lies from the root, if it is there.
fn files_of(path: &str) -> Result<String> {
    let path = path.trim_end_matches('/');
    let relative = Path::new(path);
    let inside = relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside || !(workspace::root().join(path).exists() || beside(path).is_some()) {
        bail!("There is no folder or file {path} in this repository.");
    }
    if !PARTS.iter().any(|part| patterns(part, Some(path)).is_some()) {
        let all: Vec<_> = PARTS.iter().flat_map(|part| part.files).copied().collect();
        bail!("{path} is not among what is tried: {}.", all.join(", "));
    }
    Ok(path.to_owned())
}

/// The file of a module whose folder is named.
fn beside(path: &str) -> Option<String> {
    let file = format!("{path}.rs");
    workspace::root().join(&file).is_file().then_some(file)
}

/// The part's files, or those of them that lie in `only`; nothing if none does.
fn patterns(part: &Part, only: Option<&str>) -> Option<Vec<String>> {
    let Some(only) = only else { return Some(part.files.iter().map(|file| (*file).to_owned()).collect()) };
    let of_part = match part.name {
        "protocol" => within(only, "protocol/src"),
        _ => within(only, "server/src/ledger") || within(only, "server/src/store/committer"),
    };
    of_part.then(|| {
        let file = beside(only);
        let own = if only.ends_with(".rs") { only.to_owned() } else { format!("{only}/**/*.rs") };
        std::iter::once(own).chain(file).collect()
    })
}

/// Whether `path` is the module `place`, or lies in it.
fn within(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
}

fn shard(text: &str) -> Result<String, String> {
    let numbers =
        text.split_once('/').and_then(|(k, n)| Some((k.parse::<u32>().ok()?, n.parse::<u32>().ok()?)));
    match numbers {
        Some((k, n)) if k < n => Ok(text.to_owned()),
        _ => Err("a slice is K/N, with K from 0 and below N".to_owned()),
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// The copy, its build, and the reports.
fn folder() -> PathBuf {
    workspace::target().join("mutants")
}

fn tree() -> PathBuf {
    folder().join("tree")
}

fn output(part: &Part) -> PathBuf {
    folder().join(part.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_or_file_belongs_to_its_part_alone() {
        let of = |only| {
            let found =
                PARTS.iter().filter_map(|part| patterns(part, Some(only)).map(|files| (part.name, files)));
            found.collect::<Vec<_>>()
        };
        assert_eq!(
            of("protocol/src/payword"),
            [("protocol", vec!["protocol/src/payword/**/*.rs".to_owned()])]
        );
        assert_eq!(of("protocol/src/amount.rs"), [("protocol", vec!["protocol/src/amount.rs".to_owned()])]);
        let committer = ["server/src/store/committer/**/*.rs", "server/src/store/committer.rs"];
        assert_eq!(of("server/src/store/committer"), [("books", committer.map(str::to_owned).to_vec())]);
        for other in ["server/src/store", "server/src/ledgers", "web", "protocol"] {
            assert!(of(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn what_is_not_tried_is_said() {
        assert!(files_of("protocol/src/payword/").is_ok());
        for none in ["protocol/src/nothing", "../protocol", "/tmp", "web/src"] {
            assert!(files_of(none).is_err(), "{none}");
        }
    }

    #[test]
    fn a_slice_is_one_of_so_many() {
        assert!(shard("0/4").is_ok() && shard("3/4").is_ok());
        for none in ["4/4", "1", "/", "a/b", "-1/2"] {
            assert!(shard(none).is_err(), "{none}");
        }
    }
}
