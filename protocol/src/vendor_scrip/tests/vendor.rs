//! What a shop takes, and what it refuses, by itself.

use super::*;

fn request(holding: &Holding, price: &str) -> Request {
    holding.pay(URL.parse().unwrap(), usd(price)).unwrap().request
}

fn bytes(reply: &Reply) -> String {
    serde_json::to_string(reply).unwrap()
}

#[test]
fn scrip_pays_and_comes_back_as_change_until_nothing_is_left() {
    let (_, holding) = World::new().bought("shop");
    let mut shop = Shop::new("shop");
    let holding = pay(&mut shop, &holding, "0.03");
    assert_eq!(holding.value(), usd("0.07"));
    let holding = pay(&mut shop, &holding, "0.05");
    let holding = pay(&mut shop, &holding, "0.02");
    assert!(holding.live().is_none() && holding.value().is_zero());
    assert_eq!((shop.account().redeemed, shop.account().live), (usd("0.1"), None));
}

#[test]
fn the_same_request_is_answered_byte_for_byte_and_pays_once() {
    let (_, holding) = World::new().bought("shop");
    let mut shop = Shop::new("shop");
    let asking = holding.pay(URL.parse().unwrap(), usd("0.03")).unwrap();
    let reply = shop.serve(&asking.request, "0.03", NOW).unwrap();
    let changed = pay(&mut shop, &asking.receive(&reply, digest(b"article")).unwrap(), "0.01");
    // Also when other scrip was spent since, when the price has changed, when it has expired, and after the end.
    shop.end(&changed.give_back()).unwrap();
    for (price, now) in [("0.03", NOW), ("0.04", NOW), ("0.03", later(35))] {
        assert_eq!(bytes(&shop.serve(&asking.request, price, now).unwrap()), bytes(&reply));
    }
    assert_eq!((shop.sold, shop.account().redeemed), (2, usd("0.04")));
}

#[test]
fn scrip_that_was_spent_pays_for_nothing_else() {
    let (_, holding) = World::new().bought("shop");
    let mut shop = Shop::new("shop");
    shop.serve(&request(&holding, "0.03"), "0.03", NOW).unwrap();
    let other = holding.pay("https://shop.example/articles/another".parse().unwrap(), usd("0.03")).unwrap();
    assert_eq!(shop.serve(&other.request, "0.03", NOW).err(), Some(VendorScripError::Spent));
    assert_eq!(shop.serve(&request(&holding, "0.01"), "0.01", NOW).err(), Some(VendorScripError::Spent));
    assert_eq!((shop.sold, shop.account().redeemed), (1, usd("0.03")));
}

#[test]
fn spent_scrip_is_refused_also_where_its_reply_was_forgotten() {
    let (_, holding) = World::new().bought("shop");
    let mut shop = Shop::new("shop");
    let first = request(&holding, "0.03");
    shop.serve(&first, "0.03", NOW).unwrap();
    shop.spent.clear();
    assert_eq!(shop.serve(&first, "0.03", NOW).err(), Some(VendorScripError::Spent));
}

#[test]
fn scrip_of_another_shop_is_refused() {
    let world = World::new();
    let (_, holding) = world.bought("shop");
    let foreign = request(&holding, "0.03");
    let mut other = Shop::new("other");
    assert!(matches!(other.serve(&foreign, "0.03", NOW), Err(VendorScripError::Foreign(_))));
    let mut renamed = foreign;
    renamed.scrip.scrip.vendor_id = server("other");
    assert!(matches!(other.serve(&renamed, "0.03", NOW), Err(VendorScripError::Forged(_))));
    assert!(matches!(other.end(&holding.give_back()), Err(VendorScripError::Foreign(_))));
}

#[test]
fn forged_scrip_and_a_thiefs_request_are_refused() {
    let (_, holding) = World::new().bought("shop");
    let genuine = request(&holding, "0.03");
    let mut shop = Shop::new("shop");
    let own = licensed("shop", 1);
    let mut refused = |change: &dyn Fn(&mut Request), resealed: bool| {
        let mut request = genuine.clone();
        change(&mut request);
        if resealed {
            request.hash = request.seal(&own.customer(request.scrip.scrip.customer_id).unwrap());
        }
        shop.serve(&request, "0.03", NOW).err()
    };
    assert_eq!(refused(&|_| (), true), None, "the seal is the right one");
    let forgeries: [&dyn Fn(&mut Request); 6] = [
        &|r| r.scrip.scrip.value = usd("9"),
        &|r| r.scrip.scrip.expires = later(99),
        &|r| r.scrip.scrip.id.serial_number = serial(1_001),
        &|r| r.scrip.scrip.id.secret_id = 1,
        &|r| r.scrip.scrip.props = "all".parse().unwrap(),
        &|r| r.scrip.certificate = Seal::from_bytes([0; 32]),
    ];
    for (number, change) in forgeries.iter().enumerate() {
        assert!(matches!(refused(change, true), Some(VendorScripError::Forged(_))), "change {number}");
    }
    let thefts: [&dyn Fn(&mut Request); 3] = [
        &|r| r.price = usd("0.02"),
        &|r| r.request_url = "https://shop.example/articles/another".parse().unwrap(),
        &|r| r.hash = Seal::from_bytes([0; 32]),
    ];
    for (number, change) in thefts.iter().enumerate() {
        assert!(matches!(refused(change, false), Some(VendorScripError::Forged(_))), "theft {number}");
    }
}

#[test]
fn the_center_can_make_no_more_scrip_than_was_licensed() {
    let own = licensed("shop", 1);
    let mut shop = Shop::new("shop");
    let mut attempt = |id: u64, customer: u64| {
        let id = IdType { secret_id: 10, serial_number: serial(id) };
        let customer_id = IdType { secret_id: 11, serial_number: serial(customer) };
        let (vendor_id, props) = (server("shop"), "".parse().unwrap());
        let body = VendorScripBody { vendor_id, value: usd("1"), id, customer_id, expires: later(9), props };
        let scrip = VendorScrip::new(body, &own.scrip_secret);
        let (request_url, hash) = (URL.parse().unwrap(), Seal::from_bytes([0; 32]));
        let mut request = Request { request_url, price: usd("0.03"), scrip, hash };
        request.hash = request.seal(&customer_secret(customer_id, &own.customer_secret));
        shop.serve(&request, "0.03", NOW)
    };
    assert!(attempt(1_002, 502).is_ok());
    for (id, customer) in [(1_003, 501), (999, 501), (1_001, 503), (1_001, 499)] {
        assert!(matches!(attempt(id, customer), Err(VendorScripError::Forged(_))), "{id} {customer}");
    }
}

#[test]
fn expired_scrip_pays_nothing_new() {
    let (sale, holding) = World::new().bought("shop");
    let end = sale.scrip.scrip.expires;
    assert_eq!(end, later(30));
    let request = request(&holding, "0.03");
    let late = end.plus(Duration::from_millis(1));
    let refused = Shop::new("shop").serve(&request, "0.03", late);
    assert!(matches!(refused, Err(VendorScripError::Expired(_))));
    let mut shop = Shop::new("shop");
    assert!(shop.serve(&request, "0.03", end).is_ok());
    assert!(!shop.account().is_over(later(37)));
    assert!(shop.account().is_over(later(37).plus(Duration::from_millis(1))));
}

#[test]
fn a_price_that_the_customer_did_not_agree_to_is_not_taken() {
    let (_, holding) = World::new().bought("shop");
    let mut shop = Shop::new("shop");
    let request = request(&holding, "0.03");
    assert!(matches!(shop.serve(&request, "0.04", NOW), Err(VendorScripError::Terms(_))));
    assert!(shop.accounts.is_empty() && shop.spent.is_empty());
}

#[test]
fn scrip_that_does_not_cover_the_price_is_refused_by_either_side() {
    let (_, holding) = World::new().bought("shop");
    let (value, price) = (usd("0.1"), usd("0.11"));
    let insufficient = VendorScripError::Insufficient { value, price };
    assert_eq!(holding.pay(URL.parse().unwrap(), price).err(), Some(insufficient.clone()));
    let mut request = request(&holding, "0.1");
    request.price = price;
    let own = licensed("shop", 1);
    request.hash = request.seal(&own.customer(request.scrip.scrip.customer_id).unwrap());
    assert_eq!(Shop::new("shop").serve(&request, "0.11", NOW).err(), Some(insufficient));
}

#[test]
fn new_secrets_leave_live_scrip_and_change_good() {
    let world = World::new();
    let (_, holding) = world.bought("shop");
    let mut shop = Shop::new("shop");
    let changed = pay(&mut shop, &holding, "0.03");
    shop.vendor.change_secrets.add(2, secret(77)).unwrap();
    shop.vendor.licences.push(licensed("shop", 2));
    shop.vendor.secrets.add(2, secret(78)).unwrap();
    let again = pay(&mut shop, &changed, "0.03");
    assert_eq!(again.live().unwrap().scrip.id.secret_id, 2, "change is made with the new one");
    let other = Order { nonce: [8; 16], ..order("shop") };
    let licence = LicenceState { used: 1, ..world.licence("shop", 1) };
    let old = world.receive(&world.sell(&other, &licence));
    pay(&mut shop, &old, "0.1");
    let new = world.receive(&world.sell(&order("shop"), &world.licence("shop", 2)));
    pay(&mut shop, &new, "0.1");

    shop.vendor.change_secrets.remove(1);
    let asking = changed.pay(URL.parse().unwrap(), usd("0.01")).unwrap();
    assert!(matches!(shop.serve(&asking.request, "0.01", NOW), Err(VendorScripError::Forged(_))));
}

#[test]
fn an_ended_purchase_pays_no_more_and_its_settlement_is_the_same_again() {
    let (_, holding) = World::new().bought("shop");
    let mut shop = Shop::new("shop");
    let change = pay(&mut shop, &holding, "0.03");
    let settlement = shop.end(&change.give_back()).unwrap();
    assert_eq!((settlement.redeemed, settlement.last), (usd("0.03"), true));
    let late = change.pay(URL.parse().unwrap(), usd("0.01")).unwrap();
    let refused = shop.serve(&late.request, "0.01", NOW).err();
    assert_eq!(refused, Some(VendorScripError::Ended(usd("0.03"))));
    let again = shop.end(&change.give_back()).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&settlement).unwrap());
}

#[test]
fn whoever_lost_the_change_ends_the_purchase_with_the_scrip_that_was_bought() {
    let (_, holding) = World::new().bought("shop");
    let mut shop = Shop::new("shop");
    let change = pay(&mut shop, &holding, "0.03");
    pay(&mut shop, &change, "0.04");
    let settlement = shop.end(&holding.give_back()).unwrap();
    assert_eq!(settlement.redeemed, usd("0.07"));
    let untouched = Shop::new("shop").end(&holding.give_back()).unwrap();
    assert!(untouched.redeemed.is_zero() && untouched.last, "also where nothing was ever spent");
    let mut thief = holding.give_back();
    thief.hash = Seal::from_bytes([0; 32]);
    assert!(matches!(shop.end(&thief), Err(VendorScripError::Forged(_))));
    let forgotten = Shop::new("shop").end(&change.give_back());
    assert!(matches!(forgotten, Err(VendorScripError::Expired(_))), "no account says that nothing was spent");
}
