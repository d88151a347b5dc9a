//! `cargo xtask sim`: the seeded simulator, optimised.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::console::Step;
use crate::{process, workspace};

/// Runs the payment center, shops and wallets in one thread from seeds, with everything that can go wrong.
///
/// After every step an auditor with books of its own checks the invariants (docs/reliability.md). A failure prints
/// its seed; `--seed` replays it to the byte. Ends with a table of how often every fault, refusal, state and
/// invariant occurred.
#[derive(clap::Args)]
pub struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Replay this seed alone, and print what happens.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Steps of each run before everything is brought to rest; the simulator's own choice where it is left out.
    #[arg(long)]
    steps: Option<u64>,
    /// How many seeds run at a time; the number of cores where it is left out. The outcome is the same.
    #[arg(long)]
    jobs: Option<u64>,
}

/// Builds the simulator in its profile, and runs it.
pub fn sim(arguments: &Arguments) -> Result<ExitCode> {
    let mut step = Step::start("build of the simulator");
    let mut build = process::cargo();
    build.args(["build", "--profile", "sim", "--package", "tuppence-sim"]);
    process::must(build, &mut step)?;
    step.done("");

    let mut program = process::program(workspace::binary("sim", "tuppence-sim"));
    match arguments.seed {
        Some(seed) => program.args(["--seed", &seed.to_string()]),
        None => {
            program.args(["--seeds", &arguments.seeds.to_string(), "--from", &arguments.from.to_string()])
        }
    };
    if let Some(steps) = arguments.steps {
        program.args(["--steps", &steps.to_string()]);
    }
    if let Some(jobs) = arguments.jobs {
        program.args(["--jobs", &jobs.to_string()]);
    }
    // Ctrl-C is the program's: it prints its report so far.
    ctrlc::set_handler(|| ()).context("listening for Ctrl-C")?;
    let status = program.status().context("starting the simulator")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
