//! The ports of a native program, against the promises of the traits.

use std::future::Future;
use std::path::PathBuf;

use tempfile::TempDir;
use tuppence_protocol::Duration;

use super::*;
use crate::ports::{Changes, Lock, LockError, Scan, Storage, StorageError, Vault, VaultError};

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

fn records() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.sqlite");
    (folder, path)
}

fn changes(pairs: &[(&str, Option<&str>)]) -> Changes {
    let changes = pairs.iter().map(|(key, record)| ((*key).to_owned(), record.map(|text| text.into())));
    Changes { changes: changes.collect(), requires: None }
}

fn keys(found: Vec<(String, Vec<u8>)>) -> Vec<String> {
    found.into_iter().map(|(key, _)| key).collect()
}

#[test]
fn records_are_found_by_key_and_by_prefix_in_the_order_of_their_bytes() {
    let (_folder, path) = records();
    let storage = FileStorage::open(&path).unwrap();
    run(async {
        storage
            .commit(changes(&[
                ("history/2", Some("b")),
                ("history/1", Some("a")),
                ("history/10", Some("c")),
                ("historz", Some("z")),
                ("history/é", Some("e")),
            ]))
            .await
            .unwrap();
        assert_eq!(storage.read("history/2").await.unwrap().unwrap(), b"b");
        assert_eq!(storage.read("history").await.unwrap(), None);
        let all = keys(storage.list("history/", Scan::All).await.unwrap());
        assert_eq!(all, ["history/1", "history/10", "history/2", "history/é"]);
        let latest = |before: Option<&str>, limit| Scan::Latest { before: before.map(str::to_owned), limit };
        let found = storage.list("history/", latest(None, 2)).await.unwrap();
        assert_eq!(keys(found), ["history/é", "history/2"]);
        let found = storage.list("history/", latest(Some("history/2"), 9)).await.unwrap();
        assert_eq!(keys(found), ["history/10", "history/1"]);
        assert!(storage.list("history/", latest(None, 0)).await.unwrap().is_empty());
        assert_eq!(storage.list("", Scan::All).await.unwrap().len(), 5);
    });
}

#[test]
fn a_commit_is_whole_or_nothing_and_another_program_sees_it() {
    let (_folder, path) = records();
    let (here, there) = (FileStorage::open(&path).unwrap(), FileStorage::open(&path).unwrap());
    run(async {
        let needy = Changes { requires: Some("wallet"), ..changes(&[("a", Some("1"))]) };
        assert_eq!(here.commit(needy.clone()).await, Err(StorageError::Gone));
        assert!(there.list("", Scan::All).await.unwrap().is_empty());

        here.commit(changes(&[("wallet", Some("w")), ("b", Some("1")), ("b", None)])).await.unwrap();
        here.commit(needy).await.unwrap();
        assert_eq!(keys(there.list("", Scan::All).await.unwrap()), ["a", "wallet"], "the later change holds");
    });
}

#[test]
fn what_others_may_read_and_what_is_no_wallet_is_refused() {
    let (folder, path) = records();
    drop(FileStorage::open(&path).unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(FileStorage::open(&path), Err(OpenError::Exposed { mode: 0o640, .. })));
    }
    let other = folder.path().join("other.sqlite");
    private_file(&other).unwrap();
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(matches!(FileStorage::open(&other), Err(OpenError::Foreign { .. })));
    std::fs::write(&other, "no database at all, but text of some length, so that SQLite looks at it")
        .unwrap();
    assert!(matches!(FileStorage::open(&other), Err(OpenError::Database { .. })));
}

#[test]
fn a_lock_keeps_others_out_until_it_is_given_back() {
    let (_folder, path) = records();
    let (here, there) = (FileLock::beside(&path), FileLock::beside(&path));
    run(async {
        let held = here.hold("w", Duration::from_secs(5)).await.unwrap();
        let busy = there.hold("w", Duration::from_millis(1)).await;
        assert!(matches!(busy, Err(LockError::Busy)));
        drop(held);
        assert!(there.hold("w", Duration::from_millis(1)).await.is_ok());
    });
}

#[test]
fn a_secret_comes_back_with_its_key_alone() {
    let vault = |byte| KeyVault::new(Zeroizing::new([byte; 32]));
    run(async {
        let wrapped = vault(1).wrap(b"a secret").await.unwrap();
        assert!(!wrapped.windows(8).any(|part| part == b"a secret"));
        assert_eq!(vault(1).unwrap(&wrapped).await.unwrap().as_slice(), b"a secret");
        assert_eq!(vault(2).unwrap(&wrapped).await, Err(VaultError::Lost));
        for cut in 0..wrapped.len() {
            assert_eq!(vault(1).unwrap(&wrapped[..cut]).await, Err(VaultError::Lost));
        }
    });
}
