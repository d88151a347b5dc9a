//! Commands as an operator gives them: help, settings, shops, keys, books.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::serving::{Serving, err, free_ports, out, run, tuppence};

#[test]
fn help_teaches_every_command() {
    let help = out(&run(&["--help"]));
    for word in ["serve", "payouts", "audit", "Examples:", "TUPPENCE_CENTER_PORT"] {
        assert!(help.contains(word), "{word} is missing in\n{help}");
    }
    for command in [
        "serve",
        "center",
        "storefront",
        "keys",
        "vendors",
        "payouts",
        "audit",
        "backup",
        "restore",
        "check",
        "wallet",
        "completions",
        "man",
    ] {
        let output = run(&[command, "--help"]);
        assert!(output.status.success() && out(&output).contains("Usage: tuppence"), "{command}");
    }
    assert!(!run(&[]).status.success());
    assert!(!run(&["pay"]).status.success());
}

#[test]
fn completions_and_manual_are_printed() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(out(&run(&["completions", shell])).contains("tuppence"), "{shell}");
    }
    assert!(out(&run(&["man"])).contains(".TH tuppence"));
    let folder = tempfile::tempdir().unwrap();
    assert!(run(&["man", "--out", folder.path().to_str().unwrap()]).status.success());
    assert!(folder.path().join("tuppence-serve.1").is_file());
}

#[test]
fn the_first_start_makes_everything_and_the_second_keeps_it() {
    let mut serving = Serving::start();
    let log = serving.log();
    let [center, storefront] = serving.ports;
    for said in [
        &format!("Wallet      http://localhost:{center}"),
        &format!("Storefront  http://localhost:{storefront}"),
        "play money",
        "not real",
    ] {
        assert!(log.contains(said), "{said} is missing in\n{log}");
    }
    assert!(serving.data().join("content").is_dir());
    let fingerprint = serving.json(&["keys", "show"])["fingerprint"].clone();
    let shops = serving.json(&["vendors", "list"]);
    assert_eq!(shops["vendors"].as_array().unwrap().len(), 1);

    assert_eq!(serving.signal(Signal::SIGINT), Some(0));
    assert!(serving.log().ends_with("Stopped.\n"), "{}", serving.log());
    serving.resume();
    assert!(!serving.log().contains("play money"), "{}", serving.log());
    assert_eq!(serving.json(&["keys", "show"])["fingerprint"], fingerprint);
    assert_eq!(serving.json(&["vendors", "list"])["vendors"].as_array().unwrap().len(), 1);
    assert_eq!(serving.signal(Signal::SIGTERM), Some(0));
    assert!(serving.ask(&["audit"]).contains("The books balance."));
}

#[cfg(unix)]
#[test]
fn what_is_secret_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in ["center-keys.json", "operator.json", "shop.json", "center.sqlite", "shop.sqlite"] {
        assert_eq!(mode(&serving.data().join(name)), 0o600, "{name}");
    }
    let made = folder.path().join("made");
    assert!(run(&["keys", "generate", "--data", made.to_str().unwrap()]).status.success());
    assert_eq!((mode(&made), mode(&made.join("center-keys.json"))), (0o700, 0o600));
}

#[test]
fn the_most_talkative_log_tells_no_secret() {
    let serving = Serving::with_settings("log = \"trace\"\n");
    serving.ask(&["vendors", "list"]);
    let mut secrets = 0;
    for name in ["center-keys.json", "operator.json", "shop.json"] {
        let text = fs::read_to_string(serving.data().join(name)).unwrap();
        // Every secret is base64url of 32 bytes or more.
        for word in text.split('"').filter(|word| word.len() >= 43) {
            assert!(!serving.log().contains(word), "the log tells a secret of {name}");
            secrets += 1;
        }
    }
    assert!(secrets >= 7, "only {secrets} secrets were looked for");
    assert!(serving.log().contains("TRACE"));
}

#[test]
fn a_taken_port_and_a_taken_folder_are_said_with_the_way_out() {
    let serving = Serving::start();
    let again = serving.command().output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(
        err(&again).contains(&format!("Port {}", serving.ports[0])) && err(&again).contains("--center-port")
    );

    let mut elsewhere = tuppence();
    let [center, storefront] = free_ports().map(|port| port.to_string());
    elsewhere.arg("serve").arg("--data").arg(serving.data());
    let refused =
        elsewhere.args(["--center-port", &center, "--storefront-port", &storefront]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        err(&refused).contains("Another tuppence center") && err(&refused).contains("--data"),
        "{}",
        err(&refused)
    );
}

#[test]
fn settings_come_from_flag_environment_and_file_in_this_order() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let [by_file, by_environment] = free_ports();
    let by_flag = taken.local_addr().unwrap().port();
    let holders: Vec<_> =
        [by_file, by_environment].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()).into();
    fs::write(data.join("tuppence.toml"), format!("center-port = {by_file}\n")).unwrap();

    // Each port is taken, so the sentence tells which one was meant.
    let port = |environment: bool, flag: bool| {
        let mut command = tuppence();
        command.arg("center").arg("--data").arg(&data);
        if environment {
            command.env("TUPPENCE_CENTER_PORT", by_environment.to_string());
        }
        if flag {
            command.args(["--center-port", &by_flag.to_string()]);
        }
        err(&command.output().unwrap())
    };
    assert!(port(false, false).contains(&format!("Port {by_file},")), "{}", port(false, false));
    assert!(port(true, false).contains(&format!("Port {by_environment},")));
    assert!(port(true, true).contains(&format!("Port {by_flag},")));
    drop(holders);

    fs::write(data.join("tuppence.toml"), "centre-port = 1\n").unwrap();
    let refused = port(false, false);
    assert!(refused.contains("tuppence.toml") && refused.contains("centre-port"), "{refused}");
}

#[test]
fn the_operators_tools_say_when_no_center_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for arguments in [&["payouts", "list"][..], &["vendors", "list"], &["keys", "show"], &["audit"]] {
        let output = tuppence().args(arguments).args(["--data", data]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains("--data"), "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn a_shop_joins_and_its_money_is_booked_once() {
    let serving = Serving::start();
    let out = serving.folder.path().join("other.json");
    let out = out.to_str().unwrap();
    let add = ["vendors", "add", "--name", "Other", "--origin", "https://other.example", "--out", out];
    assert!(serving.ask(&add).contains("number 2"));
    let again = serving.tried(&add);
    assert!(err(&again).contains("already"), "{}", err(&again));
    for _ in 0..2 {
        serving.ask(&["vendors", "deposit", "2", "25.50", "--reference", "invoice 7"]);
    }
    serving.ask(&["vendors", "withdraw", "2", "USD:0.5", "--reference", "transfer 8"]);
    let vendors = serving.json(&["vendors", "list"]);
    assert_eq!(vendors["vendors"][1]["balance"], "USD:25");
    assert!(serving.ask(&["vendors", "list"]).contains("https://other.example"));
    let wrong = serving.tried(&["vendors", "deposit", "9", "1", "--reference", "x"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(err(&wrong).contains("There is no shop 9."), "{}", err(&wrong));
    assert!(serving.ask(&["payouts", "list"]).contains("Nobody waits"));
}

#[test]
fn keys_are_rotated_beside_the_old_ones() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    assert!(run(&["keys", "generate", "--data", data]).status.success());
    let again = run(&["keys", "generate", "--data", data]);
    assert!(err(&again).contains("already"), "{}", err(&again));
    assert!(run(&["keys", "rotate", "scrip", "--data", data]).status.success());
    let shown: Value = serde_json::from_str(&out(&run(&["keys", "show", "--json", "--data", data]))).unwrap();
    assert_eq!(shown["secrets"]["scrip"], serde_json::json!([1, 2]));
    assert_eq!(shown["secrets"]["customer"], serde_json::json!([1]));
}

#[test]
fn books_that_were_edited_do_not_balance_and_the_row_is_named() {
    let mut serving = Serving::start();
    assert_eq!(serving.signal(Signal::SIGTERM), Some(0));
    let database = serving.data().join("center.sqlite");
    let connection = rusqlite::Connection::open(&database).unwrap();
    let changed =
        connection.execute("UPDATE accounts SET balance = balance + 1 WHERE balance > 0", []).unwrap();
    assert!(changed > 0);
    drop(connection);

    let output = serving.tried(&["audit"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("accounts") && out(&output).contains("do not balance"), "{}", out(&output));
    let output = serving.tried(&["audit", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(report["balanced"], false);
    assert!(!report["findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_shops_files_are_checked_without_starting_it() {
    let folder = tempfile::tempdir().unwrap();
    let (content, campaigns) = (folder.path().join("content"), folder.path().join("campaigns"));
    fs::create_dir(&content).unwrap();
    fs::create_dir(&campaigns).unwrap();
    let arguments =
        ["check", "--content", content.to_str().unwrap(), "--campaigns", campaigns.to_str().unwrap()];
    assert!(run(&arguments).status.success());
    fs::write(content.join("bread.md"), "---\ntitle: Bread\nprice: many\ndate: 2026-01-01\n---\nText\n")
        .unwrap();
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("bread.md"), "{}", out(&output));
}

#[test]
fn answers_are_read_beside_a_running_storefront_and_missed_with_a_hint() {
    let serving = Serving::start();
    let data = serving.data();
    let data = data.to_str().unwrap();
    let none = run(&["answers", "reading-on-the-way", "--data", data]);
    assert!(none.status.success() && out(&none).contains("Nobody has answered reading-on-the-way yet"));
    assert_eq!(out(&run(&["answers", "reading-on-the-way", "--json", "--data", data])).trim(), "[]");
    let elsewhere = run(&["answers", "reading-on-the-way", "--data", "/nonexistent"]);
    assert!(!elsewhere.status.success() && err(&elsewhere).contains("--data"), "{}", err(&elsewhere));
}
