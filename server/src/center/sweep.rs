//! Steps that nobody ended in time are ended (rule 5); solved challenges that expired are forgotten, and so are old
//! cancellations of steps that never came.

use tuppence_protocol::scrip::center::{Center, Found, REPLIES_KEPT, StepKey, StepState};
use tuppence_protocol::{Refusal, Timestamp};

use super::books::{fault, keep};
use crate::store::WorkingSet;

/// How long things are remembered beyond their end, should the clock go wrong by two days and be set back
/// (T17): three days.
const CLOCK_GRACE_MS: u64 = 3 * 24 * 60 * 60 * 1_000;

/// Ends those of `steps` that have waited too long, and says how many.
pub(super) fn sweep(
    center: &Center,
    set: &mut WorkingSet,
    steps: &[StepKey],
    now: Timestamp,
) -> Result<usize, Refusal> {
    let mut ended: usize = 0;
    for key in steps {
        let step = set.step(key).filter(|step| step.state == StepState::Pending);
        let Some(step) = step else { continue };
        let purse = set.purse(step.customer).ok_or_else(|| fault("a step has no purse"))?;
        let found = Found { pending: Some(step), epoch: set.epoch().number, ..Found::default() };
        let outcome = center.sweep(purse, found, now)?;
        ended = ended.saturating_add(outcome.changes.len());
        keep(set, outcome, now)?;
    }
    let kept = REPLIES_KEPT.as_millis().saturating_add(CLOCK_GRACE_MS);
    set.forget_cancelled(Timestamp::from_millis(now.as_millis().saturating_sub(kept)));
    set.forget_salts(Timestamp::from_millis(now.as_millis().saturating_sub(CLOCK_GRACE_MS)));
    Ok(ended)
}
