//! What repeated payments cost the shop, beside the bare endpoint and the center's payments of the same run.

use std::fmt::Write;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::payer::Method;
use crate::figures::{Quantiles, float, median};
use crate::plot::thousands;
use crate::process::Usage;

/// What was measured of one method at one number of connections.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShopPoint {
    /// What readers paid with.
    pub method: Method,
    /// Connections, each with one request on its way at any time.
    pub connections: u64,
    /// Each repetition.
    pub runs: Vec<ShopRun>,
}

/// One repetition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShopRun {
    /// Requests a second of the bare endpoint just before, with as many connections.
    pub bare_per_second: f64,
    /// Sales a second, each stored and synced before its answer left.
    pub per_second: f64,
    /// From the request to the article, in millionths of a second.
    pub total: Quantiles,
    /// Processor time of the program for each sale, in millionths of a second.
    pub cpu_micros: f64,
    /// Of these, the writer's.
    pub writer_micros: f64,
    /// Processor time of the generator for each sale, in millionths of a second.
    pub generator_micros: f64,
    /// Bytes that the program had written to storage, for each sale.
    pub written_bytes: f64,
}

impl ShopRun {
    /// Of sales that took so long, in `seconds`, while program and generator used this.
    pub fn new(micros: &[u32], seconds: f64, bare: f64, program: &Usage, generator: &Usage) -> Self {
        let count = float(micros.len().max(1));
        let each = |sum: u64| float(sum) / count;
        ShopRun {
            bare_per_second: bare,
            per_second: float(micros.len()) / seconds,
            total: Quantiles::of(micros.iter().copied()),
            cpu_micros: each(program.micros(|_| true)),
            writer_micros: each(program.micros(|thread| thread == "shop-writer")),
            generator_micros: each(generator.micros(|_| true)),
            written_bytes: each(program.written_bytes),
        }
    }

    /// How many bare requests fit into the time of one sale.
    fn bare_requests(&self) -> f64 {
        self.bare_per_second / self.per_second
    }
}

impl ShopPoint {
    fn median(&self, figure: impl Fn(&ShopRun) -> f64) -> f64 {
        median(self.runs.iter().map(figure))
    }
}

/// The part of the document.
///
/// # Errors
/// None: a text takes everything.
pub fn markdown(points: &[ShopPoint], text: &mut String) -> Result<()> {
    if points.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "Repeated payments at a shop whose center is away: each is checked, stored and synced by the shop alone, and sends \
         the center no message. The target is at most 2 requests of the bare endpoint for one.\n"
    )?;
    writeln!(
        text,
        "| paid in | connections | each second | half within | 99 % | 99.9 % | bare requests for one | program's CPU | \
         of it writer | generator's CPU | written | |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for point in points {
        let name = match point.method {
            Method::VendorScrip => "the shop's scrip",
            Method::Payword => "paywords",
        };
        let millis = |figure: fn(&Quantiles) -> u32| {
            format!("{:.2} ms", point.median(|run| f64::from(figure(&run.total))) / 1_000.0)
        };
        let bare = point.median(ShopRun::bare_requests);
        writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {bare:.1} | {:.0} µs | {:.0} µs | {:.0} µs | {:.1} KB | {} |",
            point.connections,
            thousands(&point.median(|run| run.per_second)),
            millis(|times| times.p50),
            millis(|times| times.p99),
            millis(|times| times.p99_9),
            point.median(|run| run.cpu_micros),
            point.median(|run| run.writer_micros),
            point.median(|run| run.generator_micros),
            point.median(|run| run.written_bytes) / 1_000.0,
            if bare <= 2.0 { "met" } else { "**missed**" },
        )?;
    }
    writeln!(text)?;
    Ok(())
}
