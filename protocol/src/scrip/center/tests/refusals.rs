//! Every refusal of M4, S4, M6 and S6, their precedence, and their form as GM5_2-4 and PM5_2-3.

use super::*;

/// Changes an S4 before it is sealed again, or after.
type Doctor = fn(&World, &mut PaymentStart);

fn resealed(world: &World, message: &mut PaymentStart, offer: impl FnOnce(&mut PaymentOffer)) {
    offer(&mut message.order);
    message.order = message.order.clone().sealed(world.shops[0].secret());
}

#[test]
fn a_doctored_payment_is_refused_with_its_reason_and_changes_nothing() {
    // Whether the buyer seals the message after it was doctored, and the expected refusal.
    let cases: &[(&str, bool, ErrorCode, Doctor)] = &[
        ("version", true, ErrorCode::Version, |_, m| m.header.protocol_version = 2),
        ("code", true, ErrorCode::WrongMessage, |_, m| m.header.cmd_type = Code::Gm4_1),
        ("algorithm", true, ErrorCode::Algorithm, |_, m| m.scrip.hash_algorithm = HashAlgorithm::Sha256),
        ("value raised", true, ErrorCode::ScripForged, |_, m| m.scrip.scrip.value = usd("9")),
        ("serial", true, ErrorCode::ScripForged, |_, m| {
            m.scrip.scrip.scrip_id.serial_number = Serial::FIRST.next().unwrap()
        }),
        ("secret id", true, ErrorCode::ScripForged, |_, m| m.scrip.scrip.scrip_id.secret_id = 9),
        ("other purse", true, ErrorCode::ScripForged, |_, m| {
            m.scrip.scrip.custom_id.serial_number = Serial::FIRST.next().unwrap()
        }),
        ("other center", true, ErrorCode::ScripForged, |_, m| m.scrip.scrip.vendor_id = server("elsewhere")),
        ("later expiry", true, ErrorCode::ScripForged, |_, m| m.scrip.scrip.expiration_date = Timestamp::MAX),
        ("certificate", true, ErrorCode::ScripForged, |_, m| m.scrip.certificate = NO_SEAL),
        ("seal", false, ErrorCode::SealInvalid, |_, m| m.hash = NO_SEAL),
        ("order after sealing", false, ErrorCode::SealInvalid, |w, m| {
            resealed(w, m, |o| o.price = usd("0.01"))
        }),
        ("cancel's seal on a payment", false, ErrorCode::SealInvalid, |_, m| m.header.cmd_type = Code::Pm4_2),
        ("unknown shop", true, ErrorCode::VendorUnknown, |_, m| m.order.vendor_id = server("elsewhere")),
        ("shop's other port", true, ErrorCode::VendorUnknown, |_, m| m.order.vendor_id.port = 80),
        ("price", true, ErrorCode::OfferForged, |_, m| m.order.price = usd("0.01")),
        ("url", true, ErrorCode::OfferForged, |_, m| {
            m.order.request_url = "https://first.example/other".parse().unwrap()
        }),
        ("offer's secret id", true, ErrorCode::OfferForged, |_, m| m.order.secret_id = 2),
        ("second shop's offer under the first's name", true, ErrorCode::OfferForged, |w, m| {
            m.order = m.order.clone().sealed(w.shops[1].secret())
        }),
        ("first shop's offer under the second's name", true, ErrorCode::OfferForged, |w, m| {
            m.order.vendor_id = w.shops[1].id.clone()
        }),
        ("payout by a shop", true, ErrorCode::OfferForged, |w, m| {
            resealed(w, m, |o| o.delivery_method = DeliveryMethod::Payout)
        }),
        ("for another center", true, ErrorCode::OfferForeign, |w, m| {
            resealed(w, m, |o| o.center_id = server("elsewhere"))
        }),
        ("expired", true, ErrorCode::OfferExpired, |w, m| {
            let past = Timestamp::from_millis(w.now.as_millis() - 1);
            resealed(w, m, |o| o.expires = past);
        }),
        ("currency", true, ErrorCode::CurrencyMismatch, |w, m| {
            resealed(w, m, |o| o.price = "EUR:0.03".parse().unwrap())
        }),
        ("nothing", true, ErrorCode::AmountOutOfRange, |w, m| resealed(w, m, |o| o.price = usd("0"))),
        ("too much", true, ErrorCode::AmountOutOfRange, |w, m| {
            resealed(w, m, |o| o.price = usd("10.000001"))
        }),
        ("largest amount", true, ErrorCode::AmountOutOfRange, |w, m| {
            resealed(w, m, |o| o.price = Amount::new(Currency::USD, Amount::MICROS_MAX).unwrap());
        }),
        ("more than there is", true, ErrorCode::BalanceInsufficient, |w, m| {
            resealed(w, m, |o| o.price = usd("1.000001"))
        }),
    ];
    for (name, reseal, expected, doctor) in cases {
        let mut world = World::new();
        let buyer = world.buyer("1");
        world.buyer("2");
        let order = world.payment_offer("0.03");
        let mut message = buyer.pay(Code::Pm4_1, &order);
        let before = world.snapshot();
        doctor(&world, &mut message);
        if *reseal {
            message.hash = message.seal(&buyer.secret);
        }
        assert_eq!(code(world.s4(&message)), *expected, "{name}");
        assert_eq!(world.snapshot(), before, "{name}");
    }
}

#[test]
fn a_reward_goes_to_whoever_answered() {
    let mut world = World::new();
    let (answered, other) = (world.buyer("0"), world.buyer("0"));
    let offer = world.issue_offer(&answered, "0.04");
    assert_eq!(code(world.m4(&other.issue(Code::Gm4_1, &offer))), ErrorCode::EarnerMismatch);
    assert_eq!(code(world.m4(&other.issue(Code::Gm4_2, &offer))), ErrorCode::EarnerMismatch);
    world.m4(&answered.issue(Code::Gm4_1, &offer)).unwrap();
}

#[test]
fn an_issue_offer_is_no_payment_offer() {
    let mut world = World::new();
    let buyer = world.buyer("1");
    let mut order = world.payment_offer("0.03");
    let offer = world.issue_offer(&buyer, "0.03");
    order.seal = offer.seal;
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &order))), ErrorCode::OfferForged);
}

#[test]
fn the_lower_code_takes_precedence() {
    let mut world = World::new();
    let buyer = world.buyer("0");
    let mut offer = world.payment_offer("0.03");
    let send = |world: &mut World, buyer: &Buyer, offer: &PaymentOffer| {
        code(world.s4(&buyer.pay(Code::Pm4_1, offer)))
    };
    // One thing after the other is put right.
    offer.price = "EUR:0".parse().unwrap();
    offer.expires = Timestamp::from_millis(0);
    offer.center_id = server("elsewhere");
    let mut stranger = buyer.clone();
    stranger.scrip.certificate = NO_SEAL;
    assert_eq!(send(&mut world, &stranger, &offer), ErrorCode::ScripForged);
    assert_eq!(send(&mut world, &buyer, &offer), ErrorCode::OfferForged);
    let secret = world.shops[0].secret().clone();
    offer = offer.sealed(&secret);
    assert_eq!(send(&mut world, &buyer, &offer), ErrorCode::OfferForeign);
    offer.center_id = world.center.keys.center_id.clone();
    offer = offer.sealed(&secret);
    assert_eq!(send(&mut world, &buyer, &offer), ErrorCode::OfferExpired);
    offer.expires = world.now;
    offer = offer.sealed(&secret);
    assert_eq!(send(&mut world, &buyer, &offer), ErrorCode::CurrencyMismatch);
    offer.price = usd("0");
    offer = offer.sealed(&secret);
    assert_eq!(send(&mut world, &buyer, &offer), ErrorCode::AmountOutOfRange);
    offer.price = usd("0.03");
    offer = offer.sealed(&secret);
    assert_eq!(send(&mut world, &buyer, &offer), ErrorCode::BalanceInsufficient);
}

#[test]
fn a_purse_that_the_center_lost_is_unknown() {
    let mut world = World::new();
    let buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    world.purses.clear();
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &order))), ErrorCode::PurseUnknown);
    assert_eq!(code(world.finish(&buyer.finish(Code::Pm6_2, None))), ErrorCode::PurseUnknown);
}

#[test]
fn a_purse_of_another_master_secret_or_center_is_another_purse() {
    let mut world = World::new();
    let buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    let purse = world.purses.get_mut(&buyer.custom_id.serial_number).unwrap();
    purse.custom_id.secret_id = 2;
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &order))), ErrorCode::PurseUnknown);
    world.center.keys.center_id = server("renamed");
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &order))), ErrorCode::ScripForged);
}

#[test]
fn a_finish_is_refused_unless_it_fits_its_transaction() {
    let mut world = World::new();
    let mut buyer = world.buyer("1");
    let other = world.buyer("1");
    let order = world.payment_offer("0.03");
    let at_first = buyer.clone();
    buyer.take(&world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap());
    let this = of_payment(&order);
    let unknown = Some(Transaction { tran_id: world.tran_id(), vendor_id: order.vendor_id.clone() });
    let elsewhere = Some(Transaction { vendor_id: server("elsewhere"), tran_id: order.tran_id });
    let second = Some(Transaction { vendor_id: world.shops[1].id.clone(), tran_id: order.tran_id });
    let before = world.snapshot();
    for (message, expected) in [
        (buyer.finish(Code::Pm6_1, None), ErrorCode::Malformed),
        (buyer.finish(Code::Pm6_3, None), ErrorCode::Malformed),
        (buyer.finish(Code::Pm4_1, this.clone()), ErrorCode::WrongMessage),
        (buyer.finish(Code::Gm6_1, this.clone()), ErrorCode::TransactionConflict),
        (buyer.finish(Code::Gm6_2, this.clone()), ErrorCode::TransactionConflict),
        (buyer.finish(Code::Gm6_3, this.clone()), ErrorCode::TransactionConflict),
        (buyer.finish(Code::Pm6_1, unknown), ErrorCode::TransactionUnknown),
        (buyer.finish(Code::Pm6_1, second), ErrorCode::TransactionUnknown),
        (buyer.finish(Code::Pm6_1, elsewhere), ErrorCode::VendorUnknown),
        (other.finish(Code::Pm6_1, this.clone()), ErrorCode::TransactionUnknown),
        (other.finish(Code::Pm6_2, this.clone()), ErrorCode::TransactionUnknown),
        (other.finish(Code::Pm6_3, this.clone()), ErrorCode::TransactionUnknown),
        (at_first.finish(Code::Pm6_1, this.clone()), ErrorCode::ScripStale),
        (at_first.finish(Code::Pm6_3, this.clone()), ErrorCode::ScripStale),
    ] {
        let sent = format!("{:?} {:?}", message.header.cmd_type, message.transaction);
        assert_eq!(code(world.finish(&message)), expected, "{sent}");
    }
    let mut spliced = buyer.finish(Code::Pm6_1, this.clone());
    spliced.header.cmd_type = Code::Pm6_3;
    assert_eq!(code(world.finish(&spliced)), ErrorCode::SealInvalid);
    assert_eq!(world.snapshot(), before);
    world.finish(&buyer.finish(Code::Pm6_1, this)).unwrap();
}

#[test]
fn records_that_contradict_each_other_are_the_centers_fault() {
    let mut world = World::new();
    let buyer = world.buyer("1");
    let order = world.payment_offer("0.03");
    world.s4(&buyer.pay(Code::Pm4_1, &order)).unwrap();
    world.steps.clear();
    let other = world.payment_offer("0.03");
    assert_eq!(code(world.s4(&buyer.pay(Code::Pm4_1, &other))), ErrorCode::Fault);
}

#[test]
fn gm5_2_gm5_3_gm5_4_pm5_2_and_pm5_3_carry_a_refusal_in_the_patents_form() {
    let mut world = World::new();
    let buyer = world.buyer("1");
    let offer = world.issue_offer(&buyer, "0.04");
    let order = world.payment_offer("0.03");
    for (code, issue, payment) in [
        (ErrorCode::Algorithm, Code::Gm5_2, Code::Pm5_2),
        (ErrorCode::ScripForged, Code::Gm5_2, Code::Pm5_2),
        (ErrorCode::SealInvalid, Code::Gm5_2, Code::Pm5_2),
        (ErrorCode::ScripStale, Code::Gm5_2, Code::Pm5_2),
        (ErrorCode::ScripExpired, Code::Gm5_2, Code::Pm5_2),
        (ErrorCode::PurseUnknown, Code::Gm5_2, Code::Pm5_2),
        (ErrorCode::OfferForged, Code::Gm5_3, Code::Pm5_2),
        (ErrorCode::CampaignExhausted, Code::Gm5_3, Code::Pm5_2),
        (ErrorCode::BalanceInsufficient, Code::Gm5_3, Code::Pm5_2),
        (ErrorCode::Version, Code::Gm5_3, Code::Pm5_2),
        (ErrorCode::StoreUnavailable, Code::Gm5_4, Code::Pm5_3),
        (ErrorCode::Fault, Code::Gm5_4, Code::Pm5_3),
    ] {
        let refusal = Refusal::new(code, "It is so.");
        let mut m4 = buyer.issue(Code::Gm4_1, &offer);
        m4.p_count = 3;
        let reply = refused_issue(&m4, &refusal, world.now);
        assert_eq!((reply.header.cmd_type, reply.p_count), (issue, Some(4)), "{code:?}");
        assert_eq!(bytes_of(&reply.scrip), bytes_of(&Some(m4.scrip)));
        assert_eq!(bytes_of(&reply.hash), bytes_of(&Some(m4.hash)));
        assert_eq!(reply.header.error_message.unwrap().as_str(), "It is so.");
        assert!(reply.order.is_none());

        let mut s4 = buyer.pay(Code::Pm4_1, &order);
        s4.p_count = u16::MAX;
        let reply = refused_payment(&s4, &refusal, world.now);
        assert_eq!((reply.header.cmd_type, reply.p_count), (payment, Some(u16::MAX)), "{code:?}");
        assert_eq!(bytes_of(&reply.order), bytes_of(&Some(s4.order)));
        assert_eq!(bytes_of(&reply.scrip), bytes_of(&Some(s4.scrip)));
    }
}
