//! Rotated keys take effect while the center runs: their file is watched, and SIGHUP has it read at once (T24).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use actix_web::web;
use tuppence_protocol::HashAlgorithm;
use tuppence_protocol::envelope::CenterPublicKey;
use tuppence_server::center::LiveCenter;
use tuppence_server::center::keys::{KeyFile, Passphrase};
use tuppence_server::http::stopping::Stopping;

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// The key file of a center that runs.
pub struct Watched {
    /// Where it is.
    pub path: PathBuf,
    /// What it is sealed under.
    pub passphrase: Option<Passphrase>,
    /// The key that wallets know, which a rotation never changes.
    pub public_key: CenterPublicKey,
    /// What takes the new secrets over.
    pub center: LiveCenter,
    /// The file as it was when the center read it.
    pub seen: Option<Stamp>,
}

/// Takes new secrets over as they come, until the program stops.
pub async fn watch(watched: Watched, stopping: Stopping) {
    let mut hangups = Hangups::new();
    let mut seen = watched.seen;
    loop {
        let asked = tokio::select! {
            () = tokio::time::sleep(INTERVAL) => false,
            () = hangups.next() => true,
            () = stopping.wait() => return,
        };
        let now = stamp(&watched.path);
        if now == seen && !asked {
            continue;
        }
        seen = now;
        match take_over(&watched).await {
            Ok(()) => tracing::info!("the key file was read again: what is new in it is used from now on"),
            Err(error) => {
                tracing::error!(%error, "the key file cannot be taken over: the center goes on with the keys it has");
            }
        }
    }
}

async fn take_over(watched: &Watched) -> Result<(), String> {
    let (path, passphrase) = (watched.path.clone(), watched.passphrase.clone());
    let read = web::block(move || read(&path, passphrase.as_ref()));
    let keys = read.await.map_err(|error| error.to_string())??;
    if *keys.public_key() != watched.public_key {
        return Err("it holds another private key".to_owned());
    }
    // Algorithms are settings and stay; only the rings are taken over.
    let keys = keys.center_keys(HashAlgorithm::HmacSha256, false);
    watched.center.rotate(&keys).map_err(|error| error.to_string())
}

/// The file, once its name is durable: no e-cash is made with a secret that a power failure could take back.
fn read(path: &Path, passphrase: Option<&Passphrase>) -> Result<KeyFile, String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| format!("{} cannot be synced: {error}", folder.display()))?;
    KeyFile::load_with(path, passphrase).map_err(|error| error.to_string())
}

/// What changes whenever the file is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    written: Option<SystemTime>,
    length: u64,
    inode: u64,
}

/// How the file is now, if it is there.
pub fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Some(Stamp { written: metadata.modified().ok(), length: metadata.len(), inode })
}

#[cfg(unix)]
struct Hangups(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangups {
    fn new() -> Self {
        let signals = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
        if let Err(error) = &signals {
            tracing::warn!(%error, "SIGHUP cannot be heard; the key file is watched all the same");
        }
        Hangups(signals.ok())
    }

    async fn next(&mut self) {
        match &mut self.0 {
            Some(signals) => {
                signals.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
struct Hangups;

#[cfg(not(unix))]
impl Hangups {
    fn new() -> Self {
        Hangups
    }

    async fn next(&mut self) {
        std::future::pending().await
    }
}
