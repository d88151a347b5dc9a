//! A center and a storefront in folders of their own, as processes that can be killed and started again.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tuppence_server::crash::Point;

use crate::strace;

/// How many articles the shop sells, and how many questions it pays for.
pub const ARTICLES: usize = 120;
pub const QUESTIONS: usize = 12;
/// The longest that anything here may take.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(5);

/// Both servers.
pub struct Stand {
    folder: TempDir,
    program: PathBuf,
    pub center: Server,
    pub shop: Server,
}

/// One of them.
pub struct Server {
    command: &'static str,
    data: PathBuf,
    port: u16,
    child: Mutex<Option<Child>>,
}

/// `tuppence` without settings from the environment.
pub fn tuppence(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TUPPENCE_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

impl Stand {
    /// A center with a shop that has money, both running.
    pub fn start(program: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("creating a folder")?;
        let [center, shop] = free_ports()?;
        let server = |command, port| Server {
            command,
            data: folder.path().join(command),
            port,
            child: Mutex::new(None),
        };
        let (center, shop) = (server("center", center), server("storefront", shop));
        let settings = format!(
            "center-port = {}\nstorefront-port = {}\nchallenge-bits = 1\nregistrations-per-minute = 1000000\n\
             settle-minutes = 1\nlog = \"error\"\nwallet-site = \"{2}/none\"\ncontent = \"{2}/content\"\n\
             campaigns = \"{2}/campaigns\"\n",
            center.port,
            shop.port,
            folder.path().display()
        );
        for data in [&center.data, &shop.data] {
            fs::create_dir(data)?;
            fs::write(data.join("tuppence.toml"), &settings)?;
        }
        write_shop(folder.path())?;
        let stand = Stand { program: program.to_owned(), center, shop, folder };
        stand.center.start(program, None)?;
        let origin = stand.shop_origin();
        let credentials = stand.shop.data.join("shop.json");
        let credentials = credentials.to_string_lossy();
        stand.operate(&["vendors", "add", "--name", "Crash", "--origin", &origin, "--out", &credentials])?;
        stand.operate(&["vendors", "deposit", "1", "100000", "--reference", "opening"])?;
        stand.shop.start(program, None)?;
        Ok(stand)
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn database(&self) -> PathBuf {
        self.center.data.join("center.sqlite")
    }

    pub fn center_origin(&self) -> String {
        format!("http://localhost:{}", self.center.port)
    }

    pub fn shop_origin(&self) -> String {
        format!("http://localhost:{}", self.shop.port)
    }

    /// An operator's command on the center's folder, which must succeed.
    pub fn operate(&self, arguments: &[&str]) -> Result<Output> {
        let output = tuppence(&self.program).args(arguments).arg("--data").arg(&self.center.data).output()?;
        ensure!(
            output.status.success(),
            "tuppence {arguments:?} ended with {}:\n{}",
            output.status,
            said(&output)
        );
        Ok(output)
    }
}

impl Server {
    /// Starts it, to die at `point` when it passes it so many times, and waits until it answers.
    pub fn start(&self, program: &Path, point: Option<(Point, u32)>) -> Result<()> {
        let mut command = tuppence(program);
        command.arg(self.command).arg("--data").arg(&self.data);
        if let Some((point, times)) = point {
            command.env("TUPPENCE_CRASH_AT", format!("{}:{times}", point.as_str()));
        }
        self.launch(command, point.is_some())
    }

    fn launch(&self, mut command: Command, may_die: bool) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.data.join("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        *self.child()? = Some(command.spawn().context("starting tuppence")?);
        let answers = wait_for(DEADLINE, || {
            // What it was told to die at may come before it can answer anybody.
            if self.is_dead()? {
                ensure!(may_die, "tuppence {} ended by itself:\n{}", self.command, self.last_words());
                return Ok(true);
            }
            Ok(is_healthy(self.port))
        })?;
        ensure!(answers, "tuppence {} does not answer:\n{}", self.command, self.last_words());
        Ok(())
    }

    /// Starts it with settings of SQLite's, recorded by `strace` in a file, and waits until it answers.
    pub fn start_recorded(&self, program: &Path, file: &Path, pragmas: &[(&str, &str)]) -> Result<()> {
        let mut command = tuppence(program);
        command.arg(self.command).arg("--data").arg(&self.data);
        for (name, value) in pragmas {
            command.env(format!("TUPPENCE_SQLITE_{name}"), value);
        }
        self.launch(strace::recorded(&command, file), false)
    }

    /// Kills it, and waits until its recording is whole.
    pub fn end_recording(&self, file: &Path) -> Result<()> {
        let process = self.child()?.as_ref().context("it does not run")?.id();
        self.kill()?;
        ensure!(wait_for(DEADLINE, || strace::is_whole(file, process))?, "strace does not end");
        Ok(())
    }

    /// Stops it as an operator does (SIGTERM).
    pub fn stop(&self) -> Result<()> {
        if let Some(child) = self.child()?.as_ref() {
            kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM)?;
        }
        ensure!(
            self.dies_within(DEADLINE)?,
            "tuppence {} does not stop:\n{}",
            self.command,
            self.last_words()
        );
        Ok(())
    }

    /// The same program on another folder.
    pub fn on(&self, data: PathBuf) -> Server {
        Server { command: self.command, data, port: self.port, child: Mutex::new(None) }
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Kills it, as a crash does (SIGKILL).
    pub fn kill(&self) -> Result<()> {
        if let Some(mut child) = self.child()?.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Waits until it has died by itself; whether it did in time.
    pub fn dies_within(&self, time: Duration) -> Result<bool> {
        wait_for(time, || self.is_dead())
    }

    /// The last that it wrote.
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(self.data.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn is_dead(&self) -> Result<bool> {
        match self.child()?.as_mut() {
            Some(child) => Ok(child.try_wait()?.is_some()),
            None => Ok(true),
        }
    }

    fn child(&self) -> Result<std::sync::MutexGuard<'_, Option<Child>>> {
        self.child.lock().map_err(|_| anyhow::anyhow!("another thread panicked"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

fn write_shop(folder: &Path) -> Result<()> {
    let (content, campaigns) = (folder.join("content"), folder.join("campaigns"));
    fs::create_dir(&content)?;
    fs::create_dir(&campaigns)?;
    for number in 1..=ARTICLES {
        let text = format!(
            "---\ntitle: Article {number}\nprice: 0.0{}\n---\nTeaser.\n\n<!-- more -->\n\nThe rest of {number}.\n",
            1 + number % 3
        );
        fs::write(content.join(format!("a{number}.md")), text)?;
    }
    for number in 1..=QUESTIONS {
        let text = format!(
            "kind = \"quiz\"\ntitle = \"Question {number}\"\nsponsor = \"Sponsor\"\nintro = \"One question.\"\n\
             reward = \"0.25\"\nbudget = \"5000.00\"\nminutes = 1\n\n[[questions]]\ntext = \"How many?\"\n\
             choices = [\"One\", \"Two\"]\nright = \"Two\"\n"
        );
        fs::write(campaigns.join(format!("q{number}.toml")), text)?;
    }
    Ok(())
}

/// Waits until something is so, at most for `time`; whether it was.
pub fn wait_for(time: Duration, mut is_so: impl FnMut() -> Result<bool>) -> Result<bool> {
    let begun = Instant::now();
    while begun.elapsed() < time {
        if is_so()? {
            return Ok(true);
        }
        thread::sleep(LOOK);
    }
    Ok(false)
}

/// What a command has said, on both streams.
pub fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

fn free_ports() -> Result<[u16; 2]> {
    let listeners =
        [TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?];
    let [first, second] = listeners.map(|listener| listener.local_addr().map(|address| address.port()));
    match (first, second) {
        (Ok(first), Ok(second)) => Ok([first, second]),
        _ => bail!("no port is free"),
    }
}

/// Whether `/health` on this port says 200.
fn is_healthy(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /health HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
