//! `cargo xtask build`: what is shipped.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::console::{Step, bytes, say};
use crate::{prerequisites, process, site, size, workspace};

/// Build the program and the wallet's site for release, and print their sizes.
///
/// Fails where WebAssembly, JavaScript and CSS of the site have more together than the limit after gzip.
#[derive(clap::Args)]
pub struct Arguments {}

/// Builds both.
pub fn build(_: &Arguments) -> Result<ExitCode> {
    prerequisites::check()?;
    site::ensure()?;
    let size = Step::start("size of the wallet's site");
    let words = size::check(&workspace::site())?;
    size.done(&words);
    program(true)?;
    let path = workspace::binary("release", "tuppence");
    let length = fs::metadata(&path).with_context(|| format!("reading {}", path.display()))?.len();
    say(&format!("{}  {}", workspace::relative(&path), bytes(length)));
    say(&format!("{}/", workspace::relative(&workspace::site())));
    Ok(ExitCode::SUCCESS)
}

/// Builds the `tuppence` program.
pub fn program(release: bool) -> Result<()> {
    let mut step = Step::start("tuppence");
    let mut cargo = process::cargo();
    cargo.args(["build", "--package", "tuppence-cli", "--bin", "tuppence"]);
    if release {
        cargo.arg("--release");
    }
    process::must(cargo, &mut step)?;
    step.done(if release { "release" } else { "" });
    Ok(())
}
