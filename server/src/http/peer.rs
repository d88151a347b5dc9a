//! Where a request comes from on the network, as far as limits need to know.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::HttpRequest;

/// The proxies whose word on the client's address is taken.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Vec<IpAddr>);

/// The part of an address that one household or company has: /24 of IPv4, /56 of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix(IpAddr);

impl Prefix {
    /// The prefix of the client that sent `request`.
    pub fn of(request: &HttpRequest, trusted: &TrustedProxies) -> Self {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
        let forwarded =
            request.headers().get_all("x-forwarded-for").last().and_then(|value| value.to_str().ok());
        Prefix::from(client(peer, forwarded, trusted))
    }
}

impl From<IpAddr> for Prefix {
    fn from(address: IpAddr) -> Self {
        Prefix(match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
            }
            IpAddr::V6(address) => {
                let bits = u128::from(address) & (u128::MAX << (128 - 56));
                IpAddr::V6(Ipv6Addr::from(bits))
            }
        })
    }
}

/// The last address that is not a trusted proxy's, from the peer backwards through what proxies added.
fn client(peer: IpAddr, forwarded: Option<&str>, trusted: &TrustedProxies) -> IpAddr {
    let mut client = peer;
    for hop in forwarded.unwrap_or_default().rsplit(',') {
        if !trusted.0.contains(&client) {
            break;
        }
        match hop.trim().parse() {
            Ok(address) => client = address,
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let trusted = TrustedProxies(vec![proxy]);
        let forwarded = Some("1.1.1.1, 203.0.113.9");
        assert_eq!(client(proxy, forwarded, &trusted), "203.0.113.9".parse::<IpAddr>().unwrap());
        assert_eq!(client(proxy, forwarded, &TrustedProxies::default()), proxy);
        assert_eq!(client(proxy, Some("nonsense"), &trusted), proxy);
        assert_eq!(client(proxy, None, &trusted), proxy);
    }

    #[test]
    fn neighbours_share_a_prefix() {
        let prefix = |text: &str| Prefix::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(prefix("203.0.113.9"), prefix("203.0.113.200"));
        assert_eq!(prefix("203.0.113.9"), prefix("::ffff:203.0.113.1"));
        assert_ne!(prefix("203.0.113.9"), prefix("203.0.114.9"));
        assert_eq!(prefix("2001:db8:1:2200::1"), prefix("2001:db8:1:22ff:ffff::1"));
        assert_ne!(prefix("2001:db8:1:2200::1"), prefix("2001:db8:1:2300::1"));
    }
}
