//! What the figures were measured on.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::figures::{Machine, float, median};

/// Synced appends that are timed.
const APPENDS: u32 = 200;

/// This machine, with `folder` as the place of databases.
///
/// # Errors
/// If the system does not tell.
pub fn this(folder: &Path) -> Result<Machine> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let name = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).context("no memory")?;
    let kib: u64 = kib.trim().trim_end_matches(" kB").parse()?;
    Ok(Machine {
        date: said(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]))?,
        commit: commit()?,
        processor: name.trim_start_matches([' ', '\t', ':']).to_owned(),
        processors: u64::try_from(std::thread::available_parallelism()?.get())?,
        memory_bytes: kib * 1_024,
        system: said(Command::new("uname").arg("-sr"))?,
        sync_micros: sync_micros(folder)?,
    })
}

/// How many threads wanted a processor, over the last minute.
///
/// # Errors
/// If the system does not tell.
pub fn load_average() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}

fn commit() -> Result<String> {
    let head = said(Command::new("git").args(["rev-parse", "--short=10", "HEAD"]))?;
    let changed = said(Command::new("git").args(["status", "--porcelain", "--untracked-files=no"]))?;
    Ok(if changed.is_empty() { head } else { format!("{head}+") })
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn sync_micros(folder: &Path) -> Result<f64> {
    let path = folder.join("sync-probe");
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..APPENDS {
        let begun = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        times.push(float(begun.elapsed().as_nanos()) / 1_000.0);
    }
    drop(file);
    fs::remove_file(&path)?;
    Ok(median(times.into_iter()))
}
