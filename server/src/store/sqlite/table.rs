//! The tables that the journal covers: all of them but the journal itself, which is its own chain.

use rusqlite::types::{Value, ValueRef};
use tuppence_protocol::TranId;

use super::codec::{
    self, CAMPAIGN, CLAIM, EPOCH, MOVEMENT, PAYOUT, PURSE, REGISTRATION, RESERVATION, SALE, STEP, TRANSFER,
    VENDOR,
};
use crate::ledger::journal::{self, Field, RowDigest};

/// A table of the books.
#[derive(Debug)]
pub(super) struct Table {
    /// Its code in the journal, for good.
    pub code: u8,
    pub name: &'static str,
    /// Every column; first those of the key.
    pub columns: &'static str,
    /// How many these are.
    pub column_count: usize,
    pub key_columns: usize,
}

pub(super) const CENTER: Table = Table::new(1, "center", "one, currency", 1);
pub(super) const VENDORS: Table = Table::new(2, "vendors", VENDOR, 1);
pub(super) const CAMPAIGNS: Table = Table::new(3, "campaigns", CAMPAIGN, 1);
pub(super) const ACCOUNTS: Table = Table::new(4, "accounts", "kind, number, balance", 2);
pub(super) const TRANSFERS: Table = Table::new(5, "transfers", TRANSFER, 1);
pub(super) const STEPS: Table = Table::new(6, "steps", STEP, 2);
pub(super) const PURSES: Table = Table::new(7, "purses", PURSE, 1);
pub(super) const REGISTRATIONS: Table = Table::new(8, "registrations", REGISTRATION, 1);
pub(super) const PAYOUTS: Table = Table::new(9, "payouts", PAYOUT, 1);
pub(super) const MOVEMENTS: Table = Table::new(10, "movements", MOVEMENT, 1);
pub(super) const SALTS: Table = Table::new(11, "salts", "salt, ends", 1);

pub(super) const EPOCHS: Table = Table::new(12, "epochs", EPOCH, 1);
pub(super) const CLAIMS: Table = Table::new(13, "claims", CLAIM, 1);
pub(super) const NOTES: Table = Table::new(14, "notes", codec::NOTES, 1);

pub(super) const RESERVATIONS: Table = Table::new(15, "reservations", RESERVATION, 1);

pub(super) const LICENCES: Table = Table::new(16, "licences", codec::LICENCE, 2);
pub(super) const SALES: Table = Table::new(17, "sales", SALE, 1);

/// In the order of their codes.
pub(super) const ALL: [&Table; 17] = [
    &CENTER,
    &VENDORS,
    &CAMPAIGNS,
    &ACCOUNTS,
    &TRANSFERS,
    &STEPS,
    &PURSES,
    &REGISTRATIONS,
    &PAYOUTS,
    &MOVEMENTS,
    &SALTS,
    &EPOCHS,
    &CLAIMS,
    &NOTES,
    &RESERVATIONS,
    &LICENCES,
    &SALES,
];

impl Table {
    const fn new(code: u8, name: &'static str, columns: &'static str, key_columns: usize) -> Self {
        let (mut column_count, mut rest) = (1, columns.as_bytes());
        while let [first, others @ ..] = rest {
            if *first == b',' {
                column_count += 1;
            }
            rest = others;
        }
        Table { code, name, columns, column_count, key_columns }
    }

    pub fn by_code(code: u8) -> Option<&'static Table> {
        ALL.into_iter().find(|table| table.code == code)
    }

    /// The names of the key's columns.
    pub fn key(&self) -> impl Iterator<Item = &'static str> {
        self.columns.split(", ").take(self.key_columns)
    }

    /// The condition that finds a row by its key.
    pub fn by_key(&self) -> String {
        let columns: Vec<String> =
            self.key().zip(1..).map(|(column, place)| format!("{column} IS ?{place}")).collect();
        columns.join(" AND ")
    }

    /// The columns of a key that the journal wrote.
    pub fn key_values(&self, key: &[u8]) -> Vec<Value> {
        // A key that is text is found by text alone.
        let is_text = self.code == ACCOUNTS.code || self.code == MOVEMENTS.code;
        let mut rest = key;
        let fields = std::iter::from_fn(|| journal::read_field(&mut rest));
        fields
            .map(|field| match field {
                Field::Null => Value::Null,
                Field::Integer(number) => Value::Integer(number),
                Field::Bytes(bytes) if is_text => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
                Field::Bytes(bytes) => Value::Blob(bytes.to_vec()),
            })
            .collect()
    }

    /// What the journal says of a row with these columns.
    pub fn digest<'f>(&self, mut fields: impl Iterator<Item = Field<'f>>) -> RowDigest {
        if self.code == ACCOUNTS.code
            && let Some(Field::Integer(balance)) = fields.nth(self.key_columns)
        {
            return journal::balance_digest(balance);
        }
        journal::row_digest(self.name, fields)
    }

    /// The table and a row's key, for people: `purses 7`.
    pub fn place(&self, key: &[u8]) -> String {
        let mut rest = key;
        let fields = std::iter::from_fn(|| journal::read_field(&mut rest));
        let shown: Vec<String> = fields.map(|field| self.shown(field)).collect();
        if self.code == ACCOUNTS.code {
            return match shown.as_slice() {
                [kind, number] if number != "0" => format!("accounts {kind}:{number}"),
                _ => format!("accounts {}", shown.first().map_or("?", String::as_str)),
            };
        }
        format!("{} {}", self.name, shown.join("/"))
    }

    fn shown(&self, field: Field<'_>) -> String {
        match field {
            Field::Null => "?".to_owned(),
            Field::Integer(number) => number.to_string(),
            Field::Bytes(bytes)
                if [RESERVATIONS.code, SALES.code].contains(&self.code) && bytes.len() == 32 =>
            {
                tuppence_protocol::bytes::encode(bytes)
            }
            Field::Bytes(bytes) => match <[u8; 16]>::try_from(bytes) {
                Ok(id) if self.code == STEPS.code || self.code == SALTS.code => {
                    TranId::from_bytes(id).to_string()
                }
                _ => String::from_utf8_lossy(bytes).into_owned(),
            },
        }
    }
}

/// A column as a parameter of a statement.
pub(super) fn field(value: &Value) -> Field<'_> {
    field_ref(ValueRef::from(value))
}

/// A column as it is stored.
pub(super) fn field_ref(value: ValueRef<'_>) -> Field<'_> {
    match value {
        ValueRef::Null => Field::Null,
        ValueRef::Integer(number) => Field::Integer(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Field::Bytes(bytes),
        // The tables are strict, so that this is somebody's tampering: no digest is that of a row without the column.
        ValueRef::Real(_) => Field::Bytes(b"a fraction"),
    }
}
