//! A program under test: started, watched in `/proc`, stopped.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// The longest that a program may take to answer, or to end. At its end it copies the log into the database.
const TIME_MAX: Duration = Duration::from_secs(60);

/// A running program. It is killed when this is dropped.
pub struct Process {
    child: Child,
    port: u16,
    log: PathBuf,
}

/// What a program has used since it started.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// Processor time in user mode by name of thread, in millionths of a second.
    pub user_micros: BTreeMap<String, u64>,
    /// And in the kernel.
    pub system_micros: BTreeMap<String, u64>,
    /// Bytes that it caused to be written to storage.
    pub written_bytes: u64,
}

impl Process {
    /// Starts `program`, which shall listen on `port`, and waits until it answers `/health` there. It writes to `log`.
    ///
    /// # Errors
    /// If it ends or does not answer.
    pub fn start(program: &Path, arguments: &[&str], port: u16, log: &Path) -> Result<Self> {
        let file = fs::File::options().create(true).append(true).open(log)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TUPPENCE_") {
                command.env_remove(name);
            }
        }
        let child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
        let mut process = Process { child, port, log: log.to_owned() };
        process.wait_for("answer", |process| Ok(is_healthy(process.port)))?;
        Ok(process)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has used so far.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(&self.child.id().to_string())
    }

    /// Its memory that is in use now, and the most that ever was, in bytes.
    ///
    /// # Errors
    /// As [`Process::usage`].
    pub fn memory(&self) -> Result<(u64, u64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such field")?;
            let kib: u64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?;
            Ok(kib * 1_024)
        };
        Ok((field("VmRSS")?, field("VmHWM")?))
    }

    /// Stops it as an operator does, and waits for its end.
    ///
    /// # Errors
    /// If it ends with an error.
    pub fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM).context("stopping")?;
        self.wait_for("end", |process| Ok(process.child.try_wait()?.is_some()))?;
        let status = self.child.wait()?;
        ensure!(status.success(), "it ended with {status}:\n{}", self.last_words());
        Ok(())
    }

    fn wait_for(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> Result<bool>) -> Result<()> {
        let begun = Instant::now();
        while !done(self)? {
            let ended = what == "answer" && self.child.try_wait()?.is_some();
            if ended || begun.elapsed() > TIME_MAX {
                bail!("the program did not {what}:\n{}", self.last_words());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Usage {
    /// What this program itself has used.
    ///
    /// # Errors
    /// As [`Process::usage`].
    pub fn of_this_program() -> Result<Self> {
        Self::of("self")
    }

    fn of(process: &str) -> Result<Self> {
        let ticks = sysconf(SysconfVar::CLK_TCK)?.and_then(|ticks| u64::try_from(ticks).ok()).unwrap_or(100);
        let mut usage = Usage::default();
        for task in fs::read_dir(format!("/proc/{process}/task"))? {
            // A thread may end between the list and the look.
            let Ok(stat) = fs::read_to_string(task?.path().join("stat")) else { continue };
            let (name, user, system) = thread_times(&stat).context("a thread's times do not parse")?;
            *usage.user_micros.entry(name.to_owned()).or_default() += user * 1_000_000 / ticks;
            *usage.system_micros.entry(name.to_owned()).or_default() += system * 1_000_000 / ticks;
        }
        let io = fs::read_to_string(format!("/proc/{process}/io"))?;
        let written = io.lines().find_map(|line| line.strip_prefix("write_bytes:"));
        usage.written_bytes = written.context("no bytes written")?.trim().parse()?;
        Ok(usage)
    }

    /// All processor time of threads whose name `fits`, in millionths of a second.
    pub fn micros(&self, fits: impl Fn(&str) -> bool) -> u64 {
        let of = |times: &BTreeMap<String, u64>| -> u64 {
            times.iter().filter(|(name, _)| fits(name)).map(|(_, micros)| micros).sum()
        };
        of(&self.user_micros) + of(&self.system_micros)
    }

    /// What was used since `before`.
    #[must_use]
    pub fn since(&self, before: &Usage) -> Usage {
        let less = |now: &BTreeMap<String, u64>, then: &BTreeMap<String, u64>| {
            now.iter()
                .map(|(name, micros)| {
                    (name.clone(), micros.saturating_sub(then.get(name).copied().unwrap_or(0)))
                })
                .collect()
        };
        Usage {
            user_micros: less(&self.user_micros, &before.user_micros),
            system_micros: less(&self.system_micros, &before.system_micros),
            written_bytes: self.written_bytes.saturating_sub(before.written_bytes),
        }
    }
}

/// Name, user ticks and kernel ticks in a line of `/proc/<pid>/task/<tid>/stat`.
fn thread_times(stat: &str) -> Option<(&str, u64, u64)> {
    let (before, after) = stat.rsplit_once(") ")?;
    let name = before.split_once('(')?.1;
    let mut fields = after.split(' ').skip(11);
    Some((name, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// A port that nobody listens on.
///
/// # Errors
/// If the system has none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether `/health` on this port says 200.
fn is_healthy(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /health HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_thread_are_found_behind_any_name() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 1 0 0 0 12 34 0 0 20 0 5 0 100 0 0";
        assert_eq!(thread_times(stat), Some(("a (b) c", 12, 34)));
    }
}
