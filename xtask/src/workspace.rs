//! Where things are: the repository, its build folder, its sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use walkdir::WalkDir;

/// Folders that hold no source, wherever they are.
const NOT_SOURCE: [&str; 5] = [".git", "target", "node_modules", "dist", "data"];

/// The repository's root.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.parent().unwrap_or(here).to_owned()
    });
    &ROOT
}

/// Cargo's build folder.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// A program of the given profile, as Cargo names it on this system.
pub fn binary(profile_folder: &str, name: &str) -> PathBuf {
    target().join(profile_folder).join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// The wallet's site as Trunk builds it.
pub fn site() -> PathBuf {
    root().join("web/dist")
}

/// Every file below `start`, sorted, without build products.
pub fn files(start: &Path) -> Vec<PathBuf> {
    WalkDir::new(start)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0 || !(entry.file_type().is_dir() && NOT_SOURCE.contains(&name.as_ref()))
        })
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

/// A path as people write it: relative to the root, with slashes.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// The version of a package that Cargo.lock has settled on.
pub fn locked_version(package: &str) -> Result<Option<String>> {
    let path = root().join("Cargo.lock");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let lock: toml::Table = text.parse().context("Cargo.lock is not valid TOML")?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    Ok(packages.into_iter().flatten().find_map(|entry| {
        let named = entry.get("name")?.as_str()? == package;
        named.then(|| entry.get("version")?.as_str().map(str::to_owned)).flatten()
    }))
}
