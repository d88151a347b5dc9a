//! The envelope of R2: Custom_Secret under the session key of the published example.

use std::sync::LazyLock;

use tuppence_protocol::Secret;
use tuppence_protocol::scrip::registration::{RegistrationReply, associated};
use tuppence_server::http::message::decode;

use crate::target::Verdict;

/// The session key of the published vectors.
const SESSION: [u8; 32] = [0x55; 32];

/// The published R2: what was closed with that key.
static CLOSED: LazyLock<(RegistrationReply, Secret)> = LazyLock::new(|| {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../protocol/vectors/scrip.json"))
            .expect("the vectors are JSON");
    let messages = vectors["messages"].as_array().expect("the vectors have messages");
    let wire =
        messages.iter().find(|message| message["type"] == "RegistrationReply").expect("an R2 is published");
    let reply: RegistrationReply = serde_json::from_value(wire["wire"].clone()).expect("it is read");
    let secret = open(&reply).expect("it opens");
    (reply, secret)
});

/// An R2, which opens just where header, scrip and box are the published ones.
pub fn custom_secret(bytes: &[u8]) -> Verdict {
    let Ok(reply) = decode::<RegistrationReply>(bytes) else { return Verdict::Refused };
    let (published, secret) = &*CLOSED;
    let same = associated(&reply.header, &reply.scrip) == associated(&published.header, &published.scrip)
        && reply.custom_secret.nonce == published.custom_secret.nonce
        && reply.custom_secret.ciphertext == published.custom_secret.ciphertext;
    match open(&reply) {
        Some(opened) => {
            assert!(same, "another envelope opens");
            assert_eq!(opened.expose(), secret.expose());
            Verdict::Taken
        }
        None => {
            assert!(!same, "the published envelope does not open");
            Verdict::Refused
        }
    }
}

fn open(reply: &RegistrationReply) -> Option<Secret> {
    let associated = associated(&reply.header, &reply.scrip);
    reply.custom_secret.open(&Secret::from_bytes(SESSION), &associated).ok()
}
