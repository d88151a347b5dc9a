//! A program that runs, and what can be asked of it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// `tuppence` without settings from the environment of the tests.
pub fn tuppence() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuppence"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TUPPENCE_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

pub fn run(arguments: &[&str]) -> Output {
    tuppence().args(arguments).output().unwrap()
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Ports that nobody listens on.
pub fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// `tuppence serve` in a folder of its own.
pub struct Serving {
    pub folder: TempDir,
    pub ports: [u16; 2],
    process: Option<Child>,
}

impl Serving {
    pub fn start() -> Self {
        Self::with_settings("")
    }

    /// With this settings file.
    pub fn with_settings(settings: &str) -> Self {
        let mut serving =
            Serving { folder: tempfile::tempdir().unwrap(), ports: free_ports(), process: None };
        fs::DirBuilder::new().create(serving.data()).unwrap();
        fs::write(serving.data().join("tuppence.toml"), settings).unwrap();
        serving.resume();
        serving
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn command(&self) -> Command {
        let mut command = tuppence();
        command.arg("serve").arg("--data").arg(self.data());
        command.args(["--center-port", &self.ports[0].to_string()]);
        command.args(["--storefront-port", &self.ports[1].to_string()]);
        command
    }

    pub fn resume(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = self.command();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = command.spawn().unwrap();
        wait_for("both origins to answer", || {
            assert_eq!(child.try_wait().unwrap(), None, "{}", self.log());
            self.ports.into_iter().all(|port| get(port, "/health").starts_with("HTTP/1.1 200"))
        });
        self.process = Some(child);
    }

    pub fn signal(&mut self, signal: Signal) -> Option<i32> {
        let mut child = self.process.take().unwrap();
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let mut code = None;
        wait_for("the program to end", || {
            code = child.try_wait().unwrap();
            code.is_some()
        });
        code.unwrap().code()
    }

    /// The program's process.
    pub fn id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// The output of `tuppence <arguments>` on this data folder, which must succeed.
    pub fn ask(&self, arguments: &[&str]) -> String {
        let output = self.tried(arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", out(&output), err(&output));
        out(&output)
    }

    pub fn tried(&self, arguments: &[&str]) -> Output {
        tuppence().args(arguments).arg("--data").arg(self.data()).output().unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ask(&[arguments, &["--json"]].concat())).unwrap()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn get(port: u16, path: &str) -> String {
    get_with(port, path, &[])
}

pub fn get_with(port: u16, path: &str, headers: &[(&str, &str)]) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n{headers}Connection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    ask().unwrap_or_default()
}

pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
