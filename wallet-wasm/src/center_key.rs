//! `KUcenter[KS]` of registration: natively by the protocol crate, in a browser by WebCrypto, which spares each reader
//! the download of an RSA of our own.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::encrypt;

#[cfg(target_arch = "wasm32")]
pub(crate) use crate::ports::browser::encrypt;

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::convert::Infallible;

    use rsa::rand_core::{TryCryptoRng, TryRng};
    use tuppence_protocol::Secret;
    use tuppence_protocol::envelope::{CenterPublicKey, KeyEnvelope};

    use crate::error::{Problem, WalletError};
    use crate::ports::{Ports, Random};

    /// Encrypts the session key for the center. In a browser this waits.
    pub(crate) async fn encrypt(
        ports: &Ports,
        key: &CenterPublicKey,
        session_key: &Secret,
    ) -> Result<KeyEnvelope, WalletError> {
        let mut rng = PortRng { random: &*ports.random, failed: false };
        let envelope = key.encrypt(session_key, &mut rng);
        if rng.failed {
            return Err(Problem::Unsupported.into());
        }
        envelope.map_err(|_| Problem::CenterInvalid.into())
    }

    /// The port as the generator that RSA-OAEP asks for, which cannot fail: `failed` tells afterwards.
    struct PortRng<'a> {
        random: &'a dyn Random,
        failed: bool,
    }

    impl TryRng for PortRng<'_> {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_be_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_be_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            self.failed |= self.random.fill(bytes).is_err();
            Ok(())
        }
    }

    impl TryCryptoRng for PortRng<'_> {}
}
