//! Secrets stay where they belong: not in logs, answers, databases or core files (T24).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::reader::{Reader, block_on, fixtures, reqwest_client};
use crate::serving::Serving;

/// Every secret of the center, in each form in which it could be written down.
fn canaries(serving: &Serving) -> Vec<(String, Vec<u8>)> {
    let keys: Value =
        serde_json::from_slice(&fs::read(serving.data().join("center-keys.json")).unwrap()).unwrap();
    let mut secrets = vec![("privateKey".to_owned(), keys["privateKey"].as_str().unwrap().to_owned())];
    for name in ["challengeSecret", "operatorToken"] {
        secrets.push((name.to_owned(), keys[name].as_str().unwrap().to_owned()));
    }
    for ring in ["scripSecrets", "customerSecrets", "vendorSecrets"] {
        for (id, secret) in keys[ring]["secrets"].as_object().unwrap() {
            secrets.push((format!("{ring} {id}"), secret.as_str().unwrap().to_owned()));
        }
    }
    let forms = secrets.into_iter().flat_map(|(name, text)| {
        let bytes = tuppence_protocol::bytes::decode(&text).unwrap();
        // Of the private key its primes: the public half is no secret.
        let bytes = if name == "privateKey" { bytes[bytes.len() / 2..][..64].to_vec() } else { bytes };
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = if name == "privateKey" { text[text.len() / 2..][..64].to_owned() } else { text };
        [(name.clone(), text.into_bytes()), (name.clone(), hex.into_bytes()), (name, bytes)]
    });
    forms.collect()
}

#[track_caller]
fn tells_nothing(canaries: &[(String, Vec<u8>)], place: &str, content: &[u8]) {
    for (name, canary) in canaries {
        let found = content.windows(canary.len()).any(|window| window == canary);
        assert!(!found, "{place} holds {name}");
    }
}

#[test]
fn no_log_answer_or_database_holds_a_secret_of_the_center() {
    let serving = Serving::with_settings(&format!("{}log = \"trace\"\n", fixtures()));
    let canaries = canaries(&serving);
    assert!(canaries.len() >= 18, "{}", canaries.len());
    block_on(async {
        let reader = Reader::registered(&serving).await;
        reader.earn().await;
        reader.pay().await.unwrap();
        serving.ask(&["keys", "rotate", "scrip"]);
        let [center, storefront] = serving.ports;
        let http = reqwest_client();
        for (port, path) in [
            (center, "/api/v1/center"),
            (center, "/api/v1/operator/payouts"),
            (center, "/metrics"),
            (center, "/health"),
            (center, "/center-keys.json"),
            (storefront, "/api/v1/shop"),
            (storefront, "/metrics"),
        ] {
            let answer =
                http.get(format!("http://localhost:{port}{path}")).bearer_auth("x").send().await.unwrap();
            tells_nothing(&canaries, path, &answer.bytes().await.unwrap());
        }
        for path in ["registration", "payment", "operator/vendors"] {
            let address = format!("http://localhost:{center}/api/v1/{path}");
            let request = http.post(address).header("content-type", "application/json").bearer_auth("x");
            let answer = request.body("{\"header\":{}}").send().await.unwrap();
            tells_nothing(&canaries, path, &answer.bytes().await.unwrap());
        }
    });
    for command in [&["keys", "show"][..], &["keys", "show", "--json"], &["vendors", "list"], &["audit"]] {
        tells_nothing(&canaries, &format!("{command:?}"), serving.ask(command).as_bytes());
    }
    assert!(serving.log().contains("TRACE"));
    tells_nothing(&canaries, "the log", serving.log().as_bytes());
    let databases =
        files(&serving.data()).into_iter().filter(|path| path.to_string_lossy().contains(".sqlite"));
    let mut searched = 0;
    for path in databases {
        tells_nothing(&canaries, &path.to_string_lossy(), &fs::read(&path).unwrap());
        searched += 1;
    }
    assert!(searched >= 4, "only {searched} files of the databases were searched");
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path) } else { vec![path] }
        })
        .collect()
}

#[cfg(unix)]
#[test]
fn a_copied_folder_gives_no_file_with_a_secret_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let serving = Serving::start();
    for path in files(&serving.data()) {
        let text = path.to_string_lossy().into_owned();
        let sample = text.contains("/content/") || text.contains("/campaigns/") || text.ends_with(".toml");
        if sample || text.ends_with(".lock") {
            continue;
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_crashes_leaves_no_core_file() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    // With core files allowed, as far as this machine lets a test allow them.
    let binary = env!("CARGO_BIN_EXE_tuppence");
    let folder = tempfile::tempdir().unwrap();
    let shell = format!("ulimit -S -c \"$(ulimit -H -c)\"; exec {binary} center --center-port 0");
    let mut command = Command::new("sh");
    command.args(["-c", &shell, "--"]).current_dir(folder.path());
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    let core_limit = || {
        let limits = fs::read_to_string(&limits).unwrap_or_default();
        let line = limits.lines().find(|line| line.starts_with("Max core file size"));
        line.map(|line| line.split_whitespace().skip(4).take(2).map(str::to_owned).collect::<Vec<_>>())
    };
    crate::serving::wait_for("the limit of core files to be nothing", || {
        core_limit() == Some(vec!["0".to_owned(), "0".to_owned()])
    });
    let id = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGABRT).unwrap();
    assert!(!child.wait().unwrap().core_dumped());
}
