//! The anti-robot challenge at registration: a proof of work (spec/01, R1; T12).
//!
//! The center keeps nothing when it gives a challenge: it is sealed. A solution is good for one
//! [`Content`], that of one registration; the center remembers its salt until it expires, so that it
//! counts once, and whoever solved one challenge costs the center one decryption (T14).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::canonical::{self, Canonical, Tag, Writer};
use crate::error::{ErrorCode, Refusal};
use crate::ids::Serial;
use crate::seal::{HashAlgorithm, Seal};
use crate::secret::Secret;
use crate::time::Timestamp;

/// The most zero bits that a wallet works for: about 2^28 hashes.
pub const BITS_MAX: u8 = 28;

/// Work to be done: find a nonce whose hash begins with `bits` zero bits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Challenge {
    /// Makes this challenge unlike any other.
    #[serde(with = "crate::bytes::fixed")]
    pub salt: [u8; 16],
    /// Zero bits that the hash must begin with, at most [`BITS_MAX`].
    pub bits: u8,
    /// When the challenge ends.
    pub expires: Timestamp,
    /// The center's seal over the fields above.
    pub seal: Seal,
}

impl Challenge {
    /// A challenge sealed with the center's own challenge secret.
    pub fn new(salt: [u8; 16], bits: u8, expires: Timestamp, secret: &Secret) -> Self {
        let seal = seal(&salt, bits, expires, secret);
        Challenge { salt, bits, expires, seal }
    }
}

impl Canonical for Challenge {
    fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.salt);
        writer.u16(u16::from(self.bits));
        writer.u64(self.expires.as_millis());
        writer.bytes(self.seal.as_bytes());
    }
}

fn seal(salt: &[u8; 16], bits: u8, expires: Timestamp, secret: &Secret) -> Seal {
    HashAlgorithm::HmacSha256.seal(secret, Tag::Challenge, |w| {
        w.bytes(salt);
        w.u16(u16::from(bits));
        w.u64(expires.as_millis());
    })
}

/// What a solution is good for: SHA-256 over all that an R1 says but its header and the solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content([u8; 32]);

impl Content {
    /// The content of these canonical bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Content(Sha256::digest(bytes).into())
    }

    /// The digest, as hashed.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A challenge and the nonce that solves it for one registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Solution {
    /// The challenge, as the center gave it.
    pub challenge: Challenge,
    /// What was found.
    pub nonce: Serial,
}

impl Canonical for Solution {
    fn write(&self, writer: &mut Writer) {
        writer.nested(&self.challenge);
        writer.u64(self.nonce.get());
    }
}

impl Solution {
    /// Checks seal, end and work; whether it was used before is the center's record to tell.
    ///
    /// # Errors
    /// [`ErrorCode::Challenge`].
    pub fn verify(
        &self,
        content: Content,
        secret: &Secret,
        bits_min: u8,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let refuse = |message: &str| Err(Refusal::new(ErrorCode::Challenge, message));
        let Challenge { salt, bits, expires, seal: theirs } = &self.challenge;
        if !seal(salt, *bits, *expires, secret).matches(theirs) {
            return refuse("The challenge was not given by this center.");
        }
        if now > *expires {
            return refuse("The challenge has expired.");
        }
        if *bits < bits_min
            || Work::new(&self.challenge, content).zero_bits(self.nonce.get()) < u32::from(*bits)
        {
            return refuse("The challenge is not solved for this registration.");
        }
        Ok(())
    }
}

/// Tries the nonces `from..from + count`; the wallet calls this in slices, to stay responsive.
pub fn solve(challenge: &Challenge, content: Content, from: u64, count: u64) -> Option<Serial> {
    let work = Work::new(challenge, content);
    (from..from.saturating_add(count))
        .find(|nonce| work.zero_bits(*nonce) >= u32::from(challenge.bits))
        .and_then(|nonce| Serial::try_from(nonce).ok())
}

/// The hash over everything but the nonce, which is the last field: each try costs one block.
struct Work(Sha256);

impl Work {
    fn new(challenge: &Challenge, content: Content) -> Self {
        let message = canonical::encode(Tag::ChallengeSolution, |w| {
            w.nested(challenge);
            w.bytes(content.as_bytes());
            w.u64(0);
        });
        let before_nonce = message.len().saturating_sub(size_of::<u64>());
        Work(Sha256::new_with_prefix(message.get(..before_nonce).unwrap_or_default()))
    }

    /// How many zero bits the hash of this nonce begins with.
    fn zero_bits(&self, nonce: u64) -> u32 {
        let hash: [u8; 32] = self.0.clone().chain_update(nonce.to_be_bytes()).finalize().into();
        let whole_bytes = hash.iter().take_while(|byte| **byte == 0).count();
        let partial = hash.get(whole_bytes).map_or(0, |byte| byte.leading_zeros());
        u32::try_from(whole_bytes).unwrap_or(0).saturating_mul(8).saturating_add(partial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: Content = Content([1; 32]);
    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn solved() -> (Solution, Secret) {
        let secret = Secret::from_bytes([5; 32]);
        let challenge = Challenge::new([2; 16], 8, Timestamp::from_millis(2_000), &secret);
        let nonce = solve(&challenge, CONTENT, 0, 100_000).unwrap();
        (Solution { challenge, nonce }, secret)
    }

    #[test]
    fn a_solution_holds_for_its_content_until_its_end() {
        let (solution, secret) = solved();
        assert_eq!(solution.verify(CONTENT, &secret, 8, NOW), Ok(()));
        assert!(solution.verify(CONTENT, &secret, 8, Timestamp::from_millis(2_001)).is_err());
        assert!(solution.verify(Content([9; 32]), &secret, 8, NOW).is_err());
        assert!(solution.verify(CONTENT, &secret, 9, NOW).is_err());
    }

    #[test]
    fn an_altered_challenge_is_refused() {
        let (mut solution, secret) = solved();
        solution.challenge.bits = 0;
        assert!(solution.verify(CONTENT, &secret, 0, NOW).is_err());
    }
}
