//! Where the program's processor time goes: stacks that `perf` samples under load, as a table by stage and as a flame
//! graph (Gregg 2011).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::figures::float;

/// Samples a second of each thread; not a divisor of anything that the program does by the clock.
const FREQUENCY: &str = "397";

/// How the call chain is found: from the unwind tables, in so many bytes of stack.
const CALL_GRAPH: &str = "dwarf,24576";

/// Width and height of a frame in the picture, in pixels.
const WIDTH: f64 = 1_180.0;
const ROW: f64 = 17.0;

/// A stack, from the thread's name to the innermost function.
type Stack = Vec<String>;

/// A stage of a payment: its name, and the functions whose time is its.
struct Stage {
    name: &'static str,
    functions: &'static [&'static str],
}

/// The stages, the more special before what surrounds them: the first that a stack has is its own.
const STAGES: [Stage; 13] = [
    Stage { name: "sync to the disk", functions: &["unixSync", "full_fsync", "fdatasync"] },
    Stage { name: "checkpoint", functions: &["walCheckpoint", "sqlite3WalCheckpoint"] },
    Stage {
        name: "log: pages and their checksums",
        functions: &["walFrames", "sqlite3WalFrames", "pagerWalFrames"],
    },
    Stage { name: "rows: written", functions: &["sqlite::write::", "sqlite::SqliteStore::write"] },
    Stage {
        name: "rows: read",
        functions: &["sqlite::load::", "SqliteStore as tuppence_server::store::Store>::load"],
    },
    Stage {
        name: "commit, otherwise",
        functions: &["SqliteStore as tuppence_server::store::Store>::commit"],
    },
    Stage { name: "rules: seals, scrip, replies", functions: &["tuppence_protocol::scrip::center"] },
    Stage { name: "rules: books and checks", functions: &["working_set", "tuppence_server::center::"] },
    Stage { name: "committer, otherwise", functions: &["committer"] },
    Stage { name: "JSON is read", functions: &["http::message::decode", "serde_json::de::"] },
    Stage { name: "JSON is written", functions: &["serde_json::ser::", "serde_json::to_"] },
    Stage {
        name: "system: network",
        functions: &[
            "tcp_",
            "sock_",
            "__sys_recv",
            "__sys_send",
            "ksys_read",
            "ksys_write",
            "__x64_sys_recvfrom",
            "__x64_sys_sendto",
            "writev",
            "recv",
            "send",
        ],
    },
    Stage { name: "system: waiting and waking", functions: &["epoll", "futex", "eventfd", "__schedule"] },
];

/// What every other stack is.
const OTHERWISE: &str = "web server and middleware";

/// Samples of a running program.
pub struct Samples {
    perf: Child,
}

impl Samples {
    /// Samples the process `id` until [`Samples::stacks`], into `file`.
    ///
    /// # Errors
    /// If `perf` cannot be started.
    pub fn start(id: u32, file: &Path) -> Result<Self> {
        let mut command = Command::new("perf");
        command.args(["record", "--quiet", "-F", FREQUENCY, "--call-graph", CALL_GRAPH, "-p"]);
        command.arg(id.to_string()).arg("-o").arg(file);
        let perf = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Ok(Samples { perf: perf.context("starting perf")? })
    }

    /// Ends sampling and gives the stacks in `file`.
    ///
    /// # Errors
    /// If `perf` cannot read what it wrote.
    pub fn stacks(mut self, file: &Path) -> Result<Vec<Stack>> {
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.perf.id())?);
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT)?;
        self.perf.wait()?;
        let mut command = Command::new("perf");
        command.args(["script", "--no-inline", "-F", "comm,ip,sym", "-i"]).arg(file);
        let output = command.stderr(Stdio::null()).output().context("starting perf")?;
        ensure!(output.status.success(), "perf script failed");
        Ok(stacks(&String::from_utf8_lossy(&output.stdout)))
    }
}

/// Stacks in what `perf script -F comm,ip,sym` prints.
fn stacks(text: &str) -> Vec<Stack> {
    let samples = text.split("\n\n").filter_map(|sample| {
        let mut lines = sample.lines().filter(|line| !line.trim().is_empty());
        let thread = lines.next()?.trim().to_owned();
        let mut frames: Vec<String> =
            lines.filter_map(|line| Some(short(line.trim().split_once(' ')?.1))).collect();
        frames.push(thread);
        frames.reverse();
        Some(frames)
    });
    samples.collect()
}

/// A function's name without hashes and crates' numbers.
fn short(symbol: &str) -> String {
    let end = symbol.rfind("::h").filter(|at| symbol.len() - at == 19);
    symbol.get(..end.unwrap_or(symbol.len())).unwrap_or(symbol).to_owned()
}

/// Each stage's part of `micros`, the greatest first.
pub fn by_stage(stacks: &[Stack], micros: f64) -> Vec<(&'static str, f64)> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for stack in stacks {
        *counts.entry(stage(stack)).or_default() += 1;
    }
    let all = float(stacks.len().max(1));
    let mut parts: Vec<_> =
        counts.into_iter().map(|(name, count)| (name, micros * float(count) / all)).collect();
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    parts
}

fn stage(stack: &Stack) -> &'static str {
    let has = |part: &str| stack.iter().any(|frame| frame.contains(part));
    let found = STAGES.iter().find(|stage| stage.functions.iter().any(|function| has(function)));
    found.map_or(OTHERWISE, |stage| stage.name)
}

/// A function in the picture, with those that it calls.
#[derive(Default)]
struct Frame {
    count: usize,
    calls: BTreeMap<String, Frame>,
}

impl Frame {
    fn add(&mut self, stack: &[String]) {
        self.count += 1;
        if let Some((first, rest)) = stack.split_first() {
            self.calls.entry(first.clone()).or_default().add(rest);
        }
    }

    fn depth(&self, least: usize) -> usize {
        let shown = self.calls.values().filter(|frame| frame.count >= least);
        shown.map(|frame| 1 + frame.depth(least)).max().unwrap_or(0)
    }
}

/// Draws the stacks into `file`: a frame is as wide as the time that it has, and stands on its caller. Pointing at a
/// frame shows its name and part.
///
/// # Errors
/// If the file cannot be written.
pub fn draw(stacks: &[Stack], file: &Path) -> Result<()> {
    let mut root = Frame::default();
    stacks.iter().for_each(|stack| root.add(stack));
    // What is narrower than a pixel or so shows nothing.
    let least = (root.count / 700).max(1);
    let height = ROW * float(root.depth(least)) + 40.0;
    let mut svg = String::new();
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"10\" y=\"18\" \
         font-size=\"13\" fill=\"#1f2937\">Processor time of the center under payments, by caller (below) and called \
         (above); {count} samples</text>",
        w = WIDTH + 20.0,
        count = root.count
    )?;
    frames(&root, 10.0, height - 10.0 - ROW, WIDTH / float(root.count.max(1)), least, root.count, &mut svg)?;
    svg.push_str("</svg>\n");
    fs::write(file, svg).with_context(|| format!("writing {}", file.display()))
}

fn frames(
    of: &Frame,
    left: f64,
    bottom: f64,
    each: f64,
    least: usize,
    all: usize,
    svg: &mut String,
) -> Result<()> {
    let mut x = left;
    for (name, frame) in &of.calls {
        let width = float(frame.count) * each;
        if frame.count >= least {
            let percent = 100.0 * float(frame.count) / float(all.max(1));
            let name_escaped = escaped(name);
            writeln!(
                svg,
                "<g><title>{name_escaped} ({percent:.1} %)</title><rect x=\"{x:.1}\" y=\"{bottom:.1}\" \
                 width=\"{width:.1}\" height=\"{height}\" fill=\"{color}\" stroke=\"#fff\"/>{label}</g>",
                height = ROW - 1.0,
                color = color(name),
                label = label(name, x, bottom, width),
            )?;
            frames(frame, x, bottom - ROW, each, least, all, svg)?;
        }
        x += width;
    }
    Ok(())
}

/// The name, as far as it fits.
fn label(name: &str, x: f64, y: f64, width: f64) -> String {
    let mut fits = String::new();
    let mut room = width - 6.0;
    for letter in name.chars() {
        room -= 6.2;
        if room < 0.0 {
            break;
        }
        fits.push(letter);
    }
    if fits.chars().count() < 3 {
        return String::new();
    }
    format!("<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#1f2937\">{}</text>", x + 3.0, y + 12.0, escaped(&fits))
}

/// Ours, SQLite's, the system's and others' functions differ in colour.
fn color(name: &str) -> &'static str {
    if name.contains("tuppence") {
        "#fdba74"
    } else if name.contains("sqlite") || name.starts_with("wal") || name.starts_with("btree") {
        "#93c5fd"
    } else if name.contains("::") {
        "#fde68a"
    } else {
        "#d1d5db"
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "committer \n\t    5f walChecksumBytes\n\t    6f sqlite3WalFrames\n\t    7f main::h0123456789abcdef\n\n\
                           actix \n\t    5f <a as b>::c\n\n";

    #[test]
    fn stacks_are_read_from_their_roots_and_belong_to_a_stage() {
        let stacks = stacks(PRINTED);
        assert_eq!(stacks[0], ["committer", "main", "sqlite3WalFrames", "walChecksumBytes"]);
        let parts = by_stage(&stacks, 10.0);
        let names: Vec<_> = parts.iter().map(|(name, _)| *name).collect();
        assert!(names.contains(&"log: pages and their checksums") && names.contains(&OTHERWISE), "{names:?}");
        assert!((parts[0].1 - 5.0).abs() < 1e-9);
    }

    #[test]
    fn the_picture_names_what_it_shows_without_breaking_its_own_form() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flame.svg");
        draw(&stacks(PRINTED), &file).unwrap();
        let svg = fs::read_to_string(file).unwrap();
        assert!(svg.contains("&lt;a as b&gt;::c (50.0 %)") && !svg.contains("<a as"), "{svg}");
    }
}
