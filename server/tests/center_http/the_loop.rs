//! Every route, as it goes well.

use serde_json::{Value, json};
use tuppence_protocol::ErrorCode;
use tuppence_protocol::TranId;
use tuppence_protocol::scrip::buyer::Offer;
use tuppence_protocol::scrip::campaign::CampaignState;
use tuppence_protocol::scrip::cash_out::{CashOutStage, CashOutState};
use tuppence_protocol::scrip::info::Shops;
use tuppence_protocol::scrip::payment::{PaymentInformation, PaymentMethod, PurchaseRequest};
use tuppence_protocol::scrip::relay::{CenterInit, Outcome, RelayReply};
use tuppence_protocol::scrip::seller::AwaitingOutcome;
use tuppence_protocol::scrip::{Code, Header};

use crate::buyer::{Buyer, finish, start};
use crate::stand::{DESCRIPTION, Stand, until};

#[actix_web::test]
async fn a_reader_registers_earns_and_pays() {
    let stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let offer = buyer.article(&stand, "USD:0.3");
    let receipt = buyer.take(&stand, offer).await;
    assert!(stand.seller.admit(&receipt, tuppence_protocol::scrip::receipt::ReceiptKind::Payment).is_ok());
    assert_eq!(buyer.live(&stand).await, "USD:0.7".parse().unwrap());

    let path = "/campaigns/1/quiz";
    let campaign: CampaignState = stand.get(path, "/campaigns/{vendor}/{item}").await.expect(200).json();
    assert_eq!(campaign.remaining, "USD:49".parse().unwrap());
    let shops: Shops = stand.get("/shops", "/shops").await.expect(200).json();
    assert_eq!(&shops.shops[0].vendor_id, stand.seller.vendor_id());
    let vendors: Value = stand.get("/operator/vendors", "/operator/vendors").await.expect(200).json();
    // 100 paid in, 50 set aside, 0.30 earned less a tenth.
    assert_eq!(vendors["vendors"][0]["balance"], "USD:50.27");
}

#[actix_web::test]
async fn a_cash_out_is_ordered_confirmed_and_returned() {
    let stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:3").await;
    let mut receipts = Vec::new();
    for _ in 0..2 {
        let request = PurchaseRequest {
            header: Header::new(Code::Pm1_1, stand.now()),
            request_url: "cash-out:USD:1:GB33 BUKB".parse().unwrap(),
            p_method: PaymentMethod::Save,
        };
        let information: PaymentInformation = stand.post("/cash-out", &request).await.expect(200).json();
        receipts.push(buyer.take(&stand, Offer::Payment(information.offer)).await);
    }
    let state: CashOutState = stand.post("/cash-out/state", &receipts[0]).await.expect(200).json();
    assert_eq!((state.state, state.amount.to_string().as_str()), (CashOutStage::Ordered, "USD:0.9"));

    let open: Value = stand.get("/operator/payouts", "/operator/payouts").await.expect(200).json();
    assert_eq!(open["payouts"].as_array().unwrap().len(), 2);
    assert_eq!(open["payouts"][0]["destination"], "GB33 BUKB");
    stand
        .operate("/operator/payouts/confirm", &json!({"number": 1, "reference": "SEPA-1"}))
        .await
        .expect(200);
    stand
        .operate("/operator/payouts/return", &json!({"number": 2, "reason": "no such account"}))
        .await
        .expect(200);
    stand
        .operate("/operator/payouts/confirm", &json!({"number": 9, "reference": "x"}))
        .await
        .refused_for(ErrorCode::PayoutUnknown);
    for (receipt, stage, note) in [
        (&receipts[0], CashOutStage::Confirmed, "SEPA-1"),
        (&receipts[1], CashOutStage::Returned, "no such account"),
    ] {
        let state: CashOutState = stand.post("/cash-out/state", receipt).await.expect(200).json();
        assert_eq!((state.state, state.note.unwrap().as_str()), (stage, note));
    }
    assert_eq!(buyer.live(&stand).await, "USD:2".parse().unwrap());
    let open: Value = stand.get("/operator/payouts", "/operator/payouts").await.expect(200).json();
    assert_eq!(open["payouts"], json!([]));
    let rest: Value =
        stand.get("/operator/payouts?all=true&after=1", "/operator/payouts").await.expect(200).json();
    assert_eq!(rest["payouts"][0]["number"], 2);
}

#[actix_web::test]
async fn a_relay_is_held_until_the_transaction_ends() {
    let stand = Stand::start().await;
    let buyer = Buyer::with(&stand, "USD:1").await;
    let offer = buyer.article(&stand, "USD:0.3");
    let awaiting = buyer.starts(&stand, offer.clone());
    let answer = start(&stand, &awaiting).await.expect(200);
    let receipt = buyer.confirms(&stand, &awaiting, &answer);

    let relay = relay(&stand, offer.tran_id());
    let (relayed, ()) = tokio::join!(stand.post("/relay", relay.request()), async {
        until("the relay is held", || stand.held() == 1).await;
        finish(&stand, &receipt).await.expect(200);
    });
    let reply: RelayReply = relayed.expect(200).json();
    assert!(matches!(reply.outcome, Outcome::Posted(_)), "{reply:?}");
    // And at once, now that it has ended.
    let reply: RelayReply = stand.post("/relay", relay.request()).await.expect(200).json();
    assert!(matches!(reply.outcome, Outcome::Posted(_)));
}

#[actix_web::test]
async fn a_relay_is_let_go_when_the_center_stops() {
    let stand = Stand::start().await;
    let relay = relay(&stand, TranId::from_bytes([9; 16]));
    let (relayed, ()) = tokio::join!(stand.post("/relay", relay.request()), async {
        until("the relay is held", || stand.held() == 1).await;
        stand.tell_stopping();
    });
    let reply: RelayReply = relayed.expect(200).json();
    assert!(matches!(reply.outcome, Outcome::Open));
}

#[actix_web::test]
async fn health_metrics_and_description_are_served() {
    let stand = Stand::start().await;
    assert_eq!(stand.page("/health").await.expect(200).json::<Value>(), json!({"status": "ok"}));
    let served: Value = send_description(&stand).await;
    assert_eq!(served, *DESCRIPTION);
    let metrics = stand.page("/metrics").await.expect(200);
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    for name in [
        "tuppence_http_requests_total{method=\"GET\",route=\"/health\",status=\"200\"} 1",
        "tuppence_http_request_seconds_count",
        "tuppence_committer_commands_total",
        "tuppence_relays_held 0",
    ] {
        assert!(metrics.text().contains(name), "{name} is missing in\n{}", metrics.text());
    }
}

async fn send_description(stand: &Stand) -> Value {
    stand.page("/api/v1/openapi.json").await.expect(200).json()
}

fn relay(stand: &Stand, tran_id: TranId) -> AwaitingOutcome {
    let header = Header::new(Code::Pm3_1, stand.now());
    stand.seller.relay(&CenterInit { header, tran_id }, stand.now()).unwrap()
}
