//! The wallet's site: built by Trunk into web/dist, and only when something in it has changed.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::{Context, Result};

use crate::compressed;
use crate::console::Step;
use crate::tools::{self, SiteTools};
use crate::{process, workspace};

/// Everything that ends up in the site.
const SOURCES: [&str; 17] = [
    "protocol",
    "wallet-wasm",
    "web/Cargo.toml",
    "web/asker.js",
    "web/icon.svg",
    "web/kit",
    "web/src",
    "web/start.js",
    "web/streams",
    "web/style",
    "web/view",
    "index.html",
    "Trunk.toml",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo",
    "rust-toolchain.toml",
];

/// The looks, in the order of the cascade. They become one file, which gzip makes much smaller than many.
const STYLES: [&str; 9] = [
    "tokens.css",
    "base.css",
    "shell.css",
    "components/controls.css",
    "components/surfaces.css",
    "components/money.css",
    "components/states.css",
    "components/exchange.css",
    "pages.css",
];

/// The wallet brings its own standard library, built small: a panic stops it at once instead of composing a message
/// that nobody would read, and `{:?}` prints nothing. Both need a switch of the compiler that stable Rust keeps behind
/// this variable; the compiler is pinned, so it can't change under us (docs/decisions/build-tools.md).
pub const SMALL: [(&str, &str); 4] = [
    ("RUSTC_BOOTSTRAP", "1"),
    ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort"),
    ("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size"),
    (
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
        "--cfg erase_components --cfg sha2_backend_soft=\"compact\" -Zunstable-options -Cpanic=immediate-abort \
         -Zlocation-detail=none -Zfmt-debug=none",
    ),
];

/// Makes web/dist current. Returns whether it had to be built.
pub fn ensure() -> Result<bool> {
    write_style()?;
    let site = workspace::site();
    let stamp_path = workspace::target().join("xtask/site.stamp");
    let sources = digest_of_sources()?;
    if let Ok(stamp) = fs::read_to_string(&stamp_path)
        && stamp == stamp_for(&sources, &digest(slice::from_ref(&site))?)
        && site.join("index.html").is_file()
    {
        Step::start("wallet site").done("unchanged");
        return Ok(false);
    }
    let tools = SiteTools::ready()?;
    let mut step = Step::start("wallet site (Rust to WebAssembly, Trunk)");
    let mut trunk = tools.trunk()?;
    trunk.args(["build", "--release", "--color", "never"]);
    // Trunk takes NO_COLOR for a boolean and stumbles over the customary `1`.
    trunk.env_remove("NO_COLOR");
    trunk.envs(SMALL);
    process::must(trunk, &mut step)?;
    compressed::write(&site)?;
    step.done(&workspace::relative(&site));

    if let Some(folder) = stamp_path.parent() {
        fs::create_dir_all(folder).context("creating target/xtask")?;
    }
    fs::write(&stamp_path, stamp_for(&sources, &digest(&[site])?)).context("writing the site's stamp")?;
    Ok(true)
}

/// Writes web/style.css, which index.html names, unless it is there already.
fn write_style() -> Result<()> {
    let folder = workspace::root().join("web");
    let mut style = String::new();
    for name in STYLES {
        let path = folder.join("style").join(name);
        style += &fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    }
    let path = folder.join("style.css");
    if fs::read_to_string(&path).is_ok_and(|known| known == style) {
        return Ok(());
    }
    fs::write(&path, style).with_context(|| format!("writing {}", path.display()))
}

fn digest_of_sources() -> Result<String> {
    let paths: Vec<PathBuf> = SOURCES.iter().map(|source| workspace::root().join(source)).collect();
    Ok(format!("{}, {}, {SMALL:?}", digest(&paths)?, tools::site_versions()))
}

fn stamp_for(sources: &str, site: &str) -> String {
    format!("from {sources} to {site}\n")
}

/// Names and contents of all files below the given paths.
fn digest(starts: &[PathBuf]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for path in starts.iter().filter(|start| start.exists()).flat_map(|start| workspace::files(start)) {
        workspace::relative(&path).hash(&mut hasher);
        contents(&path)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn contents(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}
