//! What the fuzzers of records and copies begin with (tests/fuzz): records of every kind and a copy, as a wallet wrote them.
//! `TUPPENCE_CORPUS=write cargo test -p tuppence-wallet --test core corpus` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tuppence_wallet::kit::copy_again;
use tuppence_wallet::record_again;

use crate::sim::{SHOP, World};

const KINDS: [&str; 8] =
    ["wallet", "operation/", "history/", "detail/", "library/", "answer/", "order/", "shop/"];

/// The first record of each kind that a wallet has which earned, paid and cashed out, and of which a payment was cut off.
fn records() -> BTreeMap<&'static str, (String, Vec<u8>)> {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let price = || "USD:0.03".parse().unwrap();
    world.run(wallet.earn(SHOP, "survey", &["a".into()])).unwrap();
    world.run(wallet.cash_out("USD:5".parse().unwrap(), "Account 12")).unwrap();
    let before = world.copy();
    world.run(wallet.pay(SHOP, "coins", price())).unwrap();
    let mut records = world.storage.records();
    for points in 0.. {
        let world = before.copy();
        let wallet = world.wallet();
        world.faults.crash_after(points);
        assert!(world.run_until_crash(wallet.pay(SHOP, "coins", price())).is_none(), "no operation");
        let open = world.storage.records().into_iter().find(|(key, _)| key.starts_with("operation/"));
        if let Some((key, record)) = open {
            records.insert(key, record);
            break;
        }
    }
    let first = |kind: &'static str| {
        let found = records.iter().find(|(key, _)| key.starts_with(kind));
        let (key, record) = found.unwrap_or_else(|| panic!("no record {kind}"));
        (kind, (key.clone(), record.clone()))
    };
    KINDS.into_iter().map(first).collect()
}

#[test]
fn the_corpus_has_a_record_of_every_kind_and_what_a_wallet_writes_is_read_as_itself() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus/records");
    for (kind, (key, record)) in records() {
        assert_eq!(record_again(&key, &record).unwrap(), record, "{key}");
        let path = corpus.join(format!("wallet-{}", kind.trim_end_matches('/')));
        if std::env::var("TUPPENCE_CORPUS").is_ok_and(|mode| mode == "write") {
            fs::create_dir_all(&corpus).unwrap();
            fs::write(&path, [key.as_bytes(), b"\n", &record].concat()).unwrap();
        }
        let kept = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let start = kept.iter().position(|byte| *byte == b'\n').unwrap();
        let (key, record) = (str::from_utf8(&kept[..start]).unwrap(), &kept[start + 1..]);
        assert!(key.starts_with(kind) && record_again(key, record).is_ok(), "{key} is not read any more");
    }
}

#[test]
fn the_corpus_has_a_copy_and_what_a_wallet_exports_is_read_as_itself() {
    let world = World::with_four_cents();
    let wallet = world.wallet();
    let copy = world.run(wallet.export()).unwrap();
    assert_eq!(copy_again(&copy).unwrap(), copy);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus/copies/wallet");
    if std::env::var("TUPPENCE_CORPUS").is_ok_and(|mode| mode == "write") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &copy).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(copy_again(&kept).is_ok(), "a copy of before is not read any more");
}
