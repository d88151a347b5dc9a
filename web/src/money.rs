//! Sums as people say them: `3¢`, `$0.03` beside larger sums, `0.4¢` below a cent, in the reader's locale.
//!
//! The digits come from whole numbers alone, and nothing is rounded: a sum is shown with as many places as it has.

use js_sys::{Array, Intl, Object, Reflect};
use tuppence_protocol::Amount;
use tuppence_protocol::amount::MICROS_PER_UNIT;
use tuppence_wallet::view::Change;
use wasm_bindgen::JsValue;

use crate::locales;

const MICROS_PER_CENT: u64 = MICROS_PER_UNIT / 100;
const MINUS: char = '\u{2212}';

/// The sum by itself: in cents below one unit of the currency.
pub fn said(amount: Amount) -> String {
    match cent_sign(amount.currency().as_str()) {
        Some(sign) if amount.micros() < MICROS_PER_UNIT && !amount.is_zero() => in_cents(amount, sign),
        _ => said_in_units(amount),
    }
}

/// The sum as it stands in a column with `other`: in units if that one is, and nothing in cents beside cents.
pub fn said_beside(amount: Amount, other: Amount) -> String {
    match cent_sign(amount.currency().as_str()) {
        _ if other.micros() >= MICROS_PER_UNIT => said_in_units(amount),
        Some(sign) if amount.is_zero() && !other.is_zero() => in_cents(amount, sign),
        _ => said(amount),
    }
}

/// A change with its sign; just the sum if it is nothing.
pub fn said_change(change: Change) -> String {
    let sum = said(change.amount);
    match (change.amount.is_zero(), change.gain) {
        (true, _) => sum,
        (false, true) => format!("+{sum}"),
        (false, false) => format!("{MINUS}{sum}"),
    }
}

/// What a person has typed as a sum in `like`'s currency: digits with a point or comma, at most six places. What
/// can be read in two ways, as `1,000`, is not guessed at.
pub fn typed(text: &str, like: Amount) -> Option<Amount> {
    let is_symbol = |sign: char| !sign.is_ascii() || sign.is_ascii_alphabetic() || matches!(sign, '$' | ' ');
    let text = text.trim().trim_start_matches(is_symbol);
    let (units, places) = text.split_once(['.', ',']).unwrap_or((text, ""));
    if text.is_empty() || (text.contains(',') && places.len() == 3) {
        return None;
    }
    let places = places.trim_end_matches('0');
    let point = if places.is_empty() { "" } else { "." };
    format!("{}:{}{point}{places}", like.currency(), without_leading_zeros(units)).parse().ok()
}

/// The sum as one types it: `12.5`.
pub fn to_type(amount: Amount) -> String {
    decimal(amount.micros(), MICROS_PER_UNIT, 2)
}

fn without_leading_zeros(units: &str) -> &str {
    let rest = units.trim_start_matches('0');
    if rest.is_empty() { "0" } else { rest }
}

fn in_cents(amount: Amount, sign: &str) -> String {
    let options = Object::new();
    set(&options, "maximumFractionDigits", &JsValue::from(4));
    format!("{}{sign}", formatted(&options, &decimal(amount.micros(), MICROS_PER_CENT, 0)))
}

/// The sum in units of its currency, as one types it: `$0.03`.
pub fn said_in_units(amount: Amount) -> String {
    let options = Object::new();
    set(&options, "style", &"currency".into());
    set(&options, "currency", &amount.currency().as_str().into());
    set(&options, "currencyDisplay", &"narrowSymbol".into());
    if !amount.micros().is_multiple_of(MICROS_PER_CENT) {
        set(&options, "maximumFractionDigits", &JsValue::from(6));
    }
    formatted(&options, &decimal(amount.micros(), MICROS_PER_UNIT, 0))
}

/// `micros` as a decimal number of `unit` millionths, with at least `places` places.
fn decimal(micros: u64, unit: u64, places: usize) -> String {
    let (whole, rest) = (micros / unit, micros % unit);
    let width = unit.ilog10() as usize;
    let digits = format!("{rest:0width$}");
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() && places == 0 { whole.to_string() } else { format!("{whole}.{digits:0<places$}") }
}

/// How the hundredth of this currency is written, where people write it.
fn cent_sign(currency: &str) -> Option<&'static str> {
    match currency {
        "USD" | "CAD" | "AUD" | "NZD" => Some("¢"),
        "EUR" => Some("\u{a0}ct"),
        "GBP" => Some("p"),
        _ => None,
    }
}

fn formatted(options: &Object, number: &str) -> String {
    let locale = locales::shown().tag();
    let format = Intl::NumberFormat::new(&Array::of1(&locale.into()), options).format();
    // Text rather than a number: the browser then formats every digit of it.
    let formatted = format.call1(&JsValue::UNDEFINED, &number.into());
    formatted.ok().and_then(|text| text.as_string()).unwrap_or_else(|| number.to_owned())
}

fn set(options: &Object, name: &str, value: &JsValue) {
    // A plain object takes every property.
    let _ = Reflect::set(options, &name.into(), value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn digits_are_those_of_the_whole_number() {
        for (micros, unit, places, text) in [
            (30_000, MICROS_PER_CENT, 0, "3"),
            (4_000, MICROS_PER_CENT, 0, "0.4"),
            (1, MICROS_PER_CENT, 0, "0.0001"),
            (1_070_000, MICROS_PER_UNIT, 0, "1.07"),
            (1_500_000, MICROS_PER_UNIT, 2, "1.50"),
            (2_000_000, MICROS_PER_UNIT, 2, "2.00"),
            (Amount::MICROS_MAX, MICROS_PER_UNIT, 0, "9007199254.740991"),
        ] {
            assert_eq!(decimal(micros, unit, places), text);
        }
    }

    #[test]
    fn what_people_type_is_understood() {
        let like = amount("USD:1");
        for (text, expected) in [
            ("5", "USD:5"),
            ("5.00", "USD:5"),
            ("5,5", "USD:5.5"),
            (" $12.50 ", "USD:12.5"),
            ("USD 3", "USD:3"),
            (".5", "USD:0.5"),
            ("1.", "USD:1"),
            ("1.000", "USD:1"),
            ("007", "USD:7"),
            ("0.04", "USD:0.04"),
        ] {
            assert_eq!(typed(text, like), Some(amount(expected)), "{text:?}");
        }
        for text in ["", "$", "five", "1.2.3", "-1", "1x", "1,000", "1,000.50", "1.0000001"] {
            assert_eq!(typed(text, like), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_offered_for_typing_is_understood() {
        for text in ["USD:5", "USD:0.04", "USD:12.345678"] {
            assert_eq!(typed(&to_type(amount(text)), amount("USD:1")), Some(amount(text)));
        }
    }
}
