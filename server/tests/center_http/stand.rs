//! A center that runs, one shop that works with it, and a client that checks every answer against the description.

use std::net::TcpListener;
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use tuppence_protocol::scrip::center::{Center, Policy};
use tuppence_protocol::scrip::seller::{Fresh, Seller};
use tuppence_protocol::{
    Currency, ErrorBody, ErrorCode, HashAlgorithm, KeyRing, Secret, Timestamp, VendorId,
};
use tuppence_server::center::CenterRules;
use tuppence_server::center::keys::KeyFile;
use tuppence_server::clock::{Clock, SystemClock};
use tuppence_server::http::center::{self, CenterApi, OPENAPI, PREFIX, Settings};
use tuppence_server::http::client::client;
use tuppence_server::http::peer::TrustedProxies;
use tuppence_server::http::site::Limits;
use tuppence_server::http::stopping::{Stop, Stopping};
use tuppence_server::store::committer::{self, Committer};
use tuppence_server::store::sqlite::SqliteStore;

/// Making a key takes seconds, so all tests share one.
static KEYS: LazyLock<Arc<KeyFile>> =
    LazyLock::new(|| Arc::new(KeyFile::generate(vendor_id("center")).unwrap()));

/// The API's description.
pub static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(OPENAPI).unwrap());

/// What the shop shares with the center.
pub const SHOP_SECRET: [u8; 32] = [7; 32];

/// How a stand differs from the usual.
#[derive(Clone)]
pub struct Options {
    pub limits: Limits,
    pub registrations_per_minute: u32,
    pub trusted_proxies: TrustedProxies,
}

impl Default for Options {
    fn default() -> Self {
        let limits = Limits { workers: 1, shutdown_time_max: Duration::from_secs(1), ..Limits::default() };
        Options { limits, registrations_per_minute: 1_000, trusted_proxies: TrustedProxies::default() }
    }
}

/// A center with a shop.
pub struct Stand {
    pub origin: String,
    pub http: Client,
    pub seller: Seller,
    pub folder: TempDir,
    options: Options,
    running: Option<Running>,
}

struct Running {
    committer: Committer<CenterRules>,
    server: ServerHandle,
    stop: Stop,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Stand {
    /// A center with a shop that has 100 dollars.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// The same, with other limits.
    pub async fn with(options: Options) -> Self {
        let secrets = KeyRing::new(1, Secret::from_bytes(SHOP_SECRET));
        let seller = Seller::new(vendor_id("shop"), KEYS.center_id().clone(), secrets).unwrap();
        let http = client(Duration::from_secs(60)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut stand = Stand { origin: String::new(), http, seller, folder, options, running: None };
        stand.resume();
        if stand.options.limits.in_flight_max > 0 {
            stand.welcome_shop().await;
        }
        stand
    }

    async fn welcome_shop(&self) {
        let secret = Secret::from_bytes(SHOP_SECRET);
        let new =
            json!({"vendorId": self.seller.vendor_id(), "origin": "https://shop.example", "secret": secret});
        self.operate("/operator/vendors", &new).await.expect(200);
        let money = json!({"number": 1, "amount": "USD:100", "reference": "opening"});
        self.operate("/operator/vendors/deposit", &money).await.expect(200);
    }

    /// Starts the center over its folder.
    pub fn resume(&mut self) {
        self.resume_at(TcpListener::bind(("127.0.0.1", 0)).unwrap());
    }

    /// Starts the center over its folder, where those who know it look for it.
    pub fn resume_where_it_was(&mut self) {
        let address = self.origin.trim_start_matches("http://").to_owned();
        self.resume_at(TcpListener::bind(address).unwrap());
    }

    fn resume_at(&mut self, listener: TcpListener) {
        self.origin = format!("http://{}", listener.local_addr().unwrap());
        let amount = |text: &str| text.parse().unwrap();
        let policy = Policy {
            challenge_bits: 8,
            fee_basis_points: 1_000,
            payout_threshold: amount("USD:0.5"),
            payout_fee: amount("USD:0.1"),
            ..Policy::new(Currency::USD)
        };
        let center = Center { keys: KEYS.center_keys(HashAlgorithm::HmacSha256, false), policy };
        let store = SqliteStore::open(&self.folder.path().join("center.sqlite"), Currency::USD).unwrap();
        let clock = Arc::new(SystemClock);
        let rules = CenterRules::new(center.clone());
        let limits = committer::Limits::default();
        let committer = Committer::start(Box::new(store), rules, clock.clone(), limits).unwrap();
        let settings = Settings {
            origin: self.origin.parse().unwrap(),
            wallet_site: self.folder.path().join("site"),
            registrations_per_minute: NonZeroU32::new(self.options.registrations_per_minute).unwrap(),
            decryptions_max: 2,
            trusted_proxies: self.options.trusted_proxies.clone(),
        };
        let (stop, stopping) = Stopping::new();
        let api = CenterApi::new(center, KEYS.clone(), committer.handle(), clock, settings, stopping);
        let server = center::site(api).serve(listener, self.options.limits).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        self.running = Some(Running { committer, server: handle, stop });
    }

    /// Stops the center as the program does.
    pub async fn stop(&mut self) {
        let Running { committer, server, stop } = self.running.take().unwrap();
        stop.now();
        server.stop(true).await;
        actix_web::web::block(move || committer.stop().map(drop)).await.unwrap().unwrap();
    }

    /// The signal alone, while the center still answers.
    pub fn tell_stopping(&self) {
        self.running.as_ref().unwrap().stop.now();
    }

    /// How many requests the center holds.
    pub fn held(&self) -> usize {
        self.running.as_ref().unwrap().committer.handle().ended().waiting()
    }

    pub fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// For an offer of the shop.
    pub fn fresh(&self) -> Fresh {
        Fresh { now: self.now(), random: random() }
    }

    /// A request to the API.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{PREFIX}{path}", self.origin))
    }

    /// A message; the answer must be as the description says.
    pub async fn post<T: Serialize>(&self, path: &str, message: &T) -> Answer {
        let answer = send(self.request(Method::POST, path).json(message)).await;
        answer.fits("post", path);
        answer
    }

    /// A message of the operator.
    pub async fn operate<T: Serialize>(&self, path: &str, message: &T) -> Answer {
        let token = KEYS.operator_token();
        let answer = send(self.request(Method::POST, path).bearer_auth(token.as_str()).json(message)).await;
        answer.fits("post", path);
        answer
    }

    /// A question; `template` is its path in the description.
    pub async fn get(&self, path: &str, template: &str) -> Answer {
        let token = KEYS.operator_token();
        let answer = send(self.request(Method::GET, path).bearer_auth(token.as_str())).await;
        answer.fits("get", template);
        answer
    }

    /// Anything outside the API.
    pub async fn page(&self, path: &str) -> Answer {
        send(self.http.get(format!("{}{path}", self.origin))).await
    }
}

/// The operator's token.
pub fn operator_token() -> String {
    KEYS.operator_token().to_string()
}

/// Sends a request; no answer is ever a 500, and each has its id.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.unwrap().to_vec();
    let answer = Answer { status, headers, body };
    assert_ne!(status, 500, "{}", answer.text());
    assert!(answer.headers.contains_key("x-request-id"));
    answer
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The answer, which has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The refusal, which has its code's status.
    #[track_caller]
    pub fn refused(&self) -> ErrorBody {
        let body: ErrorBody = self.json();
        assert_eq!(self.status, body.code.status(), "{}", self.text());
        body
    }

    /// That it was refused for this reason.
    #[track_caller]
    pub fn refused_for(&self, code: ErrorCode) -> ErrorBody {
        let body = self.refused();
        assert_eq!(body.code, code, "{}", self.text());
        body
    }

    /// Checks the body against what the description says of `path`.
    #[track_caller]
    fn fits(&self, method: &str, path: &str) {
        self.fits_in(&DESCRIPTION, method, path);
    }

    /// Checks the body against what a description says of `path`.
    #[track_caller]
    pub fn fits_in(&self, description: &Value, method: &str, path: &str) {
        let operation = &description["paths"][path][method];
        assert!(operation.is_object(), "{method} {path} is not described");
        let mut schema = if self.status == 200 {
            operation["responses"]["200"]["content"]["application/json"]["schema"].clone()
        } else {
            json!({"$ref": "#/components/schemas/ErrorBody"})
        };
        assert!(schema.is_object(), "{method} {path} has no schema");
        schema["components"] = description["components"].clone();
        let schema = jsonschema::draft202012::new(&schema).unwrap();
        let body: Value = self.json();
        let errors: Vec<_> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{method} {path}: {errors:?} in {body}");
    }
}

/// Asks again and again until it is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

fn vendor_id(name: &str) -> VendorId {
    VendorId {
        dns_name: format!("{name}.example").parse().unwrap(),
        ip_addr: None,
        server_name: name.parse().unwrap(),
        port: 443,
    }
}
