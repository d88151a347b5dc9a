//! Deposits and withdrawals over HTTP: once for each reference, also after a restart.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, test};
use serde_json::{Value, json};
use tuppence_protocol::scrip::center::{Center, Policy};
use tuppence_protocol::{Currency, HashAlgorithm, VendorId};

use super::schema;
use crate::center::CenterRules;
use crate::center::keys::KeyFile;
use crate::clock::SystemClock;
use crate::http::center::{CenterApi, OPENAPI, Settings, site};
use crate::http::peer::TrustedProxies;
use crate::http::stopping::Stopping;
use crate::store::committer::{Committer, Limits};
use crate::store::sqlite::SqliteStore;

fn server(name: &str) -> VendorId {
    VendorId {
        dns_name: format!("{name}.example").parse().unwrap(),
        ip_addr: None,
        server_name: name.parse().unwrap(),
        port: 443,
    }
}

/// Making a key takes seconds, so the tests share one.
static KEYS: LazyLock<Arc<KeyFile>> =
    LazyLock::new(|| Arc::new(KeyFile::generate(server("center")).unwrap()));

/// A center over the database at `path`.
struct Running {
    committer: Committer<CenterRules>,
    api: actix_web::web::Data<CenterApi>,
}

impl Running {
    fn start(path: &Path) -> Self {
        let center = Center {
            keys: KEYS.center_keys(HashAlgorithm::HmacSha256, false),
            policy: Policy::new(Currency::USD),
        };
        let store = Box::new(SqliteStore::open(path, Currency::USD).unwrap());
        let rules = CenterRules::new(center.clone());
        let committer = Committer::start(store, rules, Arc::new(SystemClock), Limits::default()).unwrap();
        let settings = Settings {
            origin: "https://center.example".parse().unwrap(),
            wallet_site: path.with_extension("site"),
            registrations_per_minute: NonZeroU32::MIN,
            decryptions_max: 1,
            trusted_proxies: TrustedProxies::default(),
        };
        let (_, stopping) = Stopping::new();
        let handle = committer.handle();
        let api = CenterApi::new(center, KEYS.clone(), handle, Arc::new(SystemClock), settings, stopping);
        Running { committer, api }
    }

    /// The status and body of a POST by the operator.
    async fn post(&self, path: &str, body: &Value) -> (u16, String) {
        let configure = site(self.api.clone()).configure;
        let app = test::init_service(App::new().configure(|config| configure(config))).await;
        let request = test::TestRequest::post()
            .uri(&format!("/api/v1/operator{path}"))
            .insert_header((AUTHORIZATION, format!("Bearer {}", *KEYS.operator_token())))
            .set_json(body);
        let response = test::call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        (status, String::from_utf8(test::read_body(response).await.to_vec()).unwrap())
    }

    /// What the first shop has.
    async fn balance(&self) -> String {
        let secret = KEYS.operator_token();
        let again = json!({"vendorId": server("shop"), "origin": "https://shop.example", "secret": *secret});
        let (status, body) = self.post("/vendors", &again).await;
        assert_eq!(status, 200, "{body}");
        let vendor: Value = serde_json::from_str(&body).unwrap();
        vendor["balance"].as_str().unwrap().to_owned()
    }
}

fn money(reference: &str, amount: &str) -> Value {
    json!({"number": 1, "amount": amount, "reference": reference})
}

#[actix_web::test]
async fn money_sent_twice_moves_once_and_is_answered_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("center.db");
    let running = Running::start(&path);
    assert_eq!(running.balance().await, "USD:0");
    let (deposit, withdrawal) = (money("invoice 7", "USD:5"), money("invoice 8", "USD:5"));
    let deposited = running.post("/vendors/deposit", &deposit).await;
    let withdrawn = running.post("/vendors/withdraw", &withdrawal).await;
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    for (reply, reference, direction) in
        [(&deposited, "invoice 7", "deposit"), (&withdrawn, "invoice 8", "withdrawal")]
    {
        assert_eq!(reply.0, 200, "{}", reply.1);
        let body: Value = serde_json::from_str(&reply.1).unwrap();
        assert!(schema(&document, "MovementView").is_valid(&body), "{body}");
        assert_eq!((&body["reference"], &body["direction"]), (&json!(reference), &json!(direction)));
        assert_eq!((&body["number"], &body["amount"]), (&json!(1), &json!("USD:5")));
    }

    assert_eq!(running.post("/vendors/deposit", &deposit).await, deposited);
    running.committer.stop().unwrap();
    let running = Running::start(&path);
    assert_eq!(running.post("/vendors/deposit", &deposit).await, deposited);
    assert_eq!(running.post("/vendors/withdraw", &withdrawal).await, withdrawn);
    assert_eq!(running.balance().await, "USD:0");
}

#[actix_web::test]
async fn a_reference_is_required_and_belongs_to_one_movement() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&folder.path().join("center.db"));
    assert_eq!(running.balance().await, "USD:0");
    let first = running.post("/vendors/deposit", &money("invoice 7", "USD:5")).await;
    assert_eq!(first.0, 200, "{}", first.1);
    let long = "x".repeat(101);
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    for (path, body, expected) in [
        ("/vendors/deposit", money("invoice 7", "USD:6"), (409, "transaction_conflict")),
        ("/vendors/withdraw", money("invoice 7", "USD:5"), (409, "transaction_conflict")),
        ("/vendors/deposit", json!({"number": 1, "amount": "USD:5"}), (400, "malformed")),
        ("/vendors/deposit", money("", "USD:5"), (400, "malformed")),
        ("/vendors/deposit", money(&long, "USD:5"), (400, "malformed")),
    ] {
        let (status, text) = running.post(path, &body).await;
        let reply: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, reply["code"].as_str().unwrap()), expected, "{body}: {text}");
        let described = schema(&document, "MoveMoney").is_valid(&body);
        assert_eq!(described, status == 409, "{body}: the description says otherwise");
    }
    assert_eq!(running.balance().await, "USD:5");
}
