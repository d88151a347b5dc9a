//! Backups, and older copies that are put back, by the program or by hand (T26); and databases of older programs.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tuppence_protocol::Timestamp;
use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::center::StepKind;

use super::fixture::*;
use super::sqlite::{folder, open};
use crate::ledger::audit::{Report, audit, audit_rows};
use crate::ledger::journal::Head;
use crate::store::records::{Direction, EpochReason, Reference};
use crate::store::sqlite::backup::{Restored, backup, restore};
use crate::store::sqlite::{SqliteStore, Witness};
use crate::store::{Store, StoreError};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn pay(store: &mut dyn Store, tran: u8) {
    run(store, wanted([1], [key(1, tran)]), |set| {
        begin(set, StepKind::Payment, serial(1), key(1, tran), 10)?;
        end(set, key(1, tran), true)
    })
    .unwrap();
}

fn audited(path: &Path) -> Report {
    audit(&mut SqliteStore::open_read_only(path).unwrap()).unwrap()
}

fn audited_since(path: &Path, head: Head) -> Report {
    let mut store = SqliteStore::open_read_only(path).unwrap();
    audit_rows(|visit| store.rows_since(head, visit)).unwrap()
}

fn places(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.place.as_str()).collect()
}

fn beside(path: &Path, name: &str) -> PathBuf {
    path.with_file_name(name)
}

/// Edits a database as nobody should.
fn tamper(path: &Path, sql: &str) {
    let database = Connection::open(path).unwrap();
    database.pragma_update(None, "ignore_check_constraints", true).unwrap();
    database.execute_batch(sql).unwrap();
}

#[test]
fn a_backup_beside_a_running_center_is_the_books_at_one_moment() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    live_a_life(&mut store);
    let copy = beside(&path, "copy.db");
    let made = backup(&path, &copy).unwrap();
    assert_eq!((made.report.findings, made.head), (vec![], store.head().unwrap()));
    run(&mut store, references(["later"]), |set| book(set, "later", 1, Direction::Deposit, 5)).unwrap();
    assert!(open_copy(&copy).continues(&made.head).unwrap());
    assert!(store.continues(&made.head).unwrap());
    assert_ne!(store.head().unwrap(), made.head);
    assert!(matches!(backup(&path, &copy), Err(StoreError::Unavailable(_))), "it was overwritten");
    assert!(matches!(backup(&beside(&path, "none"), &beside(&path, "new")), Err(StoreError::Unavailable(_))));
}

fn open_copy(path: &Path) -> SqliteStore {
    SqliteStore::open_read_only(path).unwrap()
}

#[test]
fn t26_a_restored_backup_begins_an_epoch_and_gives_no_number_twice() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    let copy = beside(&path, "copy.db");
    backup(&path, &copy).unwrap();
    pay(&mut store, 2);
    run(&mut store, Default::default(), |set| register(set, 2)).unwrap();
    let lost = store.head().unwrap();
    drop(store);

    let refused = restore(&copy, &path, NOW).unwrap_err().to_string();
    assert!(refused.contains("nothing is overwritten"), "{refused}");
    fs::rename(&path, beside(&path, "lost.db")).unwrap();
    let Restored::Done(epoch) = restore(&copy, &path, NOW).unwrap() else { panic!("the backup was refused") };
    assert_eq!((epoch.reason, epoch.lost), (EpochReason::Restored, Some(lost)));
    assert_eq!(u64::from(epoch.number), NOW.as_millis() / 3_600_000);

    let mut store = open(&path);
    let report = audit(&mut store).unwrap();
    assert_eq!((report.findings, report.epochs), (vec![], vec![epoch]));
    assert_eq!(store.epochs().unwrap().last(), Some(&epoch), "opening it began another one");
    let mut set = store.load(Default::default()).unwrap();
    let first = Serial::first_of(epoch.number);
    assert_eq!(set.next_customer(), first, "a buyer's number, and with it the secret, was given twice");
    assert_eq!(set.next_payout(), first.map(Serial::get));
    drop(set);
    run(&mut store, Default::default(), |set| register(set, 2)).unwrap();
    assert_eq!(store.counts().unwrap().purses, 2);

    // The same backup put back once more, elsewhere and later, has another number again.
    let elsewhere = beside(&path, "elsewhere.db");
    let later = NOW.plus(tuppence_protocol::Duration::from_days(1));
    let Restored::Done(other) = restore(&copy, &elsewhere, later).unwrap() else { panic!("refused") };
    assert!(other.number > epoch.number);
}

#[test]
fn a_backup_that_does_not_balance_is_not_put_back() {
    let (_folder, path) = folder();
    live_a_life(&mut open(&path));
    let copy = beside(&path, "copy.db");
    backup(&path, &copy).unwrap();
    tamper(&copy, "UPDATE purses SET live_value = live_value + 1");
    let target = beside(&path, "restored.db");
    let Restored::Refused(report) = restore(&copy, &target, NOW).unwrap() else { panic!("it was put back") };
    assert_eq!(places(&report), ["accounts", "purses 1", "purses 1", "purses 1"]);
    assert!(!target.exists());
}

#[test]
fn a_backup_is_not_put_back_beside_the_log_of_a_lost_database() {
    let (_folder, path) = folder();
    live_a_life(&mut open(&path));
    let target = beside(&path, "restored.db");
    fs::write(beside(&path, "restored.db-wal"), "what a crash has left").unwrap();
    let refused = restore(&path, &target, NOW).unwrap_err().to_string();
    assert!(refused.contains("the log of a database"), "{refused}");
}

#[test]
fn t26_a_file_that_was_put_back_by_hand_is_noticed() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    drop(store);
    let copy = beside(&path, "copy.db");
    fs::copy(&path, &copy).unwrap();
    let mut store = open(&path);
    pay(&mut store, 2);
    let lost = store.head().unwrap();
    drop(store);
    assert_eq!(places(&audited(&path)), [""; 0]);

    fs::copy(&copy, &path).unwrap();
    assert_eq!(places(&audited(&path)), ["journal"], "before the center has started");
    let mut store = open(&path);
    let epoch = *store.epochs().unwrap().last().unwrap();
    assert_eq!((epoch.reason, epoch.lost), (EpochReason::WentBack, Some(lost)));
    assert!(epoch.number > 0);
    let report = audit(&mut store).unwrap();
    assert_eq!((report.findings, report.epochs), (vec![], vec![epoch]));
    drop(store);
    assert_eq!(open(&path).epochs().unwrap().len(), 2, "one epoch for one old copy");

    // And once more the same copy.
    fs::copy(&copy, &path).unwrap();
    let again = *open(&path).epochs().unwrap().last().unwrap();
    assert!(again.number > epoch.number, "its numbers would be given twice");
}

#[test]
fn t26_books_that_went_another_way_are_noticed_though_they_are_longer() {
    let (_folder, path) = folder();
    furnish(&mut open(&path));
    let copy = beside(&path, "copy.db");
    fs::copy(&path, &copy).unwrap();
    pay(&mut open(&path), 2);
    let published = open_copy(&path).head().unwrap();
    let mut other = open(&copy);
    (3..9).for_each(|tran| pay(&mut other, tran));
    assert!(!other.continues(&published).unwrap());
    drop(other);
    fs::copy(&copy, &path).unwrap();
    assert_eq!(places(&audited(&path)), ["journal"]);
    assert_eq!(open(&path).epochs().unwrap().last().unwrap().reason, EpochReason::WentBack);
}

#[test]
fn a_witness_that_is_behind_or_gone_is_no_alarm() {
    let (_folder, path) = folder();
    furnish(&mut open(&path));
    let witness = beside(&path, "center.db.witness");
    let early = fs::read(&witness).unwrap();
    pay(&mut open(&path), 2);
    // A crash of the machine can leave an older witness behind, or half of one.
    for content in [early.clone(), early[..40].to_vec(), Vec::new()] {
        fs::write(&witness, content).unwrap();
        assert_eq!(open(&path).epochs().unwrap().len(), 1);
        assert_eq!(Witness::read(&path).unwrap().head, open_copy(&path).head().unwrap());
    }
    fs::remove_file(&witness).unwrap();
    assert_eq!(open(&path).epochs().unwrap().len(), 1);
}

#[test]
fn an_audit_since_a_head_sees_what_came_after_it_and_no_more() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    let head = store.head().unwrap();
    drop(store);
    let empty = audited_since(&path, head);
    assert_eq!(places(&empty), [""; 0]);
    go_on(&mut open(&path));
    let (whole, part) = (audited(&path), audited_since(&path, head));
    assert_eq!((places(&whole), places(&part)), (vec![], vec![]));
    assert!(part.rows < whole.rows, "{} of {}", part.rows, whole.rows);
    drop_triggers(&path);

    // Below the head: for the next full audit.
    let clean = places_of(&audited_since(&path, head));
    let before = fs::read(&path).unwrap();
    tamper(&path, "UPDATE registrations SET nonce = x'000000000000000000000000'");
    assert!(audited(&path).findings.iter().any(|finding| finding.place == "registrations 1"));
    fs::write(&path, &before).unwrap();
    tamper(&path, "UPDATE transfers SET at = at + 1 WHERE number = 1");
    assert_eq!(places_of(&audited_since(&path, head)), clean);
    assert!(audited(&path).findings.iter().any(|finding| finding.place == "transfers 1"));

    // Beyond it: at once.
    for (sql, place) in [
        (
            "UPDATE steps SET subject = subject || 'x' WHERE kind = 'payment'",
            format!("steps 1/{}", key(1, 2).tran_id),
        ),
        ("UPDATE purses SET live_value = live_value + 1", "purses 1".to_owned()),
        ("UPDATE accounts SET balance = balance + 1 WHERE kind = 'vendor'", "accounts vendor:1".to_owned()),
        ("UPDATE accounts SET balance = balance + 1 WHERE kind = 'transit'", "accounts transit".to_owned()),
        ("DELETE FROM transfers WHERE posting = 'payment'", format!("steps 1/{}", key(1, 2).tran_id)),
        ("UPDATE payouts SET note = 'x' WHERE number = 1", "payouts 1".to_owned()),
        ("UPDATE movements SET at = at + 1 WHERE reference = 'invoice 9'", "movements invoice 9".to_owned()),
        ("UPDATE claims SET shown_value = 0", "claims 1".to_owned()),
        ("UPDATE salts SET ends = ends + 1", "salts AwMDAwMDAwMDAwMDAwMDAw".to_owned()),
        (
            "UPDATE journal SET entries = CAST(entries || x'00' AS BLOB) WHERE number = (SELECT max(number) FROM journal)",
            String::new(),
        ),
    ] {
        fs::write(&path, &before).unwrap();
        tamper(&path, sql);
        let report = audited_since(&path, head);
        let named = report
            .findings
            .iter()
            .any(|f| f.place == place || place.is_empty() && f.place.starts_with("journal"));
        assert!(named, "after {sql}: {place}\n{report}");
    }
}

fn places_of(report: &Report) -> Vec<String> {
    report.findings.iter().map(|finding| finding.place.clone()).collect()
}

fn drop_triggers(path: &Path) {
    let database = Connection::open(path).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let mut statement = database.prepare(sql).unwrap();
    let names: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    for name in names {
        database.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
}

#[test]
fn a_published_head_binds_the_books() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    let published: Head = store.head().unwrap().to_string().parse().unwrap();
    pay(&mut store, 2);
    assert!(store.continues(&published).unwrap() && store.continues(&Head::GENESIS).unwrap());
    drop(store);
    // Whoever rewrites rows, entries and chain alike has other books.
    let (_other_folder, other) = folder();
    let mut rewritten = open(&other);
    furnish(&mut rewritten);
    let reference: Reference = "one more".parse().unwrap();
    let one_more = |set: &mut _| book(set, reference.as_str(), 1, Direction::Deposit, 5);
    run(&mut rewritten, references(["one more"]), one_more).unwrap();
    pay(&mut rewritten, 2);
    assert_eq!(audit(&mut rewritten).unwrap().findings, []);
    assert!(rewritten.continues(&published).unwrap(), "up to there they are the same");
    let later = open_copy(&path).head().unwrap();
    assert!(!rewritten.continues(&later).unwrap());
    let beyond = Head { number: 1_000, ..later };
    assert!(!rewritten.continues(&beyond).unwrap());
}

#[test]
fn a_database_of_version_1_opens_with_all_its_rows_in_the_journal() {
    let (_folder, path) = folder();
    live_without_budgets(&mut open(&path));
    // As a program of version 1 would have left it.
    let old = beside(&path, "old.db");
    let database = Connection::open(&old).unwrap();
    database.execute_batch(include_str!("../sqlite/schema/1.sql")).unwrap();
    database.execute("ATTACH ?1 AS new", [path.to_str().unwrap()]).unwrap();
    database.pragma_update(None, "foreign_keys", false).unwrap();
    for table in [
        "center",
        "vendors",
        "campaigns",
        "accounts",
        "purses",
        "steps",
        "registrations",
        "payouts",
        "movements",
        "transfers",
        "salts",
    ] {
        database.execute_batch(&format!("INSERT INTO main.{table} SELECT * FROM new.{table}")).unwrap();
    }
    database.execute_batch("DETACH new").unwrap();
    database.pragma_update(None, "application_id", 0x5475_7070).unwrap();
    database.pragma_update(None, "user_version", 1).unwrap();
    drop(database);

    let refused = SqliteStore::open_read_only(&old).unwrap_err().to_string();
    assert!(refused.contains("schema version 1"), "{refused}");
    let mut store = open(&old);
    let report = audit(&mut store).unwrap();
    assert_eq!((report.findings, report.epochs), (vec![], vec![]));
    assert!(store.head().unwrap().number > 0);
    end_pending(&mut store);
    assert_eq!(audit(&mut store).unwrap().findings, []);
    drop(store);
    drop_triggers(&old);
    tamper(&old, "UPDATE registrations SET nonce = x'000000000000000000000000'");
    assert!(audited(&old).findings.iter().any(|finding| finding.place == "registrations 1"));
}

fn end_pending(store: &mut dyn Store) {
    run(store, wanted([], [key(1, 5)]), |set| end(set, key(1, 5), true)).unwrap();
}

#[test]
fn a_database_from_before_budgets_opens_with_every_row_as_it_was() {
    let (_folder, path) = folder();
    live_without_budgets(&mut open(&path));
    let head = open(&path).head().unwrap();
    // What versions 4 and 5 brought is gone; it left the other tables as they were.
    let database = Connection::open(&path).unwrap();
    database.execute_batch("DROP TRIGGER transfers_within_budgets; DROP TABLE sales; DROP TABLE licences; DROP TABLE reservations").unwrap();
    database.pragma_update(None, "user_version", 3).unwrap();
    drop(database);

    let mut store = open(&path);
    assert_eq!(audit(&mut store).unwrap().findings, []);
    assert_eq!(store.head().unwrap(), head, "nothing was entered twice");
    end_pending(&mut store);
    read_on_budgets(&mut store);
    assert_eq!(audit(&mut store).unwrap().findings, []);
}

#[test]
fn an_audit_since_a_head_sees_budgets_that_changed_after_it() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    live_without_budgets(&mut store);
    end_pending(&mut store);
    read_on_budgets(&mut store);
    let head = store.head().unwrap();
    let since = |store: &mut SqliteStore| audit_rows(|visit| store.rows_since(head, visit)).unwrap().findings;
    assert_eq!(since(&mut store), []);
    run(&mut store, wanted_budget(1, key(0, 11), 50), |set| deposit(set, key(0, 11), 5, false)).unwrap();
    assert_eq!(since(&mut store), []);
    drop(store);
    drop_triggers(&path);
    tamper(&path, "UPDATE reservations SET paid_index = 6 WHERE closed IS NULL");
    let mut store = SqliteStore::open_read_only(&path).unwrap();
    let findings = since(&mut store);
    assert!(findings.iter().any(|finding| finding.place.starts_with("reservations ")), "{findings:?}");
}
