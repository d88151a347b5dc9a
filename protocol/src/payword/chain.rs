//! The payer's side: a chain is made in slices, and keeps about twice the square root of its length.

use super::link::{ChainId, LENGTH_MAX, Link, Payword};
use crate::secret::Secret;

/// How far a chain has been made, in hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Hashes done.
    pub done: u32,
    /// Hashes in all: the chain's length.
    pub of: u32,
}

/// Why there is no such chain or payword.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A chain has at least one payword and at most [`LENGTH_MAX`].
    #[error("a chain has 1 to {LENGTH_MAX} paywords")]
    Length,
    /// The chain has no payword of this index.
    #[error("the chain ends at payword {0}")]
    Beyond(u32),
    /// The chain is not made yet.
    #[error("the chain is not finished: {} of {} hashes are done", .0.done, .0.of)]
    Unfinished(Progress),
}

/// Makes a chain from its secret end down to the root, as many hashes at a time as the caller has time for.
#[derive(Debug)]
pub struct Generator {
    link: Link,
    length: u32,
    stride: u32,
    /// The index of `payword`.
    index: u32,
    payword: Secret,
    /// `w_i` of each `i` that the stride divides, and the end; from the end down.
    checkpoints: Vec<(u32, Secret)>,
}

impl Generator {
    /// Begins the chain `id` of `length` paywords whose last, `w_n`, is `end`: 256 secret random bits of its own.
    ///
    /// # Errors
    /// [`ChainError::Length`].
    pub fn new(id: &ChainId, length: u32, end: Secret) -> Result<Self, ChainError> {
        if !(1..=LENGTH_MAX).contains(&length) {
            return Err(ChainError::Length);
        }
        // The least stride whose square covers the length: as many checkpoints as paywords between two of them.
        let root = length.isqrt();
        let stride = if root * root == length { root } else { root + 1 };
        let checkpoints = vec![(length, end.clone())];
        Ok(Generator { link: Link::new(id), length, stride, index: length, payword: end, checkpoints })
    }

    /// Does at most `hashes` more hashes.
    pub fn step(&mut self, hashes: u32) -> Progress {
        for _ in 0..hashes.min(self.index) {
            self.payword = Secret::from_bytes(self.link.before(self.payword.expose()));
            self.index -= 1;
            if self.index.is_multiple_of(self.stride) {
                self.checkpoints.push((self.index, self.payword.clone()));
            }
        }
        self.progress()
    }

    /// How far it is.
    pub const fn progress(&self) -> Progress {
        Progress { done: self.length - self.index, of: self.length }
    }

    /// The finished chain.
    ///
    /// # Errors
    /// [`ChainError::Unfinished`] before every hash is done.
    pub fn finish(mut self) -> Result<Chain, ChainError> {
        if self.index > 0 {
            return Err(ChainError::Unfinished(self.progress()));
        }
        self.checkpoints.reverse();
        let Generator { link, length, payword, checkpoints, .. } = self;
        let root = Payword::from_bytes(*payword.expose());
        Ok(Chain { link, length, root, checkpoints, between: Vec::new(), hashes: 0 })
    }
}

/// A finished chain. Its unpaid paywords are money: they are wiped when it is dropped.
#[derive(Debug)]
pub struct Chain {
    link: Link,
    length: u32,
    root: Payword,
    /// Ascending; the first is the root, the last the end.
    checkpoints: Vec<(u32, Secret)>,
    /// The paywords up to one checkpoint, descending from it: those that are paid next.
    between: Vec<(u32, Secret)>,
    hashes: u64,
}

impl Chain {
    /// `w_0`, which the payee is given first.
    pub const fn root(&self) -> Payword {
        self.root
    }

    /// How many paywords it has.
    pub const fn length(&self) -> u32 {
        self.length
    }

    /// `w_index`. Whoever has it can take `index` units. In ascending order this costs one hash on average,
    /// and never more than the square root of the length.
    ///
    /// # Errors
    /// [`ChainError::Beyond`] the chain's end.
    pub fn payword(&mut self, index: u32) -> Result<Payword, ChainError> {
        if let Some(payword) = find(&self.between, index) {
            return Ok(payword);
        }
        let above = self.checkpoints.partition_point(|(at, _)| *at < index);
        let Some((mut at, mut payword)) = self.checkpoints.get(above).cloned() else {
            return Err(ChainError::Beyond(self.length));
        };
        let below =
            above.checked_sub(1).and_then(|below| self.checkpoints.get(below)).map_or(0, |(at, _)| *at);
        self.between.clear();
        self.between.push((at, payword.clone()));
        while at > below + 1 {
            payword = Secret::from_bytes(self.link.before(payword.expose()));
            at -= 1;
            self.hashes += 1;
            self.between.push((at, payword.clone()));
        }
        find(&self.between, index).ok_or(ChainError::Beyond(self.length))
    }

    /// Hashes that paying has cost since the chain was made.
    pub const fn hashes(&self) -> u64 {
        self.hashes
    }

    /// How many paywords are kept.
    pub const fn kept(&self) -> usize {
        self.checkpoints.len() + self.between.len()
    }
}

fn find(paywords: &[(u32, Secret)], index: u32) -> Option<Payword> {
    paywords.iter().find(|(at, _)| *at == index).map(|(_, payword)| Payword::from_bytes(*payword.expose()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: ChainId = ChainId::from_bytes([1; 16]);

    fn generator(length: u32) -> Generator {
        Generator::new(&ID, length, Secret::from_bytes([2; 32])).unwrap()
    }

    fn chain(length: u32) -> Chain {
        let mut generator = generator(length);
        generator.step(length);
        generator.finish().unwrap()
    }

    #[test]
    fn a_chain_of_no_or_too_many_paywords_is_refused() {
        for length in [0, LENGTH_MAX + 1] {
            let refused = Generator::new(&ID, length, Secret::from_bytes([2; 32]));
            assert_eq!(refused.err(), Some(ChainError::Length));
        }
    }

    #[test]
    fn a_chain_is_made_in_slices_and_not_given_out_before_its_end() {
        let mut generator = generator(10);
        assert_eq!(generator.step(4), Progress { done: 4, of: 10 });
        assert_eq!(generator.step(5), Progress { done: 9, of: 10 });
        assert_eq!(generator.step(u32::MAX), Progress { done: 10, of: 10 });
        assert_eq!(generator.finish().unwrap().root(), chain(10).root());
        let mut early = self::generator(10);
        let progress = early.step(9);
        assert_eq!(early.finish().err(), Some(ChainError::Unfinished(progress)));
    }

    #[test]
    fn a_long_chain_keeps_twice_its_root_and_pays_with_one_hash_each_on_average() {
        // A million has the same bounds, with its root a thousand; a hundredth of it keeps the test quick.
        let length = 10_000;
        let mut chain = chain(length);
        for index in 1..=length {
            let before = chain.hashes();
            chain.payword(index).unwrap();
            assert!(chain.hashes() - before < 100, "payword {index}");
            assert!(chain.kept() <= 201, "payword {index}");
        }
        assert!(chain.hashes() <= u64::from(length));
    }

    #[test]
    fn there_is_no_payword_beyond_the_end() {
        let mut chain = chain(7);
        assert!(chain.payword(7).is_ok());
        assert_eq!(chain.payword(8), Err(ChainError::Beyond(7)));
        assert_eq!(chain.payword(0), Ok(chain.root()));
    }

    proptest! {
        #[test]
        fn any_payword_in_any_order_is_that_of_the_plain_definition(
            length in 1u32..200, slice in 1u32..50, picks in prop::collection::vec(any::<u32>(), 1..20),
        ) {
            let mut generator = generator(length);
            while generator.step(slice).done < length {}
            let mut chain = generator.finish().unwrap();
            for pick in picks {
                let index = pick % (length + 1);
                let plain = Link::new(&ID).back(&Payword::from_bytes([2; 32]), length - index);
                prop_assert_eq!(chain.payword(index), Ok(plain));
            }
        }
    }
}
