//! One secret in a file of its own, such as the key of a wallet: private, and sealed under a passphrase where there is
//! one, as the center's keys are.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tuppence_protocol::Secret;
use zeroize::Zeroizing;

use super::passphrase::{Passphrase, Sealed};
use super::{KeyError, KeyFile, check_private, random_secret, write_private};

/// The form of the file that this program writes and reads.
const FORMAT: u32 = 1;

/// A file with one secret.
#[derive(Debug)]
pub struct SecretFile<'a> {
    path: &'a Path,
    passphrase: Option<&'a Passphrase>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    format: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

impl<'a> SecretFile<'a> {
    /// The file at `path`, under this passphrase or under none.
    pub fn at(path: &'a Path, passphrase: Option<&'a Passphrase>) -> Self {
        SecretFile { path, passphrase }
    }

    /// The secret.
    ///
    /// # Errors
    /// [`KeyError`] with what is wrong and where.
    pub fn load(&self) -> Result<Secret, KeyError> {
        check_private(self.path)?;
        let file_error = |source| KeyError::File { path: self.path.to_owned(), source };
        let text = Zeroizing::new(fs::read(self.path).map_err(file_error)?);
        // Serde's message would quote what it found, which may be the secret.
        let unusable = || KeyError::Unusable(format!("{} is no key file", self.path.display()));
        let stored: Stored = serde_json::from_slice(&text).map_err(|_| unusable())?;
        match (stored, self.passphrase) {
            (Stored { format: FORMAT, secret: Some(secret), sealed: None }, None) => Ok(secret),
            (Stored { format: FORMAT, secret: Some(_), sealed: None }, Some(_)) => Err(KeyError::Unusable(
                format!("{} is not sealed, and a passphrase was given for it", self.path.display()),
            )),
            (Stored { format: FORMAT, secret: None, sealed: Some(_) }, None) => {
                Err(KeyError::PassphraseMissing { path: self.path.to_owned() })
            }
            (Stored { format: FORMAT, secret: None, sealed: Some(sealed) }, Some(passphrase)) => {
                let bytes = sealed.open(passphrase)?;
                let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| unusable())?;
                Ok(Secret::from_bytes(bytes))
            }
            _ => Err(unusable()),
        }
    }

    /// The secret, which is made now if there is no file. Of two programs that make one, the first one's stays.
    ///
    /// # Errors
    /// [`KeyError`] with what is wrong and where.
    pub fn load_or_create(&self) -> Result<Secret, KeyError> {
        let _lock = KeyFile::lock(self.path)?;
        if self.path.exists() {
            return self.load();
        }
        let secret = random_secret()?;
        let stored = match self.passphrase {
            None => Stored { format: FORMAT, secret: Some(secret.clone()), sealed: None },
            Some(passphrase) => {
                let sealed = Sealed::close(secret.expose(), passphrase)?;
                Stored { format: FORMAT, secret: None, sealed: Some(sealed) }
            }
        };
        let unwritable = |error| KeyError::Unusable(format!("the key cannot be written: {error}"));
        let text = Zeroizing::new(serde_json::to_vec_pretty(&stored).map_err(unwritable)?);
        write_private(self.path, &text)
            .map_err(|source| KeyError::File { path: self.path.to_owned(), source })?;
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_opens_with_its_passphrase_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (open, sealed) = (folder.path().join("open.json"), folder.path().join("sealed.json"));
        let (right, wrong) = ("a passphrase", "another one");
        let (right, wrong) = (Passphrase::new(right).unwrap(), Passphrase::new(wrong).unwrap());

        assert!(matches!(SecretFile::at(&open, None).load(), Err(KeyError::File { .. })));
        let made = SecretFile::at(&open, None).load_or_create().unwrap();
        let again = SecretFile::at(&open, None).load_or_create().unwrap();
        assert_eq!(made.expose(), again.expose());
        assert!(matches!(SecretFile::at(&open, Some(&right)).load(), Err(KeyError::Unusable(_))));

        let made = SecretFile::at(&sealed, Some(&right)).load_or_create().unwrap();
        assert_eq!(made.expose(), SecretFile::at(&sealed, Some(&right)).load().unwrap().expose());
        let text = fs::read_to_string(&sealed).unwrap();
        assert!(!text.contains(&tuppence_protocol::bytes::encode(made.expose())));
        assert!(matches!(SecretFile::at(&sealed, None).load(), Err(KeyError::PassphraseMissing { .. })));
        assert!(matches!(SecretFile::at(&sealed, Some(&wrong)).load(), Err(KeyError::PassphraseWrong)));

        fs::write(&open, "{}").unwrap();
        assert!(matches!(SecretFile::at(&open, None).load(), Err(KeyError::Unusable(_))));
    }
}
