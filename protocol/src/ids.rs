//! Identifiers: servers, secrets and serials, transactions, wallets (spec/01, Data).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::bytes::{self, BytesError};
use crate::canonical::{Canonical, Writer};
use crate::text::Text;
use crate::time::Timestamp;

/// Which secret and which number: `IdType` (spec/01). Names a scrip's issue or a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdType {
    /// The id of the master secret in its ring.
    pub secret_id: u32,
    /// The serial number, at most 2^53 - 1.
    pub serial_number: Serial,
}

impl Canonical for IdType {
    fn write(&self, writer: &mut Writer) {
        writer.u32(self.secret_id);
        writer.u64(self.serial_number.get());
    }
}

/// A serial number: 0 to 2^53 - 1, so that every language's JSON holds it exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Serial(u64);

impl Serial {
    /// The first serial of a purse.
    pub const FIRST: Serial = Serial(1);
    const MAX: u64 = (1 << 53) - 1;
    /// Serials of one epoch, as bits.
    const EPOCH_BITS: u32 = 32;
    /// The last epoch that there can be.
    pub const EPOCH_MAX: u32 = (1 << 21) - 1;

    /// The first serial of a purse in `epoch` of the center's books: those before it were given by books that an
    /// older copy has replaced. Absent beyond [`Serial::EPOCH_MAX`].
    pub const fn first_of(epoch: u32) -> Option<Serial> {
        // Widening a `u32`; `From` is not const.
        if epoch > Self::EPOCH_MAX { None } else { Some(Serial(((epoch as u64) << Self::EPOCH_BITS) + 1)) }
    }

    /// The epoch of the center's books in which it was given.
    pub const fn epoch(self) -> u32 {
        // At most 2^53 - 1, so that 21 bits are left.
        (self.0 >> Self::EPOCH_BITS) as u32
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The serial after this one; absent at the limit.
    pub const fn next(self) -> Option<Serial> {
        if self.0 >= Self::MAX { None } else { Some(Serial(self.0 + 1)) }
    }
}

impl TryFrom<u64> for Serial {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        if number > Self::MAX { Err("a serial is at most 2^53 - 1") } else { Ok(Serial(number)) }
    }
}

impl From<Serial> for u64 {
    fn from(serial: Serial) -> u64 {
        serial.0
    }
}

/// A server that takes part: `ServerType` (spec/01). A shop or a center is known by all four fields together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VendorId {
    /// The host's name in lower case, such as `shop.example`.
    pub dns_name: DnsName,
    /// The host's address, where it is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_addr: Option<IpAddr>,
    /// The trade name, as readers see it.
    pub server_name: Text<80>,
    /// The TCP port.
    pub port: u16,
}

impl Canonical for VendorId {
    fn write(&self, writer: &mut Writer) {
        writer.text(self.dns_name.as_str());
        writer.optional(self.ip_addr.as_ref(), |w, ip| w.text(&ip.to_string()));
        writer.text(self.server_name.as_str());
        writer.u16(self.port);
    }
}

/// A host name: letters, digits, hyphens and dots in lower case, at most 253 bytes (RFC 1123).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct DnsName(String);

impl DnsName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DnsName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let label_fits = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if name.len() <= 253 && name.split('.').all(label_fits) {
            Ok(DnsName(name))
        } else {
            Err("a host name has letters a-z, digits, hyphens and dots, in lower case")
        }
    }
}

impl FromStr for DnsName {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::try_from(name.to_owned())
    }
}

impl From<DnsName> for String {
    fn from(name: DnsName) -> String {
        name.0
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A 128-bit identifier that is written as base64url.
macro_rules! id_128 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "crate::bytes::fixed")] [u8; 16]);

        impl $name {
            /// The identifier of these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                $name(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&bytes::encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BytesError;

            fn from_str(text: &str) -> Result<Self, BytesError> {
                let bytes = bytes::decode(text)?;
                bytes.try_into().map($name).map_err(|_| BytesError)
            }
        }
    };
}

id_128! {
    /// A transaction's identifier, which its seller makes: 48 bits of time, then 80 random bits, so that
    /// neighbours in time are neighbours in an index. Unique together with the seller's [`VendorId`].
    TranId
}

impl TranId {
    /// A new identifier at `now` from 80 random bits.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&now.as_millis().to_be_bytes()[2..]);
        id[6..].copy_from_slice(&random);
        TranId(id)
    }
}

id_128! {
    /// A wallet's identifier: 128 random bits that the wallet chooses at registration.
    WalletId
}

/// A buyer's pseudonym at one seller: `H[VendorId || Custom_Secret]` (spec/01, rule 9).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EarnerId(#[serde(with = "crate::bytes::fixed")] [u8; 32]);

impl EarnerId {
    /// The pseudonym of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        EarnerId(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for EarnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bytes::encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_sort_by_time() {
        let early = TranId::new(Timestamp::from_millis(1_000), [0xFF; 10]);
        let late = TranId::new(Timestamp::from_millis(1_001), [0; 10]);
        assert!(early < late);
        assert_eq!(early.to_string().parse(), Ok(early));
    }

    #[test]
    fn serials_end_where_json_does() {
        let last = Serial::try_from((1 << 53) - 1).unwrap();
        assert_eq!(last.next(), None);
        assert!(Serial::try_from(1 << 53).is_err());
    }

    #[test]
    fn odd_host_names_are_refused() {
        for name in ["", "Shop.example", "a..b", "-a", "a-", "a b", "a/b", "ä.example", &"a".repeat(64)] {
            assert!(name.parse::<DnsName>().is_err(), "{name:?}");
        }
        assert!("shop-1.example".parse::<DnsName>().is_ok());
    }
}
