//! The simulator's program; `cargo xtask sim` builds and runs it.

use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use tuppence_sim::campaign::Campaign;
use tuppence_sim::coverage::{Coverage, ELSEWHERE};
use tuppence_sim::{Outcome, STEPS, run, say};

/// Runs center, shops and wallets from seeds, each in one thread; everything that can go wrong does.
#[derive(Parser)]
#[command(name = "cargo xtask sim", bin_name = "cargo xtask sim", version)]
struct Arguments {
    /// How many seeds to run.
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
    /// How many seeds run at a time; the number of cores where it is left out. The outcome is the same.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
}

/// Set by Ctrl-C: no further seed begins.
static STOPPED: AtomicBool = AtomicBool::new(false);

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
    let stop = || {
        // Whoever asks twice does not want the report.
        if STOPPED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    if let Err(error) = ctrlc::set_handler(stop) {
        say(&format!("Ctrl-C will end the run without a report: {error}"));
    }
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let jobs = arguments.jobs.unwrap_or(cores).get();
    let next = AtomicU64::new(0);
    let mut campaign = Campaign::default();
    let began = Instant::now();
    thread::scope(|scope| {
        let (done, outcomes) = mpsc::channel();
        for _ in 0..jobs {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || work(arguments, next, &done));
        }
        drop(done);
        follow(arguments, &mut campaign, outcomes, began);
    });
    report(&campaign, arguments, began)
}

/// One seed after the other, of those that nobody has taken.
fn work(arguments: &Arguments, next: &AtomicU64, done: &mpsc::Sender<(u64, Outcome)>) {
    while !STOPPED.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= arguments.seeds {
            return;
        }
        let outcome = run(arguments.from.wrapping_add(number), arguments.steps, false);
        if done.send((number, outcome)).is_err() {
            return;
        }
    }
}

/// Takes the outcomes as they come, and counts them in the seeds' order.
fn follow(
    arguments: &Arguments,
    campaign: &mut Campaign,
    outcomes: mpsc::Receiver<(u64, Outcome)>,
    began: Instant,
) {
    let terminal = std::io::stdout().is_terminal();
    let pause = if terminal { Duration::from_millis(200) } else { Duration::from_secs(30) };
    let mut last = began;
    for (number, outcome) in outcomes {
        for (seed, step, violation) in campaign.take(number, outcome) {
            let name = violation.invariant.as_str();
            say(&format!("seed {seed}, step {step}: {name} does not hold: {}", violation.what));
            say(&format!("  replay it: cargo xtask sim --seed {seed} --steps {}", arguments.steps));
        }
        if last.elapsed() >= pause {
            last = Instant::now();
            progress(campaign, arguments.seeds, began, terminal);
        }
        if campaign.has_enough() {
            say("Ten seeds have failed: that is enough.");
            STOPPED.store(true, Ordering::Relaxed);
            return;
        }
    }
}

fn progress(campaign: &Campaign, of: u64, began: Instant, terminal: bool) {
    let line = format!("{} of {of} seeds, {}", campaign.seeds, rates(campaign, began));
    if terminal {
        let mut out = std::io::stdout();
        let _ = write!(out, "\r\x1b[2K  {line}\r");
        let _ = out.flush();
    } else {
        say(&line);
    }
}

fn rates(campaign: &Campaign, began: Instant) -> String {
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    let Campaign { seeds, steps, failed, .. } = campaign;
    let tenths = seeds.saturating_mul(10_000) / millis;
    let (whole, tenth, rate) = (tenths / 10, tenths % 10, steps.saturating_mul(1_000) / millis);
    format!("{steps} steps in {} s: {whole}.{tenth} seeds/s, {rate} steps/s; {failed} failed", millis / 1_000)
}

fn report(campaign: &Campaign, arguments: &Arguments, began: Instant) -> ExitCode {
    let coverage = &campaign.coverage;
    say("");
    table(coverage);
    let missing = coverage.missing();
    say(&format!("{} seeds of {} steps, {}", campaign.seeds, arguments.steps, rates(campaign, began)));
    if !missing.is_empty() {
        say(&format!("never occurred: {}", missing.join(", ")));
    }
    let whole = campaign.seeds == arguments.seeds;
    if !whole {
        say(&format!("ended after {} of {} seeds", campaign.seeds, arguments.seeds));
    }
    if campaign.failed == 0 && missing.is_empty() && whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn table(coverage: &Coverage) {
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
}
