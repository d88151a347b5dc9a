//! Something that a page fetches: it is loading, there, or went wrong; and it is fetched again when the wallet changes.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

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
pub struct Loader<T> {
    fetched: Fetched,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Loader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Loader<T> {}

impl<T: Clone + Send + Sync + 'static> Loader<T> {
    /// Fetches now, whenever the wallet changes, and whenever a signal that `fetch` reads at its beginning does.
    pub fn new<F>(fetch: impl Fn(Wallet) -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, WalletError>> + 'static,
    {
        Self::start(true, fetch)
    }

    /// Fetches once; changes of the wallet leave it as it is.
    pub fn once<F>(fetch: impl Fn(Wallet) -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, WalletError>> + 'static,
    {
        Self::start(false, fetch)
    }

    fn start<F>(follows: bool, fetch: impl Fn(Wallet) -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, WalletError>> + 'static,
    {
        let fetch = move |wallet| -> Fetching {
            let fetching = fetch(wallet);
            Box::pin(async move { Ok(Arc::new(fetching.await?) as Anything) })
        };
        Loader { fetched: Fetched::start(follows, Box::new(fetch)), kind: PhantomData }
    }

    /// How far it is.
    pub fn load(self) -> Load<T> {
        match self.fetched.value.get() {
            Load::Loading => Load::Loading,
            Load::Failed(error) => Load::Failed(error),
            // Only this loader's own `fetch` puts values there.
            Load::Ready(value) => value.downcast_ref::<T>().cloned().map_or(Load::Loading, Load::Ready),
        }
    }

    /// What is there.
    pub fn ready(self) -> Option<T> {
        match self.load() {
            Load::Ready(value) => Some(value),
            Load::Loading | Load::Failed(_) => None,
        }
    }

    /// Fetches again, from the beginning.
    pub fn again(self) {
        self.fetched.again();
    }
}

/// Something fetched, of whatever type: what all loaders have in common is compiled once.
type Anything = Arc<dyn Any + Send + Sync>;
type Fetching = Pin<Box<dyn Future<Output = Result<Anything, WalletError>>>>;

#[derive(Debug, Clone, Copy)]
struct Fetched {
    value: RwSignal<Load<Anything>>,
    round: RwSignal<u32>,
}

impl Fetched {
    /// Begins a fetch now, after [`Self::again`], and with `follows` whenever the wallet changes.
    fn start(follows: bool, fetch: Box<dyn Fn(Wallet) -> Fetching>) -> Self {
        let fetched = Fetched { value: RwSignal::new(Load::Loading), round: RwSignal::new(0) };
        let newest = StoredValue::new(0_u32);
        let state = WalletState::current();
        Effect::new(move || {
            if follows {
                state.track();
            }
            fetched.round.track();
            let Some(wallet) = state.wallet() else { return };
            let number = newest.get_value().wrapping_add(1);
            newest.set_value(number);
            let fetching = fetch(wallet);
            spawn_local(async move {
                let outcome = fetching.await;
                // The page may be gone, or a newer fetch under way.
                if newest.try_get_value() == Some(number) {
                    fetched.take(outcome);
                }
            });
        });
        fetched
    }

    fn take(self, outcome: Result<Anything, WalletError>) {
        match outcome {
            Ok(value) => self.value.set(Load::Ready(value)),
            // What is shown is better than nothing while something changes elsewhere.
            Err(error) => self.value.update(|load| {
                if !matches!(load, Load::Ready(_)) {
                    *load = Load::Failed(error);
                }
            }),
        }
    }

    fn again(self) {
        self.value.set(Load::Loading);
        self.round.update(|round| *round = round.wrapping_add(1));
    }
}
