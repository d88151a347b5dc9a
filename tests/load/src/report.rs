//! The figures as docs/performance.md shows them: each target beside what was measured.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::buyer::Work;
use crate::figures::{Point, Report, Run, float};
use crate::plot::{self, thousands};
use crate::shop;
use crate::suite::COMPARED_CONNECTIONS;

/// Between these lines of the document stands what is measured.
const BEGIN: &str =
    "<!-- measured: what stands from here to the end mark is written by `cargo xtask bench` -->";
const END: &str = "<!-- end of what is measured -->";

/// Writes the figures as JSON and as pictures into `folder`, and into the document beside that folder.
///
/// # Errors
/// If a file cannot be written, or the document has no place for them.
pub fn write(report: &Report, document: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("figures.json"), serde_json::to_string_pretty(report)? + "\n")?;
    plot::draw(report, folder)?;
    let text = fs::read_to_string(document).with_context(|| format!("reading {}", document.display()))?;
    let (before, rest) = text.split_once(BEGIN).context("the document has no place for figures")?;
    let (_, after) = rest.split_once(END).context("the place for figures has no end")?;
    fs::write(document, format!("{before}{BEGIN}\n\n{}\n{END}{after}", markdown(report)?))?;
    Ok(())
}

/// The figures as text.
///
/// # Errors
/// If there are none at the connections that targets are set for.
pub fn markdown(report: &Report) -> Result<String> {
    let mut text = String::new();
    let machine = &report.machine;
    let method = &report.method;
    writeln!(
        text,
        "Measured {} at commit `{}` on {} processors ({}, {} of memory, {}); a synced append of 4 KiB takes {:.0} µs \
         there. Each figure is the median of {} repetitions of {:.0} s, with their least and most; the load average \
         of the machine just before stands beside it. What a machine does in a second differs from one to the next: \
         ratios within one run are what counts. A request has {} bytes and an answer {} (means of S4 and S6).{}\n",
        machine.date,
        machine.commit,
        machine.processors,
        machine.processor,
        gigabytes(machine.memory_bytes),
        machine.system,
        machine.sync_micros,
        report.load.first().map_or(0, |point| point.runs.len()),
        method.seconds,
        method.request_bytes,
        method.answer_bytes,
        if method.quick { " **A quick run: it shows that all works, and nothing of speed.**" } else { "" },
    )?;
    targets(report, &mut text)?;
    by_connections(report, &mut text)?;
    shop::report::markdown(&report.shop, &mut text)?;
    by_purses(report, &mut text)?;
    stages(report, &mut text)?;
    browser(report, &mut text)?;
    micro(report, &mut text)?;
    Ok(text)
}

/// A target, what was measured, and whether that is enough.
fn targets(report: &Report, text: &mut String) -> Result<()> {
    let compared = payments(report, COMPARED_CONNECTIONS)?;
    let alone = payments(report, 1)?;
    writeln!(text, "| target | measured | spread | |\n|---|---|---|---|")?;
    let mut row = |target: &str, measured: String, spread: String, met: bool| {
        writeln!(text, "| {target} | {measured} | {spread} | {} |", if met { "met" } else { "**missed**" })
    };
    let ratio = |run: &Run| run.bare_per_second.map_or(0.0, |bare| run.per_second / bare);
    let share = compared.median(ratio);
    row(
        "payments/s at 64 connections, as a share of the bare endpoint's requests/s: at least 0.08, aim 0.20",
        format!("{share:.3}"),
        spread(compared, ratio, |figure| format!("{figure:.3}")),
        share >= 0.08,
    )?;
    let millis = |figure: f64| format!("{:.1} ms", figure / 1_000.0);
    let p99 = |run: &Run| f64::from(run.total.p99);
    for (point, most, what) in [
        (compared, 25_000.0, "99 of 100 payments at 64 connections within 25 ms"),
        (alone, 3_000.0, "99 of 100 payments at one connection within 3 ms"),
    ] {
        let measured = point.median(p99);
        row(what, millis(measured), spread(point, p99, millis), measured < most)?;
    }
    if let (Some(few), Some(many)) = (report.growth.first(), report.growth.last())
        && few.point.purses < many.point.purses
    {
        let pairs = || few.point.runs.iter().zip(&many.point.runs);
        let slower: Vec<f64> = pairs().map(|(few, many)| 1.0 - many.per_second / few.per_second).collect();
        let middle = crate::figures::median(slower.iter().copied());
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let least = slower.iter().copied().fold(f64::INFINITY, f64::min);
        let most = slower.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row(
            &format!(
                "slower with {} purses than with {}: less than 10 %",
                thousands(&float(many.point.purses)),
                thousands(&float(few.point.purses))
            ),
            percent(middle),
            format!("{} to {}", percent(least), percent(most)),
            middle < 0.10,
        )?;
        let memory = float(many.memory_bytes_max);
        row(
            &format!("memory with {} purses under 300 MB", thousands(&float(many.point.purses))),
            megabytes(memory),
            "the most that it had".to_owned(),
            memory < 300e6,
        )?;
    }
    let steps = |run: &Run| run.steps_per_sync;
    let shared = compared.median(steps);
    row(
        "steps for each sync at 64 connections: at least 20",
        format!("{shared:.1}"),
        spread(compared, steps, |figure| format!("{figure:.1}")),
        shared >= 20.0,
    )?;
    if let Some(browser) = &report.browser {
        row(
            "the wallet's processor time for a payment in the browser under 5 ms",
            format!("{:.1} ms", browser.cpu_millis),
            format!("{} payments in {}", browser.payments, browser.name),
            browser.cpu_millis < 5.0,
        )?;
    }
    writeln!(text)?;
    Ok(())
}

fn by_connections(report: &Report, text: &mut String) -> Result<()> {
    writeln!(
        text,
        "![Payments and earnings each second, and how long a payment takes, by connections](performance/load.svg)\n"
    )?;
    writeln!(
        text,
        "| | connections | each second | spread | half within | 99 % | 99.9 % | program's CPU | of it committer | \
         generator's CPU | written | steps a sync | load average |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for point in &report.load {
        let name = match point.work {
            Work::Payments => "payments",
            Work::Earnings => "earnings",
        };
        figures(&format!("{name} | {}", point.connections), point, text)?;
    }
    if let Ok(point) = payments(report, COMPARED_CONNECTIONS) {
        let bare = |run: &Run| run.bare_per_second.unwrap_or(0.0);
        writeln!(
            text,
            "\nThe bare endpoint answered {} requests each second at {COMPARED_CONNECTIONS} connections ({}).\n",
            thousands(&point.median(bare)),
            spread(point, bare, |figure| thousands(&figure)),
        )?;
    }
    Ok(())
}

fn by_purses(report: &Report, text: &mut String) -> Result<()> {
    writeln!(
        text,
        "![Payments each second and processor time of a payment, by purses in the database](performance/growth.svg)\n"
    )?;
    writeln!(
        text,
        "| purses | database | memory | each second | spread | half within | 99 % | 99.9 % | program's CPU | of it \
         committer | generator's CPU | written | steps a sync | load average |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for growth in &report.growth {
        let (purses, database) =
            (thousands(&float(growth.point.purses)), megabytes(float(growth.database_bytes)));
        let memory = megabytes(float(growth.memory_bytes_max));
        figures(&format!("{purses} | {database} | {memory}"), &growth.point, text)?;
    }
    writeln!(text, "\nAfterwards `tuppence audit` said of the largest books: {}.\n", report.audit)?;
    Ok(())
}

fn figures(head: &str, point: &Point, text: &mut String) -> Result<()> {
    let millis =
        |figure: fn(&Run) -> u32| format!("{:.2} ms", point.median(|run| f64::from(figure(run))) / 1_000.0);
    let micros = |figure: fn(&Run) -> f64| format!("{:.0} µs", point.median(figure));
    writeln!(
        text,
        "| {head} | {} | {} | {} | {} | {} | {} | {} | {} | {:.1} KB | {:.1} | {:.1} |",
        thousands(&point.median(|run| run.per_second)),
        spread(point, |run| run.per_second, |figure| thousands(&figure)),
        millis(|run| run.total.p50),
        millis(|run| run.total.p99),
        millis(|run| run.total.p99_9),
        micros(|run| run.cpu_micros),
        micros(|run| run.committer_micros),
        micros(|run| run.generator_micros),
        point.median(|run| run.written_bytes) / 1_000.0,
        point.median(|run| run.steps_per_sync),
        point.median(|run| run.load_average),
    )?;
    Ok(())
}

fn stages(report: &Report, text: &mut String) -> Result<()> {
    if report.stage_micros.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "Where the program's processor time goes at 64 connections ([flame graph](performance/flame.svg)):\n"
    )?;
    writeln!(text, "| stage | of a payment |\n|---|---|")?;
    for (name, micros) in &report.stage_micros {
        writeln!(text, "| {name} | {micros:.1} µs |")?;
    }
    let sum: f64 = report.stage_micros.iter().map(|(_, micros)| micros).sum();
    writeln!(text, "| **together** | **{sum:.1} µs** |\n")?;
    Ok(())
}

fn browser(report: &Report, text: &mut String) -> Result<()> {
    let Some(browser) = &report.browser else { return Ok(()) };
    writeln!(
        text,
        "The wallet in headless {}, {} payments one after the other: half of them take {:.1} ms of processor time on the \
         page's main thread or less ({:.1} ms in scripts and the wallet's module, the rest in the browser), 99 of 100 \
         at most {:.1} ms; half of them {:.1} ms from the call to the article. What measuring costs, {:.2} ms, is taken \
         off the processor times.\n",
        browser.name,
        browser.payments,
        browser.cpu_millis,
        browser.script_millis,
        browser.cpu_millis_p99,
        browser.elapsed_millis,
        browser.idle_millis,
    )?;
    Ok(())
}

fn micro(report: &Report, text: &mut String) -> Result<()> {
    if report.micro_nanos.is_empty() {
        return Ok(());
    }
    writeln!(text, "| micro-benchmark | time |\n|---|---|")?;
    for (name, nanos) in &report.micro_nanos {
        writeln!(text, "| {name} | {:.2} µs |", nanos / 1_000.0)?;
    }
    writeln!(text)?;
    Ok(())
}

fn payments(report: &Report, connections: u64) -> Result<&Point> {
    let is_it = |point: &&Point| point.work == Work::Payments && point.connections == connections;
    let point = report
        .load
        .iter()
        .find(is_it)
        .with_context(|| format!("no payments at {connections} connections"))?;
    ensure!(!point.runs.is_empty(), "nothing was measured");
    Ok(point)
}

fn spread(point: &Point, figure: impl Fn(&Run) -> f64, show: impl Fn(f64) -> String) -> String {
    let (least, most) = point.spread(figure);
    format!("{} to {}", show(least), show(most))
}

fn megabytes(bytes: f64) -> String {
    format!("{:.0} MB", bytes / 1e6)
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.0} GB", float(bytes) / 1e9)
}
