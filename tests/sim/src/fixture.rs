//! What every run begins with, whatever its seed: the center's keys and policy, the shops, and who is who.

use std::path::PathBuf;
use std::sync::LazyLock;

use tuppence_protocol::envelope::{CenterPrivateKey, CenterPublicKey};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::center::{Center, CenterKeys, Policy, Purse};
use tuppence_protocol::{
    Amount, Currency, Duration, HashAlgorithm, KeyRing, Secret, Timestamp, VendorId, WalletId, bytes,
};
use tuppence_server::store::Change;
use tuppence_server::store::Changes;
use tuppence_server::store::records::Registration;

use crate::kernel::Party;

/// When runs begin: 15 January 2027, 08:00 UTC.
pub const START: u64 = 1_800_000_000_000;
/// The center's origin.
pub const CENTER: &str = "https://center.example";
/// The shops' origins.
pub const SHOPS: [&str; 2] = ["https://bread.example", "https://tram.example"];
/// A shop whose owner means harm: registered, and never at home.
pub const ROGUE_SHOP: &str = "https://rogue.example";
/// Its number at the center.
pub const ROGUE_VENDOR: u32 = 3;
/// The rogue's purse, and one that has come to its last serials.
pub const ROGUE_PURSES: [u64; 2] = [1, 2];
/// The purses of readers without a wallet.
pub const READER_PURSES: [u64; 2] = [3, 4];
/// The last serial that there is.
pub const SERIAL_MAX: u64 = (1 << 53) - 1;

/// Articles: shop, slug, price in millionths.
pub const ARTICLES: [(usize, &str, u64); 5] = [
    (0, "flour", 10_000),
    (0, "yeast", 30_000),
    (0, "oven", 120_000),
    (1, "line", 20_000),
    (1, "wheel", 50_000),
];

/// A campaign as the auditor knows it.
#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    /// The shop.
    pub shop: usize,
    /// The item.
    pub item: &'static str,
    /// The reward in millionths.
    pub reward: u64,
    /// The answers that are right; none where every answer is welcome.
    pub right: &'static [&'static str],
    /// Answers that are taken: choices, or words.
    pub choices: &'static [&'static str],
}

/// Campaigns, as the shops' files have them.
pub const CAMPAIGNS: [Campaign; 8] = [
    Campaign { shop: 0, item: "coins", reward: 40_000, right: &["b"], choices: &["a", "b", "c"] },
    Campaign { shop: 0, item: "rich", reward: 300_000, right: &["a"], choices: &["a", "b", "c"] },
    Campaign { shop: 0, item: "ways", reward: 60_000, right: &[], choices: &["by tram", "on foot"] },
    Campaign { shop: 0, item: "spot", reward: 20_000, right: &["c"], choices: &["a", "b", "c"] },
    Campaign { shop: 1, item: "rails", reward: 50_000, right: &["a"], choices: &["a", "b", "c"] },
    Campaign { shop: 1, item: "short", reward: 30_000, right: &[], choices: &["a", "b", "c"] },
    Campaign {
        shop: 1,
        item: "words",
        reward: 250_000,
        right: &["copper", "bronze"],
        choices: &["copper", "tin"],
    },
    Campaign { shop: 1, item: "poor", reward: 100_000, right: &[], choices: &["a", "b", "c"] },
];

/// What the operator is paid in at first for each seller, in millionths; too little for `poor`.
pub const DEPOSITS: [u64; 3] = [8_000_000, 6_000_000, 4_500_000];
/// What readers without a wallet can get of that.
pub const POCKET_MONEY: u64 = 3_000_000;

/// An amount of the center's currency.
pub fn usd(micros: u64) -> Amount {
    Amount::new(Currency::USD, micros).unwrap_or(Amount::zero(Currency::USD))
}

/// Whose origin it is.
pub fn party(origin: &str) -> Option<Party> {
    if origin == CENTER {
        return Some(Party::Center);
    }
    SHOPS.iter().position(|shop| *shop == origin).map(Party::Shop)
}

/// A server's identity.
pub fn server(name: &str) -> VendorId {
    let parsed = name.parse().ok().zip(name.parse().ok());
    let (dns_name, server_name) = parsed.expect("the fixture's names are host names");
    VendorId { dns_name, ip_addr: None, server_name, port: 443 }
}

/// The identity of a vendor by its number.
pub fn vendor(number: u32) -> VendorId {
    match number {
        0 => server("center.example"),
        1 => server("bread.example"),
        2 => server("tram.example"),
        _ => server("rogue.example"),
    }
}

/// The secret number `id` of a vendor.
pub fn vendor_secret(number: u32, id: u32) -> Secret {
    Secret::from_bytes([50 + u8::try_from(number * 10 + id % 10).unwrap_or(0); 32])
}

/// The center with its secrets and a small world's limits.
pub fn center() -> Center {
    let secret = |byte| Secret::from_bytes([byte; 32]);
    Center {
        keys: CenterKeys {
            center_id: vendor(0),
            scrip_secrets: KeyRing::new(1, secret(1)),
            customer_secrets: KeyRing::new(1, secret(2)),
            vendor_secrets: KeyRing::new(1, secret(3)),
            signing_secrets: KeyRing::new(1, secret(5)),
            challenge_secret: secret(4),
            algorithm: HashAlgorithm::HmacSha256,
            sha256_allowed: false,
        },
        policy: Policy {
            scrip_lifetime: Duration::from_days(1),
            balance_max: usd(600_000),
            fee_basis_points: 333,
            payout_threshold: usd(100_000),
            payout_fee: usd(10_000),
            challenge_bits: 4,
            ..Policy::new(Currency::USD)
        },
    }
}

/// The center's key pair, which takes seconds to make and milliseconds to read: the published vectors' one.
pub fn key() -> &'static (CenterPrivateKey, CenterPublicKey) {
    static KEY: LazyLock<(CenterPrivateKey, CenterPublicKey)> = LazyLock::new(|| {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../protocol/vectors/scrip.json"))
                .expect("vectors are JSON");
        let text = vectors["center_private_key"].as_str().expect("the vectors have the key");
        let der = bytes::decode(text).expect("the key is base64url");
        let private = CenterPrivateKey::from_der(&der).expect("the key is one");
        let public = private.public().expect("the key has a public half");
        (private, public)
    });
    &KEY
}

/// The folder of a shop's files.
pub fn folder(shop: usize) -> PathBuf {
    let name = ["bread", "tram"][shop];
    [env!("CARGO_MANIFEST_DIR"), "shops", name].iter().collect()
}

/// Everybody who has a purse before anything happens, and its first serial.
pub fn first_serials() -> impl Iterator<Item = (u64, u64)> {
    let readers = READER_PURSES.into_iter().map(|number| (number, 1));
    ROGUE_PURSES.into_iter().zip([1, SERIAL_MAX - 1]).chain(readers)
}

/// These purses as they are before anything happens.
pub fn purses(center: &Center) -> Changes {
    let mut changes = Changes::default();
    for (number, serial) in first_serials() {
        let after = purse(center, number, serial);
        changes.registrations.push(registration(&purse(center, number, 1)));
        changes.purses.push(Change { before: None, after });
    }
    changes
}

/// As if the purse had come by an R1: a backup balances only if each of its purses has.
fn registration(first: &Purse) -> Registration {
    let customer = first.custom_id.serial_number;
    Registration {
        wallet: WalletId::from_bytes([u8::try_from(customer.get()).unwrap_or(0); 16]),
        digest: [0; 32],
        customer,
        nonce: [0; 12],
        first: first.live.clone(),
        wallet_key: [0; 32],
        name: None,
        address: None,
        e_mail: None,
        at: Timestamp::from_millis(START),
    }
}

/// An empty purse of this buyer with this serial.
pub fn purse(center: &Center, number: u64, serial: u64) -> Purse {
    let number = Serial::try_from(number).expect("the fixture's numbers are small");
    let mut purse = center
        .new_purse(number, Timestamp::from_millis(START))
        .expect("the fixture's key rings have secrets");
    purse.live.serial = Serial::try_from(serial).expect("the fixture's serials are in range");
    purse.live.expires = Timestamp::MAX;
    purse
}
