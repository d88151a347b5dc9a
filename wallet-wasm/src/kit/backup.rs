//! Copies: the whole wallet as text, and back (T5).
//!
//! A copy holds the secrets in the clear, since a copy that only this browser could open would not
//! outlive it. It is versioned, names its center, and every record in it is checked before it is taken.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tuppence_protocol::bytes::Bytes;
use tuppence_protocol::recovery::words::Mnemonic;
use tuppence_protocol::{Secret, Timestamp};

use crate::error::{Problem, WalletError};
use crate::json::{self, Tree};
use crate::kit::clear;
use crate::operation::session::{Session, check_version, unwrap, wrap, wrap_words};
use crate::origin::Origin;
use crate::ports::Scan;
use crate::record::{self, WalletRecord};
use crate::wallet::Inner;

const FORMAT: &str = "tuppence-wallet";
const VERSION: u32 = 1;
/// The largest copy that is read, in bytes.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// The bits of recovery words.
type Words = Bytes<16>;

/// A wallet as a file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Backup {
    format: String,
    version: u32,
    warning: String,
    center: Origin,
    exported: Timestamp,
    custom_secret: Secret,
    wallet_key: Secret,
    /// The 128 bits of the recovery words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    words: Option<Words>,
    records: BTreeMap<String, Tree>,
}

/// The wallet as text.
pub(super) async fn export(session: &Session) -> Result<String, WalletError> {
    let ports = session.ports();
    let mut records = BTreeMap::new();
    for (key, record) in ports.storage.list("", Scan::All).await? {
        let value = Tree::parse(&record)
            .map_err(|error| WalletError::from(Problem::RecordDamaged).because(format!("{key}: {error}.")))?;
        records.insert(key, value);
    }
    let words = match session.wallet.words {
        Some(_) => {
            let words = session.mnemonic().await?;
            Some(Words::try_from(words.entropy().to_vec()).map_err(|_| Problem::RecordDamaged)?)
        }
        None => None,
    };
    let backup = Backup {
        format: FORMAT.to_owned(),
        version: VERSION,
        warning: "Whoever has this file has the e-cash in it. Keep it where nobody else can read it."
            .to_owned(),
        center: session.wallet.center.origin.clone(),
        exported: session.now(),
        custom_secret: session.custom_secret.clone(),
        wallet_key: unwrap(ports, session.wallet.wallet_key.as_slice()).await?,
        words,
        records,
    };
    json::pretty(&backup)
        .map_err(|error| WalletError::from(Problem::RecordDamaged).because(format!("{error}.")))
}

/// Puts a copy in place of all records. An existing wallet is given up only with `replace`.
pub(super) async fn import(inner: &Inner, copy: &str, replace: bool) -> Result<(), WalletError> {
    let backup = parse(copy)?;
    if backup.center != inner.config.center_origin {
        return Err(WalletError::from(Problem::BackupForeign).because(format!("It is of {}.", backup.center)));
    }
    let ports = &inner.ports;
    let mut changes = clear(inner, replace).await?;
    let damaged = |error| WalletError::from(Problem::BackupInvalid).because(format!("{error}."));
    for (key, value) in &backup.records {
        changes.put(key.clone(), json::write(value).map_err(damaged)?);
    }
    let wallet = backup.records.get("wallet").ok_or(Problem::BackupInvalid)?;
    let mut wallet = WalletRecord::deserialize(wallet).map_err(damaged)?;
    check_version(&wallet)?;
    wallet.custom_secret = wrap(ports, &backup.custom_secret).await?;
    wallet.wallet_key = wrap(ports, &backup.wallet_key).await?;
    wallet.words = match &backup.words {
        Some(words) => {
            let entropy = words.as_slice().try_into().map_err(|_| Problem::BackupInvalid)?;
            Some(wrap_words(ports, &Mnemonic::from_entropy(entropy)).await?)
        }
        None => None,
    };
    wallet.stale = true;
    changes.write("", &wallet)?;
    ports.storage.commit(changes).await?;
    ports.storage.mark(true).await;
    Ok(())
}

fn parse(copy: &str) -> Result<Backup, WalletError> {
    if copy.len() > BYTES_MAX {
        return Err(WalletError::from(Problem::BackupInvalid).because("It is too large."));
    }
    let invalid = |error| WalletError::from(Problem::BackupInvalid).because(format!("{error}."));
    let copy = Tree::parse(copy.as_bytes()).map_err(invalid)?;
    let header = Header::deserialize(&copy).map_err(invalid)?;
    if header.format != FORMAT {
        return Err(Problem::BackupInvalid.into());
    }
    if header.version > VERSION {
        return Err(Problem::RecordNewer.into());
    }
    let backup = Backup::deserialize(&copy).map_err(invalid)?;
    if let Some((key, _)) = backup.records.iter().find(|(key, value)| !record::fits(key, value)) {
        return Err(WalletError::from(Problem::BackupInvalid).because(format!("{key} cannot be read.")));
    }
    Ok(backup)
}

/// Reads a copy and writes it again, for whoever examines copies from outside (tests/fuzz).
///
/// # Errors
/// [`Problem::BackupInvalid`] or [`Problem::RecordNewer`], as when it is brought back.
#[cfg(not(target_arch = "wasm32"))]
pub fn copy_again(copy: &str) -> Result<String, WalletError> {
    json::pretty(&parse(copy)?)
        .map_err(|error| WalletError::from(Problem::BackupInvalid).because(format!("{error}.")))
}

/// What every version of a copy begins with.
#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}
