//! The example that the published vectors tell: one buyer, one center, one shop; fixed keys and times.

use std::convert::Infallible;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tuppence_protocol::challenge::{Challenge, Solution, solve};
use tuppence_protocol::envelope::{CenterPrivateKey, SecretBox};
use tuppence_protocol::ids::{EarnerId, Serial};
use tuppence_protocol::recovery::claim::{ClaimReply, ClaimRequest};
use tuppence_protocol::recovery::notes::{NotesReply, NotesRequest};
use tuppence_protocol::recovery::statement::{StatementReply, StatementRequest};
use tuppence_protocol::scrip::campaign::CampaignFunding;
use tuppence_protocol::scrip::earner::{Attestation, AttestationReply, AttestationRequest, earner};
use tuppence_protocol::scrip::finish::{Finish, FinishReply, Transaction};
use tuppence_protocol::scrip::issue::{IssueEcash, IssueOffer, IssuePermitted, IssueRequest, IssueStart};
use tuppence_protocol::scrip::payment::{
    DeliveryMethod, PaymentBalance, PaymentInformation, PaymentMethod, PaymentOffer, PaymentStart,
    PurchaseRequest,
};
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind, ReceiptReply};
use tuppence_protocol::scrip::registration::{Etc, RegistrationReply, RegistrationRequest, associated};
use tuppence_protocol::scrip::relay::{CenterInit, Delivery, Outcome, RelayReply, RelayRequest, Unconfirmed};
use tuppence_protocol::scrip::{Code, Header, Refused, Scrip, ScripBody};
use tuppence_protocol::{
    Amount, ErrorBody, ErrorCode, HashAlgorithm, IdType, Refusal, Seal, Secret, Text, Timestamp, TranId,
    VendorId, WalletId,
};

pub const MASTER_SCRIP: [u8; 32] = [0x11; 32];
pub const MASTER_CUSTOMER: [u8; 32] = [0x22; 32];
pub const VENDOR: [u8; 32] = [0x33; 32];
pub const CHALLENGE: [u8; 32] = [0x44; 32];
pub const SESSION: [u8; 32] = [0x55; 32];
const CUSTOMER: u64 = 7;
const NOW: u64 = 1_795_392_000_000;

/// A message of the example: its name, its type's name, and itself.
pub struct Example {
    pub name: &'static str,
    pub kind: &'static str,
    pub wire: Value,
}

pub fn custom_secret() -> Secret {
    Secret::from_bytes(MASTER_CUSTOMER).custom_secret(CUSTOMER)
}

/// Every message, in the order of the patent's figures.
pub fn messages(key: &CenterPrivateKey) -> Vec<Example> {
    let mut list = Vec::new();
    registration(&mut list, key);
    funding(&mut list);
    issue(&mut list);
    payment(&mut list);
    super::recovery::messages(&mut list, key);
    list
}

fn registration(list: &mut Vec<Example>, key: &CenterPrivateKey) {
    let wallet = WalletId::from_bytes([0xA1; 16]);
    let challenge = Challenge::new([0xC4; 16], 12, at(60_000), &Secret::from_bytes(CHALLENGE));
    push(list, "anti-robot challenge", "Challenge", &challenge);
    let key_envelope = key.public().unwrap().encrypt(&Secret::from_bytes(SESSION), &mut FixedRng(0)).unwrap();
    let solved = |mut request: RegistrationRequest| {
        request.etc.solution.nonce = solve(&challenge, request.content(), 0, 1 << 20).unwrap();
        request
    };
    let solution = Solution { challenge: challenge.clone(), nonce: Serial::FIRST };
    let request = solved(RegistrationRequest {
        header: Header::new(Code::Um1, at(0)),
        id: wallet,
        name: None,
        address: None,
        e_mail: None,
        etc: Etc { wallet_key: [0xE2; 32], solution },
        key_envelope,
    });
    push(list, "R1 registration request", "RegistrationRequest", &request);
    let named = solved(RegistrationRequest {
        name: Some(Text::normalized("Zoë 김").unwrap()),
        address: Some(text("1 Mint Street\nTown")),
        e_mail: Some(text("zoe@reader.example")),
        ..request
    });
    push(list, "R1 with name, address and e-mail", "RegistrationRequest", &named);

    let header = Header::new(Code::Um2, at(10));
    let first = scrip(HashAlgorithm::HmacSha256, 1, "USD:0", None);
    let associated = associated(&header, &first);
    let boxed =
        SecretBox::close(&Secret::from_bytes(SESSION), [0xB0; 12], &associated, &custom_secret()).unwrap();
    push(
        list,
        "R2 registration reply",
        "RegistrationReply",
        &RegistrationReply { header, scrip: first.clone(), custom_secret: boxed },
    );

    let mut ask = AttestationRequest {
        header: Header::new(Code::Em1, at(20)),
        scrip: first,
        vendor_id: shop(),
        hash: blank(),
    };
    ask.hash = ask.seal(&custom_secret());
    push(list, "E1 attestation request", "AttestationRequest", &ask);
    let reply = AttestationReply { header: Header::new(Code::Em2, at(30)), attestation: attestation() };
    push(list, "E2 attestation", "AttestationReply", &reply);
}

fn issue(list: &mut Vec<Example>) {
    let old = scrip(HashAlgorithm::HmacSha256, 1, "USD:0", None);
    let new = scrip(HashAlgorithm::HmacSha256, 2, "USD:0.04", Some("coins-quiz"));
    let offer = IssueOffer {
        vendor_id: shop(),
        center_id: center(),
        tran_id: tran(1),
        item: text("coins-quiz"),
        value: amount("USD:0.04"),
        earner: pseudonym(),
        expires: at(600_000),
        secret_id: 5,
        seal: blank(),
    }
    .sealed(&Secret::from_bytes(VENDOR));

    let request = IssueRequest {
        header: Header::new(Code::Gm1_1, at(1_000)),
        item: text("coins-quiz"),
        value: vec![text("b"), text("1997"), Text::normalized("a free answer, äöü").unwrap()],
        earner: attestation(),
    };
    push(list, "M1 issue request", "IssueRequest", &request);
    let permitted = IssuePermitted { header: Header::new(Code::Gm2_1, at(1_010)), offer: offer.clone() };
    push(list, "M2 issue permitted", "IssuePermitted", &permitted);
    let refused =
        refusal(Code::Gm2_2, ErrorCode::AnswerWrong, |r| r.document = Some(text("<p>Not this time.</p>")));
    push(list, "M2 issue refused", "ErrorBody", &refused);
    let init = CenterInit { header: Header::new(Code::Gm3_1, at(1_020)), tran_id: tran(1) };
    push(list, "M3 center initialisation", "CenterInit", &init);
    relayed(list, Code::Gm3_1, "M3", receipt(ReceiptKind::Issue, tran(1), "coins-quiz", "USD:0.04", 1_060));
    for (name, code) in [("M4 issue start", Code::Gm4_1), ("M4 issue cancelled", Code::Gm4_2)] {
        let mut start = IssueStart {
            header: Header::new(code, at(1_030)),
            scrip: old.clone(),
            offer: offer.clone(),
            hash: blank(),
            p_count: 0,
        };
        start.hash = start.seal(&custom_secret());
        push(list, name, "IssueStart", &start);
    }
    let ecash = |tran_id| {
        let mut reply = IssueEcash {
            header: Header::new(Code::Gm5_1, at(1_040)),
            tran_id,
            new_scrip: new.clone(),
            hash: blank(),
            p_count: 0,
        };
        reply.hash = reply.seal(&custom_secret());
        reply
    };
    push(list, "M5 e-cash", "IssueEcash", &ecash(Some(tran(1))));
    push(list, "M5 live scrip with nothing under way", "IssueEcash", &ecash(None));
    for (name, code, error) in [
        ("M5 scrip invalid", Code::Gm5_2, ErrorCode::ScripStale),
        ("M5 issue declined", Code::Gm5_3, ErrorCode::CampaignExhausted),
        ("M5 center fault", Code::Gm5_4, ErrorCode::StoreUnavailable),
    ] {
        let refused = refusal(code, error, |r| {
            r.scrip = Some(old.clone());
            r.hash = Some(Seal::from_bytes([0x77; 32]));
            r.p_count = Some(1);
        });
        push(list, name, "ErrorBody", &refused);
    }
    for (name, code, transaction) in [
        ("M6 issue finished", Code::Gm6_1, Some(tran(1))),
        ("M6 send the e-cash again", Code::Gm6_2, Some(tran(1))),
        ("M6 resynchronisation", Code::Gm6_2, None),
        ("M6 issue cancelled", Code::Gm6_3, Some(tran(1))),
    ] {
        push(list, name, "Finish", &finish(code, transaction, new.clone()));
    }
    let receipt = receipt(ReceiptKind::Issue, tran(1), "coins-quiz", "USD:0.04", 1_060);
    let reply = ReceiptReply { header: Header::new(Code::Gm8_1, at(1_060)), receipt: receipt.clone() };
    push(list, "reply to M6: receipt", "FinishReply", &FinishReply::Receipt(reply));
    push(list, "reply to M6: live scrip", "FinishReply", &FinishReply::Ecash(ecash(None)));
    let delivery = Delivery {
        header: Header::new(Code::Gm7_1, at(1_070)),
        title: text("Coins and small change"),
        document: text("<p>Thank you.</p>"),
        receipt,
    };
    push(list, "M7 issue information", "Delivery", &delivery);
    let unconfirmed = Unconfirmed {
        header: Header::new(Code::Gm7_2, at(31_000)),
        tran_id: tran(1),
        ask_again: text("/api/v1/earn/deliver"),
    };
    push(list, "M7 not confirmed yet", "Unconfirmed", &unconfirmed);
}

fn payment(list: &mut Vec<Example>) {
    let url = "https://shop.example/articles/small-change";
    let order = |expires| {
        PaymentOffer {
            vendor_id: shop(),
            center_id: center(),
            tran_id: tran(2),
            request_url: text(url),
            price: amount("USD:0.03"),
            delivery_method: DeliveryMethod::View,
            expires,
            secret_id: 5,
            seal: blank(),
        }
        .sealed(&Secret::from_bytes(VENDOR))
    };
    let request = PurchaseRequest {
        header: Header::new(Code::Pm1_1, at(2_000)),
        request_url: text(url),
        p_method: PaymentMethod::View,
    };
    push(list, "S1 purchase request", "PurchaseRequest", &request);
    let information =
        PaymentInformation { header: Header::new(Code::Pm2_1, at(2_010)), offer: order(at(600_000)) };
    push(list, "S2 payment information", "PaymentInformation", &information);
    let refused =
        refusal(Code::Pm2_2, ErrorCode::ArticleUnknown, |r| r.document = Some(text("<p>Gone.</p>")));
    push(list, "S2 not for sale", "ErrorBody", &refused);
    let init = CenterInit { header: Header::new(Code::Pm3_1, at(2_020)), tran_id: tran(2) };
    push(list, "S3 center initialisation", "CenterInit", &init);
    relayed(list, Code::Pm3_1, "S3", receipt(ReceiptKind::Payment, tran(2), url, "USD:0.03", 2_060));
    for (name, code, algorithm) in [
        ("S4 payment", Code::Pm4_1, HashAlgorithm::HmacSha256),
        ("S4 payment with the patent's literal hash", Code::Pm4_1, HashAlgorithm::Sha256),
        ("S4 payment cancelled", Code::Pm4_2, HashAlgorithm::HmacSha256),
    ] {
        let scrip = scrip(algorithm, 2, "USD:0.04", Some("coins-quiz"));
        let mut start = PaymentStart {
            header: Header::new(code, at(2_030)),
            scrip,
            order: order(at(600_000)),
            hash: blank(),
            p_count: 0,
        };
        start.hash = start.seal(&custom_secret());
        push(list, name, "PaymentStart", &start);
    }
    let new = scrip(HashAlgorithm::HmacSha256, 3, "USD:0.01", Some("coins-quiz"));
    let balance = |tran_id| {
        let mut reply = PaymentBalance {
            header: Header::new(Code::Pm5_1, at(2_040)),
            tran_id,
            new_scrip: new.clone(),
            hash: blank(),
            p_count: 0,
        };
        reply.hash = reply.seal(&custom_secret());
        reply
    };
    push(list, "S5 balance", "PaymentBalance", &balance(Some(tran(2))));
    for (name, code, error) in [
        ("S5 scrip invalid", Code::Pm5_2, ErrorCode::ScripStale),
        ("S5 center fault", Code::Pm5_3, ErrorCode::StoreUnavailable),
    ] {
        let refused = refusal(code, error, |r| {
            r.scrip = Some(scrip(HashAlgorithm::HmacSha256, 2, "USD:0.04", None));
            r.order = Some(order(at(600_000)));
            r.hash = Some(Seal::from_bytes([0x77; 32]));
            r.p_count = Some(4);
        });
        push(list, name, "ErrorBody", &refused);
    }
    for (name, code, transaction) in [
        ("S6 payment finished", Code::Pm6_1, Some(tran(2))),
        ("S6 send the e-cash again", Code::Pm6_2, Some(tran(2))),
        ("S6 resynchronisation", Code::Pm6_2, None),
        ("S6 payment failed", Code::Pm6_3, Some(tran(2))),
    ] {
        push(list, name, "Finish", &finish(code, transaction, new.clone()));
    }
    let receipt = receipt(ReceiptKind::Payment, tran(2), url, "USD:0.03", 2_060);
    let reply = ReceiptReply { header: Header::new(Code::Pm8_1, at(2_060)), receipt: receipt.clone() };
    push(list, "reply to S6: receipt", "FinishReply", &FinishReply::Receipt(reply));
    push(list, "reply to S6: live scrip", "FinishReply", &FinishReply::Balance(balance(None)));
    let delivery = Delivery {
        header: Header::new(Code::Pm7_1, at(2_070)),
        title: text("Small change"),
        document: text("<p>The article.</p>"),
        receipt,
    };
    push(list, "S7 the article", "Delivery", &delivery);
    let unconfirmed = Unconfirmed {
        header: Header::new(Code::Pm7_2, at(32_000)),
        tran_id: tran(2),
        ask_again: text("/api/v1/purchase/deliver"),
    };
    push(list, "S7 not confirmed yet", "Unconfirmed", &unconfirmed);
}

fn funding(list: &mut Vec<Example>) {
    let funding = CampaignFunding {
        vendor_id: shop(),
        item: text("coins-quiz"),
        budget: amount("USD:20"),
        date: at(500),
        secret_id: 5,
        seal: blank(),
    };
    push(list, "campaign funding", "CampaignFunding", &funding.sealed(&Secret::from_bytes(VENDOR)));
}

fn relayed(list: &mut Vec<Example>, code: Code, step: &'static str, receipt: Receipt) {
    let secret = Secret::from_bytes(VENDOR);
    let tran_id = receipt.tran_id;
    let header = || Header::new(code, at(3_000));
    let request = RelayRequest { header: header(), vendor_id: shop(), tran_id, secret_id: 5, seal: blank() };
    let issue = step == "M3";
    push(list, if issue { "M3 relayed" } else { "S3 relayed" }, "RelayRequest", &request.sealed(&secret));
    for (name, outcome) in [
        (if issue { "outcome of M3: open" } else { "outcome of S3: open" }, Outcome::Open),
        (if issue { "outcome of M3: posted" } else { "outcome of S3: posted" }, Outcome::Posted(receipt)),
        (if issue { "outcome of M3: voided" } else { "outcome of S3: voided" }, Outcome::Voided),
    ] {
        let reply = RelayReply { header: header(), tran_id, outcome, secret_id: 5, seal: blank() };
        push(list, name, "RelayReply", &reply.sealed(&secret));
    }
}

fn finish(code: Code, tran_id: Option<TranId>, new_scrip: Scrip) -> Finish {
    let transaction = tran_id.map(|tran_id| Transaction { vendor_id: shop(), tran_id });
    let mut finish =
        Finish { header: Header::new(code, at(1_050)), transaction, new_scrip, hash: blank(), p_count: 1 };
    finish.hash = finish.seal(&custom_secret());
    finish
}

pub fn receipt(kind: ReceiptKind, tran_id: TranId, subject: &str, value: &str, after: u64) -> Receipt {
    Receipt {
        kind,
        vendor_id: shop(),
        tran_id,
        subject: text(subject),
        amount: amount(value),
        date: at(after),
        secret_id: 5,
        seal: blank(),
    }
    .sealed(&Secret::from_bytes(VENDOR))
}

fn refusal(code: Code, error: ErrorCode, fill: impl FnOnce(&mut Refused)) -> ErrorBody {
    let mut header = Header::new(code, at(1_040));
    header.error_message = Some(text("What was wrong."));
    let mut reply = Refused { header, document: None, scrip: None, order: None, hash: None, p_count: None };
    fill(&mut reply);
    ErrorBody { reply: Some(Box::new(reply)), ..ErrorBody::from(&Refusal::new(error, "What was wrong.")) }
}

pub fn scrip(algorithm: HashAlgorithm, serial: u64, value: &str, ad: Option<&str>) -> Scrip {
    let body = ScripBody {
        value: amount(value),
        vendor_id: center(),
        scrip_id: IdType { secret_id: 1, serial_number: Serial::try_from(serial).unwrap() },
        custom_id: IdType { secret_id: 2, serial_number: Serial::try_from(CUSTOMER).unwrap() },
        ad: ad.map(text),
        expiration_date: at(31_536_000_000),
    };
    let certificate = body.certify(algorithm, &Secret::from_bytes(MASTER_SCRIP));
    Scrip { hash_algorithm: algorithm, scrip: body, certificate }
}

fn pseudonym() -> EarnerId {
    earner(&shop(), &custom_secret())
}

fn attestation() -> Attestation {
    Attestation::new(&shop(), pseudonym(), 5, &Secret::from_bytes(VENDOR))
}

pub fn center() -> VendorId {
    VendorId {
        dns_name: "center.example".parse().unwrap(),
        ip_addr: None,
        server_name: text("Example Center"),
        port: 443,
    }
}

pub fn shop() -> VendorId {
    VendorId {
        dns_name: "shop.example".parse().unwrap(),
        ip_addr: Some("192.0.2.7".parse().unwrap()),
        server_name: Text::normalized("Café Presse").unwrap(),
        port: 8443,
    }
}

pub fn tran(number: u8) -> TranId {
    TranId::new(at(u64::from(number) * 1_000), [number; 10])
}

pub fn at(after: u64) -> Timestamp {
    Timestamp::from_millis(NOW + after)
}

pub fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

pub fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    text.parse().unwrap()
}

pub fn blank() -> Seal {
    Seal::from_bytes([0; 32])
}

pub fn push<T: Serialize>(list: &mut Vec<Example>, name: &'static str, kind: &'static str, message: &T) {
    list.push(Example { name, kind, wire: serde_json::to_value(message).unwrap() });
}

/// Decodes `wire` as the type named `kind`, and encodes it again.
pub fn round_trip(kind: &str, wire: &str) -> Result<Value, serde_json::Error> {
    fn again<T: DeserializeOwned + Serialize>(wire: &str) -> Result<Value, serde_json::Error> {
        serde_json::to_value(serde_json::from_str::<T>(wire)?)
    }
    match kind {
        "Challenge" => again::<Challenge>(wire),
        "RegistrationRequest" => again::<RegistrationRequest>(wire),
        "RegistrationReply" => again::<RegistrationReply>(wire),
        "AttestationRequest" => again::<AttestationRequest>(wire),
        "AttestationReply" => again::<AttestationReply>(wire),
        "IssueRequest" => again::<IssueRequest>(wire),
        "IssuePermitted" => again::<IssuePermitted>(wire),
        "IssueStart" => again::<IssueStart>(wire),
        "IssueEcash" => again::<IssueEcash>(wire),
        "PurchaseRequest" => again::<PurchaseRequest>(wire),
        "PaymentInformation" => again::<PaymentInformation>(wire),
        "PaymentStart" => again::<PaymentStart>(wire),
        "PaymentBalance" => again::<PaymentBalance>(wire),
        "CampaignFunding" => again::<CampaignFunding>(wire),
        "Finish" => again::<Finish>(wire),
        "FinishReply" => again::<FinishReply>(wire),
        "CenterInit" => again::<CenterInit>(wire),
        "RelayRequest" => again::<RelayRequest>(wire),
        "RelayReply" => again::<RelayReply>(wire),
        "Delivery" => again::<Delivery>(wire),
        "Unconfirmed" => again::<Unconfirmed>(wire),
        "ErrorBody" => again::<ErrorBody>(wire),
        "ClaimRequest" => again::<ClaimRequest>(wire),
        "ClaimReply" => again::<ClaimReply>(wire),
        "StatementRequest" => again::<StatementRequest>(wire),
        "StatementReply" => again::<StatementReply>(wire),
        "NotesRequest" => again::<NotesRequest>(wire),
        "NotesReply" => again::<NotesReply>(wire),
        other => panic!("no type {other}"),
    }
}

/// The seal that the message of the type named `kind` must carry under the example's secrets, if it carries one.
pub fn seal_of(kind: &str, wire: &Value) -> Option<Seal> {
    fn decode<T: DeserializeOwned>(wire: &Value) -> Option<T> {
        serde_json::from_value(wire.clone()).ok()
    }
    let (buyer, vendor) = (custom_secret(), Secret::from_bytes(VENDOR));
    match kind {
        "AttestationRequest" => decode::<AttestationRequest>(wire).map(|message| message.seal(&buyer)),
        "IssueStart" => decode::<IssueStart>(wire).map(|message| message.seal(&buyer)),
        "IssueEcash" => decode::<IssueEcash>(wire).map(|message| message.seal(&buyer)),
        "PaymentStart" => decode::<PaymentStart>(wire).map(|message| message.seal(&buyer)),
        "PaymentBalance" => decode::<PaymentBalance>(wire).map(|message| message.seal(&buyer)),
        "Finish" => decode::<Finish>(wire).map(|message| message.seal(&buyer)),
        "StatementRequest" => decode::<StatementRequest>(wire).map(|message| message.seal(&buyer)),
        "StatementReply" => decode::<StatementReply>(wire).map(|message| message.seal(&buyer)),
        "NotesRequest" => decode::<NotesRequest>(wire).map(|message| message.seal(&buyer)),
        "NotesReply" => {
            let scrip = scrip(HashAlgorithm::HmacSha256, 1, "USD:0", None);
            decode::<NotesReply>(wire).map(|message| message.seal(&scrip, &buyer))
        }
        "CampaignFunding" => decode::<CampaignFunding>(wire).map(|message| message.sealed(&vendor).seal),
        "RelayRequest" => decode::<RelayRequest>(wire).map(|message| message.sealed(&vendor).seal),
        "RelayReply" => decode::<RelayReply>(wire).map(|message| message.sealed(&vendor).seal),
        _ => None,
    }
}

/// Repeatable bytes for the one random step, RSA-OAEP: SHA-256 of a counter. For vectors alone.
pub struct FixedRng(pub u64);

impl rsa::rand_core::TryRng for FixedRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        for chunk in target.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&Sha256::digest(self.0.to_be_bytes())[..chunk.len()]);
        }
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for FixedRng {}
