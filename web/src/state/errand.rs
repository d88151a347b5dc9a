//! The article for which the reader is earning: remembered for this visit, so that the way back is short.

use leptos::prelude::*;
use tuppence_protocol::Amount;
use tuppence_wallet::json;

use crate::browser;

const PLACE: &str = "tuppence.errand";

/// An article that the balance did not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// The address of its approval in this wallet.
    pub path: String,
    /// Its title.
    pub title: String,
    /// What it costs.
    pub price: Amount,
}

impl Errand {
    /// Remembers it.
    pub fn begin(self) {
        let record = json::write(&(&self.path, &self.title, self.price)).ok();
        if let Some(record) = record.and_then(|record| String::from_utf8(record).ok()) {
            browser::session_put(PLACE, &record);
        }
        if let Some(signal) = use_context::<RwSignal<Option<Errand>>>() {
            signal.set(Some(self));
        }
    }

    /// Forgets it, if `path` is its approval.
    pub fn end(path: &str) {
        let Some(signal) = use_context::<RwSignal<Option<Errand>>>() else { return };
        if signal.with_untracked(|errand| errand.as_ref().is_some_and(|errand| errand.path == path)) {
            browser::session_remove(PLACE);
            signal.set(None);
        }
    }

    /// The one that is remembered.
    pub fn current() -> Option<Errand> {
        use_context::<RwSignal<Option<Errand>>>().and_then(|signal| signal.get())
    }

    /// Puts the errand of an earlier page of this visit into the context.
    pub fn provide() {
        provide_context(RwSignal::new(Self::remembered()));
    }

    fn remembered() -> Option<Errand> {
        let record = browser::session_get(PLACE)?;
        let (path, title, price) = json::read::<(String, String, Amount)>(record.as_bytes()).ok()?;
        // A path of this site and nothing else, whatever the browser's storage holds.
        path.starts_with("/approve?").then_some(Errand { path, title, price })
    }
}
