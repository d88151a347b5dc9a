//! `cargo xtask package`: the wallet as a package for bundlers, for plain modules and for Node.js.

mod check;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::console::{Step, bytes, say};
use crate::tools::SiteTools;
use crate::{prerequisites, process, site, size, workspace};

const TARGET: &str = "wasm32-unknown-unknown";

/// What rustc emits, and what makes it small: as index.html has it for the site.
const WASM_OPT: [&str; 12] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--reorder-functions-by-name",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// Written by hand, in wallet-wasm/package; `package.json` gets the version.
const FILES: [&str; 7] =
    ["package.json", "browser.js", "browser.d.ts", "node.js", "node.d.ts", "storage.js", "README.md"];

const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Build the wallet's package, target/packages/wallet, and print its sizes.
///
/// One WebAssembly module with types, for bundlers, for <script type="module"> and for Node.js (docs/js-api.md).
#[derive(clap::Args)]
pub struct Arguments {
    /// Try it as well: its storage, the wallet under Node.js against the real program, and the examples
    #[arg(long)]
    check: bool,
}

/// Builds, and checks if asked.
pub fn package(arguments: &Arguments) -> Result<ExitCode> {
    prerequisites::check()?;
    let folder = built()?;
    tell_sizes(&folder)?;
    if arguments.check {
        check::check(&folder)?;
    }
    say(&format!("{}/", workspace::relative(&folder)));
    Ok(ExitCode::SUCCESS)
}

/// Builds the package, and says where it is.
pub fn built() -> Result<PathBuf> {
    let folder = workspace::target().join("packages/wallet");
    build(&folder)?;
    Ok(folder)
}

fn build(folder: &Path) -> Result<()> {
    let tools = SiteTools::ready()?;
    let mut step = Step::start("wallet package (Rust to WebAssembly)");
    let mut cargo = process::cargo();
    cargo.args(["build", "--package", "tuppence-wallet", "--lib", "--features", "js-api"]);
    cargo.args(["--target", TARGET, "--profile", "wallet"]).envs(site::SMALL);
    process::must(cargo, &mut step)?;

    if folder.exists() {
        fs::remove_dir_all(folder).context("removing the older package")?;
    }
    fs::create_dir_all(folder).context("creating the package's folder")?;
    let module = workspace::target().join(TARGET).join("wallet/tuppence_wallet.wasm");
    let mut bindgen = tools.program("wasm-bindgen")?;
    bindgen.args(["--target", "web", "--out-name", "core", "--out-dir"]).arg(folder).arg(module);
    process::must(bindgen, &mut step)?;
    let core = folder.join("core_bg.wasm");
    let mut optimise = tools.program("wasm-opt")?;
    optimise.args(WASM_OPT).arg(&core).arg("-o").arg(&core);
    process::must(optimise, &mut step)?;

    name_library(&folder.join("core.d.ts"))?;

    let sources = workspace::root().join("wallet-wasm/package");
    for name in FILES {
        copy(&sources.join(name), &folder.join(name))?;
    }
    for name in LICENSES {
        copy(&workspace::root().join(name), &folder.join(name))?;
    }
    set_version(&folder.join("package.json"))?;
    step.done("");
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("copying {}", from.display())).map(drop)
}

/// wasm-bindgen's types speak of `Symbol.dispose`, which older targets of TypeScript don't know by themselves.
fn name_library(types: &Path) -> Result<()> {
    let text = fs::read_to_string(types).context("reading the types")?;
    fs::write(types, format!("/// <reference lib=\"esnext.disposable\" />\n{text}"))
        .context("writing the types")
}

/// The workspace's version, which is this program's.
fn set_version(path: &Path) -> Result<()> {
    let text = fs::read_to_string(path).context("reading package.json")?;
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    fs::write(path, text.replace("\"version\": \"0.0.0\"", &version)).context("writing package.json")
}

fn tell_sizes(folder: &Path) -> Result<()> {
    for path in files(folder)? {
        let content = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (raw, gzip) = (u64::try_from(content.len())?, size::gzip_length(&content)?);
        say(&format!("     {name:<20} {:>9}  gzip {:>9}", bytes(raw), bytes(gzip)));
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).context("reading the package's folder")?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}
