//! A center that says what the test wants: `/relay` is held until the test has ended the transaction.

use std::collections::{BTreeMap, HashMap};
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use actix_web::{App, HttpResponse, HttpServer, web};
use tokio::sync::Notify;
use tuppence_protocol::payword::{Deposit, Paid};
use tuppence_protocol::scrip::campaign::CampaignFunding;
use tuppence_protocol::scrip::info::CenterInfo;
use tuppence_protocol::scrip::relay::{Outcome, RelayReply, RelayRequest};
use tuppence_protocol::vendor_scrip::{Licence, Licensed, Settled, Settlement};
use tuppence_protocol::{Amount, ErrorBody, PublicKeys};

use super::*;

/// What the test decides, and what it sees.
#[derive(Default)]
pub(crate) struct Center {
    outcomes: Mutex<HashMap<TranId, Outcome>>,
    ended: Notify,
    /// The center's clock, in milliseconds.
    pub(crate) now: AtomicU64,
    /// Whether `/relay` answers at once instead of holding.
    pub(crate) hurried: AtomicBool,
    /// How often `/relay` was asked.
    pub(crate) asked: AtomicUsize,
    /// Budgets as they came, in order.
    pub(crate) funded: Mutex<Vec<(String, Amount)>>,
    /// Whether the till's messages find nobody.
    pub(crate) down: AtomicBool,
    /// Whether the till's messages are taken, and their answers lost.
    pub(crate) losing: AtomicBool,
    /// Whether deposits are answered only once the first of these is false again, and settlements the second.
    pub(crate) slow: [AtomicBool; 2],
    /// Which of its keys the center publishes, by number.
    pub(crate) keys: AtomicU32,
    /// Deposits as they came, in order.
    pub(crate) deposits: Mutex<Vec<Deposit>>,
    /// Settlements as they came, in order.
    pub(crate) settlements: Mutex<Vec<Settlement>>,
    /// Licences, by number.
    pub(crate) licences: Mutex<BTreeMap<u32, Licensed>>,
}

/// What the center countersigns budgets with.
pub(crate) fn center_key(number: u32) -> Secret {
    Secret::from_bytes([0xC0 | u8::try_from(number).unwrap(); 32])
}

impl Center {
    /// Ends a transaction.
    pub(crate) fn end(&self, tran_id: TranId, outcome: Outcome) {
        self.outcomes.lock().unwrap().insert(tran_id, outcome);
        self.ended.notify_waiters();
    }

    /// Answers what is held, as it stands.
    pub(crate) fn release(&self) {
        self.hurried.store(true, Ordering::SeqCst);
        self.ended.notify_waiters();
    }

    /// Until the test lets it answer.
    async fn takes_its_time(&self, which: usize) {
        while self.slow[which].load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    fn outcome(&self, tran_id: TranId) -> Outcome {
        self.outcomes.lock().unwrap().get(&tran_id).cloned().unwrap_or(Outcome::Open)
    }
}

/// The center at its own origin; it ends with the test.
pub(crate) async fn serve() -> (Arc<Center>, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let center = Arc::new(Center::default());
    center.now.store(NOW.as_millis(), Ordering::SeqCst);
    center.keys.store(1, Ordering::SeqCst);
    let data = web::Data::from(center.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .route("/api/v1/center", web::get().to(info))
            .route("/api/v1/relay", web::post().to(relay))
            .route("/api/v1/campaigns", web::post().to(fund))
            .route("/api/v1/payword/keys", web::get().to(keys))
            .route("/api/v1/payword/deposit", web::post().to(deposit))
            .route("/api/v1/vendor-scrip/licence", web::post().to(licence))
            .route("/api/v1/vendor-scrip/settlement", web::post().to(settle))
    });
    let server = server.workers(1).disable_signals().shutdown_timeout(0).listen(listener).unwrap().run();
    tokio::spawn(server);
    (center, origin)
}

async fn info() -> HttpResponse {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../../protocol/vectors/scrip.json")).unwrap();
    let public_key: tuppence_protocol::envelope::CenterPublicKey =
        serde_json::from_value(vectors["center_public_key"].clone()).unwrap();
    HttpResponse::Ok().json(CenterInfo {
        center_id: server("center.example"),
        origin: "https://center.example".parse().unwrap(),
        currency: Currency::USD,
        fingerprint: public_key.fingerprint(),
        public_key,
        hash_algorithm: tuppence_protocol::HashAlgorithm::HmacSha256,
        fee_basis_points: 0,
        payout_threshold: "USD:1".parse().unwrap(),
        payout_fee: "USD:0".parse().unwrap(),
        balance_max: "USD:100".parse().unwrap(),
        pending_minutes: 10,
        server_date: NOW,
        protocol_version: tuppence_protocol::PROTOCOL_VERSION,
    })
}

async fn relay(center: web::Data<Center>, request: web::Json<RelayRequest>) -> HttpResponse {
    assert!(request.holds(&vendor_secret()));
    center.asked.fetch_add(1, Ordering::SeqCst);
    loop {
        let ended = center.ended.notified();
        tokio::pin!(ended);
        ended.as_mut().enable();
        let outcome = center.outcome(request.tran_id);
        if !matches!(outcome, Outcome::Open) || center.hurried.load(Ordering::SeqCst) {
            let now = Timestamp::from_millis(center.now.load(Ordering::SeqCst));
            let reply = RelayReply {
                header: Header::new(request.header.cmd_type, now),
                tran_id: request.tran_id,
                outcome,
                secret_id: SECRET_ID,
                seal: Seal::from_bytes([0; 32]),
            };
            return HttpResponse::Ok().json(reply.sealed(&vendor_secret()));
        }
        ended.await;
    }
}

async fn fund(center: web::Data<Center>, funding: web::Json<CampaignFunding>) -> HttpResponse {
    assert!(funding.holds(&vendor_secret()));
    center.funded.lock().unwrap().push((funding.item.to_string(), funding.budget));
    if funding.item.as_str() == "survey" && !funding.budget.is_zero() {
        let refusal = Refusal::new(ErrorCode::FundsInsufficient, "The account is empty.");
        return HttpResponse::Conflict().json(ErrorBody::from(&refusal));
    }
    HttpResponse::Ok().json(CampaignState {
        item: funding.item.clone(),
        budget: funding.budget,
        remaining: funding.budget,
    })
}

/// The till's message is answered with what `made` makes, unless the center is down or the answer is lost.
fn till<T: Serialize>(center: &Center, made: impl FnOnce() -> T) -> HttpResponse {
    if center.down.load(Ordering::SeqCst) {
        return HttpResponse::BadGateway().finish();
    }
    let made = made();
    if center.losing.load(Ordering::SeqCst) {
        return HttpResponse::GatewayTimeout().finish();
    }
    HttpResponse::Ok().json(made)
}

async fn keys(center: web::Data<Center>) -> HttpResponse {
    till(&center, || {
        let mut ring = KeyRing::new(1, center_key(1));
        for number in 2..=center.keys.load(Ordering::SeqCst) {
            ring.add(number, center_key(number)).unwrap();
        }
        PublicKeys::of(&ring)
    })
}

async fn deposit(center: web::Data<Center>, deposit: web::Json<Deposit>) -> HttpResponse {
    assert!(deposit.holds(&vendor_secret()));
    let answer = till(&center, || {
        center.deposits.lock().unwrap().push(deposit.0.clone());
        let paid = Paid {
            authority_id: deposit.authority_id,
            index: deposit.index,
            amount: Amount::zero(Currency::USD),
            last: deposit.last,
            secret_id: deposit.secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        paid.sealed(&vendor_secret())
    });
    center.takes_its_time(0).await;
    answer
}

async fn licence(center: web::Data<Center>, licence: web::Json<Licence>) -> HttpResponse {
    till(&center, || {
        let licensed = licence.open(&vendor_secret()).unwrap();
        let number = licensed.terms.number;
        let mut licences = center.licences.lock().unwrap();
        assert!(licences.last_key_value().is_none_or(|(newest, _)| *newest <= number));
        licences.insert(number, licensed);
        serde_json::json!({"number": number})
    })
}

async fn settle(center: web::Data<Center>, settlement: web::Json<Settlement>) -> HttpResponse {
    assert!(settlement.holds(&vendor_secret()));
    let answer = till(&center, || {
        center.settlements.lock().unwrap().push(settlement.0.clone());
        let settled = Settled {
            customer_id: settlement.customer_id,
            redeemed: settlement.redeemed,
            last: settlement.last,
            secret_id: settlement.secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        settled.sealed(&vendor_secret())
    });
    center.takes_its_time(1).await;
    answer
}
