//! Rows edited behind the center's back (T25): whatever is changed, the audit names it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;
use tuppence_protocol::bytes::encode;
use tuppence_protocol::ids::IdType;
use tuppence_protocol::scrip::center::StepKey;

use super::fixture::*;
use super::sqlite::{folder, open};
use crate::ledger::audit::{Report, audit};
use crate::store::sqlite::SqliteStore;

/// Books with one of everything, which no trigger guards any more.
pub(super) struct Books {
    folder: TempDir,
    path: PathBuf,
}

impl Books {
    pub(super) fn unguarded() -> Self {
        let (folder, path) = folder();
        live_a_life(&mut open(&path));
        let database = Connection::open(&path).unwrap();
        for trigger in names(&database, "trigger") {
            database.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        Books { folder, path }
    }

    /// A copy of them, to be tampered with.
    fn copy(&self) -> (PathBuf, Connection) {
        let copy = self.folder.path().join("copy.db");
        std::fs::copy(&self.path, &copy).unwrap();
        let database = Connection::open(&copy).unwrap();
        database.pragma_update(None, "foreign_keys", false).unwrap();
        database.pragma_update(None, "ignore_check_constraints", true).unwrap();
        (copy, database)
    }

    /// The number of the journal's last link.
    pub(super) fn last_link(&self) -> i64 {
        let database = Connection::open(&self.path).unwrap();
        database.query_row("SELECT max(number) FROM journal", [], |row| row.get(0)).unwrap()
    }

    /// What the audit says of a copy to which `tamper` was done.
    pub(super) fn audit_after(&self, tamper: impl FnOnce(&Connection)) -> Report {
        let (copy, database) = self.copy();
        tamper(&database);
        drop(database);
        audited(&copy)
    }
}

fn audited(path: &Path) -> Report {
    match SqliteStore::open_read_only(path) {
        Ok(mut store) => audit(&mut store).unwrap(),
        // What says how to read the books can be unreadable itself.
        Err(error) => Report { findings: vec![named(&error.to_string())], ..Report::default() },
    }
}

fn named(error: &str) -> crate::ledger::audit::Finding {
    let place = if error.contains("center 1") { "center 1" } else { "?" };
    crate::ledger::audit::Finding { place: place.to_owned(), what: error.to_owned() }
}

/// The names of all tables, indexes or triggers.
fn names(database: &Connection, kind: &str) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = ?1 AND name NOT LIKE 'sqlite_%'";
    let mut statement = database.prepare(sql).unwrap();
    statement.query_map([kind], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// A column, as the database itself describes it.
struct Column {
    name: String,
    is_key: bool,
}

fn columns(database: &Connection, table: &str) -> Vec<Column> {
    let mut statement = database.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid").unwrap();
    let column =
        |row: &rusqlite::Row<'_>| Ok(Column { name: row.get(0)?, is_key: row.get::<_, i64>(1)? > 0 });
    statement.query_map([table], column).unwrap().collect::<Result<_, _>>().unwrap()
}

fn values(database: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = database.prepare(sql).unwrap();
    let count = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..count).map(|column| row.get(column)).collect();
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

/// As the audit names the row of `table` with this key.
fn place(table: &str, key: &[Value]) -> String {
    let shown: Vec<String> = key
        .iter()
        .map(|value| match value {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::Blob(bytes) => match bytes.len() {
                16 | 32 => encode(bytes),
                _ => String::from_utf8_lossy(bytes).into_owned(),
            },
            _ => "?".to_owned(),
        })
        .collect();
    match (table, shown.as_slice()) {
        ("accounts", [kind, number]) if number == "0" => format!("accounts {kind}"),
        ("accounts", [kind, number]) => format!("accounts {kind}:{number}"),
        _ => format!("{table} {}", shown.join("/")),
    }
}

/// Another value than this one, as little different as can be.
fn flipped(value: &Value) -> Value {
    match value {
        Value::Null => Value::Integer(1),
        Value::Integer(number) => Value::Integer(number ^ 1),
        Value::Real(number) => Value::Real(-number),
        Value::Text(text) => Value::Text(format!("{text}x")),
        Value::Blob(bytes) => {
            let mut bytes = bytes.clone();
            match bytes.last_mut() {
                Some(last) => *last ^= 1,
                None => bytes.push(0),
            }
            Value::Blob(bytes)
        }
    }
}

/// The schema itself tells which columns there are, so that one that is added is tried without being named here.
#[test]
fn t25_every_column_of_every_table_flipped_once_is_named() {
    let books = Books::unguarded();
    let database = Connection::open(&books.path).unwrap();
    let (mut tried, mut missed) = (0, Vec::new());
    for table in names(&database, "table") {
        let columns = columns(&database, &table);
        let key: Vec<&str> = columns.iter().filter(|c| c.is_key).map(|c| c.name.as_str()).collect();
        let key = key.join(", ");
        let rows = values(&database, &format!("SELECT {key} FROM {table} ORDER BY {key}"));
        assert!(!rows.is_empty(), "the life that is tampered with has no row of {table}");
        for column in &columns {
            let name = &column.name;
            let whole = values(&database, &format!("SELECT {name}, {key} FROM {table} ORDER BY {key}"));
            // The first and the last row, and one in which there is something.
            let full = whole.iter().rposition(|row| row[0] != Value::Null).unwrap_or(0);
            for index in std::collections::BTreeSet::from([0, full, whole.len() - 1]) {
                let (old, of) = whole[index].split_first().unwrap();
                let mut new = flipped(old);
                if let (Value::Null, Some(other)) = (old, whole.get(full)) {
                    new = if other[0] == Value::Null { new } else { other[0].clone() };
                }
                let conditions: Vec<String> = key.split(", ").map(|name| format!("{name} IS ?")).collect();
                let sql = format!("UPDATE {table} SET {name} = ? WHERE {}", conditions.join(" AND "));
                let mut changed = None;
                let report = books.audit_after(|database| {
                    let mut parameters = vec![new.clone()];
                    parameters.extend_from_slice(of);
                    // The column's type or a neighbour's key may refuse the first try.
                    let blob = Value::Blob(vec![1]);
                    let tries = [new.clone(), Value::Integer(1_000), Value::Text("x".to_owned()), blob];
                    changed = tries.into_iter().find(|value| {
                        parameters[0] = value.clone();
                        database.execute(&sql, rusqlite::params_from_iter(&parameters)) == Ok(1)
                    });
                });
                let new = changed.unwrap_or_else(|| panic!("{table}.{name} of {of:?} cannot be flipped"));
                tried += 1;
                let mut after = of.to_vec();
                if let Some(position) = key.split(", ").position(|key| key == name) {
                    after[position] = new;
                }
                let places = [place(&table, of), place(&table, &after)];
                if !report.findings.iter().any(|finding| places.contains(&finding.place)) {
                    missed.push(format!("{table}.{name} of {places:?}:\n{report}"));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{} of {tried} were not named:\n{}", missed.len(), missed.join("\n"));
    assert!(tried > 150, "{tried}");
}

#[test]
fn t25_every_row_that_is_deleted_is_named() {
    let books = Books::unguarded();
    let database = Connection::open(&books.path).unwrap();
    for table in names(&database, "table") {
        let columns = columns(&database, &table);
        let key: Vec<&str> = columns.iter().filter(|c| c.is_key).map(|c| c.name.as_str()).collect();
        let key = key.join(", ");
        for of in values(&database, &format!("SELECT {key} FROM {table} ORDER BY {key}")) {
            let conditions: Vec<String> = key.split(", ").map(|name| format!("{name} IS ?")).collect();
            let sql = format!("DELETE FROM {table} WHERE {}", conditions.join(" AND "));
            let report = books.audit_after(|database| {
                assert_eq!(database.execute(&sql, rusqlite::params_from_iter(&of)), Ok(1));
            });
            let places = match &of[..] {
                // A link that is missing is told by the one after it, and the last one by the rows that it entered.
                [Value::Integer(number)] if table == "journal" => {
                    vec![format!("journal {}", number + 1), "movements invoice 9".to_owned()]
                }
                _ => vec![place(&table, &of)],
            };
            let named = report.findings.iter().any(|finding| places.contains(&finding.place));
            assert!(named, "{table} {of:?}:\n{report}");
        }
    }
}

#[test]
fn the_audit_names_every_kind_of_row_that_was_tampered_with() {
    let books = Books::unguarded();
    let step = |key: StepKey| format!("steps {}/{}", key.vendor, key.tran_id);
    let by_key = |table: &str, set: &str, tran: u8| {
        format!(
            "UPDATE {table} SET {set} WHERE vendor = 1 AND hex(tran_id) = '{}'",
            format!("{tran:02x}").repeat(16)
        )
    };
    let paid = step(key(1, 2));
    let custom_id = IdType { secret_id: 1, serial_number: serial(1) };
    let sold = format!("sales {}", sale(key(0, 14), custom_id).id());
    let [open, closed] =
        [11, 12].map(|tran| format!("reservations {}", budget(key(0, tran), custom_id, 50).id()));
    for (sql, place) in [
        ("UPDATE purses SET live_value = live_value + 1".to_owned(), "purses 1"),
        ("UPDATE purses SET live_serial = live_serial - 5".to_owned(), "purses 1"),
        ("UPDATE purses SET live_expires = live_expires + 1".to_owned(), "purses 1"),
        ("UPDATE purses SET pending_vendor = NULL, pending_tran = NULL".to_owned(), "purses 1"),
        ("UPDATE purses SET live_algorithm = 'md5'".to_owned(), "purses 1"),
        ("DELETE FROM purses".to_owned(), "purses 1"),
        ("UPDATE accounts SET balance = balance + 1 WHERE kind = 'vendor'".to_owned(), "accounts vendor:1"),
        ("UPDATE accounts SET balance = -balance WHERE kind = 'fees'".to_owned(), "accounts fees"),
        ("DELETE FROM accounts WHERE kind = 'campaign'".to_owned(), "accounts campaign:1"),
        ("INSERT INTO accounts VALUES ('vendor', 7, 5)".to_owned(), "accounts vendor:7"),
        ("UPDATE campaigns SET funded = funded + 1".to_owned(), "campaigns 1"),
        ("UPDATE campaigns SET item = 'other'".to_owned(), &step(key(1, 1))),
        ("DELETE FROM vendors".to_owned(), "campaigns 1"),
        ("UPDATE vendors SET secrets = x'00'".to_owned(), "vendors 1"),
        ("UPDATE transfers SET amount = amount + 1 WHERE posting = 'deposit'".to_owned(), "accounts reserve"),
        ("UPDATE transfers SET amount = amount + 1 WHERE posting = 'payment'".to_owned(), &paid),
        ("DELETE FROM transfers WHERE posting = 'payment'".to_owned(), &paid),
        ("UPDATE transfers SET posting = 'gift' WHERE number = 1".to_owned(), "transfers 1"),
        ("UPDATE transfers SET credit_kind = 'fees', credit_number = 0 WHERE number = 1".to_owned(), "transfers 1"),
        (
            "INSERT INTO transfers SELECT 99, debit_kind, debit_number, credit_kind, credit_number, amount, posting, \
             step_vendor, x'66666666666666666666666666666666', payout, movement, at FROM transfers WHERE posting = 'payment'"
                .to_owned(),
            "transfers 99",
        ),
        (by_key("steps", "state = 'voided', void_algorithm = 'sha256', void_secret_id = 1, void_serial = new_serial + 1, void_value = old_value, void_expires = 1", 2), &paid),
        (by_key("steps", "state = 'pending', ended = NULL", 2), &paid),
        (by_key("steps", "amount = amount + 1", 2), &paid),
        (by_key("steps", "customer = 2", 2), &paid),
        (by_key("steps", "void_value = void_value + 1", 3), &step(key(1, 3))),
        ("DELETE FROM steps WHERE vendor = 1 AND kind = 'payment' AND state = 'posted'".to_owned(), "transfers 5"),
        ("UPDATE payouts SET amount = amount + 1 WHERE number = 3".to_owned(), "payouts 3"),
        ("UPDATE payouts SET state = 'ordered', ended = NULL, note = NULL WHERE number = 1".to_owned(), "payouts 1"),
        ("UPDATE payouts SET state = 'confirmed' WHERE number = 2".to_owned(), "payouts 2"),
        ("DELETE FROM payouts WHERE number = 2".to_owned(), "payouts 2"),
        ("DELETE FROM payouts WHERE number = 3".to_owned(), &step(key(0, 3))),
        ("UPDATE movements SET amount = amount + 1 WHERE direction = 'deposit'".to_owned(), "movements opening 1"),
        ("UPDATE movements SET direction = 'deposit' WHERE direction = 'withdrawal'".to_owned(), "movements invoice 9"),
        ("UPDATE movements SET direction = 'gift' WHERE direction = 'deposit'".to_owned(), "movements opening 1"),
        ("UPDATE movements SET vendor = 2 WHERE direction = 'withdrawal'".to_owned(), "movements invoice 9"),
        ("DELETE FROM movements WHERE direction = 'deposit'".to_owned(), "movements opening 1"),
        ("INSERT INTO movements VALUES ('invoice 10', 1, 'deposit', 5, 1)".to_owned(), "movements invoice 10"),
        ("DELETE FROM transfers WHERE posting = 'withdrawal'".to_owned(), "movements invoice 9"),
        ("UPDATE transfers SET movement = NULL WHERE posting = 'withdrawal'".to_owned(), "movements invoice 9"),
        ("UPDATE reservations SET paid_index = paid_index + 1 WHERE closed IS NULL".to_owned(), &open),
        ("UPDATE reservations SET closed = 5 WHERE closed IS NULL".to_owned(), &open),
        ("UPDATE reservations SET fee_basis_points = 0 WHERE closed IS NULL".to_owned(), &open),
        ("UPDATE reservations SET funded = 0, paid_index = 0 WHERE closed IS NULL".to_owned(), &open),
        ("UPDATE reservations SET vendor = 2 WHERE closed IS NULL".to_owned(), &open),
        ("UPDATE reservations SET value = value + 1 WHERE closed IS NULL".to_owned(), &open),
        ("DELETE FROM reservations WHERE closed IS NULL".to_owned(), &step(key(0, 11))),
        ("DELETE FROM transfers WHERE posting = 'redeem-fee'".to_owned(), &open),
        ("UPDATE transfers SET amount = amount + 1 WHERE posting = 'redeem'".to_owned(), &open),
        ("UPDATE transfers SET amount = amount + 1 WHERE posting = 'release'".to_owned(), &closed),
        ("UPDATE sales SET redeemed = redeemed + 1 WHERE closed IS NULL".to_owned(), &sold),
        ("UPDATE sales SET funded = 0, redeemed = 0 WHERE closed IS NULL".to_owned(), &sold),
        ("UPDATE sales SET licence = 2 WHERE closed IS NULL".to_owned(), &sold),
        ("UPDATE sales SET value = value + 1 WHERE closed IS NULL".to_owned(), &sold),
        ("UPDATE licences SET used = 0".to_owned(), &sold),
        ("DELETE FROM licences".to_owned(), &sold),
        ("DELETE FROM sales WHERE closed IS NULL".to_owned(), &step(key(0, 14))),
        ("DELETE FROM registrations".to_owned(), "purses 1"),
        ("UPDATE registrations SET customer = 9".to_owned(), "registrations 9"),
        ("UPDATE registrations SET wallet_key = x'00'".to_owned(), "registrations 1"),
    ] {
        let report = books.audit_after(|database| {
            assert_ne!(database.execute(&sql, []).unwrap(), 0, "{sql} changes nothing");
        });
        let named = report.findings.iter().any(|finding| finding.place == place);
        assert!(named, "after {sql}\n{place} should be named:\n{report}");
    }
}

#[test]
fn a_trigger_or_an_index_that_was_dropped_or_changed_is_named() {
    let (_folder, path) = folder();
    live_a_life(&mut open(&path));
    let drops = "DROP TRIGGER transfers_stay; DROP INDEX steps_spent; CREATE INDEX mine ON steps (amount)";
    Connection::open(&path).unwrap().execute_batch(drops).unwrap();
    let places: Vec<String> = audited(&path).findings.into_iter().map(|finding| finding.place).collect();
    assert_eq!(places, ["index mine", "index steps_spent", "trigger transfers_stay"]);
}

#[test]
fn a_second_transfer_of_one_movement_is_named() {
    let (_folder, path) = folder();
    live_a_life(&mut open(&path));
    let database = Connection::open(&path).unwrap();
    let doubled = "DROP INDEX transfers_of_movements; \
                   CREATE TABLE copy AS SELECT * FROM transfers WHERE movement = 'invoice 9'; \
                   UPDATE copy SET number = 99; \
                   INSERT INTO transfers SELECT * FROM copy; DROP TABLE copy";
    database.execute_batch(doubled).unwrap();
    drop(database);
    let report = audit(&mut SqliteStore::open_read_only(&path).unwrap()).unwrap();
    assert!(report.findings.iter().any(|finding| finding.place == "movements invoice 9"), "{report}");
}

#[test]
fn a_second_step_of_the_same_serial_is_named() {
    let (_folder, path) = folder();
    live_a_life(&mut open(&path));
    let database = Connection::open(&path).unwrap();
    let doubled = "DROP INDEX steps_spent; DROP TRIGGER steps_end_once; \
                   CREATE TABLE copy AS SELECT * FROM steps WHERE vendor = 1 AND hex(tran_id) = '02020202020202020202020202020202'; \
                   UPDATE copy SET tran_id = x'63636363636363636363636363636363'; \
                   INSERT INTO steps SELECT * FROM copy; DROP TABLE copy";
    database.execute_batch(doubled).unwrap();
    drop(database);
    let report = audit(&mut SqliteStore::open_read_only(&path).unwrap()).unwrap();
    let what = "serial 2 was spent before";
    assert!(report.findings.iter().any(|finding| finding.what == what), "{report}");
}
