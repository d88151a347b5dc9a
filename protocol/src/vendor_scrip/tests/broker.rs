//! What the center sells, pays and buys back.

use super::*;

#[test]
fn a_licence_is_taken_once_from_its_own_shop_with_rising_numbers() {
    let world = World::new();
    let own = vendor("shop");
    let first = own.licence(&licensed("shop", 1), [[1; 12], [2; 12]]).unwrap();
    let taken = world.accept("shop", &first, None, NOW).unwrap();
    assert_eq!(taken.licensed.scrip_secret.expose(), licensed("shop", 1).scrip_secret.expose());
    assert_eq!(taken.licensed.customer_secret.expose(), licensed("shop", 1).customer_secret.expose());

    let used = LicenceState { used: 2, ..taken };
    assert_eq!(
        world.accept("shop", &first, Some(&used), NOW).unwrap().used,
        2,
        "the same again rewinds nothing"
    );
    let edits: [&dyn Fn(&mut Licensed); 2] = [&|l| l.terms.count = 2, &|l| l.customer_secret = secret(9)];
    for (number, edit) in edits.iter().enumerate() {
        let mut other = licensed("shop", 1);
        edit(&mut other);
        let other = own.licence(&other, [[5; 12], [6; 12]]).unwrap();
        let refused = world.accept("shop", &other, Some(&used), NOW);
        assert!(matches!(refused, Err(VendorScripError::Terms(_))), "edit {number} under the same number");
    }
    let second = own.licence(&licensed("shop", 2), [[3; 12], [4; 12]]).unwrap();
    let newer = world.accept("shop", &second, Some(&used), NOW).unwrap();
    assert_eq!((newer.used, newer.licensed.terms.number), (0, 2));
    assert!(matches!(world.accept("shop", &first, Some(&newer), NOW), Err(VendorScripError::Terms(_))));
    assert!(matches!(world.accept("other", &first, None, NOW), Err(VendorScripError::Foreign(_))));
    assert!(matches!(world.accept("shop", &first, None, later(100)), Err(VendorScripError::Expired(_))));
}

#[test]
fn a_licence_that_is_altered_or_too_large_is_refused() {
    let world = World::new();
    let own = vendor("shop");
    let licence = own.licence(&licensed("shop", 1), [[1; 12], [2; 12]]).unwrap();
    let changes: [&dyn Fn(&mut Licence); 5] = [
        &|l| l.terms.count = 4,
        &|l| l.scrip_secret.ciphertext[0] ^= 1,
        &|l| l.customer_secret.nonce[0] ^= 1,
        &|l| std::mem::swap(&mut l.scrip_secret, &mut l.customer_secret),
        &|l| l.secret_id = 2,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut altered = licence.clone();
        change(&mut altered);
        let refused = world.accept("shop", &altered, None, NOW);
        assert!(matches!(refused, Err(VendorScripError::Forged(_))), "change {number}");
    }
    let edits: [&dyn Fn(&mut Licensed); 3] =
        [&|l| l.terms.count = 0, &|l| l.terms.count = LICENCE_COUNT_MAX + 1, &|l| {
            l.terms.customers.first = serial((1 << 53) - 2)
        }];
    for (number, edit) in edits.iter().enumerate() {
        let mut large = licensed("shop", 1);
        edit(&mut large);
        let refused = own.licence(&large, [[1; 12], [2; 12]]);
        assert!(matches!(refused, Err(VendorScripError::Terms(_))), "edit {number}");
        let sent = Licence::new(&large, [[1; 12], [2; 12]], 1, &secret(100)).unwrap();
        let refused = world.accept("shop", &sent, None, NOW);
        assert!(matches!(refused, Err(VendorScripError::Terms(_))), "edit {number} at the center");
    }
}

#[test]
fn what_was_bought_is_handed_out_for_its_own_receipt_alone() {
    let world = World::new();
    let (order, licence) = (order("shop"), world.licence("shop", 1));
    let Sold { sale, licence } = world.sell(&order, &licence);
    let paid = world.receipt(&order, usd("0.1"));
    let purchased = |receipt: &Receipt| world.broker().purchased(&sale, receipt, &licence.licensed);
    let first = purchased(&paid).unwrap();
    let other = Order { nonce: [8; 16], ..order.clone() };
    let resealed = |change: &dyn Fn(&mut Receipt)| {
        let mut receipt = paid.clone();
        change(&mut receipt);
        receipt.sealed(&secret(3))
    };
    for receipt in [
        world.receipt(&order, usd("0.09")),
        world.receipt(&other, usd("0.1")),
        resealed(&|receipt| receipt.kind = ReceiptKind::Issue),
        resealed(&|receipt| receipt.vendor_id = server("shop")),
        resealed(&|receipt| receipt.tran_id = TranId::new(NOW, [7; 10])),
        Receipt { date: later(1), ..paid.clone() },
    ] {
        assert!(matches!(purchased(&receipt), Err(VendorScripError::Unpaid(_))), "{receipt:?}");
    }
    let bytes = |purchased: &Purchased| serde_json::to_string(purchased).unwrap();
    assert_eq!(bytes(&purchased(&paid).unwrap()), bytes(&first));
}

#[test]
fn every_sale_has_numbers_of_its_own_and_none_is_made_without_a_licence() {
    let world = World::new();
    let mut licence = world.licence("shop", 1);
    let first = licence.clone();
    let mut seen = Vec::new();
    for nonce in 0..3 {
        let sold = world.sell(&Order { nonce: [nonce; 16], ..order("shop") }, &licence);
        let scrip = sold.sale.scrip.scrip;
        seen.push((scrip.id.serial_number.get(), scrip.customer_id.serial_number.get()));
        licence = sold.licence;
    }
    assert_eq!(seen, [(1_000, 500), (1_001, 501), (1_002, 502)]);

    let order = order("shop");
    let offer = world.offer(&order, &first);
    let sell = |order: &Order, offer: &PaymentOffer, licence: Option<&LicenceState>, now| {
        world.broker().sell(order, offer, world.custom_id, licence, now)
    };
    let foreign = world.licence("other", 1);
    for (licence, now) in
        [(Some(&licence), NOW), (None, NOW), (Some(&first), later(100)), (Some(&foreign), NOW)]
    {
        assert!(matches!(sell(&order, &offer, licence, now), Err(VendorScripError::Unlicensed)));
    }
    let other = Order { nonce: [8; 16], ..order.clone() };
    assert!(matches!(sell(&other, &offer, Some(&first), NOW), Err(VendorScripError::Foreign(_))));
    let cheaper = PaymentOffer { price: usd("0.01"), ..offer };
    assert!(matches!(sell(&order, &cheaper, Some(&first), NOW), Err(VendorScripError::Foreign(_))));
}

#[test]
fn an_order_that_could_not_be_kept_is_refused_before_it_is_paid() {
    let world = World::new();
    let licence = world.licence("shop", 1);
    let (id, secrets) = (server("shop"), ring(100));
    let shop = Seller { number: 1, id: &id, secrets: &secrets };
    let check = |change: &dyn Fn(&mut Order)| {
        let mut order = order("shop");
        change(&mut order);
        world.broker().check(&order, shop, Some(&licence), NOW)
    };
    assert_eq!(check(&|_| ()), Ok(()));
    assert!(matches!(check(&|o| o.vendor_id = server("other")), Err(VendorScripError::Foreign(_))));
    assert!(matches!(check(&|o| o.center_id = server("other")), Err(VendorScripError::Foreign(_))));
    assert!(matches!(check(&|o| o.value = usd("0")), Err(VendorScripError::Terms(_))));
    assert!(matches!(check(&|o| o.value = usd("201")), Err(VendorScripError::Terms(_))));
    assert!(matches!(check(&|o| o.value = "EUR:0.1".parse().unwrap()), Err(VendorScripError::Terms(_))));
    let used_up = LicenceState { used: 3, ..licence.clone() };
    for licence in [None, Some(&used_up)] {
        let refused = world.broker().check(&order("shop"), shop, licence, NOW);
        assert_eq!(refused, Err(VendorScripError::Unlicensed));
    }
}

#[test]
fn a_shop_is_paid_what_was_redeemed_less_the_fee_and_once() {
    let world = World::new();
    let (sale, holding) = world.bought("shop");
    let mut shop = Shop::new("shop");
    let change = pay(&mut shop, &holding, "0.03");
    let settlement = shop.vendor.settle(shop.account()).unwrap().unwrap();
    let first = world.settle("shop", &settlement, &sale, NOW).unwrap();
    assert_eq!((first.to_vendor, first.fee, first.to_purse), (usd("0.027"), usd("0.003"), usd("0")));
    let again = world.settle("shop", &settlement, &first.sale, later(60)).unwrap();
    assert!(again.to_vendor.is_zero() && again.fee.is_zero() && again.to_purse.is_zero());
    let bytes = |settled: &Settled| serde_json::to_string(settled).unwrap();
    assert_eq!(bytes(&again.reply), bytes(&first.reply), "also when the time is over");
    let account = shop.vendor.confirm(shop.account(), &first.reply).unwrap();
    assert!(shop.vendor.settle(&account).unwrap().is_none(), "there is nothing more to settle");

    pay(&mut shop, &change, "0.02");
    let settlement = shop.vendor.settle(shop.account()).unwrap().unwrap();
    let second = world.settle("shop", &settlement, &first.sale, NOW).unwrap();
    assert_eq!((second.to_vendor, second.fee), (usd("0.018"), usd("0.002")));
    let old = world.settle("shop", &again_of(&shop, "0.03"), &second.sale, NOW).unwrap();
    assert_eq!((old.to_vendor, old.sale.redeemed), (usd("0"), usd("0.05")));
}

/// A settlement of `redeemed` for the shop's one purchase.
fn again_of(shop: &Shop, redeemed: &str) -> Settlement {
    let account = Account { redeemed: usd(redeemed), settled: usd("0"), ..shop.account().clone() };
    shop.vendor.settle(&account).unwrap().unwrap()
}

#[test]
fn the_fee_does_not_depend_on_how_often_a_shop_settles() {
    let world = World::new();
    let (mut sale, mut holding) = world.bought("shop");
    let mut shop = Shop::new("shop");
    let mut fees = 0;
    for _ in 0..10 {
        holding = pay(&mut shop, &holding, "0.000005");
        let settlement = shop.vendor.settle(shop.account()).unwrap().unwrap();
        let settled = world.settle("shop", &settlement, &sale, NOW).unwrap();
        fees += settled.fee.micros();
        sale = settled.sale;
    }
    assert_eq!(fees, 5, "a tenth of fifty millionths; a tenth of five each time would be nothing");
}

#[test]
fn scrip_keeps_the_fee_that_it_was_sold_with() {
    let mut world = World::new();
    let (sale, holding) = world.bought("shop");
    let mut shop = Shop::new("shop");
    let change = pay(&mut shop, &holding, "0.03");
    let settlement = shop.vendor.settle(shop.account()).unwrap().unwrap();
    let first = world.settle("shop", &settlement, &sale, NOW).unwrap();
    world.center.policy.fee_basis_points = 0;
    pay(&mut shop, &change, "0.03");
    let settlement = shop.vendor.settle(shop.account()).unwrap().unwrap();
    let second = world.settle("shop", &settlement, &first.sale, NOW).unwrap();
    assert_eq!((second.to_vendor, second.fee), (usd("0.027"), usd("0.003")));
}

#[test]
fn unspent_scrip_is_bought_back_once_on_the_shops_word() {
    let world = World::new();
    let (sale, holding) = world.bought("shop");
    let mut shop = Shop::new("shop");
    let change = pay(&mut shop, &holding, "0.03");
    let settlement = shop.end(&change.give_back()).unwrap();
    let ended = world.settle("shop", &settlement, &sale, NOW).unwrap();
    assert_eq!((ended.to_vendor, ended.fee, ended.to_purse), (usd("0.027"), usd("0.003"), usd("0.07")));
    assert!(ended.sale.rest().unwrap().is_zero());
    let again = world.settle("shop", &settlement, &ended.sale, later(60)).unwrap();
    assert!(again.to_purse.is_zero() && again.to_vendor.is_zero());
    assert_eq!(again.sale.closed, Some(NOW), "it stays as it ended");
    assert!(world.broker().close(&ended.sale, later(60)).unwrap().is_none());
    let account = shop.vendor.confirm(shop.account(), &again.reply).unwrap();
    assert!(shop.vendor.settle(&account).unwrap().is_none());

    let more = again_of(&shop, "0.04");
    let refused = world.settle("shop", &more, &ended.sale, NOW).err();
    assert_eq!(refused, Some(VendorScripError::Ended(usd("0.03"))));
}

#[test]
fn the_rest_of_a_forgotten_purchase_returns_when_the_grace_is_over() {
    let world = World::new();
    let (sale, holding) = world.bought("shop");
    let mut shop = Shop::new("shop");
    pay(&mut shop, &holding, "0.03");
    let settlement = shop.vendor.settle(shop.account()).unwrap().unwrap();
    let over = later(37).plus(Duration::from_millis(1));
    assert!(world.broker().close(&sale, later(37)).unwrap().is_none());
    assert!(world.settle("shop", &settlement, &sale, later(37)).is_ok(), "until then the shop settles");
    let refused = world.settle("shop", &settlement, &sale, over).err();
    assert_eq!(refused, Some(VendorScripError::Ended(usd("0"))));
    let closed = world.broker().close(&sale, over).unwrap().unwrap();
    assert_eq!(closed.to_purse, usd("0.1"));
    assert!(world.broker().close(&closed.sale, over).unwrap().is_none());
}

#[test]
fn a_settlement_that_is_forged_foreign_or_beyond_the_sale_is_refused() {
    let world = World::new();
    let (sale, holding) = world.bought("shop");
    let mut shop = Shop::new("shop");
    pay(&mut shop, &holding, "0.03");
    let genuine = shop.vendor.settle(shop.account()).unwrap().unwrap();
    let mut altered = genuine.clone();
    altered.redeemed = usd("0.04");
    let refused = world.settle("shop", &altered, &sale, NOW);
    assert!(matches!(refused, Err(VendorScripError::Forged(_))));
    assert!(matches!(world.settle("other", &genuine, &sale, NOW), Err(VendorScripError::Foreign(_))));
    let refused = |change: &dyn Fn(&mut Settlement)| {
        let mut settlement = genuine.clone();
        change(&mut settlement);
        world.settle("shop", &settlement.sealed(&secret(100)), &sale, NOW).err().unwrap()
    };
    assert!(matches!(refused(&|s| s.redeemed = usd("0.100001")), VendorScripError::Terms(_)));
    assert!(matches!(refused(&|s| s.redeemed = "EUR:0.01".parse().unwrap()), VendorScripError::Terms(_)));
    assert!(matches!(refused(&|s| s.customer_id.serial_number = serial(501)), VendorScripError::Foreign(_)));
}

#[test]
fn a_confirmation_of_what_was_not_settled_is_refused() {
    let world = World::new();
    let (sale, holding) = world.bought("shop");
    let mut shop = Shop::new("shop");
    pay(&mut shop, &holding, "0.03");
    let settlement = shop.vendor.settle(shop.account()).unwrap().unwrap();
    let settled = world.settle("shop", &settlement, &sale, NOW).unwrap().reply;
    let confirm = |settled: &Settled| shop.vendor.confirm(shop.account(), settled);
    assert_eq!(confirm(&settled).unwrap().settled, usd("0.03"));
    let more = Settled { redeemed: usd("0.04"), ..settled.clone() };
    assert!(matches!(confirm(&more), Err(VendorScripError::Foreign(_))));
    let mut other = settled.clone();
    other.customer_id.serial_number = serial(501);
    assert!(matches!(confirm(&other), Err(VendorScripError::Foreign(_))));
    let altered = Settled { last: true, ..settled };
    assert!(matches!(confirm(&altered), Err(VendorScripError::Forged(_))));
}
