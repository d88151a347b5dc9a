//! What the journal says was committed, and whether the rows are still so.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, Row as SqlRow, Rows};

use super::super::{Row, StoreError};
use super::codec;
use super::table::{self, TRANSFERS, Table};
use crate::ledger::journal::{self, Field, Head, RowDigest};

/// The rows that links of the journal name, each as it was committed last. Transfers are not among them: they are
/// checked while the journal is read, since both come in the same order.
pub(super) struct Committed {
    rows: HashMap<Box<[u8]>, Last>,
    /// The number of the last transfer before the first link that was read.
    pub transfers_before: i64,
}

/// A row's last entry.
#[derive(Clone, Copy)]
struct Last {
    link: u64,
    digest: RowDigest,
}

impl Committed {
    /// Reads the links after `head`, and tells `visit` what does not fit.
    pub fn read(connection: &Connection, head: Head, visit: &mut dyn FnMut(Row)) -> Result<Self, StoreError> {
        let transfers_before = transfers_until(connection, head)?;
        let mut committed = Committed { rows: HashMap::new(), transfers_before };
        let sql = format!("SELECT {} FROM transfers WHERE number > ?1 ORDER BY number", TRANSFERS.columns);
        let mut statement = connection.prepare(&sql)?;
        let mut transfers = Transfers::new(statement.query([transfers_before])?)?;
        let mut links = connection
            .prepare("SELECT number, entries, chain FROM journal WHERE number > ?1 ORDER BY number")?;
        // From the beginning, a link that was numbered below the first is seen too.
        let after = if head == Head::GENESIS { i64::MIN } else { codec::int(head.number) };
        let mut links = links.query([after])?;
        let mut before = head;
        while let Some(row) = links.next()? {
            let number: i64 = row.get(0)?;
            let mut found = |why: String| {
                visit(Row::Unreadable { place: format!("journal {number}"), why });
            };
            let (Ok(entries), Ok(chain)) = (row.get_ref(1)?.as_blob(), row.get(2)) else {
                found("it cannot be read".to_owned());
                continue;
            };
            let next = before.next(entries);
            if codec::int(next.number) != number {
                found(format!("{} should come here", next.number));
            } else if next.chain != chain {
                found("its hash does not follow from its entries and the link before it".to_owned());
            }
            // From here on the chain is taken for what it says, so that one break is found once.
            before = Head { number: u64::try_from(number).unwrap_or(next.number), chain };
            committed.take(before.number, entries, &mut transfers, visit)?;
        }
        transfers.rest(visit)?;
        Ok(committed)
    }

    fn take(
        &mut self,
        link: u64,
        entries: &[u8],
        transfers: &mut Transfers<'_>,
        visit: &mut dyn FnMut(Row),
    ) -> Result<(), StoreError> {
        for entry in journal::read(entries, |code| Table::by_code(code).map(|table| table.key_columns)) {
            let Ok(entry) = entry else {
                let why = "an entry of it cannot be read".to_owned();
                visit(Row::Unreadable { place: format!("journal {link}"), why });
                break;
            };
            match (entry.code, entry.digest) {
                (code, Some(digest)) if code == TRANSFERS.code => {
                    transfers.expect(link, entry.key, &digest, visit)?;
                }
                (code, Some(digest)) => {
                    self.rows.insert(row_key(code, entry.key), Last { link, digest });
                }
                (code, None) => {
                    self.rows.remove(&row_key(code, entry.key));
                }
            }
        }
        Ok(())
    }

    /// Checks a row of `table`, which begins with its columns. A row is asked about once.
    pub fn check(
        &mut self,
        table: &Table,
        row: &SqlRow<'_>,
        visit: &mut dyn FnMut(Row),
    ) -> Result<(), StoreError> {
        let fields = fields(table, row)?;
        let key = journal::key(fields.iter().take(table.key_columns).copied());
        let why = match self.rows.remove(&row_key(table.code, &key)) {
            None => "the journal does not know it".to_owned(),
            Some(last) if last.digest != table.digest(fields.iter().copied()) => {
                format!("it is not as it was committed last, in the journal's link {}", last.link)
            }
            Some(_) => return Ok(()),
        };
        visit(Row::Unreadable { place: table.place(&key), why });
        Ok(())
    }

    /// Checks a row of `table` if the links that were read name it.
    pub fn check_known(
        &mut self,
        table: &Table,
        row: &SqlRow<'_>,
        visit: &mut dyn FnMut(Row),
    ) -> Result<(), StoreError> {
        let fields = fields(table, row)?;
        let key = journal::key(fields.iter().take(table.key_columns).copied());
        if self.rows.contains_key(&row_key(table.code, &key)) {
            self.check(table, row, visit)?;
        }
        Ok(())
    }

    /// The keys of the rows of `table` that the links name, in order.
    pub fn keys_of(&self, table: &Table) -> BTreeSet<Box<[u8]>> {
        let keys = self.rows.keys().filter_map(|key| key.split_first());
        keys.filter(|(code, _)| **code == table.code).map(|(_, key)| Box::from(key)).collect()
    }

    /// All rows were checked: those that nobody asked about are missing.
    pub fn conclude(self, visit: &mut dyn FnMut(Row)) {
        for (key, last) in self.rows {
            let Some((code, key)) = key.split_first() else { continue };
            let place = Table::by_code(*code).map_or("?".to_owned(), |table| table.place(key));
            let why = format!("it is missing; it was committed in the journal's link {}", last.link);
            visit(Row::Unreadable { place, why });
        }
    }
}

fn row_key(code: u8, key: &[u8]) -> Box<[u8]> {
    let mut whole = Vec::with_capacity(key.len() + 1);
    whole.push(code);
    whole.extend_from_slice(key);
    whole.into_boxed_slice()
}

fn fields<'r>(table: &Table, row: &'r SqlRow<'_>) -> Result<Vec<Field<'r>>, StoreError> {
    let fields = (0..table.column_count).map(|column| row.get_ref(column).map(table::field_ref));
    Ok(fields.collect::<Result<_, _>>()?)
}

/// The transfers in their order, beside the entries that tell of them.
struct Transfers<'s> {
    rows: Rows<'s>,
    waiting: Option<(Vec<u8>, i64, RowDigest)>,
}

impl<'s> Transfers<'s> {
    fn new(rows: Rows<'s>) -> Result<Self, StoreError> {
        let mut transfers = Transfers { rows, waiting: None };
        transfers.step()?;
        Ok(transfers)
    }

    fn step(&mut self) -> Result<(), StoreError> {
        self.waiting = match self.rows.next()? {
            None => None,
            Some(row) => {
                let fields = fields(&TRANSFERS, row)?;
                let digest = TRANSFERS.digest(fields.iter().copied());
                Some((journal::key(fields.into_iter().take(1)), row.get(0)?, digest))
            }
        };
        Ok(())
    }

    fn expect(
        &mut self,
        link: u64,
        key: &[u8],
        digest: &RowDigest,
        visit: &mut dyn FnMut(Row),
    ) -> Result<(), StoreError> {
        let mut rest = key;
        let Some(Field::Integer(number)) = journal::read_field(&mut rest) else { return Ok(()) };
        while let Some((unknown, ..)) = self.waiting.take_if(|(_, waiting, _)| *waiting < number) {
            visit(unexpected(&unknown));
            self.step()?;
        }
        let mut found = |why: String| visit(Row::Unreadable { place: TRANSFERS.place(key), why });
        match self.waiting.take_if(|(_, waiting, _)| *waiting == number) {
            Some((_, _, stored)) => {
                if stored != *digest {
                    found(format!("it is not as it was committed, in the journal's link {link}"));
                }
                self.step()
            }
            None => {
                found(format!("it is missing; it was committed in the journal's link {link}"));
                Ok(())
            }
        }
    }

    fn rest(&mut self, visit: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        while let Some((unknown, ..)) = self.waiting.take() {
            visit(unexpected(&unknown));
            self.step()?;
        }
        Ok(())
    }
}

fn unexpected(key: &[u8]) -> Row {
    Row::Unreadable { place: TRANSFERS.place(key), why: "the journal does not know it".to_owned() }
}

/// The number of the last transfer that links up to `head` tell of.
fn transfers_until(connection: &Connection, head: Head) -> Result<i64, StoreError> {
    let mut last = 0;
    entries_back(connection, head, &mut |entry| {
        let mut key = entry.key;
        if entry.code == TRANSFERS.code
            && let Some(Field::Integer(number)) = journal::read_field(&mut key)
        {
            last = number.max(last);
        }
        last != 0
    })?;
    Ok(last)
}

/// Shows the entries of the links up to `head`, link by link from the last to the first, until `enough` is so
/// after a whole link.
pub(super) fn entries_back(
    connection: &Connection,
    head: Head,
    enough: &mut dyn FnMut(journal::Entry<'_>) -> bool,
) -> Result<(), StoreError> {
    let sql = "SELECT entries FROM journal WHERE number <= ?1 ORDER BY number DESC";
    let mut links = connection.prepare(sql)?;
    let mut links = links.query([codec::int(head.number)])?;
    while let Some(row) = links.next()? {
        let Ok(entries) = row.get_ref(0)?.as_blob() else { continue };
        let read = journal::read(entries, |code| Table::by_code(code).map(|table| table.key_columns));
        let mut done = false;
        for entry in read.flatten() {
            done = enough(entry);
        }
        if done {
            break;
        }
    }
    Ok(())
}
