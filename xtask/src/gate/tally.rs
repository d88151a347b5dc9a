//! Counting tests in what Rust's test harness prints.

use std::fmt;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Tally {
    /// The sum of all `test result:` lines. The browser's runner prints the same line.
    pub fn of(lines: &[String]) -> Self {
        lines.iter().filter_map(|line| Self::of_line(line)).fold(Self::default(), |mut sum, tally| {
            sum.add(tally);
            sum
        })
    }

    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    fn of_line(line: &str) -> Option<Self> {
        let counts = line.trim_start().strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |what: &str| {
            counts.split(';').find_map(|part| part.trim().strip_suffix(what)?.trim().parse::<u64>().ok())
        };
        Some(Self { passed: count("passed")?, failed: count("failed")? })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The output without what nobody looks for after a failure: tests that passed, crates that compiled.
pub fn without_passed(lines: &[String]) -> Vec<String> {
    let boring = |line: &str| {
        let line = line.trim_start();
        (line.starts_with("test ") && line.ends_with("... ok"))
            || ["Compiling ", "Checking ", "Downloaded ", "Downloading ", "Fresh ", "running "]
                .iter()
                .any(|start| line.starts_with(start))
            || line.starts_with("test result: ok")
    };
    let mut kept: Vec<String> = lines.iter().filter(|line| !boring(line)).cloned().collect();
    kept.dedup_by(|next, previous| next.is_empty() && previous.is_empty());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_result_lines_of_all_targets_are_summed() {
        let output = lines(
            "running 3 tests\ntest a ... ok\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        );
        assert_eq!(Tally::of(&output), Tally { passed: 13, failed: 2 });
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(Tally::of(&lines("test result: \nall 3 passed\n")), Tally::default());
    }

    #[test]
    fn failures_stay_and_passes_go() {
        let output = lines(
            "running 2 tests\ntest a ... ok\ntest b ... FAILED\n   Compiling serde v1.0.0\npanicked at b",
        );
        assert_eq!(without_passed(&output), lines("test b ... FAILED\npanicked at b"));
    }
}
