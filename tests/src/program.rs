//! The real `tuppence` program in a fresh folder, on ports of its own.

use std::cell::RefCell;
use std::env;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::chromedriver::program_named_by;
use crate::wait::{Seen, until};

/// How much of the program's own words a failed scenario shows, in lines.
const SHOWN_LINES: usize = 40;

/// What a program is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    content: Option<PathBuf>,
    campaigns: Option<PathBuf>,
    flags: Vec<String>,
}

impl Settings {
    /// The shop of `tests/fixtures`: small articles and campaigns whose right answers the scenarios know.
    pub fn fixtures() -> Self {
        let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop");
        Self {
            content: Some(shop.join("content")),
            campaigns: Some(shop.join("campaigns")),
            flags: Vec::new(),
        }
    }

    /// What a newcomer gets: the shop that the program brings along.
    pub fn as_shipped() -> Self {
        Self { content: None, campaigns: None, flags: Vec::new() }
    }

    /// The same with a further flag, such as `--payout-threshold` `0.10`.
    #[must_use]
    pub fn with(mut self, flag: &str, value: &str) -> Self {
        self.flags.extend([flag.to_owned(), value.to_owned()]);
        self
    }
}

/// `tuppence serve`: the center with the wallet, and a storefront.
#[derive(Debug)]
pub struct Program {
    settings: Settings,
    folder: TempDir,
    center_port: u16,
    storefront_port: u16,
    process: RefCell<Option<Child>>,
}

impl Program {
    /// Starts it and waits until both origins answer.
    ///
    /// # Errors
    /// If it ends before that or never answers, with what it said.
    pub async fn start(settings: Settings) -> Result<Self> {
        let [center_port, storefront_port] = free_ports()?;
        let program = Self {
            settings,
            folder: tempfile::tempdir().context("creating a folder for the program")?,
            center_port,
            storefront_port,
            process: RefCell::new(None),
        };
        program.resume().await?;
        Ok(program)
    }

    /// The wallet's origin, which is the center's.
    pub fn center(&self) -> String {
        format!("http://localhost:{}", self.center_port)
    }

    /// The storefront's origin.
    pub fn storefront(&self) -> String {
        format!("http://localhost:{}", self.storefront_port)
    }

    /// An article's page at the storefront.
    pub fn article(&self, slug: &str) -> String {
        format!("{}/articles/{slug}", self.storefront())
    }

    /// Where keys and databases are.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts it again on the same data and ports.
    ///
    /// # Errors
    /// As [`Program::start`].
    pub async fn resume(&self) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let mut command = tuppence()?;
        command.arg("serve").arg("--data").arg(self.data());
        command.arg("--wallet-site").arg(wallet_site()?);
        command.args(["--center-port", &self.center_port.to_string()]);
        command.args(["--storefront-port", &self.storefront_port.to_string()]);
        if let Some(content) = &self.settings.content {
            command.arg("--content").arg(content);
        }
        if let Some(campaigns) = &self.settings.campaigns {
            command.arg("--campaigns").arg(campaigns);
        }
        command.args(&self.settings.flags);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        *self.process.borrow_mut() = Some(command.spawn().context("starting tuppence")?);
        until("both origins to be healthy", async || {
            if let Some(status) = self.ended()? {
                bail!("tuppence ended before it answered ({status}):\n{}", self.last_words());
            }
            Ok(match is_healthy(self.center_port) && is_healthy(self.storefront_port) {
                true => Seen::Ready(()),
                false => Seen::NotYet(self.last_words()),
            })
        })
        .await
    }

    /// Stops it as an operator does (SIGTERM), and checks that it ends by itself and without an error.
    ///
    /// # Errors
    /// If it doesn't, with what it said.
    pub async fn stop(&self) -> Result<()> {
        let Some(id) = self.process.borrow().as_ref().map(Child::id) else { return Ok(()) };
        kill(Pid::from_raw(i32::try_from(id)?), Signal::SIGTERM).context("stopping tuppence")?;
        let status = until("tuppence to end", async || {
            Ok(match self.ended()? {
                Some(status) => Seen::Ready(status),
                None => Seen::NotYet(self.last_words()),
            })
        })
        .await?;
        *self.process.borrow_mut() = None;
        ensure!(status.success(), "tuppence ended with {status}:\n{}", self.last_words());
        Ok(())
    }

    /// Stops it and starts it again.
    ///
    /// # Errors
    /// As [`Program::stop`] and [`Program::resume`].
    pub async fn restart(&self) -> Result<()> {
        self.stop().await?;
        self.resume().await
    }

    /// Checks the books of the stopped program, as `tuppence audit` does.
    ///
    /// # Errors
    /// If they don't balance, with the row that doesn't fit.
    pub fn audit(&self) -> Result<()> {
        self.command(&["audit"]).map(drop)
    }

    /// What `tuppence <arguments>` prints about this program's data.
    ///
    /// # Errors
    /// If it fails, with what it said.
    pub fn command(&self, arguments: &[&str]) -> Result<String> {
        let output = tuppence()?
            .args(arguments)
            .arg("--data")
            .arg(self.data())
            .stdin(Stdio::null())
            .output()
            .context("starting tuppence")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "tuppence {arguments:?}: {}\n{text}{complaint}", output.status);
        Ok(text)
    }

    /// The same with `--json`, read.
    ///
    /// # Errors
    /// If it fails, or what it prints is no JSON.
    pub fn command_json(&self, arguments: &[&str]) -> Result<Value> {
        let arguments = [arguments, &["--json"]].concat();
        let text = self.command(&arguments)?;
        serde_json::from_str(&text).with_context(|| format!("tuppence {arguments:?} printed {text}"))
    }

    /// The last lines that it wrote.
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }

    fn ended(&self) -> Result<Option<ExitStatus>> {
        match self.process.borrow_mut().as_mut() {
            Some(process) => Ok(process.try_wait()?),
            None => Ok(None),
        }
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("program.log")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(process) = self.process.get_mut() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The program without settings from the environment of the tests.
fn tuppence() -> Result<Command> {
    let mut command = Command::new(program_named_by("TUPPENCE_BIN")?);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("TUPPENCE_") {
            command.env_remove(name);
        }
    }
    Ok(command)
}

fn wallet_site() -> Result<PathBuf> {
    program_named_by("TUPPENCE_WALLET_SITE")
}

/// Ports that nobody listens on. The kernel doesn't give out the same one again soon.
fn free_ports() -> Result<[u16; 2]> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let second = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok([first.local_addr()?.port(), second.local_addr()?.port()])
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
