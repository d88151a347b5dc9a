//! RSA-OAEP-SHA-256 (RFC 8017) with the center's key. Not in a browser, which has its own.

use hkdf::Hkdf;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use rsa::rand_core::CryptoRng;
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{CenterPublicKey, EnvelopeError, KeyEnvelope, RSA_BITS, RSA_BITS_MAX, RSA_BITS_MIN};
use crate::bytes::Bytes;
use crate::canonical::{self, Tag};
use crate::secret::Secret;

impl CenterPublicKey {
    /// `KUcenter[KS]`.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the key cannot encrypt, which its check at decoding rules out.
    pub fn encrypt<R: CryptoRng>(
        &self,
        session_key: &Secret,
        rng: &mut R,
    ) -> Result<KeyEnvelope, EnvelopeError> {
        let key = RsaPublicKey::from_public_key_der(self.as_der()).map_err(|_| EnvelopeError)?;
        let encrypted = key.encrypt(rng, Oaep::<Sha256>::new(), session_key.expose());
        KeyEnvelope::try_from(encrypted.map_err(|_| EnvelopeError)?).map_err(|_| EnvelopeError)
    }
}

/// Whether `der` is an RSA key of a size that a wallet takes.
pub(super) fn check(der: &[u8]) -> Result<(), &'static str> {
    let key = RsaPublicKey::from_public_key_der(der).map_err(|_| "not an RSA public key in DER")?;
    if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&key.n().bits().try_into().unwrap_or(0)) {
        return Err("the center's key has fewer than 2048 or more than 4096 bits");
    }
    Ok(())
}

/// The center's private key.
#[derive(Clone)]
pub struct CenterPrivateKey(RsaPrivateKey);

impl CenterPrivateKey {
    /// A new key of [`RSA_BITS`] bits; takes a second or more.
    ///
    /// # Errors
    /// [`EnvelopeError`] if no primes were found.
    pub fn generate<R: CryptoRng>(rng: &mut R) -> Result<Self, EnvelopeError> {
        RsaPrivateKey::new(rng, RSA_BITS).map(CenterPrivateKey).map_err(|_| EnvelopeError)
    }

    /// A key from its PKCS #8 DER.
    ///
    /// # Errors
    /// [`EnvelopeError`] for anything else.
    pub fn from_der(der: &[u8]) -> Result<Self, EnvelopeError> {
        RsaPrivateKey::from_pkcs8_der(der).map(CenterPrivateKey).map_err(|_| EnvelopeError)
    }

    /// The PKCS #8 DER, for keeping; wiped when dropped.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the key cannot be encoded.
    pub fn to_der(&self) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let document = self.0.to_pkcs8_der().map_err(|_| EnvelopeError)?;
        Ok(Zeroizing::new(document.as_bytes().to_vec()))
    }

    /// The public half.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the key cannot be encoded.
    pub fn public(&self) -> Result<CenterPublicKey, EnvelopeError> {
        let der = self.0.to_public_key().to_public_key_der().map_err(|_| EnvelopeError)?;
        let der = Bytes::try_from(der.as_bytes().to_vec()).map_err(|_| EnvelopeError)?;
        CenterPublicKey::try_from(der).map_err(|_| EnvelopeError)
    }

    /// The seed of the Ed25519 key that shops know the center by (spec/03): HKDF-SHA-256 of this key's DER, so that a key
    /// file from before there was one has it too, and it is as lasting as the key that wallets pin.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the key cannot be encoded.
    pub fn signing_secret(&self) -> Result<Secret, EnvelopeError> {
        let info = canonical::encode(Tag::CenterSigningKey, |_| {});
        let mut seed = Zeroizing::new([0; 32]);
        let hkdf = Hkdf::<Sha256>::new(None, &self.to_der()?);
        hkdf.expand(&info, seed.as_mut_slice()).map_err(|_| EnvelopeError)?;
        Ok(Secret::from_bytes(*seed))
    }

    /// `KS`, decrypted with blinding: one error for whatever was wrong (T15).
    ///
    /// # Errors
    /// [`EnvelopeError`] unless the envelope holds a session key of 32 bytes for this key.
    pub fn decrypt<R: CryptoRng>(
        &self,
        envelope: &KeyEnvelope,
        rng: &mut R,
    ) -> Result<Secret, EnvelopeError> {
        let decrypted = self.0.decrypt_blinded(rng, Oaep::<Sha256>::new(), envelope.as_slice());
        let bytes = Zeroizing::new(decrypted.map_err(|_| EnvelopeError)?);
        bytes.as_slice().try_into().map(Secret::from_bytes).map_err(|_| EnvelopeError)
    }
}

impl std::fmt::Debug for CenterPrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CenterPrivateKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use rsa::rand_core::{TryCryptoRng, TryRng};

    use super::*;

    /// Counts what is drawn from it.
    struct Counting {
        state: u64,
        drawn: usize,
    }

    impl TryRng for Counting {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes).map(|()| u32::from_be_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes).map(|()| u64::from_be_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            for byte in bytes {
                self.state = self
                    .state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *byte = self.state.to_be_bytes()[0];
                self.drawn += 1;
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Counting {}

    #[test]
    fn decryption_is_blinded_with_a_number_of_the_size_of_the_key() {
        let mut rng = Counting { state: 7, drawn: 0 };
        let key = CenterPrivateKey(RsaPrivateKey::new(&mut rng, RSA_BITS_MIN).unwrap());
        let secret = Secret::from_bytes([5; 32]);
        let good = key.public().unwrap().encrypt(&secret, &mut rng).unwrap();
        let bad = KeyEnvelope::try_from(vec![1; RSA_BITS_MIN / 8]).unwrap();
        for (envelope, opens) in [(good, true), (bad, false)] {
            let before = rng.drawn;
            let opened = key.decrypt(&envelope, &mut rng);
            assert_eq!(opened.is_ok_and(|opened| opened.expose() == secret.expose()), opens);
            assert!(rng.drawn - before >= RSA_BITS_MIN / 8, "{} bytes blind nothing", rng.drawn - before);
        }
    }
}
