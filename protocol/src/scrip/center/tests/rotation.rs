//! New secrets and algorithms leave older scrip, offers and receipts good.

use super::*;

#[test]
fn older_scrip_pays_after_every_rotation() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    let next = |byte| Secret::from_bytes([byte; 32]);
    world.center.keys.scrip_secrets.add(2, next(21)).unwrap();
    world.center.keys.customer_secrets.add(2, next(22)).unwrap();
    world.shops[0].secrets.add(2, next(23)).unwrap();

    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    assert_eq!(buyer.scrip.scrip.scrip_id.secret_id, 2);
    assert_eq!(buyer.custom_id.secret_id, 1);
    let finish = buyer.finish(Code::Pm6_1, of_payment(&order));
    let reply = world.finish(&finish).unwrap();
    world.shops[0].secrets.add(3, next(24)).unwrap();
    assert_eq!(bytes_of(&world.finish(&finish).unwrap()), bytes_of(&reply));
    assert_eq!(receipt(reply).secret_id, 1);

    let newcomer = world.buyer("0");
    assert_eq!(newcomer.custom_id.secret_id, 2);
    let offer = world.issue_offer(&newcomer, "0.04");
    world.m4(&newcomer.issue(Code::Gm4_1, &offer)).unwrap();
}

#[test]
fn the_patents_literal_hash_is_taken_only_where_it_is_turned_on() {
    let mut world = World::new();
    world.center.keys.algorithm = HashAlgorithm::Sha256;
    let mut buyer = world.buyer("1");
    assert_eq!(buyer.scrip.hash_algorithm, HashAlgorithm::Sha256);
    let order = world.payment_offer("0.03");
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    world.finish(&buyer.finish(Code::Pm6_1, of_payment(&order))).unwrap();

    // The center turns back: old scrip is taken while that is allowed, and replaced.
    world.center.keys.algorithm = HashAlgorithm::HmacSha256;
    let order = world.payment_offer("0.03");
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &order))), ErrorCode::Algorithm);
    world.center.keys.sha256_allowed = true;
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    assert_eq!(buyer.scrip.hash_algorithm, HashAlgorithm::HmacSha256);
}

#[test]
fn a_removed_secret_ends_what_it_certified() {
    let mut world = World::new();
    let buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    world.center.keys.scrip_secrets.add(2, Secret::from_bytes([21; 32])).unwrap();
    world.center.keys.scrip_secrets.remove(1);
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &order))), ErrorCode::ScripForged);
}
