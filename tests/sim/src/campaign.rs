//! Many runs as one outcome: the same whatever order they ended in.

use std::collections::BTreeMap;

use crate::Outcome;
use crate::auditor::Violation;
use crate::coverage::Coverage;

/// Failures after which a campaign ends.
const FAILURES_MAX: u64 = 10;

/// What some seeds have led to, in their order.
#[derive(Debug, Default)]
pub struct Campaign {
    /// How many seeds.
    pub seeds: u64,
    /// Their steps.
    pub steps: u64,
    /// How many failed.
    pub failed: u64,
    /// What occurred.
    pub coverage: Coverage,
    /// Those that wait for an earlier one.
    early: BTreeMap<u64, Outcome>,
}

impl Campaign {
    /// Takes the outcome of the seed at this place, from 0, and tells the failures that count now: seed, step and what
    /// did not hold.
    pub fn take(&mut self, place: u64, outcome: Outcome) -> Vec<(u64, u64, Violation)> {
        self.early.insert(place, outcome);
        let mut failures = Vec::new();
        while !self.has_enough()
            && let Some(outcome) = self.early.remove(&self.seeds)
        {
            self.seeds += 1;
            self.steps += outcome.steps;
            self.coverage.add(&outcome.coverage);
            if let Some((step, violation)) = outcome.violation {
                self.failed += 1;
                failures.push((outcome.seed, step, violation));
            }
        }
        failures
    }

    /// Whether so many have failed that more tell nothing.
    pub fn has_enough(&self) -> bool {
        self.failed >= FAILURES_MAX
    }
}
