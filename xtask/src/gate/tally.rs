//! Counting tests in what Rust's test harness prints.

use std::fmt;

/// How many tests passed and failed, and how many an engine couldn't run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub missing: u64,
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
        self.missing += other.missing;
    }

    /// The same, where so many of those that the harness counts as passed said that they are not in this engine.
    pub fn without(self, missing: usize) -> Self {
        let missing = u64::try_from(missing).unwrap_or(u64::MAX).min(self.passed);
        Self { passed: self.passed - missing, missing: self.missing + missing, ..self }
    }

    fn of_line(line: &str) -> Option<Self> {
        let counts = line.trim_start().strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |what: &str| {
            counts.split(';').find_map(|part| part.trim().strip_suffix(what)?.trim().parse::<u64>().ok())
        };
        Some(Self { passed: count("passed")?, failed: count("failed")?, missing: 0 })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)?;
        match self.missing {
            0 => Ok(()),
            missing => write!(formatter, ", {missing} not in this engine"),
        }
    }
}

/// The lines by which scenarios say that this engine can't play them: `not in WebKit: <scenario>: <reason>`.
pub fn not_in<'a>(engine: &str, lines: &'a [String]) -> Vec<&'a str> {
    let start = format!("not in {engine}: ");
    // Where tests run one by one, the harness has begun the line with the test's name.
    lines.iter().filter_map(|line| Some(&line[line.find(&start)?..])).collect()
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
        assert_eq!(Tally::of(&output), Tally { passed: 13, failed: 2, missing: 0 });
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(Tally::of(&lines("test result: \nall 3 passed\n")), Tally::default());
    }

    #[test]
    fn what_an_engine_cannot_play_has_not_passed() {
        let output = lines(
            "running 3 tests\nnot in WebKit: a::b: it has no c\ntest a::b ... ok\n\
             test d ... not in WebKit: d: it has no e\nok\nnot in Firefox: f: g\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        let missing = not_in("WebKit", &output);
        assert_eq!(missing, ["not in WebKit: a::b: it has no c", "not in WebKit: d: it has no e"]);
        let tally = Tally::of(&output).without(missing.len());
        assert_eq!(tally, Tally { passed: 1, failed: 0, missing: 2 });
        assert_eq!(tally.to_string(), "1 passed, 0 failed, 2 not in this engine");
    }

    #[test]
    fn failures_stay_and_passes_go() {
        let output = lines(
            "running 2 tests\ntest a ... ok\ntest b ... FAILED\n   Compiling serde v1.0.0\npanicked at b",
        );
        assert_eq!(without_passed(&output), lines("test b ... FAILED\npanicked at b"));
    }
}
