//! What holds for any amounts, beside the limits by name.

use proptest::prelude::*;

use super::*;

#[test]
fn text_and_millionths_agree() {
    for (text, micros) in [
        ("USD:0", 0),
        ("USD:0.03", 30_000),
        ("USD:0.000001", 1),
        ("USD:12.5", 12_500_000),
        ("EUR:9007199254.740991", Amount::MICROS_MAX),
    ] {
        let amount: Amount = text.parse().unwrap();
        assert_eq!((amount.micros(), amount.to_string().as_str()), (micros, text));
    }
}

#[test]
fn every_other_spelling_is_refused() {
    for text in [
        "",
        "USD",
        "USD:",
        "USD:.5",
        "USD:1.",
        "USD:00",
        "USD:01",
        "USD:1.0",
        "USD:0.10",
        "USD:+1",
        "USD:-1",
        "USD: 1",
        "USD:1e3",
        "USD:0.0000001",
        "usd:1",
        "US:1",
        "USDX:1",
        "USD:1,5",
        "USD:١",
        "USD:9007199254.740992",
        "USD:99999999999999999999",
    ] {
        assert!(text.parse::<Amount>().is_err(), "{text:?} was accepted");
    }
}

#[test]
fn a_multiple_stops_at_the_limit() {
    let cent = Amount::new(Currency::USD, 10_000).unwrap();
    assert_eq!(cent.times(50).unwrap().to_string(), "USD:0.5");
    assert!(cent.times(0).unwrap().is_zero());
    let most = Amount::new(Currency::USD, Amount::MICROS_MAX).unwrap();
    assert_eq!(most.times(1), Ok(most));
    assert_eq!(most.times(2), Err(AmountError::TooLarge));
    assert_eq!(most.times(u32::MAX), Err(AmountError::TooLarge));
}

#[test]
fn sums_stop_at_the_limits_and_at_other_currencies() {
    let most = Amount::new(Currency::USD, Amount::MICROS_MAX).unwrap();
    let one = Amount::new(Currency::USD, 1).unwrap();
    let euro: Amount = "EUR:1".parse().unwrap();
    assert_eq!(most.checked_add(one), Err(AmountError::TooLarge));
    assert_eq!(Amount::zero(Currency::USD).checked_sub(one), Err(AmountError::Insufficient));
    assert_eq!(one.checked_add(euro), Err(AmountError::Mismatch));
    assert!(!most.covers(euro));
}

/// Any currency; two of them are often the same.
fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![3 => Just(Currency::USD), 1 => "[A-Z]{3}".prop_map(|code| code.parse().unwrap())]
}

/// Millionths: few, any, whole units, and the last before the limit, where sums overflow.
fn micros() -> impl Strategy<Value = u64> {
    const MAX: u64 = Amount::MICROS_MAX;
    prop_oneof![
        0..5_000_000_u64,
        0..=MAX,
        (0..=MAX / MICROS_PER_UNIT).prop_map(|units| units * MICROS_PER_UNIT),
        MAX - 5..=MAX,
    ]
}

fn amount() -> impl Strategy<Value = Amount> {
    (currency(), micros()).prop_map(|(currency, micros)| Amount::new(currency, micros).unwrap())
}

fn dollars() -> impl Strategy<Value = Amount> {
    micros().prop_map(|micros| Amount::new(Currency::USD, micros).unwrap())
}

/// What arithmetic without limits says, where an amount can be that much.
fn exactly(currency: Currency, micros: u128) -> Result<Amount, AmountError> {
    let micros = u64::try_from(micros).map_err(|_| AmountError::TooLarge)?;
    Amount::new(currency, micros)
}

/// Other spellings of what is written as `text`.
fn respelt(text: &str) -> Vec<String> {
    let (code, number) = text.split_once(':').unwrap();
    let mut others = vec![
        format!("{code}:0{number}"),
        format!("{code}:+{number}"),
        format!("{code}:-{number}"),
        format!("{code}: {number}"),
        format!("{code}:{number} "),
        format!(" {code}:{number}"),
        format!("{code}:{number}e0"),
        format!("{code} {number}"),
        format!("{}:{number}", code.to_lowercase()),
        format!("{code}{number}"),
    ];
    if number.contains('.') {
        others.extend([format!("{text}0"), text.replace('.', ",")]);
    } else {
        others.extend([format!("{text}."), format!("{text}.0"), format!("{text}.000000")]);
    }
    others
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_amount_survives_its_text_and_its_json(amount in amount()) {
        let text = amount.to_string();
        prop_assert_eq!(text.parse::<Amount>(), Ok(amount));
        let json = serde_json::to_string(&amount).unwrap();
        prop_assert_eq!(&json, &format!("\"{text}\""));
        prop_assert_eq!(serde_json::from_str::<Amount>(&json).unwrap(), amount);
    }

    #[test]
    fn an_amount_has_one_spelling(amount in amount()) {
        for other in respelt(&amount.to_string()) {
            prop_assert!(other.parse::<Amount>().is_err(), "{:?} was accepted", other);
        }
    }

    #[test]
    fn what_parses_prints_the_same(text in "[A-Z]{3}:[0-9]{1,4}(\\.[0-9]{1,7})?") {
        if let Ok(amount) = text.parse::<Amount>() {
            prop_assert_eq!(amount.to_string(), text);
        }
    }

    #[test]
    fn places_are_millionths(units in 0..9_000_000_000_u64, places in "[0-9]{0,5}[1-9]") {
        let amount: Amount = format!("USD:{units}.{places}").parse().unwrap();
        let millionths: u64 = format!("{places:0<6}").parse().unwrap();
        prop_assert_eq!(amount.micros(), units * MICROS_PER_UNIT + millionths);
    }

    #[test]
    fn a_sum_is_exact_or_refused(a in amount(), b in amount()) {
        let sum = a.checked_add(b);
        if a.currency() == b.currency() {
            prop_assert_eq!(sum, exactly(a.currency(), u128::from(a.micros()) + u128::from(b.micros())));
        } else {
            prop_assert_eq!(sum, Err(AmountError::Mismatch));
        }
        prop_assert_eq!(sum, b.checked_add(a));
    }

    #[test]
    fn a_difference_is_exact_or_refused_and_covers_tells_which(a in amount(), b in amount()) {
        let rest = a.checked_sub(b);
        prop_assert_eq!(rest.is_ok(), a.covers(b));
        match rest {
            Ok(rest) => prop_assert_eq!(rest.checked_add(b), Ok(a)),
            Err(AmountError::Mismatch) => prop_assert_ne!(a.currency(), b.currency()),
            Err(error) => {
                prop_assert_eq!(error, AmountError::Insufficient);
                prop_assert!(a.micros() < b.micros() && a.currency() == b.currency());
            }
        }
    }

    #[test]
    fn prices_and_change_make_the_value(
        value in dollars(), prices in prop::collection::vec(dollars(), 0..20),
    ) {
        let (mut change, mut paid) = (value, Amount::zero(Currency::USD));
        for price in prices {
            match change.checked_sub(price) {
                Ok(rest) => (change, paid) = (rest, paid.checked_add(price).unwrap()),
                Err(error) => prop_assert_eq!(error, AmountError::Insufficient),
            }
            prop_assert_eq!(paid.checked_add(change), Ok(value));
        }
        let last = change;
        prop_assert!(change.checked_sub(last).unwrap().is_zero());
    }

    #[test]
    fn a_multiple_is_that_many_in_a_sum_or_refused(amount in amount(), count in prop_oneof![0..9_u32, any::<u32>()]) {
        let exact = exactly(amount.currency(), u128::from(amount.micros()) * u128::from(count));
        prop_assert_eq!(amount.times(count), exact);
        if count < 9 {
            let zero = Ok(Amount::zero(amount.currency()));
            let sum = (0..count).fold(zero, |sum: Result<Amount, _>, _| sum?.checked_add(amount));
            prop_assert_eq!(amount.times(count), sum);
        }
    }

    #[test]
    fn a_share_and_the_rest_make_the_whole(a in dollars(), b in dollars(), basis_points: u16) {
        let share = a.share(basis_points);
        let points = u128::from(basis_points.min(10_000));
        prop_assert_eq!(u128::from(share.micros()), u128::from(a.micros()) * points / 10_000);
        prop_assert_eq!(a.checked_sub(share).unwrap().checked_add(share), Ok(a));
        // A center that takes its share of parts never takes more than of the whole, and loses a millionth at most.
        if let Ok(whole) = a.checked_add(b) {
            let parts = share.checked_add(b.share(basis_points)).unwrap();
            let lost = whole.share(basis_points).checked_sub(parts).unwrap();
            prop_assert!(lost.micros() <= 1);
        }
    }

    #[test]
    fn nothing_is_beyond_the_limit(micros in any::<u64>()) {
        let amount = Amount::new(Currency::USD, micros);
        prop_assert_eq!(amount.is_ok(), micros < 1 << 53);
        let text = format!("USD:{}.{:06}", micros / MICROS_PER_UNIT, micros % MICROS_PER_UNIT);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        prop_assert_eq!(text.parse::<Amount>(), amount);
    }

    #[test]
    fn a_currency_is_three_large_letters(code in "[A-Z]{3}|[A-Za-z0-9\u{c4}]{0,5}") {
        let letters = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        let currency = code.parse::<Currency>();
        prop_assert_eq!(currency.is_ok(), letters);
        if let Ok(currency) = currency {
            prop_assert_eq!(&currency.to_string(), &code);
            prop_assert_eq!(&format!("{currency:?}"), &code);
            let json = serde_json::to_string(&currency).unwrap();
            prop_assert_eq!(serde_json::from_str::<Currency>(&json).unwrap(), currency);
            prop_assert_eq!(json, format!("\"{code}\""));
        }
    }
}
