//! A view of which nothing outlives a change: no choice, no typed text, no focus.

use leptos::either::Either;
use leptos::prelude::*;

/// Shows what `view` gives, with elements of its own each time that a signal it reads changes. A plain closure would
/// take over the elements that were there before. `view` is boxed, so that this is compiled once.
pub fn anew(view: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
    let mut odd = false;
    let turn = move || {
        odd = !odd;
        // Leptos keeps elements only while the side stays the same.
        if odd { Either::Left(view()) } else { Either::Right(view()) }
    };
    turn.into_any()
}
