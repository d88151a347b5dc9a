//! The simulator in the gate: some dozens of seeds, each to the end, and the simulator's own promises.

use std::collections::BTreeSet;

use tuppence_sim::auditor::invariants::Invariant;
use tuppence_sim::coverage::{FAULTS, STATES};
use tuppence_sim::run;

/// Seeds that the gate runs.
const SEEDS: u64 = 24;
/// Steps of each before everything is brought to rest.
const STEPS: u64 = 1_200;

#[test]
fn every_invariant_holds_in_some_dozens_of_worlds() {
    for seed in 1..=SEEDS {
        let outcome = run(seed, STEPS, false);
        if let Some((step, violation)) = outcome.violation {
            panic!(
                "seed {seed}, step {step}: {} does not hold: {}\nreplay it: cargo xtask sim --seed {seed} --steps {STEPS}",
                violation.invariant.as_str(),
                violation.what
            );
        }
    }
}

#[test]
fn a_seed_replays_itself_to_the_byte() {
    let (first, again, other) = (run(7, STEPS, false), run(7, STEPS, false), run(8, STEPS, false));
    assert_eq!((first.hash, first.steps), (again.hash, again.steps));
    assert_eq!(first.coverage.rows(), again.coverage.rows());
    assert_ne!(first.hash, other.hash);
}

#[test]
fn the_document_lists_every_invariant_with_its_words() {
    let document = include_str!("../../../docs/reliability.md");
    for invariant in Invariant::ALL {
        let row = format!("| `{}` | {} |", invariant.as_str(), invariant.words());
        assert!(document.contains(&row), "docs/reliability.md lacks:\n{row}");
    }
}

#[test]
fn names_are_unique() {
    let mut names: BTreeSet<&str> = Invariant::ALL.iter().map(|invariant| invariant.as_str()).collect();
    names.extend(FAULTS);
    names.extend(STATES);
    assert_eq!(names.len(), Invariant::ALL.len() + FAULTS.len() + STATES.len());
}
