//! News between tabs, by BroadcastChannel.

use std::rc::Rc;

use serde::Deserialize;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

use crate::error::{Problem, WalletError};
use crate::json;
use crate::ports::{Events, Subscription};
use crate::view::{HistoryEntry, WalletEvent};

/// A channel that all tabs of this origin share under one name.
#[derive(Debug, Clone)]
pub struct Channel(Rc<Open>);

#[derive(Debug)]
struct Open(BroadcastChannel);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Channel {
    /// Joins the channel `name`.
    ///
    /// # Errors
    /// `unsupported` in a browser without such channels.
    pub fn new(name: &str) -> Result<Self, WalletError> {
        let channel = BroadcastChannel::new(name).map_err(|_| Problem::Unsupported)?;
        Ok(Channel(Rc::new(Open(channel))))
    }
}

impl Events for Channel {
    fn broadcast(&self, event: &WalletEvent) {
        if let Some(json) = json::write(event).ok().and_then(|json| String::from_utf8(json).ok()) {
            // A closed channel hears nothing, and need not.
            let _ = self.0.0.post_message(&JsValue::from_str(&json));
        }
    }

    fn listen(&self, listener: Box<dyn Fn(WalletEvent)>) -> Subscription {
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
            let told = message.data().as_string().and_then(|json| json::read::<Told>(json.as_bytes()).ok());
            if let Some(event) = told.and_then(Told::event) {
                listener(event);
            }
        });
        let channel = self.0.clone();
        let callback = heard.as_ref().unchecked_ref();
        // Adding a listener to an existing target does not fail.
        let _ = channel.0.add_event_listener_with_callback("message", callback);
        Subscription::new(move || {
            let callback = heard.as_ref().unchecked_ref();
            let _ = channel.0.remove_event_listener_with_callback("message", callback);
        })
    }
}

/// A [`WalletEvent`] as another tab tells it. It is read as a struct, since serde compiles everything that an enum
/// with a tag holds once more.
#[derive(Deserialize)]
struct Told {
    r#type: Kind,
    entry: Option<Box<HistoryEntry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Wallet,
    Entry,
    Operation,
    Records,
}

impl Told {
    fn event(self) -> Option<WalletEvent> {
        Some(match self.r#type {
            Kind::Wallet => WalletEvent::Wallet,
            Kind::Entry => WalletEvent::Entry { entry: self.entry? },
            Kind::Operation => WalletEvent::Operation,
            Kind::Records => WalletEvent::Records,
        })
    }
}
