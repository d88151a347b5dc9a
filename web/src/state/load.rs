//! Something that a page fetches: it is loading, there, or went wrong; and it is fetched again when the wallet changes.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::{Wallet, WalletError};

use super::WalletState;

/// How far a fetch is.
#[derive(Debug, Clone)]
pub enum Load<T> {
    /// Nothing is there yet.
    Loading,
    /// It is there. It stays while a newer one is fetched.
    Ready(T),
    /// It could not be fetched.
    Failed(WalletError),
}

/// Fetches, and fetches again. Copies are the same one.
#[derive(Debug)]
pub struct Loader<T: Send + Sync + 'static> {
    value: RwSignal<Load<T>>,
    round: RwSignal<u32>,
}

impl<T: Send + Sync + 'static> Clone for Loader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Loader<T> {}

impl<T: Clone + Send + Sync + 'static> Loader<T> {
    /// Fetches now, whenever the wallet changes, and whenever a signal that `fetch` reads at its beginning does.
    pub fn new<F>(fetch: impl Fn(Wallet) -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, WalletError>> + 'static,
    {
        let state = WalletState::current();
        Self::start(move || state.track(), fetch)
    }

    /// Fetches once; changes of the wallet leave it as it is.
    pub fn once<F>(fetch: impl Fn(Wallet) -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, WalletError>> + 'static,
    {
        Self::start(|| (), fetch)
    }

    fn start<F>(track: impl Fn() + 'static, fetch: impl Fn(Wallet) -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, WalletError>> + 'static,
    {
        let loader = Loader { value: RwSignal::new(Load::Loading), round: RwSignal::new(0) };
        let newest = StoredValue::new(0_u32);
        let begin = move |wallet, number| {
            let fetching = fetch(wallet);
            spawn_local(async move {
                let fetched = fetching.await;
                // The page may be gone, or a newer fetch under way.
                if newest.try_get_value() != Some(number) {
                    return;
                }
                match fetched {
                    Ok(value) => loader.value.set(Load::Ready(value)),
                    // What is shown is better than nothing while something changes elsewhere.
                    Err(error) => loader.value.update(|load| {
                        if !matches!(load, Load::Ready(_)) {
                            *load = Load::Failed(error);
                        }
                    }),
                }
            });
        };
        follow(newest, loader.round, Box::new(track), Box::new(begin));
        loader
    }

    /// How far it is.
    pub fn load(self) -> Load<T> {
        self.value.get()
    }

    /// What is there.
    pub fn ready(self) -> Option<T> {
        match self.value.get() {
            Load::Ready(value) => Some(value),
            Load::Loading | Load::Failed(_) => None,
        }
    }

    /// Fetches again, from the beginning.
    pub fn again(self) {
        self.value.set(Load::Loading);
        self.round.update(|round| *round = round.wrapping_add(1));
    }
}

/// Begins a fetch, the one with this number, now and whenever `track` or `round` says so.
fn follow(
    newest: StoredValue<u32>,
    round: RwSignal<u32>,
    track: Box<dyn Fn()>,
    begin: Box<dyn Fn(Wallet, u32)>,
) {
    let state = WalletState::current();
    Effect::new(move || {
        track();
        round.track();
        let Some(wallet) = state.wallet() else { return };
        let number = newest.get_value().wrapping_add(1);
        newest.set_value(number);
        begin(wallet, number);
    });
}
