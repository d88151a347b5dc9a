//! Running a program behind a step's line, and keeping what it printed.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::console::{BEAT, Step};
use crate::workspace;

/// How a program ended, with the lines of its two outputs in the order in which they came.
pub struct Output {
    pub success: bool,
    pub lines: Vec<String>,
}

/// The `cargo` at work.
pub fn cargo() -> Command {
    program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program that runs in the root, without the variables that Cargo set for us: build scripts that watch
/// them would run again.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(workspace::root()).env("CARGO_TERM_COLOR", "never");
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a program to its end while the step's line shows what it prints last.
pub fn watch(mut command: Command, step: &mut Step) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("starting {name}"))?;
    drop(command);

    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });

    let mut lines = Vec::new();
    loop {
        match receiver.recv_timeout(BEAT) {
            Ok(line) => lines.push(line),
            Err(RecvTimeoutError::Disconnected) => break,
            // A program that it left behind may hold the pipe: its own end is what counts.
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_some() => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        step.beat(lines.last().map_or("", String::as_str));
    }
    lines.extend(receiver.try_iter());
    let status = child.wait()?;
    Ok(Output { success: status.success(), lines })
}

/// Like [`watch`], where failing is an error that shows the program's last lines.
pub fn must(command: Command, step: &mut Step) -> Result<Vec<String>> {
    let shown = format!("{command:?}");
    let output = watch(command, step)?;
    if !output.success {
        bail!("{shown} failed:\n{}", tail(&output.lines, 60));
    }
    Ok(output.lines)
}

/// The first line that a program prints, or `None` where it can't be run or fails.
pub fn first_line(mut command: Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

/// The last lines of an output.
pub fn tail(lines: &[String], count: usize) -> String {
    lines[lines.len().saturating_sub(count)..].join("\n")
}
