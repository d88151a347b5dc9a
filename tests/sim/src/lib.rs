//! A seeded simulator: the payment center, shops and wallets in one process and one thread, all from a seed.
//!
//! ```text
//! world     everybody, and one step after another      kernel    tasks, wishes and the queue of what happens
//! center    the real engine over a simulated disk      broker    its budgets
//! shop      the real storefront over its real store    budget    what people do with a budget there
//! device    the wallet's ports; the real wallet on them person   what people do with it
//! reader    readers with budgets in paywords, without a wallet
//! rogue     whoever means harm                          faults    what goes wrong, by the weather
//! restores  older copies of the center's books    auditor   books of its own, and the invariants        coverage  how often everything occurred
//! ```
//!
//! Time, chance, network, disks, processes and clocks are the world's. Nothing reads the machine's, so a seed replays
//! itself to the byte.

#![allow(
    clippy::expect_used,
    reason = "the simulator is a test: what its own fixture promises is expected of it"
)]

pub mod auditor;
mod broker;
mod budget;
pub mod campaign;
pub mod center;
pub mod chance;
pub mod coverage;
pub mod device;
pub mod disk;
mod ending;
mod faults;
pub mod fixture;
pub mod kernel;
pub mod person;
pub mod reader;
mod restores;
pub mod rogue;
mod rogue_budget;
pub mod shop;
pub mod trace;
mod trade;
mod weather;
pub mod world;

use std::io::Write;

use auditor::Violation;
use coverage::Coverage;
use world::World;

/// Steps of a run before everything is brought to rest, unless somebody says otherwise.
pub const STEPS: u64 = 1_500;

/// What a run has led to.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The steps that were made.
    pub steps: u64,
    /// The hash of everything that happened.
    pub hash: u64,
    /// The invariant that did not hold, and at which step.
    pub violation: Option<(u64, Violation)>,
    /// What occurred.
    pub coverage: Coverage,
}

/// Runs one seed: so many steps in its weather, then to rest.
pub fn run(seed: u64, steps: u64, verbose: bool) -> Outcome {
    let mut world = World::new(seed, verbose);
    while world.steps() < steps && world.violation().is_none() && world.step() {}
    if world.violation().is_none() {
        world.end();
    }
    world.outcome(seed)
}

/// Prints a line; a closed output is no reason to stop.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
