//! A running `tuppence`: its ports, its words, its end.

use std::cell::RefCell;
use std::env;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait::{Seen, until};

/// How much of its words a failure shows, in lines.
const SHOWN_LINES: usize = 40;

/// A program with the arguments that it is started with, each time.
#[derive(Debug)]
pub(crate) struct Process {
    arguments: Vec<String>,
    ports: Vec<u16>,
    log: PathBuf,
    child: RefCell<Option<Child>>,
}

impl Process {
    /// Not started yet. It writes to `log`, and is there when all `ports` answer.
    pub fn new(arguments: Vec<String>, ports: Vec<u16>, log: PathBuf) -> Self {
        Self { arguments, ports, log, child: RefCell::new(None) }
    }

    /// Starts it and waits until it answers.
    pub async fn start(&self) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = tuppence()?;
        command.args(&self.arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        *self.child.borrow_mut() = Some(command.spawn().context("starting tuppence")?);
        until("tuppence to be healthy", async || {
            if let Some(status) = self.ended()? {
                bail!("tuppence ended before it answered ({status}):\n{}", self.last_words());
            }
            Ok(match self.ports.iter().all(|port| is_healthy(*port)) {
                true => Seen::Ready(()),
                false => Seen::NotYet(self.last_words()),
            })
        })
        .await
    }

    /// Stops it as an operator does (SIGTERM), and checks that it ends by itself and without an error.
    pub async fn stop(&self) -> Result<()> {
        let Some(id) = self.child.borrow().as_ref().map(Child::id) else { return Ok(()) };
        kill(Pid::from_raw(i32::try_from(id)?), Signal::SIGTERM).context("stopping tuppence")?;
        let status = until("tuppence to end", async || {
            Ok(match self.ended()? {
                Some(status) => Seen::Ready(status),
                None => Seen::NotYet(self.last_words()),
            })
        })
        .await?;
        *self.child.borrow_mut() = None;
        ensure!(status.success(), "tuppence ended with {status}:\n{}", self.last_words());
        Ok(())
    }

    /// The last lines that it wrote.
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }

    fn ended(&self) -> Result<Option<ExitStatus>> {
        match self.child.borrow_mut().as_mut() {
            Some(child) => Ok(child.try_wait()?),
            None => Ok(None),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The program without settings from the environment of the tests.
pub(crate) fn tuppence() -> Result<Command> {
    let mut command = Command::new(program_named_by("TUPPENCE_BIN")?);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("TUPPENCE_") {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// A program or file that the gate names by an environment variable.
pub(crate) fn program_named_by(variable: &str) -> Result<PathBuf> {
    let path = env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    path.with_context(|| format!("{variable} is not set: `cargo xtask test --only e2e` sets it"))
}

/// Ports that nobody listens on. The kernel doesn't give out the same one again soon.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

/// Whether `/health` on this port says 200.
fn is_healthy(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /health HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
