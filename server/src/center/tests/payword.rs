//! Budgets: the sum is reserved, shops are paid what paywords show, and the rest returns.

use tuppence_protocol::payword::{
    AuthorityId, AuthorityOrder, AwaitingCountersignature, Broker, Budget, Chain, Countersigned, Customer,
    Deposit, Paid, Plan, Session, Vendor,
};

use super::*;

const LENGTH: u32 = 50;
const DAY_MINUTES: u64 = 24 * 60;

/// A reader's plan for 50 paywords of a cent at the second shop, for 30 days.
fn plan(bench: &Bench, nonce: u8) -> Plan {
    Plan {
        nonce: [nonce; 16],
        end: Secret::from_bytes([7; 32]),
        length: LENGTH,
        unit: usd("0.01"),
        expires: bench.now.plus(Duration::from_days(30)),
    }
}

fn chain(plan: &Plan) -> Chain {
    let mut generator = plan.generator(&server("second")).unwrap();
    generator.step(LENGTH);
    generator.finish().unwrap()
}

/// The authority of a plan, with the center's certificate.
fn authority(bench: &Bench, wallet: &Wallet, plan: &Plan) -> AuthorityOrder {
    let broker = Broker { center: &bench.center };
    let customer = Customer::at(server("second"), &Secret::from_bytes([8; 32]));
    let asking = customer.certificate(&wallet.purse);
    let certificate = broker.certify(&asking.request, bench.now).unwrap();
    customer.authorise(certificate, plan, chain(plan).root())
}

fn vendor(bench: &Bench) -> Vendor {
    Vendor {
        vendor_id: server("second"),
        center_id: server("center"),
        center_keys: Broker { center: &bench.center }.public_keys(),
        secrets: KeyRing::new(1, Secret::from_bytes([12; 32])),
    }
}

/// S1 and S2 for a budget.
fn quote(bench: &mut Bench, wallet: &Wallet, order: &AuthorityOrder) -> Offer {
    let fresh = bench.fresh();
    let url = order.authority.id().request_url().unwrap();
    let awaiting = AwaitingPaymentOffer::new(server("center"), url, bench.now);
    let (id, secrets) = (server("second"), KeyRing::new(1, Secret::from_bytes([12; 32])));
    let shop = tuppence_protocol::scrip::center::Seller { number: 2, id: &id, secrets: &secrets };
    let tran_id = TranId::new(fresh.now, fresh.random);
    let information = Broker { center: &bench.center }.quote(order, shop, tran_id, bench.now).unwrap();
    awaiting.receive(&information, &wallet.purse).unwrap()
}

fn reserve(start: &Start, order: &AuthorityOrder) -> Command {
    let Start::Payment(start) = start else { panic!("no S4") };
    Command::Reserve { start: Box::new(start.clone()), order: Box::new(order.clone()) }
}

/// S4 and S5.
fn begin(bench: &mut Bench, wallet: &mut Wallet, order: &AuthorityOrder) -> Result<AwaitingReceipt, Refusal> {
    let offer = quote(bench, wallet, order);
    let awaiting = wallet.purse.start(offer, bench.now)?;
    let Reply::Balance(reply) = bench.send(reserve(&awaiting.start, order))? else { panic!("no S5") };
    let reply = Ecash::Payment(reply);
    match awaiting.receive(&reply, &wallet.purse.custom_secret, bench.now).unwrap() {
        Started::Ours(receipt) => {
            wallet.purse.scrip = receipt.new_scrip().clone();
            Ok(*receipt)
        }
        Started::Other(tran_id, _) => panic!("{tran_id} was under way"),
    }
}

fn countersigned(bench: &mut Bench, id: AuthorityId, receipt: &Receipt) -> Result<Countersigned, Refusal> {
    match bench.send(Command::Countersigned { id, receipt: Box::new(receipt.clone()) })? {
        Reply::Countersigned(reply) => Ok(*reply),
        other => panic!("not countersigned: {other:?}"),
    }
}

fn deposit(bench: &mut Bench, message: &Deposit) -> Result<Paid, Refusal> {
    match bench.send(Command::Deposit(Box::new(message.clone())))? {
        Reply::Deposited(reply) => Ok(reply),
        other => panic!("not deposited: {other:?}"),
    }
}

/// What the server does now and then with budgets whose time is over.
fn release(bench: &mut Bench) -> usize {
    let due = bench.store.due_reservations(bench.now, 100).unwrap();
    match bench.send(Command::Release(due)).unwrap() {
        Reply::Released(ended) => ended,
        other => panic!("not released: {other:?}"),
    }
}

/// A reader with half a dollar left in the purse, and a budget of as much at the second shop.
struct Reading {
    wallet: Wallet,
    receipt: Receipt,
    budget: Budget,
    chain: Chain,
    session: Session,
}

impl Reading {
    fn begin(bench: &mut Bench) -> Self {
        let mut wallet = bench.rich_wallet(1, "1");
        let plan = plan(bench, 1);
        let order = authority(bench, &wallet, &plan);
        let awaiting = begin(bench, &mut wallet, &order).unwrap();
        let reply = bench.finish(&awaiting.finish).unwrap();
        let receipt = awaiting.receive(&reply).unwrap();
        let countersigned = countersigned(bench, order.authority.id(), &receipt).unwrap();
        let chain = chain(&plan);
        let vendor = vendor(bench);
        let awaiting = AwaitingCountersignature { order, end: plan.end };
        let budget = awaiting.receive(&countersigned, &vendor.center_keys).unwrap();
        let session = vendor.open(None, budget.countersigned(), bench.now).unwrap();
        Reading { wallet, receipt, budget, chain, session }
    }

    fn charge(&mut self, bench: &Bench, units: u32) {
        let charge = self.budget.charge(&mut self.chain, units).unwrap();
        self.session = self.session.charge(&charge, bench.now).unwrap().session;
    }

    fn end(&mut self, bench: &Bench) {
        let charge = self.budget.end(&mut self.chain).unwrap();
        self.session = self.session.charge(&charge, bench.now).unwrap().session;
    }

    fn deposit(&self, bench: &Bench) -> Deposit {
        vendor(bench).deposit(&self.session).unwrap().unwrap()
    }
}

/// What purse, reservations, the second shop and fees hold.
fn books(bench: &mut Bench, wallet: &Wallet) -> [String; 4] {
    let accounts = [wallet.customer(), AccountId::Reservations, AccountId::Vendor(2), AccountId::Fees];
    accounts.map(|account| bench.balance(account).to_string().replace("USD:", ""))
}

#[test]
fn a_budget_is_held_deposited_in_parts_and_its_rest_returned() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        assert_eq!(books(bench, &reading.wallet), ["0.5", "0.5", "0", "0"]);
        reading.charge(bench, 10);
        let first = deposit(bench, &reading.deposit(bench)).unwrap();
        assert_eq!(books(bench, &reading.wallet), ["0.5", "0.4", "0.09", "0.01"]);
        bench.audit();
        reading.session = vendor(bench).confirm(&reading.session, &first).unwrap();
        reading.charge(bench, 5);
        reading.end(bench);
        deposit(bench, &reading.deposit(bench)).unwrap();
        assert_eq!(books(bench, &reading.wallet), ["0.85", "0", "0.135", "0.015"]);
        assert_eq!(reading.wallet.resynchronise(bench), None);
        assert_eq!(reading.wallet.purse.value(), usd("0.85"));
    });
}

#[test]
fn every_message_of_a_budget_again_gets_the_same_bytes_and_moves_nothing() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let plan = plan(bench, 1);
        let order = authority(bench, &wallet, &plan);
        let offer = quote(bench, &wallet, &order);
        let awaiting = wallet.purse.start(offer, bench.now).unwrap();
        let Reply::Balance(first) = bench.send(reserve(&awaiting.start, &order)).unwrap() else {
            panic!("no S5")
        };
        let again = |bench: &mut Bench| match bench.send(reserve(&awaiting.start, &order)).unwrap() {
            Reply::Balance(reply) => json(&reply),
            other => panic!("no S5: {other:?}"),
        };
        assert_eq!(again(bench), json(&first));
        let started =
            awaiting.receive(&Ecash::Payment(first.clone()), &wallet.purse.custom_secret, bench.now);
        let Started::Ours(awaiting_receipt) = started.unwrap() else { panic!("another step") };
        wallet.purse.scrip = awaiting_receipt.new_scrip().clone();
        let reply = bench.finish(&awaiting_receipt.finish).unwrap();
        let receipt = awaiting_receipt.receive(&reply).unwrap();
        bench.reopen();
        assert_eq!(again(bench), json(&first), "also when it is completed");

        let id = order.authority.id();
        let countersigned_once = countersigned(bench, id, &receipt).unwrap();
        bench.pass_minutes(5);
        assert_eq!(json(&countersigned(bench, id, &receipt).unwrap()), json(&countersigned_once));

        let vendor = vendor(bench);
        let session = vendor.open(None, &countersigned_once, bench.now).unwrap();
        let budget = AwaitingCountersignature { order, end: plan.end.clone() };
        let mut budget = budget.receive(&countersigned_once, &vendor.center_keys).unwrap();
        let mut chain = chain(&plan);
        let charge = budget.charge(&mut chain, 10).unwrap();
        let session = session.charge(&charge, bench.now).unwrap().session;
        let message = vendor.deposit(&session).unwrap().unwrap();
        let paid = deposit(bench, &message).unwrap();
        let before = books(bench, &wallet);
        bench.reopen();
        bench.pass_minutes(60 * DAY_MINUTES);
        assert_eq!(json(&deposit(bench, &message).unwrap()), json(&paid));
        assert_eq!(books(bench, &wallet), before);
    });
}

#[test]
fn the_same_deposit_sixty_four_times_at_once_pays_once() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        reading.charge(bench, 10);
        let message = reading.deposit(bench);
        let commands = (0..64).map(|_| Command::Deposit(Box::new(message.clone()))).collect();
        let replies = bench.batch(commands);
        let mut bytes: Vec<String> = replies
            .into_iter()
            .map(|reply| match reply.unwrap() {
                Reply::Deposited(paid) => json(&paid),
                other => panic!("not deposited: {other:?}"),
            })
            .collect();
        bytes.dedup();
        assert_eq!(bytes.len(), 1);
        assert_eq!(books(bench, &reading.wallet), ["0.5", "0.4", "0.09", "0.01"]);
    });
}

#[test]
fn the_rest_of_a_forgotten_budget_returns_after_its_grace_and_once() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        reading.charge(bench, 10);
        deposit(bench, &reading.deposit(bench)).unwrap();
        reading.charge(bench, 5);
        let late = reading.deposit(bench);
        bench.pass_minutes(37 * DAY_MINUTES);
        assert_eq!(release(bench), 0, "the grace is not over");
        bench.pass_minutes(1);
        assert_eq!(code(deposit(bench, &late)), ErrorCode::BudgetEnded);
        assert_eq!(release(bench), 1);
        assert_eq!(release(bench), 0);
        assert_eq!(books(bench, &reading.wallet), ["0.9", "0", "0.09", "0.01"]);
        assert_eq!(code(deposit(bench, &late)), ErrorCode::BudgetEnded);
        reading.wallet.resynchronise(bench);
        assert_eq!(reading.wallet.purse.value(), usd("0.9"));
    });
}

#[test]
fn a_rest_that_returns_ends_what_is_pending_in_the_buyers_favour() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        reading.end(bench);
        let article = bench.article(0, &reading.wallet, "0.2");
        reading.wallet.begin(bench, article).unwrap();
        deposit(bench, &reading.deposit(bench)).unwrap();
        assert_eq!(books(bench, &reading.wallet), ["1", "0", "0", "0"]);
        reading.wallet.resynchronise(bench);
        assert_eq!(reading.wallet.purse.value(), usd("1"));
    });
}

#[test]
fn a_budget_whose_payment_is_taken_back_or_runs_out_of_time_holds_nothing() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        for (nonce, in_time) in [(1, true), (2, false)] {
            let plan = plan(bench, nonce);
            let order = authority(bench, &wallet, &plan);
            let awaiting = begin(bench, &mut wallet, &order).unwrap();
            if in_time {
                wallet.take_back(bench, &awaiting).unwrap();
            } else {
                bench.pass_minutes(11);
                assert_eq!(bench.sweep(), 1);
                wallet.resynchronise(bench);
            }
            assert_eq!(books(bench, &wallet), ["1", "0", "0", "0"]);
            let id = order.authority.id();
            let shop = vendor(bench);
            let countersigned = Countersigned::new(order, 1, &Secret::from_bytes([5; 32]));
            let session = shop.open(None, &countersigned, bench.now).unwrap();
            let awaiting =
                AwaitingCountersignature { order: countersigned.order.clone(), end: plan.end.clone() };
            let mut budget = awaiting.receive(&countersigned, &shop.center_keys).unwrap();
            let charge = budget.charge(&mut chain(&plan), 1).unwrap();
            let session = session.charge(&charge, bench.now).unwrap().session;
            let message = shop.deposit(&session).unwrap().unwrap();
            assert_eq!(message.authority_id, id);
            assert_eq!(code(deposit(bench, &message)), ErrorCode::AuthorityUnknown);
        }
        bench.pass_minutes(40 * DAY_MINUTES);
        assert_eq!(release(bench), 0);
    });
}

#[test]
fn whatever_ends_a_budgets_payment_decides_whether_it_is_held() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let order = authority(bench, &wallet, &plan(bench, 1));
        let awaiting = begin(bench, &mut wallet, &order).unwrap();
        let article = bench.article(0, &wallet, "0.2");
        wallet.complete(bench, article).unwrap();
        assert_eq!(books(bench, &wallet), ["0.3", "0.5", "0", "0.02"], "spending what was left completes it");
        let reply = bench.finish(&awaiting.finish).unwrap();
        let receipt = awaiting.receive(&reply).unwrap();
        assert!(countersigned(bench, order.authority.id(), &receipt).is_ok());

        let short = Plan { length: 10, ..plan(bench, 2) };
        let customer = Customer::at(server("second"), &Secret::from_bytes([8; 32]));
        let order = customer.authorise(order.certificate, &short, chain(&plan(bench, 2)).root());
        begin(bench, &mut wallet, &order).unwrap();
        bench.pass_minutes(11);
        let late = bench.article(0, &wallet, "0.2");
        assert_eq!(code(wallet.begin(bench, late)), ErrorCode::ScripStale, "it ran out of time just now");
        wallet.resynchronise(bench);
        assert_eq!(books(bench, &wallet), ["0.3", "0.5", "0", "0.02"]);
        assert_eq!(wallet.purse.value(), usd("0.3"));
    });
}

#[test]
fn a_payment_that_is_not_completed_countersigns_nothing() {
    over_each_store(|bench| {
        let reading = Reading::begin(bench);
        let mut wallet = reading.wallet;
        let order = authority(bench, &wallet, &plan(bench, 2));
        begin(bench, &mut wallet, &order).unwrap();
        let refused = countersigned(bench, order.authority.id(), &reading.receipt);
        assert_eq!(code(refused), ErrorCode::AuthorityUnknown);
        let unknown = authority(bench, &wallet, &plan(bench, 3)).authority.id();
        assert_eq!(code(countersigned(bench, unknown, &reading.receipt)), ErrorCode::AuthorityUnknown);
    });
}

#[test]
fn a_receipt_of_another_payment_countersigns_nothing() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        let article = bench.article(0, &reading.wallet, "0.2");
        let receipt = reading.wallet.complete(bench, article).unwrap();
        let id = reading.budget.countersigned().authority().id();
        assert_eq!(code(countersigned(bench, id, &receipt)), ErrorCode::ReceiptInvalid);
        let forged = Receipt { amount: usd("0.4"), ..reading.receipt.clone() };
        assert_eq!(code(countersigned(bench, id, &forged)), ErrorCode::ReceiptInvalid);
    });
}

#[test]
fn an_authority_is_paid_once() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        let order = reading.budget.countersigned().order.clone();
        let before = books(bench, &reading.wallet);
        let refused = begin(bench, &mut reading.wallet, &order);
        assert_eq!(code(refused), ErrorCode::TransactionConflict);
        assert_eq!(books(bench, &reading.wallet), before);
    });
}

#[test]
fn a_budget_is_paid_with_its_own_authority_alone() {
    over_each_store(|bench| {
        let wallet = bench.rich_wallet(1, "1");
        let order_of = |nonce| authority(bench, &wallet, &plan(bench, nonce));
        let (own, other) = (order_of(1), order_of(2));
        let offer = quote(bench, &wallet, &own);
        let start = wallet.purse.start(offer, bench.now).unwrap().start;
        assert_eq!(code(bench.send(start_command(&start))), ErrorCode::AuthorityUnknown);
        assert_eq!(code(bench.send(reserve(&start, &other))), ErrorCode::AuthorityInvalid);
        let article = bench.article(1, &wallet, "0.5");
        let payment = wallet.purse.start(article, bench.now).unwrap().start;
        assert_eq!(code(bench.send(reserve(&payment, &own))), ErrorCode::OfferForged);
        assert_eq!(books(bench, &wallet), ["1", "0", "0", "0"]);
    });
}

#[test]
fn a_purse_that_does_not_cover_a_budget_reserves_nothing() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "0.4");
        let order = authority(bench, &wallet, &plan(bench, 1));
        let offer = quote(bench, &wallet, &order);
        // A wallet refuses this by itself; one that does not is refused here.
        let mut rich = wallet.purse.clone();
        rich.scrip.scrip.value = usd("1");
        let mut start = rich.start(offer, bench.now).unwrap().start;
        let Start::Payment(message) = &mut start else { panic!("no S4") };
        message.scrip = wallet.purse.scrip.clone();
        message.hash = message.seal(&wallet.purse.custom_secret);
        assert_eq!(code(bench.send(reserve(&start, &order))), ErrorCode::BalanceInsufficient);
        assert_eq!(books(bench, &wallet), ["0.4", "0", "0", "0"]);
        assert_eq!(wallet.resynchronise(bench), None);
    });
}

#[test]
fn another_shop_and_a_forged_payword_are_paid_nothing() {
    over_each_store(|bench| {
        let mut reading = Reading::begin(bench);
        reading.charge(bench, 10);
        let genuine = reading.deposit(bench);
        let first = Secret::from_bytes([11; 32]);
        let foreign = Deposit { vendor_id: server("first"), ..genuine.clone() }.sealed(&first);
        assert_eq!(code(deposit(bench, &foreign)), ErrorCode::AuthorityInvalid);
        let stolen = genuine.clone().sealed(&first);
        assert_eq!(code(deposit(bench, &stolen)), ErrorCode::AuthorityInvalid);
        let own = Secret::from_bytes([12; 32]);
        let more = Deposit { index: 11, ..genuine }.sealed(&own);
        assert_eq!(code(deposit(bench, &more)), ErrorCode::PaywordInvalid);
        assert_eq!(books(bench, &reading.wallet), ["0.5", "0.5", "0", "0"]);
    });
}

#[test]
fn a_budget_that_meets_another_payment_under_way_hears_of_it_and_is_paid_with_its_scrip() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        // Another device with the same purse, which does not know of the first one's payment.
        let mut other = Wallet { purse: wallet.purse.clone() };
        let (first, second) = (plan(bench, 1), plan(bench, 2));
        let (first, second) = (authority(bench, &wallet, &first), authority(bench, &wallet, &second));
        let under_way = begin(bench, &mut wallet, &first).unwrap();
        let offer = quote(bench, &other, &second);
        let awaiting = other.purse.start(offer.clone(), bench.now).unwrap();
        let started = other.hears(bench, &awaiting, reserve(&awaiting.start, &second));
        let Started::Other(tran_id, scrip) = started else { panic!("two payments at once") };
        assert_eq!(tran_id, under_way.start.offer().tran_id());

        other.purse.scrip = *scrip;
        let awaiting = other.purse.start(offer, bench.now).unwrap();
        let started = other.hears(bench, &awaiting, reserve(&awaiting.start, &second));
        assert!(matches!(started, Started::Ours(_)), "the second one begins, and completes the first");
        assert_eq!(bench.balance(AccountId::Reservations), usd("0.5"));
        bench.audit();
    });
}
