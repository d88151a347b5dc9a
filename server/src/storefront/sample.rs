//! The shop that the program brings along: what a newcomer sees first.

use std::io;
use std::path::Path;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shop/", $path)).as_slice())),*]
    };
}

/// The files of examples/shop, by their path in it.
pub const FILES: [(&str, &[u8]); 0] = files![];

/// The sample shop's name.
pub const TITLE: &str = "The Halfpenny Review";
/// What it sells.
pub const DESCRIPTION: &str = "Short essays on small things, for small change: coins, bread, night trains and the art of walking slowly.";

/// Writes the sample's articles to `content` and its campaigns to `campaigns`, each only where there is no such
/// folder yet.
///
/// # Errors
/// If a file cannot be written.
pub fn write(content: &Path, campaigns: &Path) -> io::Result<()> {
    for (folder, part) in [(content, "content/"), (campaigns, "campaigns/")] {
        if folder.exists() {
            continue;
        }
        for (path, bytes) in FILES {
            if let Some(relative) = path.strip_prefix(part) {
                let file = folder.join(relative);
                if let Some(parent) = file.parent() {
                    std::fs::create_dir_all(parent)?;
                }
                std::fs::write(file, bytes)?;
            }
        }
    }
    Ok(())
}
