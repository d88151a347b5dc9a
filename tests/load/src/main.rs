//! Load on the real program, and what it costs (docs/performance.md). `cargo xtask bench` runs it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use tuppence_load::figures::{Browser, Report};
use tuppence_load::suite::{self, Plan};
use tuppence_load::{bare, figures, report};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the program
    Measure(Measure),
    /// Write the document again from figures that were measured before
    Render(Render),
    /// Serve the bare endpoint that the program is compared with
    Bare {
        /// Where it listens
        #[arg(long)]
        port: u16,
        /// Bytes of an answer's body
        #[arg(long)]
        answer_bytes: usize,
    },
}

#[derive(Args)]
struct Measure {
    /// The program
    #[arg(long)]
    program: PathBuf,
    /// Where data are written, on the disk that is to be measured
    #[arg(long)]
    folder: PathBuf,
    /// The document that gets the figures; its folder `performance` gets pictures and JSON. They are printed too
    #[arg(long)]
    document: Option<PathBuf>,
    /// Where criterion has left its estimates
    #[arg(long)]
    criterion: Option<PathBuf>,
    /// Where the wallet's figures in a browser are
    #[arg(long)]
    browser: Option<PathBuf>,
    /// Have perf sample the program too, and draw a flame graph here
    #[arg(long)]
    flame: Option<PathBuf>,
    /// Some seconds alone, to see that all works
    #[arg(long)]
    quick: bool,
    /// Connections, instead of the usual ones
    #[arg(long, value_delimiter = ',')]
    connections: Option<Vec<u64>>,
    /// Purses, instead of the usual numbers
    #[arg(long, value_delimiter = ',')]
    purses: Option<Vec<u64>>,
    /// Repetitions, instead of the usual number
    #[arg(long)]
    repetitions: Option<u64>,
    /// Threads of the generator, instead of the usual number
    #[arg(long)]
    threads: Option<u64>,
}

#[derive(Args)]
struct Render {
    /// The document; the figures are in its folder `performance`
    #[arg(long)]
    document: PathBuf,
    /// Where criterion has left newer estimates
    #[arg(long)]
    criterion: Option<PathBuf>,
    /// Where newer figures of the wallet in a browser are
    #[arg(long)]
    browser: Option<PathBuf>,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Measure(arguments) => measure(arguments),
        Command::Render(arguments) => render(&arguments),
        Command::Bare { port, answer_bytes } => bare::serve(port, answer_bytes),
    }
}

fn measure(arguments: Measure) -> Result<()> {
    let usual = if arguments.quick { Plan::quick() } else { Plan::full() };
    let plan = Plan {
        connections: arguments.connections.unwrap_or(usual.connections),
        purses: arguments.purses.unwrap_or(usual.purses),
        repetitions: arguments.repetitions.unwrap_or(usual.repetitions),
        threads: arguments.threads.unwrap_or(usual.threads),
        flame: arguments.flame,
        ..usual
    };
    let tell = |text: &str| say(text);
    let mut report = suite::measure(&arguments.program, &arguments.folder, &plan, tell)?;
    complete(&mut report, arguments.criterion.as_deref(), arguments.browser.as_deref())?;
    if let Some(document) = arguments.document {
        report::write(&report, &document, &document.with_extension(""))?;
    }
    say(&report::markdown(&report)?);
    Ok(())
}

fn render(arguments: &Render) -> Result<()> {
    let folder = arguments.document.with_extension("");
    let mut report: Report = serde_json::from_slice(&fs::read(folder.join("figures.json"))?)?;
    complete(&mut report, arguments.criterion.as_deref(), arguments.browser.as_deref())?;
    report::write(&report, &arguments.document, &folder)
}

/// Adds what others have measured.
fn complete(report: &mut Report, criterion: Option<&Path>, browser: Option<&Path>) -> Result<()> {
    if let Some(folder) = criterion {
        report.micro_nanos = figures::criterion(folder)?;
    }
    if let Some(file) = browser {
        report.browser = Some(Browser::read(file)?);
    }
    Ok(())
}

/// A closed standard output is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
