//! What a newcomer must have installed: Rust, a C compiler, Node.js with npm.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::console::Step;
use crate::process;

/// The oldest Node.js that runs wasm-opt as npm's binaryen ships it.
const NODE_MAJOR_MIN: u32 = 18;

/// Checks all three; the first that is missing is an error that says where to get it.
pub fn check() -> Result<()> {
    c_compiler()?;
    let node = process::first_line(version_of("node")).context(
        "Node.js is missing: wasm-opt runs on it. Get version 18 or newer from https://nodejs.org, or \
         with your package manager (`apt-get install nodejs npm`, `brew install node`).",
    )?;
    node_is_recent(&node)?;
    process::first_line(version_of(npm())).context(
        "npm is missing: it installs wasm-opt. It comes with Node.js from https://nodejs.org; on Debian and \
         Ubuntu it is a package of its own (`apt-get install npm`).",
    )?;
    Ok(())
}

/// Makes sure that the compiler can build for `wasm32-unknown-unknown`.
pub fn wasm_target() -> Result<()> {
    if has_wasm_target() {
        return Ok(());
    }
    let mut step = Step::start("WebAssembly target");
    let mut command = process::program("rustup");
    command.args(["target", "add", "wasm32-unknown-unknown"]);
    if process::first_line(version_of("rustup")).is_none() {
        bail!(
            "This Rust has no WebAssembly target, and rustup, which would add it, is missing. Get rustup from \
             https://rustup.rs, or install the target from where your Rust came from."
        );
    }
    process::must(command, &mut step)?;
    if !has_wasm_target() {
        bail!(
            "rustup added wasm32-unknown-unknown, but to another toolchain than the one at work: see `rustup show`."
        );
    }
    step.done("wasm32-unknown-unknown");
    Ok(())
}

/// Makes sure that a component of rustup's (`clippy`, `rustfmt`) is there.
pub fn component(name: &str, subcommand: &str) -> Result<()> {
    let mut probe = process::cargo();
    probe.args([subcommand, "--version"]);
    if process::first_line(probe).is_some() {
        return Ok(());
    }
    let mut step = Step::start(format!("rustup component {name}"));
    let mut command = process::program("rustup");
    command.args(["component", "add", name]);
    process::must(command, &mut step)?;
    step.done("");
    Ok(())
}

/// Makes sure that the source of the standard library is there, which the wallet's site compiles for itself.
pub fn standard_library_source() -> Result<()> {
    if has_standard_library_source() {
        return Ok(());
    }
    let mut step = Step::start("source of Rust's standard library");
    let mut command = process::program("rustup");
    command.args(["component", "add", "rust-src"]);
    process::must(command, &mut step)?;
    if !has_standard_library_source() {
        bail!("rustup added rust-src, but to another toolchain than the one at work: see `rustup show`.");
    }
    step.done("rust-src");
    Ok(())
}

/// npm as this system spells it.
pub fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

fn c_compiler() -> Result<()> {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if cfg!(not(windows)) && process::first_line(version_of(&compiler)).is_none() {
        bail!(
            "There is no C compiler (`{compiler}`): the embedded database needs one. Install it with \
             `apt-get install build-essential`, `dnf install gcc` or `xcode-select --install`."
        );
    }
    Ok(())
}

fn has_wasm_target() -> bool {
    let mut rustc = process::program("rustc");
    rustc.args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]);
    process::first_line(rustc).is_some_and(|folder| PathBuf::from(folder).is_dir())
}

fn has_standard_library_source() -> bool {
    let mut rustc = process::program("rustc");
    rustc.args(["--print", "sysroot"]);
    process::first_line(rustc)
        .is_some_and(|root| PathBuf::from(root).join("lib/rustlib/src/rust/library/std/src/lib.rs").is_file())
}

fn version_of(name: &str) -> std::process::Command {
    let mut command = process::program(name);
    command.arg("--version");
    command
}

fn node_is_recent(version: &str) -> Result<()> {
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        _ => bail!(
            "Node.js is {version}; wasm-opt needs {NODE_MAJOR_MIN} or newer. Get one from https://nodejs.org."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_refused_with_both_versions() {
        let refusal = node_is_recent("v16.20.2").unwrap_err().to_string();
        assert!(refusal.contains("v16.20.2") && refusal.contains("18"), "{refusal}");
        assert!(node_is_recent("v18.0.0").is_ok());
        assert!(node_is_recent("v24.1.0").is_ok());
        assert!(node_is_recent("not a version").is_err());
    }
}
