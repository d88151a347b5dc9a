//! Purses and pending steps that were read or written lately, so that a payment reads nothing twice.
//!
//! It holds what is committed, and nothing else: it follows a batch after its commit, and forgets everything after one
//! whose end is unknown. One program at a time writes a database, so nobody else changes what is held here.

use std::collections::HashMap;
use std::hash::Hash;

use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::center::{Purse, Step, StepKey, StepState};

use super::super::Changes;

/// Purses that are held at least, if there are as many; at most twice as many are.
const PURSES: usize = 32_768;

/// Pending steps that are held at least; likewise.
const STEPS: usize = 16_384;

/// What is held.
#[derive(Debug)]
pub(super) struct Cache {
    purses: Recent<Serial, Purse>,
    steps: Recent<StepKey, Step>,
}

impl Default for Cache {
    fn default() -> Self {
        Cache { purses: Recent::new(PURSES), steps: Recent::new(STEPS) }
    }
}

impl Cache {
    /// The purse of a buyer, if it is held.
    pub fn purse(&mut self, customer: Serial) -> Option<&Purse> {
        self.purses.find(&customer)
    }

    /// A pending step, if it is held.
    pub fn step(&mut self, key: StepKey) -> Option<&Step> {
        self.steps.find(&key)
    }

    /// Holds a purse as it was read.
    pub fn read_purse(&mut self, purse: &Purse) {
        self.purses.put(purse.custom_id.serial_number, purse.clone());
    }

    /// Follows changes that were committed.
    pub fn follow(&mut self, changes: &Changes) {
        for change in &changes.purses {
            self.purses.put(change.after.custom_id.serial_number, change.after.clone());
        }
        for change in &changes.steps {
            let step = &change.after;
            // What has ended is asked for again only where an answer was lost.
            match step.state {
                StepState::Pending => self.steps.put(step.key, step.clone()),
                StepState::Posted(_) | StepState::Voided(..) => self.steps.forget(&step.key),
            }
        }
    }
}

/// Values by key in two generations: when the young one is full it becomes the old one, and what was old and not
/// asked for meanwhile is forgotten.
#[derive(Debug)]
struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    full: usize,
}

impl<K: Hash + Eq + Copy, V> Recent<K, V> {
    fn new(full: usize) -> Self {
        Recent { young: HashMap::new(), old: HashMap::new(), full }
    }

    fn find(&mut self, key: &K) -> Option<&V> {
        if let Some(value) = self.old.remove(key) {
            self.put(*key, value);
        }
        self.young.get(key)
    }

    fn put(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.full && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    fn forget(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_makes_room() {
        let mut recent = Recent::new(3);
        for key in 0..100 {
            recent.put(key, key);
            assert_eq!(recent.find(&0), Some(&0), "after {key}");
            assert!(recent.young.len() <= 3 && recent.old.len() <= 3);
        }
        assert_eq!(recent.find(&99), Some(&99));
        assert_eq!(recent.find(&1), None);
    }

    #[test]
    fn a_newer_value_takes_the_place_of_an_old_one_in_either_generation() {
        let mut recent = Recent::new(1);
        recent.put('a', 1);
        recent.put('b', 1);
        recent.put('a', 2);
        assert_eq!(recent.find(&'a'), Some(&2));
        recent.put('b', 1);
        recent.forget(&'a');
        assert_eq!(recent.find(&'a'), None);
    }
}
