//! The balance in the masthead: where coins arrive.

use leptos::prelude::*;

use crate::address::A;
use crate::components::{Coin, PURSE};
use crate::locales::texts;
use crate::money;
use crate::state::WalletState;
use crate::view::{child, view};

/// The balance, as a link to the first page.
#[component]
pub fn Balance() -> impl IntoView {
    let state = WalletState::current();
    let said = Memo::new(move |_| state.balance().map(|balance| money::said(balance.amount)));
    child(move || {
        let said = said.get()?;
        Some(view! {
            <A href="/" class="purse" id=PURSE>
                <Coin/>
                <span class="visually-hidden">{texts().common.balance}</span>
                <span class="amount">{said}</span>
            </A>
        })
    })
}
