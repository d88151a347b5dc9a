//! Payword chains: chain, certificate, authority, charges and deposits, against an independent writing of each.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tuppence_protocol::payword::{
    AuthorityOrder, AwaitingCountersignature, Certificate, CertificateRequest, ChainId, Charge,
    Countersigned, Customer, Deposit, Generator, Paid, Plan,
};
use tuppence_protocol::scrip::buyer::Purse;
use tuppence_protocol::{HashAlgorithm, KeyRing, PublicKey, PublicKeys, Secret, bytes};

use crate::check;
use crate::fixtures::{VENDOR, amount, at, blank, center, custom_secret, scrip, shop};
use crate::reference::{Fields, decode, hex, message, seal};
use crate::sealed::{every_field_is_covered, round_trips};

const SIGNING: [u8; 32] = [0x51; 32];
const WALLET_KEY: [u8; 32] = [0x52; 32];
const LENGTH: u32 = 10;
const MONTH_MS: u64 = 2_592_000_000;

fn plan() -> Plan {
    Plan {
        nonce: [0x21; 16],
        end: Secret::from_bytes([0x22; 32]),
        length: LENGTH,
        unit: amount("USD:0.005"),
        expires: at(MONTH_MS),
    }
}

fn customer() -> Customer {
    Customer::at(shop(), &Secret::from_bytes(WALLET_KEY))
}

fn center_keys() -> PublicKeys {
    PublicKeys::of(&KeyRing::new(6, Secret::from_bytes(SIGNING)))
}

/// Name, type and wire of every message.
fn messages() -> Vec<(&'static str, &'static str, Value)> {
    let signing = Secret::from_bytes(SIGNING);
    let purse =
        Purse { scrip: scrip(HashAlgorithm::HmacSha256, 3, "USD:1", None), custom_secret: custom_secret() };
    let asking = customer().certificate(&purse);
    let certificate = Certificate::new(center(), customer().public_key(), at(31_536_000_000), 6, &signing);
    let certificate = asking.receive(&certificate, &center_keys()).unwrap();
    let mut generator = plan().generator(&shop()).unwrap();
    generator.step(LENGTH);
    let mut chain = generator.finish().unwrap();
    let order = customer().authorise(certificate.clone(), &plan(), chain.root());
    let countersigned = Countersigned::new(order.clone(), 6, &signing);
    let awaiting = AwaitingCountersignature { order: order.clone(), end: plan().end };
    let mut budget = awaiting.receive(&countersigned, &center_keys()).unwrap();
    let charge = budget.charge(&mut chain, 4).unwrap();
    let last = budget.end(&mut chain).unwrap();
    let deposit = |charge: &Charge| {
        Deposit {
            vendor_id: shop(),
            authority_id: charge.authority_id,
            index: charge.index,
            payword: charge.payword,
            last: charge.last,
            secret_id: 5,
            seal: blank(),
        }
        .sealed(&Secret::from_bytes(VENDOR))
    };
    let paid = |last| {
        let authority_id = charge.authority_id;
        Paid { authority_id, index: 4, amount: amount("USD:0.02"), last, secret_id: 5, seal: blank() }
            .sealed(&Secret::from_bytes(VENDOR))
    };
    fn wire(message: &impl Serialize) -> Value {
        serde_json::to_value(message).unwrap()
    }
    vec![
        ("a customer asks for a certificate", "CertificateRequest", wire(&asking.request)),
        ("certificate", "Certificate", wire(&certificate)),
        ("authority to be countersigned", "AuthorityOrder", wire(&order)),
        ("authority, countersigned", "Countersigned", wire(&countersigned)),
        ("charge of four units", "Charge", wire(&charge)),
        ("last charge", "Charge", wire(&last)),
        ("deposit", "Deposit", wire(&deposit(&charge))),
        ("last deposit", "Deposit", wire(&deposit(&last))),
        ("deposit confirmed", "Paid", wire(&paid(false))),
        ("last deposit confirmed", "Paid", wire(&paid(true))),
    ]
}

#[test]
fn a_chain_of_paywords_and_its_messages_have_their_published_form() {
    let id = chain_id();
    let (end, length) = ([0x22; 32], LENGTH);
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

    let messages: Vec<Value> = messages()
        .into_iter()
        .map(|(name, kind, wire)| {
            let hashes = hashes(kind, &wire);
            json!({ "name": name, "type": kind, "hashes": hashes, "wire": wire })
        })
        .collect();
    let charged = &messages[4]["wire"];
    assert_eq!(charged["payword"].as_str(), Some(made[4].as_str()), "a charge carries its chain's payword");
    check(
        "payword.json",
        &json!({
            "about": "One chain of paywords for the shop of scrip.json, and the messages that pay with it. paywords[i] is w_i, base64url; the first is the root, the last the secret end. w_i is SHA-256 of the canonical encoding of id and w_{i+1}; id is the beginning of SHA-256 over chain. hashes[].message is a canonical encoding in hexadecimal; result is H[message || secret], the Ed25519 signature by key, or SHA-256.",
            "nonce": bytes::encode(&plan().nonce),
            "chain": hex(&chain_message()),
            "id": bytes::encode(&id),
            "length": length,
            "paywords": made,
            "keys": {
                "center": key_pair(&Secret::from_bytes(SIGNING)),
                "wallet": bytes::encode(&WALLET_KEY),
                "customer": customer().public_key(),
            },
            "messages": messages,
        }),
    );
}

fn key_pair(seed: &Secret) -> Value {
    json!({ "id": 6, "seed": seed, "public": PublicKey::of(seed) })
}

fn chain_message() -> Vec<u8> {
    message("tuppence/payword/chain", |f| {
        f.vendor(&serde_json::to_value(shop()).unwrap());
        f.raw(&plan().nonce);
    })
}

fn chain_id() -> [u8; 16] {
    let id: [u8; 16] = Sha256::digest(chain_message())[..16].try_into().unwrap();
    assert_eq!(&id, ChainId::at(&shop(), &plan().nonce).as_bytes());
    id
}

impl Fields {
    fn certificate_terms(&mut self, value: &Value) {
        self.vendor(&value["centerId"]);
        self.base64(&value["customer"]);
        self.u64(&value["expires"]);
        self.u32(&value["keyId"]);
    }

    fn authority_terms(&mut self, value: &Value) {
        self.vendor(&value["vendorId"]);
        self.vendor(&value["centerId"]);
        self.base64(&value["customer"]);
        self.base64(&value["nonce"]);
        self.base64(&value["root"]);
        self.u32(&value["length"]);
        self.amount(&value["unit"]);
        self.u64(&value["expires"]);
    }

    /// Terms and their signature, as one field.
    fn signed(&mut self, value: &Value, terms: impl FnOnce(&mut Fields, &Value)) {
        self.nested(|f| {
            terms(f, value);
            f.base64(&value["signature"]);
        });
    }

    fn last(&mut self, value: &Value) {
        self.raw(if value.as_bool().unwrap() { b"last" } else { b"more" });
    }
}

/// The hashes and signatures that a message carries, computed by the reference and compared with the crate's.
fn hashes(kind: &str, wire: &Value) -> Vec<Value> {
    let mut hashes = Vec::new();
    let mut sealed = |secret_name: &str, secret: &[u8], message: Vec<u8>, carried: &Value| {
        let result = seal("hmac-sha256", secret, &message);
        assert_eq!(carried.as_str(), Some(result.as_str()), "{kind}");
        hashes.push(json!({ "what": "seal", "algorithm": "hmac-sha256", "secret": secret_name, "message": hex(&message), "result": result }));
    };
    match kind {
        "CertificateRequest" => {
            let message = message("tuppence/payword/certify", |f| {
                f.scrip(&wire["scrip"]);
                f.base64(&wire["customer"]);
            });
            sealed("custom_secret", custom_secret().expose(), message, &wire["hash"]);
        }
        "Deposit" => {
            let message = message("tuppence/payword/deposit", |f| {
                f.vendor(&wire["vendorId"]);
                f.base64(&wire["authorityId"]);
                f.u32(&wire["index"]);
                f.base64(&wire["payword"]);
                f.last(&wire["last"]);
                f.u32(&wire["secretId"]);
            });
            sealed("vendor_secret", &VENDOR, message, &wire["seal"]);
        }
        "Paid" => {
            let message = message("tuppence/payword/paid", |f| {
                f.base64(&wire["authorityId"]);
                f.u32(&wire["index"]);
                f.nested(|f| f.amount(&wire["amount"]));
                f.last(&wire["last"]);
                f.u32(&wire["secretId"]);
            });
            sealed("vendor_secret", &VENDOR, message, &wire["seal"]);
        }
        _ => (),
    }
    let mut signed = |what: &str, key: &str, message: Vec<u8>, carried: &Value| {
        assert!(verifies(key, &message, carried), "{kind}: {what}");
        hashes.push(json!({ "what": what, "algorithm": "ed25519", "key": key, "message": hex(&message), "result": carried }));
    };
    let order = if kind == "Countersigned" { &wire["order"] } else { wire };
    match kind {
        "Certificate" => {
            let message = message("tuppence/payword/certificate", |f| f.certificate_terms(wire));
            signed("signature", "center", message, &wire["signature"]);
        }
        "AuthorityOrder" => {
            let authority = &order["authority"];
            let encoding = message("tuppence/payword/authority", |f| f.authority_terms(authority));
            signed("signature of authority", "customer", encoding.clone(), &authority["signature"]);
            let id = bytes::encode(&Sha256::digest(&encoding));
            let order: AuthorityOrder = serde_json::from_value(order.clone()).unwrap();
            assert_eq!(id, order.authority.id().to_string());
            hashes.push(json!({ "what": "authorityId", "algorithm": "sha-256", "message": hex(&encoding), "result": id }));
        }
        "Countersigned" => {
            let message = message("tuppence/payword/countersignature", |f| {
                f.signed(&order["authority"], Fields::authority_terms);
                f.signed(&order["certificate"], Fields::certificate_terms);
                f.u32(&wire["keyId"]);
            });
            signed("signature", "center", message, &wire["signature"]);
        }
        _ => (),
    }
    hashes
}

fn verifies(key: &str, message: &[u8], signature: &Value) -> bool {
    let public =
        if key == "center" { PublicKey::of(&Secret::from_bytes(SIGNING)) } else { customer().public_key() };
    let key = ed25519_dalek::VerifyingKey::from_bytes(public.as_bytes()).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&decode(signature)).unwrap();
    key.verify_strict(message, &signature).is_ok()
}

/// Decodes `wire` as the type named `kind`, and encodes it again.
fn round_trip(kind: &str, wire: &Value) -> Result<Value, serde_json::Error> {
    fn again<T: DeserializeOwned + Serialize>(wire: &Value) -> Result<Value, serde_json::Error> {
        serde_json::to_value(serde_json::from_value::<T>(wire.clone())?)
    }
    match kind {
        "CertificateRequest" => again::<CertificateRequest>(wire),
        "Certificate" => again::<Certificate>(wire),
        "AuthorityOrder" => again::<AuthorityOrder>(wire),
        "Countersigned" => again::<Countersigned>(wire),
        "Charge" => again::<Charge>(wire),
        "Deposit" => again::<Deposit>(wire),
        "Paid" => again::<Paid>(wire),
        other => panic!("no type {other}"),
    }
}

/// Whether the message of the type named `kind` is taken by whom it is for; absent where it carries no seal.
fn holds(kind: &str, wire: &Value) -> Option<bool> {
    fn decode<T: DeserializeOwned>(wire: &Value) -> Option<T> {
        serde_json::from_value(wire.clone()).ok()
    }
    let vendor = Secret::from_bytes(VENDOR);
    match kind {
        "CertificateRequest" => decode::<CertificateRequest>(wire)
            .map(|message| message.seal(&custom_secret()).matches(&message.hash)),
        "Certificate" => decode::<Certificate>(wire).map(|message| message.holds(&center_keys())),
        "AuthorityOrder" => decode::<AuthorityOrder>(wire)
            .map(|message| message.authority.holds() && message.certificate.holds(&center_keys())),
        "Countersigned" => {
            decode::<Countersigned>(wire).map(|message| message.check(&center(), &center_keys()).is_ok())
        }
        "Deposit" => decode::<Deposit>(wire).map(|message| message.holds(&vendor)),
        "Paid" => decode::<Paid>(wire).map(|message| message.holds(&vendor)),
        _ => None,
    }
}

#[test]
fn every_payword_message_decodes_and_encodes_to_the_same_value() {
    round_trips("payword.json", round_trip, |kind, field| kind == "Charge" && field == "last");
}

#[test]
fn altering_any_field_of_a_sealed_or_signed_payword_message_breaks_it() {
    every_field_is_covered("payword.json", holds);
}
