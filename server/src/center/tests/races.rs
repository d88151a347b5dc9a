//! 64 clients at once, each on a thread of its own, through the real committer over each store: one wins, whoever is
//! first (T1, T13).

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};
use std::thread;

use super::*;
use crate::clock::Clock;
use crate::store::committer::{CommitError, Committer, Limits};

/// How often each race is run: what wins, and how the commands fall into batches, differs from one to the next.
const ROUNDS: u8 = 8;
const CLIENTS: u8 = 64;

struct StoppedAt(Timestamp);

impl Clock for StoppedAt {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Sends each command from its own thread, all let go in one instant.
fn race(bench: &mut Bench, commands: Vec<Command>) -> Vec<Result<Reply, Refusal>> {
    let store = std::mem::replace(&mut bench.store, Box::new(MemoryStore::new(Currency::USD)));
    let rules = CenterRules::new(bench.center.clone());
    let committer =
        Committer::start(store, rules, Arc::new(StoppedAt(bench.now)), Limits::default()).unwrap();
    let ready = Barrier::new(commands.len());
    let replies = thread::scope(|scope| {
        let clients: Vec<_> = commands
            .into_iter()
            .map(|command| {
                let (handle, ready) = (committer.handle(), &ready);
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    ready.wait();
                    runtime.block_on(handle.submit(command))
                })
            })
            .collect();
        let refused = |error| match error {
            CommitError::Refused(refusal) => refusal,
            other => panic!("{other}"),
        };
        clients.into_iter().map(|client| client.join().unwrap().map_err(refused)).collect()
    });
    bench.store = committer.stop().unwrap();
    replies
}

/// Runs `round` over and over on each store, with numbers for its wallets that no other round has.
fn rounds(round: impl Fn(&mut Bench, u8)) {
    over_each_store(|bench| (1..=ROUNDS).for_each(|number| round(bench, number)));
}

fn finish_command(finish: &Finish) -> Command {
    Command::Finish(Box::new(finish.clone()))
}

/// Answers in their bytes: what a client could tell apart.
fn distinct(replies: impl IntoIterator<Item = Result<Reply, Refusal>>) -> BTreeSet<String> {
    let bytes = |reply| match reply {
        Reply::Ecash(reply) => json(&reply),
        Reply::Balance(reply) => json(&reply),
        Reply::Finished(reply) => format!("{reply:?}"),
        other => format!("{other:?}"),
    };
    replies.into_iter().map(|reply| reply.map_or_else(|refusal| json(&refusal.code), bytes)).collect()
}

#[test]
fn of_64_payments_with_one_scrip_one_is_taken() {
    rounds(|bench, number| {
        let wallet = bench.rich_wallet(number, "0.5");
        let offers: Vec<Offer> = (0..CLIENTS).map(|_| bench.article(0, &wallet, "0.3")).collect();
        let start = |offer| start_command(&wallet.purse.start(offer, bench.now).unwrap().start);
        let commands = offers.into_iter().map(start).collect();
        let under_way: BTreeSet<TranId> = race(bench, commands)
            .into_iter()
            .map(|reply| match reply.unwrap() {
                Reply::Balance(reply) => reply.tran_id.unwrap(),
                other => panic!("no S5: {other:?}"),
            })
            .collect();
        assert_eq!(under_way.len(), 1, "the others hear of the one that is under way");
        assert_eq!(bench.balance(wallet.customer()), usd("0.2"));
    });
}

#[test]
fn of_64_buyers_with_one_offer_one_gets_the_article() {
    over_each_store(|bench| {
        let mut wallets: Vec<Wallet> = (1..=CLIENTS).map(|number| bench.rich_wallet(number, "0.1")).collect();
        for _ in 0..ROUNDS {
            let offer = bench.article(0, &wallets[0], "0.1");
            let start = |wallet: &Wallet| wallet.purse.start(offer.clone(), bench.now).unwrap().start;
            let commands = wallets.iter().map(|wallet| start_command(&start(wallet))).collect();
            let replies = race(bench, commands);
            let charged = wallets.iter().map(|wallet| bench.balance(wallet.customer()) == usd("0"));
            let charged: Vec<bool> = charged.collect();
            assert_eq!(charged.iter().filter(|charged| **charged).count(), 1);
            for (reply, charged) in replies.into_iter().zip(&charged) {
                match reply {
                    Ok(_) => assert!(charged),
                    refused => assert_eq!(code(refused), ErrorCode::TransactionConflict),
                }
            }
            end_the_step(bench, &mut wallets);
        }
    });
}

/// The one step that is under way is ended by the sweep, a payment given back and a reward paid; another round can begin.
fn end_the_step(bench: &mut Bench, wallets: &mut [Wallet]) {
    bench.pass_minutes(60);
    assert_eq!(bench.sweep(), 1);
    for wallet in wallets {
        wallet.resynchronise(bench);
    }
}

#[test]
fn of_64_prices_under_one_transaction_one_is_charged() {
    rounds(|bench, number| {
        let wallet = bench.rich_wallet(number, "1");
        let fresh = bench.fresh();
        let commands = (1..=u64::from(CLIENTS)).map(|cents| {
            let shop = &bench.shops[0].seller;
            let url = "https://shop.example/articles/coins".parse().unwrap();
            let awaiting = AwaitingPaymentOffer::new(shop.vendor_id().clone(), url, bench.now);
            let price = Amount::new(Currency::USD, cents * 10_000).unwrap();
            let information = shop.quote(&awaiting.request, price, fresh).unwrap();
            let offer = awaiting.receive(&information, &wallet.purse).unwrap();
            start_command(&wallet.purse.start(offer, bench.now).unwrap().start)
        });
        let replies = race(bench, commands.collect());
        let (taken, refused): (Vec<_>, Vec<_>) =
            (1..).zip(replies).partition(|(_, reply): &(u64, _)| reply.is_ok());
        assert_eq!(taken.len(), 1);
        assert!(refused.into_iter().all(|(_, reply)| code(reply) == ErrorCode::TransactionConflict));
        let price = Amount::new(Currency::USD, taken[0].0 * 10_000).unwrap();
        assert_eq!(bench.balance(wallet.customer()), usd("1").checked_sub(price).unwrap());
    });
}

#[test]
fn the_same_payment_64_times_is_one_payment_with_one_reply() {
    rounds(|bench, number| {
        let wallet = bench.rich_wallet(number, "0.5");
        let offer = bench.article(0, &wallet, "0.3");
        let command = start_command(&wallet.purse.start(offer, bench.now).unwrap().start);
        let replies = race(bench, vec![command; CLIENTS.into()]);
        assert!(replies.iter().all(Result::is_ok));
        assert_eq!(distinct(replies).len(), 1);
        assert_eq!(bench.balance(wallet.customer()), usd("0.2"));
    });
}

#[test]
fn the_same_receipt_64_times_pays_the_shop_once_with_one_reply() {
    rounds(|bench, number| {
        let mut wallet = bench.rich_wallet(number, "0.5");
        let before = bench.balance(AccountId::Vendor(1));
        let offer = bench.article(0, &wallet, "0.3");
        let receipt = wallet.begin(bench, offer).unwrap();
        let replies = race(bench, vec![finish_command(&receipt.finish); CLIENTS.into()]);
        assert!(replies.iter().all(Result::is_ok));
        assert_eq!(distinct(replies).len(), 1);
        assert_eq!(bench.balance(AccountId::Vendor(1)), before.checked_add(usd("0.27")).unwrap());
    });
}

#[test]
fn a_receipt_shown_and_taken_back_at_once_is_one_or_the_other_for_everybody() {
    use tuppence_protocol::scrip::buyer::AwaitingReturn;
    rounds(|bench, number| {
        let mut wallet = bench.rich_wallet(number, "0.5");
        let before = bench.balance(AccountId::Vendor(1));
        let offer = bench.article(0, &wallet, "0.3");
        let receipt = wallet.begin(bench, offer).unwrap();
        let AwaitingReturn::Finish(back) = receipt.cancel(&wallet.purse.custom_secret, bench.now) else {
            panic!("no S6 that cancels")
        };
        let commands =
            (0..CLIENTS).map(|client| finish_command(if client % 2 == 0 { &receipt.finish } else { &back }));
        let mut replies = race(bench, commands.collect()).into_iter();
        let (mut shown, mut returned) = (Vec::new(), Vec::new());
        while let (Some(one), Some(other)) = (replies.next(), replies.next()) {
            shown.push(one);
            returned.push(other);
        }
        let posted = bench.balance(AccountId::Vendor(1)) != before;
        assert!(shown.iter().all(|reply| reply.is_ok() == posted), "{shown:?}");
        assert!(returned.iter().all(|reply| reply.is_ok() != posted), "{returned:?}");
        assert_eq!((distinct(shown).len(), distinct(returned).len()), (1, 1));
        assert_eq!(bench.balance(wallet.customer()), usd(if posted { "0.2" } else { "0.5" }));
    });
}

#[test]
fn the_last_reward_of_64_earners_is_paid_once() {
    over_each_store(|bench| {
        let mut wallets: Vec<Wallet> = (1..=CLIENTS).map(|number| bench.register(number)).collect();
        for round in 1..=u64::from(ROUNDS) {
            // As much as the rounds before have paid, and one reward.
            let budget = Amount::new(Currency::USD, round * 40_000).unwrap();
            bench.fund("quiz", budget.to_string().trim_start_matches("USD:")).unwrap();
            let commands = wallets
                .iter()
                .map(|wallet| {
                    let offer = bench.reward(wallet, "0.04");
                    start_command(&wallet.purse.start(offer, bench.now).unwrap().start)
                })
                .collect();
            let (paid, refused): (Vec<_>, Vec<_>) =
                race(bench, commands).into_iter().partition(Result::is_ok);
            assert_eq!(paid.len(), 1);
            assert!(refused.into_iter().all(|reply| code(reply) == ErrorCode::CampaignExhausted));
            assert_eq!(bench.balance(AccountId::Campaign(1)), usd("0"));
            end_the_step(bench, &mut wallets);
        }
    });
}

#[test]
fn the_same_registration_64_times_is_one_wallet() {
    rounds(|bench, number| {
        let awaiting = bench.registration(number);
        // Each request draws a nonce of its own; whose was first is in every answer.
        let commands = (0..CLIENTS).map(|nonce| register_command(&awaiting, nonce)).collect();
        let replies = race(bench, commands);
        assert!(replies.iter().all(Result::is_ok));
        assert_eq!(distinct(replies).len(), 1);
    });
}

#[test]
fn a_payout_confirmed_and_returned_at_once_is_one_or_the_other_for_everybody() {
    rounds(|bench, number| {
        bench.center.policy.payout_threshold = usd("0.5");
        let mut wallet = bench.rich_wallet(number, "1");
        let offer = bench.cash_out(&wallet, "1").unwrap();
        wallet.complete(bench, offer).unwrap();
        let payout = bench.store.payouts(true, 0, 10).unwrap()[0].number;
        let confirm = Command::ConfirmPayout { number: payout, reference: "B-17".parse().unwrap() };
        let back = Command::ReturnPayout { number: payout, reason: "Account closed".parse().unwrap() };
        let commands =
            (0..CLIENTS).map(|client| if client % 2 == 0 { confirm.clone() } else { back.clone() });
        let replies = race(bench, commands.collect());
        let returned = bench.balance(wallet.customer()) == usd("1");
        for (client, reply) in replies.into_iter().enumerate() {
            assert_eq!(reply.is_ok(), (client % 2 == 1) == returned, "{reply:?}");
        }
        assert!(bench.store.payouts(true, 0, 10).unwrap().is_empty());
    });
}
