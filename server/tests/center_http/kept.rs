//! Every kind of message, over the real file and the real server: repeated after restarts, it gets the same bytes (T2).

use serde::Serialize;
use serde_json::{Value, json};
use tuppence_protocol::scrip::buyer::{AwaitingReturn, Offer, Start};
use tuppence_protocol::scrip::payment::{PaymentInformation, PaymentMethod, PurchaseRequest};
use tuppence_protocol::scrip::relay::CenterInit;
use tuppence_protocol::scrip::{Code, Header};

use crate::buyer::{Buyer, registration};
use crate::stand::{Answer, Stand};

/// What was sent, and what came.
struct Said {
    path: &'static str,
    message: Value,
    operator: bool,
    answer: Vec<u8>,
}

#[derive(Default)]
struct Talk(Vec<Said>);

impl Talk {
    /// Sends a message, and keeps it with its reply.
    async fn say(&mut self, stand: &Stand, path: &'static str, message: &impl Serialize) -> Answer {
        self.keep(stand, path, serde_json::to_value(message).unwrap(), false).await
    }

    async fn operate(&mut self, stand: &Stand, path: &'static str, message: Value) -> Answer {
        self.keep(stand, path, message, true).await
    }

    async fn keep(&mut self, stand: &Stand, path: &'static str, message: Value, operator: bool) -> Answer {
        let answer = send(stand, path, &message, operator).await.expect(200);
        self.0.push(Said { path, message, operator, answer: answer.body.clone() });
        answer
    }

    async fn start(&mut self, stand: &Stand, start: &Start) -> Answer {
        match start {
            Start::Issue(message) => self.say(stand, "/issue", message).await,
            Start::Payment(message) => self.say(stand, "/payment", message).await,
        }
    }

    /// All of it again.
    async fn repeat(&self, stand: &Stand, when: &str) {
        for Said { path, message, operator, answer } in &self.0 {
            let again = send(stand, path, message, *operator).await.expect(200);
            let shown = String::from_utf8_lossy(answer);
            assert_eq!(again.text(), shown, "{when}, {path}: {message}");
        }
    }
}

async fn send(stand: &Stand, path: &str, message: &Value, operator: bool) -> Answer {
    if operator { stand.operate(path, message).await } else { stand.post(path, message).await }
}

/// Begins a step, and leaves it open.
async fn begin(
    talk: &mut Talk,
    stand: &Stand,
    buyer: &Buyer,
    offer: Offer,
) -> Box<tuppence_protocol::scrip::buyer::AwaitingReceipt> {
    let awaiting = buyer.starts(stand, offer);
    let answer = talk.start(stand, &awaiting.start).await;
    buyer.confirms(stand, &awaiting, &answer)
}

/// M4 to M6, or S4 to S6.
async fn take(talk: &mut Talk, stand: &Stand, buyer: &mut Buyer, offer: Offer) -> Value {
    let path = if matches!(offer, Offer::Issue(_)) { "/issue/finish" } else { "/payment/finish" };
    let receipt = begin(talk, stand, buyer, offer).await;
    let finished = talk.say(stand, path, &receipt.finish).await;
    buyer.purse.scrip = receipt.new_scrip().clone();
    finished.json::<Value>()["receipt"]["receipt"].clone()
}

/// M4 or S4, taken back by `_6_3`, or by `_4_2` before it came.
async fn cancel(talk: &mut Talk, stand: &Stand, buyer: &mut Buyer, offer: Offer, begun: bool) {
    let issue = matches!(offer, Offer::Issue(_));
    let now = stand.now();
    let returning = if begun {
        begin(talk, stand, buyer, offer).await.cancel(&buyer.purse.custom_secret, now)
    } else {
        buyer.starts(stand, offer).cancel(&buyer.purse.custom_secret, now)
    };
    match &returning {
        AwaitingReturn::Start(start) => {
            talk.start(stand, start).await;
        }
        AwaitingReturn::Finish(finish) => {
            let path = if issue { "/issue/finish" } else { "/payment/finish" };
            talk.say(stand, path, finish).await;
        }
    }
    // The live scrip, by a question that nothing changes: asked again at the end.
    let asked = buyer.purse.resynchronise(stand.now());
    let reply = stand.post("/payment/finish", &asked.request).await.expect(200).json();
    buyer.purse.scrip = asked.receive(&reply, &buyer.purse.custom_secret).unwrap().scrip;
}

#[actix_web::test]
async fn every_kind_of_message_gets_the_same_bytes_after_restarts() {
    let mut stand = Stand::start().await;
    let mut talk = Talk::default();
    let money = json!({"number": 1, "amount": "USD:5", "reference": "invoice 1"});
    talk.operate(&stand, "/operator/vendors/deposit", money.clone()).await;
    let money = json!({"number": 1, "amount": "USD:2", "reference": "invoice 2"});
    talk.operate(&stand, "/operator/vendors/withdraw", money).await;

    // R1, and E1.
    let (registering, session_key) = registration(&stand).await;
    let registered = talk.say(&stand, "/registration", &registering.request).await;
    let mut buyer = Buyer { purse: registering.receive(&registered.json(), &session_key).unwrap() };
    let budget = stand.seller.fund("quiz".parse().unwrap(), "USD:50".parse().unwrap(), stand.now()).unwrap();
    stand.post("/campaigns", &budget).await.expect(200);
    let attesting = buyer.purse.attestation(stand.seller.vendor_id().clone(), stand.now());
    talk.say(&stand, "/earner", &attesting.request).await;

    // M4 and M6; S4 and S6; the same taken back before and after they came.
    let reward = buyer.reward(&stand, "USD:3").await;
    take(&mut talk, &stand, &mut buyer, reward).await;
    let article = buyer.article(&stand, "USD:0.3");
    let tran_id = article.tran_id();
    take(&mut talk, &stand, &mut buyer, article).await;
    for begun in [true, false] {
        let article = buyer.article(&stand, "USD:0.3");
        cancel(&mut talk, &stand, &mut buyer, article, begun).await;
        let reward = buyer.reward(&stand, "USD:0.5").await;
        cancel(&mut talk, &stand, &mut buyer, reward, begun).await;
    }
    // M3 or S3 by way of the shop.
    let init = CenterInit { header: Header::new(Code::Pm3_1, stand.now()), tran_id };
    talk.say(&stand, "/relay", stand.seller.relay(&init, stand.now()).unwrap().request()).await;

    // Cash-outs, and what the operator does with them.
    let mut receipts = Vec::new();
    for _ in 0..2 {
        let request = PurchaseRequest {
            header: Header::new(Code::Pm1_1, stand.now()),
            request_url: "cash-out:USD:1:GB33 BUKB".parse().unwrap(),
            p_method: PaymentMethod::Save,
        };
        let information: PaymentInformation = stand.post("/cash-out", &request).await.expect(200).json();
        receipts.push(take(&mut talk, &stand, &mut buyer, Offer::Payment(information.offer)).await);
    }
    talk.operate(&stand, "/operator/payouts/confirm", json!({"number": 1, "reference": "SEPA-1"})).await;
    talk.operate(&stand, "/operator/payouts/return", json!({"number": 2, "reason": "no such account"})).await;
    for receipt in &receipts {
        talk.say(&stand, "/cash-out/state", receipt).await;
    }
    // The questions last, when all has happened: the live scrip, and a budget set once more.
    talk.say(&stand, "/campaigns", &budget).await;
    let asked = buyer.purse.resynchronise(stand.now());
    talk.say(&stand, "/payment/finish", &asked.request).await;

    talk.repeat(&stand, "at once").await;
    for restart in ["after a restart", "after another one"] {
        stand.stop().await;
        stand.resume();
        talk.repeat(&stand, restart).await;
    }
    assert!(talk.0.len() > 20, "{}", talk.0.len());
}
