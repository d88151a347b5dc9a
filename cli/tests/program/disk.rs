//! A disk without room: a clear 503, nothing acknowledged is lost, and it passes without a restart (T23).
#![cfg(target_os = "linux")]

use std::fs;

use nix::sys::signal::Signal;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::reader::{Reader, block_on, fixtures, reqwest_client};
use crate::serving::Serving;

/// Lets no file of the program grow beyond so many bytes: to a writer it looks like a full disk.
fn files_max(serving: &Serving, bytes: Option<u64>) {
    let id = Pid::from_raw(i32::try_from(serving.id()).unwrap());
    prlimit(id, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

/// The operator books a deposit: something that must be written.
async fn deposit(serving: &Serving, reference: &str) -> reqwest::Response {
    let access: Value =
        serde_json::from_slice(&fs::read(serving.data().join("operator.json")).unwrap()).unwrap();
    let address = format!("{}/api/v1/operator/vendors/deposit", access["center"].as_str().unwrap());
    let booking = json!({"number": 1, "amount": "USD:1", "reference": reference});
    let request = reqwest_client().post(address).bearer_auth(access["token"].as_str().unwrap());
    request.json(&booking).send().await.unwrap()
}

#[test]
fn while_the_disk_is_full_there_is_503_and_all_goes_on_when_there_is_room() {
    let mut serving = Serving::with_settings(&format!("{}log = \"error\"\n", fixtures()));
    let reader = block_on(async {
        let reader = Reader::registered(&serving).await;
        reader.earn().await;
        assert_eq!(deposit(&serving, "before").await.status(), 200);

        let log = fs::metadata(serving.data().join("center.sqlite-wal")).unwrap().len();
        files_max(&serving, Some(log));
        let refused = deposit(&serving, "meanwhile").await;
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (503, &"1".parse().unwrap())
        );
        let body: Value = refused.json().await.unwrap();
        assert_eq!((&body["code"], &body["retry"]), (&json!("store_unavailable"), &json!("later")));
        let error = reader.pay().await.unwrap_err();
        assert_eq!(error.code, "store_unavailable");
        assert_eq!(reader.balance().await, "USD:0.04");

        files_max(&serving, None);
        // What was acknowledged is still booked: the same again is the same.
        for reference in ["before", "meanwhile", "meanwhile"] {
            assert_eq!(deposit(&serving, reference).await.status(), 200);
        }
        let _ = reader.wallet.resume().await;
        reader.pay().await.unwrap();
        assert_eq!(reader.balance().await, "USD:0.01");
        reader
    });
    // 100 to begin with, two deposits, 4.50 set aside for campaigns, and a bread sold.
    assert_eq!(serving.json(&["vendors", "list"])["vendors"][0]["balance"], "USD:97.53");

    // Nor does a sudden end lose it.
    serving.signal(Signal::SIGKILL);
    serving.resume();
    block_on(async {
        reader.wallet.resync().await.unwrap();
        assert_eq!(reader.balance().await, "USD:0.01");
    });
    assert!(serving.ask(&["audit"]).contains("The books balance."));
}
