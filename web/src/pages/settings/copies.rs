//! Saving a copy of the wallet, and bringing one back.

use leptos::ev::Event;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::{Problem, WalletError};

use crate::browser;
use crate::components::Trouble;
use crate::locales::texts;
use crate::state::WalletState;
use crate::view::{Child, view};

const FILE: &str = "tuppence-wallet.json";

/// How saving or bringing back went.
#[derive(Debug, Clone)]
enum Outcome {
    None,
    Done(&'static str),
    Failed(WalletError),
    /// There is a wallet already, and this copy would take its place.
    Replace(String),
}

/// Saves the wallet among the reader's downloads.
#[component]
pub fn SaveCopy() -> impl IntoView {
    let texts = &texts().settings;
    let state = WalletState::current();
    let outcome = RwSignal::new(Outcome::None);
    let save = move |_| {
        let Some(wallet) = state.wallet() else { return };
        spawn_local(async move {
            outcome.set(match wallet.export().await {
                Ok(copy) => match browser::download(FILE, "application/json", &copy) {
                    Some(()) => Outcome::Done(texts.saved),
                    None => Outcome::Failed(Problem::Unsupported.into()),
                },
                Err(error) => Outcome::Failed(error),
            });
        });
    };
    view! {
        <button type="button" class="button" on:click=save>
            {texts.save_copy}
        </button>
        {move || outcome_view(outcome)}
    }
}

/// Takes a copy that was saved before. An existing wallet is given up only after a second question.
#[component]
pub fn Import() -> impl IntoView {
    let texts = &texts().settings;
    let state = WalletState::current();
    let input = NodeRef::<Input>::new();
    let outcome = RwSignal::new(Outcome::None);
    let take = move |copy: String, replace: bool| {
        let Some(wallet) = state.wallet() else { return };
        spawn_local(async move {
            match wallet.import(&copy, replace).await {
                Ok(()) => {
                    outcome.set(Outcome::Done(texts.imported));
                    state.refresh().await;
                    state.resume();
                }
                Err(error) if error.is(Problem::WalletExists) => outcome.set(Outcome::Replace(copy)),
                Err(error) => outcome.set(Outcome::Failed(error)),
            }
        });
    };
    let chosen = move |_: Event| {
        let Some(input) = input.get_untracked() else { return };
        spawn_local(async move {
            if let Some(copy) = browser::chosen_file(&input).await {
                take(copy, false);
            }
        });
    };
    view! {
        <section>
            <h2>{texts.import}</h2>
            <p>{texts.import_what}</p>
            <label class="file">
                <span class="button">{crate::locales::texts().welcome.choose_copy}</span>
                <input type="file" accept="application/json,.json" node_ref=input on:change=chosen/>
            </label>
            {move || match outcome.get() {
                Outcome::Replace(copy) => {
                    let replace = move || take(copy.clone(), true);
                    view! { <Replace replace=replace cancel=move || outcome.set(Outcome::None)/> }
                }
                _ => outcome_view(outcome),
            }}
        </section>
    }
}

#[component]
fn Replace(replace: impl Fn() + 'static, cancel: impl Fn() + 'static) -> impl IntoView {
    let texts = texts();
    view! {
        <div class="notice notice--caution" role="alert">
            <h3>{texts.settings.replace_title}</h3>
            <p>{texts.settings.replace}</p>
            <div class="actions">
                <button type="button" class="button button--danger" on:click=move |_| replace()>
                    {texts.settings.replace_yes}
                </button>
                <button type="button" class="button" on:click=move |_| cancel()>
                    {texts.common.cancel}
                </button>
            </div>
        </div>
    }
}

fn outcome_view(outcome: RwSignal<Outcome>) -> AnyView {
    match outcome.get() {
        Outcome::Done(words) => view! { <p class="notice notice--gain" role="status">{words}</p> },
        Outcome::Failed(error) => {
            view! { <Trouble error=error again=move || outcome.set(Outcome::None)/> }
        }
        Outcome::None | Outcome::Replace(_) => ().child(),
    }
}
