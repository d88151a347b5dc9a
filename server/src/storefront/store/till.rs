//! Rows of the till: sessions (spec/03), accounts (spec/02), and what was handed out. All
//! are read and written inside the caller's transaction.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tuppence_protocol::ids::{IdType, Serial};
use tuppence_protocol::payword::{AuthorityId, Countersigned, Payword, Position, Session, Standing};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::scrip::{Code, Header};
use tuppence_protocol::vendor_scrip::{Account, GRACE, Licensed, Spent};
use tuppence_protocol::{Secret, Timestamp};

use super::rows::{millis, time};
use super::{Result, ShopStoreError};

/// How many authorities are remembered: some megabytes.
const AUTHORITIES_MAX: usize = 1_024;

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

/// What was handed out, ready to be kept.
#[derive(Debug, Clone)]
pub struct Sold {
    /// The answer.
    pub delivery: Delivery,
    /// SHA-256 of its document.
    pub digest: [u8; 32],
    /// Its receipt as JSON.
    receipt: String,
}

impl Sold {
    /// Of this delivery, whose document has this digest.
    ///
    /// # Errors
    /// None in practice: a receipt can be written.
    pub fn new(delivery: Delivery, digest: [u8; 32]) -> Result<Self> {
        Ok(Sold { receipt: encoded(&delivery.receipt)?, delivery, digest })
    }
}

/// An article that a purchase has bought.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BoughtArticle {
    /// Its number among all that was bought at the shop; numbers rise.
    pub number: u64,
    /// Its title, as it was sold.
    pub title: String,
    /// What opens it.
    pub receipt: Receipt,
}

/// Authorities that were read lately. They never change, so that a transaction that fails leaves nothing wrong here.
#[derive(Debug, Default)]
pub struct Authorities(Mutex<HashMap<AuthorityId, Arc<Countersigned>>>);

impl Authorities {
    fn find(&self, connection: &Connection, id: AuthorityId) -> Result<Arc<Countersigned>> {
        if let Some(known) = self.known().get(&id) {
            return Ok(known.clone());
        }
        let mut query =
            connection.prepare_cached("SELECT countersigned FROM authorities WHERE authority_id = ?1")?;
        let text: String = query.query_row([id.as_bytes()], |row| row.get(0))?;
        let found = Arc::new(decoded::<Countersigned>(&text)?);
        let mut known = self.known();
        if known.len() >= AUTHORITIES_MAX {
            known.clear();
        }
        known.insert(id, found.clone());
        Ok(found)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<AuthorityId, Arc<Countersigned>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session of a budget.
///
/// # Errors
/// If the store fails, as everywhere here.
pub fn session(
    connection: &Connection,
    authorities: &Authorities,
    id: AuthorityId,
) -> Result<Option<Session>> {
    let mut query = connection.prepare_cached(
        "SELECT position, payword, ended, deposited, settled FROM sessions WHERE authority_id = ?1",
    )?;
    let Some(standing) = query.query_row([id.as_bytes()], standing).optional()? else { return Ok(None) };
    let countersigned = authorities.find(connection, id)?;
    Ok(Some(Session::of(Countersigned::clone(&countersigned), standing)))
}

/// Position, payword, ended, deposited, settled.
fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    let last = Position { index: row.get(0)?, payword: Payword::from_bytes(row.get(1)?) };
    Ok(Standing { last, ended: row.get(2)?, deposited: row.get(3)?, settled: row.get(4)? })
}

/// Keeps a session that was opened just now.
pub fn keep_opened(connection: &Connection, session: &Session) -> Result<()> {
    let (id, authority) = (session.id(), session.countersigned().authority());
    connection
        .prepare_cached("INSERT INTO authorities (authority_id, countersigned) VALUES (?1, ?2)")?
        .execute(params![id.as_bytes(), encoded(session.countersigned())?])?;
    connection
        .prepare_cached(
            "INSERT INTO sessions (authority_id, expires, owed, position, payword, ended, deposited, settled)
             VALUES (?1, ?2, 0, 0, ?3, 0, 0, 0)",
        )?
        .execute(params![id.as_bytes(), millis(authority.expires), authority.root.as_bytes()])?;
    Ok(())
}

/// Keeps how a session stands: ended, or confirmed up to somewhere.
pub fn keep_session(connection: &Connection, session: &Session, owed: Owed) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE sessions SET ended = ?2, deposited = ?3, settled = ?4, owed = ?5 WHERE authority_id = ?1",
    )?;
    let Standing { ended, deposited, settled, .. } = session.standing();
    changed(statement.execute(params![session.id().as_bytes(), ended, deposited, settled, owed.0])?)
}

/// At most `count` sessions after `after` of which the center has yet to confirm something.
pub fn owed_sessions(
    connection: &Connection,
    authorities: &Authorities,
    after: Option<AuthorityId>,
    count: u32,
) -> Result<Vec<Session>> {
    let mut query = connection.prepare_cached(
        "SELECT authority_id FROM sessions WHERE owed = 1 AND authority_id > ?1 ORDER BY authority_id LIMIT ?2",
    )?;
    let after = after.map_or_else(Vec::new, |after| after.as_bytes().to_vec());
    let ids = query.query_map(params![after, count], |row| Ok(AuthorityId::from_bytes(row.get(0)?)))?;
    let ids = ids.collect::<rusqlite::Result<Vec<_>>>()?;
    ids.into_iter().filter_map(|id| session(connection, authorities, id).transpose()).collect()
}

/// What a budget's payword bought, if it is the last one that bought anything.
pub fn tick(connection: &Connection, id: AuthorityId, position: u32) -> Result<Option<Delivery>> {
    let mut query = connection.prepare_cached(
        "SELECT date, title, receipt, document FROM sessions JOIN goods USING (digest)
         WHERE authority_id = ?1 AND position = ?2",
    )?;
    let row = query.query_row(params![id.as_bytes(), position], goods).optional()?;
    row.map(Goods::delivery).transpose()
}

/// Keeps the last payword of a session, and what it bought.
pub fn keep_tick(
    connection: &Connection,
    (id, last): (AuthorityId, Position),
    ended: bool,
    sold: &Sold,
) -> Result<()> {
    keep_goods(connection, sold)?;
    let mut statement = connection.prepare_cached(
        "UPDATE sessions SET position = ?2, payword = ?3, ended = ?4, owed = 1, date = ?5, title = ?6, receipt = ?7,
             digest = ?8
         WHERE authority_id = ?1",
    )?;
    changed(statement.execute(params![
        id.as_bytes(),
        last.index,
        last.payword.as_bytes(),
        ended,
        millis(sold.delivery.header.server_date),
        sold.delivery.title.as_str(),
        sold.receipt,
        sold.digest,
    ])?)
}

/// The account of a purchase.
pub fn account(connection: &Connection, customer_id: IdType) -> Result<Option<Account>> {
    let mut query =
        connection.prepare_cached("SELECT account FROM accounts WHERE secret_id = ?1 AND serial = ?2")?;
    let key = params![customer_id.secret_id, serial(customer_id)];
    let text: Option<String> = query.query_row(key, |row| row.get(0)).optional()?;
    text.as_deref().map(decoded).transpose()
}

/// Keeps an account in place of what was there; the answer to its last request stays.
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

/// What was answered to the last request of a purchase.
pub fn spent(connection: &Connection, customer_id: IdType) -> Result<Option<Spent>> {
    let mut query = connection.prepare_cached(
        "SELECT spent FROM accounts WHERE secret_id = ?1 AND serial = ?2 AND spent IS NOT NULL",
    )?;
    let key = params![customer_id.secret_id, serial(customer_id)];
    let text: Option<String> = query.query_row(key, |row| row.get(0)).optional()?;
    text.as_deref().map(decoded).transpose()
}

/// What was handed out for the last request of a purchase.
pub fn handed_out(connection: &Connection, customer_id: IdType) -> Result<Option<Delivery>> {
    let mut query = connection.prepare_cached(
        "SELECT date, title, receipt, document FROM bought JOIN goods USING (digest)
         WHERE secret_id = ?1 AND serial = ?2 ORDER BY number DESC LIMIT 1",
    )?;
    let key = params![customer_id.secret_id, serial(customer_id)];
    let row = query.query_row(key, goods).optional()?;
    row.map(Goods::delivery).transpose()
}

/// At most `count` of the articles that a purchase has bought, in order, those after the number `after`.
pub fn bought(
    connection: &Connection,
    customer_id: IdType,
    after: u64,
    count: u32,
) -> Result<Vec<BoughtArticle>> {
    let mut query = connection.prepare_cached(
        "SELECT number, title, receipt FROM bought
         WHERE secret_id = ?1 AND serial = ?2 AND number > ?3 ORDER BY number LIMIT ?4",
    )?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let key = params![customer_id.secret_id, serial(customer_id), after, count];
    let rows = query.query_map(key, |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    rows.map(|row| {
        let (number, title, receipt) = row?;
        Ok(BoughtArticle { number: number.unsigned_abs(), title, receipt: decoded(&receipt)? })
    })
    .collect()
}

/// Keeps an account with what was answered to its last request.
pub fn keep_spent(connection: &Connection, account: &Account, spent: &Spent, sold: &Sold) -> Result<()> {
    keep_goods(connection, sold)?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO accounts (secret_id, serial, account, expires, owed, spent) VALUES (?1, ?2, ?3, ?4, 1, ?5)
         ON CONFLICT (secret_id, serial) DO UPDATE SET account = excluded.account, owed = 1, spent = excluded.spent",
    )?;
    let id = account.customer_id;
    let (expires, spent) = (millis(account.expires), encoded(spent)?);
    statement.execute(params![id.secret_id, serial(id), encoded(account)?, expires, spent])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO bought (secret_id, serial, date, title, receipt, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    statement.execute(params![
        id.secret_id,
        serial(id),
        millis(sold.delivery.header.server_date),
        sold.delivery.title.as_str(),
        sold.receipt,
        sold.digest,
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

/// Forgets what is over: sessions, accounts with what they bought, and licences, whose end and grace have passed, and what
/// only they were handed out. How many budgets that were.
pub fn forget(connection: &Connection, now: Timestamp) -> Result<usize> {
    let over = millis(Timestamp::from_millis(now.as_millis().saturating_sub(GRACE.as_millis())));
    connection.execute("DELETE FROM licences WHERE expires < ?1", [over])?;
    let sessions = connection.execute("DELETE FROM sessions WHERE expires < ?1", [over])?;
    let accounts = connection.execute("DELETE FROM accounts WHERE expires < ?1", [over])?;
    if sessions > 0 {
        connection.execute(
            "DELETE FROM authorities WHERE authority_id NOT IN (SELECT authority_id FROM sessions)",
            [],
        )?;
    }
    if sessions + accounts > 0 {
        connection.execute(
            "DELETE FROM goods WHERE digest NOT IN (
                 SELECT digest FROM sessions WHERE digest IS NOT NULL
                 UNION SELECT digest FROM bought)",
            [],
        )?;
    }
    Ok(sessions + accounts)
}

fn keep_goods(connection: &Connection, sold: &Sold) -> Result<()> {
    let mut known = connection.prepare_cached("SELECT 1 FROM goods WHERE digest = ?1")?;
    if !known.exists([sold.digest])? {
        let mut statement =
            connection.prepare_cached("INSERT INTO goods (digest, document) VALUES (?1, ?2)")?;
        statement.execute(params![sold.digest, sold.delivery.document.as_str()])?;
    }
    Ok(())
}

/// Whether the row was there: what is changed was read a moment ago.
fn changed(rows: usize) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(ShopStoreError::Row("the session is gone".to_owned())) }
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
