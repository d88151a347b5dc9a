//! `tuppence wallet` against a program that runs: what people and programs do with it, cut off at every place.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::proxy::{At, Proxy};
use crate::reader::fixtures;
use crate::serving::{Serving, err, free_ports, get, out, tuppence, wait_for};

/// Somebody with a wallet in a folder of their own.
pub struct Person {
    pub folder: TempDir,
    pub center: String,
    pub shop: String,
}

impl Person {
    /// At this program, without a wallet yet.
    pub fn new(serving: &Serving) -> Self {
        let [center, shop] = serving.ports.map(|port| format!("http://localhost:{port}"));
        Person { folder: tempfile::tempdir().unwrap(), center, shop }
    }

    pub fn wallet(&self) -> PathBuf {
        self.folder.path().join("wallet")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tuppence();
        command.arg("wallet").args(arguments).arg("--wallet").arg(self.wallet());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn tried(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints; it must succeed.
    pub fn ask(&self, arguments: &[&str]) -> String {
        let output = self.tried(arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", out(&output), err(&output));
        out(&output)
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ask(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// Refused with this exit code, and these words.
    pub fn refused(&self, arguments: &[&str], code: i32, words: &str) {
        let output = self.tried(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}{}", out(&output), err(&output));
        assert!(err(&output).contains(words), "{words} is missing in {}", err(&output));
        assert_eq!(out(&output), "", "{arguments:?}");
    }

    fn registered(self) -> Self {
        self.ask(&["register", "--center", &self.center]);
        self
    }

    /// With the four cents of the quiz.
    pub fn with_four_cents(self) -> Self {
        let person = self.registered();
        let shop = person.shop.clone();
        person.ask(&["earn", &shop, "quiz", "--answer", "Two", "--answer", "Copper"]);
        person
    }

    pub fn article(&self, slug: &str) -> String {
        format!("{}/articles/{slug}", self.shop)
    }

    pub fn balance(&self) -> String {
        self.ask(&["balance"]).trim().to_owned()
    }
}

const PAID_WORDS: &str = "that is the whole secret";

#[test]
fn an_address_is_paid_once_and_its_article_comes_on_standard_output() {
    let serving = Serving::with_settings(&fixtures());
    let person = Person::new(&serving);
    let bread = person.article("bread");
    person.refused(&["pay", &bread], 1, "There is no wallet");
    assert!(!person.wallet().exists(), "looking makes no wallet");
    let person = person.with_four_cents();

    let output = person.tried(&["pay", &bread, "--max", "USD:0.03"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).starts_with("<!doctype html>") && out(&output).contains(PAID_WORDS));
    assert!(err(&output).contains("Paying USD:0.03 to") && err(&output).contains("The balance is USD:0.01."));
    let again = person.tried(&["pay", &bread]);
    assert!(out(&again).contains(PAID_WORDS) && err(&again).contains("nothing was charged"));
    let tracked = person.json(&["pay", &format!("{bread}?from=mail#top")]);
    assert_eq!((&tracked["charged"], &tracked["balance"]), (&false.into(), &"USD:0.01".into()));
    assert_eq!(tracked["article"]["slug"], "bread");

    let free = person.tried(&["pay", &person.article("small-coins")]);
    assert_eq!(free.status.code(), Some(0));
    assert!(out(&free).contains("Small coins") && err(&free).contains("asks for no money"));

    let history = person.json(&["history"]);
    let kinds: Vec<_> = history.as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["paid", "earned", "registered"]);
    assert!(person.ask(&["history"]).contains("-USD:0.03"));
    assert!(person.ask(&["library"]).contains(&bread));
    assert!(person.ask(&["articles"]).contains("paid") && person.ask(&["campaigns"]).contains("earned"));

    let receipt = person.ask(&["receipt", &bread]);
    let page = crate::serving::get_with(
        serving.ports[1],
        "/articles/bread",
        &[("Authorization", &format!("Tuppence {}", receipt.trim()))],
    );
    assert!(page.starts_with("HTTP/1.1 200") && page.contains(PAID_WORDS), "{page}");
    assert!(get(serving.ports[1], "/articles/bread").starts_with("HTTP/1.1 402"));
}

#[test]
fn nothing_is_charged_above_the_maximum_or_beyond_the_balance_and_the_exit_code_says_which() {
    let serving = Serving::with_settings(&fixtures());
    let person = Person::new(&serving).with_four_cents();
    let (bread, walk) = (person.article("bread"), person.article("long-walk"));
    person.refused(
        &["pay", &bread, "--max", "USD:0.02"],
        3,
        "Nothing was charged. The price is above --max.",
    );
    person.refused(&["pay", &walk], 3, "It is USD:0.12 now.");
    person.refused(&["pay", &walk, "--max", "1"], 4, "Nothing was charged.");
    person.refused(&["pay", &person.article("none")], 1, "Nothing was charged.");
    person.refused(&["pay", "nonsense"], 1, "Nothing was charged.");
    person.refused(&["pay", &format!("{}/health", person.center), "--max", "EUR:1"], 1, "currency");
    person.refused(&["pay", &bread, "--max", "much"], 1, "--max");
    person.refused(&["pay", "http://localhost:1/a"], 1, "Nothing was charged. The shop does not answer.");
    person.refused(&["earn", &person.shop, "quiz", "--answer", "Two"], 1, "2 questions are asked, and 1");
    person.refused(
        &["earn", &person.shop, "quiz", "--answer", "1", "--answer", "1"],
        1,
        "Nothing was charged.",
    );
    assert_eq!(person.balance(), "USD:0.04");
    assert_eq!(person.json(&["history"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_payment_that_was_cut_off_anywhere_is_finished_by_the_next_command_and_charged_once() {
    let proxy = Proxy::start();
    let settings = format!("center-origin = \"http://localhost:{}\"\n{}", proxy.port, fixtures());
    let mut serving = Serving::with_settings(&settings);
    proxy.to(serving.ports[0]);
    let (start, finish) = ("/api/v1/payment", "/api/v1/payment/finish");
    for (path, at, signal) in [
        (start, At::Request, Signal::SIGKILL),
        (start, At::Answer, Signal::SIGKILL),
        (finish, At::Request, Signal::SIGINT),
        (finish, At::Answer, Signal::SIGKILL),
    ] {
        let mut person = Person::new(&serving);
        person.center = format!("http://localhost:{}", proxy.port);
        let person = person.with_four_cents();
        let bread = person.article("bread");
        proxy.stop(path, at);
        let child = person.command(&["pay", &bread]).spawn().unwrap();
        proxy.wait();
        let output = ended_by(child, signal);
        assert_eq!(out(&output), "", "{path} {at:?}");
        if signal == Signal::SIGINT {
            assert_eq!(output.status.code(), Some(130));
            assert!(err(&output).contains("never charged twice"), "{}", err(&output));
        }

        let output = person.tried(&["pay", &bread]);
        assert_eq!(output.status.code(), Some(0), "{path} {at:?}: {}", err(&output));
        assert!(
            err(&output).contains("Finishing what was interrupted: a payment of USD:0.03"),
            "{path} {at:?}"
        );
        assert!(out(&output).contains(PAID_WORDS), "{path} {at:?}");
        assert_eq!(person.balance(), "USD:0.01", "{path} {at:?}");
        let history = person.json(&["history"]);
        let paid = history.as_array().unwrap().iter().filter(|entry| entry["kind"] == "paid");
        assert_eq!(paid.count(), 1, "{path} {at:?}");
    }
    serving.signal(Signal::SIGTERM);
    serving.ask(&["audit"]);
}

#[test]
fn a_center_that_breaks_off_leaves_the_payment_open_and_the_exit_code_says_so() {
    let proxy = Proxy::start();
    let settings = format!("center-origin = \"http://localhost:{}\"\n{}", proxy.port, fixtures());
    let serving = Serving::with_settings(&settings);
    proxy.to(serving.ports[0]);
    let mut person = Person::new(&serving);
    person.center = format!("http://localhost:{}", proxy.port);
    let person = person.with_four_cents();
    let bread = person.article("bread");
    proxy.stop("/api/v1/payment", At::Break);
    person.refused(&["pay", &bread], 5, "It is under way and not certain yet; it is never charged twice.");

    proxy.to(serving.ports[0]);
    let output = person.tried(&["balance"]);
    assert!(err(&output).contains("Finishing what was interrupted"), "{}", err(&output));
    assert_eq!(out(&output).trim(), "USD:0.01");
    assert!(person.ask(&["pay", &bread]).contains(PAID_WORDS));
    assert_eq!(person.balance(), "USD:0.01");
}

fn ended_by(child: Child, signal: Signal) -> Output {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn two_programs_at_once_pay_once() {
    let serving = Serving::with_settings(&fixtures());
    let person = Person::new(&serving).with_four_cents();
    let bread = person.article("bread");
    let both = [(); 2].map(|()| person.command(&["pay", &bread, "--json"]).spawn().unwrap());
    let both = both.map(|child| child.wait_with_output().unwrap());
    let charged = both.iter().filter(|output| {
        assert!(output.status.success(), "{}", err(output));
        let paid: Value = serde_json::from_str(&out(output)).unwrap();
        assert!(paid["text"]["html"].as_str().unwrap().contains(PAID_WORDS));
        paid["charged"] == true
    });
    assert_eq!(charged.count(), 1);
    assert_eq!(person.balance(), "USD:0.01");
}

#[test]
fn an_article_of_any_shop_of_the_center_is_paid_by_its_address_alone() {
    let serving = Serving::with_settings(&fixtures());
    let person = Person::new(&serving).with_four_cents();
    let [port, _] = free_ports();
    let origin = format!("http://localhost:{port}");
    let credentials = serving.folder.path().join("other.json");
    let out = credentials.to_str().unwrap();
    serving.ask(&["vendors", "add", "--name", "The Other Shop", "--origin", &origin, "--out", out]);
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/shop/content");
    let mut other = tuppence();
    other.args(["storefront", "--storefront-port", &port.to_string(), "--shop-name", "The Other Shop"]);
    other.args(["--center-origin", &person.center, "--credentials", out, "--content", shop]);
    other.arg("--data").arg(serving.folder.path().join("other"));
    let other = Ended(other.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_for("the other shop", || get(port, "/health").starts_with("HTTP/1.1 200"));

    let paid = person.tried(&["pay", &format!("{origin}/articles/bread")]);
    assert!(err(&paid).contains("Paying USD:0.03 to The Other Shop"), "{}", err(&paid));
    assert_eq!(person.balance(), "USD:0.01");

    let foreign = Serving::with_settings(&fixtures());
    let elsewhere = format!("http://localhost:{}/articles/bread", foreign.ports[1]);
    person.refused(&["pay", &elsewhere], 1, "Nothing was charged. This shop takes another center's e-cash.");
    drop(other);
}

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn words_and_copies_bring_a_wallet_back() {
    let serving = Serving::with_settings(&fixtures());
    let person = Person::new(&serving).with_four_cents();
    let copy = person.folder.path().join("copy.json");
    let copy = copy.to_str().unwrap();
    person.ask(&["export", copy]);
    person.refused(&["export", copy], 1, "Name a new file.");
    let words = person.ask(&["words"]);
    assert_eq!(words.split_whitespace().count(), 12);

    let imported = Person::new(&serving);
    imported.ask(&["import", copy]);
    assert_eq!(imported.balance(), "USD:0.04");
    imported.refused(&["import", copy], 1, "There is a wallet here already.");
    imported.ask(&["import", copy, "--replace"]);

    let restored = Person::new(&serving);
    let file = restored.folder.path().join("words.txt");
    fs::write(&file, words).unwrap();
    let file = file.to_str().unwrap();
    restored.ask(&["restore", "--center", &restored.center, "--words-file", file]);
    restored.ask(&["pay", &restored.article("bread")]);
    person.ask(&["sync"]);
    assert_eq!((person.balance(), restored.balance()), ("USD:0.01".to_owned(), "USD:0.01".to_owned()));
    assert!(person.ask(&["library"]).contains("Bread in the morning"), "the devices stay in step");
}

#[cfg(unix)]
#[test]
fn the_wallet_is_for_its_owner_alone_and_a_passphrase_seals_its_key() {
    use std::os::unix::fs::PermissionsExt;
    let serving = Serving::with_settings(&fixtures());
    let person = Person::new(&serving);
    let passphrase = |name: &str, text: &str| {
        let path = person.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (right, wrong) =
        (passphrase("right", "four little pennies"), passphrase("wrong", "some other words"));
    let sealed = ["--wallet-passphrase-file", right.as_str()];
    person.ask(&[&["register", "--center", &person.center], &sealed[..]].concat());
    person.ask(&[&["words"], &sealed[..]].concat());
    person.refused(&["words"], 1, "is sealed under a passphrase");
    person.refused(&["words", "--wallet-passphrase-file", &wrong], 1, "The passphrase does not open");

    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(person.wallet()), 0o700);
    for name in ["wallet.sqlite", "wallet-key.json", "wallet.sqlite.lock"] {
        assert_eq!(mode(person.wallet().join(name)), 0o600, "{name}");
    }
    fs::remove_file(person.wallet().join("wallet-key.json")).unwrap();
    person.refused(&[&["words"], &sealed[..]].concat(), 1, "Put the key file back.");
    assert!(!person.wallet().join("wallet-key.json").exists(), "another key would open nothing");
}
