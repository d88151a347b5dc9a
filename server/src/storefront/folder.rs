//! A publisher's folder, which no name and no symbolic link leads out of (T28).
//!
//! Every file is opened relative to the folder by cap-std, which resolves names inside it alone: `..`,
//! absolute names and links to the outside are refused by the opening itself, not by a check before it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::storefront::problem::Problem;

/// How deep folders may lie in each other.
const DEPTH_MAX: usize = 8;
/// How many files a folder may have.
const FILES_MAX: usize = 20_000;

/// A folder and all below it.
#[derive(Debug)]
pub struct Folder {
    dir: Dir,
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`.
    ///
    /// # Errors
    /// If it is not there, or not readable.
    pub fn open(path: &Path) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Folder { dir, path: path.to_owned() })
    }

    /// Where it is, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the files that `wanted` takes by their extension, relative to the folder, with `/`, in order;
    /// and what could not be looked at. Hidden names and those with a leading `_` are left out, but `_posts`
    /// (Jekyll); so are folders behind links.
    pub fn files(&self, wanted: fn(&str) -> bool) -> (Vec<String>, Vec<Problem>) {
        let mut found = Vec::new();
        let mut problems = Vec::new();
        let mut open = vec![(String::new(), 0)];
        while let Some((folder, depth)) = open.pop() {
            if depth > DEPTH_MAX {
                problems.push(Problem::hides(&folder, "folders lie too deep in each other"));
                continue;
            }
            let here = if folder.is_empty() { "." } else { folder.trim_end_matches('/') };
            let entries = match self.dir.read_dir(here) {
                Ok(entries) => entries,
                Err(error) => {
                    problems.push(Problem::hides(here, format!("the folder cannot be read: {error}")));
                    continue;
                }
            };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let Some(name) = name.to_str() else {
                    problems.push(Problem::hides(&name.to_string_lossy(), "the name is not valid UTF-8"));
                    continue;
                };
                if name.starts_with('.') || (name.starts_with('_') && name != "_posts") {
                    continue;
                }
                let relative = format!("{folder}{name}");
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => open.push((format!("{relative}/"), depth + 1)),
                    // A link is followed when the file is opened, and refused there if it leads out.
                    Ok(_) if has_extension(name, wanted) => found.push(relative),
                    Ok(_) => {}
                    Err(error) => problems.push(Problem::hides(&relative, error.to_string())),
                }
            }
            if found.len() > FILES_MAX {
                problems
                    .push(Problem::hides(here, format!("more than {FILES_MAX} files; the rest is left out")));
                found.truncate(FILES_MAX);
                break;
            }
        }
        found.sort();
        (found, problems)
    }

    /// The text of a file of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// A problem that names the file: missing, unreadable, outside, too large, not UTF-8.
    pub fn read(&self, file: &str, bytes_max: u64) -> Result<String, Problem> {
        let cannot = |error: io::Error| Problem::hides(file, format!("the file cannot be read: {error}"));
        let opened = self.open_file(file).map_err(cannot)?;
        let mut bytes = Vec::new();
        opened.take(bytes_max + 1).read_to_end(&mut bytes).map_err(cannot)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
            return Err(Problem::hides(file, format!("the file is larger than {} KiB", bytes_max / 1024)));
        }
        String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            Problem::hides(file, "the text is not UTF-8").at(Some(line))
        })
    }

    /// A plain file in the folder.
    ///
    /// # Errors
    /// If there is none of this name inside the folder.
    pub fn open_file(&self, file: &str) -> io::Result<std::fs::File> {
        // Looked at before it is opened: a pipe would hold whoever opens it.
        if !self.dir.metadata(file)?.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let opened = self.dir.open(file)?;
        if opened.metadata()?.is_file() { Ok(opened.into_std()) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

fn has_extension(name: &str, wanted: fn(&str) -> bool) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| wanted(&extension.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn markdown(extension: &str) -> bool {
        extension == "md"
    }

    #[test]
    fn only_wanted_and_visible_files_are_found() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "b.md",
            "a.MD",
            "x.txt",
            ".hidden.md",
            "_index.md",
            "in/deep/c.md",
            "_posts/d.md",
            "_drafts/e.md",
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        let (files, problems) = Folder::open(root.path()).unwrap().files(markdown);
        assert_eq!(files, ["_posts/d.md", "a.MD", "b.md", "in/deep/c.md"]);
        assert!(problems.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_leads_out_of_the_folder() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.md"), "secret").unwrap();
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("in")).unwrap();
        fs::write(root.path().join("in/a.md"), "inside").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.md"), root.path().join("link.md")).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("folder")).unwrap();
        std::os::unix::fs::symlink("in/a.md", root.path().join("good.md")).unwrap();
        let folder = Folder::open(root.path()).unwrap();

        assert_eq!(folder.files(markdown).0, ["good.md", "in/a.md", "link.md"]);
        assert_eq!(folder.read("good.md", 100).unwrap(), "inside");
        let secret = outside.path().join("secret.md");
        let dots = format!("../{}/secret.md", outside.path().file_name().unwrap().to_str().unwrap());
        for name in
            ["link.md", "folder/secret.md", &dots, secret.to_str().unwrap(), "in/../../x", "in", "", "a\0b"]
        {
            assert!(folder.read(name, 100).is_err(), "{name:?} was read");
        }
    }

    #[test]
    fn too_large_and_broken_files_say_so() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("large.md"), "x".repeat(2_000)).unwrap();
        fs::write(root.path().join("latin.md"), b"one\ntw\xF6\n").unwrap();
        let folder = Folder::open(root.path()).unwrap();
        assert!(folder.read("large.md", 1_024).unwrap_err().message.contains("larger than 1 KiB"));
        assert_eq!(folder.read("latin.md", 1_024).unwrap_err().line, Some(2));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_or_a_device_holds_nobody() {
        let root = tempfile::tempdir().unwrap();
        let pipe = root.path().join("a.md");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        fs::create_dir(root.path().join("b.md")).unwrap();
        let folder = Folder::open(root.path()).unwrap();
        for name in ["a.md", "b.md"] {
            assert!(folder.open_file(name).is_err(), "{name}");
            assert!(folder.read(name, 100).is_err(), "{name}");
        }
    }
}
