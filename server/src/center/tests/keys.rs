//! The key file: made, read again, rotated, refused; and what it must never show.

use std::fs;
use std::sync::LazyLock;

use tuppence_protocol::envelope::{CenterPublicKey, KeyEnvelope};

use super::*;
use crate::center::keys::{KeyError, KeyFile};

/// Making a key takes seconds, so the tests share one.
static KEYS: LazyLock<KeyFile> = LazyLock::new(|| KeyFile::generate(server("center")).unwrap());

fn encrypt(key: &CenterPublicKey, secret: &Secret) -> KeyEnvelope {
    use getrandom::rand_core::UnwrapErr;
    key.encrypt(secret, &mut UnwrapErr(getrandom::SysRng)).unwrap()
}

#[test]
fn a_key_file_is_read_as_it_was_written_and_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    KEYS.create(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let read = KeyFile::load(&path).unwrap();
    assert_eq!(read.center_id(), KEYS.center_id());
    assert_eq!(read.public_key(), KEYS.public_key());
    let session_key = Secret::from_bytes([5; 32]);
    let envelope = encrypt(KEYS.public_key(), &session_key);
    assert_eq!(read.session_key(&envelope).unwrap().expose(), session_key.expose());
    assert!(read.is_operator(&KEYS.operator_token()));
    for token in ["", "x", &KEYS.operator_token()[1..]] {
        assert!(!read.is_operator(token), "{token}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn an_existing_key_file_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    fs::write(&path, "older").unwrap();
    assert!(matches!(KEYS.create(&path), Err(KeyError::File { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "older");
}

#[test]
fn rotation_adds_secrets_and_keeps_the_older_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let mut keys = KEYS.clone();
    keys.create(&path).unwrap();
    assert_eq!(keys.rotate_scrip().unwrap(), 2);
    assert_eq!(keys.rotate_scrip().unwrap(), 3);
    assert_eq!(keys.rotate_customer().unwrap(), 2);
    assert_eq!(keys.rotate_vendor().unwrap(), 2);
    keys.replace(&path).unwrap();
    let read = KeyFile::load(&path).unwrap().center_keys(HashAlgorithm::HmacSha256, false);
    let before = KEYS.center_keys(HashAlgorithm::HmacSha256, false);
    assert_eq!(read.scrip_secrets.ids().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(read.scrip_secrets.find(1).unwrap().expose(), before.scrip_secrets.find(1).unwrap().expose());
    assert_ne!(read.scrip_secrets.find(2).unwrap().expose(), read.scrip_secrets.find(3).unwrap().expose());
    assert_eq!(read.customer_secrets.ids().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_file_that_does_not_fit_is_refused_without_showing_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    assert!(matches!(KeyFile::load(&path), Err(KeyError::File { .. })));
    KEYS.create(&path).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let token = KEYS.operator_token();
    for bad in [
        String::new(),
        good[..good.len() / 2].to_owned(),
        good.replacen("\"format\": 1", "\"format\": 2", 1),
        good.replacen(token.as_str(), "canary-in-place-of-a-secret", 1),
        good.replacen("\"privateKey\": \"M", "\"privateKey\": \"N", 1),
        good.replacen("operatorToken", "operatorTokens", 1),
    ] {
        assert_ne!(bad, good);
        fs::write(&path, &bad).unwrap();
        let message = KeyFile::load(&path).unwrap_err().to_string();
        assert!(!message.contains("canary") && !message.contains(&token[..8]), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    KEYS.create(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(KeyFile::load(&path), Err(KeyError::Exposed { mode: 0o640, .. })));
}

#[test]
fn an_envelope_that_cannot_be_opened_is_one_refusal() {
    let short = KeyEnvelope::try_from(vec![1; 10]).unwrap();
    let wrong = KeyEnvelope::try_from(vec![1; 384]).unwrap();
    let messages: std::collections::BTreeSet<_> = [short, wrong]
        .into_iter()
        .map(|envelope| {
            let refusal = KEYS.session_key(&envelope).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::Envelope);
            refusal.message
        })
        .collect();
    assert_eq!(messages.len(), 1);
}

#[test]
fn printing_keys_shows_no_secret() {
    let printed = format!("{:?}", *KEYS);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    KEYS.create(&path).unwrap();
    let written: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for field in ["privateKey", "challengeSecret", "operatorToken"] {
        assert!(!printed.contains(written[field].as_str().unwrap()), "{field} is printed");
    }
    assert!(printed.contains("PrivateKeyText(..)"));
}
