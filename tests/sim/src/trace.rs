//! The trace of a run: a hash of everything that happened, in order, and lines for people where they are wanted.

/// FNV-1a over all that happened. The same seed has the same hash, or the simulator is not deterministic.
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
        self.bytes(&step.to_be_bytes());
        for number in numbers {
            self.bytes(&number.to_be_bytes());
        }
        if self.verbose {
            crate::say(&format!("{step:>6}  {}", words()));
        }
    }

    /// These bytes were part of it.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    /// The hash so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}
