//! The title of a page. It names the window, and takes the focus when a page follows another one, so that keyboard
//! and screen reader begin there.

use leptos::html::H1;
use leptos::prelude::*;

use crate::view::view;

/// Whether a page has been shown before: the first one leaves the focus where the browser has it.
#[derive(Debug, Clone, Copy)]
pub struct Moved(StoredValue<bool>);

impl Moved {
    /// No page was shown yet.
    pub fn provide() {
        provide_context(Moved(StoredValue::new(false)));
    }

    fn again() -> bool {
        let Some(Moved(moved)) = use_context::<Moved>() else { return false };
        let before = moved.get_value();
        moved.set_value(true);
        before
    }
}

/// The page's title.
#[component]
pub fn Heading(#[prop(into)] text: String, #[prop(default = "")] class: &'static str) -> impl IntoView {
    let node = NodeRef::<H1>::new();
    let moved = Moved::again();
    document().set_title(&format!("{text} · Tuppence"));
    Effect::new(move || {
        if let Some(heading) = node.get()
            && moved
        {
            window().scroll_to_with_x_and_y(0.0, 0.0);
            // A heading that can't take the focus is still there to be read.
            let _ = heading.focus();
        }
    });
    view! {
        <h1 class=class tabindex="-1" node_ref=node>
            {text}
        </h1>
    }
}
