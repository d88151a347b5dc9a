//! Rows of the till: sessions and ticks (spec/03), accounts and spent scrip (spec/02), and what was handed out. All
//! are read and written inside the caller's transaction.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tuppence_protocol::ids::{IdType, Serial};
use tuppence_protocol::payword::{AuthorityId, Session};
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::scrip::{Code, Document, Header};
use tuppence_protocol::vendor_scrip::{Account, GRACE, Licensed, Spent};
use tuppence_protocol::{Secret, Timestamp};

use super::rows::{millis, time};
use super::{Result, ShopStoreError};

/// Whether the center has yet to confirm something of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed(pub bool);

/// A licence as it is kept.
#[derive(Debug, Clone)]
pub struct KeptLicence {
    /// The licence, with its secrets.
    pub licensed: Licensed,
    /// Whether the center has it.
    pub confirmed: bool,
}

/// A secret of change, and since when it is used.
#[derive(Debug, Clone)]
pub struct ChangeSecret {
    /// Its number.
    pub id: u32,
    /// The secret.
    pub secret: Secret,
    /// Since when.
    pub since: Timestamp,
}

/// The session of a budget.
///
/// # Errors
/// If the store fails, as everywhere here.
pub fn session(connection: &Connection, id: AuthorityId) -> Result<Option<Session>> {
    let mut query = connection.prepare_cached("SELECT session FROM sessions WHERE authority_id = ?1")?;
    let text: Option<String> = query.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
    text.as_deref().map(decoded).transpose()
}

/// Keeps a session in place of what was there.
pub fn keep_session(connection: &Connection, session: &Session, owed: Owed) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO sessions (authority_id, session, expires, owed) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (authority_id) DO UPDATE SET session = excluded.session, owed = excluded.owed",
    )?;
    let expires = session.countersigned().authority().expires;
    statement.execute(params![session.id().as_bytes(), encoded(session)?, millis(expires), owed.0])?;
    Ok(())
}

/// At most `count` sessions after `after` of which the center has yet to confirm something.
pub fn owed_sessions(
    connection: &Connection,
    after: Option<AuthorityId>,
    count: u32,
) -> Result<Vec<Session>> {
    let mut query = connection.prepare_cached(
        "SELECT session FROM sessions WHERE owed = 1 AND authority_id > ?1 ORDER BY authority_id LIMIT ?2",
    )?;
    let after = after.map_or_else(Vec::new, |after| after.as_bytes().to_vec());
    let texts = query.query_map(params![after, count], |row| row.get::<_, String>(0))?;
    texts.map(|text| decoded(&text?)).collect()
}

/// What a budget's payword bought.
pub fn tick(connection: &Connection, id: AuthorityId, position: u32) -> Result<Option<Delivery>> {
    let mut query = connection.prepare_cached(
        "SELECT date, title, receipt, document FROM ticks JOIN goods USING (digest)
         WHERE authority_id = ?1 AND position = ?2",
    )?;
    let row = query.query_row(params![id.as_bytes(), position], goods).optional()?;
    row.map(Goods::delivery).transpose()
}

/// Keeps what a budget's payword bought; `digest` is the document's.
pub fn keep_tick(
    connection: &Connection,
    (id, position): (AuthorityId, u32),
    delivery: &Delivery,
    digest: [u8; 32],
) -> Result<()> {
    keep_goods(connection, digest, &delivery.document)?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO ticks (authority_id, position, date, title, receipt, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    statement.execute(params![
        id.as_bytes(),
        position,
        millis(delivery.header.server_date),
        delivery.title.as_str(),
        encoded(&delivery.receipt)?,
        digest,
    ])?;
    Ok(())
}

/// The account of a purchase.
pub fn account(connection: &Connection, customer_id: IdType) -> Result<Option<Account>> {
    let mut query =
        connection.prepare_cached("SELECT account FROM accounts WHERE secret_id = ?1 AND serial = ?2")?;
    let key = params![customer_id.secret_id, serial(customer_id)];
    let text: Option<String> = query.query_row(key, |row| row.get(0)).optional()?;
    text.as_deref().map(decoded).transpose()
}

/// Keeps an account in place of what was there.
pub fn keep_account(connection: &Connection, account: &Account, owed: Owed) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO accounts (secret_id, serial, account, expires, owed) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (secret_id, serial) DO UPDATE SET account = excluded.account, owed = excluded.owed",
    )?;
    let id = account.customer_id;
    statement.execute(params![
        id.secret_id,
        serial(id),
        encoded(account)?,
        millis(account.expires),
        owed.0
    ])?;
    Ok(())
}

/// At most `count` accounts after `after` of which the center has yet to confirm something.
pub fn owed_accounts(connection: &Connection, after: Option<IdType>, count: u32) -> Result<Vec<Account>> {
    let mut query = connection.prepare_cached(
        "SELECT account FROM accounts WHERE owed = 1 AND (secret_id, serial) > (?1, ?2)
         ORDER BY secret_id, serial LIMIT ?3",
    )?;
    let (secret_id, after) = after.map_or((0, 0), |after| (after.secret_id, serial(after)));
    let texts = query.query_map(params![secret_id, after, count], |row| row.get::<_, String>(0))?;
    texts.map(|text| decoded(&text?)).collect()
}

/// What was answered for an ID# that was spent, and what was handed out.
pub fn spent(connection: &Connection, id: IdType) -> Result<Option<(Spent, Delivery)>> {
    let mut query = connection.prepare_cached(
        "SELECT date, title, receipt, document, spent FROM spent JOIN goods USING (digest)
         WHERE secret_id = ?1 AND serial = ?2",
    )?;
    let read = |row: &Row<'_>| Ok((goods(row)?, row.get::<_, String>(4)?));
    let row = query.query_row(params![id.secret_id, serial(id)], read).optional()?;
    row.map(|(goods, spent)| Ok((decoded(&spent)?, goods.delivery()?))).transpose()
}

/// Keeps what was answered for an ID#, whose account is kept already.
pub fn keep_spent(
    connection: &Connection,
    customer_id: IdType,
    spent: &Spent,
    delivery: &Delivery,
) -> Result<()> {
    keep_goods(connection, spent.reply.digest, &delivery.document)?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO spent (secret_id, serial, customer_secret_id, customer_serial, spent, date, title, receipt, digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    statement.execute(params![
        spent.id.secret_id,
        serial(spent.id),
        customer_id.secret_id,
        serial(customer_id),
        encoded(spent)?,
        millis(delivery.header.server_date),
        delivery.title.as_str(),
        encoded(&delivery.receipt)?,
        spent.reply.digest,
    ])?;
    Ok(())
}

/// The number after the last one that change had.
pub fn next_change(connection: &Connection) -> Result<Serial> {
    let mut query = connection.prepare_cached("SELECT value FROM settings WHERE name = 'change'")?;
    let last: Option<[u8; 8]> = query.query_row([], |row| row.get(0)).optional()?;
    let next = last.map_or(1, |last| u64::from_be_bytes(last).saturating_add(1));
    Serial::try_from(next).map_err(|error| ShopStoreError::Row(error.to_string()))
}

/// Keeps the number of the last change.
pub fn keep_change(connection: &Connection, last: Serial) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO settings (name, value) VALUES ('change', ?1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?;
    statement.execute([last.get().to_be_bytes()])?;
    Ok(())
}

/// The licences, by number.
pub fn licences(connection: &Connection) -> Result<Vec<KeptLicence>> {
    let mut query = connection.prepare_cached("SELECT licensed, confirmed FROM licences ORDER BY number")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (licensed, confirmed) = row?;
        Ok(KeptLicence { licensed: decoded(&licensed)?, confirmed })
    })
    .collect()
}

/// Keeps a licence.
pub fn keep_licence(connection: &Connection, licence: &KeptLicence) -> Result<()> {
    let terms = &licence.licensed.terms;
    connection.execute(
        "INSERT INTO licences (number, licensed, expires, confirmed) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (number) DO UPDATE SET confirmed = excluded.confirmed",
        params![terms.number, encoded(&licence.licensed)?, millis(terms.expires), licence.confirmed],
    )?;
    Ok(())
}

/// The highest purchase that was seen under a master customer secret.
pub fn highest_customer(connection: &Connection, secret_id: u32) -> Result<Option<u64>> {
    let mut query = connection.prepare_cached("SELECT max(serial) FROM accounts WHERE secret_id = ?1")?;
    let highest: Option<i64> = query.query_row([secret_id], |row| row.get(0))?;
    Ok(highest.map(i64::unsigned_abs))
}

/// The secrets of change, by number.
pub fn change_secrets(connection: &Connection) -> Result<Vec<ChangeSecret>> {
    let mut query = connection.prepare_cached("SELECT id, secret, since FROM change_secrets ORDER BY id")?;
    let rows = query.query_map([], |row| {
        let secret: [u8; 32] = row.get(1)?;
        Ok(ChangeSecret { id: row.get(0)?, secret: Secret::from_bytes(secret), since: time(row, 2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Keeps a new secret of change.
pub fn keep_change_secret(connection: &Connection, kept: &ChangeSecret) -> Result<()> {
    connection.execute(
        "INSERT INTO change_secrets (id, secret, since) VALUES (?1, ?2, ?3)",
        params![kept.id, kept.secret.expose().as_slice(), millis(kept.since)],
    )?;
    Ok(())
}

/// Forgets a secret of change.
pub fn forget_change_secret(connection: &Connection, id: u32) -> Result<()> {
    connection.execute("DELETE FROM change_secrets WHERE id = ?1", [id])?;
    Ok(())
}

/// Forgets what is over: sessions, accounts and licences whose end and grace have passed, and what only they were
/// handed out. How many budgets that were.
pub fn forget(connection: &Connection, now: Timestamp) -> Result<usize> {
    let over = millis(Timestamp::from_millis(now.as_millis().saturating_sub(GRACE.as_millis())));
    connection.execute("DELETE FROM licences WHERE expires < ?1", [over])?;
    let sessions = connection.execute("DELETE FROM sessions WHERE expires < ?1", [over])?;
    let accounts = connection.execute("DELETE FROM accounts WHERE expires < ?1", [over])?;
    if sessions + accounts > 0 {
        connection.execute(
            "DELETE FROM goods WHERE NOT EXISTS (SELECT 1 FROM ticks WHERE ticks.digest = goods.digest)
             AND NOT EXISTS (SELECT 1 FROM spent WHERE spent.digest = goods.digest)",
            [],
        )?;
    }
    Ok(sessions + accounts)
}

fn keep_goods(connection: &Connection, digest: [u8; 32], document: &Document) -> Result<()> {
    let mut known = connection.prepare_cached("SELECT 1 FROM goods WHERE digest = ?1")?;
    if !known.exists([digest])? {
        let mut statement =
            connection.prepare_cached("INSERT INTO goods (digest, document) VALUES (?1, ?2)")?;
        statement.execute(params![digest, document.as_str()])?;
    }
    Ok(())
}

/// What was handed out, as it is stored.
struct Goods {
    date: Timestamp,
    title: String,
    receipt: String,
    document: String,
}

fn goods(row: &Row<'_>) -> rusqlite::Result<Goods> {
    Ok(Goods { date: time(row, 0)?, title: row.get(1)?, receipt: row.get(2)?, document: row.get(3)? })
}

impl Goods {
    fn delivery(self) -> Result<Delivery> {
        let wrong = |error: &dyn std::fmt::Display| ShopStoreError::Row(error.to_string());
        Ok(Delivery {
            header: Header::new(Code::Pm7_1, self.date),
            title: self.title.parse().map_err(|error| wrong(&error))?,
            document: self.document.parse().map_err(|error| wrong(&error))?,
            receipt: decoded(&self.receipt)?,
        })
    }
}

fn serial(id: IdType) -> i64 {
    // A serial is below 2^53.
    i64::try_from(id.serial_number.get()).unwrap_or(i64::MAX)
}

fn encoded(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| ShopStoreError::Row(error.to_string()))
}

fn decoded<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| ShopStoreError::Row(error.to_string()))
}
