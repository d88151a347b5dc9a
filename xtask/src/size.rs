//! How much a reader downloads before the wallet runs, and the limit on it.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::compressed;
use crate::console::{bytes, say};
use crate::workspace;

/// The most that WebAssembly, JavaScript and CSS of the first visit may have together, in bytes after gzip.
const GZIP_BYTES_MAX: u64 = 350_000;
/// The most that the part may have which is fetched when it is needed (web/kit), in bytes after gzip.
const KIT_GZIP_BYTES_MAX: u64 = 230_000;

const MEASURED: [&str; 3] = ["wasm", "js", "css"];
/// What the files of that part are called.
const KIT: &str = "tuppence-kit";

#[derive(Default)]
struct Sizes {
    raw: u64,
    gzip: u64,
}

/// Prints the sizes of the built site and fails over a limit. Returns the sums in words.
pub fn check(site: &Path) -> Result<String> {
    let mut first = Sizes::default();
    for kind in MEASURED {
        let sizes = of_kind(site, kind, false)?;
        say(&format!("     {kind:<5} {:>9}  gzip {:>9}", bytes(sizes.raw), bytes(sizes.gzip)));
        first.add(&sizes);
    }
    let mut kit = Sizes::default();
    for kind in MEASURED {
        kit.add(&of_kind(site, kind, true)?);
    }
    let first = within("the first visit", &first, GZIP_BYTES_MAX)?;
    Ok(format!("{first}; {}", within("when it is needed", &kit, KIT_GZIP_BYTES_MAX)?))
}

impl Sizes {
    fn add(&mut self, other: &Sizes) {
        self.raw += other.raw;
        self.gzip += other.gzip;
    }
}

fn within(what: &str, sizes: &Sizes, gzip_max: u64) -> Result<String> {
    let words = format!("{what} {}, gzip {} of {}", bytes(sizes.raw), bytes(sizes.gzip), bytes(gzip_max));
    if sizes.gzip > gzip_max {
        bail!(
            "the wallet's site is too large: {words}. `cargo tree -p tuppence-web --target wasm32-unknown-unknown -e normal` shows what came in."
        );
    }
    Ok(words)
}

fn of_kind(site: &Path, extension: &str, kit: bool) -> Result<Sizes> {
    let mut sizes = Sizes::default();
    for path in workspace::files(site) {
        let is_kit = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(KIT));
        if is_kit == kit && path.extension().is_some_and(|own| own == extension) {
            let content = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            sizes.raw += u64::try_from(content.len())?;
            let sent = compressed::beside(&path);
            sizes.gzip +=
                fs::metadata(&sent).with_context(|| format!("looking at {}", sent.display()))?.len();
        }
    }
    Ok(sizes)
}

/// The length of `content` after gzip.
pub fn gzip_length(content: &[u8]) -> Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(u64::try_from(encoder.finish()?.len())?)
}
