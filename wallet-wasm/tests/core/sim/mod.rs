//! A center and a shop in memory, ports that fail where they are told to, and a runner that notices a crash.

mod center;
mod ports;
mod shop;

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

pub use center::CenterSim;
pub use ports::{Faults, Loss};
use ports::{FaultyStorage, FetchedKit, Network};
pub use shop::ShopSim;
use tuppence_protocol::envelope::Fingerprint;
use tuppence_protocol::{Amount, Duration, Timestamp};
use tuppence_wallet::ports::Ports;
use tuppence_wallet::ports::memory::{
    MemoryClock, MemoryEvents, MemoryLock, MemoryStorage, PlainVault, SeededRandom,
};
use tuppence_wallet::{Config, Wallet, WalletError};

pub const CENTER: &str = "https://center.example";
pub const SHOP: &str = "https://shop.example";

/// Everything outside of the wallet.
#[derive(Clone)]
pub struct Outside {
    pub center: CenterSim,
    pub shop: ShopSim,
}

/// One browser's profile, and the world around it.
pub struct World {
    pub outside: Rc<RefCell<Outside>>,
    pub clock: MemoryClock,
    pub storage: MemoryStorage,
    pub faults: Rc<Faults>,
    random: SeededRandom,
    lock: MemoryLock,
    events: MemoryEvents,
}

impl World {
    /// A center with a shop, and an empty browser.
    pub fn new() -> World {
        let clock = MemoryClock::new(Timestamp::from_millis(1_800_000_000_000));
        let center = CenterSim::new();
        let shop = ShopSim::new(&center);
        World {
            outside: Rc::new(RefCell::new(Outside { center, shop })),
            clock,
            storage: MemoryStorage::default(),
            faults: Rc::default(),
            random: SeededRandom::new(7),
            lock: MemoryLock::default(),
            events: MemoryEvents::default(),
        }
    }

    /// The same world with a registered wallet that has earned four cents.
    pub fn with_four_cents() -> World {
        let world = World::new();
        let wallet = world.wallet();
        world.run(wallet.register(|_| ())).unwrap();
        world.run(wallet.earn(SHOP, "quiz", &["b".into()])).unwrap();
        assert_eq!(world.balance(), "USD:0.04");
        world
    }

    /// A copy of all this, that goes its own way from here.
    pub fn copy(&self) -> World {
        let storage = MemoryStorage::default();
        storage.replace(self.storage.records());
        storage.set_mark(tuppence_wallet::ports::Storage::is_marked(&self.storage));
        World {
            outside: Rc::new(RefCell::new(self.outside.borrow().clone())),
            clock: MemoryClock::new(tuppence_wallet::ports::Clock::now(&self.clock)),
            storage,
            faults: Rc::default(),
            random: SeededRandom::new(11),
            lock: MemoryLock::default(),
            events: MemoryEvents::default(),
        }
    }

    /// Another browser's profile in the same world.
    pub fn other_device(&self) -> World {
        World {
            outside: self.outside.clone(),
            clock: self.clock.clone(),
            storage: MemoryStorage::default(),
            faults: Rc::default(),
            random: SeededRandom::new(13),
            lock: MemoryLock::default(),
            events: MemoryEvents::default(),
        }
    }

    /// Opens the wallet, as a page does.
    pub fn wallet(&self) -> Wallet {
        self.run(self.open()).unwrap()
    }

    /// Opens the wallet.
    pub async fn open(&self) -> Result<Wallet, WalletError> {
        self.open_with(None).await
    }

    /// Opens the wallet with a fingerprint that came with the program.
    pub async fn open_pinned(&self, fingerprint: [u8; 32]) -> Result<Wallet, WalletError> {
        let fingerprint = serde_json::Value::String(tuppence_protocol::bytes::encode(&fingerprint));
        self.open_with(Some(serde_json::from_value(fingerprint).unwrap())).await
    }

    async fn open_with(&self, fingerprint: Option<Fingerprint>) -> Result<Wallet, WalletError> {
        let ports = Ports {
            storage: Rc::new(FaultyStorage { storage: self.storage.clone(), faults: self.faults.clone() }),
            transport: Rc::new(Network {
                outside: self.outside.clone(),
                clock: self.clock.clone(),
                faults: self.faults.clone(),
            }),
            clock: Rc::new(self.clock.clone()),
            random: Rc::new(self.random.clone()),
            lock: Rc::new(self.lock.clone()),
            events: Rc::new(self.events.tab()),
            vault: Rc::new(PlainVault),
            kit: Rc::new(FetchedKit(self.faults.clone())),
        };
        let config = Config { center_origin: CENTER.parse().unwrap(), fingerprint };
        Wallet::open(ports, config).await
    }

    /// Runs to the end, which nothing prevents.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.run_until_crash(future).expect("nothing crashes here")
    }

    /// Runs to the end, or to the crash that was ordered.
    pub fn run_until_crash<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..100_000 {
            if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
                return Some(result);
            }
            if self.faults.has_crashed() {
                return None;
            }
        }
        panic!("it waits for something that never comes");
    }

    /// The balance that the wallet shows.
    pub fn balance(&self) -> String {
        let wallet = self.wallet();
        self.run(wallet.balance()).unwrap().amount.to_string()
    }

    /// Wallet and center agree; nothing is open; the history adds up to the balance; no money was made or lost.
    pub fn assert_at_rest(&self) {
        let wallet = self.wallet();
        let balance = self.run(wallet.balance()).unwrap();
        assert!(balance.pending.is_empty(), "open: {:?}", balance.pending);
        let outside = self.outside.borrow();
        outside.center.assert_conserved();
        assert!(outside.center.is_idle(), "the center waits for an M6 or S6");
        assert_eq!(balance.amount, outside.center.only_purse_value(), "wallet and center differ");

        let history = self.run(wallet.history(None, 1_000)).unwrap();
        let mut sum = Amount::zero(balance.amount.currency());
        for entry in history.iter().rev() {
            sum = if entry.change.gain {
                sum.checked_add(entry.change.amount).unwrap()
            } else {
                sum.checked_sub(entry.change.amount).unwrap()
            };
            assert_eq!(sum, entry.balance_after, "entry {} does not add up", entry.number);
        }
        assert_eq!(sum, balance.amount, "the history does not add up to the balance");
    }

    /// Lets time pass.
    pub fn wait(&self, duration: Duration) {
        self.clock.advance(duration);
    }
}
