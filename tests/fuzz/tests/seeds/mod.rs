//! What the fuzzer begins with: the published vectors, the sample shop, and spellings by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A target's name, a file's name, and its bytes.
type Seed = (&'static str, String, Vec<u8>);

/// Every seed. The records of a wallet are written by a wallet: `wallet-wasm/tests/core/corpus.rs`.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (vectors, target) in [("payword", "messages_payword"), ("vendor-scrip", "messages_vendor_scrip")] {
        let messages = published(vectors);
        seeds.extend(messages.iter().map(|(name, wire)| (target, name.clone(), bytes(wire))));
        // Cut off, a message of each is refused.
        let (name, wire) = &messages[0];
        let bytes = bytes(wire);
        seeds.push((target, format!("cut-{name}"), bytes[..bytes.len() / 2].to_vec()));
    }
    let paywords = published("payword");
    let of = |name: &str| bytes(&paywords.iter().find(|(found, _)| found == name).unwrap().1);
    for charge in ["charge-of-four-units", "last-charge"] {
        let both = [of("authority--countersigned"), of(charge)].join(&b'\n');
        seeds.push(("shop_payword", charge.to_owned(), both));
    }
    seeds.push(("shop_payword", "twice".to_owned(), [of("last-charge"), of("last-charge")].join(&b'\n')));
    for (name, wire) in published("vendor-scrip").iter().filter(|(name, _)| name.starts_with("request")) {
        seeds.push(("shop_vendor_scrip", name.clone(), bytes(wire)));
        let mut dearer = wire.clone();
        dearer["price"] = "USD:9000000000".into();
        seeds.push(("shop_vendor_scrip", format!("dearer-{name}"), bytes(&dearer)));
    }
    for (name, wire) in published("scrip") {
        let recovery = ["c1-", "c2-", "h1-", "h2-", "n1-", "n2-"].iter().any(|step| name.starts_with(step));
        let target = if recovery { "messages_recovery" } else { "messages_scrip" };
        if name.starts_with("r2-") {
            seeds.push(("envelopes", name.clone(), bytes(&wire)));
            let mut other = wire.clone();
            other["header"]["serverDate"] = 1.into();
            seeds.push(("envelopes", format!("altered-{name}"), bytes(&other)));
        }
        for part in ["scrip", "offer", "order", "receipt", "header", "terms"] {
            if wire[part].is_object() {
                let line = wire[part].to_string();
                seeds.push((
                    "canonical",
                    format!("{part}-of-{name}"),
                    format!("{line}\n{line}").into_bytes(),
                ));
            }
        }
        seeds.push((target, name.clone(), bytes(&wire)));
    }
    let center = tuppence_fuzz::center::seeds();
    seeds.extend(center.into_iter().map(|(name, bytes)| ("center", name.to_owned(), bytes)));
    for (target, made) in [
        ("demands", tuppence_fuzz::requests::demanded()),
        ("requests", tuppence_fuzz::requests::seeds()),
        ("session_keys", tuppence_fuzz::session_keys::seeds()),
    ] {
        seeds.extend(made.into_iter().map(|(name, bytes)| (target, name.to_owned(), bytes)));
    }
    seeds.push(("records", "budget".to_owned(), budget()));
    seeds.push(("records", "budget-in-paywords".to_owned(), budget_in_paywords()));
    for article in ["bread", "walk/parts/2"] {
        let cookie = tuppence_fuzz::shop::cookie_of(article);
        let name = article.replace('/', "-");
        seeds.push(("cookies", format!("of-{name}"), format!("{article}\n{cookie}").into_bytes()));
        seeds.push(("cookies", format!("of-another-than-{name}"), format!("tram\n{cookie}").into_bytes()));
    }
    let refused = vectors("refused");
    for (index, case) in refused["messages"].as_array().unwrap().iter().enumerate() {
        let text = case["text"].as_str().unwrap();
        for target in ["messages_scrip", "messages_recovery", "canonical"] {
            seeds.push((target, format!("refused-{index}"), text.into()));
        }
    }
    for (index, text) in refused["amounts"].as_array().unwrap().iter().enumerate() {
        seeds.push(("spellings", format!("refused-amount-{index}"), text.as_str().unwrap().into()));
    }
    for folder in ["content", "campaigns"] {
        let target = if folder == "content" { "articles" } else { "campaigns" };
        for (name, text) in samples(folder) {
            seeds.push((target, name, text));
        }
    }
    for (index, words) in vectors("bip39")["english"].as_array().unwrap().iter().take(6).enumerate() {
        seeds.push(("words", format!("bip39-{index}"), words[1].as_str().unwrap().into()));
    }
    seeds.extend(by_hand());
    seeds
}

/// A budget at a shop, as a wallet keeps it.
fn budget() -> Vec<u8> {
    budget_with(serde_json::json!({}))
}

/// The same in paywords, as a wallet without a browser keeps it.
fn budget_in_paywords() -> Vec<u8> {
    let published = published("payword");
    let order = published.iter().find_map(|(_, wire)| wire.get("certificate").map(|_| wire)).unwrap();
    budget_with(serde_json::json!({"authorised": {"end": "AQIDBA", "order": order}}))
}

fn budget_with(more: Value) -> Vec<u8> {
    let of = |vectors: &str, part: fn(&Value) -> Option<&Value>| {
        published(vectors).iter().find_map(|(_, wire)| part(wire).cloned()).unwrap()
    };
    // In the order of the alphabet: whether serde_json keeps another one depends on what is built beside this.
    let mut record = serde_json::json!({
        "asking": true,
        "expires": 1_800_000_000_000_u64,
        "held": "AQIDBA",
        "left": "USD:0.47",
        "order": of("vendor-scrip", |wire| wire.get("nonce").map(|_| wire)),
        "receipt": of("scrip", |wire| wire.get("receipt").filter(|receipt| receipt["tranId"].is_string())),
        "shop": {"name": "The Shop", "origin": "https://shop.example"},
    });
    for (name, value) in more.as_object().unwrap() {
        record[name] = value.clone();
    }
    let record: BTreeMap<String, Value> = serde_json::from_value(record).unwrap();
    let record = serde_json::to_string(&record).unwrap();
    format!("budget/https%3A%2F%2Fshop.example\n{record}").into_bytes()
}

fn by_hand() -> impl Iterator<Item = Seed> {
    [
        (
            "articles",
            "toml",
            "+++\ntitle = \"Bread\"\nprice = 0.03\n+++\nOne.\n\n<!-- more -->\n\n<script>x()</script> *Two*",
        ),
        (
            "sites",
            "sold",
            "/stories/bread\n[[rule]]\npath = \"/stories/*\"\nprice = 0.03\nteaser = 20\n%%\n\
             <article><p>The oven is warm before the street.</p><p>The flour is older than the bakery.</p></article>",
        ),
        ("sites", "another-spelling", "/x/../stories;a/bread\n[[rule]]\npath = \"/stories/*\"\nclosed = true\n%%\n"),
        ("sites", "free", "/about\n[[rule]]\npath = \"/stories/*\"\nprice = 1\narticle = \"main > p:not(.lead)\"\n%%\n<p>"),
        ("sites", "wrong-rules", "/about\n[[rule]]\npath = \"stories\"\nprice = -1\n%%\n"),
        ("sites", "not-found", "/stories/bread\n[[rule]]\npath = \"/stories/*\"\nprice = 0.03\n%%\n<p>No article.</p>"),
        ("articles", "not-closed", "---\ntitle: Bread\n"),
        ("articles", "wrong-price", "---\ntitle: Bread\nprice: [1]\n---\nOne"),
        ("campaigns", "no-toml", "kind = quiz"),
        (
            "campaigns",
            "dear",
            "kind = \"survey\"\ntitle = \"a\"\nsponsor = \"b\"\nintro = \"c\"\nreward = 2\nbudget = 1",
        ),
        ("canonical", "amounts-that-differ", "\"USD:1\"\n\"USD:2\""),
        (
            "canonical",
            "ids-that-differ",
            "{\"secretId\":1,\"serialNumber\":2}\n{\"secretId\":1,\"serialNumber\":3}",
        ),
        ("copies", "cut", "{\"format\":\"tuppence-wallet\",\"version\":1"),
        ("copies", "newer", "{\"format\":\"tuppence-wallet\",\"version\":2}"),
        ("demands", "free", "https://shop.example/about#top\n200\n<p>All of it.</p>"),
        ("demands", "no-json", "https://shop.example/a\n402\n<p>Pay."),
        ("demands", "refused", "https://shop.example/a\n404\n{\"code\":\"not_found\",\"message\":\"Nothing.\"}"),
        ("demands", "no-address", "https://user@shop.example/a b\n402\n{}"),
        (
            "settings",
            "shop",
            "listen = \"0.0.0.0\"\nstorefront-origin = \"https://shop.example/\"\ntrusted-proxies = [\"10.0.0.1\"]\n\
             default-price = \"0.10\"\nbudget = \"USD:0.5\"\nbudget-days = 30\nsettle-minutes = 5\nlog-format = \"json\"\n",
        ),
        (
            "settings",
            "center",
            "center-origin = \"https://center.example:8443\"\ncurrency = \"EUR\"\nfee-basis-points = 250\n\
             payout-fee = \"0.25\"\npending-minutes = 10\nchallenge-bits = 20\nhash-algorithm = \"hmac-sha256\"\n",
        ),
        ("settings", "work-that-nobody-can-do", "challenge-bits = 200\n"),
        ("settings", "signs-in-a-port", "center-origin = \"http://localhost:+8080\"\n"),
        ("settings", "port-nought", "storefront-origin = \"https://shop.example:0\"\n"),
        ("settings", "odd-host", "upstream = \"http://-a..b.:80\"\nstorefront-origin = \"http://.\"\n"),
        ("settings", "another-currency", "currency = \"EUR\"\nbalance-max = \"USD:1\"\n"),
        ("settings", "unknown", "centre-name = \"x\"\n"),
        ("files_of_pictures", "beside", "coin.png"),
        ("files_of_pictures", "above", "../coin.webp"),
        ("files_of_pictures", "out", "../../../coin.png"),
        ("files_of_pictures", "elsewhere", "https://example.org/coin.png"),
        ("files_of_pictures", "encoded", "%2e%2e/coin%00.png"),
        ("records", "answer", "answer/https%3A%2F%2Fshop.example/quiz\n\"earned\""),
        ("records", "unknown", "else/1\n{}"),
        ("records", "cut", "wallet\n{\"version\":2"),
        ("records", "fraction", "wallet\n{\"version\":2.5}"),
        ("spellings", "sum", "USD:0.03\nUSD:1.000001"),
        ("spellings", "largest", "USD:9007199254.740991\nUSD:0.000001"),
        ("spellings", "two-currencies", "USD:1\nEUR:1"),
        ("spellings", "origin", "HTTPS://Shop.Example:443/"),
        ("spellings", "origin-6", "http://[::1]:8080"),
        ("spellings", "order", "cash-out:USD:5:GB33 BUKB 2020 1555 5555 55"),
        ("spellings", "control", "USD:1\u{7}"),
        ("spellings", "identifier", "AQIDBAUGBwgJCgsMDQ4PEA"),
        ("words", "few", "legal winner thank"),
        ("words", "short", "LEGA winn than year wave saus wort usef lega winn than yell"),
        ("words", "checksum", "legal winner thank year wave sausage worth useful legal winner thank thank"),
    ]
    .into_iter()
    .map(|(target, name, text)| (target, name.to_owned(), text.into()))
}

/// The messages of published vectors: a name that fits a file, and the JSON.
fn published(name: &str) -> Vec<(String, Value)> {
    let vectors = vectors(name);
    let messages = vectors["messages"].as_array().unwrap();
    messages.iter().map(|vector| (slug(vector["name"].as_str().unwrap()), vector["wire"].clone())).collect()
}

fn slug(name: &str) -> String {
    name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

fn vectors(name: &str) -> Value {
    let path = root().join("protocol/vectors").join(format!("{name}.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The texts of the sample shop in a folder.
fn samples(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("examples/shop").join(folder);
    let files = super::files(&folder);
    let text = |path: &PathBuf| path.extension().is_some_and(|end| end == "md" || end == "toml");
    files
        .into_iter()
        .filter(text)
        .map(|path| (slug(path.strip_prefix(&folder).unwrap().to_str().unwrap()), fs::read(path).unwrap()))
        .collect()
}

fn bytes(wire: &Value) -> Vec<u8> {
    wire.to_string().into_bytes()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
