//! Origins: scheme, host and port of a center or a shop (RFC 6454).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use tuppence_protocol::ids::DnsName;

use crate::error::{Problem, WalletError};

/// What a path segment keeps as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `https://host` or `http://host:port`, in lower case, without a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl Origin {
    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `url` is an address at this origin.
    pub fn has(&self, url: &str) -> bool {
        url.strip_prefix(&self.0).is_some_and(|path| path.is_empty() || path.starts_with('/'))
    }
}

impl FromStr for Origin {
    type Err = WalletError;

    fn from_str(text: &str) -> Result<Self, WalletError> {
        let invalid =
            || WalletError::from(Problem::ArgumentInvalid).because(format!("{text:?} is no origin."));
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let (scheme, rest) = text.split_once("://").ok_or_else(invalid)?;
        let port_default: u16 = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return Err(invalid()),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| invalid())?),
            _ => (rest, port_default),
        };
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host_is_fine = match address {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => host.parse::<DnsName>().is_ok(),
        };
        if !host_is_fine || port == 0 {
            return Err(invalid());
        }
        Ok(Origin(if port == port_default {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{port}")
        }))
    }
}

impl TryFrom<String> for Origin {
    type Error = WalletError;

    fn try_from(text: String) -> Result<Self, WalletError> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `text` as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        for (text, origin) in [
            ("https://shop.example", "https://shop.example"),
            ("HTTPS://Shop.Example:443/", "https://shop.example"),
            ("http://localhost:8081", "http://localhost:8081"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), origin);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "shop.example",
            "ftp://shop.example",
            "javascript:alert(1)",
            "https://",
            "https://user@shop.example",
            "https://shop.example/path",
            "https://shop.example?x",
            "https://shop.example:0",
            "https://shop.example:99999",
            "https://[nonsense]",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_belongs_to_the_whole_origin_only() {
        let shop: Origin = "https://shop.example".parse().unwrap();
        assert!(shop.has("https://shop.example/articles/a"));
        assert!(!shop.has("https://shop.example.evil.example/articles/a"));
        assert!(!shop.has("https://other.example/"));
    }

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(segment("../a b?c#d/é"), "..%2Fa%20b%3Fc%23d%2F%C3%A9");
    }
}
