//! The programs that drive browsers: chromedriver, geckodriver, WebKitWebDriver.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::process::{free_ports, program_named_by};
use crate::wait::{Seen, until};

/// A running driver. It ends when nobody holds it any more.
#[derive(Debug)]
pub(super) struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// The one chromedriver of all scenarios that run at the same time, on a port that it chooses itself.
    ///
    /// # Errors
    /// If `CHROMEDRIVER` names no program that starts.
    pub fn shared() -> Result<Arc<Self>> {
        static RUNNING: Mutex<Weak<Driver>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(driver) = running.upgrade() {
            return Ok(driver);
        }
        let driver = Arc::new(Self::chromedriver()?);
        *running = Arc::downgrade(&driver);
        Ok(driver)
    }

    /// One that has a single browser, and writes what both say to `log`.
    ///
    /// # Errors
    /// If the program doesn't start, or never answers.
    pub async fn alone(mut command: Command, log: &Path) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let [port] = free_ports()?;
        let words = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        command.arg(format!("--port={port}")).stdin(Stdio::null()).stdout(words.try_clone()?).stderr(words);
        let process = command.spawn().with_context(|| format!("starting {name}"))?;
        let mut driver = Self { process, port };
        until(&format!("{name} to answer"), async || {
            if let Some(status) = driver.process.try_wait()? {
                bail!("{name} ended with {status}: {}", fs::read_to_string(log).unwrap_or_default());
            }
            Ok(match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                Ok(_) => Seen::Ready(()),
                Err(error) => Seen::NotYet(error.to_string()),
            })
        })
        .await?;
        Ok(driver)
    }

    /// Where WebDriver commands go.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn chromedriver() -> Result<Self> {
        let program = program_named_by("CHROMEDRIVER")?;
        let mut process = Command::new(&program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let output = process.stdout.take().context("chromedriver has an output")?;
        let mut lines = BufReader::new(output).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| port_in(&line));
        // It would stop at a full pipe.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        match port {
            Some(port) => Ok(Self { process, port }),
            None => {
                let _ = process.kill();
                bail!("chromedriver said no port: {}", process.wait()?)
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The port in `ChromeDriver was started successfully on port 40123.`
fn port_in(line: &str) -> Option<u16> {
    line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_line_that_says_success() {
        assert_eq!(port_in("ChromeDriver was started successfully on port 40123."), Some(40123));
        assert_eq!(port_in("Starting ChromeDriver 156.0.8078.79 on port 0"), None);
    }
}
