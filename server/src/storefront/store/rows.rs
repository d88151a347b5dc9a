//! Rows of the shop's store: reading and writing them, inside a transaction or outside.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tuppence_protocol::ids::{EarnerId, TranId};
use tuppence_protocol::scrip::Item;
use tuppence_protocol::scrip::campaign::CampaignState;
use tuppence_protocol::{Amount, Timestamp};

use super::{Attempt, OfferKey, Result, ShopStoreError, SurveyAnswer};

pub(super) fn attempt(connection: &Connection, earner: EarnerId, item: &Item) -> Result<Option<Attempt>> {
    let mut query = connection.prepare_cached(
        "SELECT digest, at, tran_id, expires, reply FROM attempts WHERE earner = ?1 AND item = ?2",
    )?;
    let row = query
        .query_row(params![earner.as_bytes(), item.as_str()], |row| {
            Ok(Attempt {
                earner,
                item: item.clone(),
                digest: row.get(0)?,
                at: time(row, 1)?,
                offer: offer(row)?,
                reply: row.get(4)?,
            })
        })
        .optional()?;
    Ok(row)
}

fn offer(row: &Row<'_>) -> rusqlite::Result<Option<OfferKey>> {
    let Some(tran_id) = row.get::<_, Option<[u8; 16]>>(2)? else { return Ok(None) };
    Ok(Some(OfferKey { tran_id: TranId::from_bytes(tran_id), expires: time(row, 3)? }))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let millis: i64 = row.get(column)?;
    Ok(Timestamp::from_millis(millis.unsigned_abs()))
}

pub(super) fn millis(time: Timestamp) -> i64 {
    // A timestamp is below 2^53.
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn insert_attempt(connection: &Connection, attempt: &Attempt) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO attempts (earner, item, digest, at, tran_id, expires, reply)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            attempt.earner.as_bytes(),
            attempt.item.as_str(),
            attempt.digest,
            millis(attempt.at),
            attempt.offer.map(|offer| *offer.tran_id.as_bytes()),
            attempt.offer.map(|offer| millis(offer.expires)),
            attempt.reply,
        ])?;
    Ok(())
}

pub(super) fn replace_offer(connection: &Connection, attempt: &Attempt, old: TranId) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE attempts SET tran_id = ?4, expires = ?5, reply = ?6
             WHERE earner = ?1 AND item = ?2 AND tran_id = ?3",
        )?
        .execute(params![
            attempt.earner.as_bytes(),
            attempt.item.as_str(),
            old.as_bytes(),
            attempt.offer.map(|offer| *offer.tran_id.as_bytes()),
            attempt.offer.map(|offer| millis(offer.expires)),
            attempt.reply,
        ])?;
    Ok(())
}

pub(super) fn insert_answer(
    connection: &Connection,
    attempt: &Attempt,
    question: usize,
    answer: &str,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO survey_answers (item, earner, question, answer, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            attempt.item.as_str(),
            attempt.earner.as_bytes(),
            u32::try_from(question).unwrap_or(u32::MAX),
            answer,
            millis(attempt.at),
        ])?;
    Ok(())
}

pub(super) fn rewards_since(connection: &Connection, item: &Item, since: Timestamp) -> Result<u32> {
    let mut query = connection.prepare_cached(
        "SELECT count(*) FROM attempts WHERE item = ?1 AND at >= ?2 AND tran_id IS NOT NULL",
    )?;
    Ok(query.query_row(params![item.as_str(), millis(since)], |row| row.get(0))?)
}

pub(super) fn last_expiry(connection: &Connection, item: &Item) -> Result<Option<Timestamp>> {
    let mut query = connection
        .prepare_cached("SELECT max(expires) FROM attempts WHERE item = ?1 AND tran_id IS NOT NULL")?;
    let last: Option<i64> = query.query_row([item.as_str()], |row| row.get(0))?;
    Ok(last.map(|millis| Timestamp::from_millis(millis.unsigned_abs())))
}

pub(super) fn answers(connection: &Connection, item: &Item) -> Result<Vec<SurveyAnswer>> {
    let mut query = connection.prepare_cached(
        "SELECT earner, question, answer, at FROM survey_answers WHERE item = ?1 ORDER BY at, earner, question",
    )?;
    let rows = query.query_map([item.as_str()], |row| {
        Ok(SurveyAnswer {
            earner: EarnerId::from_bytes(row.get(0)?),
            question: row.get(1)?,
            answer: row.get(2)?,
            at: time(row, 3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn budgets(connection: &Connection) -> Result<Vec<CampaignState>> {
    let mut query = connection.prepare_cached("SELECT item, budget, remaining FROM budgets ORDER BY item")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.map(|row| {
        let (name, budget, remaining): (String, String, String) = row?;
        Ok(CampaignState { item: item(&name)?, budget: amount(&budget)?, remaining: amount(&remaining)? })
    })
    .collect()
}

pub(super) fn item(text: &str) -> Result<Item> {
    text.parse().map_err(|error| ShopStoreError::Row(format!("{error}")))
}

fn amount(text: &str) -> Result<Amount> {
    text.parse().map_err(|error| ShopStoreError::Row(format!("{error}")))
}
