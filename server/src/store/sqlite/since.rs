//! What has changed since a head, for an audit that begins there.
//!
//! Shown are the rows that later links name, and what belongs to them; the directory and the accounts are shown whole,
//! since there are few. The rest was verified when the head was.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tuppence_protocol::Currency;

use super::super::{Row, StoreError};
use super::codec::{Columns, Misfit};
use super::committed::{Committed, entries_back};
use super::rows::{Visit, read_row, transfer};
use super::table::{
    ACCOUNTS, CAMPAIGNS, CENTER, CLAIMS, EPOCHS, LICENCES, MOVEMENTS, NOTES, PAYOUTS, PURSES, REGISTRATIONS,
    RESERVATIONS, SALES, SALTS, STEPS, TRANSFERS, Table, VENDORS, field,
};
use crate::ledger::AccountId;
use crate::ledger::journal::{self, Head};

/// A row's key, as the journal writes it.
type Key = Box<[u8]>;

/// Shows what has changed since `head`, and checks that it is as the journal says.
pub(super) fn visit(
    connection: &Connection,
    currency: Currency,
    head: Head,
    visit: Visit<'_>,
) -> Result<(), StoreError> {
    visit(Row::Currency(currency));
    let committed = Committed::read(connection, head, visit)?;
    let since = committed.transfers_before;
    visit(Row::Since(u64::try_from(since).unwrap_or(0)));
    let mut scan = Scan { connection, currency, committed };
    let touched = |scan: &Scan<'_>, table: &Table| scan.committed.keys_of(table);

    scan.whole(&VENDORS, visit, |c| c.vendor().map(Row::Vendor))?;
    scan.whole(&CAMPAIGNS, visit, |c| c.campaign().map(Row::Campaign))?;
    scan.accounts(head, visit)?;
    let others = "step_vendor IS NULL AND number > ?1 ORDER BY number";
    scan.select(&TRANSFERS, others, vec![Value::Integer(since)], visit, transfer)?;

    let (mut purses, payouts) = (touched(&scan, &PURSES), touched(&scan, &PAYOUTS));
    let mut steps = touched(&scan, &STEPS);
    steps.extend(scan.linked(&PAYOUTS, &payouts, "step_vendor, step_tran")?);
    let mut reservations = touched(&scan, &RESERVATIONS);
    steps.extend(scan.linked(&RESERVATIONS, &reservations, "step_vendor, step_tran")?);
    let mut sales = touched(&scan, &SALES);
    steps.extend(scan.linked(&SALES, &sales, "step_vendor, step_tran")?);
    purses.extend(scan.buyers_of(&steps)?);
    steps.extend(scan.linked(&PURSES, &purses, "pending_vendor, pending_tran")?);
    for key in &steps {
        scan.fetch(&STEPS, key, visit, |c| c.step().map(Row::Step))?;
        let own = "step_vendor IS ?1 AND step_tran IS ?2 ORDER BY posting";
        scan.select(&TRANSFERS, own, STEPS.key_values(key), visit, transfer)?;
    }
    let mut registrations = touched(&scan, &REGISTRATIONS);
    registrations.extend(purses.iter().cloned());
    let mut orders = payouts;
    orders.extend(scan.of_steps("SELECT number FROM payouts", &steps)?);
    sales.extend(scan.of_steps("SELECT id FROM sales", &steps)?);
    reservations.extend(scan.of_steps("SELECT id FROM reservations", &steps)?);
    scan.fetch_all(&PURSES, &purses, visit, |c| c.purse().map(Row::Purse))?;
    scan.fetch_all(&REGISTRATIONS, &registrations, visit, |c| c.registration().map(Row::Registration))?;
    scan.fetch_all(&PAYOUTS, &orders, visit, |c| c.payout().map(Row::Payout))?;
    let movements = touched(&scan, &MOVEMENTS);
    scan.fetch_all(&MOVEMENTS, &movements, visit, |c| c.movement().map(Row::Movement))?;
    scan.fetch_all(&RESERVATIONS, &reservations, visit, |c| {
        c.reservation().map(|row| Row::Reservation(Box::new(row)))
    })?;
    scan.whole(&LICENCES, visit, |c| c.licence().map(|row| Row::Licence(Box::new(row))))?;
    scan.fetch_all(&SALES, &sales, visit, |c| c.sale().map(|row| Row::Sale(Box::new(row))))?;
    scan.whole(&EPOCHS, visit, |c| c.epoch().map(Row::Epoch))?;
    scan.whole(&CLAIMS, visit, |c| c.claim().map(Row::Claim))?;
    for table in [&CENTER, &SALTS, &NOTES] {
        for key in touched(&scan, table) {
            scan.check(table, &key, visit)?;
        }
    }
    scan.committed.conclude(visit);
    Ok(())
}

struct Scan<'c> {
    connection: &'c Connection,
    currency: Currency,
    committed: Committed,
}

impl Scan<'_> {
    /// Shows the rows of `table` that `condition` finds; those that later links name are checked.
    fn select(
        &mut self,
        table: &Table,
        condition: &str,
        parameters: Vec<Value>,
        visit: Visit<'_>,
        parse: impl Fn(&mut Columns<'_>) -> Result<Row, Misfit>,
    ) -> Result<(), StoreError> {
        let sql = format!("SELECT {} FROM {} WHERE {condition}", table.columns, table.name);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(parameters))?;
        while let Some(row) = rows.next()? {
            self.committed.check_known(table, row, visit)?;
            visit(read_row(table, row, self.currency, &parse));
        }
        Ok(())
    }

    fn whole(
        &mut self,
        table: &Table,
        visit: Visit<'_>,
        parse: impl Fn(&mut Columns<'_>) -> Result<Row, Misfit>,
    ) -> Result<(), StoreError> {
        self.select(table, "true", Vec::new(), visit, parse)
    }

    fn fetch(
        &mut self,
        table: &Table,
        key: &[u8],
        visit: Visit<'_>,
        parse: impl Fn(&mut Columns<'_>) -> Result<Row, Misfit>,
    ) -> Result<(), StoreError> {
        self.select(table, &table.by_key(), table.key_values(key), visit, parse)
    }

    fn fetch_all(
        &mut self,
        table: &Table,
        keys: &BTreeSet<Key>,
        visit: Visit<'_>,
        parse: impl Fn(&mut Columns<'_>) -> Result<Row, Misfit> + Copy,
    ) -> Result<(), StoreError> {
        keys.iter().try_for_each(|key| self.fetch(table, key, visit, parse))
    }

    /// Checks a row that means nothing to the books.
    fn check(&mut self, table: &Table, key: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        let sql = format!("SELECT {} FROM {} WHERE {}", table.columns, table.name, table.by_key());
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(table.key_values(key)))?;
        while let Some(row) = rows.next()? {
            self.committed.check_known(table, row, visit)?;
        }
        Ok(())
    }

    /// The accounts, and what they held at `head`: where later links name one, its last balance before; otherwise
    /// what it holds now.
    fn accounts(&mut self, head: Head, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut missing = self.committed.keys_of(&ACCOUNTS);
        let mut opening = BTreeMap::new();
        if !missing.is_empty() {
            entries_back(self.connection, head, &mut |entry| {
                if entry.code == ACCOUNTS.code
                    && let (Some(digest), true) = (entry.digest, missing.remove(entry.key))
                {
                    opening.insert(Key::from(entry.key), journal::digest_balance(&digest));
                }
                missing.is_empty()
            })?;
        }
        let touched = self.committed.keys_of(&ACCOUNTS);
        self.whole(&ACCOUNTS, visit, |c| {
            c.balance().map(|(account, balance)| Row::Account(account, balance))
        })?;
        let sql = format!("SELECT {} FROM accounts", ACCOUNTS.columns);
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values = [row.get(0)?, row.get(1)?];
            let key = Key::from(journal::key(values.iter().map(field)));
            let stored: Result<(AccountId, i64), Misfit> = Columns::new(row, self.currency).balance();
            let Ok((account, balance)) = stored else { continue };
            let opening = if touched.contains(&key) { opening.get(&key).copied() } else { Some(balance) };
            visit(Row::Opening(account, opening.unwrap_or(0)));
        }
        Ok(())
    }

    /// The keys of the steps that rows of `table` name in these `columns`.
    fn linked(&self, table: &Table, keys: &BTreeSet<Key>, columns: &str) -> Result<Vec<Key>, StoreError> {
        let sql = format!("SELECT {columns} FROM {} WHERE {}", table.name, table.by_key());
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut linked = Vec::new();
        for key in keys {
            let mut rows = statement.query(params_from_iter(table.key_values(key)))?;
            while let Some(row) = rows.next()? {
                let values: [Value; 2] = [row.get(0)?, row.get(1)?];
                if values[0] != Value::Null {
                    linked.push(Key::from(journal::key(values.iter().map(field))));
                }
            }
        }
        Ok(linked)
    }

    /// The keys of the purses of these steps.
    fn buyers_of(&self, steps: &BTreeSet<Key>) -> Result<Vec<Key>, StoreError> {
        let sql = "SELECT customer FROM steps WHERE vendor IS ?1 AND tran_id IS ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut buyers = Vec::new();
        for key in steps {
            let mut rows = statement.query(params_from_iter(STEPS.key_values(key)))?;
            while let Some(row) = rows.next()? {
                let customer: Value = row.get(0)?;
                buyers.push(Key::from(journal::key([field(&customer)].into_iter())));
            }
        }
        Ok(buyers)
    }

    /// The keys of the payout orders, or reservations, of these steps.
    fn of_steps(&self, select: &str, steps: &BTreeSet<Key>) -> Result<Vec<Key>, StoreError> {
        let sql = format!("{select} WHERE step_vendor IS ?1 AND step_tran IS ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut orders = Vec::new();
        for key in steps {
            let mut rows = statement.query(params_from_iter(STEPS.key_values(key)))?;
            while let Some(row) = rows.next()? {
                let number: Value = row.get(0)?;
                orders.push(Key::from(journal::key([field(&number)].into_iter())));
            }
        }
        Ok(orders)
    }
}
