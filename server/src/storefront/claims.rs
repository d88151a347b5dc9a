//! Receipts and budgets on their way to a page that can't hear the wallet: its browser has cut the line between the two
//! windows (COOP), or there was no second window. The page has made a claim, 128 random bits, and handed it to the
//! wallet; the wallet leaves here under it what was bought, and the page takes it.
//!
//! Held in memory for minutes, and lost with it: the wallet has the receipt for good, and gives it again; of a budget it
//! takes the rest back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::vendor_scrip::Holding;
use tuppence_protocol::{Duration, ErrorCode, Refusal, Timestamp, bytes};

/// What the wallet leaves for a page.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Bought {
    /// An article was paid.
    Receipt(Receipt),
    /// A budget was: what pays. The shop could make it itself, so nothing is given away.
    Budget(Box<Holding>),
}

/// How long it waits.
const WAITS: Duration = Duration::from_minutes(10);
/// How many wait at once: some megabytes.
const CLAIMS_MAX: usize = 4_096;

/// What a page knows and nobody else: 128 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub struct Claim(#[serde(with = "bytes::fixed")] [u8; 16]);

/// What waits.
#[derive(Debug, Default)]
pub struct Claims(Mutex<HashMap<Claim, (Timestamp, Bought)>>);

impl Claims {
    /// Leaves `bought`, which was checked, for the page that knows `claim`. The same again changes nothing.
    ///
    /// # Errors
    /// [`ErrorCode::Busy`] while too many wait.
    pub fn leave(&self, claim: Claim, bought: Bought, now: Timestamp) -> Result<(), Refusal> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, (since, _)| still_waits(*since, now));
        if waiting.len() >= CLAIMS_MAX && !waiting.contains_key(&claim) {
            return Err(Refusal::new(
                ErrorCode::Busy,
                "Too many receipts and budgets wait for their pages just now.",
            ));
        }
        waiting.entry(claim).or_insert((now, bought));
        Ok(())
    }

    /// What waits for `claim`, any number of times: an answer may be lost.
    pub fn take(&self, claim: Claim, now: Timestamp) -> Option<Bought> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(&claim).filter(|(since, _)| still_waits(*since, now)).map(|(_, bought)| bought.clone())
    }
}

fn still_waits(since: Timestamp, now: Timestamp) -> bool {
    now.since(since) < WAITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storefront::tests::bread_receipt;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn claim(number: u16) -> Claim {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        Claim(bytes)
    }

    #[test]
    fn the_first_receipt_of_a_claim_stays() {
        let claims = Claims::default();
        let first = bread_receipt();
        let mut second = first.clone();
        second.secret_id += 1;
        claims.leave(claim(1), Bought::Receipt(first.clone()), NOW).unwrap();
        claims.leave(claim(1), Bought::Receipt(second), NOW).unwrap();
        let Some(Bought::Receipt(taken)) = claims.take(claim(1), NOW) else { panic!("nothing waits") };
        assert_eq!(taken.secret_id, first.secret_id);
    }

    #[test]
    fn a_flood_of_receipts_is_refused_and_goes_by_with_time() {
        let claims = Claims::default();
        let receipt = || Bought::Receipt(bread_receipt());
        for number in 0..4_096 {
            claims.leave(claim(number), receipt(), NOW).unwrap();
        }
        let refused = claims.leave(claim(5_000), receipt(), NOW).unwrap_err();
        assert_eq!(refused.code, ErrorCode::Busy);
        // What waits already can be left again: its answer may have been lost.
        claims.leave(claim(7), receipt(), NOW).unwrap();
        let later = Timestamp::from_millis(NOW.as_millis() + WAITS.as_millis());
        claims.leave(claim(5_000), receipt(), later).unwrap();
        assert!(claims.take(claim(7), later).is_none());
    }
}
