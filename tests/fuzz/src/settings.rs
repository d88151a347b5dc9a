//! The program's settings file.

use std::path::Path;

use tuppence_cli::data::DataFolder;
use tuppence_cli::failure::Failure;
use tuppence_cli::settings::{Origin, Settings};
use tuppence_protocol::Amount;

use crate::target::Verdict;

/// The name of the file whose text is made up.
const FILE: &str = "made-up.toml";
/// The port that a flag names.
const FLAG: u16 = 7_000;

/// A settings file: what it sets is written as what is read as the same, and what is made of it is in its limits.
pub fn file(bytes: &[u8]) -> Verdict {
    let Ok(text) = str::from_utf8(bytes) else { return Verdict::Refused };
    let settings = match Settings::default().over_text(FILE, text) {
        Ok(settings) => settings,
        Err(failure) => {
            told(&failure);
            return Verdict::Refused;
        }
    };
    let once = toml::to_string(&settings).expect("settings can be written");
    let again = Settings::default().over_text(FILE, &once).expect("what was written is read");
    assert_eq!(again, settings, "other settings after a second reading");
    let flagged = Settings { center_port: Some(FLAG), ..Settings::default() };
    let flagged = flagged.over_text(FILE, text).expect("a flag beside a file that is taken");
    assert_eq!(
        flagged,
        Settings { center_port: Some(FLAG), ..settings.clone() },
        "a flag changes another setting"
    );
    let fits = [origins(&settings), money(&settings)];
    if fits.contains(&false) { Verdict::Refused } else { Verdict::Taken }
}

/// An origin that the program takes is one for wallets too, in the same spelling.
fn origins(settings: &Settings) -> bool {
    let own = |origin: Result<Origin, Failure>| {
        let Some(origin) = fits(origin) else { return false };
        let read: tuppence_wallet::origin::Origin =
            origin.text.parse().unwrap_or_else(|_| panic!("{:?} is no origin for a wallet", origin.text));
        assert_eq!(read.as_str(), origin.text, "a wallet spells it otherwise");
        true
    };
    let named = fits(settings.shop_name()).is_some() && fits(settings.shop_description()).is_some();
    let site = match fits(settings.site(&DataFolder::new(Path::new("data")))) {
        Some(Some((site, _rules))) => own(Ok(site)),
        nothing => nothing.is_some(),
    };
    [own(settings.center_origin()), own(settings.storefront_origin()), named, site] == [true; 4]
}

/// Amounts are in the center's currency, shares and times in their limits.
fn money(settings: &Settings) -> bool {
    let currency = settings.currency();
    let of_currency =
        |amount: Amount| assert_eq!(amount.currency(), currency, "an amount of another currency");
    let policy = fits(settings.policy());
    if let Some(policy) = &policy {
        [policy.balance_max, policy.payout_threshold, policy.payout_fee].into_iter().for_each(of_currency);
        assert!(policy.fee_basis_points <= 10_000, "a fee above the payment");
        assert!(policy.challenge_bits <= 28, "work that nobody can do: {} bits", policy.challenge_bits);
        assert!(policy.pending.as_millis() > 0 && policy.scrip_lifetime.as_millis() > 0);
    }
    let terms = fits(settings.till());
    if let Some(terms) = &terms {
        of_currency(terms.suggested);
        assert!(
            !terms.suggested.is_zero() && (1..=90).contains(&terms.days) && !terms.settle_every.is_zero()
        );
    }
    let price = fits(settings.default_price());
    price.into_iter().flatten().for_each(of_currency);
    policy.is_some() && terms.is_some() && price.is_some()
}

fn fits<T>(result: Result<T, Failure>) -> Option<T> {
    result.map_err(|failure| told(&failure)).ok()
}

/// A failure says what does not fit.
fn told(failure: &Failure) {
    assert!(!failure.sentence().trim().is_empty(), "refused without a reason");
}
