//! The shop against a center that the test owns: a real server on a loopback port.

mod budgets;
mod earning;
pub(crate) mod fake_center;
mod funding;
mod selling;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tuppence_protocol::ids::EarnerId;
use tuppence_protocol::scrip::earner::Attestation;
use tuppence_protocol::scrip::issue::IssueRequest;
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::scrip::relay::CenterInit;
use tuppence_protocol::scrip::{Code, Header};
use tuppence_protocol::{Currency, KeyRing, Seal, Secret, Text, TranId};

use super::*;
use crate::http::client::client;

/// When the tests play: 15 January 2027.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
pub(crate) const ORIGIN: &str = "https://shop.example";
const SECRET_ID: u32 = 3;

/// A clock that the test moves.
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(TestClock(AtomicU64::new(NOW.as_millis())))
    }

    pub(crate) fn advance(&self, by: tuppence_protocol::Duration) {
        self.0.fetch_add(by.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn server(name: &str) -> VendorId {
    VendorId {
        dns_name: name.parse().unwrap(),
        ip_addr: None,
        server_name: Text::normalized(name).unwrap(),
        port: 443,
    }
}

pub(crate) fn vendor_secret() -> Secret {
    Secret::from_bytes([5; 32])
}

/// A shop in a folder of its own, and everything around it.
pub(crate) struct Stand {
    pub(crate) shop: Arc<Storefront>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) root: tempfile::TempDir,
}

pub(crate) fn settings(root: &Path, center_origin: &str) -> Settings {
    Settings {
        database: root.join("shop.db"),
        content: root.join("content"),
        upstream: None,
        campaigns: root.join("campaigns"),
        credentials: Credentials {
            vendor_id: server("shop.example"),
            secrets: KeyRing::new(SECRET_ID, vendor_secret()),
        },
        origin: ORIGIN.to_owned(),
        center_origin: center_origin.to_owned(),
        wallet_origin: "https://wallet.example".to_owned(),
        title: "The Shop".to_owned(),
        description: "Small things.".to_owned(),
        prices: Prices { currency: Currency::USD, default: None },
        hold: Duration::from_secs(20),
        held_max: 10,
        till: till::Terms {
            taken: true,
            suggested: "USD:0.5".parse().unwrap(),
            days: 30,
            settle_every: Duration::from_secs(600),
        },
    }
}

const BREAD: &str = "---\ntitle: Bread\nprice: 0.03\ndate: 2026-01-05\n---\nThe oven is warm.\n\n<!-- more -->\n\nZQX-PAID-WORDS.\n";
const FREE: &str = "---\ntitle: About\nprice: free\ndate: 2026-01-01\n---\nAll of it is free.\n";

const QUIZ: &str = "kind = \"quiz\"\ntitle = \"Coins\"\nsponsor = \"Mint\"\nintro = \"One question.\"\nreward = 0.04\nbudget = 2\n\
    [[questions]]\ntext = \"How many pence?\"\nchoices = [\"One\", \"Two\"]\nright = \"Two\"\n";
const SURVEY: &str = "kind = \"survey\"\ntitle = \"Ways\"\nsponsor = \"Tram\"\nintro = \"Tell us.\"\nreward = 0.03\nbudget = 1\n\
    [[questions]]\ntext = \"When?\"\nchoices = [\"Early\", \"Late\"]\n[[questions]]\ntext = \"What?\"\n";

/// A shop with a few files, which knows its center without having met it.
pub(crate) fn stand(center_origin: &str) -> Stand {
    stand_with(center_origin, |settings| settings)
}

pub(crate) fn stand_with(center_origin: &str, change: impl FnOnce(Settings) -> Settings) -> Stand {
    let root = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("content/bread.md", BREAD),
        ("content/about.md", FREE),
        ("campaigns/quiz.toml", QUIZ),
        ("campaigns/survey.toml", SURVEY),
    ] {
        let path = root.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let clock = TestClock::new();
    let shop = open(change(settings(root.path(), center_origin)), &clock);
    Stand { shop, clock, root }
}

/// Opens a shop that knows its center already.
pub(crate) fn open(settings: Settings, clock: &Arc<TestClock>) -> Arc<Storefront> {
    let known = KnownCenter { origin: settings.center_origin.clone(), center_id: server("center.example") };
    let store = ShopStore::open(&settings.database).unwrap();
    store.keep_setting(CENTER_SETTING, &serde_json::to_string(&known).unwrap()).unwrap();
    drop(store);
    Storefront::open(settings, clock.clone(), client(Duration::from_secs(30)).unwrap()).unwrap()
}

/// A shop of other folders, without a center.
pub(crate) fn shop_of(content: &Path, campaigns: &Path) -> Arc<Storefront> {
    let root = tempfile::tempdir().unwrap();
    let settings = Settings {
        content: content.to_owned(),
        campaigns: campaigns.to_owned(),
        ..settings(root.path(), "http://127.0.0.1:1")
    };
    open(settings, &TestClock::new())
}

pub(crate) fn receipt(kind: ReceiptKind, tran_id: TranId, subject: &str, amount: &str) -> Receipt {
    Receipt {
        kind,
        vendor_id: server("shop.example"),
        tran_id,
        subject: subject.parse().unwrap(),
        amount: amount.parse().unwrap(),
        date: NOW,
        secret_id: SECRET_ID,
        seal: Seal::from_bytes([0; 32]),
    }
    .sealed(&vendor_secret())
}

pub(crate) fn bread_receipt() -> Receipt {
    receipt(ReceiptKind::Payment, tran(7), "https://shop.example/articles/bread", "USD:0.03")
}

/// A WAV file of so many seconds, 8,000 samples of a byte each.
pub(crate) fn wav(seconds: u32, before: &[u8]) -> Vec<u8> {
    let sound = 8_000 * seconds;
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(8_000_u32.to_le_bytes());
    file.extend(8_000_u32.to_le_bytes());
    file.extend(b"\x01\0\x08\0");
    file.extend(before);
    file.extend(b"data");
    file.extend(sound.to_le_bytes());
    file.resize(file.len() + sound as usize, 128);
    let length = u32::try_from(file.len() - 8).unwrap();
    file[4..8].copy_from_slice(&length.to_le_bytes());
    file
}

pub(crate) fn tran(byte: u8) -> TranId {
    TranId::from_bytes([byte; 16])
}

pub(crate) fn init(code: Code, tran_id: TranId) -> CenterInit {
    CenterInit { header: Header::new(code, NOW), tran_id }
}

/// M1 of an attested earner.
pub(crate) fn m1(item: &str, answers: &[&str], earner: u8) -> IssueRequest {
    let earner = EarnerId::from_bytes([earner; 32]);
    IssueRequest {
        header: Header::new(Code::Gm1_1, NOW),
        item: item.parse().unwrap(),
        value: answers.iter().map(|answer| answer.parse().unwrap()).collect(),
        earner: Attestation::new(&server("shop.example"), earner, SECRET_ID, &vendor_secret()),
    }
}

/// What the center has said of the budgets.
pub(crate) fn set_aside(shop: &Storefront, item: &str, remaining: &str) {
    shop.budgets.rcu(|budgets| {
        let mut budgets = (**budgets).clone();
        let state = CampaignState {
            item: item.parse().unwrap(),
            budget: "USD:2".parse().unwrap(),
            remaining: remaining.parse().unwrap(),
        };
        budgets.insert(state.item.clone(), state);
        budgets
    });
}

#[tokio::test]
async fn a_shop_without_a_center_shows_its_articles_and_sells_none() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("content")).unwrap();
    std::fs::write(root.path().join("content/bread.md"), BREAD).unwrap();
    let settings = settings(root.path(), "http://127.0.0.1:1");
    let shop = Storefront::open(settings, TestClock::new(), client(Duration::from_secs(1)).unwrap()).unwrap();
    assert_eq!(shop.articles_view().articles.len(), 1);
    let declined = shop.quote(&selling::s1("https://shop.example/articles/bread")).await.unwrap_err();
    assert_eq!(declined.refusal.code, ErrorCode::CenterUnreachable);
    assert_eq!(declined.reply.unwrap().header.cmd_type, Code::Pm2_2);
}

#[tokio::test]
async fn changed_files_are_read_without_a_restart() {
    let stand = stand("http://127.0.0.1:1");
    let _running = stand.shop.start();
    let mut reloads = stand.shop.reloads();
    std::fs::write(stand.root.path().join("content/new.md"), FREE.replace("About", "New")).unwrap();
    std::fs::remove_file(stand.root.path().join("campaigns/quiz.toml")).unwrap();
    let done = async {
        loop {
            let added = stand.shop.catalogue().find("new", NOW).is_some();
            if added && stand.shop.campaigns().find(&"quiz".parse().unwrap()).is_none() {
                return;
            }
            reloads.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done).await.expect("the change was not seen");
}

#[test]
fn what_everybody_gets_holds_no_paid_word_and_no_right_answer() {
    let stand = stand("http://127.0.0.1:1");
    let shop = &stand.shop;
    let article = shop.catalogue().find("bread", NOW).unwrap().clone();
    let outputs = [
        shop.index_page().unwrap(),
        shop.article_page(&article, None).unwrap(),
        shop.atom_feed(),
        shop.rss_feed(),
        serde_json::to_string(&shop.articles_view()).unwrap(),
        serde_json::to_string(&shop.campaigns_view()).unwrap(),
        serde_json::to_string(&shop.campaign_detail(&"quiz".parse().unwrap()).unwrap()).unwrap(),
        serde_json::to_string(&shop.demand(&article)).unwrap(),
        format!("{article:?} {:?}", shop.campaigns()),
    ];
    for output in &outputs {
        assert!(!output.contains("ZQX"), "{output}");
        assert!(!output.contains("right"), "{output}");
    }
    assert!(shop.article_data(&article, None).is_none());
    assert!(outputs[0].contains("The oven is warm."));
    let whole = shop.article_page(&article, Some(catalogue::Entitlement::Cookie)).unwrap();
    assert!(whole.contains("ZQX-PAID-WORDS") && !whole.contains("Read for 3¢"));
}

#[test]
fn a_page_says_the_price_and_where_to_pay_and_tells_search_engines() {
    let stand = stand("http://127.0.0.1:1");
    let article = stand.shop.catalogue().find("bread", NOW).unwrap().clone();
    let page = stand.shop.article_page(&article, None).unwrap();
    let approve = "https://wallet.example/approve?shop=https%3A%2F%2Fshop%2Eexample&#38;article=bread";
    for part in [
        &format!("href=\"{approve}\">Read for 3¢</a>"),
        "\"isAccessibleForFree\":false",
        "\"cssSelector\":\".paid-part\"",
        "<link rel=\"canonical\" href=\"https://shop.example/articles/bread\">",
        "<meta property=\"og:title\" content=\"Bread\">",
        "application/atom+xml",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
}

#[test]
fn titles_and_names_are_escaped_wherever_they_appear() {
    let evil = "</script><img src=x onerror=alert(1)>&\\\"'";
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("content")).unwrap();
    let text = format!(
        "---\ntitle: \"{evil}\"\nauthor: \"{evil}\"\ntags: [\"{evil}\"]\ndescription: \"{evil}\"\nprice: 1\n---\nA.\n\n<!-- more -->\n\nB.\n"
    );
    std::fs::write(root.path().join("content/evil.md"), text).unwrap();
    let shop = shop_of(&root.path().join("content"), &root.path().join("campaigns"));
    let catalogue = shop.catalogue();
    let article = catalogue.articles(NOW).next().unwrap();
    for page in [
        shop.index_page().unwrap(),
        shop.article_page(article, None).unwrap(),
        shop.atom_feed(),
        shop.rss_feed(),
    ] {
        assert!(!page.contains("<img src=x"), "{page}");
        assert!(!page.contains("</script><img"), "{page}");
    }
}
