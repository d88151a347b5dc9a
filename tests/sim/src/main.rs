//! The simulator's program; `cargo xtask sim` builds and runs it.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tuppence_sim::coverage::{Coverage, ELSEWHERE};
use tuppence_sim::{STEPS, run, say};

/// Runs center, shops and wallets in one thread, from seeds; everything that can go wrong does.
#[derive(Parser)]
#[command(name = "cargo xtask sim", bin_name = "cargo xtask sim", version)]
struct Arguments {
    /// How many seeds to run, one after the other.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Replay this seed alone, and print what happens.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Steps of each run before everything is brought to rest.
    #[arg(long, default_value_t = STEPS)]
    steps: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => replay(seed, arguments.steps),
        None => campaign(&arguments),
    }
}

fn replay(seed: u64, steps: u64) -> ExitCode {
    let outcome = run(seed, steps, true);
    say(&format!("seed {seed}: {} steps, trace {:016x}", outcome.steps, outcome.hash));
    match outcome.violation {
        None => ExitCode::SUCCESS,
        Some((step, violation)) => {
            say(&format!("step {step}: {} does not hold: {}", violation.invariant.as_str(), violation.what));
            ExitCode::FAILURE
        }
    }
}

fn campaign(arguments: &Arguments) -> ExitCode {
    let began = Instant::now();
    let mut last = began;
    let terminal = std::io::stdout().is_terminal();
    let pause = if terminal { Duration::from_millis(200) } else { Duration::from_secs(30) };
    let (mut coverage, mut steps, mut failed) = (Coverage::default(), 0_u64, 0_u64);
    for number in 0..arguments.seeds {
        let seed = arguments.from.wrapping_add(number);
        let outcome = run(seed, arguments.steps, false);
        steps += outcome.steps;
        coverage.add(&outcome.coverage);
        if let Some((step, violation)) = outcome.violation {
            failed += 1;
            let name = violation.invariant.as_str();
            say(&format!("seed {seed}, step {step}: {name} does not hold: {}", violation.what));
            say(&format!("  replay it: cargo xtask sim --seed {seed} --steps {}", arguments.steps));
        }
        if last.elapsed() >= pause {
            last = Instant::now();
            progress(number + 1, arguments.seeds, steps, began, failed, terminal);
        }
        if failed >= 10 {
            say("Ten seeds have failed: that is enough.");
            break;
        }
    }
    report(&coverage, arguments.seeds, steps, began, failed)
}

fn progress(done: u64, of: u64, steps: u64, began: Instant, failed: u64, terminal: bool) {
    let seconds = began.elapsed().as_millis().max(1);
    let line = format!(
        "{done} of {of} seeds, {steps} steps, {} seeds/s, {failed} failed",
        u128::from(done) * 1_000 / seconds
    );
    if terminal {
        let mut out = std::io::stdout();
        let _ = write!(out, "\r\x1b[2K  {line}\r");
        let _ = out.flush();
    } else {
        say(&line);
    }
}

fn report(coverage: &Coverage, seeds: u64, steps: u64, began: Instant, failed: u64) -> ExitCode {
    let millis = began.elapsed().as_millis().max(1);
    say("");
    let mut group = "";
    for (of, name, count) in coverage.rows() {
        if of != group {
            group = of;
            say(&format!("{group}:"));
        }
        say(&format!("  {name:<32} {count:>12}"));
    }
    say("refusals that belong elsewhere:");
    for (code, why) in ELSEWHERE {
        say(&format!("  {:<32} {why}", code.as_str()));
    }
    say("what wallets told their users:");
    for (code, count) in coverage.words() {
        say(&format!("  {code:<32} {count:>12}"));
    }
    let missing = coverage.missing();
    let rate = u128::from(seeds) * 1_000 / millis;
    say(&format!("{seeds} seeds, {steps} steps in {} s: {rate} seeds/s; {failed} failed", millis / 1_000));
    if !missing.is_empty() {
        say(&format!("never occurred: {}", missing.join(", ")));
    }
    if failed == 0 && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
