//! The package as its users have it: its own tests, the wallet under Node.js against the real program, the examples.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::console::Step;
use crate::tools::{self, browser::Browser};
use crate::{build, prerequisites, process, workspace};

/// Tries everything, in folders below target/packages.
pub fn check(package: &Path) -> Result<()> {
    types(package)?;
    storage()?;
    build::program(false)?;
    under_node(package)?;
    module(package)?;
    vite(package)?;
    in_a_browser()
}

/// The types as programs use them, under Node.js and with a bundler.
fn types(package: &Path) -> Result<()> {
    let compiler = tools::typescript()?;
    let mut step = Step::start("types");
    let folder = workspace::target().join("packages/types");
    let installed = folder.join("node_modules/@tuppence/wallet");
    fs::create_dir_all(&installed).context("creating a folder")?;
    for path in super::files(package)? {
        fs::copy(&path, installed.join(path.file_name().unwrap_or_default()))
            .context("copying the package")?;
    }
    for (name, module, resolution) in
        [("node.test.mts", "nodenext", "nodenext"), ("browser.test.mts", "esnext", "bundler")]
    {
        let source = folder.join(name);
        fs::copy(workspace::root().join("wallet-wasm/package").join(name), &source)
            .with_context(|| format!("copying {name}"))?;
        let mut node = process::program("node");
        node.arg(&compiler).args(["--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom"]);
        node.args(["--module", module, "--moduleResolution", resolution]).arg(source);
        process::must(node, &mut step)?;
    }
    step.done("");
    Ok(())
}

fn storage() -> Result<()> {
    let mut step = Step::start("storage under Node.js");
    let mut node = process::program("node");
    node.arg("--test").arg(workspace::root().join("wallet-wasm/package/storage.test.mjs"));
    process::must(node, &mut step)?;
    step.done("");
    Ok(())
}

/// Earns and pays with the package at the real program, is killed in the middle, and pays once.
fn under_node(package: &Path) -> Result<()> {
    let mut step = Step::start("the wallet under Node.js, at the real program");
    let mut node = process::program("node");
    node.arg("--test").arg(workspace::root().join("wallet-wasm/package/program.test.mjs"));
    node.env("TUPPENCE_PACKAGE", package).env("TUPPENCE_PROGRAM", workspace::binary("debug", "tuppence"));
    node.env("TUPPENCE_ROOT", workspace::root());
    process::must(node, &mut step)?;
    step.done("");
    Ok(())
}

/// The example without a bundler: its files and the package beside them, as any web server gives them out.
fn module(package: &Path) -> Result<()> {
    let folder = fresh("wallet-module")?;
    let beside = folder.join("wallet");
    fs::create_dir_all(&beside).context("creating a folder")?;
    for path in super::files(package)? {
        fs::copy(&path, beside.join(path.file_name().unwrap_or_default())).context("copying the package")?;
    }
    Ok(())
}

/// The example with a bundler: installed from the package as npm packs it, and built.
fn vite(package: &Path) -> Result<()> {
    let mut step = Step::start("example: Vite");
    let folder = fresh("wallet-vite")?;
    let mut pack = process::program(prerequisites::npm());
    pack.args(["pack", "--silent", "--pack-destination"]).arg(&folder).current_dir(package);
    let packed = process::must(pack, &mut step)?;
    let packed = packed.iter().rev().find(|line| line.ends_with(".tgz")).context("npm packed nothing")?;
    let mut install = process::program(prerequisites::npm());
    install.args(["install", "--no-audit", "--no-fund", "--no-save"]);
    install.arg(folder.join(packed)).current_dir(&folder);
    process::must(install, &mut step)?;
    let mut vite = process::program(prerequisites::npm());
    vite.args(["run", "build"]).current_dir(&folder);
    process::must(vite, &mut step)?;
    let built = workspace::files(&folder.join("dist"));
    let has_module = built.iter().any(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    ensure!(has_module, "Vite has left the WebAssembly module out");
    step.done(&workspace::relative(&folder.join("dist")));
    Ok(())
}

/// Both examples for browsers, as the center's own site.
fn in_a_browser() -> Result<()> {
    let programs = Browser::Chromium.ready()?;
    let mut step = Step::start("examples in headless Chromium");
    let mut node = process::program("node");
    node.arg("--test").arg(workspace::root().join("wallet-wasm/package/examples.test.mjs"));
    node.envs(programs).env("TUPPENCE_PROGRAM", workspace::binary("debug", "tuppence"));
    node.env("TUPPENCE_EXAMPLES", workspace::target().join("packages"));
    node.env("TUPPENCE_ROOT", workspace::root());
    process::must(node, &mut step)?;
    step.done("");
    Ok(())
}

/// A copy of an example, without what earlier runs have left.
fn fresh(example: &str) -> Result<PathBuf> {
    let folder = workspace::target().join("packages").join(example);
    if folder.exists() {
        fs::remove_dir_all(&folder).context("removing an older copy of an example")?;
    }
    let source = workspace::root().join("examples").join(example);
    for path in workspace::files(&source) {
        let to = folder.join(path.strip_prefix(&source).context("a file of the example")?);
        fs::create_dir_all(to.parent().unwrap_or(&folder)).context("creating a folder")?;
        fs::copy(&path, &to).with_context(|| format!("copying {}", path.display()))?;
    }
    Ok(folder)
}
