//! Writing: all changes of a batch in one transaction.

use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection, params_from_iter};
use tuppence_protocol::Text;
use tuppence_protocol::scrip::center::{Purse, Step};
use tuppence_protocol::vendor_scrip::LicenceState;

use super::super::records::{
    Campaign, Claim, Epoch, KeptLicence, KeptNotes, Movement, Payout, Registration, Reservation, Sale, Vendor,
};
use super::super::{Change, Changes, StoreError};
use super::codec::{
    self, CAMPAIGN, CLAIM, EPOCH, MOVEMENT, NOTES, PAYOUT, PURSE, Parameters, REGISTRATION, RESERVATION,
    SALE, STEP, TRANSFER, VENDOR,
};
use super::journal::Batch;
use super::table::{
    self, ACCOUNTS, CAMPAIGNS, CLAIMS, EPOCHS, MOVEMENTS, PAYOUTS, PURSES, REGISTRATIONS, RESERVATIONS,
    SALES, SALTS, STEPS, TRANSFERS, VENDORS,
};
use crate::ledger::Transfer;

/// Writes `changes` with a connection that is in a transaction, and enters each row into `batch`.
///
/// # Errors
/// [`StoreError`]; the caller must roll back.
pub(super) fn write(connection: &Connection, changes: &Changes, batch: &mut Batch) -> Result<(), StoreError> {
    write_directory(connection, changes, batch)?;
    // A purse and its pending step point at each other: the purse comes first, and points afterwards.
    let mut insert = connection.prepare_cached(&insert("purses", PURSE, 10))?;
    for purse in changes.purses.iter().filter(|change| change.before.is_none()).map(|change| &change.after) {
        once(&mut insert, &purse_parameters(&Purse { pending: None, ..purse.clone() }))?;
    }
    write_registrations(connection, &changes.registrations, batch)?;
    write_steps(connection, &changes.steps, batch)?;
    write_purses(connection, &changes.purses, batch)?;
    write_payouts(connection, &changes.payouts, batch)?;
    write_reservations(connection, &changes.reservations, batch)?;
    write_licences(connection, &changes.licences, batch)?;
    write_sales(connection, &changes.sales, batch)?;
    write_movements(connection, &changes.movements, batch)?;
    write_notes(connection, &changes.notes, batch)?;
    write_transfers(connection, &changes.transfers, batch)?;
    let mut put = connection.prepare_cached(
        "INSERT INTO accounts (kind, number, balance) VALUES (?1, ?2, ?3) \
         ON CONFLICT DO UPDATE SET balance = excluded.balance",
    )?;
    for (account, balance) in &changes.balances {
        let row = Parameters::default().account(*account).value(*balance);
        once(&mut put, &row)?;
        batch.row(&ACCOUNTS, &row);
    }
    if let Some(epoch) = &changes.epoch {
        write_epoch(connection, epoch, batch)?;
    }
    write_claims(connection, &changes.claims, batch)?;
    forget_cancelled(connection, changes, batch)?;
    write_salts(connection, changes, batch)
}

fn forget_cancelled(connection: &Connection, changes: &Changes, batch: &mut Batch) -> Result<(), StoreError> {
    let Some(before) = changes.cancelled_ended else { return Ok(()) };
    let mut delete = connection.prepare_cached(
        "DELETE FROM steps INDEXED BY steps_cancelled WHERE new_serial = old_serial AND started < ?1 \
         RETURNING vendor, tran_id",
    )?;
    let mut rows = delete.query([codec::int(before.as_millis())])?;
    while let Some(row) = rows.next()? {
        let key = Parameters::default().value(row.get::<_, Value>(0)?).value(row.get::<_, Value>(1)?);
        batch.gone(&STEPS, &key);
    }
    Ok(())
}

/// Begins an epoch.
pub(super) fn write_epoch(
    connection: &Connection,
    epoch: &Epoch,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let row = Parameters::default()
        .number(epoch.number)
        .number(epoch.began)
        .text(epoch.reason.as_str())
        .text_or_null(epoch.lost.map(|lost| lost.to_string()).as_deref());
    once(&mut connection.prepare_cached(&insert("epochs", EPOCH, 4))?, &row)?;
    batch.row(&EPOCHS, &row);
    Ok(())
}

fn write_claims(
    connection: &Connection,
    claims: &[Change<Claim>],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let sql = insert("claims", CLAIM, 11).replacen("INSERT", "INSERT OR REPLACE", 1);
    let mut put = connection.prepare_cached(&sql)?;
    for Change { after, .. } in claims {
        let row = Parameters::default()
            .number(after.custom_id.serial_number)
            .number(after.custom_id.secret_id)
            .scrip(&after.shown)
            .value(after.known.map(|(serial, _)| codec::int(serial.get())))
            .value(after.known.map(|(_, value)| codec::int(value.micros())))
            .number(after.at);
        once(&mut put, &row)?;
        batch.row(&CLAIMS, &row);
    }
    Ok(())
}

fn write_salts(connection: &Connection, changes: &Changes, batch: &mut Batch) -> Result<(), StoreError> {
    if let Some(now) = changes.salts_ended {
        let mut delete = connection.prepare_cached("DELETE FROM salts WHERE ends < ?1 RETURNING salt")?;
        let mut rows = delete.query([codec::int(now.as_millis())])?;
        while let Some(row) = rows.next()? {
            batch.gone(&SALTS, &Parameters::default().value(row.get::<_, Value>(0)?));
        }
    }
    let mut insert = connection.prepare_cached("INSERT INTO salts (salt, ends) VALUES (?1, ?2)")?;
    for (salt, ends) in &changes.salts {
        let row = Parameters::default().bytes(salt).number(*ends);
        once(&mut insert, &row)?;
        batch.row(&SALTS, &row);
    }
    Ok(())
}

fn write_directory(connection: &Connection, changes: &Changes, batch: &mut Batch) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(&format!(
        "{} ON CONFLICT (number) DO UPDATE SET origin = excluded.origin, secrets = excluded.secrets \
         WHERE id = excluded.id",
        insert("vendors", VENDOR, 5)
    ))?;
    for Change { after, .. } in &changes.vendors {
        let row = vendor_parameters(after)?;
        once(&mut put, &row)?;
        batch.row(&VENDORS, &row);
    }
    let mut put = connection.prepare_cached(&format!(
        "{} ON CONFLICT (number) DO UPDATE SET budget = excluded.budget, funded = excluded.funded, \
         asked = excluded.asked WHERE vendor = excluded.vendor AND item = excluded.item",
        insert("campaigns", CAMPAIGN, 6)
    ))?;
    for Change { after, .. } in &changes.campaigns {
        let row = campaign_parameters(after);
        once(&mut put, &row)?;
        batch.row(&CAMPAIGNS, &row);
    }
    Ok(())
}

fn write_registrations(
    connection: &Connection,
    registrations: &[Registration],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(&insert("registrations", REGISTRATION, 15))?;
    for registration in registrations {
        let parameters = Parameters::default()
            .number(registration.customer)
            .bytes(registration.wallet.as_bytes())
            .bytes(&registration.digest)
            .bytes(&registration.nonce)
            .scrip(&registration.first)
            .bytes(&registration.wallet_key)
            .text_or_null(registration.name.as_ref().map(Text::as_str))
            .text_or_null(registration.address.as_ref().map(Text::as_str))
            .text_or_null(registration.e_mail.as_ref().map(Text::as_str))
            .number(registration.at);
        once(&mut insert, &parameters)?;
        batch.row(&REGISTRATIONS, &parameters);
    }
    Ok(())
}

fn write_steps(connection: &Connection, steps: &[Change<Step>], batch: &mut Batch) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(&insert("steps", STEP, 30))?;
    let mut end = connection.prepare_cached(
        "UPDATE steps SET state = ?3, ended = ?4, void_algorithm = ?5, void_secret_id = ?6, void_serial = ?7, \
         void_value = ?8, void_ad = ?9, void_expires = ?10 \
         WHERE vendor = ?1 AND tran_id = ?2 AND state = 'pending'",
    )?;
    for Change { before, after } in steps {
        let row = step_parameters(after);
        if before.is_some() {
            once(&mut end, &Parameters::default().key(&after.key).step_state(&after.state))?;
        } else {
            once(&mut insert, &row)?;
        }
        batch.row(&STEPS, &row);
    }
    Ok(())
}

fn write_purses(
    connection: &Connection,
    purses: &[Change<Purse>],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE purses SET live_algorithm = ?3, live_secret_id = ?4, live_serial = ?5, live_value = ?6, \
         live_ad = ?7, live_expires = ?8, pending_vendor = ?9, pending_tran = ?10 \
         WHERE customer = ?1 AND customer_secret_id = ?2 AND live_serial = ?11",
    )?;
    for Change { before, after } in purses {
        let row = purse_parameters(after);
        batch.row(&PURSES, &row);
        // A new purse is stored already, without its pending step.
        let stored = match before {
            Some(before) => before.live.serial,
            None if after.pending.is_none() => continue,
            None => after.live.serial,
        };
        once(&mut update, &row.number(stored))?;
    }
    Ok(())
}

fn write_payouts(
    connection: &Connection,
    payouts: &[Change<Payout>],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(&insert("payouts", PAYOUT, 11))?;
    let mut end = connection.prepare_cached(
        "UPDATE payouts SET state = ?2, ended = ?3, note = ?4 WHERE number = ?1 AND state = 'ordered'",
    )?;
    for Change { before, after } in payouts {
        let row = payout_parameters(after);
        if before.is_some() {
            once(&mut end, &Parameters::default().number(after.number).payout_state(&after.state))?;
        } else {
            once(&mut insert, &row)?;
        }
        batch.row(&PAYOUTS, &row);
    }
    Ok(())
}

fn write_movements(
    connection: &Connection,
    movements: &[Movement],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(&insert("movements", MOVEMENT, 5))?;
    for movement in movements {
        let parameters = Parameters::default()
            .text(movement.reference.as_str())
            .number(movement.vendor)
            .text(codec::direction(movement.direction))
            .number(movement.amount.micros())
            .number(movement.at);
        once(&mut insert, &parameters)?;
        batch.row(&MOVEMENTS, &parameters);
    }
    Ok(())
}

fn write_reservations(
    connection: &Connection,
    reservations: &[Change<Reservation>],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(&insert("reservations", RESERVATION, 16))?;
    let mut update = connection.prepare_cached(
        "UPDATE reservations SET funded = ?2, paid_index = ?3, paid_payword = ?4, closed = ?5 \
         WHERE id = ?1 AND funded = ?6 AND paid_index = ?7 AND closed IS NULL",
    )?;
    for Change { before, after } in reservations {
        let row = reservation_parameters(after)?;
        match before {
            None => once(&mut insert, &row)?,
            Some(before) => {
                let parameters = Parameters::default()
                    .bytes(after.id().as_bytes())
                    .number(u8::from(after.funded))
                    .number(after.kept.paid.index)
                    .bytes(after.kept.paid.payword.as_bytes())
                    .value(after.kept.closed.map(|at| codec::int(at.as_millis())))
                    .number(u8::from(before.funded))
                    .number(before.kept.paid.index);
                once(&mut update, &parameters)?;
            }
        }
        batch.row(&RESERVATIONS, &row);
    }
    Ok(())
}

fn write_licences(
    connection: &Connection,
    licences: &[Change<KeptLicence>],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(&insert("licences", codec::LICENCE, 5))?;
    let mut update = connection
        .prepare_cached("UPDATE licences SET used = ?3 WHERE vendor = ?1 AND number = ?2 AND used = ?4")?;
    for Change { before, after } in licences {
        let LicenceState { licensed, used } = &after.state;
        let json = serde_json::to_vec(licensed).map_err(|error| StoreError::Integrity(error.to_string()))?;
        let (vendor, number) = after.key();
        let key = || Parameters::default().number(vendor).number(number);
        let row = key().bytes(&json).number(licensed.terms.count).number(*used);
        match before {
            None => once(&mut insert, &row)?,
            Some(before) => once(&mut update, &key().number(*used).number(before.state.used))?,
        }
        batch.row(&table::LICENCES, &row);
    }
    Ok(())
}

fn write_sales(connection: &Connection, sales: &[Change<Sale>], batch: &mut Batch) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(&insert("sales", SALE, 16))?;
    let mut update = connection.prepare_cached(
        "UPDATE sales SET funded = ?2, redeemed = ?3, closed = ?4 \
         WHERE id = ?1 AND funded = ?5 AND redeemed = ?6 AND closed IS NULL",
    )?;
    for Change { before, after } in sales {
        let row = sale_parameters(after)?;
        match before {
            None => once(&mut insert, &row)?,
            Some(before) => {
                let parameters = Parameters::default()
                    .bytes(after.id().as_bytes())
                    .number(u8::from(after.funded))
                    .number(after.kept.redeemed.micros())
                    .value(after.kept.closed.map(|at| codec::int(at.as_millis())))
                    .number(u8::from(before.funded))
                    .number(before.kept.redeemed.micros());
                once(&mut update, &parameters)?;
            }
        }
        batch.row(&SALES, &row);
    }
    Ok(())
}

fn write_notes(
    connection: &Connection,
    notes: &[Change<KeptNotes>],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(&insert("notes", NOTES, 4))?;
    let mut replace = connection
        .prepare_cached("UPDATE notes SET version = ?2, sealed = ?3, at = ?4 WHERE customer = ?1")?;
    for Change { before, after } in notes {
        let row = Parameters::default()
            .number(after.customer)
            .number(after.notes.version)
            .bytes(after.notes.sealed.as_slice())
            .number(after.at);
        once(if before.is_some() { &mut replace } else { &mut insert }, &row)?;
        batch.row(&table::NOTES, &row);
    }
    Ok(())
}

fn write_transfers(
    connection: &Connection,
    transfers: &[Transfer],
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let sql = "SELECT coalesce(max(number), 0) FROM transfers";
    let last: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    let mut insert = connection.prepare_cached(&insert("transfers", TRANSFER, 12))?;
    for (number, transfer) in (last.saturating_add(1)..).zip(transfers) {
        let parameters = Parameters::default()
            .value(number)
            .account(transfer.debit)
            .account(transfer.credit)
            .number(transfer.amount.micros())
            .text(transfer.posting.as_str())
            .key_or_null(transfer.step.as_ref())
            .value(transfer.payout.map(codec::int))
            .text_or_null(transfer.movement.as_ref().map(Text::as_str))
            .number(transfer.at);
        once(&mut insert, &parameters)?;
        batch.row(&TRANSFERS, &parameters);
    }
    Ok(())
}

fn purse_parameters(purse: &Purse) -> Parameters {
    Parameters::default()
        .number(purse.custom_id.serial_number)
        .number(purse.custom_id.secret_id)
        .scrip(&purse.live)
        .key_or_null(purse.pending.as_ref())
}

fn step_parameters(step: &Step) -> Parameters {
    Parameters::default()
        .key(&step.key)
        .text(codec::kind(step.kind))
        .number(step.customer)
        .number(step.amount.micros())
        .number(step.fee.micros())
        .text(step.subject.as_str())
        .number(step.secret_id)
        .bytes(step.request_hash.as_bytes())
        .scrip(&step.old)
        .scrip(&step.new)
        .number(step.started)
        .step_state(&step.state)
}

fn payout_parameters(payout: &Payout) -> Parameters {
    Parameters::default()
        .number(payout.number)
        .key(&payout.step)
        .number(payout.customer)
        .number(payout.amount.micros())
        .number(payout.fee.micros())
        .text(payout.destination.as_str())
        .number(payout.ordered)
        .payout_state(&payout.state)
}

fn reservation_parameters(reservation: &Reservation) -> Result<Parameters, StoreError> {
    let kept = &reservation.kept;
    let authority = kept.countersigned.authority();
    let value = authority.value().map_err(|error| StoreError::Integrity(error.to_string()))?;
    let countersigned = serde_json::to_string(&kept.countersigned)
        .map_err(|error| StoreError::Integrity(error.to_string()))?;
    Ok(Parameters::default()
        .bytes(reservation.id().as_bytes())
        .key(&reservation.step())
        .number(reservation.vendor)
        .number(kept.custom_id.serial_number)
        .number(kept.custom_id.secret_id)
        .number(value.micros())
        .number(authority.unit.micros())
        .number(authority.length)
        .number(kept.fee_basis_points)
        .number(reservation.due())
        .text(&countersigned)
        .number(u8::from(reservation.funded))
        .number(kept.paid.index)
        .bytes(kept.paid.payword.as_bytes())
        .value(kept.closed.map(|at| codec::int(at.as_millis()))))
}

fn sale_parameters(sale: &Sale) -> Result<Parameters, StoreError> {
    let kept = &sale.kept;
    let content = codec::SaleContent { order: kept.order.clone(), scrip: kept.scrip.clone() };
    let content =
        serde_json::to_string(&content).map_err(|error| StoreError::Integrity(error.to_string()))?;
    let (_, purchase_secret_id, purchase_serial) = sale.purchase();
    Ok(Parameters::default()
        .bytes(sale.id().as_bytes())
        .key(&sale.step())
        .number(sale.vendor)
        .number(kept.licence)
        .number(purchase_secret_id)
        .number(purchase_serial)
        .number(kept.custom_id.serial_number)
        .number(kept.custom_id.secret_id)
        .number(kept.order.value.micros())
        .number(kept.fee_basis_points)
        .number(kept.due())
        .text(&content)
        .number(u8::from(sale.funded))
        .number(kept.redeemed.micros())
        .value(kept.closed.map(|at| codec::int(at.as_millis()))))
}

fn vendor_parameters(vendor: &Vendor) -> Result<Parameters, StoreError> {
    let json = |error: serde_json::Error| StoreError::Integrity(error.to_string());
    Ok(Parameters::default()
        .number(vendor.number)
        .text(&serde_json::to_string(&vendor.id).map_err(json)?)
        .text(vendor.origin.as_str())
        .bytes(&serde_json::to_vec(&vendor.secrets).map_err(json)?)
        .number(vendor.at))
}

fn campaign_parameters(campaign: &Campaign) -> Parameters {
    Parameters::default()
        .number(campaign.number)
        .number(campaign.vendor)
        .text(campaign.item.as_str())
        .number(campaign.budget.micros())
        .number(campaign.funded.micros())
        .number(campaign.asked)
}

fn insert(table: &str, columns: &str, count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|place| format!("?{place}")).collect();
    format!("INSERT INTO {table} ({columns}) VALUES ({})", places.join(", "))
}

/// Runs a statement that must change one row: where it changes none, the row is not as it was read.
fn once(statement: &mut CachedStatement<'_>, parameters: &Parameters) -> Result<(), StoreError> {
    match statement.execute(params_from_iter(parameters.all()))? {
        1 => Ok(()),
        count => Err(StoreError::Integrity(format!("{count} rows changed where one should"))),
    }
}
