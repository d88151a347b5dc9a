//! The trace of a run: a hash of everything that happened, in order, and lines for people where they are wanted.

/// A hash over all that happened. The same seed has the same hash, or the simulator is not deterministic.
#[derive(Debug, Clone)]
pub struct Trace {
    hash: u64,
    verbose: bool,
}

impl Trace {
    /// An empty trace; `verbose` prints its lines.
    pub fn new(verbose: bool) -> Self {
        Trace { hash: 0xCBF2_9CE4_8422_2325, verbose }
    }

    /// Something happened at this step.
    pub fn line(&mut self, step: u64, words: impl FnOnce() -> String, numbers: &[u64]) {
        self.word(step);
        for number in numbers {
            self.word(*number);
        }
        if self.verbose {
            crate::say(&format!("{step:>6}  {}", words()));
        }
    }

    /// These bytes were part of it.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    fn word(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }

    /// The hash so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}
