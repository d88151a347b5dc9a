//! Publishers' servers check receipts in Rust and under Node.js (packages/shop): both by the published vectors.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test says by panicking that it failed")]

use std::process::Command;

use serde_json::Value;
use tuppence_protocol::scrip::RequestUrl;
use tuppence_protocol::scrip::receipt::{Receipt, verify_receipt};
use tuppence_protocol::{ErrorCode, KeyRing, Secret};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const ARTICLE: &str = "https://shop.example/articles/small-change";
const SECRET_ID: u32 = 5;

#[test]
fn under_node_receipts_hold_and_are_refused_as_published() {
    let test = format!("{ROOT}/packages/shop/shop.test.mjs");
    let output = Command::new("node").args(["--test", &test]).output();
    let output = output.unwrap_or_else(|error| panic!("Node.js 18 or newer is needed as `node`: {error}"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

#[test]
fn a_receipt_holds_for_its_own_article_shop_and_secret_alone() {
    let (receipt, secret) = published("PM7_1");
    let vendor_id = receipt.vendor_id.clone();
    let secrets = KeyRing::new(SECRET_ID, secret.clone());
    let article: RequestUrl = ARTICLE.parse().unwrap();
    let paid = verify_receipt(&receipt, &vendor_id, &secrets, &article).unwrap();
    assert_eq!((paid.amount, paid.date), ("USD:0.03".parse().unwrap(), receipt.date));
    assert_eq!((paid.article, paid.tran_id), (article.clone(), receipt.tran_id));

    let other_article = "https://shop.example/articles/other".parse().unwrap();
    let mut other_shop = vendor_id.clone();
    other_shop.port = 443;
    let other_secret = KeyRing::new(SECRET_ID, Secret::from_bytes([9; 32]));
    let other_id = KeyRing::new(SECRET_ID + 1, secret);
    let dearer = Receipt { amount: "USD:3".parse().unwrap(), ..receipt.clone() };
    let (reward, _) = published("GM7_1");
    for refused in [
        verify_receipt(&receipt, &vendor_id, &secrets, &other_article),
        verify_receipt(&receipt, &other_shop, &secrets, &article),
        verify_receipt(&receipt, &vendor_id, &other_secret, &article),
        verify_receipt(&receipt, &vendor_id, &other_id, &article),
        verify_receipt(&dearer, &vendor_id, &secrets, &article),
        verify_receipt(&reward, &vendor_id, &secrets, &reward.subject),
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::ReceiptInvalid);
    }
}

/// The receipt of the published delivery with this code, and the secret that seals it.
fn published(code: &str) -> (Receipt, Secret) {
    let text = std::fs::read_to_string(format!("{ROOT}/protocol/vectors/scrip.json")).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let messages = vectors["messages"].as_array().unwrap();
    let wire = messages.iter().map(|message| &message["wire"]).find(|w| w["header"]["cmdType"] == code);
    let receipt = serde_json::from_value(wire.unwrap()["receipt"].clone()).unwrap();
    (receipt, serde_json::from_value(vectors["secrets"]["vendor_secret"].clone()).unwrap())
}
