//! The session key of a registration: what the center decrypts with its RSA key.

use std::convert::Infallible;
use std::sync::LazyLock;

use rsa::rand_core::{TryCryptoRng, TryRng};
use tuppence_protocol::envelope::{CenterPrivateKey, CenterPublicKey, KeyEnvelope};
use tuppence_protocol::{Secret, bytes};

use crate::target::Verdict;

/// The published key of a center, what a registrant sent to it, and the session key in that.
struct Published {
    private: CenterPrivateKey,
    public: CenterPublicKey,
    envelope: KeyEnvelope,
    session: Secret,
}

static PUBLISHED: LazyLock<Published> = LazyLock::new(|| {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../protocol/vectors/scrip.json"))
            .expect("the vectors are JSON");
    let der = vectors["center_private_key"].as_str().expect("the vectors have the key");
    let private =
        CenterPrivateKey::from_der(&bytes::decode(der).expect("it is base64url")).expect("it is a key");
    let messages = vectors["messages"].as_array().expect("the vectors have messages");
    let request =
        messages.iter().find(|message| message["type"] == "RegistrationRequest").expect("an R1 is published");
    let envelope: KeyEnvelope =
        serde_json::from_value(request["wire"]["keyEnvelope"].clone()).expect("it has an envelope");
    let session = private.decrypt(&envelope, &mut Numbers(1)).expect("it opens");
    Published { public: private.public().expect("it has a public half"), private, envelope, session }
});

/// Any bytes as an envelope open just where they are the published one; and as a key they come out of an envelope again.
pub fn envelope(input: &[u8]) -> Verdict {
    let published = &*PUBLISHED;
    if let Ok(key) = <[u8; 32]>::try_from(input) {
        let closed = published.public.encrypt(&Secret::from_bytes(key), &mut Numbers(key[0].into()));
        let opened = published.private.decrypt(&closed.expect("a key of 32 bytes fits"), &mut Numbers(2));
        assert_eq!(opened.expect("it is for this center").expose(), &key, "another key comes out");
        return Verdict::Taken;
    }
    let Ok(envelope) = KeyEnvelope::try_from(input.to_vec()) else {
        assert!(input.len() > 512, "an envelope is refused for its length");
        return Verdict::Refused;
    };
    let opened = published.private.decrypt(&envelope, &mut Numbers(3));
    let same = envelope == published.envelope;
    assert_eq!(opened.is_ok(), same, "an envelope has a second spelling, or does not open");
    let Ok(opened) = opened else { return Verdict::Refused };
    assert_eq!(opened.expose(), published.session.expose(), "another key comes out");
    Verdict::Taken
}

/// What was published, and what nearly is: the corpus begins with it.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let envelope = PUBLISHED.envelope.as_slice();
    let mut altered = envelope.to_vec();
    altered[0] ^= 1;
    vec![
        ("published", envelope.to_vec()),
        ("altered", altered),
        ("with-a-zero-before-it", [&[0], envelope].concat()),
        ("with-a-zero-after-it", [envelope, &[0]].concat()),
        ("without-its-last-byte", envelope[..envelope.len() - 1].to_vec()),
        ("nothing", Vec::new()),
        ("zeros", vec![0; envelope.len()]),
        ("beyond-the-modulus", vec![0xFF; envelope.len()]),
        ("a-key", PUBLISHED.session.expose().to_vec()),
    ]
}

/// The same numbers at every run (SplitMix64), so that the same bytes do the same.
struct Numbers(u64);

impl TryRng for Numbers {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for part in bytes.chunks_mut(8) {
            let number = self.try_next_u64()?.to_be_bytes();
            part.copy_from_slice(&number[..part.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Numbers {}
