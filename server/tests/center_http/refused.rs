//! Whatever arrives, it is a refusal with its place and reason, and never a 500.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tuppence_protocol::ErrorCode;

use crate::buyer::{Buyer, start};
use crate::stand::{DESCRIPTION, Stand, operator_token, send};

/// Every address that takes a body, from the description, and a message of the kind that it takes.
fn posts() -> Vec<(&'static str, Value)> {
    let read = |text| serde_json::from_str::<Value>(text).unwrap()["messages"].as_array().unwrap().clone();
    let mut messages = read(include_str!("../../../protocol/vectors/scrip.json"));
    messages.extend(read(include_str!("../../../protocol/vectors/payword.json")));
    messages.extend(read(include_str!("../../../protocol/vectors/vendor-scrip.json")));
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    let posts = paths.iter().filter_map(|(path, item)| {
        let schema = item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str()?;
        let name = schema.rsplit('/').next().unwrap();
        let published =
            messages.iter().find(|message| message["type"] == name).map(|message| &message["wire"]);
        Some((path.as_str(), published.cloned().unwrap_or_else(|| unpublished(name, &messages))))
    });
    posts.collect()
}

/// Messages that the vectors do not have by themselves.
fn unpublished(name: &str, messages: &[Value]) -> Value {
    let wire = |name: &str| &messages.iter().find(|message| message["name"] == name).unwrap()["wire"];
    let of_type = |kind: &str| &messages.iter().find(|message| message["type"] == kind).unwrap()["wire"];
    let receipt = &wire("reply to S6: receipt")["receipt"]["receipt"];
    match name {
        "Receipt" => receipt.clone(),
        "Reserve" => json!({"payment": of_type("PaymentStart"), "order": of_type("AuthorityOrder")}),
        "BuyScrip" => json!({"payment": of_type("PaymentStart"), "order": of_type("Order")}),
        "AskPurchased" => json!({"orderId": of_type("Purchased")["orderId"], "receipt": receipt}),
        "AskCountersigned" => json!({"authorityId": of_type("Charge")["authorityId"], "receipt": receipt}),
        "Mark" => json!({"present": true}),
        "ConfirmPayout" => json!({"number": 9, "reference": "x"}),
        "ReturnPayout" => json!({"number": 9, "reason": "x"}),
        "NewVendor" => json!({
            "vendorId": {"dnsName": "b.example", "serverName": "B", "port": 443},
            "origin": "https://b.example", "secret": "A".repeat(43),
        }),
        "NewVendorSecret" => json!({"number": 9, "secret": "A".repeat(43)}),
        "MoveMoney" => json!({"number": 9, "amount": "USD:1", "reference": "x"}),
        _ => panic!("no example of {name}"),
    }
}

#[actix_web::test]
async fn what_is_no_message_is_malformed_at_every_address() {
    let stand = Stand::start().await;
    let deep = "[".repeat(60_000);
    let long = format!("\"{}\"", "a".repeat(64 * 1024));
    let (json, text) = (Some("application/json"), Some("text/plain"));
    for (path, _) in posts() {
        for (body, media, code) in [
            ("", json, ErrorCode::Malformed),
            ("x", json, ErrorCode::Malformed),
            ("null", json, ErrorCode::Malformed),
            ("[]", json, ErrorCode::Malformed),
            ("{}", json, ErrorCode::Malformed),
            ("{\"header\": 1}", json, ErrorCode::Malformed),
            ("{\"header\": {\"cmdType\": \"XX1\"}}", json, ErrorCode::Malformed),
            ("\u{0}", json, ErrorCode::Malformed),
            (&deep, json, ErrorCode::Malformed),
            (&long, json, ErrorCode::BodyTooLarge),
            ("{}", text, ErrorCode::MediaType),
            ("{}", None, ErrorCode::MediaType),
            ("a=b", Some("application/x-www-form-urlencoded"), ErrorCode::MediaType),
            ("{}", Some("application/json; charset=utf-16"), ErrorCode::MediaType),
        ] {
            let mut request =
                stand.request(Method::POST, path).bearer_auth(operator_token()).body(body.to_owned());
            if let Some(media) = media {
                request = request.header(CONTENT_TYPE, media);
            }
            let refused = send(request).await.refused();
            assert_eq!(refused.code, code, "{path}: {body:.40} {media:?}");
        }
    }
}

#[actix_web::test]
async fn a_field_missing_wrong_or_unknown_is_malformed_with_its_place() {
    let stand = Stand::start().await;
    let mut tried = 0;
    for (path, message) in posts() {
        for (what, broken) in broken(&message) {
            let refused = stand.operate(path, &broken).await.refused();
            assert_eq!(refused.code, ErrorCode::Malformed, "{path} with {what}: {}", refused.message);
            tried += 1;
        }
    }
    assert!(tried > 200, "only {tried} messages were tried");
}

#[actix_web::test]
async fn a_message_for_somebody_else_is_refused_by_the_rules() {
    let stand = Stand::start().await;
    for (path, message) in posts() {
        if ["/operator/vendors", "/cash-out", "/recovery/mark"].contains(&path) {
            continue;
        }
        let refused = stand.operate(path, &message).await.refused();
        assert_ne!(refused.code, ErrorCode::Malformed, "{path}: {}", refused.message);
        assert!((400..500).contains(&refused.code.status()), "{path}: {refused:?}");
    }
}

#[actix_web::test]
async fn what_is_not_there_and_what_is_not_taken_is_said_as_json() {
    let stand = Stand::start().await;
    for path in ["/api/v1/nothing", "/api/v2/center", "/api", "/api/v1/campaigns/1", "/api/v1/campaigns/x/y"]
    {
        stand.page(path).await.refused_for(ErrorCode::NotFound);
    }
    for path in posts().into_iter().map(|(path, _)| path).filter(|path| *path != "/operator/vendors") {
        let answer = send(stand.request(Method::GET, path)).await;
        answer.refused_for(ErrorCode::Method);
        assert_eq!(answer.header("allow"), "POST", "{path}");
    }
    send(stand.request(Method::DELETE, "/center")).await.refused_for(ErrorCode::Method);
    let query = "/operator/payouts?all=perhaps";
    stand.get(query, "/operator/payouts").await.refused_for(ErrorCode::Malformed);
    let long = "x".repeat(65);
    stand.page(&format!("/api/v1/campaigns/1/{long}")).await.refused_for(ErrorCode::NotFound);
}

#[actix_web::test]
async fn the_operators_routes_want_the_operators_token() {
    let stand = Stand::start().await;
    for path in ["/operator/payouts", "/operator/vendors"] {
        for token in [None, Some("x".to_owned()), Some(operator_token()[1..].to_owned()), Some(String::new())]
        {
            let mut request = stand.request(Method::GET, path);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            send(request).await.refused_for(ErrorCode::Unauthorized);
        }
    }
    for (path, message) in posts().into_iter().filter(|(path, _)| path.starts_with("/operator")) {
        stand.post(path, &message).await.refused_for(ErrorCode::Unauthorized);
    }
}

#[actix_web::test]
async fn a_refused_payment_carries_the_protocols_own_refusal() {
    let stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let stale = buyer.starts(&stand, buyer.article(&stand, "USD:0.1"));
    let offer = buyer.article(&stand, "USD:0.2");
    buyer.take(&stand, offer).await;
    let refused = start(&stand, &stale).await.refused_for(ErrorCode::ScripStale);
    let reply = refused.reply.unwrap();
    assert_eq!(reply.header.cmd_type.as_str(), "PM5_2");
    assert_eq!(reply.p_count, Some(1));
    assert!(reply.scrip.is_some() && reply.order.is_some() && reply.hash.is_some());
}

/// The message with each field missing, of another type, or with an unknown one beside it; amounts and bytes in
/// another spelling.
fn broken(message: &Value) -> Vec<(String, Value)> {
    // What a message may do without.
    const OPTIONAL: [&str; 9] =
        ["name", "address", "eMail", "errorMessage", "ad", "ipAddr", "transaction", "tranId", "note"];
    let mut broken = Vec::new();
    for pointer in pointers(message, "") {
        let replaced = |value: Value| {
            let mut message = message.clone();
            *message.pointer_mut(&pointer).unwrap() = value;
            message
        };
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        if !OPTIONAL.contains(&name) {
            let mut without = message.clone();
            without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            broken.push((format!("{pointer} missing"), without));
        }
        broken.push((format!("{pointer} of another type"), replaced(json!([[]]))));
        match message.pointer(&pointer).unwrap() {
            Value::Object(fields) => {
                let mut more = fields.clone();
                more.insert("surplus".to_owned(), json!(1));
                broken.push((format!("{pointer}/surplus"), replaced(Value::Object(more))));
            }
            Value::String(text) if text.starts_with("USD:") => {
                for amount in ["USD:1.0", "USD:-1", "USD:01", "usd:1", "1", "USD:0.0000001", "USD:9007199255"]
                {
                    broken.push((format!("{pointer} = {amount}"), replaced(json!(amount))));
                }
            }
            Value::Number(_) => {
                for number in [json!(-1), json!(1.5), json!("1"), json!(u64::MAX)] {
                    broken.push((format!("{pointer} = {number}"), replaced(number)));
                }
            }
            _ => {}
        }
    }
    let mut more = message.clone();
    more["surplus"] = json!(1);
    broken.push(("/surplus".to_owned(), more));
    broken
}

/// Every field, however deep.
fn pointers(value: &Value, from: &str) -> Vec<String> {
    let Value::Object(fields) = value else { return Vec::new() };
    fields
        .iter()
        .flat_map(|(name, value)| {
            let pointer = format!("{from}/{name}");
            let below = pointers(value, &pointer);
            std::iter::once(pointer).chain(below)
        })
        .collect()
}
