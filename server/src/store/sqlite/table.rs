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
    pub key_columns: usize,
}

pub(super) const CENTER: Table = Table { code: 1, name: "center", columns: "one, currency", key_columns: 1 };
pub(super) const VENDORS: Table = Table { code: 2, name: "vendors", columns: VENDOR, key_columns: 1 };
pub(super) const CAMPAIGNS: Table = Table { code: 3, name: "campaigns", columns: CAMPAIGN, key_columns: 1 };
pub(super) const ACCOUNTS: Table =
    Table { code: 4, name: "accounts", columns: "kind, number, balance", key_columns: 2 };
pub(super) const TRANSFERS: Table = Table { code: 5, name: "transfers", columns: TRANSFER, key_columns: 1 };
pub(super) const STEPS: Table = Table { code: 6, name: "steps", columns: STEP, key_columns: 2 };
pub(super) const PURSES: Table = Table { code: 7, name: "purses", columns: PURSE, key_columns: 1 };
pub(super) const REGISTRATIONS: Table =
    Table { code: 8, name: "registrations", columns: REGISTRATION, key_columns: 1 };
pub(super) const PAYOUTS: Table = Table { code: 9, name: "payouts", columns: PAYOUT, key_columns: 1 };
pub(super) const MOVEMENTS: Table = Table { code: 10, name: "movements", columns: MOVEMENT, key_columns: 1 };
pub(super) const SALTS: Table = Table { code: 11, name: "salts", columns: "salt, ends", key_columns: 1 };

pub(super) const EPOCHS: Table = Table { code: 12, name: "epochs", columns: EPOCH, key_columns: 1 };
pub(super) const CLAIMS: Table = Table { code: 13, name: "claims", columns: CLAIM, key_columns: 1 };
pub(super) const NOTES: Table = Table { code: 14, name: "notes", columns: codec::NOTES, key_columns: 1 };

pub(super) const RESERVATIONS: Table =
    Table { code: 15, name: "reservations", columns: RESERVATION, key_columns: 1 };

pub(super) const LICENCES: Table =
    Table { code: 16, name: "licences", columns: codec::LICENCE, key_columns: 2 };
pub(super) const SALES: Table = Table { code: 17, name: "sales", columns: SALE, key_columns: 1 };

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
    pub fn by_code(code: u8) -> Option<&'static Table> {
        ALL.into_iter().find(|table| table.code == code)
    }

    pub fn column_count(&self) -> usize {
        self.columns.split(',').count()
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
