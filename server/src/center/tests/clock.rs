//! The center under its committer, with a clock that is set back (T17).

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
