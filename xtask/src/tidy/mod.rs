//! `cargo xtask tidy`: the structure that no compiler checks, in a second.

mod dependencies;
mod documents;
mod languages;
mod pages;
mod promises;
mod rust;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::console::{Step, say};
use crate::workspace;

/// Check the structure: arrows between crates, comparisons of seals, size of files, links, vectors, named tests.
///
/// Each finding names its place, what it is, and why it matters.
#[derive(clap::Args)]
pub struct Arguments {}

/// Something that must not stay as it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Path from the root, with slashes.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}. {}", self.file, self.line, self.what, self.why)
    }
}

/// Checks and prints.
pub fn tidy(_: &Arguments) -> Result<ExitCode> {
    let step = Step::start("tidy");
    let findings = findings()?;
    if findings.is_empty() {
        step.done("");
        return Ok(ExitCode::SUCCESS);
    }
    step.failed(&format!("{} findings", findings.len()));
    for finding in findings {
        say(&finding.to_string());
    }
    Ok(ExitCode::FAILURE)
}

/// Everything that is not tidy.
pub fn findings() -> Result<Vec<Finding>> {
    let mut findings = dependencies::findings()?;
    for path in workspace::files(workspace::root()) {
        let file = workspace::relative(&path);
        let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else { continue };
        if !matches!(extension, "rs" | "toml" | "md" | "html" | "css" | "js" | "json" | "sh" | "yml" | "yaml")
        {
            continue;
        }
        let text = read(&path)?;
        findings.extend(documents::marks_and_machine_paths(&file, &text));
        match extension {
            "rs" => findings.extend(rust::findings(&file, &text)),
            "md" => {
                findings.extend(documents::broken_links(&path, &file, &text));
                findings.extend(promises::findings(workspace::root(), &file, &text));
            }
            "html" => findings.extend(pages::inline_code(&file, &text)),
            "json" if file.starts_with("web/locales/") => findings.extend(languages::findings(&file, &text)?),
            "json" if file.starts_with("protocol/vectors/") => {
                findings.extend(documents::broken_json(&file, &text))
            }
            _ => {}
        }
    }
    Ok(findings)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {} as UTF-8 text", path.display()))
}
