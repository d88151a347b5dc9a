//! Amounts as people say them: `3¢`, `0.4¢`, `$1.20`. Whole numbers only; nothing is rounded.

use tuppence_protocol::Amount;
use tuppence_protocol::amount::MICROS_PER_UNIT;

const MICROS_PER_HUNDREDTH: u64 = MICROS_PER_UNIT / 100;

/// How a currency is spoken of: the sign before whole units, and what stands after hundredths.
struct Signs {
    units: &'static str,
    hundredths: Option<&'static str>,
    places_min: usize,
}

/// The amount in the words of its currency.
pub fn spoken(amount: Amount) -> String {
    let micros = amount.micros();
    let Some(signs) = signs(amount.currency().as_str()) else {
        return format!("{} {}", decimal(micros, MICROS_PER_UNIT, 2), amount.currency());
    };
    match signs.hundredths {
        Some(sign) if micros < MICROS_PER_UNIT => {
            format!("{}{sign}", decimal(micros, MICROS_PER_HUNDREDTH, 0))
        }
        _ => format!("{}{}", signs.units, decimal(micros, MICROS_PER_UNIT, signs.places_min)),
    }
}

fn signs(code: &str) -> Option<Signs> {
    let signs = |units, hundredths, places_min| Some(Signs { units, hundredths, places_min });
    match code {
        "USD" => signs("$", Some("¢"), 2),
        "EUR" => signs("€", Some("\u{a0}ct"), 2),
        "GBP" => signs("£", Some("p"), 2),
        "JPY" => signs("¥", None, 0),
        "KRW" => signs("₩", None, 0),
        _ => None,
    }
}

/// `micros / whole` as a decimal number with at least so many places.
fn decimal(micros: u64, whole: u64, places_min: usize) -> String {
    // `whole` is a power of ten, so its zeros are the places.
    let places = whole.ilog10() as usize;
    let rest = format!("{:0places$}", micros % whole);
    let kept = rest.trim_end_matches('0').len().max(places_min);
    let units = micros / whole;
    if kept == 0 { units.to_string() } else { format!("{units}.{}", &rest[..kept]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_said_as_people_say_them() {
        for (amount, said) in [
            ("USD:0.03", "3¢"),
            ("USD:0.004", "0.4¢"),
            ("USD:0.12", "12¢"),
            ("USD:0.000001", "0.0001¢"),
            ("USD:0", "0¢"),
            ("USD:0.999999", "99.9999¢"),
            ("USD:1", "$1.00"),
            ("USD:1.2", "$1.20"),
            ("USD:12.345", "$12.345"),
            ("EUR:0.05", "5\u{a0}ct"),
            ("EUR:2.5", "€2.50"),
            ("GBP:0.02", "2p"),
            ("KRW:30", "₩30"),
            ("JPY:0.5", "¥0.5"),
            ("CHF:0.2", "0.20 CHF"),
        ] {
            assert_eq!(spoken(amount.parse().unwrap()), said, "{amount}");
        }
    }
}
