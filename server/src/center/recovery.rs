//! C1 and N1: a wallet claims its purse with its words, or keeps its notes (docs/decisions/0007).

use tuppence_protocol::recovery::Claimed;
use tuppence_protocol::recovery::claim::{ClaimReply, ClaimRequest};
use tuppence_protocol::recovery::notes::{NotesReply, NotesRequest};
use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::{ErrorCode, Refusal, Secret, Timestamp};

use super::books::fault;
use crate::store::WorkingSet;
use crate::store::records::KeptNotes;

/// Whether a C1 is its wallet's own. Each solution is taken once, before anything is decrypted, so that a claim
/// cannot be repeated, and costs the center one decryption at most.
pub(super) fn admit(
    center: &Center,
    set: &mut WorkingSet,
    request: &ClaimRequest,
    now: Timestamp,
) -> Result<(), Refusal> {
    center.check_claim(request, now)?;
    let challenge = &request.solution.challenge;
    if set.salt(&challenge.salt).is_some() {
        return Err(Refusal::new(ErrorCode::Challenge, "The challenge's solution was used before."));
    }
    center.check_claimant(request, claimed(set, request)?.as_ref())?;
    set.put_salt(challenge.salt, challenge.expires);
    Ok(())
}

/// Gives a purse to whoever has its words; the claim was admitted.
pub(super) fn claim(
    center: &Center,
    set: &WorkingSet,
    request: &ClaimRequest,
    session_key: &Secret,
    nonce: [u8; 12],
    now: Timestamp,
) -> Result<ClaimReply, Refusal> {
    center.claim(request, claimed(set, request)?.as_ref(), session_key, nonce, now)
}

fn claimed(set: &WorkingSet, request: &ClaimRequest) -> Result<Option<Claimed>, Refusal> {
    let Some(known) = set.registration(&request.id) else { return Ok(None) };
    let purse = set.purse(known.customer).ok_or_else(|| fault("a registration has no purse"))?;
    let (custom_id, wallet_key) = (purse.custom_id, known.wallet_key);
    Ok(Some(Claimed { wallet_key, custom_id, registered: known.at }))
}

/// Shows or keeps notes.
pub(super) fn notes(
    center: &Center,
    set: &mut WorkingSet,
    request: &NotesRequest,
    now: Timestamp,
) -> Result<NotesReply, Refusal> {
    let customer = request.scrip.scrip.custom_id.serial_number;
    let kept = set.notes(customer).map(|kept| &kept.notes);
    let (reply, notes) = center.notes(request, set.purse(customer), kept, now)?;
    if let Some(notes) = notes {
        set.put_notes(KeptNotes { customer, notes, at: now });
    }
    Ok(reply)
}
