//! Budgets over HTTP: a reader's wallet, a shop that asks nobody, and the center in between, which is stopped.

use serde_json::json;
use tuppence_protocol::payword::{
    AuthorityOrder, AwaitingCountersignature, Certificate, Chain, Countersigned, Customer, Paid, Plan, Vendor,
};
use tuppence_protocol::scrip::buyer::{Offer, Start};
use tuppence_protocol::scrip::finish::FinishReply;
use tuppence_protocol::scrip::payment::PaymentInformation;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::{Duration, ErrorCode, KeyRing, PublicKeys, Secret};

use crate::buyer::{Buyer, finish};
use crate::stand::{Answer, SHOP_SECRET, Stand, random};

const LENGTH: u32 = 1_000;

fn plan(stand: &Stand) -> Plan {
    Plan {
        nonce: random(),
        end: Secret::from_bytes(random()),
        length: LENGTH,
        unit: "USD:0.0005".parse().unwrap(),
        expires: stand.now().plus(Duration::from_days(30)),
    }
}

fn chain(plan: &Plan, stand: &Stand) -> Chain {
    let mut generator = plan.generator(stand.seller.vendor_id()).unwrap();
    while generator.step(100).done < LENGTH {}
    generator.finish().unwrap()
}

async fn vendor(stand: &Stand) -> Vendor {
    let center_keys: PublicKeys = stand.get("/payword/keys", "/payword/keys").await.expect(200).json();
    Vendor {
        vendor_id: stand.seller.vendor_id().clone(),
        center_id: stand.seller.center_id().clone(),
        center_keys,
        secrets: KeyRing::new(1, Secret::from_bytes(SHOP_SECRET)),
    }
}

async fn order(stand: &Stand, buyer: &Buyer, plan: &Plan) -> AuthorityOrder {
    let customer = Customer::at(stand.seller.vendor_id().clone(), &Secret::from_bytes([8; 32]));
    let asking = customer.certificate(&buyer.purse);
    let certificate: Certificate =
        stand.post("/payword/certificate", &asking.request).await.expect(200).json();
    let certificate = asking.receive(&certificate, &vendor(stand).await.center_keys).unwrap();
    customer.authorise(certificate, plan, chain(plan, stand).root())
}

/// S2 to S6 for `order`; S4 is sent twice.
async fn pay(stand: &Stand, buyer: &mut Buyer, order: &AuthorityOrder) -> Receipt {
    let information: PaymentInformation = stand.post("/payword/authority", order).await.expect(200).json();
    let awaiting = buyer.starts(stand, Offer::Payment(information.offer));
    let Start::Payment(payment) = &awaiting.start else { panic!("no S4") };
    let message = json!({"payment": payment, "order": order});
    let answer: Answer = stand.post("/payword/reserve", &message).await.expect(200);
    let again = stand.post("/payword/reserve", &message).await.expect(200);
    assert_eq!(again.body, answer.body);
    stand.post("/payment", payment).await.refused_for(ErrorCode::AuthorityUnknown);
    let receipt = buyer.confirms(stand, &awaiting, &answer);
    let reply: FinishReply = finish(stand, &receipt).await.expect(200).json();
    buyer.purse.scrip = receipt.new_scrip().clone();
    receipt.receive(&reply).unwrap()
}

#[actix_web::test]
async fn a_reader_approves_once_and_the_shop_is_paid_though_the_center_was_away() {
    let mut stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let plan = plan(&stand);
    let order = order(&stand, &buyer, &plan).await;
    let receipt = pay(&stand, &mut buyer, &order).await;
    assert_eq!(buyer.live(&stand).await, "USD:0.5".parse().unwrap());
    let ask = json!({"authorityId": order.authority.id(), "receipt": receipt});
    let countersigned: Countersigned = stand.post("/payword/countersigned", &ask).await.expect(200).json();
    let vendor = vendor(&stand).await;

    // From here on the center is away, and the shop takes a hundred charges.
    stand.stop().await;
    let awaiting = AwaitingCountersignature { order, end: plan.end.clone() };
    let mut budget = awaiting.receive(&countersigned, &vendor.center_keys).unwrap();
    let mut chain = chain(&plan, &stand);
    let mut session = vendor.open(None, budget.countersigned(), stand.now()).unwrap();
    for _ in 0..100 {
        let charge = budget.charge(&mut chain, 4).unwrap();
        session = session.charge(&charge, stand.now()).unwrap().session;
    }
    stand.resume();

    let deposit = vendor.deposit(&session).unwrap().unwrap();
    let paid = stand.post("/payword/deposit", &deposit).await.expect(200);
    assert_eq!(stand.post("/payword/deposit", &deposit).await.expect(200).body, paid.body);
    session = vendor.confirm(&session, &paid.json::<Paid>()).unwrap();
    let more = session.charge(&budget.charge(&mut chain, 4).unwrap(), stand.now()).unwrap().session;
    let ended = more.charge(&budget.end(&mut chain).unwrap(), stand.now()).unwrap().session;
    let last = vendor.deposit(&ended).unwrap().unwrap();
    stand.post("/payword/deposit", &last).await.expect(200);
    // 404 units of a twentieth of a cent were spent.
    assert_eq!(buyer.live(&stand).await, "USD:0.798".parse().unwrap());
    let vendors: serde_json::Value =
        stand.get("/operator/vendors", "/operator/vendors").await.expect(200).json();
    // 100 paid in, 50 set aside, 0.202 earned less a tenth.
    assert_eq!(vendors["vendors"][0]["balance"], "USD:50.1818");
}

#[actix_web::test]
async fn what_is_wrong_with_a_budget_is_refused_with_its_reason() {
    let stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let plan = plan(&stand);
    let order = order(&stand, &buyer, &plan).await;

    let mut longer = order.clone();
    longer.authority.length += 1;
    stand.post("/payword/authority", &longer).await.refused_for(ErrorCode::AuthorityInvalid);
    let mut elsewhere = order.clone();
    elsewhere.authority.vendor_id.port = 1;
    stand.post("/payword/authority", &elsewhere).await.refused_for(ErrorCode::VendorUnknown);
    let mut asking = Customer::at(stand.seller.vendor_id().clone(), &Secret::from_bytes([8; 32]))
        .certificate(&buyer.purse)
        .request;
    asking.customer = tuppence_protocol::PublicKey::from_bytes([1; 32]);
    stand.post("/payword/certificate", &asking).await.refused_for(ErrorCode::SealInvalid);

    let receipt = pay(&stand, &mut buyer, &order).await;
    let mut forged = receipt.clone();
    forged.amount = "USD:0.4".parse().unwrap();
    let ask = json!({"authorityId": order.authority.id(), "receipt": forged});
    stand.post("/payword/countersigned", &ask).await.refused_for(ErrorCode::ReceiptInvalid);
    let ask = json!({"authorityId": longer.authority.id(), "receipt": receipt});
    stand.post("/payword/countersigned", &ask).await.refused_for(ErrorCode::AuthorityUnknown);
    let ask = json!({"authorityId": order.authority.id(), "receipt": receipt});
    let countersigned: Countersigned = stand.post("/payword/countersigned", &ask).await.expect(200).json();

    let vendor = vendor(&stand).await;
    let session = vendor.open(None, &countersigned, stand.now()).unwrap();
    let awaiting = AwaitingCountersignature { order, end: plan.end.clone() };
    let mut budget = awaiting.receive(&countersigned, &vendor.center_keys).unwrap();
    let charge = budget.charge(&mut chain(&plan, &stand), 4).unwrap();
    let session = session.charge(&charge, stand.now()).unwrap().session;
    let mut skipped = vendor.deposit(&session).unwrap().unwrap();
    skipped.index += 1;
    let skipped = skipped.sealed(&Secret::from_bytes(SHOP_SECRET));
    stand.post("/payword/deposit", &skipped).await.refused_for(ErrorCode::PaywordInvalid);
    let mut stolen = vendor.deposit(&session).unwrap().unwrap();
    stolen.last = true;
    stand.post("/payword/deposit", &stolen).await.refused_for(ErrorCode::AuthorityInvalid);
    stand.post("/payword/deposit", &json!({"index": -1})).await.refused_for(ErrorCode::Malformed);
    assert_eq!(buyer.live(&stand).await, "USD:0.5".parse().unwrap());
}
