//! The real `tuppence` program in a fresh folder, on ports of its own; and other people's shops beside it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::http::client;
use crate::process::{Process, free_ports, program_named_by, tuppence};
use crate::wait::{Seen, until};

/// What a program is started with.
#[derive(Debug, Clone)]
pub struct Settings(Vec<String>);

impl Settings {
    /// The shop of `tests/fixtures`: small articles and campaigns whose right answers the scenarios know.
    pub fn fixtures() -> Self {
        let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop");
        Self::as_shipped()
            .with("--content", &shop.join("content").to_string_lossy())
            .with("--campaigns", &shop.join("campaigns").to_string_lossy())
    }

    /// What a newcomer gets: the shop that the program brings along.
    pub fn as_shipped() -> Self {
        Self(Vec::new())
    }

    /// The same with a further flag, such as `--payout-threshold` `0.10`.
    #[must_use]
    pub fn with(mut self, flag: &str, value: &str) -> Self {
        self.0.extend([flag.to_owned(), value.to_owned()]);
        self
    }
}

/// `tuppence serve`: the center with the wallet, and a storefront.
#[derive(Debug)]
pub struct Program {
    folder: TempDir,
    center_port: u16,
    storefront_port: u16,
    process: Process,
}

impl Program {
    /// Starts it and waits until both origins answer.
    ///
    /// # Errors
    /// If it ends before that or never answers, with what it said.
    pub async fn start(settings: Settings) -> Result<Self> {
        let folder = tempfile::tempdir().context("creating a folder for the program")?;
        let [center_port, storefront_port] = free_ports()?;
        let site = program_named_by("TUPPENCE_WALLET_SITE")?;
        let arguments = Settings(vec!["serve".to_owned()])
            .with("--data", &data_in(&folder).to_string_lossy())
            .with("--wallet-site", &site.to_string_lossy())
            .with("--center-port", &center_port.to_string())
            .with("--storefront-port", &storefront_port.to_string());
        let arguments = [arguments.0, settings.0].concat();
        let log = folder.path().join("program.log");
        let process = Process::new(arguments, vec![center_port, storefront_port], log);
        process.start().await?;
        Ok(Self { folder, center_port, storefront_port, process })
    }

    /// The wallet's origin, which is the center's.
    pub fn center(&self) -> String {
        format!("http://localhost:{}", self.center_port)
    }

    /// The storefront's origin.
    pub fn storefront(&self) -> String {
        format!("http://localhost:{}", self.storefront_port)
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        data_in(&self.folder)
    }

    /// Starts it again on the same data and ports.
    ///
    /// # Errors
    /// As [`Program::start`].
    pub async fn resume(&self) -> Result<()> {
        self.process.start().await
    }

    /// Stops it as an operator does (SIGTERM), and checks that it ends by itself and without an error.
    ///
    /// # Errors
    /// If it doesn't, with what it said.
    pub async fn stop(&self) -> Result<()> {
        self.process.stop().await
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
            .arg(data_in(&self.folder))
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
        let text = self.command(&[arguments, &["--json"]].concat())?;
        serde_json::from_str(&text).with_context(|| format!("tuppence {arguments:?} printed {text}"))
    }

    /// The last lines that it wrote.
    pub fn last_words(&self) -> String {
        self.process.last_words()
    }
}

/// `tuppence storefront`: a shop of somebody else's, which works with a program's center.
#[derive(Debug)]
pub struct OtherShop {
    // Removed with the shop.
    _folder: TempDir,
    port: u16,
    process: Process,
}

impl OtherShop {
    /// Has the operator let it in, and starts it with the fixtures' articles and no campaigns.
    ///
    /// # Errors
    /// If the center refuses it, or it doesn't start.
    pub async fn start(program: &Program, name: &str) -> Result<Self> {
        let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop/content");
        Self::start_with(program, name, &content).await
    }

    /// Likewise, with the articles of this folder.
    ///
    /// # Errors
    /// If the center refuses it, or it doesn't start.
    pub async fn start_with(program: &Program, name: &str, content: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("creating a folder for a shop")?;
        let [port] = free_ports()?;
        let origin = format!("http://localhost:{port}");
        let credentials = folder.path().join("shop.json");
        let out = credentials.to_str().context("a path in UTF-8")?;
        program.command(&["vendors", "add", "--name", name, "--origin", &origin, "--out", out])?;
        let arguments = Settings(vec!["storefront".to_owned()])
            .with("--data", &data_in(&folder).to_string_lossy())
            .with("--center-origin", &program.center())
            .with("--storefront-port", &port.to_string())
            .with("--shop-name", name)
            .with("--credentials", out)
            .with("--content", &content.to_string_lossy());
        let process = Process::new(arguments.0, vec![port], folder.path().join("shop.log"));
        process.start().await?;
        Ok(Self { _folder: folder, port, process })
    }

    /// Its origin.
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Waits until it has what it needs of its center to take budgets.
    ///
    /// # Errors
    /// If it takes none, with what it said.
    pub async fn takes_budgets(&self) -> Result<()> {
        let address = format!("{}/api/v1/shop", self.origin());
        let http = client()?;
        until("the shop to take budgets", async || {
            let shop: Value = http.get(&address).send().await?.json().await?;
            Ok(match shop["budget"].is_null() {
                false => Seen::Ready(()),
                true => Seen::NotYet(self.process.last_words()),
            })
        })
        .await
    }

    /// Stops it (SIGTERM), and checks that it ends by itself and without an error.
    ///
    /// # Errors
    /// If it doesn't, with what it said.
    pub async fn stop(&self) -> Result<()> {
        self.process.stop().await
    }

    /// Starts it again on the same data and port.
    ///
    /// # Errors
    /// If it doesn't start, with what it said.
    pub async fn resume(&self) -> Result<()> {
        self.process.start().await
    }
}

fn data_in(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}
