//! The address of the page that is shown, and the links that lead to another one without loading the site anew.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

use crate::view::view;

/// Path and query of this window, as far as the pages go by them. Copies are the same one.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    path: RwSignal<String>,
    query: RwSignal<String>,
}

impl Address {
    /// Follows the window's address, and puts it into the context.
    pub fn provide() {
        let address = Address { path: RwSignal::default(), query: RwSignal::default() };
        address.read();
        // The handle is dropped without ending the listening, which lasts as long as the page.
        let _ = window_event_listener(leptos::ev::popstate, move |_| address.read());
        provide_context(address);
    }

    /// The one that [`Address::provide`] has put into the context.
    pub fn current() -> Self {
        expect_context()
    }

    /// The path, such as `/history/7`; without a slash at its end, that of the root apart.
    pub fn path(self) -> String {
        self.path.get()
    }

    /// The path, without following it.
    pub fn path_now(self) -> String {
        self.path.get_untracked()
    }

    /// A parameter of the query.
    pub fn parameter(self, name: &str) -> Option<String> {
        UrlSearchParams::new_with_str(&self.query.get()).ok()?.get(name)
    }

    /// Goes to another page of this site.
    pub fn go(self, to: &str) {
        let entered =
            window().history().and_then(|history| history.push_state_with_url(&JsValue::NULL, "", Some(to)));
        match entered {
            Ok(()) => self.read(),
            // A browser that keeps no history here still loads pages.
            Err(_) => drop(window().location().set_href(to)),
        }
    }

    fn read(self) {
        let location = window().location();
        let path = location.pathname().unwrap_or_default();
        let path = match path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let query = location.search().unwrap_or_default();
        self.path.maybe_update(|known| replace(known, path));
        self.query.maybe_update(|known| replace(known, &query));
    }
}

/// Puts `new` in the place of `known`; tells whether that changed it.
fn replace(known: &mut String, new: &str) -> bool {
    let changed = known != new;
    if changed {
        new.clone_into(known);
    }
    changed
}

/// A link to a page of this site.
#[component]
pub fn A(
    /// A path, perhaps with a query.
    #[prop(into)]
    href: String,
    #[prop(default = "")] class: &'static str,
    #[prop(optional)] id: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let address = Address::current();
    let own = href.clone();
    let current = move || is_within(&address.path(), &own).then_some("page");
    let to = href.clone();
    let follow = move |event: MouseEvent| {
        let elsewhere = event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key();
        if event.button() == 0 && !elsewhere && !event.default_prevented() {
            event.prevent_default();
            address.go(&to);
        }
    };
    let class = Some(class).filter(|class| !class.is_empty());
    view! {
        <a href=href class=class id=id aria-current=current on:click=follow>
            {children()}
        </a>
    }
}

/// Whether the page at `path` is the one at `place`, or one below it.
fn is_within(path: &str, place: &str) -> bool {
    match path.strip_prefix(place) {
        Some(rest) => rest.is_empty() || (rest.starts_with('/') && place != "/"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_current_on_its_page_and_on_those_below_it() {
        assert!(is_within("/history", "/history"));
        assert!(is_within("/history/7", "/history"));
        assert!(!is_within("/history-of-it", "/history"));
        assert!(!is_within("/earn", "/history"));
    }

    #[test]
    fn the_root_is_current_on_its_own_page_alone() {
        assert!(is_within("/", "/"));
        assert!(!is_within("/earn", "/"));
    }
}
