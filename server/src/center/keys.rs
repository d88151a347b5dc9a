//! The center's key file: all of its secrets, in one JSON file that only its owner may read (T24), sealed under a
//! passphrase where there is one.

mod passphrase;
mod single;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tuppence_protocol::envelope::{CenterPrivateKey, CenterPublicKey, KeyEnvelope};
use tuppence_protocol::ids::VendorId;
use tuppence_protocol::scrip::center::CenterKeys;
use tuppence_protocol::{ErrorCode, HashAlgorithm, KeyRing, Refusal, Secret, bytes};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use passphrase::Passphrase;
use passphrase::Sealed;
pub use single::SecretFile;

/// The form of the file that this program writes and reads.
const FORMAT: u32 = 1;

/// A center's name and all of its secrets.
#[derive(Debug, Clone)]
pub struct KeyFile {
    content: Content,
    private_key: CenterPrivateKey,
    public_key: CenterPublicKey,
    signing_secret: Secret,
    passphrase: Option<Passphrase>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    format: u32,
    center_id: VendorId,
    /// PKCS #8 DER, base64url.
    private_key: PrivateKeyText,
    scrip_secrets: KeyRing,
    customer_secrets: KeyRing,
    vendor_secrets: KeyRing,
    challenge_secret: Secret,
    operator_token: Secret,
}

/// The file under a passphrase: [`Content`] as JSON is what is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedFile {
    format: u32,
    sealed: Sealed,
}

/// Which of the two forms a file has.
#[derive(Deserialize)]
struct Form {
    sealed: Option<IgnoredAny>,
}

/// The private key's text; never printed, wiped when dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
struct PrivateKeyText(String);

impl std::fmt::Debug for PrivateKeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKeyText(..)")
    }
}

impl KeyFile {
    /// New keys for the center `center_id`, whose name stays for good: every scrip says it. Takes some seconds.
    ///
    /// # Errors
    /// [`KeyError::Random`] or [`KeyError::Unusable`].
    pub fn generate(center_id: VendorId) -> Result<Self, KeyError> {
        let unusable = |_| KeyError::Unusable("no key could be made".to_owned());
        let private_key = CenterPrivateKey::generate(&mut UnwrapErr(SysRng)).map_err(unusable)?;
        let der = private_key.to_der().map_err(unusable)?;
        let content = Content {
            format: FORMAT,
            center_id,
            private_key: PrivateKeyText(bytes::encode(&der)),
            scrip_secrets: KeyRing::new(1, random_secret()?),
            customer_secrets: KeyRing::new(1, random_secret()?),
            vendor_secrets: KeyRing::new(1, random_secret()?),
            challenge_secret: random_secret()?,
            operator_token: random_secret()?,
        };
        Self::open(content)
    }

    /// Reads a key file that no passphrase seals.
    ///
    /// # Errors
    /// [`KeyError`] with what is wrong and where.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::load_with(path, None)
    }

    /// Reads a key file, sealed or not; what is written again is sealed under the `passphrase`.
    ///
    /// # Errors
    /// [`KeyError`] with what is wrong and where.
    pub fn load_with(path: &Path, passphrase: Option<&Passphrase>) -> Result<Self, KeyError> {
        let file_error = |source| KeyError::File { path: path.to_owned(), source };
        check_private(path)?;
        let text = Zeroizing::new(fs::read(path).map_err(file_error)?);
        // Serde's message would quote what it found, which may be a secret: the place is enough.
        let malformed = |error: serde_json::Error| {
            KeyError::Unusable(format!(
                "{} is no key file: line {}, column {} does not fit",
                path.display(),
                error.line(),
                error.column()
            ))
        };
        let content: Content = if serde_json::from_slice(&text).is_ok_and(|form: Form| form.sealed.is_some())
        {
            let missing = || KeyError::PassphraseMissing { path: path.to_owned() };
            let stored: SealedFile = serde_json::from_slice(&text).map_err(malformed)?;
            serde_json::from_slice(&stored.sealed.open(passphrase.ok_or_else(missing)?)?)
                .map_err(malformed)?
        } else {
            serde_json::from_slice(&text).map_err(malformed)?
        };
        if content.format != FORMAT {
            let why =
                format!("{} has format {}; this program reads {FORMAT}", path.display(), content.format);
            return Err(KeyError::Unusable(why));
        }
        Self::open(content).map(|keys| keys.sealed_under(passphrase.cloned()))
    }

    /// The same keys, to be written under this passphrase, or under none.
    #[must_use]
    pub fn sealed_under(self, passphrase: Option<Passphrase>) -> Self {
        KeyFile { passphrase, ..self }
    }

    fn open(content: Content) -> Result<Self, KeyError> {
        let unusable = || KeyError::Unusable("the private key is none in PKCS #8".to_owned());
        let der = Zeroizing::new(bytes::decode(&content.private_key.0).map_err(|_| unusable())?);
        let private_key = CenterPrivateKey::from_der(&der).map_err(|_| unusable())?;
        let public_key = private_key.public().map_err(|_| unusable())?;
        for ring in [&content.scrip_secrets, &content.customer_secrets, &content.vendor_secrets] {
            ring.current().ok_or_else(|| KeyError::Unusable("a ring has no secrets".to_owned()))?;
        }
        let signing_secret = private_key.signing_secret().map_err(|_| unusable())?;
        Ok(KeyFile { content, private_key, public_key, signing_secret, passphrase: None })
    }

    /// Writes a new key file; never over an existing one.
    ///
    /// # Errors
    /// [`KeyError::File`].
    pub fn create(&self, path: &Path) -> Result<(), KeyError> {
        if path.exists() {
            let source = io::Error::new(io::ErrorKind::AlreadyExists, "there is one already");
            return Err(KeyError::File { path: path.to_owned(), source });
        }
        self.replace(path)
    }

    /// Writes the key file, whole or not at all, in place of an older one.
    ///
    /// # Errors
    /// [`KeyError::File`]; the older one is still there then.
    pub fn replace(&self, path: &Path) -> Result<(), KeyError> {
        let unusable = |error| KeyError::Unusable(format!("the keys cannot be written: {error}"));
        let mut text = Zeroizing::new(serde_json::to_vec_pretty(&self.content).map_err(unusable)?);
        if let Some(passphrase) = &self.passphrase {
            let sealed = SealedFile { format: FORMAT, sealed: Sealed::close(&text, passphrase)? };
            text = Zeroizing::new(serde_json::to_vec_pretty(&sealed).map_err(unusable)?);
        }
        write_private(path, &text).map_err(|source| KeyError::File { path: path.to_owned(), source })
    }

    /// Adds a master scrip secret; new scrip is made with it, older scrip stays good. Gives its id.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn rotate_scrip(&mut self) -> Result<u32, KeyError> {
        rotate(&mut self.content.scrip_secrets)
    }

    /// Adds a master customer secret for new buyers; the others keep theirs. Gives its id.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn rotate_customer(&mut self) -> Result<u32, KeyError> {
        rotate(&mut self.content.customer_secrets)
    }

    /// Adds a secret for the center's own offers and receipts (cash-out). Gives its id.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn rotate_vendor(&mut self) -> Result<u32, KeyError> {
        rotate(&mut self.content.vendor_secrets)
    }

    /// Keeps other programs from changing the key file at `path` while the result lives; waits for them.
    ///
    /// # Errors
    /// [`KeyError::File`].
    pub fn lock(path: &Path) -> Result<File, KeyError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let name = PathBuf::from(name);
        let failed = |source| KeyError::File { path: name.clone(), source };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&name).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    /// Who the center is.
    pub fn center_id(&self) -> &VendorId {
        &self.content.center_id
    }

    /// What wallets encrypt their session keys with.
    pub fn public_key(&self) -> &CenterPublicKey {
        &self.public_key
    }

    /// What the rules need of the file, with the operator's choice of algorithms.
    pub fn center_keys(&self, algorithm: HashAlgorithm, sha256_allowed: bool) -> CenterKeys {
        CenterKeys {
            center_id: self.content.center_id.clone(),
            scrip_secrets: self.content.scrip_secrets.clone(),
            customer_secrets: self.content.customer_secrets.clone(),
            vendor_secrets: self.content.vendor_secrets.clone(),
            signing_secrets: KeyRing::new(1, self.signing_secret.clone()),
            challenge_secret: self.content.challenge_secret.clone(),
            algorithm,
            sha256_allowed,
        }
    }

    /// The session key of an R1. Costs a millisecond or more: not for an async thread, and after
    /// [`tuppence_protocol::scrip::center::Center::check_work`].
    ///
    /// # Errors
    /// [`ErrorCode::Envelope`], whatever was wrong (T15).
    pub fn session_key(&self, envelope: &KeyEnvelope) -> Result<Secret, Refusal> {
        let opened = self.private_key.decrypt(envelope, &mut UnwrapErr(SysRng));
        opened.map_err(|error| Refusal::new(ErrorCode::Envelope, format!("In keyEnvelope, {error}.")))
    }

    /// The operator's token, for the operator's own tools.
    pub fn operator_token(&self) -> Zeroizing<String> {
        Zeroizing::new(bytes::encode(self.content.operator_token.expose()))
    }

    /// Whether `token` is the operator's, in constant time.
    #[must_use]
    pub fn is_operator(&self, token: &str) -> bool {
        self.operator_token().as_bytes().ct_eq(token.as_bytes()).into()
    }
}

fn rotate(ring: &mut KeyRing) -> Result<u32, KeyError> {
    let full = || KeyError::Unusable("there are no more secret numbers".to_owned());
    let id = ring.current().map_or(0, |(id, _)| id).checked_add(1).ok_or_else(full)?;
    ring.add(id, random_secret()?).map_err(|error| KeyError::Unusable(error.to_string()))?;
    Ok(id)
}

/// 256 bits from the system.
///
/// # Errors
/// [`KeyError::Random`].
pub fn random_secret() -> Result<Secret, KeyError> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice()).map_err(KeyError::Random)?;
    Ok(Secret::from_bytes(*secret))
}

/// Refuses a key file that others may read.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).map_err(|source| KeyError::File { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), KeyError> {
    Ok(())
}

/// Writes beside `path`, syncs, then takes its place.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = folder.join(name);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

/// Why keys cannot be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than the owner may read the file.
    #[error("{} can be read by others (mode {mode:03o}): make it private with chmod 600, and consider its secrets known", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is sealed.
    #[error("{} is sealed under a passphrase", path.display())]
    PassphraseMissing {
        /// Which file.
        path: PathBuf,
    },
    /// The passphrase opens nothing here.
    #[error("the passphrase does not open the key file, or the file was changed")]
    PassphraseWrong,
    /// The content is no set of keys.
    #[error("{0}")]
    Unusable(String),
    /// The system has no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}
