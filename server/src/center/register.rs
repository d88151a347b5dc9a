//! R1 -> R2: a wallet registers.

use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::scrip::registration::{RegistrationReply, RegistrationRequest};
use tuppence_protocol::{ErrorCode, Refusal, Secret, Timestamp};

use super::books::fault;
use crate::store::WorkingSet;
use crate::store::records::Registration;

/// Whether an R1 will be answered, if its envelope can be opened: it is new and its challenge unused, or the same
/// came before.
pub(super) fn admit(
    center: &Center,
    set: &WorkingSet,
    request: &RegistrationRequest,
    now: Timestamp,
) -> Result<(), Refusal> {
    if same(set, request).is_some() { Ok(()) } else { check_new(center, set, request, now) }
}

/// The challenge counts as used, whatever became of its R1: its solver has had the decryption.
pub(super) fn use_up(set: &mut WorkingSet, salt: [u8; 16], ends: Timestamp) {
    if set.salt(&salt).is_none() {
        set.put_salt(salt, ends);
    }
}

/// The registration that just this R1 made.
fn same<'a>(set: &'a WorkingSet, request: &RegistrationRequest) -> Option<&'a Registration> {
    set.registration(&request.id).filter(|known| known.digest == request.digest())
}

fn check_new(
    center: &Center,
    set: &WorkingSet,
    request: &RegistrationRequest,
    now: Timestamp,
) -> Result<(), Refusal> {
    center.check_registration(request, now)?;
    if set.salt(&request.etc.solution.challenge.salt).is_some() {
        return Err(Refusal::new(ErrorCode::Challenge, "The challenge's solution was used before."));
    }
    if set.registration(&request.id).is_some() {
        return Err(Refusal::new(ErrorCode::WalletTaken, "The wallet identifier is registered."));
    }
    Ok(())
}

/// Registers a wallet. The same R1 again gets the same R2, also when its challenge has long expired.
pub(super) fn register(
    center: &Center,
    set: &mut WorkingSet,
    request: &RegistrationRequest,
    session_key: &Secret,
    nonce: [u8; 12],
    now: Timestamp,
) -> Result<RegistrationReply, Refusal> {
    request.header.expect(&[Code::Um1])?;
    if let Some(known) = same(set, request) {
        let purse = set.purse(known.customer).ok_or_else(|| fault("a registration has no purse"))?;
        return center.registration_reply(purse.custom_id, &known.first, session_key, known.nonce, known.at);
    }
    check_new(center, set, request, now)?;

    let challenge = &request.etc.solution.challenge;
    let customer = set.next_customer().ok_or_else(|| fault("there are no more customer numbers"))?;
    let purse = center.new_purse(customer, now)?;
    let reply = center.registration_reply(purse.custom_id, &purse.live, session_key, nonce, now)?;
    set.put_salt(challenge.salt, challenge.expires);
    set.put_registration(Registration {
        wallet: request.id,
        digest: request.digest(),
        customer,
        nonce,
        first: purse.live.clone(),
        wallet_key: request.etc.wallet_key,
        name: request.name.clone(),
        address: request.address.clone(),
        e_mail: request.e_mail.clone(),
        at: now,
    });
    set.put_purse(purse);
    Ok(reply)
}
