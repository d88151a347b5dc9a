//! What is reported: numbers in the units that their names say, as they go into the JSON file.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::buyer::{Done, Work};
use crate::process::Usage;
use crate::shop::report::ShopPoint;

/// All that one run of the command has measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// Where and when.
    pub machine: Machine,
    /// How it was measured.
    pub method: Method,
    /// Payments and earnings by connections, with the smallest number of purses.
    pub load: Vec<Point>,
    /// Payments at 64 connections by purses.
    pub growth: Vec<Growth>,
    /// Repeated payments at a shop.
    #[serde(default)]
    pub shop: Vec<ShopPoint>,
    /// What `tuppence audit` said of the largest books afterwards.
    pub audit: String,
    /// The program's processor time for a payment at 64 connections by stage, in millionths of a second: the parts of
    /// samples, applied to the time that was measured without sampling.
    pub stage_micros: Vec<(String, f64)>,
    /// Micro-benchmarks by name, in nanoseconds.
    pub micro_nanos: Vec<(String, f64)>,
    /// The wallet in a browser, if it was measured.
    pub browser: Option<Browser>,
}

/// Where and when.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Date and time, UTC.
    pub date: String,
    /// The commit, with `+` where the folder had changes.
    pub commit: String,
    /// The processor.
    pub processor: String,
    /// How many of them.
    pub processors: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// The system.
    pub system: String,
    /// A synced append of 4 KiB to a file beside the database, in millionths of a second: the median.
    pub sync_micros: f64,
}

/// How it was measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Method {
    /// A short run, which shows that all works and nothing more.
    pub quick: bool,
    /// Seconds that count, of each repetition.
    pub seconds: f64,
    /// Threads of the generator.
    pub threads: u64,
    /// Mean bytes of a request's body (S4 and S6).
    pub request_bytes: u64,
    /// Mean bytes of an answer's body (S5 and the receipt).
    pub answer_bytes: u64,
}

/// One number of connections.
#[derive(Debug, Serialize, Deserialize)]
pub struct Point {
    /// What was done.
    pub work: Work,
    /// Connections, each with one request on its way at any time.
    pub connections: u64,
    /// Purses in the database.
    pub purses: u64,
    /// Each repetition.
    pub runs: Vec<Run>,
}

/// One number of purses.
#[derive(Debug, Serialize, Deserialize)]
pub struct Growth {
    /// Payments with so many purses.
    pub point: Point,
    /// Bytes of the database and its log when the load began.
    pub database_bytes: u64,
    /// The program's memory after the last repetition, in bytes.
    pub memory_bytes: u64,
    /// The most that it ever had.
    pub memory_bytes_max: u64,
}

/// One repetition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// The machine's load average over a minute when it began.
    pub load_average: f64,
    /// Requests a second of the bare endpoint just before, with as many connections.
    pub bare_per_second: Option<f64>,
    /// Payments or earnings a second.
    pub per_second: f64,
    /// A whole payment, from sending S4 to having the receipt, in millionths of a second.
    pub total: Quantiles,
    /// S4 to S5 alone.
    pub start: Quantiles,
    /// S6 to the receipt alone.
    pub finish: Quantiles,
    /// Processor time of the program for each payment, in millionths of a second.
    pub cpu_micros: f64,
    /// Of these, the committer's.
    pub committer_micros: f64,
    /// Of the program's, the kernel's.
    pub kernel_micros: f64,
    /// Processor time of the generator for each payment, in millionths of a second.
    pub generator_micros: f64,
    /// Bytes that the program had written to storage, for each payment.
    pub written_bytes: f64,
    /// Commands for each commit, which is one sync.
    pub steps_per_sync: f64,
}

/// Times in millionths of a second.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    pub p50: u32,
    /// 99 of 100 are no longer.
    pub p99: u32,
    /// 999 of 1,000.
    pub p99_9: u32,
    /// The longest.
    pub max: u32,
}

/// The wallet in a browser.
#[derive(Debug, Serialize, Deserialize)]
pub struct Browser {
    /// Which browser.
    pub name: String,
    /// Payments that were measured.
    pub payments: u64,
    /// Processor time of the page's main thread for a payment, without what measuring costs, in milliseconds: the median.
    pub cpu_millis: f64,
    /// The same, for the dearest of a hundred.
    pub cpu_millis_p99: f64,
    /// What measuring costs, which is taken off the others: the same where nothing is paid.
    pub idle_millis: f64,
    /// Of the median, what scripts and the wallet's module took; the rest is the browser's own.
    pub script_millis: f64,
    /// From the call to the article, in milliseconds by the clock: the median.
    pub elapsed_millis: f64,
}

impl Quantiles {
    /// Of these times.
    pub fn of(times: impl Iterator<Item = u32>) -> Self {
        let mut times: Vec<u32> = times.collect();
        times.sort_unstable();
        let at = |thousandths: usize| {
            let index = (times.len() * thousandths / 1_000).min(times.len().saturating_sub(1));
            times.get(index).copied().unwrap_or(0)
        };
        Quantiles { p50: at(500), p99: at(990), p99_9: at(999), max: at(1_000) }
    }
}

impl Run {
    /// Of what was done in `seconds`, while program and generator used this.
    pub fn new(done: &[Done], seconds: f64, program: &Usage, generator: &Usage, steps_per_sync: f64) -> Self {
        let count = float(done.len().max(1));
        let each = |sum: u64| float(sum) / count;
        Run {
            load_average: 0.0,
            bare_per_second: None,
            per_second: float(done.len()) / seconds,
            total: Quantiles::of(done.iter().map(|done| done.total_micros)),
            start: Quantiles::of(done.iter().map(|done| done.start_micros)),
            finish: Quantiles::of(done.iter().map(|done| done.finish_micros)),
            cpu_micros: each(program.micros(|_| true)),
            committer_micros: each(program.micros(|thread| thread == "committer")),
            kernel_micros: each(program.system_micros.values().sum()),
            generator_micros: each(generator.micros(|_| true)),
            written_bytes: each(program.written_bytes),
            steps_per_sync,
        }
    }
}

impl Point {
    /// The median of `figure` over the repetitions.
    pub fn median(&self, figure: impl Fn(&Run) -> f64) -> f64 {
        median(self.runs.iter().map(figure))
    }

    /// The least and the most of `figure` over the repetitions.
    pub fn spread(&self, figure: impl Fn(&Run) -> f64) -> (f64, f64) {
        let figures = || self.runs.iter().map(&figure);
        (figures().fold(f64::INFINITY, f64::min), figures().fold(0.0, f64::max))
    }
}

/// The means that criterion has left in `folder`, by name, in nanoseconds.
///
/// # Errors
/// If a file of its is not as expected.
pub fn criterion(folder: &Path) -> Result<Vec<(String, f64)>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
        let estimates = folder.join("estimates.json");
        if !folder.ends_with("new") || !estimates.exists() {
            continue;
        }
        let about: Value = serde_json::from_slice(&fs::read(folder.join("benchmark.json"))?)?;
        let estimates: Value = serde_json::from_slice(&fs::read(estimates)?)?;
        let name = about["full_id"].as_str().context("a benchmark without a name")?.to_owned();
        found.push((name, estimates["mean"]["point_estimate"].as_f64().context("no mean")?));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

impl Browser {
    /// What `browser/measure.mjs` has left in `file`.
    ///
    /// # Errors
    /// If it isn't there, or not as expected.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("figures in {}", file.display()))
    }
}

/// The median; 0 of nothing.
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// A count as a figure; beyond 2^53 it would be rounded.
#[allow(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2^53")]
pub fn float(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_times_that_occurred() {
        let times = Quantiles::of((1..=1_000).rev());
        assert_eq!((times.p50, times.p99, times.p99_9, times.max), (501, 991, 1_000, 1_000));
        assert_eq!(Quantiles::of(std::iter::once(7)).p99_9, 7);
        assert_eq!(Quantiles::of(std::iter::empty()).max, 0);
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < f64::EPSILON);
    }
}
