//! A second, independent writing of the canonical encoding, from the JSON on the wire alone: what somebody
//! would write in another language from docs/protocol. The crate and this must agree to the byte.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Collects fields: `u32` length, bytes.
pub struct Fields(pub Vec<u8>);

/// `tag || version || fields`.
pub fn message(tag: &str, write: impl FnOnce(&mut Fields)) -> Vec<u8> {
    let mut fields = Fields(tag.as_bytes().to_vec());
    fields.0.extend([0, 1]);
    write(&mut fields);
    fields.0
}

impl Fields {
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        self.0.extend(bytes);
    }

    pub fn text(&mut self, value: &Value) {
        self.raw(value.as_str().unwrap().as_bytes());
    }

    pub fn base64(&mut self, value: &Value) {
        self.raw(&decode(value));
    }

    pub fn u16(&mut self, value: &Value) {
        self.raw(&u16::try_from(value.as_u64().unwrap()).unwrap().to_be_bytes());
    }

    pub fn u32(&mut self, value: &Value) {
        self.raw(&u32::try_from(value.as_u64().unwrap()).unwrap().to_be_bytes());
    }

    pub fn u64(&mut self, value: &Value) {
        self.raw(&value.as_u64().unwrap().to_be_bytes());
    }

    pub fn code(&mut self, header: &Value) {
        self.raw(&code(header["cmdType"].as_str().unwrap()).to_be_bytes());
    }

    pub fn absent(&mut self) {
        self.0.extend([0xFF; 4]);
    }

    pub fn optional(&mut self, value: &Value, write: impl FnOnce(&mut Fields, &Value)) {
        if value.is_null() { self.absent() } else { write(self, value) }
    }

    pub fn nested(&mut self, write: impl FnOnce(&mut Fields)) {
        let mut inner = Fields(Vec::new());
        write(&mut inner);
        self.raw(&inner.0);
    }

    pub fn amount(&mut self, value: &Value) {
        let (currency, number) = value.as_str().unwrap().split_once(':').unwrap();
        let (units, places) = number.split_once('.').unwrap_or((number, ""));
        let micros: u64 = format!("{units}{places:0<6}").parse().unwrap();
        self.raw(currency.as_bytes());
        self.raw(&micros.to_be_bytes());
    }

    pub fn header(&mut self, value: &Value) {
        self.nested(|f| {
            f.code(value);
            f.u16(&value["protocolVersion"]);
            f.u64(&value["serverDate"]);
            f.optional(&value["errorMessage"], Fields::text);
        });
    }

    pub fn vendor(&mut self, value: &Value) {
        self.nested(|f| {
            f.text(&value["dnsName"]);
            f.optional(&value["ipAddr"], Fields::text);
            f.text(&value["serverName"]);
            f.u16(&value["port"]);
        });
    }

    pub fn id(&mut self, value: &Value) {
        self.nested(|f| {
            f.u32(&value["secretId"]);
            f.u64(&value["serialNumber"]);
        });
    }

    /// The fields of a scrip's body, as a certificate covers them.
    pub fn scrip_body(&mut self, value: &Value) {
        self.amount(&value["value"]);
        self.vendor(&value["vendorId"]);
        self.id(&value["scripId"]);
        self.id(&value["customId"]);
        self.optional(&value["ad"], Fields::text);
        self.u64(&value["expirationDate"]);
    }

    pub fn scrip(&mut self, value: &Value) {
        self.nested(|f| {
            f.text(&value["hashAlgorithm"]);
            f.nested(|f| f.scrip_body(&value["scrip"]));
            f.base64(&value["certificate"]);
        });
    }

    /// The terms of an M2, as its seal covers them.
    pub fn issue_terms(&mut self, value: &Value) {
        self.vendor(&value["vendorId"]);
        self.vendor(&value["centerId"]);
        self.base64(&value["tranId"]);
        self.text(&value["item"]);
        self.amount(&value["value"]);
        self.base64(&value["earner"]);
        self.u64(&value["expires"]);
        self.u32(&value["secretId"]);
    }

    /// The terms of an S2, as its seal covers them.
    pub fn payment_terms(&mut self, value: &Value) {
        self.vendor(&value["vendorId"]);
        self.vendor(&value["centerId"]);
        self.base64(&value["tranId"]);
        self.text(&value["requestUrl"]);
        self.amount(&value["price"]);
        self.text(&value["deliveryMethod"]);
        self.u64(&value["expires"]);
        self.u32(&value["secretId"]);
    }

    /// The terms of a receipt, as its seal covers them.
    pub fn receipt_terms(&mut self, value: &Value) {
        self.text(&value["kind"]);
        self.vendor(&value["vendorId"]);
        self.base64(&value["tranId"]);
        self.text(&value["subject"]);
        self.amount(&value["amount"]);
        self.u64(&value["date"]);
        self.u32(&value["secretId"]);
    }

    /// Terms and their seal, as one field.
    pub fn sealed(&mut self, value: &Value, terms: impl FnOnce(&mut Fields, &Value)) {
        self.nested(|f| {
            terms(f, value);
            f.base64(&value["seal"]);
        });
    }

    pub fn challenge_terms(&mut self, value: &Value) {
        self.base64(&value["salt"]);
        self.u16(&value["bits"]);
        self.u64(&value["expires"]);
    }

    /// All of R1 that its proof of work is bound to.
    pub fn registration_content(&mut self, value: &Value) {
        self.base64(&value["id"]);
        for name in ["name", "address", "eMail"] {
            self.optional(&value[name], Fields::text);
        }
        self.base64(&value["etc"]["walletKey"]);
        self.base64(&value["keyEnvelope"]);
    }

    pub fn solution(&mut self, value: &Value) {
        self.nested(|f| {
            f.sealed(&value["challenge"], Fields::challenge_terms);
            f.u64(&value["nonce"]);
        });
    }
}

/// The numbers of the message codes (docs/protocol/messages.md).
fn code(name: &str) -> u16 {
    let own = match name {
        "UM1" => Some(110),
        "UM2" => Some(120),
        "EM1" => Some(130),
        "EM2" => Some(140),
        "RM1" => Some(150),
        "RM2" => Some(160),
        "SM1" => Some(170),
        "SM2" => Some(180),
        "NM1_1" => Some(191),
        "NM1_2" => Some(192),
        "NM2_1" => Some(201),
        _ => None,
    };
    own.unwrap_or_else(|| {
        let family = if name.starts_with("GM") { 200 } else { 300 };
        let (step, variant) = name[2..].split_once('_').unwrap();
        family + step.parse::<u16>().unwrap() * 10 + variant.parse::<u16>().unwrap()
    })
}

/// The bytes that base64url text stands for.
pub fn decode(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

/// `H[message || secret]`, base64url.
pub fn seal(algorithm: &str, secret: &[u8], message: &[u8]) -> String {
    let hash: [u8; 32] = match algorithm {
        "hmac-sha256" => Hmac::<Sha256>::new_from_slice(secret)
            .unwrap()
            .chain_update(message)
            .finalize()
            .into_bytes()
            .into(),
        "sha256" => Sha256::digest([message, secret].concat()).into(),
        other => panic!("no algorithm {other}"),
    };
    URL_SAFE_NO_PAD.encode(hash)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
