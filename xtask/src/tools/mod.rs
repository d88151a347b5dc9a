//! The tools in pinned versions, in a cache of the user's own outside `target/`, so that a fresh clone finds
//! them and `cargo clean` keeps them.

pub mod browser;

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{self as system, Command};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::console::{BEAT, Step};
use crate::{prerequisites, process, workspace};

/// The newest Trunk that Rust 1.95 builds.
const TRUNK: &str = "0.21.14";

/// npm's binaryen, which carries wasm-opt.
const BINARYEN: &str = "132.0.0";

/// npm's axe-core, for the browser tests.
const AXE: &str = "4.14.1";

/// npm's TypeScript, for the types of the wallet's package.
const TYPESCRIPT: &str = "5.9.3";

const CARGO_DENY: &str = "0.20.2";

const CARGO_FUZZ: &str = "0.13.2";

const CARGO_MUTANTS: &str = "27.1.0";

/// The tools that build the wallet's site.
pub struct SiteTools {
    folders: Vec<PathBuf>,
    trunk: PathBuf,
}

impl SiteTools {
    /// Finds them, and installs those that are missing.
    pub fn ready() -> Result<Self> {
        prerequisites::wasm_target()?;
        prerequisites::standard_library_source()?;
        let trunk = trunk()?;
        let folders = vec![wasm_bindgen()?, wasm_opt()?];
        Ok(Self { folders, trunk: executable(&trunk, "trunk") })
    }

    /// `trunk`, which finds the other tools on its PATH and therefore downloads none.
    pub fn trunk(&self) -> Result<Command> {
        self.with_path(process::program(&self.trunk))
    }

    /// Another of the tools by its name: `wasm-bindgen` or `wasm-opt`.
    pub fn program(&self, name: &str) -> Result<Command> {
        let found = self.folders.iter().map(|folder| executable(folder, name)).find(|path| path.exists());
        self.with_path(process::program(found.with_context(|| format!("{name} is not among the tools"))?))
    }

    fn with_path(&self, mut command: Command) -> Result<Command> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = self.folders.iter().cloned().chain(env::split_paths(&path));
        command
            .env("PATH", env::join_paths(folders).context("a folder of PATH has a separator in its name")?);
        Ok(command)
    }
}

/// Installs Cargo's tools for the site while other work goes on: what one of them builds on one core alone leaves room
/// for that work. Whoever needs a tool meanwhile waits for it.
pub fn install_meanwhile() {
    thread::spawn(|| {
        // What fails here fails again, with its reason, where the tool is needed.
        let _ = prerequisites::wasm_target();
        let _ = trunk_tool().ready_by(Step::aside);
        let _ = wasm_bindgen_tool().map(|tool| tool.ready_by(Step::aside));
    });
}

/// The versions that a built site depends on.
pub fn site_versions() -> String {
    format!("trunk {TRUNK}, binaryen {BINARYEN}")
}

/// `wasm-bindgen-test-runner`, which drives tests in a browser.
pub fn wasm_test_runner() -> Result<PathBuf> {
    prerequisites::wasm_target()?;
    Ok(executable(&wasm_bindgen()?, "wasm-bindgen-test-runner"))
}

/// `cargo-deny`, which holds the policy on dependencies.
pub fn cargo_deny() -> Result<PathBuf> {
    let (name, version) = ("cargo-deny", CARGO_DENY.to_owned());
    let tool = CargoTool { name, version, program: "cargo-deny", options: &["--locked"] };
    Ok(executable(&tool.ready()?, "cargo-deny"))
}

/// `cargo-fuzz`, which builds and runs the fuzz targets.
pub fn cargo_fuzz() -> Result<PathBuf> {
    let (name, version) = ("cargo-fuzz", CARGO_FUZZ.to_owned());
    let tool = CargoTool { name, version, program: "cargo-fuzz", options: &["--locked"] };
    Ok(executable(&tool.ready()?, "cargo-fuzz"))
}

/// `cargo-mutants`, which makes mistakes in code and runs the tests on each.
pub fn cargo_mutants() -> Result<PathBuf> {
    let (name, version) = ("cargo-mutants", CARGO_MUTANTS.to_owned());
    let tool = CargoTool { name, version, program: "cargo-mutants", options: &["--locked"] };
    Ok(executable(&tool.ready()?, "cargo-mutants"))
}

/// The folder of everything that we install.
pub fn cache() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("TUPPENCE_TOOLS").filter(|folder| !folder.is_empty()) {
        return Ok(workspace::root().join(folder));
    }
    let from = |name| env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
    let base = from("XDG_CACHE_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| from("LOCALAPPDATA"))
        .or_else(|| from("HOME").map(|home| home.join(".cache")))
        .context("There is no home folder to keep tools in. Name one with TUPPENCE_TOOLS.")?;
    Ok(base.join("tuppence/tools"))
}

fn trunk() -> Result<PathBuf> {
    trunk_tool().ready()
}

fn trunk_tool() -> CargoTool {
    // Without TLS and the update check Trunk can download nothing, and builds in half the time.
    let options = &["--locked", "--no-default-features"];
    CargoTool { name: "trunk", version: TRUNK.to_owned(), program: "trunk", options }
}

fn wasm_bindgen() -> Result<PathBuf> {
    wasm_bindgen_tool()?.ready()
}

fn wasm_bindgen_tool() -> Result<CargoTool> {
    let version = workspace::locked_version("wasm-bindgen")?
        .context("Cargo.lock names no wasm-bindgen, yet the wallet is built with it.")?;
    // Not `--locked`: what the package has locked doesn't build with this Rust.
    Ok(CargoTool { name: "wasm-bindgen-cli", version, program: "wasm-bindgen", options: &[] })
}

/// `axe.min.js`, which finds what shuts people out of a page.
pub fn axe() -> Result<PathBuf> {
    npm_package("axe-core", AXE, "axe-core/axe.min.js")
}

/// `tsc`, which checks the wallet package's types.
pub fn typescript() -> Result<PathBuf> {
    npm_package("typescript", TYPESCRIPT, "typescript/bin/tsc")
}

/// Folder with npm's `wasm-opt`.
fn wasm_opt() -> Result<PathBuf> {
    let program = npm_package("binaryen", BINARYEN, ".bin/wasm-opt")?;
    Ok(program.parent().context("a program lies in a folder")?.to_owned())
}

/// A file of a package of npm's, which is installed if it isn't there.
fn npm_package(name: &str, version: &str, file: &str) -> Result<PathBuf> {
    let folder = cache()?.join(format!("{name}-{version}"));
    let file = folder.join("node_modules").join(file);
    if file.exists() {
        return Ok(file);
    }
    let mut step = Step::start(format!("installing {name} {version}"));
    install(&folder, &file, &mut step, |partial, step| {
        let mut npm = process::program(prerequisites::npm());
        npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(partial);
        npm.arg(format!("{name}@{version}")).current_dir(partial);
        process::must(npm, step).map(drop)
    })?;
    step.done("");
    Ok(file)
}

/// A program that `cargo install` builds.
struct CargoTool {
    name: &'static str,
    version: String,
    program: &'static str,
    options: &'static [&'static str],
}

impl CargoTool {
    /// The folder with the program: on the PATH in this very version, in the cache, or built now.
    fn ready(&self) -> Result<PathBuf> {
        self.ready_by(Step::start)
    }

    fn ready_by(&self, announce: fn(String) -> Step) -> Result<PathBuf> {
        if let Some(folder) = self.on_path() {
            return Ok(folder);
        }
        let folder = cache()?.join(format!("{}-{}", self.name, self.version));
        let programs = folder.join("bin");
        let program = executable(&programs, self.program);
        if program.exists() {
            return Ok(programs);
        }
        let mut step = announce(format!("installing {} {} (once, some minutes)", self.name, self.version));
        install(&folder, &program, &mut step, |partial, step| {
            let mut cargo = process::cargo();
            cargo.args(["install", self.name, "--version", &self.version]).args(self.options);
            cargo.arg("--root").arg(partial).arg("--target-dir").arg(partial.join("build"));
            // Used for seconds, built for minutes: optimising them costs more than it ever gives back.
            cargo
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                .env("CARGO_PROFILE_RELEASE_DEBUG", "false");
            // Away from this repository's own settings of Cargo.
            cargo.current_dir(partial);
            process::must(cargo, step)?;
            fs::remove_dir_all(partial.join("build")).context("removing the build folder of a tool")
        })?;
        step.done("");
        Ok(programs)
    }

    fn on_path(&self) -> Option<PathBuf> {
        let path = env::var_os("PATH")?;
        let folder = env::split_paths(&path).find(|folder| executable(folder, self.program).is_file())?;
        let mut command = process::program(executable(&folder, self.program));
        command.arg("--version");
        let version = process::first_line(command)?;
        version.split_whitespace().any(|word| word == self.version).then_some(folder)
    }
}

/// Fills a folder beside the final one and renames it, so that a cache never holds half a tool. Of those who want the
/// same tool one installs it, and the others wait until `program` is there.
fn install(
    folder: &Path,
    program: &Path,
    step: &mut Step,
    fill: impl FnOnce(&Path, &mut Step) -> Result<()>,
) -> Result<()> {
    let cache = folder.parent().context("a tool's folder has a parent")?;
    fs::create_dir_all(cache).with_context(|| format!("creating {}", cache.display()))?;
    let name = folder.file_name().context("a tool's folder has a name")?.to_string_lossy().into_owned();
    let lock = File::create(cache.join(format!(".{name}.lock"))).context("opening the lock of a tool")?;
    wait_for_lock(&lock, step)?;
    if program.exists() {
        return Ok(());
    }
    let partial = cache.join(format!("{name}.partial-{}", system::id()));
    fs::create_dir_all(&partial).with_context(|| format!("creating {}", partial.display()))?;
    let filled = fill(&partial, step).and_then(|()| {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("replacing {}", folder.display()))?;
        }
        fs::rename(&partial, folder).with_context(|| format!("moving a tool to {}", folder.display()))
    });
    if filled.is_err() {
        let _ = fs::remove_dir_all(&partial);
    }
    filled
}

fn wait_for_lock(lock: &File, step: &mut Step) -> Result<()> {
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => step.beat("it is being installed already"),
            Err(TryLockError::Error(error)) => return Err(error).context("locking a tool"),
        }
        thread::sleep(BEAT);
    }
}

fn executable(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// A program on the PATH.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names.iter().find_map(|name| {
        env::split_paths(&path).map(|folder| executable(&folder, name)).find(|program| program.is_file())
    })
}

/// The program that an environment variable names, if it does.
fn named_by(variable: &str) -> Result<Option<PathBuf>> {
    let Some(path) = env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    if !path.is_file() {
        bail!("{variable} names {}, which is no file.", path.display());
    }
    Ok(Some(path))
}
