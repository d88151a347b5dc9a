//! What a wallet takes for scrip and for change.

use super::*;

#[test]
fn scrip_that_was_not_ordered_or_made_for_another_wallet_is_refused() {
    let world = World::new();
    let order = order("shop");
    let sold = world.sell(&order, &world.licence("shop", 1));
    let receipt = world.receipt(&order, order.value);
    let reply = world.broker().purchased(&sold.sale, &receipt, &sold.licence.licensed).unwrap();
    let awaiting = AwaitingScrip { order: order.clone() };
    assert!(awaiting.receive(&reply, &world.custom_secret).is_ok());
    assert!(matches!(awaiting.receive(&reply, &secret(50)), Err(VendorScripError::Forged(_))));
    let other = AwaitingScrip { order: Order { nonce: [8; 16], ..order } };
    assert!(matches!(other.receive(&reply, &world.custom_secret), Err(VendorScripError::Foreign(_))));
    let receive = |change: &dyn Fn(&mut Purchased)| {
        let mut altered = reply.clone();
        change(&mut altered);
        awaiting.receive(&altered, &world.custom_secret)
    };
    assert!(matches!(receive(&|p| p.scrip.scrip.value = usd("0.2")), Err(VendorScripError::Foreign(_))));
    let vendor_id = server("other");
    assert!(matches!(
        receive(&|p| p.scrip.scrip.vendor_id = vendor_id.clone()),
        Err(VendorScripError::Foreign(_))
    ));
    assert!(matches!(receive(&|p| p.scrip.scrip.expires = later(1)), Err(VendorScripError::Forged(_))));
    assert!(matches!(
        receive(&|p| p.scrip.certificate = Seal::from_bytes([0; 32])),
        Err(VendorScripError::Forged(_))
    ));
}

#[test]
fn wrong_change_other_goods_and_a_strangers_reply_are_refused() {
    let (_, holding) = World::new().bought("shop");
    let mut shop = Shop::new("shop");
    let asking = holding.pay(URL.parse().unwrap(), usd("0.03")).unwrap();
    let genuine = shop.serve(&asking.request, "0.03", NOW).unwrap();
    let key = licensed("shop", 1).customer(asking.request.scrip.scrip.customer_id).unwrap();
    let receive = |change: &dyn Fn(&mut Reply), resealed: bool| {
        let mut reply = genuine.clone();
        change(&mut reply);
        if resealed {
            reply.hash = reply.seal(&asking.request, &key);
        }
        asking.receive(&reply, digest(b"article"))
    };
    assert!(receive(&|_| (), true).is_ok());
    assert!(matches!(asking.receive(&genuine, digest(b"other")), Err(VendorScripError::Foreign(_))));
    assert!(matches!(receive(&|r| r.change = None, false), Err(VendorScripError::Forged(_))));
    let scrip = asking.request.scrip.clone();
    fn body(reply: &mut Reply) -> &mut VendorScripBody {
        &mut reply.change.as_mut().unwrap().scrip
    }
    let changes: [&dyn Fn(&mut Reply); 6] = [
        &|r| r.change = None,
        &|r| r.change = Some(scrip.clone()),
        &|r| body(r).value = usd("0.06"),
        &|r| body(r).customer_id.serial_number = serial(501),
        &|r| body(r).expires = later(1),
        &|r| body(r).id = scrip.scrip.id,
    ];
    for (number, change) in changes.iter().enumerate() {
        assert!(matches!(receive(change, true), Err(VendorScripError::Terms(_))), "change {number}");
    }
}

#[test]
fn a_stored_holding_and_request_go_on_where_they_were() {
    let (_, holding) = World::new().bought("shop");
    let mut shop = Shop::new("shop");
    let asking = holding.pay(URL.parse().unwrap(), usd("0.03")).unwrap();
    let lost = shop.serve(&asking.request, "0.03", NOW).unwrap();
    let stored = serde_json::to_string(&asking).unwrap();
    let asking: AwaitingChange = serde_json::from_str(&stored).unwrap();
    let again = shop.serve(&asking.request, "0.03", NOW).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&lost).unwrap());
    let holding = asking.receive(&again, digest(b"article")).unwrap();
    let holding: Holding = serde_json::from_str(&serde_json::to_string(&holding).unwrap()).unwrap();
    assert_eq!(pay(&mut shop, &holding, "0.07").value(), usd("0"));
    assert_eq!(shop.sold, 2);
}
