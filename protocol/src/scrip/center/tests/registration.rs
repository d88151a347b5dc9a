//! R1 and R2 (UM1, UM2), E1 and E2 (EM1, EM2).

use super::*;
use crate::WalletId;
use crate::bytes::Bytes;
use crate::challenge::{Solution, solve};
use crate::scrip::registration::{Etc, RegistrationRequest, associated};

fn request(world: &World, wallet: WalletId) -> RegistrationRequest {
    let challenge = world.center.challenge([7; 16], world.now);
    let mut request = RegistrationRequest {
        header: Header::new(Code::Um1, world.now),
        id: wallet,
        name: None,
        address: None,
        e_mail: None,
        etc: Etc { wallet_key: [9; 32], solution: Solution { challenge, nonce: Serial::FIRST } },
        key_envelope: Bytes::try_from(vec![1; 384]).unwrap(),
    };
    let content = request.content();
    let solution = &mut request.etc.solution;
    solution.nonce = solve(&solution.challenge, content, 0, 100_000).unwrap();
    request
}

#[test]
fn a_new_wallet_gets_an_empty_scrip_and_its_secret() {
    let world = World::new();
    let purse = world.center.new_purse(Serial::FIRST, world.now).unwrap();
    let session_key = Secret::from_bytes([8; 32]);
    let reply = |nonce| {
        world.center.registration_reply(purse.custom_id, &purse.live, &session_key, nonce, world.now).unwrap()
    };
    let first = reply([5; 12]);
    assert_eq!(first.header.cmd_type, Code::Um2);
    assert_eq!(
        (first.scrip.scrip.value, first.scrip.scrip.scrip_id.serial_number),
        (usd("0"), Serial::FIRST)
    );
    let opened = first.custom_secret.open(&session_key, &associated(&first.header, &first.scrip)).unwrap();
    assert_eq!(opened.expose(), world.center.keys.custom_secret(purse.custom_id).unwrap().expose());
    assert_eq!(bytes_of(&reply([5; 12])), bytes_of(&first));
    assert_ne!(bytes_of(&reply([6; 12])), bytes_of(&first));
}

#[test]
fn work_is_asked_for_in_time_and_for_this_registration_alone() {
    let mut world = World::new();
    let wallet = WalletId::from_bytes([1; 16]);
    let request = request(&world, wallet);
    world.center.check_registration(&request, world.now).unwrap();
    for change in [
        (|r| r.id = WalletId::from_bytes([2; 16])) as fn(&mut RegistrationRequest),
        |r| r.name = Some("a".parse().unwrap()),
        |r| r.address = Some("a".parse().unwrap()),
        |r| r.e_mail = Some("a".parse().unwrap()),
        |r| r.etc.wallet_key = [8; 32],
        |r| r.key_envelope = Bytes::try_from(vec![2; 384]).unwrap(),
    ] {
        let mut other = request.clone();
        change(&mut other);
        assert_eq!(code(world.center.check_registration(&other, world.now)), ErrorCode::Challenge);
    }
    let mut other = request.clone();
    other.header.cmd_type = Code::Um2;
    assert_eq!(code(world.center.check_registration(&other, world.now)), ErrorCode::WrongMessage);

    world.pass_minutes(31);
    assert_eq!(code(world.center.check_registration(&request, world.now)), ErrorCode::Challenge);
    // A repetition that comes late is still worth decrypting.
    world.center.check_work(&request).unwrap();
}

#[test]
fn a_pseudonym_is_attested_to_its_shop_alone() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let (first, second) = (world.shops[0].id.clone(), world.shops[1].id.clone());
    let message = buyer.attestation(&first);
    let reply = world.attest(&message).unwrap();
    assert_eq!(reply.header.cmd_type, Code::Em2);
    assert_eq!(reply.attestation.earner, earner(&first, &buyer.secret));
    assert!(reply.attestation.holds(&first, world.shops[0].secret()));
    assert!(!reply.attestation.holds(&second, world.shops[1].secret()));
    assert_ne!(
        world.attest(&buyer.attestation(&second)).unwrap().attestation.earner,
        reply.attestation.earner
    );
    assert_eq!(code(world.attest(&buyer.attestation(&server("elsewhere")))), ErrorCode::VendorUnknown);
    let spliced = AttestationRequest { vendor_id: second, ..message.clone() };
    assert_eq!(code(world.attest(&spliced)), ErrorCode::SealInvalid);

    // An older scrip will do.
    let order = world.payment_offer("0.03");
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    assert_eq!(world.attest(&message).unwrap().attestation.earner, reply.attestation.earner);
}
