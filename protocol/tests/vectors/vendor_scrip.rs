//! Vendor scrip: a licence, a purchase, two payments and a settlement, against an independent writing of each hash.

use hkdf::Hkdf;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tuppence_protocol::envelope::SecretBox;
use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::center::{Center, CenterKeys, Policy, Seller};
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::vendor_scrip::{
    AwaitingScrip, Broker, IdRange, Licence, LicenceState, LicenceTerms, Licensed, Offer, Order, Purchased,
    Reply, Request, Return, Settled, Settlement, Vendor, VendorScrip, digest,
};
use tuppence_protocol::{Currency, HashAlgorithm, IdType, KeyRing, Secret, bytes};

use crate::check;
use crate::fixtures::{
    CHALLENGE, MASTER_CUSTOMER, MASTER_SCRIP, VENDOR, amount, at, blank, center, custom_secret, shop, text,
    tran,
};
use crate::reference::{Fields, decode, hex, message, seal};
use crate::sealed::{every_field_is_covered, round_trips};

const LICENSED_SCRIP: [u8; 32] = [0x61; 32];
const LICENSED_CUSTOMER: [u8; 32] = [0x62; 32];
const CHANGE: [u8; 32] = [0x63; 32];
/// The center's own Vendor_Secret, which seals the receipt for the order.
const OWN: [u8; 32] = [0x64; 32];
const DAY_MS: u64 = 86_400_000;

fn serial(number: u64) -> Serial {
    Serial::try_from(number).unwrap()
}

fn licensed() -> Licensed {
    Licensed {
        terms: LicenceTerms {
            vendor_id: shop(),
            center_id: center(),
            number: 1,
            scrips: IdRange { secret_id: 21, first: serial(1_000) },
            customers: IdRange { secret_id: 22, first: serial(500) },
            count: 100,
            expires: at(100 * DAY_MS),
            props: text("magazine"),
        },
        scrip_secret: Secret::from_bytes(LICENSED_SCRIP),
        customer_secret: Secret::from_bytes(LICENSED_CUSTOMER),
    }
}

fn vendor() -> Vendor {
    Vendor {
        vendor_id: shop(),
        center_id: center(),
        secrets: KeyRing::new(5, Secret::from_bytes(VENDOR)),
        change_secrets: KeyRing::new(31, Secret::from_bytes(CHANGE)),
        licences: vec![licensed()],
    }
}

fn broker_center() -> Center {
    Center {
        keys: CenterKeys {
            center_id: center(),
            scrip_secrets: KeyRing::new(1, Secret::from_bytes(MASTER_SCRIP)),
            customer_secrets: KeyRing::new(2, Secret::from_bytes(MASTER_CUSTOMER)),
            vendor_secrets: KeyRing::new(1, Secret::from_bytes(OWN)),
            signing_secrets: KeyRing::new(6, Secret::from_bytes([0x51; 32])),
            challenge_secret: Secret::from_bytes(CHALLENGE),
            algorithm: HashAlgorithm::HmacSha256,
            sha256_allowed: false,
        },
        policy: Policy::new(Currency::USD),
    }
}

fn wire(message: &impl Serialize) -> Value {
    serde_json::to_value(message).unwrap()
}

/// Name, type and wire of every message.
fn messages() -> Vec<(&'static str, &'static str, Value)> {
    let (vendor, center_side) = (vendor(), broker_center());
    let broker = Broker { center: &center_side };
    let licence = vendor.licence(&licensed(), [[0xA5; 12], [0xA6; 12]]).unwrap();
    let order = Order { vendor_id: shop(), center_id: center(), value: amount("USD:0.1"), nonce: [0x65; 16] };
    let receipt = Receipt {
        kind: ReceiptKind::Payment,
        vendor_id: center(),
        tran_id: tran(9),
        subject: order.id().request_url().unwrap(),
        amount: order.value,
        date: at(0),
        secret_id: 1,
        seal: blank(),
    }
    .sealed(&Secret::from_bytes(OWN));
    let custom_id = IdType { secret_id: 2, serial_number: serial(7) };
    let state = LicenceState { licensed: licensed(), used: 0 };
    let (id, secrets) = (shop(), KeyRing::new(5, Secret::from_bytes(VENDOR)));
    let seller = Seller { number: 1, id: &id, secrets: &secrets };
    let offer = broker.quote(&order, seller, Some(&state), tran(9), at(0)).unwrap().offer;
    let sold = broker.sell(&order, &offer, custom_id, Some(&state), at(0)).unwrap();
    let purchased = broker.purchased(&sold.sale, &receipt, &state.licensed).unwrap();
    let awaiting = AwaitingScrip { order: order.clone() };
    let holding = awaiting.receive(&purchased, &custom_secret()).unwrap();

    let asking = holding.pay(text("https://shop.example/articles/small-change"), amount("USD:0.03")).unwrap();
    let offer = Offer { price: amount("USD:0.03"), digest: digest(b"the article"), serial: serial(1) };
    let served = vendor.serve(&asking.request, offer, None, None, at(1_000)).unwrap();
    let reply = served.spent.reply;
    let changed = asking.receive(&reply, digest(b"the article")).unwrap();
    let last = changed.pay(text("https://shop.example/articles/more"), amount("USD:0.07")).unwrap();
    let offer = Offer { price: amount("USD:0.07"), digest: digest(b"another"), serial: serial(2) };
    let emptied = vendor.serve(&last.request, offer, Some(&served.account), None, at(2_000)).unwrap();

    let settlement = vendor.settle(&served.account).unwrap().unwrap();
    let ended = vendor.end(&changed.give_back(), Some(&served.account)).unwrap().settlement;
    let settled = |settlement: &Settlement| {
        Settled {
            customer_id: settlement.customer_id,
            redeemed: settlement.redeemed,
            last: settlement.last,
            secret_id: 5,
            seal: blank(),
        }
        .sealed(&Secret::from_bytes(VENDOR))
    };
    vec![
        ("licence", "Licence", wire(&licence)),
        ("order", "Order", wire(&order)),
        ("what was bought", "Purchased", wire(&purchased)),
        ("request", "Request", wire(&asking.request)),
        ("reply with change", "Reply", wire(&reply)),
        ("request for all that is left", "Request", wire(&last.request)),
        ("reply without change", "Reply", wire(&emptied.spent.reply)),
        ("settlement", "Settlement", wire(&settlement)),
        ("settlement confirmed", "Settled", wire(&settled(&settlement))),
        ("the rest given back", "Return", wire(&changed.give_back())),
        ("last settlement", "Settlement", wire(&ended)),
        ("last settlement confirmed", "Settled", wire(&settled(&ended))),
    ]
}

#[test]
fn vendor_scrip_has_its_published_form_and_hashes() {
    let all = messages();
    let vectors: Vec<Value> = all
        .iter()
        .enumerate()
        .map(|(position, (name, kind, wire))| {
            // A reply is sealed as the answer to the request before it.
            let before = position.checked_sub(1).map_or(&Value::Null, |before| &all[before].2);
            json!({ "name": name, "type": kind, "hashes": hashes(kind, wire, before), "wire": wire })
        })
        .collect();
    check(
        "vendor-scrip.json",
        &json!({
            "about": "The buyer, the center and the shop of scrip.json, and scrip of that shop. hashes[].message is the canonical encoding in hexadecimal; result is H[message || secret], or SHA-256 without a secret. key is HKDF-SHA-256 with message as its info.",
            "secrets": {
                "licensed_scrip_secret": bytes::encode(&LICENSED_SCRIP),
                "licensed_customer_secret": bytes::encode(&LICENSED_CUSTOMER),
                "change_secret": bytes::encode(&CHANGE),
                "customer_secret": bytes::encode(&customer()),
                "vendor_secret": bytes::encode(&VENDOR),
                "custom_secret": bytes::encode(custom_secret().expose()),
            },
            "delivered": ["the article", "another"],
            "messages": vectors,
        }),
    );
}

/// The customer_secret of the example, by the reference.
fn customer() -> Vec<u8> {
    let message = message("tuppence/vendor-scrip/customer", |f| {
        f.u32(&json!(22));
        f.u64(&json!(500));
    });
    decode(&Value::String(seal("hmac-sha256", &LICENSED_CUSTOMER, &message)))
}

impl Fields {
    fn licence_terms(&mut self, value: &Value) {
        self.nested(|f| {
            f.vendor(&value["vendorId"]);
            f.vendor(&value["centerId"]);
            f.u32(&value["number"]);
            for range in [&value["scrips"], &value["customers"]] {
                f.nested(|f| {
                    f.u32(&range["secretId"]);
                    f.u64(&range["first"]);
                });
            }
            f.u32(&value["count"]);
            f.u64(&value["expires"]);
            f.text(&value["props"]);
        });
    }

    fn vendor_scrip_body(&mut self, value: &Value) {
        self.vendor(&value["vendorId"]);
        self.amount(&value["value"]);
        self.id(&value["id"]);
        self.id(&value["customerId"]);
        self.u64(&value["expires"]);
        self.text(&value["props"]);
    }

    fn vendor_scrip(&mut self, value: &Value) {
        self.nested(|f| {
            f.nested(|f| f.vendor_scrip_body(&value["scrip"]));
            f.base64(&value["certificate"]);
        });
    }

    fn last_or_more(&mut self, value: &Value) {
        self.raw(if value.as_bool().unwrap() { b"last" } else { b"more" });
    }
}

/// The hashes that a message carries, computed by the reference and compared with the crate's.
fn hashes(kind: &str, wire: &Value, before: &Value) -> Vec<Value> {
    let mut hashes = Vec::new();
    let mut sealed = |what: &str, name: &str, secret: &[u8], message: Vec<u8>, carried: &Value| {
        let result = seal("hmac-sha256", secret, &message);
        assert_eq!(carried.as_str(), Some(result.as_str()), "{kind}: {what}");
        hashes.push(json!({ "what": what, "algorithm": "hmac-sha256", "secret": name, "message": hex(&message), "result": result }));
    };
    for scrip in [&wire["scrip"], &wire["change"]].into_iter().filter(|scrip| scrip.is_object()) {
        let message = message("tuppence/vendor-scrip/certificate", |f| f.vendor_scrip_body(&scrip["scrip"]));
        let (name, secret) = match scrip["scrip"]["id"]["secretId"].as_u64().unwrap() {
            21 => ("licensed_scrip_secret", LICENSED_SCRIP),
            _ => ("change_secret", CHANGE),
        };
        sealed("certificate", name, &secret, message, &scrip["certificate"]);
    }
    let customer = customer();
    match kind {
        "Licence" => {
            let message = message("tuppence/vendor-scrip/licence", |f| {
                f.licence_terms(&wire["terms"]);
                for secret in [&wire["scripSecret"], &wire["customerSecret"]] {
                    f.base64(&secret["nonce"]);
                    f.base64(&secret["ciphertext"]);
                }
                f.u32(&wire["secretId"]);
            });
            sealed("seal", "vendor_secret", &VENDOR, message, &wire["seal"]);
        }
        "Request" => {
            let message = message("tuppence/vendor-scrip/request", |f| {
                f.text(&wire["requestUrl"]);
                f.amount(&wire["price"]);
                f.vendor_scrip(&wire["scrip"]);
            });
            sealed("hash", "customer_secret", &customer, message, &wire["hash"]);
        }
        "Reply" => {
            let message = message("tuppence/vendor-scrip/reply", |f| {
                f.base64(&before["hash"]);
                f.base64(&wire["digest"]);
                f.optional(&wire["change"], Fields::vendor_scrip);
            });
            sealed("hash", "customer_secret", &customer, message, &wire["hash"]);
        }
        "Return" => {
            let message = message("tuppence/vendor-scrip/return", |f| f.vendor_scrip(&wire["scrip"]));
            sealed("hash", "customer_secret", &customer, message, &wire["hash"]);
        }
        "Settlement" | "Settled" => {
            let confirmed = kind == "Settled";
            let tag =
                if confirmed { "tuppence/vendor-scrip/settled" } else { "tuppence/vendor-scrip/settlement" };
            let message = message(tag, |f| {
                if !confirmed {
                    f.vendor(&wire["vendorId"]);
                }
                f.id(&wire["customerId"]);
                f.nested(|f| f.amount(&wire["redeemed"]));
                f.last_or_more(&wire["last"]);
                f.u32(&wire["secretId"]);
            });
            sealed("seal", "vendor_secret", &VENDOR, message, &wire["seal"]);
        }
        _ => (),
    }
    match kind {
        "Order" => {
            let message = message("tuppence/vendor-scrip/order", |f| {
                f.vendor(&wire["vendorId"]);
                f.vendor(&wire["centerId"]);
                f.amount(&wire["value"]);
                f.base64(&wire["nonce"]);
            });
            let id = bytes::encode(&Sha256::digest(&message));
            let order: Order = serde_json::from_value(wire.clone()).unwrap();
            assert_eq!(id, order.id().to_string());
            hashes.push(
                json!({ "what": "orderId", "algorithm": "sha-256", "message": hex(&message), "result": id }),
            );
        }
        "Purchased" => {
            let message = message("tuppence/vendor-scrip/key-of-order", |f| {
                f.base64(&wire["orderId"]);
                f.vendor_scrip(&wire["scrip"]);
            });
            let opened = open(custom_secret().expose(), &message, &[], &wire["customerSecret"]);
            assert_eq!(opened, customer);
            hashes.push(json!({ "what": "key", "algorithm": "hkdf-sha256", "secret": "custom_secret", "message": hex(&message) }));
        }
        "Licence" => {
            let key = message("tuppence/vendor-scrip/key-of-licence", |f| f.licence_terms(&wire["terms"]));
            for (which, field, secret) in
                [("scrip", "scripSecret", LICENSED_SCRIP), ("customer", "customerSecret", LICENSED_CUSTOMER)]
            {
                let associated = message("tuppence/vendor-scrip/licensed", |f| {
                    f.licence_terms(&wire["terms"]);
                    f.raw(which.as_bytes());
                });
                assert_eq!(open(&VENDOR, &key, &associated, &wire[field]), secret);
                hashes.push(
                    json!({ "what": format!("associated data of {field}"), "message": hex(&associated) }),
                );
            }
            hashes.push(json!({ "what": "key", "algorithm": "hkdf-sha256", "secret": "vendor_secret", "message": hex(&key) }));
        }
        _ => (),
    }
    hashes
}

/// What is encrypted under the key that `secret` derives with `info`.
fn open(secret: &[u8], info: &[u8], associated: &[u8], closed: &Value) -> Vec<u8> {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, secret).expand(info, &mut key).unwrap();
    let closed: SecretBox = serde_json::from_value(closed.clone()).unwrap();
    closed.open(&Secret::from_bytes(key), associated).unwrap().expose().to_vec()
}

/// Decodes `wire` as the type named `kind`, and encodes it again.
fn round_trip(kind: &str, wire: &Value) -> Result<Value, serde_json::Error> {
    fn again<T: DeserializeOwned + Serialize>(wire: &Value) -> Result<Value, serde_json::Error> {
        serde_json::to_value(serde_json::from_value::<T>(wire.clone())?)
    }
    match kind {
        "Licence" => again::<Licence>(wire),
        "Order" => again::<Order>(wire),
        "Purchased" => again::<Purchased>(wire),
        "Request" => again::<Request>(wire),
        "Reply" => again::<Reply>(wire),
        "Return" => again::<Return>(wire),
        "Settlement" => again::<Settlement>(wire),
        "Settled" => again::<Settled>(wire),
        other => panic!("no type {other}"),
    }
}

/// Whether the message of the type named `kind` is taken by whom it is for; absent where it does not decode.
fn holds(kind: &str, wire: &Value) -> Option<bool> {
    fn decode<T: DeserializeOwned>(wire: &Value) -> Option<T> {
        serde_json::from_value(wire.clone()).ok()
    }
    let (vendor, customer) = (Secret::from_bytes(VENDOR), Secret::from_bytes(customer().try_into().unwrap()));
    let certified = |scrip: &VendorScrip| {
        let secret = if scrip.scrip.id.secret_id == 21 { LICENSED_SCRIP } else { CHANGE };
        scrip.scrip.certify(&Secret::from_bytes(secret)).matches(&scrip.certificate)
    };
    match kind {
        "Licence" => decode::<Licence>(wire).map(|message| message.open(&vendor).is_ok()),
        "Request" => decode::<Request>(wire)
            .map(|message| certified(&message.scrip) && message.seal(&customer).matches(&message.hash)),
        "Return" => decode::<Return>(wire)
            .map(|message| certified(&message.scrip) && message.seal(&customer).matches(&message.hash)),
        "Settlement" => decode::<Settlement>(wire).map(|message| message.holds(&vendor)),
        "Settled" => decode::<Settled>(wire).map(|message| message.holds(&vendor)),
        // An order carries no seal; what was bought and the change are checked where they are received.
        _ => None,
    }
}

#[test]
fn every_vendor_scrip_message_decodes_and_encodes_to_the_same_value() {
    round_trips("vendor-scrip.json", round_trip, |kind, field| kind == "Reply" && field == "change");
}

#[test]
fn altering_any_field_of_a_sealed_vendor_scrip_message_breaks_it() {
    every_field_is_covered("vendor-scrip.json", holds);
}
