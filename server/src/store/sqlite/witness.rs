//! The witness: a small file beside the database that says how far its journal went (T26).
//!
//! It is written after each commit, without waiting for the disk: so it is never ahead of the database, and when the
//! database ends before it, or continues otherwise, an older copy was put back. It costs a write of one line for each
//! batch. Where the whole folder was put back there is no such sign; then wallets bring it to light
//! (docs/decisions/0006-epochs.md).

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::super::StoreError;
use super::super::epochs::Witness;
use super::codec;
use super::open::private_file;
use crate::ledger::journal::Head;

impl Witness {
    /// The witness of the database at `path`; absent if there is none, or it cannot be read as one.
    pub fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(name(path)).ok()?;
        let mut words = text.split_whitespace();
        let (head, epoch) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Witness { head, epoch })
    }

    /// Whether the journal that `connection` sees has come as far, by the same way.
    pub fn agrees(&self, connection: &Connection) -> Result<bool, StoreError> {
        continues(connection, &self.head)
    }
}

/// Whether the journal has the link `head`.
pub(super) fn continues(connection: &Connection, head: &Head) -> Result<bool, StoreError> {
    if head.number == 0 {
        return Ok(*head == Head::GENESIS);
    }
    let sql = "SELECT chain FROM journal WHERE number = ?1";
    let chain = connection.query_row(sql, [codec::int(head.number)], |row| row.get::<_, Vec<u8>>(0));
    Ok(chain.optional()?.is_some_and(|chain| chain == head.chain))
}

/// The file, open for writing.
#[derive(Debug)]
pub(super) struct WitnessFile {
    file: File,
    failed: bool,
}

impl WitnessFile {
    /// Opens or makes the file, and writes it through to the disk once.
    pub fn open(path: &Path, witness: Witness) -> Result<Self, StoreError> {
        let mut this = WitnessFile { file: private_file(&name(path))?, failed: false };
        let written = this.write(witness).and_then(|()| this.file.sync_all());
        written.map_err(|error| {
            StoreError::Unavailable(format!("{} cannot be written: {error}", name(path).display()))
        })?;
        Ok(this)
    }

    /// Follows a commit. What was committed stays so, whatever becomes of this.
    pub fn follow(&mut self, witness: Witness) {
        let written = self.write(witness);
        if let (Err(error), false) = (&written, self.failed) {
            tracing::warn!(%error, "the journal's witness cannot be written");
        }
        self.failed = written.is_err();
    }

    /// All in one write, and always as long, so that no line is half an old one.
    fn write(&mut self, Witness { head, epoch }: Witness) -> io::Result<()> {
        let line = format!("{:>88} {epoch:>7}\n", head.to_string());
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(line.as_bytes())
    }
}

/// The witness of the database at `path`.
pub(super) fn name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".witness");
    PathBuf::from(name)
}
