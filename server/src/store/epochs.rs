//! Epochs of the books begin, whatever store they are in (T26, docs/decisions/0006-epochs.md).

use tuppence_protocol::Timestamp;

use super::records::{Epoch, EpochReason};
use super::{Changes, Store, StoreError};
use crate::ledger::journal::Head;

/// What stands beside the books, and outlives their being put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    /// The last link that was committed.
    pub head: Head,
    /// The epoch of the books then.
    pub epoch: u32,
}

/// Begins an epoch after all that the books and their witness know of.
///
/// # Errors
/// [`StoreError`]; then none has begun.
pub fn begin(
    store: &mut dyn Store,
    reason: EpochReason,
    witness: Option<Witness>,
    now: Timestamp,
) -> Result<Epoch, StoreError> {
    let known = store.epochs()?.pop().unwrap_or(Epoch::NEW).number;
    let number = Epoch::number_after(known.max(witness.map_or(0, |witness| witness.epoch)), now);
    let epoch = Epoch { number, began: now, reason, lost: witness.map(|witness| witness.head) };
    store.commit(Changes { epoch: Some(epoch), ..Changes::default() })?;
    Ok(epoch)
}
