//! Arrows point one way: `web -> wallet-wasm -> protocol <- server`, with `cli` and `tests` above both sides.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{process, workspace};

use super::Finding;

/// Whom each of our crates may use, in any role.
const ARROWS: [(&str, &[&str]); 14] = [
    ("tuppence-protocol", &[]),
    ("tuppence-server", &["tuppence-protocol"]),
    ("tuppence-wallet", &["tuppence-protocol"]),
    ("tuppence-kit", &["tuppence-wallet"]),
    ("wasm-streams", &[]),
    ("tuppence-view", &[]),
    ("tuppence-web", &["tuppence-protocol", "tuppence-view", "tuppence-wallet"]),
    ("tuppence-cli", &["tuppence-protocol", "tuppence-server", "tuppence-wallet"]),
    ("tuppence-tests", &["tuppence-cli", "tuppence-protocol", "tuppence-server", "tuppence-wallet"]),
    ("tuppence-fuzz", &["tuppence-cli", "tuppence-protocol", "tuppence-server", "tuppence-wallet"]),
    ("tuppence-crash", &["tuppence-server"]),
    ("tuppence-sim", &["tuppence-protocol", "tuppence-server", "tuppence-wallet"]),
    ("tuppence-load", &["tuppence-protocol", "tuppence-server"]),
    ("xtask", &[]),
];

/// All that the rules of money stand on: no web, no database, no async, no clock.
const PROTOCOL_MAY_USE: &[&str] = &[
    "base64",
    "chacha20poly1305",
    "ed25519-dalek",
    "hkdf",
    "hmac",
    // In WebAssembly alone, for the browser's normal form of text (docs/decisions/0005-normal-form-in-the-browser.md).
    "js-sys",
    "rand_core",
    "rsa",
    "serde",
    "serde_json",
    "sha2",
    "subtle",
    "thiserror",
    "unicode-normalization",
    "zeroize",
];

const RECORD: &str = "docs/decisions/dependencies.md";

/// A dependency as a Cargo.toml of ours declares it.
struct Edge {
    from: String,
    manifest: String,
    to: String,
    ours: bool,
    shipped: bool,
}

/// Wrong arrows, and dependencies without a recorded reason.
pub fn findings() -> Result<Vec<Finding>> {
    let mut metadata = process::cargo();
    metadata.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let output = metadata.output().context("starting cargo metadata")?;
    if !output.status.success() {
        anyhow::bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let edges = edges(&metadata);
    let record = fs::read_to_string(workspace::root().join(RECORD)).unwrap_or_default();
    let mut findings = wrong_arrows(&edges);
    findings.extend(unrecorded(&edges, &record));
    Ok(findings)
}

fn edges(metadata: &Value) -> Vec<Edge> {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut edges = Vec::new();
    for package in list(metadata, "packages") {
        let manifest = workspace::relative(text(&package, "manifest_path").as_ref());
        for dependency in list(&package, "dependencies") {
            edges.push(Edge {
                from: text(&package, "name"),
                manifest: manifest.clone(),
                to: text(&dependency, "name"),
                ours: !dependency["path"].is_null(),
                shipped: dependency["kind"].as_str() != Some("dev"),
            });
        }
    }
    edges
}

fn wrong_arrows(edges: &[Edge]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for edge in edges {
        let allowed = ARROWS.iter().find(|(name, _)| *name == edge.from).map(|(_, allowed)| *allowed);
        let wrong = match (edge.ours, allowed) {
            (true, Some(allowed)) => !allowed.contains(&edge.to.as_str()),
            (true, None) => true,
            (false, _) => {
                edge.from == "tuppence-protocol"
                    && edge.shipped
                    && !PROTOCOL_MAY_USE.contains(&edge.to.as_str())
            }
        };
        if wrong {
            findings.push(Finding {
                file: edge.manifest.clone(),
                line: 1,
                what: format!("{} depends on {}", edge.from, edge.to),
                why: "Arrows point one way (docs/ARCHITECTURE.md): the rules of money know no web, database or \
                      async crate, and server and wallet never know each other",
            });
        }
    }
    findings
}

fn unrecorded(edges: &[Edge], record: &str) -> Vec<Finding> {
    let recorded: Vec<&str> = record
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.split('|').next())
        .map(|cell| cell.trim().trim_matches('`'))
        .collect();
    edges
        .iter()
        .filter(|edge| !edge.ours && !recorded.contains(&edge.to.as_str()))
        .map(|edge| Finding {
            file: edge.manifest.clone(),
            line: 1,
            what: format!("{} has no row in {RECORD}", edge.to),
            why: "Somebody has to know why a dependency is here before it can be updated or dropped",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str, ours: bool, shipped: bool) -> Edge {
        Edge { from: from.into(), manifest: "x/Cargo.toml".into(), to: to.into(), ours, shipped }
    }

    #[test]
    fn the_server_and_the_wallet_never_know_each_other() {
        assert_eq!(wrong_arrows(&[edge("tuppence-server", "tuppence-wallet", true, false)]).len(), 1);
        assert_eq!(wrong_arrows(&[edge("tuppence-wallet", "tuppence-server", true, true)]).len(), 1);
        assert_eq!(wrong_arrows(&[edge("tuppence-web", "tuppence-server", true, true)]).len(), 1);
    }

    #[test]
    fn the_protocol_knows_no_async_crate_but_may_be_tested_with_any() {
        assert_eq!(wrong_arrows(&[edge("tuppence-protocol", "tokio", false, true)]).len(), 1);
        assert!(wrong_arrows(&[edge("tuppence-protocol", "proptest", false, false)]).is_empty());
        assert!(wrong_arrows(&[edge("tuppence-protocol", "sha2", false, true)]).is_empty());
    }

    #[test]
    fn a_crate_that_the_map_does_not_know_may_use_none_of_ours() {
        assert_eq!(wrong_arrows(&[edge("tuppence-bank", "tuppence-server", true, true)]).len(), 1);
    }

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let record = "| crate | version |\n|---|---|\n| sha2 | 0.11 |\n| `hmac` | 0.13 |";
        let edges = ["sha2", "hmac", "hkdf"].map(|name| edge("tuppence-protocol", name, false, true));
        let found = unrecorded(&edges, record);
        assert_eq!(found.len(), 1);
        assert!(found[0].what.starts_with("hkdf "), "{}", found[0]);
    }
}
