//! A chain of paywords: the crate's against one that the reference hashes link by link.

use serde_json::json;
use sha2::{Digest, Sha256};
use tuppence_protocol::payword::{ChainId, Generator};
use tuppence_protocol::{Secret, bytes};

use crate::check;
use crate::reference::message;

#[test]
fn a_chain_of_paywords_has_its_published_links() {
    let (id, end, length) = ([0x21; 16], [0x22; 32], 10);
    let mut generator = Generator::new(&ChainId::from_bytes(id), length, Secret::from_bytes(end)).unwrap();
    generator.step(length);
    let mut chain = generator.finish().unwrap();
    let made: Vec<String> =
        (0..=length).map(|index| bytes::encode(chain.payword(index).unwrap().as_bytes())).collect();

    let mut reference = vec![end];
    for _ in 0..length {
        let encoding = message("tuppence/payword/link", |f| {
            f.raw(&id);
            f.raw(reference.last().unwrap());
        });
        reference.push(Sha256::digest(encoding).into());
    }
    let expected: Vec<String> = reference.iter().rev().map(|payword| bytes::encode(payword)).collect();
    assert_eq!(made, expected);

    check(
        "payword.json",
        &json!({
            "about": "One chain of paywords, base64url. paywords[i] is w_i; the first is the root, the last the secret end. w_i is SHA-256 of the canonical encoding of id and w_{i+1}.",
            "id": bytes::encode(&id),
            "length": length,
            "paywords": made,
        }),
    );
}
