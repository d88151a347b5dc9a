//! The data folder: keys, databases, credentials, and the lock that keeps a second program out.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The data folder of a center, a storefront, or both.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder at `path`, which need not exist.
    pub fn new(path: &Path) -> Self {
        DataFolder(path.to_owned())
    }

    /// Makes the folder, for its owner alone, where it is missing.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(&self) -> Result<(), Failure> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0).map_err(|error| {
            Failure::new(format!("The data folder {} cannot be made: {error}", self.0.display()))
                .hint("Choose another one with --data.")
        })
    }

    /// The center's keys.
    pub fn keys(&self) -> PathBuf {
        self.0.join("center-keys.json")
    }

    /// The center's records.
    pub fn center_database(&self) -> PathBuf {
        self.0.join("center.sqlite")
    }

    /// The storefront's records.
    pub fn shop_database(&self) -> PathBuf {
        self.0.join("shop.sqlite")
    }

    /// What the storefront shares with its center.
    pub fn credentials(&self) -> PathBuf {
        self.0.join("shop.json")
    }

    /// The articles.
    pub fn content(&self) -> PathBuf {
        self.0.join("content")
    }

    /// Which pages of another site are sold.
    pub fn rules(&self) -> PathBuf {
        self.0.join("rules.toml")
    }

    /// The campaigns.
    pub fn campaigns(&self) -> PathBuf {
        self.0.join("campaigns")
    }

    /// How the operator's tools reach the running center.
    pub fn operator(&self) -> PathBuf {
        self.0.join("operator.json")
    }

    /// Keeps a second program of this `role` out of the folder while the result lives.
    ///
    /// # Errors
    /// If there is one already.
    pub fn lock(&self, role: &str) -> Result<File, Failure> {
        let path = self.0.join(format!("{role}.lock"));
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(format!("The data folder {} cannot be locked: {error}", self.0.display()))
        };
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(|e| failed(&e))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Failure::new(format!(
                "Another tuppence {role} works in the data folder {}",
                self.0.display()
            ))
            .hint("End that one, or choose another folder with --data.")),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }
}

/// How the operator's tools reach the running center; a secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorAccess {
    /// Where the center listens.
    pub center: String,
    /// The operator's token.
    pub token: String,
}

impl OperatorAccess {
    /// Writes the file at `path`, readable for its owner alone.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        write_private(path, &serde_json::to_vec_pretty(self).map_err(Failure::new)?)
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// If there is none, or it is no such file.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let text = fs::read(path).map_err(|error| {
            Failure::new(format!("{} cannot be read: {error}", path.display())).hint(
                "A center writes this file when it starts. Name its data folder with --data, and start it if it \
                 does not run.",
            )
        })?;
        serde_json::from_slice(&text)
            .map_err(|_| Failure::new(format!("{} is not what a center writes", path.display())))
    }
}

/// Writes a file that only its owner can read, whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(content)?;
        fs::rename(&beside, path)
    };
    write().map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))
}
