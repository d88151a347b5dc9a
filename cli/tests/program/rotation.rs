//! Secrets are rotated while readers register, earn and pay: nobody notices, and nothing is lost (T24).

use std::fs;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::reader::{Reader, block_on, fixtures};
use crate::serving::{Serving, err};

/// Registers readers until one is of these secrets.
async fn until_new_readers_have(serving: &Serving, ids: (u64, u64)) -> Reader {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let reader = Reader::registered(serving).await;
        if reader.secret_ids() == ids {
            return reader;
        }
        assert!(Instant::now() < deadline, "{:?} instead of {ids:?}: {}", reader.secret_ids(), serving.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn rotated_secrets_are_used_at_once_and_no_payment_under_way_is_lost() {
    let serving = Serving::with_settings(&fixtures());
    let rotate = |ring: &str| serving.ask(&["keys", "rotate", ring]);
    block_on(async {
        let before = Reader::registered(&serving).await;
        before.earn().await;
        assert_eq!(before.secret_ids(), (1, 1));
        let readers = join_all((0..24).map(|_| async {
            let reader = Reader::registered(&serving).await;
            reader.earn().await;
            assert!(reader.pay().await.unwrap());
            assert_eq!(reader.balance().await, "USD:0.01");
            reader
        }));
        let id = Pid::from_raw(i32::try_from(serving.id()).unwrap());
        let rotates = async {
            for _ in 0..3 {
                for ring in ["scrip", "customer", "vendor"] {
                    rotate(ring);
                    kill(id, Signal::SIGHUP).unwrap();
                    // The readers get on between two commands.
                    for _ in 0..50 {
                        tokio::task::yield_now().await;
                    }
                }
            }
        };
        futures_util::future::join(readers, rotates).await;
        until_new_readers_have(&serving, (4, 4)).await;

        // Without a signal too, and for those who came before the first rotation.
        rotate("scrip");
        until_new_readers_have(&serving, (5, 4)).await;
        assert!(before.pay().await.unwrap());
        assert_eq!((before.balance().await, before.secret_ids()), ("USD:0.01".to_owned(), (5, 1)));
    });
    assert!(serving.ask(&["audit"]).contains("The books balance."));
}

#[test]
fn a_key_file_that_lacks_a_secret_in_use_is_not_taken_over() {
    let serving = Serving::with_settings(&fixtures());
    let path = serving.data().join("center-keys.json");
    let good = fs::read_to_string(&path).unwrap();
    let mut keys: serde_json::Value = serde_json::from_str(&good).unwrap();
    let secret = keys["scripSecrets"]["secrets"]["1"].take();
    keys["scripSecrets"]["secrets"] = json!({"2": secret});
    block_on(async {
        let reader = Reader::registered(&serving).await;
        reader.earn().await;
        fs::write(&path, keys.to_string()).unwrap();
        kill(Pid::from_raw(i32::try_from(serving.id()).unwrap()), Signal::SIGHUP).unwrap();
        until_the_log_says(&serving, "goes on with the keys it has").await;
        assert!(reader.pay().await.unwrap());
        assert_eq!(Reader::registered(&serving).await.secret_ids(), (1, 1));
    });
    fs::write(&path, good).unwrap();
}

#[test]
fn sealed_keys_open_with_their_passphrase_alone_and_rotate_under_it() {
    let mut serving = Serving::with_settings(&fixtures());
    serving.signal(Signal::SIGTERM);
    let keys = serving.data().join("center-keys.json");
    let plain = fs::read_to_string(&keys).unwrap();
    let file = |name: &str, text: &str| {
        let path = serving.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (good, wrong) = (file("good.txt", "correct horse battery\n"), file("wrong.txt", "incorrect horse\n"));
    assert!(serving.ask(&["keys", "seal", "--new-passphrase-file", &good]).contains("Sealed."));
    let sealed = fs::read_to_string(&keys).unwrap();
    for secret in plain.split('"').filter(|word| word.len() >= 43) {
        assert!(!sealed.contains(secret), "a secret is not sealed");
    }
    for refused in
        [&["keys", "show"][..], &["keys", "show", "--passphrase-file", &wrong], &["keys", "rotate", "scrip"]]
    {
        let output = serving.tried(refused);
        assert_eq!(output.status.code(), Some(1), "{refused:?}");
        assert!(err(&output).contains("--passphrase-file"), "{}", err(&output));
    }

    let settings = serving.data().join("tuppence.toml");
    let old = fs::read_to_string(&settings).unwrap();
    fs::write(settings, format!("{old}passphrase-file = \"{good}\"\n")).unwrap();
    serving.resume();
    serving.ask(&["keys", "rotate", "customer"]);
    assert_eq!(serving.json(&["keys", "show"])["secrets"]["customer"], json!([1, 2]));
    block_on(until_new_readers_have(&serving, (1, 2)));
    assert!(!fs::read_to_string(&keys).unwrap().contains("customerSecrets"), "it was sealed again");
}

async fn until_the_log_says(serving: &Serving, words: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !serving.log().contains(words) {
        assert!(Instant::now() < deadline, "{words:?} is not in\n{}", serving.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
