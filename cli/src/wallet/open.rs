//! The wallet's folder: records, the key to the secrets in them, and the lock.

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tuppence_protocol::envelope::Fingerprint;
use tuppence_server::center::keys::{KeyError, Passphrase, SecretFile};
use tuppence_server::http::client;
use tuppence_wallet::origin::Origin;
use tuppence_wallet::ports::native::{self, FileStorage};
use tuppence_wallet::{Config, Wallet};
use zeroize::Zeroizing;

use super::arguments::WalletPlace;
use super::words::failure;
use crate::failure::Failure;

/// The longest that any request may take; the wallet's own limits are shorter.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// Where a wallet is, or will be.
pub struct Home {
    folder: PathBuf,
    passphrase: Option<Passphrase>,
}

impl Home {
    /// The folder that was named, or this user's.
    ///
    /// # Errors
    /// If there is no home folder, or the passphrase cannot be read.
    pub fn new(place: &WalletPlace) -> Result<Self, Failure> {
        let folder = match &place.wallet {
            Some(folder) => folder.clone(),
            None => standard_folder()?,
        };
        let read = |path: &PathBuf| Passphrase::read(path).map_err(Failure::new);
        let passphrase = place.wallet_passphrase_file.as_ref().map(read).transpose()?;
        Ok(Home { folder, passphrase })
    }

    /// The folder, as people read it.
    pub fn shown(&self) -> std::path::Display<'_> {
        self.folder.display()
    }

    /// Opens the wallet that is here.
    ///
    /// # Errors
    /// If there is none, or it cannot be opened.
    pub async fn open(&self) -> Result<Wallet, Failure> {
        let none = || {
            Failure::new(format!("There is no wallet in {} yet", self.shown()))
                .hint("Create one with `tuppence wallet register`, or name its folder with --wallet.")
        };
        if !self.records().is_file() {
            return Err(none());
        }
        let storage = self.storage()?;
        let center_origin = Wallet::center_of(&storage).await.map_err(failure)?.ok_or_else(none)?;
        self.on(storage, Config { center_origin, fingerprint: None }, false).await
    }

    /// Opens the wallet that is here, or makes room for one of this center.
    ///
    /// # Errors
    /// If there is one of another center, or it cannot be opened.
    pub async fn open_or_make(
        &self,
        center: &str,
        fingerprint: Option<Fingerprint>,
        replace: bool,
    ) -> Result<Wallet, Failure> {
        let center_origin: Origin = center.parse().map_err(failure)?;
        self.create()?;
        let storage = self.storage()?;
        let known = Wallet::center_of(&storage).await.map_err(failure)?;
        if let Some(other) = known.as_ref().filter(|known| **known != center_origin) {
            return Err(Failure::new(format!("The wallet in {} is of {other}", self.shown()))
                .hint("Name another folder with --wallet: a folder holds one wallet."));
        }
        self.on(storage, Config { center_origin, fingerprint }, known.is_none() || replace).await
    }

    async fn on(&self, storage: FileStorage, config: Config, is_new: bool) -> Result<Wallet, Failure> {
        let key = self.key(is_new)?;
        let http = client::client(ANSWER_TIME_MAX).map_err(Failure::new)?;
        Wallet::open(native::ports(storage, http, key), config).await.map_err(failure)
    }

    /// The key to the secrets in the records. It is made for a new wallet alone: another one would open nothing.
    fn key(&self, is_new: bool) -> Result<Zeroizing<[u8; 32]>, Failure> {
        let path = self.folder.join("wallet-key.json");
        let file = SecretFile::at(&path, self.passphrase.as_ref());
        let secret = if is_new { file.load_or_create() } else { file.load() };
        let secret = secret.map_err(|error| {
            let hint = match &error {
                KeyError::PassphraseMissing { .. } | KeyError::PassphraseWrong => {
                    "Name the file with its passphrase by --wallet-passphrase-file."
                }
                _ => {
                    "Put the key file back. Where it is lost, bring the wallet back with `tuppence wallet restore \
                     --replace` from its words, or with `tuppence wallet import --replace` from a copy."
                }
            };
            Failure::new(error).hint(hint)
        })?;
        Ok(Zeroizing::new(*secret.expose()))
    }

    fn storage(&self) -> Result<FileStorage, Failure> {
        FileStorage::open(&self.records())
            .map_err(|error| Failure::new(error).hint("Name another folder with --wallet, or mend this one."))
    }

    fn records(&self) -> PathBuf {
        self.folder.join("wallet.sqlite")
    }

    fn create(&self) -> Result<(), Failure> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder).map_err(|error| {
            Failure::new(format!("The wallet's folder {} cannot be made: {error}", self.shown()))
                .hint("Name another one with --wallet.")
        })
    }
}

fn standard_folder() -> Result<PathBuf, Failure> {
    let from = |name| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let base = from("XDG_DATA_HOME")
        .or_else(|| from("LOCALAPPDATA"))
        .or_else(|| from("HOME").map(|home| home.join(".local/share")));
    base.map(|base| base.join(Path::new("tuppence/wallet"))).ok_or_else(|| {
        Failure::new("There is no home folder to keep a wallet in").hint("Name a folder with --wallet.")
    })
}
