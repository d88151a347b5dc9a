//! The cookie that opens one article in one browser: its slug, sealed with the shop's own secret.
//!
//! Each article has a cookie of its own, valid below its own address alone. A browser that comes from the
//! wallet's site sends no `SameSite=Lax` cookies with the form, so a list of articles in one cookie could not
//! be added to; and none can grow without bound.

use tuppence_protocol::canonical::Tag;
use tuppence_protocol::{HashAlgorithm, Seal, Secret, bytes};

/// The cookie's name.
pub const NAME: &str = "tuppence_article";
/// How long browsers keep it: the longest that they do. The receipt makes another one any time.
pub const AGE_MAX_DAYS: i64 = 400;

/// Seals and checks cookies.
#[derive(Debug, Clone)]
pub struct Cookies(Secret);

impl Cookies {
    /// With the shop's own secret.
    pub fn new(secret: Secret) -> Self {
        Cookies(secret)
    }

    /// The value of the cookie that opens `slug`.
    pub fn seal(&self, slug: &str) -> String {
        bytes::encode(self.expected(slug).as_bytes())
    }

    /// Whether `value` opens `slug`.
    #[must_use]
    pub fn opens(&self, value: &str, slug: &str) -> bool {
        let Ok(bytes) = bytes::decode(value) else { return false };
        <[u8; 32]>::try_from(bytes).is_ok_and(|bytes| self.expected(slug).matches(&Seal::from_bytes(bytes)))
    }

    fn expected(&self, slug: &str) -> Seal {
        HashAlgorithm::HmacSha256.seal(&self.0, Tag::Entitlement, |w| {
            w.text("article");
            w.text(slug);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shop_s_own_cookie_for_the_article_opens_it() {
        let cookies = Cookies::new(Secret::from_bytes([1; 32]));
        let value = cookies.seal("bread");
        assert!(cookies.opens(&value, "bread"));
        assert!(!cookies.opens(&value, "night-trains"));
        assert!(!Cookies::new(Secret::from_bytes([2; 32])).opens(&value, "bread"));
        for forged in ["", "bread", &value[1..], &format!("{value}A"), &format!("{value}="), &"A".repeat(43)]
        {
            assert!(!cookies.opens(forged, "bread"), "{forged}");
        }
    }
}
