use super::*;
use crate::scrip::earner::Attestation;
use crate::scrip::payment::{DeliveryMethod, PaymentMethod};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const FRESH: Fresh = Fresh { now: NOW, random: [9; 10] };

fn server(name: &str) -> VendorId {
    VendorId {
        dns_name: name.parse().unwrap(),
        ip_addr: None,
        server_name: Text::normalized(name).unwrap(),
        port: 443,
    }
}

fn secret() -> Secret {
    Secret::from_bytes([5; 32])
}

fn seller() -> Seller {
    Seller::new(server("shop.example"), server("center.example"), KeyRing::new(3, secret())).unwrap()
}

fn price(text: &str) -> Amount {
    text.parse().unwrap()
}

fn purchase() -> PurchaseRequest {
    PurchaseRequest {
        header: Header::new(Code::Pm1_1, NOW),
        request_url: article_url("https://shop.example", "bread").unwrap(),
        p_method: PaymentMethod::Save,
    }
}

fn answers(attestation: Attestation) -> IssueRequest {
    IssueRequest {
        header: Header::new(Code::Gm1_1, NOW),
        item: "quiz".parse().unwrap(),
        value: vec!["a".parse().unwrap()],
        earner: attestation,
    }
}

fn attestation() -> Attestation {
    Attestation::new(&server("shop.example"), EarnerId::from_bytes([1; 32]), 3, &secret())
}

fn receipt(kind: ReceiptKind, tran_id: TranId) -> Receipt {
    Receipt {
        kind,
        vendor_id: server("shop.example"),
        tran_id,
        subject: "https://shop.example/articles/bread".parse().unwrap(),
        amount: price("USD:0.03"),
        date: NOW,
        secret_id: 3,
        seal: UNSEALED,
    }
    .sealed(&secret())
}

fn reply(code: Code, tran_id: TranId, outcome: Outcome) -> RelayReply {
    RelayReply { header: Header::new(code, NOW), tran_id, outcome, secret_id: 3, seal: UNSEALED }
        .sealed(&secret())
}

fn init(code: Code) -> CenterInit {
    CenterInit { header: Header::new(code, NOW), tran_id: TranId::new(NOW, [9; 10]) }
}

#[test]
fn pm1_1_gets_a_sealed_pm2_1_that_says_what_was_asked() {
    let information = seller().quote(&purchase(), price("USD:0.03"), FRESH).unwrap();
    let offer = information.offer;
    assert_eq!(information.header.cmd_type, Code::Pm2_1);
    assert!(offer.holds(&secret()));
    assert_eq!(offer.request_url, purchase().request_url);
    assert_eq!(offer.delivery_method, DeliveryMethod::Save);
    assert_eq!(offer.tran_id, TranId::new(NOW, [9; 10]));
    assert_eq!(offer.expires, NOW.plus(PAYMENT_OFFER_LIFETIME));
}

#[test]
fn a_price_of_nothing_or_another_message_gets_no_offer() {
    let code = |result: Result<PaymentInformation, Refusal>| result.unwrap_err().code;
    assert_eq!(code(seller().quote(&purchase(), price("USD:0"), FRESH)), ErrorCode::AmountOutOfRange);
    let mut wrong = purchase();
    wrong.header.cmd_type = Code::Pm2_1;
    assert_eq!(code(seller().quote(&wrong, price("USD:1"), FRESH)), ErrorCode::WrongMessage);
    wrong.header = Header { protocol_version: 2, ..Header::new(Code::Pm1_1, NOW) };
    assert_eq!(code(seller().quote(&wrong, price("USD:1"), FRESH)), ErrorCode::Version);
}

#[test]
fn gm1_1_gets_a_sealed_gm2_1_for_the_attested_earner() {
    let request = answers(attestation());
    assert_eq!(seller().attested(&request).unwrap(), EarnerId::from_bytes([1; 32]));
    let permitted = seller().permit(&request, price("USD:0.02"), FRESH).unwrap();
    assert_eq!(permitted.header.cmd_type, Code::Gm2_1);
    assert!(permitted.offer.holds(&secret()));
    assert_eq!(permitted.offer.earner, EarnerId::from_bytes([1; 32]));
    assert_eq!(permitted.offer.item.as_str(), "quiz");
}

#[test]
fn an_m1_is_known_again_by_its_answers_alone() {
    let request = answers(attestation());
    let later = IssueRequest {
        header: Header::new(Code::Gm1_1, NOW.plus(Duration::from_secs(5))),
        ..request.clone()
    };
    assert_eq!(request.digest(), later.digest());
    let other = IssueRequest { value: vec!["b".parse().unwrap()], ..request.clone() };
    let split =
        IssueRequest { value: vec!["a".parse().unwrap(), Text::normalized("").unwrap()], ..request.clone() };
    assert!(request.digest() != other.digest() && request.digest() != split.digest());
}

#[test]
fn an_attestation_that_is_invented_foreign_or_of_an_unknown_secret_is_refused() {
    let invented = Attestation { earner: EarnerId::from_bytes([2; 32]), ..attestation() };
    let foreign = Attestation::new(&server("other.example"), EarnerId::from_bytes([1; 32]), 3, &secret());
    let unknown = Attestation { secret_id: 4, ..attestation() };
    for attestation in [invented, foreign, unknown] {
        let refusal = seller().attested(&answers(attestation)).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::EarnerUnattested);
    }
}

#[test]
fn gm3_1_and_pm3_1_are_relayed_under_their_own_code() {
    for code in RELAY {
        let waiting = seller().relay(&init(code), NOW).unwrap();
        assert_eq!(waiting.request().header.cmd_type, code);
        assert!(waiting.request().holds(&secret()));
    }
    let other = CenterInit { header: Header::new(Code::Pm4_1, NOW), ..init(Code::Pm3_1) };
    assert_eq!(seller().relay(&other, NOW).unwrap_err().code, ErrorCode::WrongMessage);
}

#[test]
fn the_center_s_word_ends_the_wait() {
    let seller = seller();
    let waiting = seller.relay(&init(Code::Pm3_1), NOW).unwrap();
    let id = init(Code::Pm3_1).tran_id;
    let posted = Outcome::Posted(receipt(ReceiptKind::Payment, id));
    assert!(matches!(waiting.settle(&seller, reply(Code::Pm3_1, id, Outcome::Open)), Ok(Settled::Open)));
    assert!(matches!(waiting.settle(&seller, reply(Code::Pm3_1, id, Outcome::Voided)), Ok(Settled::Voided)));
    assert!(matches!(waiting.settle(&seller, reply(Code::Pm3_1, id, posted)), Ok(Settled::Posted(_))));
    let ask_again = waiting.unconfirmed("/again".parse().unwrap(), NOW);
    assert_eq!((ask_again.header.cmd_type, ask_again.tran_id), (Code::Pm7_2, id));
    let waiting = seller.relay(&init(Code::Gm3_1), NOW).unwrap();
    assert_eq!(waiting.unconfirmed("/again".parse().unwrap(), NOW).header.cmd_type, Code::Gm7_2);
}

#[test]
fn a_word_that_is_not_the_center_s_or_about_something_else_is_refused() {
    let seller = seller();
    let waiting = seller.relay(&init(Code::Pm3_1), NOW).unwrap();
    let id = init(Code::Pm3_1).tran_id;
    let other = TranId::new(NOW, [8; 10]);
    let forged = RelayReply { seal: UNSEALED, ..reply(Code::Pm3_1, id, Outcome::Open) };
    let unknown_secret = RelayReply { secret_id: 4, ..reply(Code::Pm3_1, id, Outcome::Open) };
    let cases = [
        (forged, ErrorCode::SealInvalid),
        (unknown_secret, ErrorCode::SealInvalid),
        (reply(Code::Pm3_1, other, Outcome::Open), ErrorCode::SealInvalid),
        (reply(Code::Gm3_1, id, Outcome::Open), ErrorCode::WrongMessage),
        (reply(Code::Pm3_1, id, Outcome::Posted(receipt(ReceiptKind::Issue, id))), ErrorCode::ReceiptInvalid),
        (
            reply(Code::Pm3_1, id, Outcome::Posted(receipt(ReceiptKind::Payment, other))),
            ErrorCode::ReceiptInvalid,
        ),
    ];
    for (number, (reply, code)) in cases.into_iter().enumerate() {
        assert_eq!(waiting.settle(&seller, reply).unwrap_err().code, code, "case {number}");
    }
}

#[test]
fn receipts_open_only_what_they_are_for() {
    let id = TranId::new(NOW, [9; 10]);
    let good = receipt(ReceiptKind::Payment, id);
    assert!(seller().admit(&good, ReceiptKind::Payment).is_ok());
    let dearer = Receipt { amount: price("USD:0.04"), ..good.clone() };
    let elsewhere = Receipt { subject: "https://shop.example/articles/x".parse().unwrap(), ..good.clone() };
    let foreign = Receipt { vendor_id: server("other.example"), ..good.clone() }.sealed(&secret());
    let rotated = Receipt { secret_id: 4, ..good.clone() }.sealed(&secret());
    for bad in [dearer, elsewhere, foreign, rotated] {
        let refusal = seller().admit(&bad, ReceiptKind::Payment).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::ReceiptInvalid);
    }
    assert!(seller().admit(&good, ReceiptKind::Issue).is_err());
    let title = Text::normalized("Bread").unwrap();
    let delivery = seller().deliver(good, title, "<p>Flour</p>".parse().unwrap(), NOW);
    assert_eq!(delivery.header.cmd_type, Code::Pm7_1);
}

#[test]
fn refusals_carry_their_code_and_reason() {
    let refusal = Refusal::new(ErrorCode::AnswerWrong, "That was not it.");
    let refused = refuse_issue(&refusal, "<p>No.</p>".parse().unwrap(), NOW);
    assert_eq!(refused.header.cmd_type, Code::Gm2_2);
    assert_eq!(refused.header.error_message.unwrap().as_str(), "That was not it.");
    let refused = refuse_purchase(&refusal, "<p>No.</p>".parse().unwrap(), NOW);
    assert_eq!(refused.header.cmd_type, Code::Pm2_2);
}

#[test]
fn a_budget_is_set_aside_under_the_shared_secret() {
    let funding = seller().fund("quiz".parse().unwrap(), price("USD:5"), NOW).unwrap();
    assert!(funding.holds(&secret()));
    let more = CampaignFunding { budget: price("USD:6"), ..funding };
    assert!(!more.holds(&secret()));
}

#[test]
fn a_seller_without_secrets_is_none() {
    let mut empty = KeyRing::new(1, secret());
    empty.remove(1);
    assert!(Seller::new(server("shop.example"), server("center.example"), empty).is_err());
}
