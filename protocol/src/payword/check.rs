//! The payee's side: how many units a payword adds to the last one that it has stored.

use serde::{Deserialize, Serialize};

use super::link::{Link, Payword};

/// A payword and its index. The payee stores the highest; at first that is the root, with index 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Position {
    /// `i`: how many units were paid in all.
    pub index: u32,
    /// `w_i`.
    pub payword: Payword,
}

/// What a genuine payword does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It pays this many units, at least one. Store its position before anything is handed out for it.
    Paid(u32),
    /// It, or a later one, was paid before: nothing is added, and the stored position stays.
    Repeated,
}

/// Why a payword is not taken. Nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The chain has no such index.
    #[error("the chain ends at payword {0}")]
    Beyond(u32),
    /// The index is further from the last one than the payee hashes.
    #[error("a payword lies within {0} of the last one")]
    Jump(u32),
    /// The payword does not belong to this chain at this index.
    #[error("the payword is not that of this chain and index")]
    Forged,
}

/// Checks `sent` against `last` on a chain of `length` paywords. It costs at most `jump` hashes, and none where
/// the index alone decides.
///
/// # Errors
/// [`CheckError`].
pub fn check(
    link: &Link,
    length: u32,
    jump: u32,
    last: &Position,
    sent: &Position,
) -> Result<Outcome, CheckError> {
    if sent.index > length {
        return Err(CheckError::Beyond(length));
    }
    let distance = sent.index.abs_diff(last.index);
    if distance > jump {
        return Err(CheckError::Jump(jump));
    }
    let (later, earlier, outcome) = if sent.index > last.index {
        (sent, last, Outcome::Paid(distance))
    } else {
        (last, sent, Outcome::Repeated)
    };
    if link.back(&later.payword, distance) == earlier.payword { Ok(outcome) } else { Err(CheckError::Forged) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::link::ChainId;
    use super::*;

    const LENGTH: u32 = 40;

    fn link() -> Link {
        Link::new(&ChainId::from_bytes([1; 16]))
    }

    fn position(index: u32) -> Position {
        Position { index, payword: link().back(&Payword::from_bytes([2; 32]), LENGTH - index) }
    }

    #[test]
    fn a_payword_pays_the_units_since_the_last_and_nothing_when_repeated() {
        let check = |last, sent| check(&link(), LENGTH, 10, &position(last), &position(sent));
        assert_eq!(check(0, 1), Ok(Outcome::Paid(1)));
        assert_eq!(check(1, 11), Ok(Outcome::Paid(10)));
        assert_eq!(check(11, 11), Ok(Outcome::Repeated));
        assert_eq!(check(11, 4), Ok(Outcome::Repeated));
    }

    #[test]
    fn a_jump_beyond_the_bound_is_refused_in_both_directions() {
        let check = |last, sent| check(&link(), LENGTH, 10, &position(last), &position(sent));
        assert_eq!(check(0, 11), Err(CheckError::Jump(10)));
        assert_eq!(check(11, 0), Err(CheckError::Jump(10)));
    }

    #[test]
    fn an_index_beyond_the_chain_is_refused_though_its_hash_fits() {
        let before = Position { index: LENGTH, payword: link().back(&Payword::from_bytes([3; 32]), 1) };
        let sent = Position { index: LENGTH + 1, payword: Payword::from_bytes([3; 32]) };
        assert_eq!(check(&link(), LENGTH, 10, &before, &sent), Err(CheckError::Beyond(LENGTH)));
    }

    #[test]
    fn a_payword_of_another_chain_or_index_is_refused() {
        let other = Link::new(&ChainId::from_bytes([9; 16]));
        assert_eq!(check(&other, LENGTH, 10, &position(3), &position(4)), Err(CheckError::Forged));
        for index in [2, 3, 5] {
            let moved = Position { index, ..position(4) };
            assert_eq!(check(&link(), LENGTH, 10, &position(3), &moved), Err(CheckError::Forged));
        }
    }

    proptest! {
        #[test]
        fn no_order_of_charges_pays_more_than_the_highest_index(
            indices in prop::collection::vec(0..=LENGTH, 1..60), jump in 1..=LENGTH,
        ) {
            let (mut last, mut paid) = (position(0), 0);
            for index in indices {
                let sent = position(index);
                if let Ok(Outcome::Paid(units)) = check(&link(), LENGTH, jump, &last, &sent) {
                    paid += units;
                    last = sent;
                }
                prop_assert_eq!(paid, last.index);
            }
        }
    }
}
