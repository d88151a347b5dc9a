//! Every row, as of one moment, for the audit. A row that cannot be read is shown as such.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row as SqlRow};
use tuppence_protocol::{Currency, TranId};

use super::super::{Row, StoreError};
use super::codec::{
    CAMPAIGN, Columns, MOVEMENT, Misfit, PAYOUT, PURSE, REGISTRATION, STEP, TRANSFER, VENDOR,
};

type Visit<'v> = &'v mut dyn FnMut(Row);
/// A step's vendor and transaction, as they are stored.
type RawKey = (i64, Vec<u8>);

/// Shows every row.
pub(super) fn visit(connection: &Connection, currency: Currency, visit: Visit<'_>) -> Result<(), StoreError> {
    visit(Row::Currency(currency));
    check(connection, visit)?;
    let scan = Scan { connection, currency };
    scan.table("vendors", VENDOR, "number", 1, visit, |c| c.vendor().map(Row::Vendor))?;
    scan.table("campaigns", CAMPAIGN, "number", 1, visit, |c| c.campaign().map(Row::Campaign))?;
    scan.table("accounts", "kind, number, balance", "kind, number", 2, visit, |c| {
        c.balance().map(|(account, balance)| Row::Account(account, balance))
    })?;
    scan.table("transfers WHERE step_vendor IS NULL", TRANSFER, "number", 1, visit, transfer)?;
    scan.steps(visit)?;
    scan.table("purses", PURSE, "customer", 1, visit, |c| c.purse().map(Row::Purse))?;
    scan.table("registrations", REGISTRATION, "customer", 1, visit, |c| {
        c.registration().map(Row::Registration)
    })?;
    scan.table("payouts", PAYOUT, "number", 1, visit, |c| c.payout().map(Row::Payout))?;
    scan.table("movements", MOVEMENT, "reference", 1, visit, |c| c.movement().map(Row::Movement))
}

fn transfer(columns: &mut Columns<'_>) -> Result<Row, Misfit> {
    columns.transfer().map(|(number, transfer)| Row::Transfer(number, transfer))
}

/// SQLite's own check of pages, indexes and constraints, and of references.
fn check(connection: &Connection, visit: Visit<'_>) -> Result<(), StoreError> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let why: String = row.get(0)?;
        if why != "ok" {
            visit(Row::Unreadable { place: "the database".to_owned(), why });
        }
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        let number = row.get::<_, Option<i64>>(1)?;
        let place = number.map_or(table.clone(), |number| format!("{table} {number}"));
        visit(Row::Unreadable { place, why: format!("it refers to {parent} that are not there") });
    }
    Ok(())
}

struct Scan<'c> {
    connection: &'c Connection,
    currency: Currency,
}

impl Scan<'_> {
    /// Shows a table in the order of its key, which is its first `key_columns` columns.
    fn table(
        &self,
        from: &str,
        columns: &str,
        order: &str,
        key_columns: usize,
        visit: Visit<'_>,
        parse: impl Fn(&mut Columns<'_>) -> Result<Row, Misfit>,
    ) -> Result<(), StoreError> {
        let mut statement =
            self.connection.prepare(&format!("SELECT {columns} FROM {from} ORDER BY {order}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(self.read(from, row, key_columns, &parse));
        }
        Ok(())
    }

    /// Shows the steps in order, each with its transfers after it.
    fn steps(&self, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare(&format!(
            "SELECT {TRANSFER} FROM transfers WHERE step_vendor IS NOT NULL \
             ORDER BY step_vendor, step_tran, posting"
        ))?;
        let mut transfers = statement.query([])?;
        let mut next_transfer = || -> Result<Option<(RawKey, Row)>, StoreError> {
            let Some(row) = transfers.next()? else { return Ok(None) };
            let key = (row.get(7)?, row.get::<_, Option<Vec<u8>>>(8)?.unwrap_or_default());
            Ok(Some((key, self.read("transfers", row, 1, transfer))))
        };
        let mut waiting = next_transfer()?;
        let mut statement =
            self.connection.prepare(&format!("SELECT {STEP} FROM steps ORDER BY vendor, tran_id"))?;
        let mut steps = statement.query([])?;
        while let Some(row) = steps.next()? {
            let key: RawKey = (row.get(0)?, row.get(1)?);
            while let Some((_, orphan)) = waiting.take_if(|(of, _)| *of < key) {
                visit(orphan);
                waiting = next_transfer()?;
            }
            visit(self.read("steps", row, 2, |c| c.step().map(Row::Step)));
            while let Some((_, own)) = waiting.take_if(|(of, _)| *of == key) {
                visit(own);
                waiting = next_transfer()?;
            }
        }
        while let Some((_, orphan)) = waiting {
            visit(orphan);
            waiting = next_transfer()?;
        }
        Ok(())
    }

    fn read(
        &self,
        from: &str,
        row: &SqlRow<'_>,
        key_columns: usize,
        parse: impl Fn(&mut Columns<'_>) -> Result<Row, Misfit>,
    ) -> Row {
        parse(&mut Columns::new(row, self.currency)).unwrap_or_else(|why| {
            let table = from.split(' ').next().unwrap_or(from);
            let key: Vec<String> = (0..key_columns).map(|column| shown(row.get_ref(column))).collect();
            Row::Unreadable { place: format!("{table} {}", key.join("/")), why: why.to_string() }
        })
    }
}

fn shown(value: rusqlite::Result<ValueRef<'_>>) -> String {
    match value {
        Ok(ValueRef::Integer(number)) => number.to_string(),
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        Ok(ValueRef::Blob(bytes)) => match <[u8; 16]>::try_from(bytes) {
            Ok(id) => TranId::from_bytes(id).to_string(),
            Err(_) => "?".to_owned(),
        },
        _ => "?".to_owned(),
    }
}
