//! Limits: by network prefix, for what is costly before anybody is known (T11, T14), or by purse.

use std::hash::Hash;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::http::error::ApiError;
use crate::http::peer::Prefix;

/// Keys that are remembered at most, before those that are idle are forgotten.
const KEYS_MAX: usize = 100_000;

/// So many requests a minute for each key, and as many at once.
pub struct RateLimit<K: Hash + Eq + Clone = Prefix> {
    limiter: RateLimiter<K, DashMapStateStore<K>, DefaultClock>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// A limit of `per_minute` requests.
    pub fn new(per_minute: NonZeroU32) -> Self {
        let clock = DefaultClock::default();
        let limiter = RateLimiter::dashmap_with_clock(Quota::per_minute(per_minute), clock.clone());
        RateLimit { limiter, clock }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// `rate_limited`, with the seconds to wait.
    pub fn check(&self, key: K) -> Result<(), ApiError> {
        if self.limiter.len() > KEYS_MAX {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&key).map_err(|not_until| {
            ApiError::rate_limited(not_until.wait_time_from(self.clock.now()).as_secs().saturating_add(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tuppence_protocol::ErrorCode;

    use super::*;

    #[test]
    fn one_prefix_cannot_use_up_anothers_share() {
        let limit = RateLimit::new(NonZeroU32::new(3).unwrap());
        let prefix = |text: &str| Prefix::from(text.parse::<IpAddr>().unwrap());
        for _ in 0..3 {
            assert!(limit.check(prefix("203.0.113.9")).is_ok());
        }
        assert_eq!(limit.check(prefix("203.0.113.77")).unwrap_err().code(), ErrorCode::RateLimited);
        assert!(limit.check(prefix("198.51.100.1")).is_ok());
    }
}
