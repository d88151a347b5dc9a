//! Sums in tabular figures that never break across lines.

use leptos::prelude::*;
use tuppence_protocol::Amount;
use tuppence_wallet::view::Change;

use crate::money;
use crate::view::view;

/// A sum; in units where it stands beside a larger one.
#[component]
pub fn Sum(amount: Amount, #[prop(optional_no_strip)] beside: Option<Amount>) -> impl IntoView {
    let said = beside.map_or_else(|| money::said(amount), |other| money::said_beside(amount, other));
    view! { <span class="amount">{said}</span> }
}

/// A change of the balance with its sign.
#[component]
pub fn SumChange(change: Change) -> impl IntoView {
    let class = match (change.amount.is_zero(), change.gain) {
        (true, _) => "amount soft",
        (false, true) => "amount amount--strong amount--gain",
        (false, false) => "amount amount--strong",
    };
    view! { <span class=class>{money::said_change(change)}</span> }
}
