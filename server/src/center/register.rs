//! R1 -> R2: a wallet registers.

use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::scrip::registration::{RegistrationReply, RegistrationRequest};
use tuppence_protocol::{ErrorCode, Refusal, Secret, Timestamp};

use super::books::fault;
use crate::store::WorkingSet;
use crate::store::records::Registration;

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
    let known = set.registration(&request.id);
    let digest = request.digest();
    if let Some(known) = known
        && known.digest == digest
    {
        let purse = set.purse(known.customer).ok_or_else(|| fault("a registration has no purse"))?;
        return center.registration_reply(purse.custom_id, &known.first, session_key, known.nonce, known.at);
    }
    center.check_registration(request, now)?;
    let challenge = &request.etc.solution.challenge;
    if set.salt(&challenge.salt).is_some() {
        return Err(Refusal::new(ErrorCode::Challenge, "The challenge's solution was used before."));
    }
    if known.is_some() {
        return Err(Refusal::new(ErrorCode::WalletTaken, "The wallet identifier is registered."));
    }

    let customer = set.next_customer().ok_or_else(|| fault("there are no more customer numbers"))?;
    let purse = center.new_purse(customer, now)?;
    let reply = center.registration_reply(purse.custom_id, &purse.live, session_key, nonce, now)?;
    set.put_salt(challenge.salt, challenge.expires);
    set.put_registration(Registration {
        wallet: request.id,
        digest,
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
