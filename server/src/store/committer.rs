//! Group commit: one thread owns the store, and applies what is waiting as one batch.

use tuppence_protocol::{Refusal, Timestamp};

use super::{Directory, Wanted, WorkingSet};

/// What commands mean: the center's rules, without I/O.
pub trait Rules: Send + 'static {
    /// What is asked.
    type Command: Send + 'static;
    /// What is answered, once it is durable.
    type Reply: Send + 'static;

    /// Adds what `command` touches. A seller that is not in the directory has no records.
    fn wanted(&self, command: &Self::Command, directory: &Directory, wanted: &mut Wanted);

    /// Applies `command`; the caller takes every change back if it is refused.
    ///
    /// # Errors
    /// The refusal, which is an answer like any other.
    fn apply(
        &self,
        set: &mut WorkingSet,
        command: Self::Command,
        now: Timestamp,
    ) -> Result<Self::Reply, Refusal>;
}
