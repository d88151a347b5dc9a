//! A center that says what the test wants: `/relay` is held until the test has ended the transaction.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use actix_web::{App, HttpResponse, HttpServer, web};
use tokio::sync::Notify;
use tuppence_protocol::scrip::campaign::CampaignFunding;
use tuppence_protocol::scrip::info::CenterInfo;
use tuppence_protocol::scrip::relay::{Outcome, RelayReply, RelayRequest};
use tuppence_protocol::{Amount, ErrorBody};

use super::*;

/// What the test decides, and what it sees.
#[derive(Default)]
pub(crate) struct Center {
    outcomes: Mutex<HashMap<TranId, Outcome>>,
    ended: Notify,
    /// The center's clock, in milliseconds.
    pub(crate) now: AtomicU64,
    /// Whether `/relay` answers at once instead of holding.
    pub(crate) hurried: std::sync::atomic::AtomicBool,
    /// How often `/relay` was asked.
    pub(crate) asked: AtomicUsize,
    /// Budgets as they came, in order.
    pub(crate) funded: Mutex<Vec<(String, Amount)>>,
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
    let data = web::Data::from(center.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .route("/api/v1/center", web::get().to(info))
            .route("/api/v1/relay", web::post().to(relay))
            .route("/api/v1/campaigns", web::post().to(fund))
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
