//! Amounts: an ISO 4217 currency and a whole number of millionths (spec/README, Wire).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::canonical::{Canonical, Writer};
use crate::text;

/// Millionths in one unit of currency: the smallest amount is `USD:0.000001`.
pub const MICROS_PER_UNIT: u64 = 1_000_000;
/// Decimal places that an amount may have.
const PLACES_MAX: usize = 6;

/// A three-letter ISO 4217 code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The US dollar, the default of a new center.
    pub const USD: Currency = Currency(*b"USD");

    /// The code, such as `USD`.
    pub fn as_str(&self) -> &str {
        // The constructor admits A-Z alone, so this never takes the fallback.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl FromStr for Currency {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| AmountError::Currency)?;
        if !code.iter().all(u8::is_ascii_uppercase) {
            return Err(AmountError::Currency);
        }
        Ok(Currency(code))
    }
}

impl TryFrom<String> for Currency {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Self, AmountError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A sum of money that is never negative: `USD:0.03` is 30,000 millionths of a US dollar.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    currency: Currency,
    micros: u64,
}

impl Amount {
    /// The largest amount, in millionths: 2^53 - 1, so that JavaScript holds it exactly.
    pub const MICROS_MAX: u64 = (1 << 53) - 1;

    /// An amount of `micros` millionths.
    ///
    /// # Errors
    /// [`AmountError::TooLarge`] beyond [`Amount::MICROS_MAX`].
    pub fn new(currency: Currency, micros: u64) -> Result<Self, AmountError> {
        if micros > Self::MICROS_MAX {
            return Err(AmountError::TooLarge);
        }
        Ok(Amount { currency, micros })
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Amount { currency, micros: 0 }
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in millionths of the currency's unit.
    pub const fn micros(self) -> u64 {
        self.micros
    }

    /// Whether nothing is left.
    pub const fn is_zero(self) -> bool {
        self.micros == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`AmountError::Mismatch`] for two currencies, [`AmountError::TooLarge`] beyond the limit.
    pub fn checked_add(self, other: Amount) -> Result<Amount, AmountError> {
        self.same_currency(other)?;
        let micros = self.micros.checked_add(other.micros).ok_or(AmountError::TooLarge)?;
        Amount::new(self.currency, micros)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`AmountError::Mismatch`] for two currencies, [`AmountError::Insufficient`] below zero.
    pub fn checked_sub(self, other: Amount) -> Result<Amount, AmountError> {
        self.same_currency(other)?;
        let micros = self.micros.checked_sub(other.micros).ok_or(AmountError::Insufficient)?;
        Ok(Amount { currency: self.currency, micros })
    }

    /// `count` times this amount.
    ///
    /// # Errors
    /// [`AmountError::TooLarge`] beyond the limit.
    pub fn times(self, count: u32) -> Result<Amount, AmountError> {
        let micros = self.micros.checked_mul(u64::from(count)).ok_or(AmountError::TooLarge)?;
        Amount::new(self.currency, micros)
    }

    /// The share of `basis_points` hundredths of a percent, rounded down; at most the whole amount.
    pub fn share(self, basis_points: u16) -> Amount {
        let whole = u128::from(self.micros);
        let part = whole.saturating_mul(u128::from(basis_points.min(10_000))) / 10_000;
        // The share is no larger than the whole, so it fits.
        Amount { currency: self.currency, micros: u64::try_from(part).unwrap_or(self.micros) }
    }

    /// Whether this amount covers `price`; two currencies never cover each other.
    pub fn covers(self, price: Amount) -> bool {
        self.currency == price.currency && self.micros >= price.micros
    }

    fn same_currency(self, other: Amount) -> Result<(), AmountError> {
        if self.currency == other.currency { Ok(()) } else { Err(AmountError::Mismatch) }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, rest) = (self.micros / MICROS_PER_UNIT, self.micros % MICROS_PER_UNIT);
        write!(f, "{}:{units}", self.currency)?;
        if rest == 0 {
            return Ok(());
        }
        let (mut places, mut width) = (rest, PLACES_MAX);
        while places % 10 == 0 {
            (places, width) = (places / 10, width - 1);
        }
        write!(f, ".{places:0width$}")
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let (currency, number) = text.split_once(':').ok_or(AmountError::Format)?;
        let currency = currency.parse()?;
        let (units, places) = match number.split_once('.') {
            Some((units, places)) => (units, Some(places)),
            None => (number, None),
        };
        let canonical_units = units == "0" || !units.starts_with('0');
        if units.is_empty() || !canonical_units || !units.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AmountError::Format);
        }
        let rest = match places {
            None => 0,
            Some(places) => parse_places(places)?,
        };
        let units: u64 = units.parse().map_err(|_| AmountError::TooLarge)?;
        let micros = units
            .checked_mul(MICROS_PER_UNIT)
            .and_then(|micros| micros.checked_add(rest))
            .ok_or(AmountError::TooLarge)?;
        Amount::new(currency, micros)
    }
}

fn parse_places(places: &str) -> Result<u64, AmountError> {
    let digits = !places.is_empty() && places.bytes().all(|b| b.is_ascii_digit());
    if !digits || places.len() > PLACES_MAX || places.ends_with('0') {
        return Err(AmountError::Format);
    }
    let digits = places.bytes().chain(std::iter::repeat(b'0')).take(PLACES_MAX);
    Ok(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer, str::parse)
    }
}

/// Two fields: the currency as text, then the millionths as `u64`.
impl Canonical for Amount {
    fn write(&self, writer: &mut Writer) {
        writer.text(self.currency.as_str());
        writer.u64(self.micros);
    }
}

/// Why text or a sum is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not `CODE:number` in its one canonical form.
    #[error("an amount is written like USD:0.03, with at most six places and no superfluous zeros or sign")]
    Format,
    /// Not three upper-case letters.
    #[error("a currency is an ISO 4217 code of three upper-case letters")]
    Currency,
    /// Beyond 2^53 - 1 millionths.
    #[error("the amount is beyond the limit of 2^53 - 1 millionths")]
    TooLarge,
    /// Two currencies met.
    #[error("two currencies cannot be added or compared")]
    Mismatch,
    /// More was taken than there is.
    #[error("the amount does not cover this")]
    Insufficient,
}

#[cfg(test)]
mod tests;
