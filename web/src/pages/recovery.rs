//! The recovery words: shown, written down, and asked back before they count as saved.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::view::{RecoveryState, RememberedWord};
use tuppence_wallet::{Problem, WalletError};

use crate::address::A;
use crate::components::{Heading, Trouble, loaded};
use crate::dates;
use crate::locales::{Said, texts};
use crate::state::{Loader, WalletState};
use crate::view::{child, view};

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Told,
    Shown(Vec<String>),
    /// The numbers of the words that are asked for, and what became of the last try.
    Asked(Vec<usize>, Option<WalletError>),
    Saved,
}

/// A quiet reminder, from the first earned cent on until the words were saved.
#[component]
pub fn SaveWords() -> impl IntoView {
    let texts = &texts().home;
    let state = WalletState::current();
    let recovery = Loader::new(|wallet| async move { wallet.recovery().await });
    child(move || {
        // The first entry is the wallet's creation; from the second one on there is something to lose.
        let holds = state.balance().and_then(|balance| balance.last).is_some_and(|entry| entry.number > 1);
        let unsaved = recovery.ready().is_some_and(|words| words.available && words.saved.is_none());
        (holds && unsaved).then(|| {
            view! {
                <div class="notice notice--quiet">
                    <p>{texts.words_unsaved}</p>
                    <p>
                        <A href="/recovery">{texts.save_words}</A>
                    </p>
                </div>
            }
        })
    })
}

/// The words of this wallet.
#[component]
pub fn Recovery() -> impl IntoView {
    let texts = &texts().recovery;
    let state = Loader::once(|wallet| async move { wallet.recovery().await });
    view! {
        <div class="page--narrow">
            <div class="page__head">
                <Heading text=texts.title/>
            </div>
            {loaded(state, move |state| view! { <Words state=state/> })}
        </div>
    }
}

#[component]
fn Words(state: RecoveryState) -> impl IntoView {
    if !state.available {
        return view! { <Trouble error=WalletError::from(Problem::WordsMissing)/> };
    }
    let wallet_state = WalletState::current();
    let step = RwSignal::new(Step::Told);
    let failure = RwSignal::new(None::<WalletError>);
    let show = Callback::new(move |()| {
        let Some(wallet) = wallet_state.wallet() else { return };
        spawn_local(async move {
            failure.set(None);
            match wallet.recovery_words().await {
                Ok(words) => step.set(Step::Shown(words)),
                Err(error) => failure.set(Some(error)),
            }
        });
    });
    view! {
        {move || match step.get() {
            Step::Told => view! { <Told saved=state.saved show=show/> },
            Step::Shown(words) => view! { <Shown words=words step=step/> },
            Step::Asked(numbers, wrong) => {
                view! { <Asked numbers=numbers wrong=wrong step=step show=show/> }
            }
            Step::Saved => view! { <Saved/> },
        }}
        {move || failure.get().map(|error| view! { <Trouble error=error again=show/> })}
    }
}

#[component]
fn Told(saved: Option<tuppence_protocol::Timestamp>, show: Callback<()>) -> impl IntoView {
    let texts = &texts().recovery;
    view! {
        <div class="stack">
            <p>{texts.what}</p>
            <p>{texts.whoever}</p>
            {saved.map(|at| view! { <p class="soft">{texts.saved_on.with(&[&dates::said_day(at)])}</p> })}
            <div class="actions">
                <button type="button" class="button button--primary" on:click=move |_| show.run(())>
                    {texts.show}
                </button>
            </div>
        </div>
    }
}

#[component]
fn Shown(words: Vec<String>, step: RwSignal<Step>) -> impl IntoView {
    let texts = &texts().recovery;
    let state = WalletState::current();
    let ask = move |_| {
        let Some(wallet) = state.wallet() else { return };
        // A browser without random numbers has made no words.
        step.set(Step::Asked(wallet.words_to_ask().unwrap_or_default(), None));
    };
    let items = words.into_iter().map(|word| view! { <li>{word}</li> }).collect::<Vec<_>>();
    view! {
        <div class="stack">
            <p>{texts.write_down}</p>
            <ol class="words" translate="no" lang="en">
                {items}
            </ol>
            <div class="actions">
                <button type="button" class="button button--primary" on:click=ask>
                    {texts.written}
                </button>
            </div>
        </div>
    }
}

#[component]
fn Asked(
    numbers: Vec<usize>,
    wrong: Option<WalletError>,
    step: RwSignal<Step>,
    show: Callback<()>,
) -> impl IntoView {
    let texts = &texts().recovery;
    let state = WalletState::current();
    let typed: Vec<(usize, RwSignal<String>)> =
        numbers.into_iter().map(|number| (number, RwSignal::new(String::new()))).collect();
    let fields = typed
        .iter()
        .map(|(number, word)| {
            let (id, word) = (format!("word-{number}"), *word);
            view! {
                <div class="field">
                    <label class="field__label" for=id.clone()>{texts.word.with(&[&number.to_string()])}</label>
                    <input
                        class="input"
                        id=id
                        type="text"
                        lang="en"
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        on:input=move |event| word.set(event_target_value(&event))
                    />
                </div>
            }
        })
        .collect::<Vec<_>>();
    let check = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(wallet) = state.wallet() else { return };
        let remembered: Vec<RememberedWord> = typed
            .iter()
            .map(|(number, word)| RememberedWord { number: *number, word: word.get_untracked() })
            .collect();
        spawn_local(async move {
            let numbers: Vec<usize> = remembered.iter().map(|word| word.number).collect();
            match wallet.confirm_words(&remembered).await {
                Ok(()) => {
                    step.set(Step::Saved);
                    state.follow();
                }
                Err(error) => step.set(Step::Asked(numbers, Some(error))),
            }
        });
    };
    view! {
        <form class="stack" on:submit=check novalidate>
            <p>{texts.asked}</p>
            {fields}
            {wrong.map(|error| view! { <p class="field__error" role="alert">{crate::errors::cause(&error)}</p> })}
            <div class="actions">
                <button type="submit" class="button button--primary">
                    {texts.check}
                </button>
                <button type="button" class="button button--quiet" on:click=move |_| show.run(())>
                    {texts.show_again}
                </button>
            </div>
        </form>
    }
}

#[component]
fn Saved() -> impl IntoView {
    let texts = &texts().recovery;
    view! {
        <div class="stack">
            <p class="notice notice--gain" role="status">{texts.done}</p>
            <div class="actions">
                <A href="/" class="button button--primary">
                    {texts.home}
                </A>
            </div>
        </div>
    }
}
