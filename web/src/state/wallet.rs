//! The opened wallet, its balance, and the pulse by which pages know that they are out of date.

use std::cell::Cell;
use std::time::Duration;

use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage;
use leptos::task::spawn_local;
use tuppence_protocol::Amount;
use tuppence_wallet::view::{Balance, EntryKind, HistoryEntry, Status, WalletEvent};
use tuppence_wallet::{Wallet, WalletError};

use crate::browser;

/// How long something under way is left alone before the wallet asks again.
const RESUME_AFTER: Duration = Duration::from_secs(15);

/// How far the wallet is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The records are being opened.
    Opening,
    /// They can't be.
    Failed(WalletError),
    /// There is no wallet on this device yet.
    Empty,
    /// There was one, and the browser has deleted it.
    Lost,
    /// There is one.
    Ready,
}

/// The wallet of this page. Copies are the same one.
#[derive(Debug, Clone, Copy)]
pub struct WalletState {
    wallet: StoredValue<Option<Wallet>, LocalStorage>,
    phase: RwSignal<Phase>,
    status: RwSignal<Option<Status>>,
    balance: RwSignal<Option<Balance>>,
    revision: RwSignal<u32>,
    online: RwSignal<bool>,
    entry: RwSignal<Option<HistoryEntry>>,
    resuming: StoredValue<Cell<bool>, LocalStorage>,
    following: StoredValue<Cell<bool>, LocalStorage>,
    creating: StoredValue<bool>,
}

impl WalletState {
    /// Begins to open this browser's wallet.
    pub fn start() -> Self {
        let state = WalletState {
            wallet: StoredValue::new_local(None),
            phase: RwSignal::new(Phase::Opening),
            status: RwSignal::new(None),
            balance: RwSignal::new(None),
            revision: RwSignal::new(0),
            online: RwSignal::new(browser::is_online()),
            entry: RwSignal::new(None),
            resuming: StoredValue::new_local(Cell::new(false)),
            following: StoredValue::new_local(Cell::new(false)),
            creating: StoredValue::new(false),
        };
        state.open();
        browser::on_connection(move |online| {
            state.online.set(online);
            if online {
                state.resume();
                state.follow();
            }
        });
        browser::on_seen(move || state.follow());
        state
    }

    /// The wallet that [`WalletState::start`] has put into the context.
    pub fn current() -> Self {
        expect_context()
    }

    /// The wallet's core, once it is open.
    pub fn wallet(self) -> Option<Wallet> {
        self.wallet.with_value(Clone::clone)
    }

    /// How far the wallet is.
    pub fn phase(self) -> Phase {
        self.phase.get()
    }

    /// Center and date of creation.
    pub fn status(self) -> Option<Status> {
        self.status.get()
    }

    /// The balance as it was last read.
    pub fn balance(self) -> Option<Balance> {
        self.balance.get()
    }

    /// What the purse holds now, for who decides by it.
    pub fn balance_now(self) -> Option<Amount> {
        self.balance.with_untracked(|balance| balance.as_ref().map(|balance| balance.amount))
    }

    /// Whether the browser believes that there is a network.
    pub fn is_online(self) -> bool {
        self.online.get()
    }

    /// The newest entry that came while this page was open.
    pub fn latest_entry(self) -> Option<HistoryEntry> {
        self.entry.get()
    }

    /// Makes what is around this call run again when the wallet changes.
    pub fn track(self) {
        self.revision.track();
    }

    /// Opens the wallet, or tries again.
    pub fn open(self) {
        self.phase.set(Phase::Opening);
        spawn_local(async move {
            match browser_wallet().await {
                Ok(wallet) => {
                    wallet.subscribe(move |event| self.hear(event)).keep();
                    self.wallet.set_value(Some(wallet));
                    self.refresh().await;
                    self.resume();
                    self.follow();
                }
                Err(error) => self.phase.set(Phase::Failed(error)),
            }
        });
    }

    /// While the wallet is being created its page stays, until it knows where to go.
    pub fn set_creating(self, creating: bool) {
        self.creating.set_value(creating);
    }

    /// Reads everything again, for instance after the wallet was created.
    pub async fn refresh(self) {
        let Some(wallet) = self.wallet() else { return };
        match wallet.status().await {
            Ok(status) => {
                let (registered, lost) = (status.registered, status.lost);
                self.status.set(Some(status));
                if registered {
                    self.read_balance(&wallet).await;
                }
                let phase = match (registered, lost) {
                    (true, _) => Phase::Ready,
                    (false, true) => Phase::Lost,
                    (false, false) => Phase::Empty,
                };
                if self.phase.get_untracked() != phase && !self.creating.get_value() {
                    self.phase.set(phase);
                }
            }
            Err(error) => self.phase.set(Phase::Failed(error)),
        }
    }

    /// Finishes what was under way, as far as the center answers; later again while something is left.
    pub fn resume(self) {
        let Some(wallet) = self.wallet() else { return };
        if self.resuming.with_value(|resuming| resuming.replace(true)) {
            return;
        }
        spawn_local(async move {
            // What it finds out arrives as events and in the list of what is under way.
            let left = wallet.resume().await.map_or(0, |open| open.len());
            self.resuming.with_value(|resuming| resuming.set(false));
            self.refresh().await;
            if left > 0 {
                set_timeout(move || self.resume(), RESUME_AFTER);
            }
        });
    }

    /// Follows what other devices with the same recovery words have done, and keeps this one's notes for them. What
    /// it finds out arrives as events; where it fails, the wallet shows what it knows.
    pub fn follow(self) {
        let Some(wallet) = self.wallet() else { return };
        if self.phase.get_untracked() != Phase::Ready || self.following.with_value(|busy| busy.replace(true))
        {
            return;
        }
        spawn_local(async move {
            let _ = wallet.sync().await;
            self.following.with_value(|busy| busy.set(false));
        });
    }

    fn hear(self, event: WalletEvent) {
        self.revision.update(|revision| *revision = revision.wrapping_add(1));
        if let WalletEvent::Entry { entry } = event
            && entry.kind != EntryKind::Registered
        {
            self.entry.set(Some(*entry));
        }
        spawn_local(self.refresh());
    }

    async fn read_balance(self, wallet: &Wallet) {
        if let Ok(balance) = wallet.balance().await {
            self.balance.set(Some(balance));
        }
    }
}

/// The wallet of this browser, at the center whose page this is.
#[cfg(target_arch = "wasm32")]
async fn browser_wallet() -> Result<Wallet, WalletError> {
    let kit = std::rc::Rc::new(tuppence_wallet::ports::browser::Fetched);
    tuppence_wallet::browser::open(None, kit).await
}

/// Natively the pages are checked and tested, and there is no browser that keeps a wallet.
#[cfg(not(target_arch = "wasm32"))]
async fn browser_wallet() -> Result<Wallet, WalletError> {
    Err(tuppence_wallet::Problem::Unsupported.into())
}
