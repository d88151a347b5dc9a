//! How bad a run's world is: drawn once from the seed, so that some runs are calm and others are stormy.

use crate::chance::Chance;

/// Rates in thousandths, times in milliseconds.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Messages that are lost.
    pub loss: u64,
    /// Requests that arrive twice.
    pub doubled: u64,
    /// Requests that arrive long after they were given up.
    pub late: u64,
    /// Steps at which something goes wrong.
    pub faults: u64,
    /// The longest that a message is on its way.
    pub latency_max: u64,
    /// The longest pause between two deeds of a person's.
    pub pause_max: u64,
    /// The most people.
    pub people_max: u64,
    /// Steps at which the books are copied, or put back.
    pub restores: u64,
}

impl Weather {
    /// Draws the weather.
    pub fn draw(chance: &mut Chance) -> Self {
        Weather {
            loss: *chance.one(&[0, 15, 60, 150]),
            doubled: *chance.one(&[0, 20, 120]),
            late: *chance.one(&[0, 10, 50]),
            faults: *chance.one(&[0, 4, 10, 20]),
            latency_max: *chance.one(&[4, 150, 2_000]),
            pause_max: *chance.one(&[500, 10_000, 90_000]),
            people_max: *chance.one(&[2, 3, 4]),
            restores: *chance.one(&[0, 0, 2, 5]),
        }
    }

    /// How long one message is on its way.
    pub fn latency(&self, chance: &mut Chance) -> u64 {
        chance.between(1, self.latency_max)
    }
}
