//! Fields of one real message in another, and every field altered: refused, and nothing moves (T1, T7, T9).

use serde::Serialize;
use serde_json::{Value, json};
use tuppence_protocol::scrip::buyer::Start;
use tuppence_protocol::scrip::relay::CenterInit;
use tuppence_protocol::scrip::{Code, Header};

use crate::buyer::{Buyer, finish, start};
use crate::stand::Stand;

/// Every number and text of a message, however deep.
fn leaves(value: &Value, from: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| leaves(value, &format!("{from}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(n, value)| leaves(value, &format!("{from}/{n}"))).collect()
        }
        _ => vec![from.to_owned()],
    }
}

/// Another value of the same kind.
fn altered(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        Value::String(text) if text.starts_with("USD:") => json!("USD:0.29"),
        Value::String(text) => {
            let (first, rest) = text.split_at(1);
            json!(format!("{}{rest}", if first == "b" { "c" } else { "b" }))
        }
        other => panic!("no leaf: {other}"),
    }
}

/// Sends `message` with each field from `other`, and altered: no such message is taken.
async fn takes_no_splice<T: Serialize>(stand: &Stand, path: &str, message: &T, other: &T) -> usize {
    let (message, other) = (serde_json::to_value(message).unwrap(), serde_json::to_value(other).unwrap());
    let mut tried = 0;
    let mut places = leaves(&message, "");
    // Whole records too: scrip, offer, transaction.
    places.extend(message.as_object().unwrap().keys().map(|name| format!("/{name}")));
    for place in places {
        // No seal covers the sender's clock, nor its count of attempts: neither decides anything.
        if ["/header", "/header/serverDate", "/pCount"].contains(&place.as_str()) {
            continue;
        }
        let ours = message.pointer(&place).unwrap();
        let mut values = vec![];
        values.extend(other.pointer(&place).filter(|theirs| *theirs != ours).cloned());
        if !ours.is_object() && !ours.is_array() {
            values.push(altered(ours));
        }
        for value in values {
            let mut spliced = message.clone();
            *spliced.pointer_mut(&place).unwrap() = value.clone();
            let answer = stand.post(path, &spliced).await;
            assert!((400..500).contains(&answer.status), "{path} {place} = {value}: {}", answer.text());
            tried += 1;
        }
    }
    tried
}

#[actix_web::test]
async fn no_field_of_a_message_can_be_altered_or_taken_from_another_one() {
    let stand = Stand::start().await;
    let (mut ann, mut ben) = (Buyer::with(&stand, "USD:1").await, Buyer::with(&stand, "USD:2").await);
    let mut tried = 0;

    let shop = stand.seller.vendor_id().clone();
    let ask = |buyer: &Buyer| buyer.purse.attestation(shop.clone(), stand.now()).request;
    tried += takes_no_splice(&stand, "/earner", &ask(&ann), &ask(&ben)).await;

    let fund = |budget: &str, item: &str| {
        stand.seller.fund(item.parse().unwrap(), budget.parse().unwrap(), stand.now()).unwrap()
    };
    tried += takes_no_splice(&stand, "/campaigns", &fund("USD:3", "a"), &fund("USD:4", "b")).await;

    let rewards = (ann.reward(&stand, "USD:0.1").await, ben.reward(&stand, "USD:0.2").await);
    let issues = (ann.starts(&stand, rewards.0), ben.starts(&stand, rewards.1));
    let (Start::Issue(ours), Start::Issue(theirs)) = (&issues.0.start, &issues.1.start) else {
        panic!("no M4")
    };
    tried += takes_no_splice(&stand, "/issue", ours, theirs).await;
    let started = (start(&stand, &issues.0).await.expect(200), start(&stand, &issues.1).await.expect(200));
    let ends = (ann.confirms(&stand, &issues.0, &started.0), ben.confirms(&stand, &issues.1, &started.1));
    tried += takes_no_splice(&stand, "/issue/finish", &ends.0.finish, &ends.1.finish).await;
    finish(&stand, &ends.0).await.expect(200);
    finish(&stand, &ends.1).await.expect(200);
    (ann.purse.scrip, ben.purse.scrip) = (ends.0.new_scrip().clone(), ends.1.new_scrip().clone());

    let prices = (ann.article(&stand, "USD:0.3"), ben.article(&stand, "USD:0.4"));
    let payments = (ann.starts(&stand, prices.0), ben.starts(&stand, prices.1));
    let (Start::Payment(ours), Start::Payment(theirs)) = (&payments.0.start, &payments.1.start) else {
        panic!("no S4")
    };
    let relay = |tran_id| {
        let init = CenterInit { header: Header::new(Code::Pm3_1, stand.now()), tran_id };
        stand.seller.relay(&init, stand.now()).unwrap().request().clone()
    };
    let relays = (relay(ours.order.tran_id), relay(theirs.order.tran_id));
    tried += takes_no_splice(&stand, "/payment", ours, theirs).await;
    tried += takes_no_splice(&stand, "/relay", &relays.0, &relays.1).await;
    let started =
        (start(&stand, &payments.0).await.expect(200), start(&stand, &payments.1).await.expect(200));
    let ends = (ann.confirms(&stand, &payments.0, &started.0), ben.confirms(&stand, &payments.1, &started.1));
    tried += takes_no_splice(&stand, "/payment/finish", &ends.0.finish, &ends.1.finish).await;
    finish(&stand, &ends.0).await.expect(200);
    finish(&stand, &ends.1).await.expect(200);
    (ann.purse.scrip, ben.purse.scrip) = (ends.0.new_scrip().clone(), ends.1.new_scrip().clone());

    assert_eq!(ann.live(&stand).await, "USD:0.8".parse().unwrap());
    assert_eq!(ben.live(&stand).await, "USD:1.8".parse().unwrap());
    assert!(tried > 150, "only {tried} messages were tried");
}
