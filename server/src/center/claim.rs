//! A buyer shows scrip that the books do not know: an older copy of them was put back (rule 12, T26).

use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::center::{Center, ScripState};
use tuppence_protocol::{Refusal, Timestamp};

use crate::store::WorkingSet;
use crate::store::records::{Claim, Epoch, EpochReason};

/// Keeps `scrip` as a claim if the center issued it and the books have lost that.
///
/// # Errors
/// If the center did not issue it.
pub(super) fn claim(
    center: &Center,
    set: &mut WorkingSet,
    scrip: &Scrip,
    now: Timestamp,
) -> Result<(), Refusal> {
    center.keys.check_issued(scrip)?;
    let body = &scrip.scrip;
    let customer = body.custom_id.serial_number;
    let purse = set.purse(customer).filter(|purse| purse.custom_id == body.custom_id);
    let known = purse.map(|purse| (purse.live.serial, purse.live.value));
    let shown = body.scrip_id.serial_number;
    if known.is_some_and(|(serial, _)| serial >= shown) {
        return Ok(());
    }
    if set.claim(customer).is_none_or(|claim| claim.shown.serial < shown) {
        let claim = Claim { custom_id: body.custom_id, shown: state(scrip), known, at: now };
        set.put_claim(claim);
    }
    // Scrip of an earlier epoch was lost when this one began, which is known. Any other shows for the first time
    // that something is missing.
    let (epoch, lost) = (*set.epoch(), shown.epoch().max(customer.epoch()));
    if lost >= epoch.number {
        tracing::error!(
            customer = customer.get(),
            "a buyer shows scrip that the books do not know: they went back"
        );
        set.begin_epoch(Epoch {
            // The lost books may have begun an epoch in this very hour: its numbers are not given again.
            number: Epoch::number_after(lost, now),
            began: now,
            reason: EpochReason::Shown,
            lost: None,
        });
    }
    Ok(())
}

fn state(scrip: &Scrip) -> ScripState {
    ScripState {
        algorithm: scrip.hash_algorithm,
        secret_id: scrip.scrip.scrip_id.secret_id,
        serial: scrip.scrip.scrip_id.serial_number,
        value: scrip.scrip.value,
        ad: scrip.scrip.ad.clone(),
        expires: scrip.scrip.expiration_date,
    }
}
