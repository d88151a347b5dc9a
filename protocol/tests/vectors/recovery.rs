//! The example's recovery: the same wallet comes back from its words, with its history and its notes.

use serde_json::Value;
use tuppence_protocol::challenge::{Challenge, Solution, solve};
use tuppence_protocol::envelope::{CenterPrivateKey, SecretBox};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::recovery::claim::{ClaimReply, ClaimRequest};
use tuppence_protocol::recovery::keys::RecoveryKeys;
use tuppence_protocol::recovery::notes::{Notes, NotesReply};
use tuppence_protocol::recovery::statement::{StatementKind, StatementReply, StatementState, StatementStep};
use tuppence_protocol::recovery::words::Mnemonic;
use tuppence_protocol::scrip::buyer::Purse;
use tuppence_protocol::scrip::cash_out::{CashOutStage, CashOutState};
use tuppence_protocol::scrip::receipt::ReceiptKind;
use tuppence_protocol::scrip::{Code, Header};
use tuppence_protocol::{HashAlgorithm, Secret};

use crate::fixtures::{
    CHALLENGE, Example, FixedRng, SESSION, amount, at, blank, center, custom_secret, push, receipt, scrip,
    shop, text, tran,
};

pub const ENTROPY: [u8; 16] = [0x7F; 16];
const NONCE: [u8; 16] = [0x6E; 16];

pub fn keys() -> RecoveryKeys {
    RecoveryKeys::new(&Mnemonic::from_entropy(ENTROPY), &center())
}

/// What the words derive, for the vectors.
pub fn derived() -> Value {
    let keys = keys();
    serde_json::json!({
        "words": Mnemonic::from_entropy(ENTROPY).words().join(" "),
        "entropy": tuppence_protocol::bytes::encode(&ENTROPY),
        "wallet_id": keys.wallet_id,
        "wallet_key": keys.wallet_key,
        "wallet_key_public": tuppence_protocol::bytes::encode(&keys.public_key()),
        "notes_key": keys.notes_key,
    })
}

pub fn messages(list: &mut Vec<Example>, key: &CenterPrivateKey) {
    claim(list, key);
    statement(list);
    notes(list);
}

fn claim(list: &mut Vec<Example>, key: &CenterPrivateKey) {
    let keys = keys();
    let challenge = Challenge::new([0xC5; 16], 12, at(160_000), &Secret::from_bytes(CHALLENGE));
    let envelope = key.public().unwrap().encrypt(&Secret::from_bytes(SESSION), &mut FixedRng(50)).unwrap();
    let content = ClaimRequest::content_of(&center(), keys.wallet_id, &envelope);
    let nonce = solve(&challenge, content, 0, 1 << 20).unwrap();
    let request = ClaimRequest::new(&center(), &keys, Solution { challenge, nonce }, envelope, at(100_000));
    assert!(request.holds(&center(), &keys.public_key()));
    push(list, "C1 claim", "ClaimRequest", &request);
    let header = Header::new(Code::Rm2, at(100_010));
    let first = scrip(HashAlgorithm::HmacSha256, 1, "USD:0", None);
    let associated = ClaimReply::associated(&header, &first, at(10));
    let session_key = Secret::from_bytes(SESSION);
    let boxed = SecretBox::close(&session_key, [0xB1; 12], &associated, &custom_secret()).unwrap();
    let reply = ClaimReply { header, scrip: first, registered: at(10), custom_secret: boxed };
    assert_eq!(
        reply.receive(&center(), &session_key).unwrap().custom_secret.expose(),
        custom_secret().expose()
    );
    push(list, "C2 the purse as it was when it was new", "ClaimReply", &reply);
}

fn purse() -> Purse {
    Purse { scrip: scrip(HashAlgorithm::HmacSha256, 1, "USD:0", None), custom_secret: custom_secret() }
}

fn statement(list: &mut Vec<Example>) {
    let asked = purse().statement(Serial::FIRST, NONCE, at(100_020));
    push(list, "H1 statement from the first step on", "StatementRequest", &asked.request);
    let url = "https://shop.example/articles/small-change";
    let step = |kind, serial: u64, next: u64, sum: &str, before: &str, after: &str| StatementStep {
        kind,
        vendor_id: shop(),
        tran_id: tran(u8::try_from(serial).unwrap()),
        subject: text(url),
        amount: amount(sum),
        serial: Serial::try_from(serial).unwrap(),
        next: Serial::try_from(next).unwrap(),
        before: amount(before),
        after: amount(after),
        started: at(serial * 1_000),
        state: StatementState::Pending,
        payout: None,
    };
    let issued = receipt(ReceiptKind::Issue, tran(1), "coins-quiz", "USD:6.04", 1_060);
    let cashed = receipt(ReceiptKind::Payment, tran(3), "GB33 BUKB 2020", "USD:5", 3_060);
    let payout = CashOutState {
        state: CashOutStage::Confirmed,
        number: 12,
        amount: amount("USD:4.75"),
        fee: amount("USD:0.25"),
        date: at(9_000),
        note: Some(text("F 2026-11-23 7")),
    };
    let steps = vec![
        StatementStep {
            subject: text("coins-quiz"),
            state: StatementState::Posted(issued),
            ..step(StatementKind::Issue, 1, 2, "USD:6.04", "USD:0", "USD:6.04")
        },
        StatementStep {
            state: StatementState::Voided(at(2_500)),
            ..step(StatementKind::Payment, 2, 4, "USD:0.03", "USD:6.04", "USD:6.04")
        },
        StatementStep {
            vendor_id: center(),
            tran_id: tran(3),
            subject: text("GB33 BUKB 2020"),
            state: StatementState::Posted(cashed),
            payout: Some(payout),
            ..step(StatementKind::CashOut, 4, 5, "USD:5", "USD:6.04", "USD:1.04")
        },
        step(StatementKind::Payment, 5, 6, "USD:0.03", "USD:1.04", "USD:1.01"),
    ];
    for (name, steps, more) in
        [("H2 statement", steps.clone(), false), ("H2 a page of a statement", steps[..1].to_vec(), true)]
    {
        let mut reply = StatementReply {
            header: Header::new(Code::Sm2, at(100_030)),
            nonce: NONCE,
            scrip: scrip(HashAlgorithm::HmacSha256, 6, "USD:1.01", Some("coins-quiz")),
            steps,
            more,
            hash: blank(),
        };
        reply.hash = reply.seal(&custom_secret());
        asked.receive(reply.clone(), &custom_secret()).unwrap();
        push(list, name, "StatementReply", &reply);
    }
}

fn notes(list: &mut Vec<Example>) {
    let version = Serial::try_from(2).unwrap();
    let notes = Notes::seal(&keys(), &center(), version, [0xB2; 12], b"{}").unwrap();
    let fetching = purse().notes(None, NONCE, at(100_040));
    push(list, "N1 fetches the notes", "NotesRequest", &fetching.request);
    let keeping = purse().notes(Some(notes.clone()), NONCE, at(100_050));
    push(list, "N1 keeps notes", "NotesRequest", &keeping.request);
    for (name, notes) in [("N2 the notes", Some(notes)), ("N2 kept, or there are none", None)] {
        let mut reply =
            NotesReply { header: Header::new(Code::Nm2_1, at(100_060)), nonce: NONCE, notes, hash: blank() };
        reply.hash = reply.seal(&fetching.request.scrip, &custom_secret());
        fetching.receive(reply.clone(), &custom_secret()).unwrap();
        push(list, name, "NotesReply", &reply);
    }
}
