//! What people and addresses spell: one value, one spelling.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use tuppence_protocol::recovery::words::Mnemonic;
use tuppence_protocol::scrip::RequestUrl;
use tuppence_protocol::scrip::cash_out::CashOutOrder;
use tuppence_protocol::{Amount, Currency, Text, TranId, WalletId, bytes};
use tuppence_wallet::origin::Origin;

use crate::target::Verdict;

/// Every type that has one spelling, and the sums of two amounts, one in each line.
pub fn spelling(input: &[u8]) -> Verdict {
    let Ok(text) = str::from_utf8(input) else { return Verdict::Refused };
    let taken = [
        exact::<Amount>(text),
        exact::<Currency>(text),
        exact::<TranId>(text),
        exact::<WalletId>(text),
        exact::<Text<64>>(text),
        binary(text),
        origin(text),
        order(text),
        sums(text),
    ];
    if taken.contains(&true) { Verdict::Taken } else { Verdict::Refused }
}

/// Words of a recovery kit: capitals, spaces and the letters after a word's fourth are free, the bits are not.
pub fn words(input: &[u8]) -> Verdict {
    let Ok(text) = str::from_utf8(input) else { return Verdict::Refused };
    let Ok(mnemonic) = Mnemonic::parse(text) else { return Verdict::Refused };
    let words = mnemonic.words();
    let again = Mnemonic::parse(&words.join(" ")).expect("a kit's own words are taken");
    assert_eq!(again.entropy(), mnemonic.entropy());
    let said: Vec<_> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
    assert_eq!(said.len(), words.len());
    for (said, word) in said.iter().zip(words) {
        let beginning = word.get(..4).unwrap_or(word);
        assert!(said.starts_with(beginning), "{said:?} is taken for {word:?}");
    }
    Verdict::Taken
}

fn exact<T: FromStr + Display>(text: &str) -> bool {
    let Ok(value) = text.parse::<T>() else { return false };
    assert_eq!(value.to_string(), text, "a second spelling is taken");
    true
}

fn binary(text: &str) -> bool {
    let Ok(decoded) = bytes::decode(text) else { return false };
    assert_eq!(bytes::encode(&decoded), text, "a second spelling is taken");
    true
}

/// An origin's address may be written with capitals, its scheme's port and a slash; what it is then stays.
fn origin(text: &str) -> bool {
    let Ok(origin) = text.parse::<Origin>() else { return false };
    same(&origin, &origin.as_str().parse().expect("an origin's own spelling is taken"));
    assert!(origin.has(&format!("{origin}/a")) && !origin.has(&format!("{origin}.evil.example/")));
    true
}

fn order(text: &str) -> bool {
    let Ok(url) = text.parse::<RequestUrl>() else { return false };
    let Ok(order) = CashOutOrder::parse(&url) else { return false };
    let again = order.to_request_url().expect("an order is an address");
    assert_eq!(again.as_str(), text, "a second spelling is taken");
    true
}

fn sums(text: &str) -> bool {
    let mut lines = text.splitn(2, '\n').map(str::parse::<Amount>);
    let (Some(Ok(first)), Some(Ok(second))) = (lines.next(), lines.next()) else { return false };
    let alike = first.currency() == second.currency();
    match first.checked_add(second) {
        Ok(sum) => {
            assert!(alike && sum.micros() == first.micros() + second.micros());
            same(&sum.checked_sub(second), &Ok(first));
            assert!(sum.covers(first) && sum.covers(second));
        }
        Err(_) => assert!(!alike || first.micros() + second.micros() > Amount::MICROS_MAX),
    }
    match first.checked_sub(second) {
        Ok(rest) => same(&rest.checked_add(second), &Ok(first)),
        Err(_) => assert!(!alike || first.micros() < second.micros()),
    }
    assert_eq!(first.covers(second), first.checked_sub(second).is_ok());
    let points = u16::try_from(second.micros() % 10_001).expect("at most 10,000");
    let share = u128::from(first.micros()) * u128::from(points) / 10_000;
    assert_eq!(u128::from(first.share(points).micros()), share, "a share is rounded otherwise");
    true
}

fn same<T: PartialEq + Debug>(value: &T, other: &T) {
    assert!(value == other, "{value:?} and {other:?}");
}
