//! The end of a wallet: says what will happen, and asks for a word that nobody types by accident.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::WalletError;

use crate::address::Address;
use crate::components::Trouble;
use crate::locales::{Said, texts};
use crate::money;
use crate::state::WalletState;
use crate::view::{Child, view};

/// Removes the wallet from this device.
#[component]
pub fn Deletion() -> impl IntoView {
    let (words, common) = (&texts().settings, &texts().common);
    let state = WalletState::current();
    let address = Address::current();
    let asked = RwSignal::new(false);
    let typed = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<WalletError>);
    let confirmed = Memo::new(move |_| typed.get().trim().eq_ignore_ascii_case(words.delete_word));
    let delete = move |event: SubmitEvent| {
        event.prevent_default();
        let (Some(wallet), true) = (state.wallet(), confirmed.get_untracked()) else { return };
        spawn_local(async move {
            match wallet.delete().await {
                Ok(()) => {
                    address.go("/");
                    state.refresh().await;
                }
                Err(error) => failure.set(Some(error)),
            }
        });
    };
    let delete = StoredValue::new_local(delete);
    let holds = move || {
        let sum = state.balance().map(|balance| money::said(balance.amount)).unwrap_or_default();
        words.delete_what.with(&[&sum])
    };
    let form = move || {
        view! {
            <form class="stack" on:submit=move |event| delete.with_value(|delete| delete(event)) novalidate>
                <div class="field">
                    <label class="field__label" for="delete-word">
                        {words.delete_type.with(&[words.delete_word])}
                    </label>
                    <input
                        class="input"
                        id="delete-word"
                        type="text"
                        autocomplete="off"
                        autocapitalize="off"
                        on:input=move |event| typed.set(event_target_value(&event))
                    />
                </div>
                <div class="actions">
                    <button
                        type="submit"
                        class="button button--danger"
                        aria-disabled=move || (!confirmed.get()).to_string()
                    >
                        {words.delete_do}
                    </button>
                    <button type="button" class="button" on:click=move |_| asked.set(false)>
                        {common.cancel}
                    </button>
                </div>
            </form>
        }
    };
    let begin = move || {
        view! {
            <button type="button" class="button button--danger" on:click=move |_| asked.set(true)>
                {words.delete_begin}
            </button>
        }
    };
    view! {
        <section class="danger-zone">
            <h2>{words.delete}</h2>
            <p>{holds}</p>
            {move || if asked.get() { form().child() } else { begin().child() }}
            {move || failure.get().map(|error| view! { <Trouble error=error again=move || failure.set(None)/> })}
        </section>
    }
}
