//! Bytes on the wire: base64url without padding (spec/README, Wire).

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeSliceError, Engine};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::text;

/// `bytes` as base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes that `text` stands for; only the one canonical spelling is taken.
///
/// # Errors
/// [`BytesError`] for any other character, padding or superfluous bits.
pub fn decode(text: &str) -> Result<Vec<u8>, BytesError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| BytesError)
}

/// The text is not canonical base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bytes are written as base64url without padding")]
pub struct BytesError;

/// Exactly `N` bytes, as base64url; for `#[serde(with = "bytes::fixed")]`.
pub mod fixed {
    use super::*;

    /// The longest text that is made without asking for memory: seals and identifiers are shorter.
    const TEXT_MAX: usize = 64;

    /// Writes the bytes as text.
    pub fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut text = [0; TEXT_MAX];
        let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text).ok();
        match written.and_then(|length| std::str::from_utf8(text.get(..length)?).ok()) {
            Some(text) => serializer.serialize_str(text),
            None => serializer.serialize_str(&encode(bytes)),
        }
    }

    /// Reads text of exactly `N` bytes.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        text::deserialize(deserializer, |text| {
            let mut bytes = [0; N];
            match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
                Ok(length) if length == N => Ok(bytes),
                Ok(_) | Err(DecodeSliceError::OutputSliceTooSmall) => Err(format!("{N} bytes are expected")),
                Err(DecodeSliceError::DecodeError(_)) => Err(BytesError.to_string()),
            }
        })
    }
}

/// From 0 to `MAX` bytes, base64url on the wire.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Bytes<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> Bytes<MAX> {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<Vec<u8>> for Bytes<MAX> {
    type Error = BytesTooLong;

    fn try_from(bytes: Vec<u8>) -> Result<Self, BytesTooLong> {
        if bytes.len() > MAX { Err(BytesTooLong { max: MAX }) } else { Ok(Bytes(bytes)) }
    }
}

impl<const MAX: usize> Serialize for Bytes<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        encode(&self.0).serialize(serializer)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Bytes<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = decode(&text).map_err(de::Error::custom)?;
        Self::try_from(bytes).map_err(de::Error::custom)
    }
}

impl<const MAX: usize> std::fmt::Debug for Bytes<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&encode(&self.0))
    }
}

/// More bytes than the field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at most {max} bytes are expected")]
pub struct BytesTooLong {
    /// The field's limit, in bytes.
    pub max: usize,
}
