//! How much a reader downloads before the wallet runs, and the limit on it.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::console::{bytes, say};
use crate::workspace;

/// The most that WebAssembly, JavaScript and CSS may have together, in bytes after gzip (docs/decisions/build-tools.md).
const GZIP_BYTES_MAX: u64 = 350_000;

const MEASURED: [&str; 3] = ["wasm", "js", "css"];

struct Sizes {
    raw: u64,
    gzip: u64,
}

/// Prints the sizes of the built site and fails over the limit. Returns the sum in words.
pub fn check(site: &Path) -> Result<String> {
    let mut total = Sizes { raw: 0, gzip: 0 };
    for kind in MEASURED {
        let sizes = of_kind(site, kind)?;
        say(&format!("     {kind:<5} {:>9}  gzip {:>9}", bytes(sizes.raw), bytes(sizes.gzip)));
        total = Sizes { raw: total.raw + sizes.raw, gzip: total.gzip + sizes.gzip };
    }
    let words = format!("{}, gzip {} of {}", bytes(total.raw), bytes(total.gzip), bytes(GZIP_BYTES_MAX));
    if total.gzip > GZIP_BYTES_MAX {
        bail!(
            "the wallet's site is too large: {words}. `cargo tree -p tuppence-web --target wasm32-unknown-unknown -e normal` shows what came in."
        );
    }
    Ok(words)
}

fn of_kind(site: &Path, extension: &str) -> Result<Sizes> {
    let mut sizes = Sizes { raw: 0, gzip: 0 };
    for path in workspace::files(site) {
        if path.extension().is_some_and(|own| own == extension) {
            let content = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            sizes.raw += u64::try_from(content.len())?;
            sizes.gzip += gzip_length(&content)?;
        }
    }
    Ok(sizes)
}

fn gzip_length(content: &[u8]) -> Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(u64::try_from(encoder.finish()?.len())?)
}
