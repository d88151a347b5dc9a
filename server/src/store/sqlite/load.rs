//! Reading: a batch's records with one statement for each kind, and the few that are always at hand.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::vtab::array::Array;
use rusqlite::{Connection, Params, Rows};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::payword::AuthorityId;
use tuppence_protocol::scrip::center::{Purse, Step, StepKey, StepKind};
use tuppence_protocol::vendor_scrip::OrderId;
use tuppence_protocol::{Currency, Timestamp};

use super::super::records::{Epoch, Sale};
use super::super::resident::Resident;
use super::super::working_set::Numbers;
use super::super::{Directory, Records, Statement, StoreError, Wanted};
use super::cache::Cache;
use super::codec::{
    self, CAMPAIGN, CLAIM, Columns, EPOCH, MOVEMENT, Misfit, NOTES, PAYOUT, PURSE, REGISTRATION, RESERVATION,
    SALE, STEP, VENDOR,
};

/// Reads with one connection, which is in a transaction.
pub(super) struct Reader<'c> {
    pub connection: &'c Connection,
    pub currency: Currency,
}

impl Reader<'_> {
    /// Adds to `records` what `wanted` names, and what goes with it: from `cache` what that holds.
    pub fn load(&self, wanted: &Wanted, cache: &mut Cache, records: &mut Records) -> Result<(), StoreError> {
        let mut customers = wanted.purses.clone();
        let mut steps = wanted.steps.clone();
        let wallets = wanted.registrations.iter().map(|wallet| Value::Blob(wallet.as_bytes().to_vec()));
        for registration in
            self.any_of("registrations", REGISTRATION, "wallet", wallets, |c| c.registration())?
        {
            customers.insert(registration.customer);
            records.registrations.insert(registration.wallet, registration);
        }
        let numbers = wanted.payouts.iter().map(|number| Value::Integer(codec::int(*number)));
        let mut payouts = self.any_of("payouts", PAYOUT, "number", numbers, |c| c.payout())?;
        // Cash-outs are the center's own steps.
        let own = wanted.steps.iter().filter(|key| key.vendor == 0);
        let own = own.map(|key| Value::Blob(key.tran_id.as_bytes().to_vec()));
        payouts.extend(self.any_of("payouts", PAYOUT, "step_vendor = 0 AND step_tran", own, |c| c.payout())?);
        for payout in payouts {
            customers.insert(payout.customer);
            steps.insert(payout.step);
            records.payouts.insert(payout.number, payout);
        }
        let ids = wanted.reservations.iter().map(|id| Value::Blob(id.as_bytes().to_vec()));
        for reservation in self.any_of("reservations", RESERVATION, "id", ids, |c| c.reservation())? {
            steps.insert(reservation.step());
            records.reservations.insert(reservation.id(), reservation);
        }
        let ids = wanted.sales.iter().map(|id| Value::Blob(id.as_bytes().to_vec()));
        for sale in self.any_of("sales", SALE, "id", ids, |c| c.sale())? {
            steps.insert(sale.step());
        }
        let sql = format!(
            "SELECT {SALE} FROM sales WHERE vendor = ?1 AND purchase_secret_id = ?2 AND purchase_serial = ?3"
        );
        for (vendor, secret_id, serial) in &wanted.purchases {
            let purchase = (*vendor, *secret_id, codec::int(serial.get()));
            steps.extend(self.records("sales", &sql, purchase, |c| c.sale())?.iter().map(Sale::step));
        }
        for step in self.steps(steps, cache)? {
            customers.insert(step.customer);
            records.steps.insert(step.key, step);
        }
        let mut pending = BTreeSet::new();
        for purse in self.purses(customers, cache)? {
            pending.extend(purse.pending.filter(|key| !records.steps.contains_key(key)));
            records.purses.insert(purse.custom_id.serial_number, purse);
        }
        for step in self.steps(pending, cache)? {
            records.steps.insert(step.key, step);
        }
        // Whatever ends a payment to the center itself, a pending one too, changes the reservation that it paid for.
        let own = records.steps.values().filter(|s| s.key.vendor == 0 && s.kind == StepKind::Payment);
        let own: Vec<_> = own.map(|step| Value::Blob(step.key.tran_id.as_bytes().to_vec())).collect();
        let of_step = "step_vendor = 0 AND step_tran";
        for reservation in
            self.any_of("reservations", RESERVATION, of_step, own.into_iter(), |c| c.reservation())?
        {
            records.reservations.insert(reservation.id(), reservation);
        }
        let own = records.steps.values().filter(|s| s.key.vendor == 0 && s.kind == StepKind::Payment);
        let own: Vec<_> = own.map(|step| Value::Blob(step.key.tran_id.as_bytes().to_vec())).collect();
        let mut shops = wanted.licences.clone();
        for sale in self.any_of("sales", SALE, of_step, own.into_iter(), |c| c.sale())? {
            shops.insert(sale.vendor);
            records.sales.insert(sale.id(), sale);
        }
        let shops = shops.into_iter().map(|vendor| Value::Integer(i64::from(vendor)));
        for licence in self.any_of("licences", codec::LICENCE, "vendor", shops, |c| c.licence())? {
            records.licences.insert(licence.key(), licence);
        }
        let references = wanted.movements.iter().map(|reference| Value::Text(reference.to_string()));
        for movement in self.any_of("movements", MOVEMENT, "reference", references, |c| c.movement())? {
            records.movements.insert(movement.reference.clone(), movement);
        }
        let claims = wanted.claims.iter().map(|customer| Value::Integer(codec::int(customer.get())));
        for claim in self.any_of("claims", CLAIM, "customer", claims, |c| c.claim())? {
            records.claims.insert(claim.custom_id.serial_number, claim);
        }
        let buyers = wanted.notes.iter().map(|customer| Value::Integer(codec::int(customer.get())));
        for notes in self.any_of("notes", NOTES, "customer", buyers, |c| c.notes())? {
            records.notes.insert(notes.customer, notes);
        }
        let salts = wanted.salts.iter().map(|salt| Value::Blob(salt.to_vec()));
        records.salts.extend(self.any_of("salts", "salt, ends", "salt", salts, |c| c.salt())?);
        Ok(())
    }

    /// One by one, since a list of keys would be put into a table of its own first, which costs more.
    fn purses(&self, customers: BTreeSet<Serial>, cache: &mut Cache) -> Result<Vec<Purse>, StoreError> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {PURSE} FROM purses WHERE customer = ?1"))?;
        let mut purses = Vec::with_capacity(customers.len());
        for customer in customers {
            if let Some(purse) = cache.purse(customer) {
                purses.push(purse.clone());
                continue;
            }
            let rows = statement.query([codec::int(customer.get())])?;
            if let Some(purse) = self.parsed("purses", rows, |c| c.purse())?.pop() {
                cache.read_purse(&purse);
                purses.push(purse);
            }
        }
        Ok(purses)
    }

    fn steps(&self, keys: BTreeSet<StepKey>, cache: &mut Cache) -> Result<Vec<Step>, StoreError> {
        let sql = format!("SELECT {STEP} FROM steps WHERE vendor = ?1 AND tran_id = ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut steps = Vec::with_capacity(keys.len());
        for key in keys {
            if let Some(step) = cache.step(key) {
                steps.push(step.clone());
                continue;
            }
            let rows = statement.query((key.vendor, key.tran_id.as_bytes()))?;
            steps.extend(self.parsed("steps", rows, |c| c.step())?);
        }
        Ok(steps)
    }

    /// The rows of `table` whose `column` is one of `keys`.
    fn any_of<T>(
        &self,
        table: &str,
        columns: &str,
        column: &str,
        keys: impl Iterator<Item = Value>,
        parse: impl Fn(&mut Columns<'_>) -> Result<T, Misfit>,
    ) -> Result<Vec<T>, StoreError> {
        let keys: Array = Rc::new(keys.collect());
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT {columns} FROM {table} WHERE {column} IN rarray(?1)");
        self.records(table, &sql, [keys], parse)
    }

    /// What `sql` finds in `table`.
    pub fn records<T>(
        &self,
        table: &str,
        sql: &str,
        parameters: impl Params,
        parse: impl Fn(&mut Columns<'_>) -> Result<T, Misfit>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        self.parsed(table, statement.query(parameters)?, parse)
    }

    fn parsed<T>(
        &self,
        table: &str,
        mut rows: Rows<'_>,
        parse: impl Fn(&mut Columns<'_>) -> Result<T, Misfit>,
    ) -> Result<Vec<T>, StoreError> {
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let record = parse(&mut Columns::new(row, self.currency));
            records.push(record.map_err(|why| StoreError::Integrity(format!("in {table}: {why}")))?);
        }
        Ok(records)
    }

    /// The directory, the balances and the next numbers.
    pub fn resident(&self) -> Result<Resident, StoreError> {
        let mut directory = Directory::default();
        let sql = format!("SELECT {VENDOR} FROM vendors");
        for vendor in self.records("vendors", &sql, [], |c| c.vendor())? {
            directory.put_vendor(vendor);
        }
        let sql = format!("SELECT {CAMPAIGN} FROM campaigns");
        for campaign in self.records("campaigns", &sql, [], |c| c.campaign())? {
            directory.put_campaign(campaign);
        }
        let sql = "SELECT kind, number, balance FROM accounts";
        let balances = self.records("accounts", sql, [], |c| c.balance())?;
        let sql = "SELECT (SELECT coalesce(max(customer), 0) + 1 FROM purses), \
                   (SELECT coalesce(max(number), 0) + 1 FROM vendors), \
                   (SELECT coalesce(max(number), 0) + 1 FROM campaigns), \
                   (SELECT coalesce(max(number), 0) + 1 FROM payouts)";
        let mut next = self.connection.query_row(sql, [], |row| {
            Ok(Numbers {
                customer: row.get(0)?,
                vendor: row.get(1)?,
                campaign: row.get(2)?,
                payout: row.get(3)?,
            })
        })?;
        let epoch = self.epochs()?.pop().unwrap_or(Epoch::NEW);
        next.reach(epoch.number);
        Ok(Resident {
            epoch,
            currency: self.currency,
            directory: Arc::new(directory),
            balances: Arc::new(balances.into_iter().collect()),
            next,
        })
    }

    /// The epochs, the first one first.
    pub fn epochs(&self) -> Result<Vec<Epoch>, StoreError> {
        self.records("epochs", &format!("SELECT {EPOCH} FROM epochs ORDER BY number"), [], |c| c.epoch())
    }

    /// What has happened to one purse.
    pub fn statement(
        &self,
        customer: Serial,
        from: Serial,
        limit: usize,
    ) -> Result<Option<Statement>, StoreError> {
        let sql = format!("SELECT {PURSE} FROM purses WHERE customer = ?1");
        let customer = codec::int(customer.get());
        let purse = self.records("purses", &sql, [customer], |c| c.purse())?.pop();
        let Some(purse) = purse else { return Ok(None) };
        // The index of spent serials has the steps of a buyer in their order.
        let sql = format!(
            "SELECT {STEP} FROM steps INDEXED BY steps_spent \
             WHERE customer = ?1 AND old_serial >= ?2 AND new_serial <> old_serial \
             ORDER BY old_serial LIMIT ?3"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let parameters = (customer, codec::int(from.get()), limit);
        let steps = self.records("steps", &sql, parameters, |c| c.step())?;
        let cash_outs = steps.iter().filter(|step| step.key.vendor == 0);
        let cash_outs = cash_outs.map(|step| Value::Blob(step.key.tran_id.as_bytes().to_vec()));
        let payouts =
            self.any_of("payouts", PAYOUT, "step_vendor = 0 AND step_tran", cash_outs, |c| c.payout())?;
        Ok(Some(Statement { purse, steps, payouts }))
    }

    /// Funded reservations whose time is over, the oldest first.
    pub fn due_reservations(&self, before: Timestamp, limit: usize) -> Result<Vec<AuthorityId>, StoreError> {
        let sql = "SELECT id FROM reservations WHERE funded = 1 AND closed IS NULL AND due < ?1 \
                   ORDER BY due, id LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let parameters = (codec::int(before.as_millis()), limit);
        self.records("reservations", sql, parameters, |c| c.reservation_id())
    }

    /// Funded sales whose time is over, the oldest first.
    pub fn due_sales(&self, before: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        let sql =
            "SELECT id FROM sales WHERE funded = 1 AND closed IS NULL AND due < ?1 ORDER BY due, id LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.records("sales", sql, (codec::int(before.as_millis()), limit), |c| c.order_id())
    }

    /// The oldest pending steps.
    pub fn pending_steps(&self, before: Timestamp, limit: usize) -> Result<Vec<StepKey>, StoreError> {
        let sql = "SELECT vendor, tran_id FROM steps WHERE state = 'pending' AND started < ?1 \
                   ORDER BY started, vendor, tran_id LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.records("steps", sql, (codec::int(before.as_millis()), limit), |c| c.key())
    }
}
