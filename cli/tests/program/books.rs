//! The operator's care for the books: audits, heads, backups, and an older copy that is put back (T25, T26).

use std::fs;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::serving::{Serving, err, out};

#[test]
fn audits_follow_a_published_head_beside_a_running_center() {
    let serving = Serving::start();
    let head = serving.ask(&["audit", "--head"]).trim().to_owned();
    serving.ask(&["vendors", "deposit", "1", "5", "--reference", "invoice 1"]);
    assert_ne!(serving.ask(&["audit", "--head"]).trim(), head);
    assert_eq!(serving.json(&["audit", "--against", &head])["balanced"], true);
    let since = serving.json(&["audit", "--since", &head]);
    assert_eq!((&since["balanced"], &since["since"]), (&json!(true), &json!(head)));
    let whole = serving.json(&["audit"]);
    assert!(since["rows"].as_u64() < whole["rows"].as_u64(), "{since} {whole}");

    let checkpoint = serving.data().join("last-audit");
    let checkpoint = checkpoint.to_str().unwrap();
    assert_eq!(serving.json(&["audit", "--checkpoint", checkpoint])["since"], Value::Null);
    let reached = fs::read_to_string(checkpoint).unwrap().trim().to_owned();
    assert_eq!(serving.json(&["audit", "--against", &reached])["balanced"], true);
    assert_eq!(serving.json(&["audit", "--checkpoint", checkpoint])["since"], json!(reached));

    let (number, chain) = head.split_once(':').unwrap();
    let other = format!("{number}:{}", chain.chars().rev().collect::<String>());
    let foreign = serving.tried(&["audit", "--against", &other]);
    assert_eq!(foreign.status.code(), Some(1));
    assert!(out(&foreign).contains("does not continue"), "{}", out(&foreign));
    assert!(!serving.tried(&["audit", "--against", "yesterday"]).status.success());
}

#[test]
fn t26_a_backup_is_made_beside_the_center_and_put_back_with_a_new_epoch() {
    let mut serving = Serving::start();
    let copy = serving.data().with_file_name("copy.sqlite");
    let copy = copy.to_str().unwrap();
    let made = serving.json(&["backup", copy]);
    assert_eq!(made["balanced"], true);
    // The shop may fund its campaigns meanwhile: the books go on from what the copy has.
    serving.ask(&["audit", "--against", made["head"].as_str().unwrap()]);
    assert!(err(&serving.tried(&["backup", copy])).contains("nothing is overwritten"));
    serving.ask(&["vendors", "deposit", "1", "5", "--reference", "invoice 1"]);
    let running = serving.tried(&["restore", copy]);
    assert!(err(&running).contains("Another tuppence center"), "{}", err(&running));
    assert_eq!(serving.signal(Signal::SIGTERM), Some(0));
    let lost = serving.json(&["audit", "--head"])["head"].clone();

    let present = serving.tried(&["restore", copy]);
    assert!(err(&present).contains("nothing is overwritten"), "{}", err(&present));
    let database = serving.data().join("center.sqlite");
    fs::rename(&database, serving.data().join("lost.sqlite")).unwrap();
    let restored = serving.json(&["restore", copy]);
    assert_eq!(restored["lost"], lost);
    serving.resume();
    let report = serving.json(&["audit"]);
    assert_eq!(report["balanced"], true);
    assert_eq!(report["epochs"].as_array().unwrap().len(), 1);
    assert_eq!((&report["epochs"][0]["reason"], &report["epochs"][0]["lost"]), (&json!("restored"), &lost));
    assert_eq!(report["epochs"][0]["number"], restored["epoch"]);
    assert!(serving.ask(&["audit"]).contains("because a backup was restored"));
    let published = lost.as_str().unwrap();
    assert_eq!(serving.tried(&["audit", "--against", published]).status.code(), Some(1));
    // The booking since the backup is made again, by its reference.
    serving.ask(&["vendors", "deposit", "1", "5", "--reference", "invoice 1"]);
    assert!(serving.ask(&["audit"]).contains("The books balance."));
}

#[test]
fn t26_a_copy_that_was_put_back_by_hand_is_noticed_by_audit_and_center() {
    let mut serving = Serving::start();
    let copy = serving.data().with_file_name("copy.sqlite");
    serving.ask(&["backup", copy.to_str().unwrap()]);
    serving.ask(&["vendors", "deposit", "1", "5", "--reference", "invoice 1"]);
    assert_eq!(serving.signal(Signal::SIGTERM), Some(0));
    fs::copy(&copy, serving.data().join("center.sqlite")).unwrap();
    let noticed = serving.tried(&["audit"]);
    assert_eq!(noticed.status.code(), Some(1));
    assert!(out(&noticed).contains("this is an older copy"), "{}", out(&noticed));
    serving.resume();
    assert!(serving.log().contains("an older copy of the books was put back"), "{}", serving.log());
    let report = serving.json(&["audit"]);
    assert_eq!((&report["balanced"], &report["epochs"][0]["reason"]), (&json!(true), &json!("went-back")));
}
