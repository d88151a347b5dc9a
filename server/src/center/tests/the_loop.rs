//! Register, earn, pay: the whole path over each store, with lost replies, restarts and second thoughts.

use tuppence_protocol::scrip::Header;
use tuppence_protocol::scrip::relay::CenterInit;
use tuppence_protocol::scrip::seller::Settled;

use super::*;

fn settled(bench: &mut Bench, shop: usize, message: Code, tran_id: TranId) -> Settled {
    let init = CenterInit { header: Header::new(message, bench.now), tran_id };
    let awaiting = bench.shops[shop].seller.relay(&init, bench.now).unwrap();
    let reply = bench.send(Command::Relay(Box::new(awaiting.request().clone()))).unwrap();
    let Reply::Relayed(reply) = reply else { panic!("not relayed: {reply:?}") };
    awaiting.settle(&bench.shops[shop].seller, reply).unwrap()
}

#[test]
fn a_buyer_registers_earns_and_pays() {
    over_each_store(|bench| {
        let mut wallet = bench.register(1);
        let offer = bench.reward(&wallet, "0.04");
        let tran_id = offer.tran_id();
        wallet.complete(bench, offer).unwrap();
        assert!(matches!(settled(bench, 0, Code::Gm3_1, tran_id), Settled::Posted(_)));
        assert_eq!((wallet.purse.value(), bench.balance(wallet.customer())), (usd("0.04"), usd("0.04")));

        let offer = bench.article(1, &wallet, "0.03");
        let tran_id = offer.tran_id();
        assert!(matches!(settled(bench, 1, Code::Pm3_1, tran_id), Settled::Open));
        let awaiting = wallet.begin(bench, offer).unwrap();
        assert_eq!(bench.balance(AccountId::Transit), usd("0.03"));
        assert!(matches!(settled(bench, 1, Code::Pm3_1, tran_id), Settled::Open));
        bench.finish(&awaiting.finish).unwrap();
        assert!(matches!(settled(bench, 1, Code::Pm3_1, tran_id), Settled::Posted(_)));
        assert_eq!(bench.balance(AccountId::Vendor(bench.shops[1].number)), usd("0.027"));
        assert_eq!(
            (bench.balance(AccountId::Fees), bench.balance(AccountId::Transit)),
            (usd("0.003"), usd("0"))
        );
    });
}

#[test]
fn a_reward_that_nobody_has_ended_for_days_is_open_as_of_its_beginning_and_never_dead_to_its_shop() {
    over_each_store(|bench| {
        let mut wallet = bench.register(1);
        let offer = bench.reward(&wallet, "0.04");
        let tran_id = offer.tran_id();
        let unknown = as_of(bench, 0, Code::Gm3_1, tran_id);
        assert_eq!(unknown, bench.now, "of what has not come, the word is of now");
        let _begun = wallet.begin(bench, offer).unwrap();
        let begun = bench.now;
        // The center was away for days, and a shop asks before the sweep comes to this step.
        bench.now = begun.plus(Duration::from_days(9));
        assert_eq!(as_of(bench, 0, Code::Gm3_1, tran_id), begun);
    });
}

/// The date of the center's word that this transaction is open.
fn as_of(bench: &mut Bench, shop: usize, message: Code, tran_id: TranId) -> Timestamp {
    let init = CenterInit { header: Header::new(message, bench.now), tran_id };
    let awaiting = bench.shops[shop].seller.relay(&init, bench.now).unwrap();
    let reply = bench.send(Command::Relay(Box::new(awaiting.request().clone()))).unwrap();
    let Reply::Relayed(reply) = reply else { panic!("not relayed: {reply:?}") };
    let date = reply.header.server_date;
    assert!(matches!(awaiting.settle(&bench.shops[shop].seller, reply).unwrap(), Settled::Open));
    date
}

#[test]
fn every_step_repeated_after_a_restart_gets_the_same_bytes() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let offer = bench.article(0, &wallet, "0.03");
        let start = wallet.purse.start(offer.clone(), bench.now).unwrap().start;
        let first = json(&bench.start(&start).unwrap());
        bench.reopen();
        bench.pass_minutes(1);
        assert_eq!(json(&bench.start(&start).unwrap()), first);

        let awaiting = wallet.begin(bench, offer).unwrap();
        let receipt = json(&bench.finish(&awaiting.finish).unwrap());
        bench.reopen();
        bench.pass_minutes(100);
        assert_eq!(json(&bench.finish(&awaiting.finish).unwrap()), receipt);
        assert_eq!(json(&bench.start(&start).unwrap()), first);
        assert_eq!(bench.balance(AccountId::Vendor(1)), usd("10.027"));
    });
}

#[test]
fn a_cancelled_payment_is_back_under_a_new_serial() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let offer = bench.article(0, &wallet, "0.03");
        let awaiting = wallet.begin(bench, offer.clone()).unwrap();
        let serial = wallet.purse.serial();
        wallet.take_back(bench, &awaiting).unwrap();
        assert_eq!((wallet.purse.value(), Some(wallet.purse.serial())), (usd("1"), serial.next()));
        assert_eq!(code(bench.finish(&awaiting.finish)), ErrorCode::TransactionVoided);
        assert!(matches!(settled(bench, 0, Code::Pm3_1, offer.tran_id()), Settled::Voided));
        let again = bench.article(0, &wallet, "0.03");
        wallet.complete(bench, again).unwrap();
        // The cancellation again gets the same reply, and touches nothing since.
        wallet.clone().take_back(bench, &awaiting).unwrap();
        assert_eq!(bench.balance(wallet.customer()), usd("0.97"));
    });
}

#[test]
fn a_cancelled_reward_goes_back_to_its_campaign() {
    over_each_store(|bench| {
        let mut wallet = bench.register(1);
        let offer = bench.reward(&wallet, "0.04");
        let awaiting = wallet.begin(bench, offer).unwrap();
        assert_eq!(bench.balance(AccountId::Campaign(1)), usd("9.96"));
        wallet.take_back(bench, &awaiting).unwrap();
        assert_eq!((bench.balance(AccountId::Campaign(1)), wallet.purse.value()), (usd("10"), usd("0")));
    });
}

#[test]
fn a_cancellation_that_overtakes_its_payment_stops_it() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        for reward in [false, true] {
            let offer =
                if reward { bench.reward(&wallet, "0.04") } else { bench.article(0, &wallet, "0.03") };
            let awaiting = wallet.purse.start(offer.clone(), bench.now).unwrap();
            let cancel = awaiting.cancel(&wallet.purse.custom_secret, bench.now);
            let tuppence_protocol::scrip::buyer::AwaitingReturn::Start(start) = &cancel else { panic!() };
            let reply = bench.start(start).unwrap();
            cancel.receive(&reply, &wallet.purse.custom_secret).unwrap();
            bench.reopen();
            assert_eq!(code(bench.start(&awaiting.start)), ErrorCode::TransactionVoided);
            assert_eq!(json(&bench.start(start).unwrap()), json(&reply));
            let message = if reward { Code::Gm3_1 } else { Code::Pm3_1 };
            assert!(matches!(settled(bench, 0, message, offer.tran_id()), Settled::Voided));
        }
        let offer = bench.article(0, &wallet, "0.03");
        wallet.complete(bench, offer).unwrap();
        assert_eq!(wallet.purse.value(), usd("0.97"));
    });
}

#[test]
fn what_nobody_ends_in_ten_minutes_the_sweep_ends() {
    over_each_store(|bench| {
        let mut payer = bench.rich_wallet(1, "1");
        let mut earner = bench.register(2);
        let price = bench.article(0, &payer, "0.03");
        let paying = payer.begin(bench, price).unwrap();
        let reward = bench.reward(&earner, "0.04");
        let earning = earner.begin(bench, reward).unwrap();
        bench.pass_minutes(9);
        assert_eq!(bench.sweep(), 0);
        bench.pass_minutes(1);
        assert_eq!(bench.sweep(), 2);
        assert_eq!(bench.sweep(), 0);
        assert_eq!(
            (bench.balance(payer.customer()), bench.balance(earner.customer())),
            (usd("1"), usd("0.04"))
        );
        assert_eq!(code(bench.finish(&paying.finish)), ErrorCode::TransactionVoided);
        bench.finish(&earning.finish).unwrap();
        assert_eq!(payer.resynchronise(bench), None);
        assert_eq!(payer.purse.value(), usd("1"));
    });
}

#[test]
fn a_restored_backup_finds_back_to_the_exact_balance() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let mut backup = wallet.clone();
        for price in ["0.03", "0.1"] {
            let offer = bench.article(0, &wallet, price);
            wallet.complete(bench, offer).unwrap();
        }
        let offer = bench.article(0, &backup, "0.05");
        assert_eq!(code(backup.begin(bench, offer.clone())), ErrorCode::ScripStale);
        assert_eq!(backup.resynchronise(bench), None);
        assert_eq!(backup.purse.value(), usd("0.87"));
        backup.complete(bench, offer).unwrap();
        assert_eq!(bench.balance(backup.customer()), usd("0.82"));
    });
}

#[test]
fn an_offer_of_one_shop_pays_no_other() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let Offer::Payment(order) = bench.article(0, &wallet, "0.03") else { panic!("no S2") };
        let mut foreign = order.clone();
        foreign.vendor_id = bench.shops[1].seller.vendor_id().clone();
        assert_eq!(code(wallet.begin(bench, Offer::Payment(foreign))), ErrorCode::OfferForged);
        let mut cheaper = order.clone();
        cheaper.price = usd("0.01");
        assert_eq!(code(wallet.begin(bench, Offer::Payment(cheaper))), ErrorCode::OfferForged);
        let mut elsewhere = order;
        elsewhere.vendor_id = server("elsewhere");
        assert_eq!(code(wallet.begin(bench, Offer::Payment(elsewhere))), ErrorCode::VendorUnknown);
        assert_eq!(bench.balance(wallet.customer()), usd("1"));
    });
}
