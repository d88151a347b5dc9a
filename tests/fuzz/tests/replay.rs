//! The corpus: every target holds for all of it, and it has what a target takes and what it refuses.

#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says by panicking that it failed"
)]

mod seeds;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tuppence_fuzz::canonical::CANONICAL;
use tuppence_fuzz::message::{PAYWORD, RECOVERY, SCRIP, VENDOR_SCRIP};
use tuppence_fuzz::{TARGETS, Verdict, center};

#[test]
fn every_target_holds_for_its_corpus_which_it_takes_and_refuses() {
    for target in &TARGETS {
        let mut verdicts = BTreeMap::new();
        for file in files(&corpus().join(target.name)) {
            let bytes = fs::read(&file).unwrap();
            let verdict = catch_unwind(|| (target.run)(&bytes));
            let verdict =
                verdict.unwrap_or_else(|_| panic!("{} does not hold: {}", file.display(), target.holds));
            *verdicts.entry(format!("{verdict:?}")).or_insert(0) += 1;
        }
        for verdict in [Verdict::Taken, Verdict::Refused] {
            assert!(
                verdicts.contains_key(&format!("{verdict:?}")),
                "{}: nothing is {verdict:?}",
                target.name
            );
        }
    }
}

#[test]
fn the_corpus_has_a_folder_for_each_target_and_no_other() {
    let folders: BTreeSet<_> = fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let names: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(folders, names);
}

/// `TUPPENCE_CORPUS=write cargo test -p tuppence-fuzz` writes them anew.
#[test]
fn the_corpus_begins_with_the_published_messages_and_the_sample_files() {
    for (target, name, bytes) in seeds::all() {
        let path = corpus().join(target).join(format!("seed-{name}"));
        let found = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(found == bytes, "{} is not what it is made from", path.display());
    }
}

#[test]
fn the_center_s_messages_begin_with_what_earns_pays_takes_back_and_cashes_out() {
    let seeds: BTreeMap<_, _> = center::seeds().into_iter().collect();
    let expected =
        [("earn", 3), ("pay", 5), ("take-back", 5), ("cash-out", 5), ("attest", 1), ("register", 1)];
    for (name, messages) in expected {
        assert_eq!(center::taken(&seeds[name]), messages, "{name}");
    }
    for name in ["without-money", "as-it-is", "no-json"] {
        assert_eq!(center::taken(&seeds[name]), 0, "{name}");
    }
}

#[test]
fn every_type_that_the_protocol_reads_has_its_target() {
    let tried: BTreeSet<&str> =
        [SCRIP, RECOVERY, PAYWORD, VENDOR_SCRIP].concat().into_iter().map(without_parameters).collect();
    let mut read = 0;
    for (file, source) in sources() {
        let lines: Vec<&str> = source.lines().collect();
        for (index, line) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.contains("derive(") && line.contains("Deserialize"))
        {
            let declared = lines[index + 1..].iter().find_map(|line| {
                let line = line.trim();
                line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))
            });
            let name = declared.unwrap_or_else(|| panic!("{file}: nothing is declared after {line}"));
            let name = name.split(|c: char| !c.is_alphanumeric() && c != '$').next().unwrap();
            // The macro of the identifiers; both are named.
            let names = if name == "$name" { vec!["TranId", "WalletId"] } else { vec![name] };
            for name in names {
                assert!(tried.contains(name), "{file}: no target reads {name}");
                read += 1;
            }
        }
    }
    assert!(read > 100, "{read} types were found");
}

#[test]
fn every_type_with_a_canonical_encoding_has_its_target() {
    let compared: BTreeSet<&str> = CANONICAL.iter().copied().collect();
    for (file, source) in sources() {
        for line in source.lines() {
            if let Some(rest) = line.strip_prefix("impl Canonical for ") {
                let name = rest.split_whitespace().next().unwrap();
                assert!(compared.contains(name), "{file}: {name} is not compared");
            }
        }
    }
}

fn without_parameters(name: &str) -> &str {
    name.split('<').next().unwrap().trim()
}

/// The corpus, whose seeds are written first where that is asked for.
fn corpus() -> &'static Path {
    static CORPUS: LazyLock<PathBuf> = LazyLock::new(|| {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        if std::env::var("TUPPENCE_CORPUS").is_ok_and(|mode| mode == "write") {
            for (target, name, bytes) in seeds::all() {
                fs::create_dir_all(corpus.join(target)).unwrap();
                fs::write(corpus.join(target).join(format!("seed-{name}")), bytes).unwrap();
            }
        }
        corpus
    });
    &CORPUS
}

fn sources() -> Vec<(String, String)> {
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocol/src");
    files(&protocol)
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| (file.display().to_string(), fs::read_to_string(&file).unwrap()))
        .collect()
}

/// All files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
