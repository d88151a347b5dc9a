//! The published vectors (protocol/vectors): every message and hash, checked against the crate and against an
//! independent writing of the encoding. `TUPPENCE_VECTORS=write cargo test -p tuppence-protocol --test vectors`
//! writes them anew, after a change of the protocol that is meant.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a test says by panicking that it failed"
)]

mod fixtures;
mod payword;
mod recovery;
mod reference;
mod sealed;
mod vendor_scrip;

use std::path::PathBuf;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tuppence_protocol::envelope::CenterPrivateKey;
use tuppence_protocol::recovery::claim::{ClaimReply, ClaimRequest};
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::registration::{RegistrationReply, RegistrationRequest, associated};
use tuppence_protocol::{Amount, Secret, bytes};

use fixtures::{Example, FixedRng, round_trip, seal_of};
use reference::{Fields, decode, hex, message, seal};

#[test]
fn every_message_has_its_published_form_and_hashes() {
    let key = center_key();
    let vectors: Vec<Value> = fixtures::messages(&key)
        .into_iter()
        .map(|example| json!({ "name": example.name, "type": example.kind, "hashes": hashes(&example), "wire": example.wire }))
        .collect();
    check(
        "scrip.json",
        &json!({
            "about": "One buyer, one center, one shop. hashes[].message is the canonical encoding in hexadecimal; result is H[message || secret], or SHA-256 without a secret.",
            "secrets": {
                "master_scrip_secret": bytes::encode(&fixtures::MASTER_SCRIP),
                "master_customer_secret": bytes::encode(&fixtures::MASTER_CUSTOMER),
                "custom_secret": bytes::encode(fixtures::custom_secret().expose()),
                "vendor_secret": bytes::encode(&fixtures::VENDOR),
                "challenge_secret": bytes::encode(&fixtures::CHALLENGE),
                "session_key": bytes::encode(&fixtures::SESSION),
            },
            "recovery": recovery::derived(),
            "center_private_key": bytes::encode(&key.to_der().unwrap()),
            "center_public_key": serde_json::to_value(key.public().unwrap()).unwrap(),
            "messages": vectors,
        }),
    );
}

#[test]
fn every_message_code_is_in_the_vectors() {
    let published = read("scrip.json").to_string();
    for code in Code::ALL {
        assert!(published.contains(&format!("\"{}\"", code.as_str())), "no vector with {}", code.as_str());
    }
}

#[test]
fn every_message_decodes_and_encodes_to_the_same_value() {
    for vector in read("scrip.json")["messages"].as_array().unwrap() {
        let again = round_trip(vector["type"].as_str().unwrap(), &vector["wire"].to_string());
        assert_eq!(again.unwrap(), vector["wire"], "{}", vector["name"]);
    }
}

#[test]
fn a_message_with_an_unknown_or_missing_field_is_refused() {
    for vector in read("scrip.json")["messages"].as_array().unwrap() {
        let kind = vector["type"].as_str().unwrap();
        let Some(fields) = vector["wire"].as_object() else { continue };
        let mut more = fields.clone();
        more.insert("surprise".into(), json!(1));
        assert!(
            round_trip(kind, &Value::Object(more).to_string()).is_err(),
            "{} with one more",
            vector["name"]
        );
        let required =
            ["header", "hash", "seal", "offer", "order", "pCount", "scrip", "newScrip", "tranId", "message"];
        let may_lack = vector["type"] == "IssueEcash" || vector["type"] == "PaymentBalance";
        for name in fields.keys().filter(|name| required.contains(&name.as_str())) {
            if may_lack && name == "tranId" {
                continue;
            }
            let mut fewer = fields.clone();
            fewer.remove(name);
            let refused = round_trip(kind, &Value::Object(fewer).to_string()).is_err();
            assert!(refused, "{} without {name}", vector["name"]);
        }
    }
}

#[test]
fn altering_any_sealed_field_changes_the_seal() {
    // What a seal leaves out, and why: the sender's clock and pCount are informative, a seal cannot cover itself.
    let uncovered = ["/header/serverDate", "/header/protocolVersion", "/pCount", "/hash", "/seal"];
    // A statement is as of a time, so its date is covered.
    let dated = |kind: &str| kind == "StatementReply";
    for vector in read("scrip.json")["messages"].as_array().unwrap() {
        let (kind, wire) = (vector["type"].as_str().unwrap(), &vector["wire"]);
        let Some(before) = seal_of(kind, wire) else { continue };
        for leaf in leaves(wire, String::new()) {
            let altered = alterations(wire.pointer(&leaf).unwrap()).into_iter().filter_map(|value| {
                let mut message = wire.clone();
                *message.pointer_mut(&leaf).unwrap() = value;
                seal_of(kind, &message)
            });
            let altered: Vec<_> = altered.collect();
            assert!(
                !altered.is_empty() || leaf.ends_with("/hashAlgorithm"),
                "{}: {leaf} cannot be altered",
                vector["name"]
            );
            for seal in altered {
                let same = seal.matches(&before);
                let left_out =
                    uncovered.contains(&leaf.as_str()) && !(dated(kind) && leaf == "/header/serverDate");
                assert_eq!(same, left_out, "{}: {leaf}", vector["name"]);
            }
        }
    }
}

/// The JSON pointers of all values that have none inside.
fn leaves(value: &Value, at: String) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| leaves(value, format!("{at}/{name}"))).collect()
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, value)| leaves(value, format!("{at}/{index}")))
            .collect(),
        _ => vec![at],
    }
}

/// Other values of the same kind; those that the field does not admit fall away when they are decoded.
fn alterations(value: &Value) -> Vec<Value> {
    match value {
        // The one variant among the messages whose others are objects.
        Value::String(text) if text == "pending" => vec![json!({ "voided": 1 })],
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) => vec![json!(number.as_u64().unwrap() + 1)],
        Value::String(text) => {
            let first = if text.starts_with('A') { "B" } else { "A" };
            let mut others = vec![format!("{first}{}", &text[text.chars().next().unwrap().len_utf8()..])];
            for admitted in
                ["a", "EUR:0.5", "save", "payment", "issue", "192.0.2.9", "PM4_2", "PM4_1", "GM4_2", "GM4_1"]
            {
                others.push(admitted.to_owned());
            }
            for admitted in [
                "SM1", "SM2", "NM1_1", "NM2_1", "cash-out", "pending", "ordered", "GM6_1", "GM6_2", "PM6_1",
                "PM6_2", "GM3_1", "PM3_1", "GM5_2", "PM5_2", "UM1", "open", "voided",
            ] {
                others.push(admitted.to_owned());
            }
            others.into_iter().filter(|other| other != text).map(Value::String).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn malformed_messages_are_refused() {
    let vectors = read("refused.json");
    for case in vectors["messages"].as_array().unwrap() {
        let refused = round_trip(case["type"].as_str().unwrap(), case["text"].as_str().unwrap()).is_err();
        assert!(refused, "{}", case["why"]);
    }
    for text in vectors["amounts"].as_array().unwrap() {
        assert!(text.as_str().unwrap().parse::<Amount>().is_err(), "{text}");
    }
}

#[test]
fn the_session_key_comes_out_of_the_published_envelope() {
    let vectors = read("scrip.json");
    let key = CenterPrivateKey::from_der(&decode(&vectors["center_private_key"])).unwrap();
    let request =
        vectors["messages"].as_array().unwrap().iter().find(|v| v["type"] == "RegistrationRequest").unwrap();
    let envelope = serde_json::from_value(request["wire"]["keyEnvelope"].clone()).unwrap();
    let session_key = key.decrypt(&envelope, &mut FixedRng(9)).unwrap();
    assert_eq!(session_key.expose(), &fixtures::SESSION);
}

#[test]
fn the_custom_secret_opens_only_with_header_and_scrip_of_its_reply() {
    let vectors = read("scrip.json");
    let reply =
        vectors["messages"].as_array().unwrap().iter().find(|v| v["type"] == "RegistrationReply").unwrap();
    let reply: RegistrationReply = serde_json::from_value(reply["wire"].clone()).unwrap();
    let session_key = Secret::from_bytes(fixtures::SESSION);
    let associated = associated(&reply.header, &reply.scrip);
    let opened = reply.custom_secret.open(&session_key, &associated).unwrap();
    assert_eq!(opened.expose(), fixtures::custom_secret().expose());
    assert!(reply.custom_secret.open(&session_key, b"another header").is_err());
}

/// The hashes that a message carries, computed by the reference alone and compared with what the crate put in it.
fn hashes(example: &Example) -> Vec<Value> {
    let wire = &example.wire;
    let mut hashes = Vec::new();
    let mut record = |what: &str, algorithm: &str, secret: &str, message: Vec<u8>, carried: &Value| {
        let result = seal(algorithm, &secret_named(secret), &message);
        assert_eq!(carried.as_str(), Some(result.as_str()), "{}: {what}", example.name);
        hashes.push(json!({ "what": what, "algorithm": algorithm, "secret": secret, "message": hex(&message), "result": result }));
    };
    for (what, scrip) in
        [("certificate of scrip", &wire["scrip"]), ("certificate of newScrip", &wire["newScrip"])]
    {
        if scrip.is_object() {
            let message = message("tuppence/scrip/certificate", |f| f.scrip_body(&scrip["scrip"]));
            record(
                what,
                scrip["hashAlgorithm"].as_str().unwrap(),
                "master_scrip_secret",
                message,
                &scrip["certificate"],
            );
        }
    }
    for (what, offer) in [("seal of offer", &wire["offer"]), ("seal of order", &wire["order"])] {
        if offer.is_object() {
            let issue = offer.get("item").is_some();
            let tag = if issue { "tuppence/scrip/M2" } else { "tuppence/scrip/S2" };
            let message = message(tag, |f| if issue { f.issue_terms(offer) } else { f.payment_terms(offer) });
            record(what, "hmac-sha256", "vendor_secret", message, &offer["seal"]);
        }
    }
    for receipt in [&wire["receipt"], &wire["receipt"]["receipt"], &wire["outcome"]["posted"]] {
        if receipt.get("seal").is_some() {
            let message = message("tuppence/scrip/receipt", |f| f.receipt_terms(receipt));
            record("seal of receipt", "hmac-sha256", "vendor_secret", message, &receipt["seal"]);
        }
    }
    for earner in [&wire["earner"], &wire["attestation"]] {
        if earner.is_object() {
            let message = message("tuppence/scrip/E2", |f| {
                f.vendor(&example_shop());
                f.base64(&earner["earner"]);
                f.u32(&earner["secretId"]);
            });
            record("seal of attestation", "hmac-sha256", "vendor_secret", message, &earner["seal"]);
        }
    }
    let own = own_hash(example);
    if let Some((what, tag, secret, carried, write)) = own {
        let algorithm = [&wire["scrip"], &wire["newScrip"]]
            .iter()
            .find_map(|scrip| scrip["hashAlgorithm"].as_str())
            .filter(|_| secret == "custom_secret")
            .unwrap_or("hmac-sha256");
        record(what, algorithm, secret, message(tag, |f| write(f, wire)), carried);
    }
    if example.kind == "RegistrationRequest" {
        let bytes = message("tuppence/scrip/R1", |f| registration_fields(f, wire));
        let request: RegistrationRequest = serde_json::from_value(wire.clone()).unwrap();
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(digest, request.digest());
        hashes.push(json!({ "what": "digest of R1", "algorithm": "sha-256", "message": hex(&bytes), "result": bytes::encode(&digest) }));
        let bytes = message("tuppence/registration/content", |f| f.registration_content(wire));
        let content: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(&content, request.content().as_bytes());
        hashes.push(json!({ "what": "content of R1", "algorithm": "sha-256", "message": hex(&bytes), "result": bytes::encode(&content) }));
        let work = message("tuppence/registration/solution", |f| {
            f.sealed(&wire["etc"]["solution"]["challenge"], Fields::challenge_terms);
            f.raw(&content);
            f.u64(&wire["etc"]["solution"]["nonce"]);
        });
        let hash = Sha256::digest(&work);
        assert!(hash[0] == 0 && hash[1] < 16, "the solution has its 12 zero bits");
        hashes.push(json!({ "what": "proof of work", "algorithm": "sha-256", "message": hex(&work), "result": bytes::encode(&hash) }));
    }
    if example.kind == "RegistrationReply" {
        let bytes = message("tuppence/scrip/R2", |f| {
            f.header(&wire["header"]);
            f.scrip(&wire["scrip"]);
        });
        let reply: RegistrationReply = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(bytes, associated(&reply.header, &reply.scrip));
        hashes.push(json!({ "what": "associated data of KS[Custom_Secret]", "message": hex(&bytes) }));
    }
    if example.kind == "ClaimRequest" {
        let bytes = message("tuppence/recovery/C1", |f| {
            f.code(&wire["header"]);
            f.vendor(&serde_json::to_value(fixtures::center()).unwrap());
            f.base64(&wire["id"]);
            f.solution(&wire["solution"]);
            f.base64(&wire["keyEnvelope"]);
        });
        let request: ClaimRequest = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(bytes, request.signed(&fixtures::center()));
        hashes.push(json!({ "what": "signed with wallet_key", "algorithm": "ed25519", "message": hex(&bytes), "result": wire["signature"] }));
    }
    if example.kind == "ClaimReply" {
        let bytes = message("tuppence/recovery/C2", |f| {
            f.header(&wire["header"]);
            f.scrip(&wire["scrip"]);
            f.u64(&wire["registered"]);
        });
        let reply: ClaimReply = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(bytes, ClaimReply::associated(&reply.header, &reply.scrip, reply.registered));
        hashes.push(json!({ "what": "associated data of KS[Custom_Secret]", "message": hex(&bytes) }));
    }
    if example.kind == "IssuePermitted" {
        let message = message("tuppence/scrip/earner", |f| f.vendor(&wire["offer"]["vendorId"]));
        let result = seal("hmac-sha256", &secret_named("custom_secret"), &message);
        assert_eq!(wire["offer"]["earner"].as_str(), Some(result.as_str()));
        hashes.push(json!({ "what": "earner", "algorithm": "hmac-sha256", "secret": "custom_secret", "message": hex(&message), "result": result }));
    }
    hashes
}

type OwnHash<'a> = (&'static str, &'static str, &'static str, &'a Value, fn(&mut Fields, &Value));

/// The one seal that the message itself carries, if it has one.
fn own_hash(example: &Example) -> Option<OwnHash<'_>> {
    let wire = &example.wire;
    let payment = wire["header"]["cmdType"].as_str().is_some_and(|code| code.starts_with("PM"));
    Some(match example.kind {
        "Challenge" => (
            "seal",
            "tuppence/registration/challenge",
            "challenge_secret",
            &wire["seal"],
            Fields::challenge_terms,
        ),
        "AttestationRequest" => ("hash", "tuppence/scrip/E1", "custom_secret", &wire["hash"], |f, m| {
            f.code(&m["header"]);
            f.scrip(&m["scrip"]);
            f.vendor(&m["vendorId"]);
        }),
        "IssueStart" => ("hash", "tuppence/scrip/M4", "custom_secret", &wire["hash"], |f, m| {
            f.code(&m["header"]);
            f.scrip(&m["scrip"]);
            f.sealed(&m["offer"], Fields::issue_terms);
        }),
        "PaymentStart" => ("hash", "tuppence/scrip/S4", "custom_secret", &wire["hash"], |f, m| {
            f.code(&m["header"]);
            f.scrip(&m["scrip"]);
            f.sealed(&m["order"], Fields::payment_terms);
        }),
        "IssueEcash" | "PaymentBalance" => {
            let tag = if payment { "tuppence/scrip/S5" } else { "tuppence/scrip/M5" };
            ("hash", tag, "custom_secret", &wire["hash"], |f, m| {
                f.code(&m["header"]);
                f.optional(&m["tranId"], Fields::base64);
                f.scrip(&m["newScrip"]);
            })
        }
        "Finish" => {
            let tag = if payment { "tuppence/scrip/S6" } else { "tuppence/scrip/M6" };
            ("hash", tag, "custom_secret", &wire["hash"], |f, m| {
                f.code(&m["header"]);
                f.optional(&m["transaction"]["vendorId"], Fields::vendor);
                f.optional(&m["transaction"]["tranId"], Fields::base64);
                f.scrip(&m["newScrip"]);
            })
        }
        "CampaignFunding" => ("seal", "tuppence/campaign/funding", "vendor_secret", &wire["seal"], |f, m| {
            f.vendor(&m["vendorId"]);
            f.text(&m["item"]);
            f.nested(|f| f.amount(&m["budget"]));
            f.u64(&m["date"]);
            f.u32(&m["secretId"]);
        }),
        "RelayRequest" => ("seal", "tuppence/relay/request", "vendor_secret", &wire["seal"], |f, m| {
            f.code(&m["header"]);
            f.vendor(&m["vendorId"]);
            f.base64(&m["tranId"]);
            f.u32(&m["secretId"]);
        }),
        "RelayReply" => ("seal", "tuppence/relay/outcome", "vendor_secret", &wire["seal"], |f, m| {
            f.code(&m["header"]);
            f.base64(&m["tranId"]);
            let posted = &m["outcome"]["posted"];
            if posted.is_object() {
                f.raw(b"posted");
                f.sealed(posted, Fields::receipt_terms);
            } else {
                f.text(&m["outcome"]);
            }
            f.u32(&m["secretId"]);
        }),
        "StatementRequest" => ("hash", "tuppence/recovery/H1", "custom_secret", &wire["hash"], |f, m| {
            f.code(&m["header"]);
            f.scrip(&m["scrip"]);
            f.u64(&m["from"]);
            f.base64(&m["nonce"]);
        }),
        "StatementReply" => ("hash", "tuppence/recovery/H2", "custom_secret", &wire["hash"], |f, m| {
            f.code(&m["header"]);
            f.u64(&m["header"]["serverDate"]);
            f.base64(&m["nonce"]);
            f.scrip(&m["scrip"]);
            let steps = m["steps"].as_array().unwrap();
            f.0.extend(u32::try_from(steps.len()).unwrap().to_be_bytes());
            for step in steps {
                f.nested(|f| statement_step(f, step));
            }
            f.raw(if m["more"].as_bool().unwrap() { b"more" } else { b"all" });
        }),
        "NotesRequest" => ("hash", "tuppence/recovery/N1", "custom_secret", &wire["hash"], |f, m| {
            f.code(&m["header"]);
            f.scrip(&m["scrip"]);
            f.optional(&m["notes"], notes);
            f.base64(&m["nonce"]);
        }),
        "NotesReply" => ("hash", "tuppence/recovery/N2", "custom_secret", &wire["hash"], |f, m| {
            f.code(&m["header"]);
            f.base64(&m["nonce"]);
            f.optional(&m["notes"], notes);
        }),
        _ => return None,
    })
}

fn statement_step(f: &mut Fields, step: &Value) {
    f.text(&step["kind"]);
    f.vendor(&step["vendorId"]);
    f.base64(&step["tranId"]);
    f.text(&step["subject"]);
    f.amount(&step["amount"]);
    f.u64(&step["serial"]);
    f.u64(&step["next"]);
    f.amount(&step["before"]);
    f.amount(&step["after"]);
    f.u64(&step["started"]);
    let state = &step["state"];
    if state["posted"].is_object() {
        f.raw(b"posted");
        f.sealed(&state["posted"], Fields::receipt_terms);
    } else if state["voided"].is_number() {
        f.raw(b"voided");
        f.u64(&state["voided"]);
    } else {
        f.text(state);
    }
    f.optional(&step["payout"], |f, payout| {
        f.nested(|f| {
            f.text(&payout["state"]);
            f.u64(&payout["number"]);
            f.amount(&payout["amount"]);
            f.amount(&payout["fee"]);
            f.u64(&payout["date"]);
            f.optional(&payout["note"], Fields::text);
        });
    });
}

fn notes(f: &mut Fields, notes: &Value) {
    f.nested(|f| {
        f.u64(&notes["version"]);
        f.base64(&notes["sealed"]);
    });
}

fn registration_fields(f: &mut Fields, wire: &Value) {
    f.base64(&wire["id"]);
    for name in ["name", "address", "eMail"] {
        f.optional(&wire[name], Fields::text);
    }
    f.base64(&wire["etc"]["walletKey"]);
    f.solution(&wire["etc"]["solution"]);
    f.base64(&wire["keyEnvelope"]);
}

/// The example's shop, which an attestation covers but does not repeat.
fn example_shop() -> Value {
    serde_json::to_value(fixtures::shop()).unwrap()
}

fn secret_named(name: &str) -> Vec<u8> {
    match name {
        "master_scrip_secret" => fixtures::MASTER_SCRIP.to_vec(),
        "custom_secret" => fixtures::custom_secret().expose().to_vec(),
        "vendor_secret" => fixtures::VENDOR.to_vec(),
        "challenge_secret" => fixtures::CHALLENGE.to_vec(),
        other => panic!("no secret {other}"),
    }
}

/// The example center's key: kept in the vectors once it was made.
fn center_key() -> CenterPrivateKey {
    match std::fs::read_to_string(path("scrip.json")) {
        Ok(text) => {
            let published: Value = serde_json::from_str(&text).unwrap();
            CenterPrivateKey::from_der(&decode(&published["center_private_key"])).unwrap()
        }
        Err(_) => CenterPrivateKey::generate(&mut FixedRng(1_000)).unwrap(),
    }
}

fn check(name: &str, expected: &Value) {
    if std::env::var("TUPPENCE_VECTORS").is_ok_and(|mode| mode == "write") {
        // By a rename, since the other tests may be reading the file.
        let draft = path(&format!("{name}.new"));
        std::fs::write(&draft, serde_json::to_string_pretty(expected).unwrap() + "\n").unwrap();
        std::fs::rename(draft, path(name)).unwrap();
    }
    assert_eq!(&read(name), expected, "{name} differs from what the protocol makes");
}

fn read(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path(name)).unwrap()).unwrap()
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
}
