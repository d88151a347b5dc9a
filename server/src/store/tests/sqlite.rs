//! What only a database can do: outlive its program, be locked, full, moved, too new or tampered with.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use tuppence_protocol::Currency;
use tuppence_protocol::scrip::center::StepKind;

use super::fixture::*;
use crate::ledger::AccountId;
use crate::ledger::audit::audit;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError, Wanted};

pub(super) fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("center.db");
    (folder, path)
}

pub(super) fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Currency::USD).unwrap()
}

/// The sentence with which opening is refused.
fn refusal(path: &Path) -> String {
    SqliteStore::open(path, Currency::USD).unwrap_err().to_string()
}

/// One more payment of the furnished buyer.
fn pay(store: &mut dyn Store, tran: u8) -> Result<(), StoreError> {
    let mut set = store.load(wanted([1], [key(1, tran)]))?;
    set.command(|set| {
        begin(set, StepKind::Payment, serial(1), key(1, tran), 10)?;
        end(set, key(1, tran), true)
    })
    .unwrap();
    store.commit(set.into_changes())
}

#[test]
fn everything_is_there_after_it_was_closed() {
    let (_folder, path) = folder();
    let rows = |store: &mut SqliteStore| {
        let mut rows = Vec::new();
        store.rows(&mut |row| rows.push(format!("{row:?}"))).unwrap();
        rows
    };
    let mut store = open(&path);
    live_a_life(&mut store);
    let before = rows(&mut store);
    drop(store);
    let mut store = open(&path);
    assert_eq!(rows(&mut store), before);
    assert_eq!(store.load(Wanted::default()).unwrap().funds(AccountId::Vendor(1)), Some(usd(999_073)));
}

#[test]
fn what_is_held_in_memory_is_what_was_committed() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    let shown = |store: &mut SqliteStore| {
        let set = store.load(wanted([1], [key(1, 2), key(1, 3)])).unwrap();
        let steps = [key(1, 2), key(1, 3)].map(|key| set.step(&key).cloned());
        format!("{:?} {steps:?}", set.purse(serial(1)))
    };
    pay(&mut store, 2).unwrap();
    let payment = |store: &mut SqliteStore, ends: bool| {
        let mut set = store.load(wanted([1], [key(1, 3)])).unwrap();
        set.command(|set| {
            begin(set, StepKind::Payment, serial(1), key(1, 3), 10)?;
            if ends { end(set, key(1, 3), true) } else { Ok(()) }
        })
        .unwrap();
        set.into_changes()
    };
    let (first, second) = (payment(&mut store, false), payment(&mut store, true));
    let before = shown(&mut store);
    store.commit(first).unwrap();
    let pending = shown(&mut store);
    assert_ne!(pending, before);
    // What another batch made of the records before that is refused, and nothing of it stays in memory.
    store.commit(second).unwrap_err();
    assert_eq!(shown(&mut store), pending);
    drop(store);
    assert_eq!(shown(&mut open(&path)), pending);
}

#[test]
fn what_was_committed_is_in_the_log_while_the_program_runs() {
    let (folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    // A copy of the files as they are now is what a crash leaves behind.
    let crashed = folder.path().join("crashed.db");
    for end in ["", "-wal"] {
        let name = |path: &Path| format!("{}{end}", path.display());
        std::fs::copy(name(&path), name(&crashed)).unwrap();
    }
    drop(store);
    let mut store = open(&crashed);
    assert_eq!(store.balance(AccountId::Purse(1)).unwrap(), 500);
    assert_eq!(audit(&mut store).unwrap().findings, []);
}

#[test]
fn every_commit_is_synced_and_logged() {
    let (_folder, path) = folder();
    let store = open(&path);
    let setting = |name: &str| -> String {
        let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
        store.connection().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!([setting("journal_mode"), setting("synchronous"), setting("foreign_keys")], ["wal", "2", "1"]);
    assert!(Path::new(&format!("{}-wal", path.display())).exists());
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        files += 1;
    }
    assert_eq!(files, 5, "the database, its log, the log's index, the lock, and the journal's witness");
}

#[test]
fn a_second_program_is_kept_out_until_the_first_has_gone() {
    let (_folder, path) = folder();
    let store = open(&path);
    assert!(refusal(&path).contains("another program has the database"), "{}", refusal(&path));
    drop(store);
    open(&path);
}

#[test]
fn it_can_be_read_while_a_center_writes_it() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    let mut reader = SqliteStore::open_read_only(&path).unwrap();
    assert_eq!(audit(&mut reader).unwrap().findings, []);
    pay(&mut store, 9).unwrap();
    assert_eq!(audit(&mut reader).unwrap().findings, []);
    assert_eq!(reader.balance(AccountId::Purse(1)).unwrap(), 490);
    assert!(matches!(pay(&mut reader, 10), Err(StoreError::Unavailable(_))));
}

#[test]
fn a_newer_database_is_refused() {
    let (_folder, path) = folder();
    drop(open(&path));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    assert!(refusal(&path).contains("schema version 9"), "{}", refusal(&path));
    assert!(SqliteStore::open_read_only(&path).is_err());
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let (_folder, path) = folder();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    assert!(refusal(&path).contains("another program"), "{}", refusal(&path));
    let mode: String =
        Connection::open(&path).unwrap().pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let (_folder, path) = folder();
    std::fs::write(&path, "This is a letter, and longer than the header of a database would be. ".repeat(20))
        .unwrap();
    assert!(matches!(SqliteStore::open(&path, Currency::USD), Err(StoreError::Integrity(_))));
}

#[test]
fn a_center_keeps_its_currency() {
    let (_folder, path) = folder();
    drop(open(&path));
    let error = SqliteStore::open(&path, "EUR".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("holds USD"), "{error}");
}

#[test]
fn a_full_disk_changes_nothing_and_passes() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    let pages: i64 = store.connection().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection().pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    let mut paid = 0;
    let error = loop {
        match pay(&mut store, 100 + paid) {
            Ok(()) => paid += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert_eq!(store.balance(AccountId::Purse(1)).unwrap(), 500 - 10 * i64::from(paid));
    assert_eq!(audit(&mut store).unwrap().findings, []);
    store.connection().pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())).unwrap();
    pay(&mut store, 100 + paid).unwrap();
    assert_eq!(audit(&mut store).unwrap().findings, []);
}

#[test]
fn a_locked_database_changes_nothing_and_passes() {
    let (_folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    store.connection().pragma_update(None, "busy_timeout", 0).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = pay(&mut store, 2).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    pay(&mut store, 2).unwrap();
    assert_eq!(store.balance(AccountId::Purse(1)).unwrap(), 490);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_to_a_database_that_was_moved_until_it_is_back() {
    let (folder, path) = folder();
    let mut store = open(&path);
    furnish(&mut store);
    let away = folder.path().join("away.db");
    std::fs::rename(&path, &away).unwrap();
    assert!(matches!(pay(&mut store, 2), Err(StoreError::Unavailable(_))));
    std::fs::write(&path, "").unwrap();
    assert!(matches!(pay(&mut store, 2), Err(StoreError::Unavailable(_))));
    std::fs::rename(&away, &path).unwrap();
    pay(&mut store, 2).unwrap();
}

#[test]
fn the_database_itself_refuses_what_would_rewrite_history() {
    let (_folder, path) = folder();
    live_a_life(&mut open(&path));
    let database = Connection::open(&path).unwrap();
    database.pragma_update(None, "foreign_keys", true).unwrap();
    for sql in [
        "UPDATE transfers SET amount = 1",
        "DELETE FROM transfers",
        "DELETE FROM steps",
        "UPDATE steps SET state = 'pending', ended = NULL WHERE state = 'posted'",
        "UPDATE payouts SET note = 'other' WHERE state = 'confirmed'",
        "UPDATE movements SET amount = amount + 1",
        "DELETE FROM movements",
        "INSERT INTO movements SELECT * FROM movements",
        "INSERT INTO transfers (debit_kind, debit_number, credit_kind, credit_number, amount, posting, at) \
         VALUES ('reserve', 0, 'vendor', 1, 5, 'deposit', 1)",
        "UPDATE purses SET live_serial = 1",
        "UPDATE purses SET live_value = -1",
        "UPDATE accounts SET balance = -1 WHERE kind = 'vendor'",
        "DELETE FROM purses",
        "DELETE FROM vendors",
        "UPDATE steps SET fee = amount + 1 WHERE state = 'pending'",
        "UPDATE steps SET new_value = new_value + 1 WHERE state = 'pending'",
        "DELETE FROM reservations",
        "DELETE FROM sales",
        "DELETE FROM licences",
        "UPDATE licences SET used = used - 1",
        "UPDATE licences SET used = total + 1",
        "UPDATE sales SET redeemed = redeemed - 1 WHERE closed IS NULL",
        "UPDATE sales SET redeemed = value + 1 WHERE closed IS NULL",
        "UPDATE sales SET closed = NULL WHERE closed IS NOT NULL",
        "UPDATE reservations SET paid_index = paid_index - 1 WHERE closed IS NULL",
        "UPDATE reservations SET paid_index = units + 1 WHERE closed IS NULL",
        "UPDATE reservations SET funded = 0, paid_index = 0 WHERE closed IS NULL",
        "UPDATE reservations SET closed = NULL WHERE closed IS NOT NULL",
        "UPDATE reservations SET value = value + 1 WHERE closed IS NULL",
        "INSERT INTO transfers SELECT 99, debit_kind, debit_number, credit_kind, credit_number, 50, posting, \
         step_vendor, step_tran, payout, movement, at FROM transfers WHERE posting = 'redeem' LIMIT 1",
    ] {
        assert!(database.execute(sql, []).is_err(), "{sql} was not refused");
    }
}

#[test]
fn no_row_of_a_payment_is_written_by_way_of_a_table_that_sqlite_makes_for_it() {
    let (_folder, path) = folder();
    live_a_life(&mut open(&path));
    let database = Connection::open(&path).unwrap();
    let insert = |table: &str, columns: usize| {
        let places: Vec<String> = (1..=columns).map(|place| format!("?{place}")).collect();
        format!("INSERT INTO {table} VALUES ({})", places.join(", "))
    };
    for (sql, made) in [
        (insert("steps", 30), 0),
        // The trigger's own, which only what a budget pays comes to.
        (insert("transfers", 12), 1),
        (
            "INSERT INTO accounts VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET balance = excluded.balance"
                .into(),
            0,
        ),
        ("UPDATE purses SET live_serial = ?1, pending_tran = ?2 WHERE customer = ?3".into(), 0),
        ("UPDATE steps SET state = ?3, ended = ?4 WHERE vendor = ?1 AND tran_id = ?2".into(), 0),
    ] {
        let mut explained = database.prepare(&format!("EXPLAIN {sql}")).unwrap();
        let unset = vec![rusqlite::types::Null; explained.parameter_count()];
        let codes =
            explained.query_map(rusqlite::params_from_iter(unset), |row| row.get::<_, String>(1)).unwrap();
        let tables = codes.filter(|code| code.as_ref().unwrap() == "OpenEphemeral").count();
        assert_eq!(tables, made, "{sql}");
    }
}

#[test]
fn a_database_whose_rows_refer_to_nothing_is_not_brought_up_to_date() {
    let (_folder, path) = folder();
    live_a_life(&mut open(&path));
    let database = Connection::open(&path).unwrap();
    database.pragma_update(None, "foreign_keys", false).unwrap();
    database.execute("DELETE FROM registrations WHERE customer = 1", []).unwrap();
    database.execute("UPDATE purses SET customer = 77 WHERE customer = 1", []).unwrap();
    database.pragma_update(None, "user_version", 5).unwrap();
    drop(database);
    let refused = refusal(&path);
    assert!(refused.contains("refers to one that is not there"), "{refused}");
    let database = Connection::open(&path).unwrap();
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 5, "nothing was changed");
}
