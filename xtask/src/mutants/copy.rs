//! The copy of the sources that mistakes are made in: always at one place, so that what was built of it is built on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace;

/// Makes `to` what `from` is, without build products; only what differs is written. How many files that were.
pub fn refresh(from: &Path, to: &Path) -> Result<usize> {
    let (wanted, present) = (below(from), below(to));
    let mut changed = 0;
    for gone in present.difference(&wanted) {
        let path = to.join(gone);
        fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        changed += 1;
    }
    for file in &wanted {
        let (source, copy) = (from.join(file), to.join(file));
        let content = fs::read(&source).with_context(|| format!("reading {}", source.display()))?;
        // What an interrupted run has left is put right here, too.
        if fs::read(&copy).is_ok_and(|present| present == content) {
            continue;
        }
        if let Some(parent) = copy.parent() {
            fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
        }
        fs::write(&copy, content).with_context(|| format!("writing {}", copy.display()))?;
        changed += 1;
    }
    Ok(changed)
}

fn below(folder: &Path) -> BTreeSet<PathBuf> {
    let files = workspace::files(folder).into_iter();
    files.filter_map(|file| file.strip_prefix(folder).map(Path::to_owned).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_made_put_right_and_left_alone() {
        let folder = std::env::temp_dir().join(format!("tuppence-copy-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        fs::create_dir_all(from.join("src")).unwrap();
        fs::create_dir_all(from.join("target")).unwrap();
        for (file, text) in [("a", "1"), ("src/b", "2"), ("target/c", "3")] {
            fs::write(from.join(file), text).unwrap();
        }
        assert_eq!(refresh(&from, &to).unwrap(), 2);
        assert_eq!(refresh(&from, &to).unwrap(), 0);
        fs::write(to.join("src/b"), "a mistake").unwrap();
        fs::write(to.join("d"), "more").unwrap();
        assert_eq!(refresh(&from, &to).unwrap(), 2);
        assert_eq!(below(&to), ["a", "src/b"].map(PathBuf::from).into());
        assert_eq!(fs::read_to_string(to.join("src/b")).unwrap(), "2");
        fs::remove_dir_all(folder).unwrap();
    }
}
