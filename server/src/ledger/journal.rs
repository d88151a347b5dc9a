//! The journal: a chain of hashes over every row that was ever committed (docs/protocol/books.md). Pure.
//!
//! A batch of commands is one link. It has an entry for each row that the batch wrote, with the row's digest, so
//! that a row that was edited afterwards is known by its name; and its hash covers the link before it, so that
//! whoever has noted a [`Head`] knows whether books still continue what they were then.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use tuppence_protocol::canonical::{self, Tag, Writer};

/// Bytes of a row's digest: 160 bits of SHA-256.
pub const DIGEST_LEN: usize = 20;

/// Set in an entry's code: the row was forgotten.
const GONE: u8 = 0x80;

/// What a row holds, or, for an account, its balance.
pub type RowDigest = [u8; DIGEST_LEN];

/// One column of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text, in UTF-8, or bytes.
    Bytes(&'a [u8]),
}

/// A link of the chain: its number, from 1, and its hash. Published, it binds all that was committed up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many batches were committed.
    pub number: u64,
    /// The hash over the last one and all before it.
    pub chain: [u8; 32],
}

impl Head {
    /// Before the first batch.
    pub const GENESIS: Head = Head { number: 0, chain: [0; 32] };

    /// The link after this one.
    pub fn next(&self, entries: &[u8]) -> Head {
        let number = self.number.saturating_add(1);
        let bytes = canonical::encode(Tag::BooksJournal, |w| {
            w.bytes(&self.chain);
            w.u64(number);
            w.bytes(entries);
        });
        Head { number, chain: Sha256::digest(bytes).into() }
    }
}

impl fmt::Display for Head {
    /// As it is published: the number, a colon and the hash in hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.number)?;
        self.chain.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a head is a number, a colon and 64 hexadecimal digits";
        let (number, digits) = text.trim().split_once(':').ok_or(FORM)?;
        let number = number.parse().map_err(|_| FORM)?;
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(FORM);
        }
        let mut chain = [0; 32];
        for (byte, pair) in chain.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| FORM)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| FORM)?;
        }
        Ok(Head { number, chain })
    }
}

/// The digest of a row of `table`.
pub fn row_digest<'f>(table: &str, fields: impl Iterator<Item = Field<'f>>) -> RowDigest {
    let bytes = canonical::encode(Tag::BooksRow, |w| {
        w.text(table);
        for field in fields {
            match field {
                Field::Null => w.optional(None::<&[u8]>, Writer::bytes),
                Field::Integer(number) => w.bytes(&number.to_be_bytes()),
                Field::Bytes(bytes) => w.bytes(bytes),
            }
        }
    });
    let whole: [u8; 32] = Sha256::digest(bytes).into();
    let mut digest = [0; DIGEST_LEN];
    digest.copy_from_slice(&whole[..DIGEST_LEN]);
    digest
}

/// In the place of an account's digest: its balance, so that an audit that begins in the middle has it.
pub fn balance_digest(balance: i64) -> RowDigest {
    let mut digest = [0; DIGEST_LEN];
    digest[..8].copy_from_slice(&balance.to_be_bytes());
    digest
}

/// The balance in the place of an account's digest.
pub fn digest_balance(digest: &RowDigest) -> i64 {
    let mut balance = [0; 8];
    balance.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(balance)
}

/// A row's key as the journal writes it.
pub fn key<'f>(fields: impl Iterator<Item = Field<'f>>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(24);
    write_key(&mut bytes, fields);
    bytes
}

fn write_key<'f>(bytes: &mut Vec<u8>, fields: impl Iterator<Item = Field<'f>>) {
    for field in fields {
        match field {
            Field::Integer(number) => match u64::try_from(number) {
                Ok(number) if number < 1 << 62 => write_number(bytes, number << 1),
                // No key of the center's is so, but one that was tampered with may be.
                _ => write_bytes(bytes, &number.to_be_bytes()),
            },
            Field::Bytes(field) => write_bytes(bytes, field),
            Field::Null => write_bytes(bytes, &[]),
        }
    }
}

fn write_bytes(bytes: &mut Vec<u8>, field: &[u8]) {
    let length = u64::try_from(field.len()).unwrap_or(u64::MAX >> 1);
    write_number(bytes, (length << 1) | 1);
    bytes.extend_from_slice(field);
}

/// Seven bits a byte, the lowest first; the highest bit says that more come.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7F).unwrap_or(0);
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// The entries of the batch that is being written.
#[derive(Debug, Default)]
pub struct Entries(Vec<u8>);

impl Entries {
    /// A row was written: its table's code, its key and its digest.
    pub fn row<'f>(&mut self, code: u8, key: impl Iterator<Item = Field<'f>>, digest: &RowDigest) {
        self.0.push(code & !GONE);
        write_key(&mut self.0, key);
        self.0.extend_from_slice(digest);
    }

    /// A row was forgotten.
    pub fn gone<'f>(&mut self, code: u8, key: impl Iterator<Item = Field<'f>>) {
        self.0.push(code | GONE);
        write_key(&mut self.0, key);
    }

    /// The bytes that the chain covers.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// An entry as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'e> {
    /// The table's code.
    pub code: u8,
    /// The row's key, as [`key`] writes it.
    pub key: &'e [u8],
    /// The row's digest; absent if the row was forgotten.
    pub digest: Option<RowDigest>,
}

/// Reads entries back. `key_columns` tells how many columns the key of a table has, by its code.
///
/// # Errors
/// The first entry that cannot be read; nothing comes after it.
pub fn read<'e>(
    entries: &'e [u8],
    key_columns: impl Fn(u8) -> Option<usize>,
) -> impl Iterator<Item = Result<Entry<'e>, Damaged>> {
    let mut rest = entries;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let entry = read_entry(&mut rest, &key_columns);
        if entry.is_none() {
            rest = &[];
        }
        Some(entry.ok_or(Damaged))
    })
}

/// An entry that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry of it cannot be read")]
pub struct Damaged;

fn read_entry<'e>(rest: &mut &'e [u8], key_columns: &impl Fn(u8) -> Option<usize>) -> Option<Entry<'e>> {
    let (&first, after) = rest.split_first()?;
    let code = first & !GONE;
    let mut cursor = after;
    for _ in 0..key_columns(code)? {
        read_field(&mut cursor)?;
    }
    let (key, behind) = after.split_at(after.len() - cursor.len());
    let digest = if first & GONE == 0 {
        let (digest, behind) = behind.split_first_chunk::<DIGEST_LEN>()?;
        *rest = behind;
        Some(*digest)
    } else {
        *rest = behind;
        None
    };
    Some(Entry { code, key, digest })
}

/// A field of a key, from its front.
pub fn read_field<'e>(rest: &mut &'e [u8]) -> Option<Field<'e>> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (&byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            if number & 1 == 0 {
                return i64::try_from(number >> 1).ok().map(Field::Integer);
            }
            let length = usize::try_from(number >> 1).ok()?;
            let (bytes, behind) = rest.split_at_checked(length)?;
            *rest = behind;
            return Some(Field::Bytes(bytes));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [Field<'static>; 2] = [Field::Integer(300), Field::Bytes(b"abc")];

    #[test]
    fn entries_are_read_back_as_they_were_written() {
        let mut entries = Entries::default();
        entries.row(3, KEY.into_iter(), &[7; DIGEST_LEN]);
        entries.gone(5, [Field::Bytes(&[])].into_iter());
        let columns = |code| if code == 3 { Some(2) } else { Some(1) };
        let read: Vec<_> = read(entries.as_bytes(), columns).map(Result::unwrap).collect();
        assert_eq!(read[0], Entry { code: 3, key: &key(KEY.into_iter()), digest: Some([7; DIGEST_LEN]) });
        assert_eq!(read[1], Entry { code: 5, key: &[1], digest: None });
        let mut first = read[0].key;
        assert_eq!([read_field(&mut first), read_field(&mut first)], KEY.map(Some));
    }

    #[test]
    fn whatever_is_cut_off_is_damaged_and_never_a_panic() {
        let mut entries = Entries::default();
        entries.row(3, KEY.into_iter(), &[7; DIGEST_LEN]);
        for length in 1..entries.as_bytes().len() {
            let cut = &entries.as_bytes()[..length];
            assert_eq!(read(cut, |_| Some(2)).last(), Some(Err(Damaged)), "{length}");
        }
        assert_eq!(read(entries.as_bytes(), |_| None).last(), Some(Err(Damaged)));
    }

    #[test]
    fn a_head_is_written_and_read_in_one_form() {
        let head = Head::GENESIS.next(b"entries");
        assert_eq!(head.number, 1);
        assert_eq!(head.to_string().parse(), Ok(head));
        assert_ne!(head, Head::GENESIS.next(b"other entries"));
        assert_ne!(head.next(b"").chain, Head::GENESIS.next(b"").chain);
        for wrong in ["", "1", "1:", "x:00", "1:zz", &format!("1:{}", "0".repeat(63))] {
            assert!(wrong.parse::<Head>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_and_the_empty_text_have_different_digests() {
        let digest = |field| row_digest("table", [field].into_iter());
        assert_ne!(digest(Field::Null), digest(Field::Bytes(b"")));
        assert_ne!(digest(Field::Integer(1)), digest(Field::Integer(2)));
        assert_ne!(row_digest("a", [].into_iter()), row_digest("b", [].into_iter()));
    }
}
