//! Clocks that are wrong: the center's own, set back, and those of readers and shops, off by two days (T17).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::clock::Clock;
use crate::store::committer::{Committer, Limits};

/// A clock that shows what it is set to.
#[derive(Clone)]
struct SetClock(Arc<AtomicU64>);

impl SetClock {
    fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn what_was_refused_as_too_late_stays_so_when_the_clock_is_set_back() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let offer = bench.article(0, &wallet, "0.03");
        let in_time = bench.now;
        let awaiting = wallet.begin(bench, offer).unwrap();
        let pending = bench.center.policy.pending;

        let clock = SetClock(Arc::default());
        let store = std::mem::replace(&mut bench.store, Box::new(MemoryStore::new(Currency::USD)));
        let rules = CenterRules::new(bench.center.clone());
        let committer = Committer::start(store, rules, Arc::new(clock.clone()), Limits::default()).unwrap();
        let finish = || {
            let handle = committer.handle();
            let command = Command::Finish(Box::new(awaiting.finish.clone()));
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            code(runtime.block_on(handle.submit(command)).map_err(Refusal::from))
        };
        clock.set(in_time.plus(pending).plus(Duration::from_millis(1)));
        assert_eq!(finish(), ErrorCode::TransactionVoided);
        clock.set(in_time);
        assert_eq!(finish(), ErrorCode::TransactionVoided);

        bench.store = committer.stop().unwrap();
        assert_eq!(bench.balance(AccountId::Transit), usd("0.03"));
    });
}

#[test]
fn a_challenge_stays_used_when_the_clock_was_two_days_ahead_and_is_set_back() {
    over_each_store(|bench| {
        let challenge = bench.center.challenge([50; 16], bench.now);
        let solved = |bench: &mut Bench, number| {
            let mut awaiting = bench.registration(number);
            let nonce = solve(&challenge, awaiting.request.content(), 0, 100_000).unwrap();
            awaiting.request.etc.solution = Solution { challenge: challenge.clone(), nonce };
            register_command(&awaiting, number)
        };
        let (first, second) = (solved(bench, 1), solved(bench, 2));
        bench.send(first).unwrap();
        let right = bench.now;
        bench.pass_minutes(2 * 24 * 60);
        bench.sweep();
        bench.now = right;
        bench.reopen();
        assert_eq!(code(bench.send(second)), ErrorCode::Challenge);
    });
}

#[test]
fn a_reader_whose_clock_is_two_days_off_registers_earns_and_pays() {
    over_each_store(|bench| {
        for (number, off) in [(1, true), (2, false)] {
            let right = bench.now;
            let wrong = |now: Timestamp| {
                let days = Duration::from_days(2).as_millis();
                let millis = now.as_millis();
                Timestamp::from_millis(if off { millis + days } else { millis - days })
            };
            let mut awaiting = bench.registration(number);
            awaiting.request.header.server_date = wrong(right);
            let reply = bench.send(register_command(&awaiting, number)).unwrap();
            let Reply::Registered(reply) = reply else { panic!("not registered: {reply:?}") };
            let mut wallet = Wallet { purse: awaiting.receive(&reply, &SESSION_KEY).unwrap() };

            for offer in [bench.reward(&wallet, "0.04"), bench.article(0, &wallet, "0.03")] {
                // The reader's clock makes the messages, the center's decides.
                let started = wallet.purse.start(offer, wrong(bench.now)).unwrap();
                let reply = bench.start(&started.start).unwrap();
                let received =
                    started.receive(&reply, &wallet.purse.custom_secret, wrong(bench.now)).unwrap();
                let Started::Ours(receipt) = received else { panic!("another step was under way") };
                receipt.receive(&bench.finish(&receipt.finish).unwrap()).unwrap();
                wallet.purse.scrip = receipt.new_scrip().clone();
            }
            assert_eq!(wallet.purse.value(), usd("0.01"));
        }
    });
}

#[test]
fn an_offer_is_good_until_the_centers_clock_says_so_and_then_costs_nothing() {
    over_each_store(|bench| {
        let mut wallet = bench.rich_wallet(1, "1");
        let right = bench.now;
        // A shop whose clock is two days behind offers what has expired; nothing is charged.
        bench.now = Timestamp::from_millis(right.as_millis() - Duration::from_days(2).as_millis());
        let late = bench.article(0, &wallet, "0.03");
        // Two days ahead, its offers last two days longer, and no less than they say.
        bench.now = right.plus(Duration::from_days(2));
        let early = bench.article(0, &wallet, "0.03");
        bench.now = right;
        assert_eq!(code(wallet.begin(bench, late)), ErrorCode::OfferExpired);
        wallet.resynchronise(bench);
        assert_eq!(wallet.purse.value(), usd("1"));
        wallet.complete(bench, early).unwrap();
        assert_eq!(wallet.purse.value(), usd("0.97"));
    });
}
