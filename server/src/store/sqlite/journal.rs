//! The journal's rows: written with each batch, and read back by the audit.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use super::super::StoreError;
use super::codec::{self, Parameters};
use super::table::{self, Table};
use crate::ledger::journal::{Entries, Head};

/// Rows that one link holds when books that are there already are entered.
const ROWS_A_LINK: usize = 10_000;

/// The link of the transaction that is open.
#[derive(Debug, Default)]
pub(super) struct Batch(Entries);

impl Batch {
    /// A row was written; `row` begins with all of its columns.
    pub fn row(&mut self, table: &Table, row: &Parameters) {
        self.values(table, row.values());
    }

    /// A row was forgotten; `key` is its key.
    pub fn gone(&mut self, table: &Table, key: &Parameters) {
        self.0.gone(table.code, key.values().iter().take(table.key_columns).map(table::field));
    }

    fn values(&mut self, table: &Table, row: &[Value]) {
        let fields = || row.iter().take(table.column_count).map(table::field);
        self.0.row(table.code, fields().take(table.key_columns), &table.digest(fields()));
    }

    /// Writes the link after `head`, which the transaction must still find there.
    pub fn close(self, connection: &Connection, head: &Head) -> Result<Head, StoreError> {
        if self.0.as_bytes().is_empty() {
            return Ok(*head);
        }
        let next = head.next(self.0.as_bytes());
        let sql = "INSERT INTO journal (number, entries, chain) VALUES (?1, ?2, ?3)";
        let row = (codec::int(next.number), self.0.as_bytes(), next.chain);
        connection.prepare_cached(sql)?.execute(row)?;
        Ok(next)
    }
}

/// The journal's last link.
pub(super) fn head(connection: &Connection) -> Result<Head, StoreError> {
    let sql = "SELECT number, chain FROM journal ORDER BY number DESC LIMIT 1";
    let head = connection.query_row(sql, [], |row| Ok(Head { number: row.get(0)?, chain: row.get(1)? }));
    Ok(head.optional()?.unwrap_or(Head::GENESIS))
}

/// Enters every row that there is, as a new database's, or after its tables have changed.
pub(super) fn enter_all(connection: &Connection) -> Result<(), StoreError> {
    let mut head = head(connection)?;
    for table in table::ALL {
        let mut statement = connection.prepare(&format!("SELECT {} FROM {}", table.columns, table.name))?;
        let mut rows = statement.query([])?;
        let (mut batch, mut count) = (Batch::default(), 0);
        while let Some(row) = rows.next()? {
            let values = (0..table.column_count).map(|column| row.get(column));
            batch.values(table, &values.collect::<Result<Vec<Value>, _>>()?);
            count += 1;
            if count % ROWS_A_LINK == 0 {
                head = std::mem::take(&mut batch).close(connection, &head)?;
            }
        }
        head = batch.close(connection, &head)?;
    }
    Ok(())
}
