//! The one button that spends. It arms itself after it was visible for half a second, and disarms when it is not:
//! a page that jumps under a finger, or a window that opens over another one, spends nothing.

use std::time::Duration;

use js_sys::Array;
use leptos::html::Button;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

use super::choice::Approved;
use crate::locales::{Said, texts};
use crate::money;
use crate::view::view;

const ARMS_AFTER: Duration = Duration::from_millis(500);
const HINT: &str = "arming";

/// How ready the button is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readiness {
    Unseen,
    Arming,
    Armed,
}

/// Pays what is approved when it is pressed, once it is armed.
#[component]
pub fn PayButton(approved: Approved, busy: Memo<bool>, pay: Callback<()>) -> impl IntoView {
    let texts = &texts().approve;
    let node = NodeRef::<Button>::new();
    let readiness = RwSignal::new(Readiness::Unseen);
    watch(node, readiness);
    let class = move || match readiness.get() {
        _ if busy.get() => "button button--primary button--large button--full",
        Readiness::Arming => "button button--primary button--large button--full button--arming",
        Readiness::Unseen | Readiness::Armed => "button button--primary button--large button--full",
    };
    let ready = move || !busy.get() && readiness.get() == Readiness::Armed;
    let press = move |_| {
        if !busy.get_untracked() && readiness.get_untracked() == Readiness::Armed {
            pay.run(());
        }
    };
    let (template, sum) = match approved {
        Approved::Article(price) | Approved::Daily(price, _) => (texts.pay, price),
        Approved::Budget(budget) => (texts.set_aside, budget),
    };
    let words =
        move || if busy.get() { texts.paying.to_owned() } else { template.with(&[&money::said(sum)]) };
    view! {
        <div class="stack">
            <button
                type="button"
                id="pay"
                class=class
                node_ref=node
                aria-disabled=move || (!ready()).to_string()
                aria-describedby=HINT
                on:click=press
            >
                {words}
            </button>
            <p id=HINT class=move || if busy.get() { "soft" } else { "visually-hidden" } role="status">
                {move || match readiness.get() {
                    _ if busy.get() => texts.confirming,
                    Readiness::Armed => "",
                    Readiness::Unseen | Readiness::Arming => texts.arming,
                }}
            </p>
        </div>
    }
}

/// Keeps `readiness` in step with what can be seen: all of the button within the window, and the page in front.
fn watch(node: NodeRef<Button>, readiness: RwSignal<Readiness>) {
    let timer = StoredValue::<Option<TimeoutHandle>, LocalStorage>::new_local(None);
    let in_view = StoredValue::new(false);
    let follow = move || {
        let seen = in_view.try_get_value().unwrap_or(false) && !document().hidden();
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        if !seen {
            let _ = readiness.try_set(Readiness::Unseen);
            return;
        }
        let _ = readiness.try_set(Readiness::Arming);
        let arm = move || {
            let _ = readiness.try_set(Readiness::Armed);
        };
        timer.set_value(set_timeout_with_handle(arm, ARMS_AFTER).ok());
    };
    let watching = StoredValue::<Option<(IntersectionObserver, Watcher)>, LocalStorage>::new_local(None);
    Effect::new(move || {
        let Some(button) = node.get() else { return };
        let watcher: Watcher = Closure::new(move |entries: Array| {
            // The last entry is how it stands now.
            let entry = entries.pop().dyn_into::<IntersectionObserverEntry>();
            in_view.set_value(entry.is_ok_and(|entry| entry.is_intersecting()));
            follow();
        });
        let options = IntersectionObserverInit::new();
        options.set_threshold(&JsValue::from_f64(1.0));
        let function = watcher.as_ref().unchecked_ref();
        if let Ok(observer) = IntersectionObserver::new_with_options(function, &options) {
            observer.observe(&button);
            watching.set_value(Some((observer, watcher)));
        }
    });
    let visibility = window_event_listener_untyped("visibilitychange", move |_| follow());
    // A click into a window that was never left brings a focus of its own, which must not disarm it.
    let left = StoredValue::new(false);
    let leaving = window_event_listener(leptos::ev::blur, move |_| {
        let _ = left.try_set_value(true);
    });
    let regained = window_event_listener(leptos::ev::focus, move |_| {
        if left.try_get_value() == Some(true) {
            let _ = left.try_set_value(false);
            follow();
        }
    });
    on_cleanup(move || {
        visibility.remove();
        leaving.remove();
        regained.remove();
        if let Some((observer, _)) = watching.try_update_value(Option::take).flatten() {
            observer.disconnect();
        }
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    });
}

type Watcher = Closure<dyn Fn(Array)>;
