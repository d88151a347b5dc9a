//! Settings: by flag, environment or file, with one name everywhere.
//!
//! `--center-port 8080` is `TUPPENCE_CENTER_PORT=8080` in the environment and `center-port = 8080` in the file.
//! A flag goes before the environment, that before the file, and that before what is built in.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use tuppence_protocol::ids::DnsName;
use tuppence_protocol::scrip::center::Policy;
use tuppence_protocol::{Amount, Currency, Duration, HashAlgorithm};
use tuppence_server::center::keys::Passphrase;
use tuppence_server::storefront::sample;
use tuppence_server::storefront::till::{DAYS, SETTLE_EVERY, Terms};

use crate::data::DataFolder;
use crate::failure::Failure;
use crate::logging::LogFormat;

/// The settings file that is read where `--config` names none, in the data folder.
const FILE_NAME: &str = "tuppence.toml";
/// The most zero bits that a registration may be asked to find.
const CHALLENGE_BITS_MAX: u8 = 28;

/// Where things are: for every command.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Folder with keys, databases and settings
    #[arg(long, env = "TUPPENCE_DATA", value_name = "DIR", default_value = "data", global = true)]
    pub data: PathBuf,
    /// Settings file [default: tuppence.toml in the data folder, if there is one]
    #[arg(long, env = "TUPPENCE_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// What can be set; what is absent comes from the file or is built in.
#[derive(Debug, Clone, Default, PartialEq, Args, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Address to listen at; 0.0.0.0 or :: for all [default: 127.0.0.1]
    #[arg(long, env = "TUPPENCE_LISTEN", value_name = "IP", help_heading = "Addresses")]
    pub listen: Option<IpAddr>,
    /// Port of the center and the wallet [default: 8080]
    #[arg(long, env = "TUPPENCE_CENTER_PORT", value_name = "PORT", help_heading = "Addresses")]
    pub center_port: Option<u16>,
    /// Port of the storefront [default: 8081]
    #[arg(long, env = "TUPPENCE_STOREFRONT_PORT", value_name = "PORT", help_heading = "Addresses")]
    pub storefront_port: Option<u16>,
    /// Where browsers find the center and the wallet [default: http://localhost:<center port>]
    #[arg(long, env = "TUPPENCE_CENTER_ORIGIN", value_name = "URL", help_heading = "Addresses")]
    pub center_origin: Option<String>,
    /// Where browsers find the storefront [default: http://localhost:<storefront port>]
    #[arg(long, env = "TUPPENCE_STOREFRONT_ORIGIN", value_name = "URL", help_heading = "Addresses")]
    pub storefront_origin: Option<String>,
    /// Reverse proxy whose X-Forwarded-For is believed; may be given more than once
    #[arg(
        long,
        env = "TUPPENCE_TRUSTED_PROXIES",
        value_name = "IP",
        value_delimiter = ',',
        help_heading = "Addresses"
    )]
    pub trusted_proxies: Option<Vec<IpAddr>>,

    /// The wallet's built site [default: web/dist]
    #[arg(long, env = "TUPPENCE_WALLET_SITE", value_name = "DIR", help_heading = "Center")]
    pub wallet_site: Option<PathBuf>,
    /// The center's trade name; every scrip says it, so it is fixed at the first start [default: Tuppence]
    #[arg(long, env = "TUPPENCE_CENTER_NAME", value_name = "NAME", help_heading = "Center")]
    pub center_name: Option<String>,
    /// File with the passphrase that seals the center's keys [default: they are not sealed]
    #[arg(long, env = "TUPPENCE_PASSPHRASE_FILE", value_name = "FILE", help_heading = "Center")]
    pub passphrase_file: Option<PathBuf>,
    /// The one currency of the center, fixed at the first start [default: USD]
    #[arg(long, env = "TUPPENCE_CURRENCY", value_name = "CODE", help_heading = "Center")]
    pub currency: Option<Currency>,
    /// How new scrip is certified and sealed: hmac-sha256, or the patent's literal sha256 [default: hmac-sha256]
    #[arg(long, env = "TUPPENCE_HASH_ALGORITHM", value_name = "NAME", value_parser = HashAlgorithm::named, help_heading = "Center")]
    pub hash_algorithm: Option<HashAlgorithm>,
    /// Take scrip with the literal sha256 although new scrip is made otherwise [default: false]
    #[arg(long, env = "TUPPENCE_SHA256_ALLOWED", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Center")]
    pub sha256_allowed: Option<bool>,
    /// The center's share of a payment, in hundredths of a percent [default: 0]
    #[arg(long, env = "TUPPENCE_FEE_BASIS_POINTS", value_name = "N", help_heading = "Center")]
    pub fee_basis_points: Option<u16>,
    /// The least that is cashed out at once, such as 5 or USD:5 [default: 5]
    #[arg(long, env = "TUPPENCE_PAYOUT_THRESHOLD", value_name = "AMOUNT", help_heading = "Center")]
    pub payout_threshold: Option<Sum>,
    /// What a cash-out costs [default: 0.25]
    #[arg(long, env = "TUPPENCE_PAYOUT_FEE", value_name = "AMOUNT", help_heading = "Center")]
    pub payout_fee: Option<Sum>,
    /// The most that a wallet holds [default: 200]
    #[arg(long, env = "TUPPENCE_BALANCE_MAX", value_name = "AMOUNT", help_heading = "Center")]
    pub balance_max: Option<Sum>,
    /// Minutes after which an unfinished step ends by itself [default: 10]
    #[arg(long, env = "TUPPENCE_PENDING_MINUTES", value_name = "N", help_heading = "Center")]
    pub pending_minutes: Option<NonZeroU32>,
    /// Days for which a scrip can be spent before it is renewed [default: 365]
    #[arg(long, env = "TUPPENCE_SCRIP_DAYS", value_name = "N", help_heading = "Center")]
    pub scrip_days: Option<NonZeroU32>,
    /// Work that a registration takes, in zero bits of a hash, at most 28 [default: 16]
    #[arg(long, env = "TUPPENCE_CHALLENGE_BITS", value_name = "N", value_parser = clap::value_parser!(u8).range(0..=i64::from(CHALLENGE_BITS_MAX)), help_heading = "Center")]
    pub challenge_bits: Option<u8>,
    /// Registrations a minute from one network (/24, or /56 of IPv6) [default: 60]
    #[arg(long, env = "TUPPENCE_REGISTRATIONS_PER_MINUTE", value_name = "N", help_heading = "Center")]
    pub registrations_per_minute: Option<NonZeroU32>,

    /// Folder of articles, Markdown with front matter [default: content in the data folder]
    #[arg(long, env = "TUPPENCE_CONTENT", value_name = "DIR", help_heading = "Storefront")]
    pub content: Option<PathBuf>,
    /// Site to stand in front of, such as http://127.0.0.1:3000: its pages pass through, and some are sold
    #[arg(
        long,
        env = "TUPPENCE_UPSTREAM",
        value_name = "URL",
        conflicts_with = "content",
        help_heading = "Storefront"
    )]
    pub upstream: Option<String>,
    /// Which pages of that site are sold, and for how much, TOML [default: rules.toml in the data folder]
    #[arg(long, env = "TUPPENCE_UPSTREAM_RULES", value_name = "FILE", help_heading = "Storefront")]
    pub upstream_rules: Option<PathBuf>,
    /// Folder of campaigns, TOML [default: campaigns in the data folder]
    #[arg(long, env = "TUPPENCE_CAMPAIGNS", value_name = "DIR", help_heading = "Storefront")]
    pub campaigns: Option<PathBuf>,
    /// The shop's name [default: the sample shop's]
    #[arg(long, env = "TUPPENCE_SHOP_NAME", value_name = "NAME", help_heading = "Storefront")]
    pub shop_name: Option<String>,
    /// What the shop sells, in a sentence [default: the sample shop's]
    #[arg(long, env = "TUPPENCE_SHOP_DESCRIPTION", value_name = "TEXT", help_heading = "Storefront")]
    pub shop_description: Option<String>,
    /// Price of articles that name none [default: they must]
    #[arg(long, env = "TUPPENCE_DEFAULT_PRICE", value_name = "AMOUNT", help_heading = "Storefront")]
    pub default_price: Option<Sum>,
    /// Take budgets: one approval, then many articles without the center [default: true]
    #[arg(long, env = "TUPPENCE_BUDGETS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Storefront")]
    pub budgets: Option<bool>,
    /// What readers are asked to approve at once [default: 0.50]
    #[arg(long, env = "TUPPENCE_BUDGET", value_name = "AMOUNT", help_heading = "Storefront")]
    pub budget: Option<Sum>,
    /// Days for which a budget is good; then the rest returns [default: 30]
    #[arg(long, env = "TUPPENCE_BUDGET_DAYS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=90), help_heading = "Storefront")]
    pub budget_days: Option<u32>,
    /// Minutes after which the center is told what budgets have paid [default: 10]
    #[arg(long, env = "TUPPENCE_SETTLE_MINUTES", value_name = "N", help_heading = "Storefront")]
    pub settle_minutes: Option<NonZeroU32>,
    /// What the shop shares with its center [default: shop.json in the data folder]
    #[arg(long, env = "TUPPENCE_CREDENTIALS", value_name = "FILE", help_heading = "Storefront")]
    pub credentials: Option<PathBuf>,
    /// Where the storefront reaches its center, if not where browsers do
    #[arg(long, env = "TUPPENCE_CENTER_URL", value_name = "URL", help_heading = "Storefront")]
    pub center_url: Option<String>,

    /// Log level, or levels by module [default: info]
    #[arg(long, env = "TUPPENCE_LOG", value_name = "LEVEL", help_heading = "Logs and limits")]
    pub log: Option<String>,
    /// How log lines are written [default: text]
    #[arg(long, env = "TUPPENCE_LOG_FORMAT", value_name = "FORMAT", help_heading = "Logs and limits")]
    pub log_format: Option<LogFormat>,
    /// Threads that serve requests, for each origin [default: one for each processor]
    #[arg(long, env = "TUPPENCE_WORKERS", value_name = "N", help_heading = "Logs and limits")]
    pub workers: Option<NonZeroU32>,
}

impl Settings {
    /// These settings, completed from the file.
    ///
    /// # Errors
    /// If the file cannot be read, or says something that is no setting.
    pub fn complete(self, place: &Place) -> Result<Self, Failure> {
        let standard = place.data.join(FILE_NAME);
        let path = match &place.config {
            Some(path) => path,
            None if standard.is_file() => &standard,
            None => return Ok(self),
        };
        self.over(path)
    }

    fn over(self, path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let unreadable = |error| Failure::new(format!("The settings file {name} cannot be read: {error}"));
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        self.over_text(name, &text)
    }

    /// These settings, completed from the text of the settings file `name`.
    ///
    /// # Errors
    /// If the text says something that is no setting.
    pub fn over_text(self, name: impl Display, text: &str) -> Result<Self, Failure> {
        let wrong = |error: toml::de::Error| {
            Failure::new(format!("The settings file {name} does not fit: {error}")).hint(
                "A setting is named as its flag without the dashes; `tuppence serve --help` lists them.",
            )
        };
        // Once by itself, so that a mistake is told with its line; then below what was given otherwise.
        toml::from_str::<Settings>(text).map_err(wrong)?;
        let mut table: toml::Table = toml::from_str(text).map_err(wrong)?;
        table.extend(toml::Table::try_from(&self).map_err(Failure::new)?);
        table.try_into().map_err(wrong)
    }

    /// Where to listen.
    pub fn listen(&self) -> IpAddr {
        self.listen.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// The center's port.
    pub fn center_port(&self) -> u16 {
        self.center_port.unwrap_or(8080)
    }

    /// The storefront's port.
    pub fn storefront_port(&self) -> u16 {
        self.storefront_port.unwrap_or(8081)
    }

    /// Where browsers find the center.
    ///
    /// # Errors
    /// If what was set is no origin.
    pub fn center_origin(&self) -> Result<Origin, Failure> {
        match &self.center_origin {
            Some(text) => Origin::parse("center-origin", text),
            None => Ok(Origin::local(self.center_port())),
        }
    }

    /// Where browsers find the storefront.
    ///
    /// # Errors
    /// If what was set is no origin.
    pub fn storefront_origin(&self) -> Result<Origin, Failure> {
        match &self.storefront_origin {
            Some(text) => Origin::parse("storefront-origin", text),
            None => Ok(Origin::local(self.storefront_port())),
        }
    }

    /// The site that the storefront stands in front of, and its rules in the data folder `data`.
    ///
    /// # Errors
    /// If it is no origin, or articles are named too.
    pub fn site(&self, data: &DataFolder) -> Result<Option<(Origin, PathBuf)>, Failure> {
        let Some(text) = &self.upstream else { return Ok(None) };
        if self.content.is_some() {
            return Err(Failure::new("content and upstream are both set, and articles come from one place")
                .hint("Leave out the one that you do not mean."));
        }
        let rules = self.upstream_rules.clone().unwrap_or_else(|| data.rules());
        Ok(Some((Origin::parse("upstream", text)?, rules)))
    }

    /// What the shop is called: what was set, else the host of the site that it stands in front of, else as the sample.
    ///
    /// # Errors
    /// If the storefront's origin is none.
    pub fn shop_name(&self) -> Result<String, Failure> {
        self.told(self.shop_name.as_ref(), sample::TITLE)
    }

    /// What the shop sells, in a sentence; likewise.
    ///
    /// # Errors
    /// If the storefront's origin is none.
    pub fn shop_description(&self) -> Result<String, Failure> {
        self.told(self.shop_description.as_ref(), sample::DESCRIPTION)
    }

    fn told(&self, set: Option<&String>, sample: &str) -> Result<String, Failure> {
        match set {
            Some(text) => Ok(text.clone()),
            None if self.upstream.is_some() => Ok(self.storefront_origin()?.host),
            None => Ok(sample.to_owned()),
        }
    }

    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency.unwrap_or(Currency::USD)
    }

    /// What the operator has decided.
    ///
    /// # Errors
    /// If an amount is of another currency, a share is beyond the whole, or the work beyond what can be done.
    pub fn policy(&self) -> Result<Policy, Failure> {
        let currency = self.currency();
        let built_in = Policy::new(currency);
        let amount = |name, sum: &Option<Sum>, otherwise| match sum {
            Some(sum) => sum.amount(name, currency),
            None => Ok(otherwise),
        };
        let fee_basis_points = self.fee_basis_points.unwrap_or(built_in.fee_basis_points);
        if fee_basis_points > 10_000 {
            return Err(Failure::new("fee-basis-points is at most 10000, the whole payment"));
        }
        let challenge_bits = self.challenge_bits.unwrap_or(built_in.challenge_bits);
        if challenge_bits > CHALLENGE_BITS_MAX {
            return Err(Failure::new(format!(
                "challenge-bits is {challenge_bits}; beyond {CHALLENGE_BITS_MAX} a registration never ends"
            )));
        }
        let minutes = |minutes: NonZeroU32| Duration::from_minutes(u64::from(minutes.get()));
        let days = |days: NonZeroU32| Duration::from_days(u64::from(days.get()));
        Ok(Policy {
            scrip_lifetime: self.scrip_days.map_or(built_in.scrip_lifetime, days),
            pending: self.pending_minutes.map_or(built_in.pending, minutes),
            balance_max: amount("balance-max", &self.balance_max, built_in.balance_max)?,
            fee_basis_points,
            payout_threshold: amount("payout-threshold", &self.payout_threshold, built_in.payout_threshold)?,
            payout_fee: amount("payout-fee", &self.payout_fee, built_in.payout_fee)?,
            challenge_bits,
            ..built_in
        })
    }

    /// What the center's keys are sealed under.
    ///
    /// # Errors
    /// If its file cannot be read, or says too little.
    pub fn passphrase(&self) -> Result<Option<Passphrase>, Failure> {
        let read = |path: &PathBuf| Passphrase::read(path).map_err(Failure::new);
        self.passphrase_file.as_ref().map(read).transpose()
    }

    /// What the shop says of budgets.
    ///
    /// # Errors
    /// If the amount is none, or of another currency; or if the days of the settings file are beyond what a budget may
    /// have.
    pub fn till(&self) -> Result<Terms, Failure> {
        let currency = self.currency();
        let half = || Amount::new(currency, 500_000).map_err(Failure::new);
        let suggested = self.budget.as_ref().map_or_else(half, |budget| budget.amount("budget", currency))?;
        if suggested.is_zero() {
            return Err(Failure::new("budget is 0, which buys nothing").hint(
                "Name what readers shall approve at once, such as 0.50, or turn budgets off: --budgets false.",
            ));
        }
        let days = self.budget_days.unwrap_or(DAYS);
        if !(1..=90).contains(&days) {
            return Err(Failure::new(format!("budget-days is {days}; a budget is good for 1 to 90 days")));
        }
        let minutes = |minutes: NonZeroU32| std::time::Duration::from_secs(u64::from(minutes.get()) * 60);
        Ok(Terms {
            taken: self.budgets.unwrap_or(true),
            suggested,
            days,
            settle_every: self.settle_minutes.map_or(SETTLE_EVERY, minutes),
        })
    }

    /// The price of articles that name none.
    ///
    /// # Errors
    /// If it is of another currency.
    pub fn default_price(&self) -> Result<Option<Amount>, Failure> {
        self.default_price.as_ref().map(|sum| sum.amount("default-price", self.currency())).transpose()
    }
}

/// An amount as people write it in settings: `0.05`, or `USD:0.05`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sum(String);

impl Sum {
    /// The amount, in the currency of the center unless it names one.
    ///
    /// # Errors
    /// If it is no amount, or of another currency.
    pub fn amount(&self, name: &str, currency: Currency) -> Result<Amount, Failure> {
        let text =
            if self.0.contains(':') { self.0.clone() } else { format!("{currency}:{}", canonical(&self.0)) };
        let wrong = |why: String| Failure::new(format!("{name} is {:?}: {why}", self.0));
        let amount: Amount = text.parse().map_err(|error| wrong(format!("{error}")))?;
        if amount.currency() != currency {
            return Err(wrong(format!("this center's currency is {currency}")));
        }
        Ok(amount)
    }
}

impl std::str::FromStr for Sum {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Sum(text.to_owned()))
    }
}

/// People write `0.10`; the wire knows one spelling.
fn canonical(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// An origin: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// As browsers write it, without a slash at the end.
    pub text: String,
    /// The host's name.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Origin {
    /// This machine, as a browser on it says.
    fn local(port: u16) -> Self {
        Origin { text: format!("http://localhost:{port}"), host: "localhost".to_owned(), port }
    }

    /// An http or https origin without a path.
    ///
    /// # Errors
    /// For anything else.
    pub fn parse(name: &str, text: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::new(format!("{name} is {text:?}, which is no origin")).hint(
                "An origin is written like https://shop.example or http://localhost:8081, without a path.",
            )
        };
        let text = text.strip_suffix('/').unwrap_or(text);
        let (scheme, authority) = text.split_once("://").ok_or_else(wrong)?;
        let standard = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(wrong()),
        };
        let (host, port) = match authority.rsplit_once(':') {
            // A number alone: Rust would take a sign before it.
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
                (host, port.parse().map_err(|_| wrong())?)
            }
            Some(_) => return Err(wrong()),
            None => (authority, standard),
        };
        // A host and a port that wallets take too.
        if port == 0 || host.parse::<DnsName>().is_err() {
            return Err(wrong());
        }
        // Browsers leave the scheme's own port out, and zeros before one.
        let text =
            if port == standard { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") };
        Ok(Origin { text, host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests;
