//! News between tabs, by BroadcastChannel.

use std::rc::Rc;

use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

use crate::error::{Problem, WalletError};
use crate::ports::{Events, Subscription};
use crate::view::WalletEvent;

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
        if let Ok(json) = serde_json::to_string(event) {
            // A closed channel hears nothing, and need not.
            let _ = self.0.0.post_message(&JsValue::from_str(&json));
        }
    }

    fn listen(&self, listener: Box<dyn Fn(WalletEvent)>) -> Subscription {
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
            let event = message.data().as_string().and_then(|json| serde_json::from_str(&json).ok());
            if let Some(event) = event {
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
