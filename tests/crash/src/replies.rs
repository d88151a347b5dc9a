//! What replies promise, whatever happens to the machine: money that the center speaks of is in its books, and scrip and paywords
//! that a shop has taken are spent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Connection;
use serde_json::Value;

/// What clients may have heard by some time.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Heard {
    /// R2, as it was sent: each is for another purse.
    registered: BTreeSet<String>,
    /// Transactions of M5, S5 and what repeats them.
    begun: BTreeSet<Vec<u8>>,
    /// Transactions of receipts.
    ended: BTreeSet<Vec<u8>>,
    /// Transactions of articles that a shop has handed out for its scrip.
    sold: BTreeSet<String>,
}

impl Heard {
    /// Adds what is sent to a client. Whether it promises anything.
    ///
    /// # Errors
    /// If it is a reply that is no JSON.
    pub fn add(&mut self, sent: &[u8]) -> Result<bool> {
        let Some(body) = body(sent) else { return Ok(false) };
        let body = serde_json::from_slice(body).context("a reply that is no JSON")?;
        self.add_value(&body)
    }

    fn add_value(&mut self, value: &Value) -> Result<bool> {
        let Some(object) = value.as_object() else { return Ok(false) };
        let mut promises = false;
        if let (Some(_), Some(id)) =
            (object.get("reply"), value.pointer("/delivery/receipt/tranId").and_then(Value::as_str))
        {
            self.sold.insert(id.to_owned());
            return Ok(true);
        }
        if object.contains_key("customSecret") {
            self.registered.insert(value.to_string());
            promises = true;
        }
        if let Some(id) = object.get("tranId").and_then(Value::as_str) {
            let id = URL_SAFE_NO_PAD.decode(id).context("a transaction's number")?;
            if object.contains_key("newScrip") {
                self.begun.insert(id);
                promises = true;
            } else if object.contains_key("seal") && object.contains_key("date") {
                self.ended.insert(id);
                promises = true;
            }
        }
        for part in object.values() {
            promises |= self.add_value(part)?;
        }
        Ok(promises)
    }

    /// How many things the center has promised.
    pub fn by_the_center(&self) -> usize {
        self.registered.len() + self.begun.len() + self.ended.len()
    }

    /// How many articles a shop has handed out.
    pub fn by_the_shop(&self) -> usize {
        self.sold.len()
    }

    /// How many of these sales the shop's database at `path` does not have.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn missing_in_shop(&self, path: &Path) -> Result<usize> {
        let database = Connection::open(path)?;
        let mut statement = database.prepare("SELECT receipt ->> 'tranId' FROM bought")?;
        let kept = statement.query_map([], |row| row.get(0))?;
        let kept: BTreeSet<String> = kept.collect::<Result<_, _>>()?;
        Ok(self.sold.difference(&kept).count())
    }

    /// How much of it the books at `path` do not have.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn missing_in_books(&self, path: &Path) -> Result<usize> {
        let database = Connection::open(path)?;
        let purses: usize = database.query_row("SELECT count(*) FROM purses", [], |row| row.get(0))?;
        let mut statement = database.prepare("SELECT tran_id, state FROM steps")?;
        let steps = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let steps: BTreeMap<Vec<u8>, String> = steps.collect::<Result<_, _>>()?;
        let begun = self.begun.iter().filter(|id| !steps.contains_key(*id));
        let ended = self.ended.iter().filter(|id| steps.get(*id).is_none_or(|state| state != "posted"));
        Ok(self.registered.len().saturating_sub(purses) + begun.count() + ended.count())
    }
}

/// The JSON of a reply that says yes.
fn body(sent: &[u8]) -> Option<&[u8]> {
    let rest = sent.strip_prefix(b"HTTP/1.1 200")?;
    let end = rest.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, body) = rest.split_at(end + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    head.contains("content-type: application/json").then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(body: &str) -> Heard {
        let mut heard = Heard::default();
        let sent = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{body}");
        heard.add(sent.as_bytes()).unwrap();
        heard
    }

    #[test]
    fn a_new_scrip_says_that_its_transaction_is_there_and_a_receipt_that_it_has_ended() {
        let begun = heard(r#"{"balance":{"tranId":"AQI","newScrip":{}}}"#);
        assert_eq!(begun, Heard { begun: BTreeSet::from([vec![1, 2]]), ..Heard::default() });
        let ended = heard(r#"{"receipt":{"receipt":{"tranId":"AQI","date":"","seal":""}}}"#);
        assert_eq!(ended, Heard { ended: BTreeSet::from([vec![1, 2]]), ..Heard::default() });
    }

    #[test]
    fn an_article_that_was_handed_out_and_is_not_in_the_shop_is_missing() {
        let sold = heard(r#"{"reply":{},"delivery":{"receipt":{"tranId":"AQI","date":"","seal":""}}}"#);
        assert_eq!((sold.by_the_shop(), sold.by_the_center()), (1, 0));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop");
        let shop = Connection::open(&path).unwrap();
        shop.execute_batch("CREATE TABLE bought (receipt TEXT)").unwrap();
        assert_eq!(sold.missing_in_shop(&path).unwrap(), 1);
        shop.execute_batch(r#"INSERT INTO bought VALUES ('{"tranId":"AQI"}')"#).unwrap();
        assert_eq!(sold.missing_in_shop(&path).unwrap(), 0);
    }

    #[test]
    fn what_was_heard_and_is_not_in_the_books_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books");
        let books = Connection::open(&path).unwrap();
        let sql = "CREATE TABLE purses (id); CREATE TABLE steps (tran_id, state); INSERT INTO steps VALUES (x'01', 'pending');";
        books.execute_batch(sql).unwrap();
        let missing = |body: &str| heard(body).missing_in_books(&path).unwrap();
        assert_eq!(missing(r#"{"tranId":"AQ","newScrip":{}}"#), 0);
        assert_eq!(missing(r#"{"tranId":"AQ","date":"","seal":""}"#), 1);
        assert_eq!(missing(r#"{"tranId":"Ag","newScrip":{}}"#), 1);
        assert_eq!(missing(r#"{"scrip":{},"customSecret":""}"#), 1);
        books.execute_batch("UPDATE steps SET state = 'posted'; INSERT INTO purses VALUES (1);").unwrap();
        assert_eq!(missing(r#"{"tranId":"AQ","date":"","seal":""}"#), 0);
        assert_eq!(missing(r#"{"scrip":{},"customSecret":""}"#), 0);
    }
}
