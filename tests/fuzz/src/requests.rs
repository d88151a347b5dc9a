//! What programs ask a storefront with: the headers of a GET, by which it decides who may have an article, and in which form.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, VARY, WWW_AUTHENTICATE};
use actix_web::http::{StatusCode, Uri};
use actix_web::rt::Runtime;
use actix_web::{App, test};
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::{Currency, KeyRing, Seal, Secret, Timestamp, TranId, VendorId, bytes};
use tuppence_server::http::client::client;
use tuppence_server::http::message::decode;
use tuppence_server::http::site::Site;
use tuppence_server::http::stopping::Stopping;
use tuppence_server::http::storefront::{StorefrontApi, site};
use tuppence_server::storefront::catalogue::fields::Prices;
use tuppence_server::storefront::credentials::Credentials;
use tuppence_server::storefront::ports::{Ports, Random};
use tuppence_server::storefront::store::{ShopStore, StoreHandle};
use tuppence_server::storefront::till::{DAYS, SETTLE_EVERY, Terms};
use tuppence_server::storefront::{Settings, Storefront};
use tuppence_wallet::ports::Response;

use crate::demands;
use crate::message::written;
use crate::target::Verdict;

const ORIGIN: &str = "https://shop.example";
/// The shop's articles: those of a shop of the simulator.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sim/shops/bread");
const SECRET: [u8; 32] = [3; 32];
/// What nobody gets who has not paid.
const PAID: &str = "PAID WORDS";
const HEADERS_MAX: usize = 16;

/// A path, and headers, in lines: paid words go to who shows the receipt or the cookie of that article, a 402 is one that a
/// wallet reads, and nothing is a fault.
pub fn headers(input: &[u8]) -> Verdict {
    let mut lines = input.split(|byte| *byte == b'\n');
    let Some(path) = lines.next().and_then(|path| str::from_utf8(path).ok()) else { return Verdict::Refused };
    if !path.starts_with('/') || path.parse::<Uri>().is_err() {
        return Verdict::Refused;
    }
    let headers: Vec<_> = lines.take(HEADERS_MAX).filter_map(header).collect();
    let Answer { status, names, body } = answer(path, &headers);
    assert!(!status.is_server_error(), "{path}: {status}");
    let body = String::from_utf8_lossy(&body);
    if body.contains(PAID) {
        assert!(status.is_success() && may_have(&body, &headers), "{path} goes to somebody who has not paid");
        assert!(names.contains(&VARY), "a cache would give {path} to others");
        return Verdict::Taken;
    }
    if status == StatusCode::PAYMENT_REQUIRED {
        assert!(names.contains(&WWW_AUTHENTICATE) && names.contains(&VARY));
        let url = format!("{ORIGIN}{}", path.split(['?', '#']).next().unwrap_or_default());
        demands::read(&url, Response { status: status.as_u16(), body: body.as_bytes().to_vec() });
    }
    Verdict::Refused
}

/// A line of `name: value`, as HTTP takes it.
fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value[1..].trim_ascii()).ok()?))
}

/// Whether one of the headers is the receipt or has the cookie of the article that the body has.
fn may_have(body: &str, headers: &[(HeaderName, HeaderValue)]) -> bool {
    let of =
        |name: HeaderName| headers.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value);
    ["oven", "flour", "yeast"].into_iter().filter(|slug| body.contains(&format!("{PAID} OF {slug}"))).all(
        |slug| {
            let receipt = written(&receipt(slug));
            let shown = |value: &HeaderValue| {
                let text = value.to_str().ok().and_then(|value| value.split_once(' '));
                let json = text.and_then(|(_, receipt)| bytes::decode(receipt.trim()).ok());
                json.and_then(|json| decode::<Receipt>(&json).ok())
                    .is_some_and(|shown| written(&shown) == receipt)
            };
            let cookie = SHOP.cookies().seal(slug);
            let kept = |value: &HeaderValue| unescaped(value.as_bytes()).contains(&cookie);
            of(AUTHORIZATION).any(shown) || of(COOKIE).any(kept)
        },
    )
}

/// A cookie's header as actix reads it: escapes such as `%41` are letters, and other bytes don't matter here.
fn unescaped(value: &[u8]) -> String {
    let mut parts = value.split(|byte| *byte == b'%');
    let mut plain = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => plain.extend([&[byte], &part[2..]].concat()),
            None => plain.extend([b"%", part].concat()),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// What asks for money, what has paid, and what is wrong: the corpus begins with them.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let oven = |header: &str| format!("/articles/oven\n{header}").into_bytes();
    let shown = |slug: &str| bytes::encode(&written(&receipt(slug)));
    let cookie = |slug: &str| format!("cookie: a=b; tuppence_article={}", SHOP.cookies().seal(slug));
    vec![
        ("a-program", oven("accept: application/json, text/html;q=0.5")),
        ("a-browser", oven("accept: text/html,application/xhtml+xml,*/*;q=0.8")),
        ("weights-that-are-none", oven("accept: text/html;q=2, application/json;q=0.+1,;=,")),
        ("a-receipt", oven(&format!("authorization: Tuppence {}", shown("oven")))),
        (
            "a-receipt-for-json",
            oven(&format!("accept: application/json\nauthorization: tuppence  {}", shown("oven"))),
        ),
        ("another-receipt", oven(&format!("authorization: Tuppence {}", shown("flour")))),
        ("no-receipt", oven("authorization: Tuppence AAAA")),
        ("another-scheme", oven("authorization: Basic YTpi")),
        ("a-cookie", oven(&cookie("oven"))),
        (
            "a-cookie-beside-odd-bytes",
            [oven("cookie: a=\u{d7}; b=%zz; ").as_slice(), &cookie("oven").as_bytes()[8..]].concat(),
        ),
        ("an-escaped-cookie", oven(&cookie("oven").replacen("article=Y", "article=%59", 1))),
        ("another-cookie", oven(&cookie("flour"))),
        ("the-list", b"/api/v1/articles\nrange: bytes=0-".to_vec()),
        ("counts", b"/metrics\naccept: text/plain".to_vec()),
        ("nowhere", b"/articles/%2e%2e%2foven\naccept: */*".to_vec()),
    ]
}

/// The answers to a program that has not paid, as wallets read them: the corpus of `demands` begins with them.
pub fn demanded() -> Vec<(&'static str, Vec<u8>)> {
    let asked = |slug: &str| {
        let path = format!("/articles/{slug}");
        let Answer { status, body, .. } = answer(&path, &[]);
        [format!("{ORIGIN}{path}\n{}\n", status.as_u16()).as_bytes(), &body].concat()
    };
    let elsewhere = String::from_utf8_lossy(&asked("yeast")).replacen(ORIGIN, "https://other.example", 1);
    vec![
        ("approved", asked("yeast")),
        ("cheaper", asked("flour")),
        ("too-dear", asked("oven")),
        ("of-another-shop", elsewhere.into_bytes()),
    ]
}

/// What was answered: the status, the names of the headers, and the body.
struct Answer {
    status: StatusCode,
    names: Vec<HeaderName>,
    body: Vec<u8>,
}

fn answer(path: &str, headers: &[(HeaderName, HeaderValue)]) -> Answer {
    thread_local! {
        // Never dropped: what it is made of needs what the thread has dropped by then.
        static SERVED: &'static Served = Box::leak(Box::new(Served::new()));
    }
    SERVED.with(|served| {
        let mut request = test::TestRequest::get().uri(path);
        for header in headers {
            request = request.append_header(header.clone());
        }
        served.runtime.block_on((served.call)(request))
    })
}

type Later<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;

/// The shop behind its routes, on one thread.
struct Served {
    runtime: Runtime,
    call: Box<dyn Fn(test::TestRequest) -> Later<Answer>>,
}

impl Served {
    fn new() -> Self {
        let runtime = Runtime::new().expect("a thread may have a runtime");
        let (stop, stopping) = Stopping::new();
        let api = StorefrontApi::new(SHOP.clone(), stopping);
        let Site { metrics, configure, .. } = site(api);
        let app = App::new().app_data(metrics).configure(move |config| configure(config));
        let app = std::rc::Rc::new(runtime.block_on(test::init_service(app)));
        let call = move |request: test::TestRequest| -> Later<Answer> {
            let app = app.clone();
            let _running = &stop;
            Box::pin(async move {
                let response = app.call(request.to_request()).await;
                let response = response.unwrap_or_else(|error| {
                    let request = test::TestRequest::default().to_http_request();
                    ServiceResponse::from_err(error, request).map_into_boxed_body()
                });
                let (_, response) = response.into_parts();
                let names = response.headers().keys().cloned().collect();
                let status = response.status();
                let body = actix_web::body::to_bytes(response.into_body().boxed()).await;
                Answer { status, names, body: body.expect("a body in memory is read").to_vec() }
            })
        };
        Served { runtime, call: Box::new(call) }
    }
}

/// A shop that knows its center and never reaches it.
static SHOP: LazyLock<Arc<Storefront>> = LazyLock::new(|| {
    let folder = Path::new(FOLDER);
    let settings = Settings {
        database: folder.join("none.db"),
        content: folder.join("content"),
        upstream: None,
        campaigns: folder.join("campaigns"),
        credentials: Credentials {
            vendor_id: server("shop"),
            secrets: KeyRing::new(1, Secret::from_bytes(SECRET)),
        },
        origin: ORIGIN.to_owned(),
        center_origin: demands::CENTER.to_owned(),
        wallet_origin: demands::CENTER.to_owned(),
        title: "Bread".to_owned(),
        description: "Sells articles.".to_owned(),
        prices: Prices { currency: Currency::USD, default: None },
        hold: Duration::from_secs(1),
        held_max: 1,
        till: Terms {
            taken: true,
            suggested: "USD:0.1".parse().expect("an amount"),
            days: DAYS,
            settle_every: SETTLE_EVERY,
        },
    };
    let store = ShopStore::in_memory().expect("SQLite has memory");
    let known = format!(r#"{{"origin":"{}","centerId":{}}}"#, demands::CENTER, json(&server("center")));
    store.keep_setting("center", &known).expect("it is kept");
    let system = Ports::system(client(Duration::from_secs(1)).expect("a client"), &settings.center_origin);
    let ports = Ports { random: Arc::new(Nines), ..system };
    Storefront::on(settings, ports, StoreHandle::here(Arc::new(store))).expect("the shop opens")
});

/// No chance at all: the shop's cookies are the same at every run.
struct Nines;

impl Random for Nines {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        bytes.fill(9);
        Ok(())
    }
}

fn json(id: &VendorId) -> String {
    String::from_utf8_lossy(&written(id)).into_owned()
}

fn server(name: &str) -> VendorId {
    VendorId {
        dns_name: format!("{name}.example").parse().expect("a name"),
        ip_addr: None,
        server_name: name.parse().expect("a name"),
        port: 443,
    }
}

fn receipt(slug: &str) -> Receipt {
    Receipt {
        kind: ReceiptKind::Payment,
        vendor_id: server("shop"),
        tran_id: TranId::from_bytes([7; 16]),
        subject: format!("{ORIGIN}/articles/{slug}").parse().expect("an address"),
        amount: "USD:0.03".parse().expect("an amount"),
        date: Timestamp::from_millis(1_800_000_000_000),
        secret_id: 1,
        seal: Seal::from_bytes([0; 32]),
    }
    .sealed(&Secret::from_bytes(SECRET))
}
