//! GM3_1 and PM3_1 by way of the seller, and campaign funding (rule 8).

use super::*;
use crate::scrip::campaign::CampaignFunding;
use crate::scrip::relay;

#[test]
fn a_seller_learns_how_its_transaction_stands() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    let ask = |world: &World| world.relay(Code::Pm3_1, 0, order.tran_id).unwrap();
    assert!(matches!(ask(&world).outcome, relay::Outcome::Open));
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    assert!(matches!(ask(&world).outcome, relay::Outcome::Open));
    let given = receipt(world.finish(&buyer.finish(Code::Pm6_1, of_payment(&order))).unwrap());
    let reply = ask(&world);
    assert!(reply.holds(world.shops[0].secret()));
    let relay::Outcome::Posted(relayed) = reply.outcome else { panic!("not posted") };
    assert_eq!(bytes_of(&relayed), bytes_of(&given));
    // The other shop knows nothing of it.
    assert!(matches!(world.relay(Code::Pm3_1, 1, order.tran_id).unwrap().outcome, relay::Outcome::Open));
    assert_eq!(code(world.relay(Code::Gm3_1, 0, order.tran_id)), ErrorCode::TransactionConflict);
}

#[test]
fn a_seller_learns_of_a_cancelled_issue() {
    let mut world = World::new();
    let buyer = world.buyer("0");
    let offer = world.issue_offer(&buyer, "0.04");
    world.m4(&buyer.issue(Code::Gm4_2, &offer)).unwrap();
    let reply = world.relay(Code::Gm3_1, 0, offer.tran_id).unwrap();
    assert!(matches!(reply.outcome, relay::Outcome::Voided));
}

#[test]
fn a_relay_or_budget_without_the_shops_seal_is_refused() {
    let world = World::new();
    let vendor_id = world.shops[0].id.clone();
    let header = Header::new(Code::Pm3_1, world.now);
    let tran_id = TranId::from_bytes([1; 16]);
    let forged = RelayRequest { header, vendor_id: vendor_id.clone(), tran_id, secret_id: 1, seal: NO_SEAL };
    let forged = forged.sealed(world.shops[1].secret());
    let found = world.found(Serial::FIRST, Some(&vendor_id), Some(tran_id));
    assert_eq!(code(world.center.relay(&forged, found, world.now)), ErrorCode::Unauthorized);

    let funding = CampaignFunding {
        vendor_id,
        item: "quiz".parse().unwrap(),
        budget: usd("1"),
        date: world.now,
        secret_id: 1,
        seal: NO_SEAL,
    };
    let sealed = funding.clone().sealed(world.shops[0].secret());
    world.center.check_funding(&sealed, found).unwrap();
    for altered in [
        CampaignFunding { budget: usd("2"), ..sealed.clone() },
        CampaignFunding { item: "survey".parse().unwrap(), ..sealed.clone() },
        CampaignFunding { date: Timestamp::MAX, ..sealed.clone() },
        CampaignFunding { secret_id: 2, ..sealed.clone() },
        funding.sealed(world.shops[1].secret()),
    ] {
        assert_eq!(code(world.center.check_funding(&altered, found)), ErrorCode::Unauthorized);
    }
    let unknown = CampaignFunding { vendor_id: server("elsewhere"), ..sealed };
    assert_eq!(code(world.center.check_funding(&unknown, found)), ErrorCode::VendorUnknown);
}

#[test]
fn a_budget_never_takes_back_what_rewards_have_used() {
    let center = World::new().center;
    for (budget, funded, held, target) in [
        ("5", "0", "0", "5"),
        ("5", "5", "5", "5"),
        ("5", "5", "3", "3"),
        ("8", "5", "3", "6"),
        ("3", "5", "3", "1"),
        ("2", "5", "3", "0"),
        ("0", "5", "3", "0"),
        ("0", "0", "0", "0"),
    ] {
        let reached = center.campaign_target(usd(budget), usd(funded), usd(held)).unwrap();
        assert_eq!(reached, usd(target), "{budget} of {funded} with {held} left");
    }
    assert_eq!(code(center.campaign_target(usd("1"), usd("1"), usd("2"))), ErrorCode::Fault);
}
