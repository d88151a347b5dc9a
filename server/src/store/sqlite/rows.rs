//! Every row, as of one moment, for the audit. A row that cannot be read is shown as such.

use std::cell::RefCell;

use rusqlite::{Connection, Row as SqlRow};
use tuppence_protocol::Currency;

use super::super::{Row, StoreError};
use super::codec::{Columns, Misfit, STEP, TRANSFER};
use super::committed::Committed;
use super::open;
use super::table::{
    self, ACCOUNTS, CAMPAIGNS, CENTER, CLAIMS, EPOCHS, LICENCES, MOVEMENTS, NOTES, PAYOUTS, PURSES,
    REGISTRATIONS, RESERVATIONS, SALES, SALTS, STEPS, TRANSFERS, Table, VENDORS,
};
use crate::ledger::journal::{self, Field, Head};

pub(super) type Visit<'v> = &'v mut dyn FnMut(Row);
/// A step's vendor and transaction, as they are stored.
type RawKey = (i64, Vec<u8>);

/// Shows every row, and checks that each is as the journal says.
pub(super) fn visit(connection: &Connection, currency: Currency, visit: Visit<'_>) -> Result<(), StoreError> {
    visit(Row::Currency(currency));
    check(connection, visit)?;
    let committed = RefCell::new(Committed::read(connection, Head::GENESIS, visit)?);
    let scan = Scan { connection, currency, committed: &committed };
    scan.unshown(&CENTER, visit)?;
    scan.table(&VENDORS, visit, |c| c.vendor().map(Row::Vendor))?;
    scan.table(&CAMPAIGNS, visit, |c| c.campaign().map(Row::Campaign))?;
    scan.table(&ACCOUNTS, visit, |c| c.balance().map(|(account, balance)| Row::Account(account, balance)))?;
    scan.transfers_of_no_step(visit)?;
    scan.steps(visit)?;
    scan.table(&PURSES, visit, |c| c.purse().map(Row::Purse))?;
    scan.table(&REGISTRATIONS, visit, |c| c.registration().map(Row::Registration))?;
    scan.table(&PAYOUTS, visit, |c| c.payout().map(Row::Payout))?;
    scan.table(&MOVEMENTS, visit, |c| c.movement().map(Row::Movement))?;
    scan.table(&RESERVATIONS, visit, |c| c.reservation().map(|row| Row::Reservation(Box::new(row))))?;
    scan.table(&LICENCES, visit, |c| c.licence().map(|row| Row::Licence(Box::new(row))))?;
    scan.table(&SALES, visit, |c| c.sale().map(|row| Row::Sale(Box::new(row))))?;
    scan.table(&EPOCHS, visit, |c| c.epoch().map(Row::Epoch))?;
    scan.table(&CLAIMS, visit, |c| c.claim().map(Row::Claim))?;
    scan.table(&NOTES, visit, |c| c.notes().map(Row::Notes))?;
    scan.unshown(&SALTS, visit)?;
    committed.into_inner().conclude(visit);
    Ok(())
}

pub(super) fn transfer(columns: &mut Columns<'_>) -> Result<Row, Misfit> {
    columns.transfer().map(|(number, transfer)| Row::Transfer(number, transfer))
}

/// SQLite's own check of pages, indexes and constraints, and of references; and whether the constraints and
/// triggers are all there.
fn check(connection: &Connection, visit: Visit<'_>) -> Result<(), StoreError> {
    let (ours, theirs) = (open::schema()?, open::schema_of(connection)?);
    for (name, sql) in &theirs {
        if ours.get(name) != Some(sql) {
            visit(Row::Unreadable { place: name.clone(), why: "this program did not make it so".to_owned() });
        }
    }
    for name in ours.keys().filter(|name| !theirs.contains_key(*name)) {
        visit(Row::Unreadable { place: name.clone(), why: "it is missing".to_owned() });
    }
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
    committed: &'c RefCell<Committed>,
}

impl Scan<'_> {
    /// Shows a table in the order of its key.
    fn table(
        &self,
        table: &Table,
        visit: Visit<'_>,
        parse: impl Fn(&mut Columns<'_>) -> Result<Row, Misfit>,
    ) -> Result<(), StoreError> {
        self.each(table, visit, |row, visit| visit(self.read(table, row, &parse)))
    }

    /// Checks a table whose rows mean nothing to the books.
    fn unshown(&self, table: &Table, visit: Visit<'_>) -> Result<(), StoreError> {
        self.each(table, visit, |_, _| {})
    }

    fn each(
        &self,
        table: &Table,
        visit: Visit<'_>,
        mut show: impl FnMut(&SqlRow<'_>, Visit<'_>),
    ) -> Result<(), StoreError> {
        let order: Vec<&str> = table.key().collect();
        let sql = format!("SELECT {} FROM {} ORDER BY {}", table.columns, table.name, order.join(", "));
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.committed.borrow_mut().check(table, row, visit)?;
            show(row, visit);
        }
        Ok(())
    }

    fn transfers_of_no_step(&self, visit: Visit<'_>) -> Result<(), StoreError> {
        let sql = format!("SELECT {TRANSFER} FROM transfers WHERE step_vendor IS NULL ORDER BY number");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(self.read(&TRANSFERS, row, transfer));
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
            Ok(Some((key, self.read(&TRANSFERS, row, transfer))))
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
            self.committed.borrow_mut().check(&STEPS, row, visit)?;
            visit(self.read(&STEPS, row, |c| c.step().map(Row::Step)));
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
        table: &Table,
        row: &SqlRow<'_>,
        parse: impl Fn(&mut Columns<'_>) -> Result<Row, Misfit>,
    ) -> Row {
        read_row(table, row, self.currency, parse)
    }
}

/// What a row says, or that it cannot be read.
pub(super) fn read_row(
    table: &Table,
    row: &SqlRow<'_>,
    currency: Currency,
    parse: impl Fn(&mut Columns<'_>) -> Result<Row, Misfit>,
) -> Row {
    parse(&mut Columns::new(row, currency)).unwrap_or_else(|why| {
        let key = (0..table.key_columns).map(|column| match row.get_ref(column) {
            Ok(value) => table::field_ref(value),
            Err(_) => Field::Null,
        });
        Row::Unreadable { place: table.place(&journal::key(key)), why: why.to_string() }
    })
}
