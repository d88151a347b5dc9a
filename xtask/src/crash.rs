//! `cargo xtask crash`: the real program, killed over and over.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::console::Step;
use crate::{process, workspace};

const PROGRAM: &str = "tuppence";
const CAMPAIGN: &str = "tuppence-crash";

/// Kill center, storefront and wallets under load, and compare books and wallets after each kill.
///
/// Half of the kills are at random instants, the others at the named points of the money path, each in its turn
/// (docs/reliability.md); the program is built with them for this alone. It takes about a second for each kill.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// How often something is killed
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// How often the power is cut, afterwards; needs strace
    #[arg(long, default_value_t = 0)]
    cuts: u32,
    /// What is killed when is drawn from it; the machine's own timing is not
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Builds the program with its named points beside the usual one, and runs the campaign.
pub fn crash(arguments: &Arguments) -> Result<ExitCode> {
    let mut step = Step::start("program with its points, and campaign");
    let mut build = process::cargo();
    build.args([
        "build",
        "--package",
        "tuppence-cli",
        "--package",
        CAMPAIGN,
        "--features",
        "tuppence-cli/crash-points",
    ]);
    process::must(build, &mut step)?;
    let folder = workspace::target().join("crash");
    fs::create_dir_all(&folder).context("creating a folder")?;
    let program = folder.join(PROGRAM);
    let built = workspace::binary("debug", PROGRAM);
    fs::copy(&built, &program).with_context(|| format!("copying {}", built.display()))?;
    // Nobody shall take it for the usual one.
    fs::remove_file(&built).with_context(|| format!("removing {}", built.display()))?;
    step.done("");
    let mut campaign = campaign(&program, "debug");
    campaign.args(["--kills", &arguments.kills.to_string(), "--seed", &arguments.seed.to_string()]);
    campaign.args(["--cuts", &arguments.cuts.to_string()]);
    let status = campaign.status().context("starting the campaign")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A campaign of seconds on the program of the profile whose folder is named, at random instants alone.
pub fn smoke(profile_folder: &str) -> Command {
    let mut campaign = campaign(&workspace::binary(profile_folder, PROGRAM), profile_folder);
    campaign.args(["--kills", "8", "--no-points"]);
    campaign
}

fn campaign(program: &Path, profile_folder: &str) -> Command {
    let mut campaign = process::program(workspace::binary(profile_folder, CAMPAIGN));
    campaign.arg("--program").arg(program);
    campaign
}
