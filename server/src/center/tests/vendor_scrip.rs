//! Vendor scrip: shops license it, readers buy it, shops settle what was redeemed, and the rest is bought back.

use tuppence_protocol::ids::Serial;
use tuppence_protocol::vendor_scrip::{Account, Offer as ScripOffer};
use tuppence_protocol::vendor_scrip::{
    AwaitingScrip, Holding, IdRange, LicenceTerms, Licensed, Order, OrderId, Purchased, Settled, Settlement,
    Vendor, digest,
};

use super::*;

const DAY_MINUTES: u64 = 24 * 60;
const SHOP: Secret = Secret::from_bytes([12; 32]);

fn serial(number: u64) -> Serial {
    Serial::try_from(number).unwrap()
}

fn licensed(bench: &Bench, number: u32, count: u32) -> Licensed {
    Licensed {
        terms: LicenceTerms {
            vendor_id: server("second"),
            center_id: server("center"),
            number,
            scrips: IdRange { secret_id: 10 * number, first: serial(1) },
            customers: IdRange { secret_id: 10 * number + 1, first: serial(1) },
            count,
            expires: bench.now.plus(Duration::from_days(365)),
            props: "".parse().unwrap(),
        },
        scrip_secret: Secret::from_bytes([61; 32]),
        customer_secret: Secret::from_bytes([62; 32]),
    }
}

fn vendor(licences: Vec<Licensed>) -> Vendor {
    Vendor {
        vendor_id: server("second"),
        center_id: server("center"),
        secrets: KeyRing::new(1, SHOP),
        change_secrets: KeyRing::new(1, Secret::from_bytes([63; 32])),
        licences,
    }
}

/// The second shop licenses so many of its scrips.
fn license(bench: &mut Bench, number: u32, count: u32) -> Result<Vendor, Refusal> {
    let licensed = licensed(bench, number, count);
    let vendor = vendor(vec![licensed.clone()]);
    let message = vendor.licence(&licensed, [[1; 12], [2; 12]]).unwrap();
    match bench.send(Command::License(Box::new(message)))? {
        Reply::Licensed(known) => assert_eq!(known, number),
        other => panic!("not licensed: {other:?}"),
    }
    Ok(vendor)
}

fn order(nonce: u8) -> Order {
    let (vendor_id, center_id) = (server("second"), server("center"));
    Order { vendor_id, center_id, value: usd("0.5"), nonce: [nonce; 16] }
}

/// S1 and S2 for an order.
fn quote(bench: &mut Bench, wallet: &Wallet, order: &Order) -> Result<Offer, Refusal> {
    let fresh = bench.fresh();
    let url = order.id().request_url().unwrap();
    let awaiting = AwaitingPaymentOffer::new(server("center"), url, bench.now);
    let tran_id = TranId::new(fresh.now, fresh.random);
    match bench.send(Command::QuoteScrip { order: Box::new(order.clone()), tran_id })? {
        Reply::Quoted(information) => Ok(awaiting.receive(&information, &wallet.purse).unwrap()),
        other => panic!("no S2: {other:?}"),
    }
}

fn buy(start: &Start, order: &Order) -> Command {
    let Start::Payment(start) = start else { panic!("no S4") };
    Command::BuyScrip { start: Box::new(start.clone()), order: Box::new(order.clone()) }
}

/// S4 and S5.
fn begin(bench: &mut Bench, wallet: &mut Wallet, order: &Order) -> Result<AwaitingReceipt, Refusal> {
    let offer = quote(bench, wallet, order)?;
    let awaiting = wallet.purse.start(offer, bench.now)?;
    let Reply::Balance(reply) = bench.send(buy(&awaiting.start, order))? else { panic!("no S5") };
    let reply = Ecash::Payment(reply);
    match awaiting.receive(&reply, &wallet.purse.custom_secret, bench.now).unwrap() {
        Started::Ours(receipt) => {
            wallet.purse.scrip = receipt.new_scrip().clone();
            Ok(*receipt)
        }
        Started::Other(tran_id, _) => panic!("{tran_id} was under way"),
    }
}

fn purchased(bench: &mut Bench, id: OrderId, receipt: &Receipt) -> Result<Purchased, Refusal> {
    match bench.send(Command::Purchased { id, receipt: Box::new(receipt.clone()) })? {
        Reply::Purchased(reply) => Ok(*reply),
        other => panic!("nothing was bought: {other:?}"),
    }
}

fn settle(bench: &mut Bench, message: &Settlement) -> Result<Settled, Refusal> {
    match bench.send(Command::Settle(Box::new(message.clone())))? {
        Reply::Settled(reply) => Ok(reply),
        other => panic!("not settled: {other:?}"),
    }
}

/// What the server does now and then with sales whose time is over.
fn close(bench: &mut Bench) -> usize {
    let due = bench.store.due_sales(bench.now, 100).unwrap();
    match bench.send(Command::CloseSales(due)).unwrap() {
        Reply::Released(ended) => ended,
        other => panic!("not closed: {other:?}"),
    }
}

/// A reader with half a dollar left in the purse, and as much in scrip of the second shop.
struct Reading {
    wallet: Wallet,
    receipt: Receipt,
    vendor: Vendor,
    holding: Holding,
    account: Option<Account>,
    changes: u64,
}

impl Reading {
    fn begin(bench: &mut Bench) -> Self {
        let mut wallet = bench.rich_wallet(1, "1");
        let vendor = license(bench, 1, 3).unwrap();
        let awaiting = begin(bench, &mut wallet, &order(1)).unwrap();
        let reply = bench.finish(&awaiting.finish).unwrap();
        let receipt = awaiting.receive(&reply).unwrap();
        let reply = purchased(bench, order(1).id(), &receipt).unwrap();
        let holding = AwaitingScrip { order: order(1) }.receive(&reply, &wallet.purse.custom_secret).unwrap();
        Reading { wallet, receipt, vendor, holding, account: None, changes: 0 }
    }

    /// Buys something of `price` at the shop, which asks nobody.
    fn pay(&mut self, bench: &Bench, price: &str) {
        self.changes += 1;
        let url = "https://second.example/articles/coins".parse().unwrap();
        let asking = self.holding.pay(url, usd(price)).unwrap();
        let offer = ScripOffer { price: usd(price), digest: digest(b"coins"), serial: serial(self.changes) };
        let served =
            self.vendor.serve(&asking.request, offer, self.account.as_ref(), None, bench.now).unwrap();
        self.holding = asking.receive(&served.spent.reply, digest(b"coins")).unwrap();
        self.account = Some(served.account);
    }

    fn settlement(&self) -> Settlement {
        self.vendor.settle(self.account.as_ref().unwrap()).unwrap().unwrap()
    }

    fn end(&self) -> Settlement {
        self.vendor.end(&self.holding.give_back(), self.account.as_ref()).unwrap().settlement
    }
}

/// What purse, reservations, the second shop and fees hold.
fn books(bench: &mut Bench, wallet: &Wallet) -> [String; 4] {
    let accounts = [wallet.customer(), AccountId::Reservations, AccountId::Vendor(2), AccountId::Fees];
    accounts.map(|account| bench.balance(account).to_string().replace("USD:", ""))
}

#[test]
fn scrip_is_bought_spent_settled_in_parts_and_its_rest_bought_back() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        assert_eq!(books(bench, &reading.wallet), ["0.5", "0.5", "0", "0"]);
        reading.pay(bench, "0.1");
        settle(bench, &reading.settlement()).unwrap();
        assert_eq!(books(bench, &reading.wallet), ["0.5", "0.4", "0.09", "0.01"]);
        bench.audit();
        reading.pay(bench, "0.05");
        settle(bench, &reading.end()).unwrap();
        assert_eq!(books(bench, &reading.wallet), ["0.85", "0", "0.135", "0.015"]);
        assert_eq!(reading.wallet.resynchronise(bench), None);
        assert_eq!(reading.wallet.purse.value(), usd("0.85"));
    });
}

#[test]
fn every_message_about_scrip_again_gets_the_same_bytes_and_moves_nothing() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let vendor = license(bench, 1, 3).unwrap();
        license(bench, 1, 3).unwrap();
        let offer = quote(bench, &wallet, &order(1)).unwrap();
        let awaiting = wallet.purse.start(offer, bench.now).unwrap();
        let again = |bench: &mut Bench| match bench.send(buy(&awaiting.start, &order(1))).unwrap() {
            Reply::Balance(reply) => reply,
            other => panic!("no S5: {other:?}"),
        };
        let first = again(bench);
        assert_eq!(json(&again(bench)), json(&first));
        let started =
            awaiting.receive(&Ecash::Payment(first.clone()), &wallet.purse.custom_secret, bench.now);
        let Started::Ours(awaiting_receipt) = started.unwrap() else { panic!("another step") };
        wallet.purse.scrip = awaiting_receipt.new_scrip().clone();
        let reply = bench.finish(&awaiting_receipt.finish).unwrap();
        let receipt = awaiting_receipt.receive(&reply).unwrap();
        bench.reopen();
        assert_eq!(json(&again(bench)), json(&first), "also when it is completed");
        let once = purchased(bench, order(1).id(), &receipt).unwrap();
        bench.pass_minutes(5);
        assert_eq!(json(&purchased(bench, order(1).id(), &receipt).unwrap()), json(&once));

        let holding = AwaitingScrip { order: order(1) }.receive(&once, &wallet.purse.custom_secret).unwrap();
        let message = vendor.end(&holding.give_back(), None).unwrap().settlement;
        let settled = settle(bench, &message).unwrap();
        let before = books(bench, &wallet);
        assert_eq!(before, ["1", "0", "0", "0"]);
        bench.reopen();
        bench.pass_minutes(60 * DAY_MINUTES);
        assert_eq!(json(&settle(bench, &message).unwrap()), json(&settled));
        assert_eq!(books(bench, &wallet), before);
    });
}

#[test]
fn the_same_settlement_sixty_four_times_at_once_pays_once() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        reading.pay(bench, "0.1");
        let message = reading.settlement();
        let replies = bench.batch((0..64).map(|_| Command::Settle(Box::new(message.clone()))).collect());
        assert!(replies.iter().all(Result::is_ok));
        assert_eq!(books(bench, &reading.wallet), ["0.5", "0.4", "0.09", "0.01"]);
    });
}

#[test]
fn the_rest_of_forgotten_scrip_returns_after_its_grace_and_once() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        reading.pay(bench, "0.1");
        let late = reading.settlement();
        bench.pass_minutes(37 * DAY_MINUTES);
        assert_eq!(close(bench), 0, "the grace is not over");
        bench.pass_minutes(1);
        assert_eq!(code(settle(bench, &late)), ErrorCode::BudgetEnded);
        assert_eq!((close(bench), close(bench)), (1, 0));
        assert_eq!(books(bench, &reading.wallet), ["1", "0", "0", "0"]);
        assert_eq!(code(settle(bench, &late)), ErrorCode::BudgetEnded);
    });
}

#[test]
fn scrip_whose_payment_is_taken_back_or_runs_out_of_time_is_worth_nothing() {
    over_each_store(|bench| {
        let paid = {
            let mut other = bench.rich_wallet(2, "1");
            let article = bench.article(0, &other, "0.000001");
            other.complete(bench, article).unwrap()
        };
        let mut wallet = bench.rich_wallet(1, "1");
        license(bench, 1, 3).unwrap();
        for (nonce, in_time) in [(1, true), (2, false)] {
            let awaiting = begin(bench, &mut wallet, &order(nonce)).unwrap();
            if in_time {
                wallet.take_back(bench, &awaiting).unwrap();
            } else {
                bench.pass_minutes(11);
                assert_eq!(bench.sweep(), 1);
                wallet.resynchronise(bench);
            }
            assert_eq!(books(bench, &wallet), ["1", "0", "0", "0"]);
            let receipt = Receipt {
                subject: order(nonce).id().request_url().unwrap(),
                amount: usd("0.5"),
                ..paid.clone()
            };
            let refused = purchased(bench, order(nonce).id(), &receipt);
            assert_eq!(code(refused), ErrorCode::VendorScripUnknown);
        }
        bench.pass_minutes(40 * DAY_MINUTES);
        assert_eq!(close(bench), 0);
    });
}

#[test]
fn no_more_scrip_is_sold_than_was_licensed() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "2");
        assert_eq!(code(quote(bench, &wallet, &order(1))), ErrorCode::Unlicensed);
        license(bench, 1, 1).unwrap();
        let late = quote(bench, &wallet, &order(2)).unwrap();
        let awaiting = begin(bench, &mut wallet, &order(1)).unwrap();
        bench.finish(&awaiting.finish).unwrap();
        assert_eq!(code(quote(bench, &wallet, &order(2))), ErrorCode::Unlicensed);
        let start = wallet.purse.start(late, bench.now).unwrap().start;
        assert_eq!(code(bench.send(buy(&start, &order(2)))), ErrorCode::Unlicensed);
        assert_eq!(books(bench, &wallet), ["1.5", "0.5", "0", "0"]);
        assert_eq!(code(license(bench, 1, 5)), ErrorCode::VendorScripInvalid, "a number has one licence");
        license(bench, 2, 1).unwrap();
        begin(bench, &mut wallet, &order(2)).unwrap();
    });
}

#[test]
fn an_order_is_paid_once_and_with_its_own_offer_alone() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        let before = books(bench, &reading.wallet);
        assert_eq!(code(begin(bench, &mut reading.wallet, &order(1))), ErrorCode::TransactionConflict);
        let offer = quote(bench, &reading.wallet, &order(2)).unwrap();
        let start = reading.wallet.purse.start(offer, bench.now).unwrap().start;
        assert_eq!(code(bench.send(start_command(&start))), ErrorCode::AuthorityUnknown);
        assert_eq!(code(bench.send(buy(&start, &order(3)))), ErrorCode::VendorScripInvalid);
        let forged = Receipt { amount: usd("0.4"), ..reading.receipt.clone() };
        assert_eq!(code(purchased(bench, order(1).id(), &forged)), ErrorCode::ReceiptInvalid);
        assert_eq!(books(bench, &reading.wallet), before);
    });
}

#[test]
fn another_shop_and_more_than_was_sold_are_paid_nothing() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        reading.pay(bench, "0.1");
        let genuine = reading.settlement();
        let first = Secret::from_bytes([11; 32]);
        let foreign = Settlement { vendor_id: server("first"), ..genuine.clone() }.sealed(&first);
        assert_eq!(code(settle(bench, &foreign)), ErrorCode::VendorScripUnknown);
        assert_eq!(code(settle(bench, &genuine.clone().sealed(&first))), ErrorCode::VendorScripInvalid);
        let more = Settlement { redeemed: usd("0.51"), ..genuine }.sealed(&SHOP);
        assert_eq!(code(settle(bench, &more)), ErrorCode::VendorScripInvalid);
        assert_eq!(books(bench, &reading.wallet), ["0.5", "0.5", "0", "0"]);
    });
}

#[test]
fn an_order_that_meets_another_payment_under_way_hears_of_it_and_uses_up_no_number() {
    over_each_store(|bench| {
        let vendor = license(bench, 1, 2).unwrap();
        assert_eq!(vendor.licences.len(), 1);
        let mut wallet = bench.rich_wallet(1, "1");
        // Another device with the same purse, which does not know of the first one's payment.
        let mut other = Wallet { purse: wallet.purse.clone() };
        let under_way = begin(bench, &mut wallet, &order(1)).unwrap();
        let offer = quote(bench, &other, &order(2)).unwrap();
        let awaiting = other.purse.start(offer.clone(), bench.now).unwrap();
        let started = other.hears(bench, &awaiting, buy(&awaiting.start, &order(2)));
        let Started::Other(tran_id, scrip) = started else { panic!("two payments at once") };
        assert_eq!(tran_id, under_way.start.offer().tran_id());

        // Both numbers of the licence serve: one for each payment that has begun.
        other.purse.scrip = *scrip;
        let awaiting = other.purse.start(offer, bench.now).unwrap();
        let started = other.hears(bench, &awaiting, buy(&awaiting.start, &order(2)));
        assert!(matches!(started, Started::Ours(_)), "the second one begins, and completes the first");
        bench.audit();
    });
}
