//! Restoring a wallet from its words: on an empty browser, or after the browser has deleted the records.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::view::Progress;
use tuppence_wallet::{Problem, WalletError};

use crate::address::{A, Address};
use crate::components::{Heading, Trouble};
use crate::locales::texts;
use crate::pages::welcome::HaveCopy;
use crate::state::{Phase, WalletState};
use crate::view::{Child, view};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Asked,
    Running(&'static str),
    Failed(WalletError),
    /// There is a wallet already.
    Replace,
}

/// Asks for the words. Where records were lost, it says so first, and offers the other ways out.
#[component]
pub fn Restore() -> impl IntoView {
    let all = texts();
    let texts = &all.recovery;
    let state = WalletState::current();
    let lost = Memo::new(move |_| state.phase() == Phase::Lost);
    view! {
        <div class="page--narrow">
            <div class="page__head">
                {move || {
                    let title = if lost.get() { texts.lost_title } else { texts.restore_title };
                    view! { <Heading text=title/> }
                }}
            </div>
            <div class="stack stack--wide">
                {move || lost.get().then(|| view! {
                    <div class="notice notice--caution" role="alert">
                        <p>{texts.lost_money}</p>
                        <p>{texts.lost_why}</p>
                    </div>
                })}
                <Form/>
                {move || lost.get().then(|| view! { <OtherWays/> })}
            </div>
        </div>
    }
}

#[component]
fn Form() -> impl IntoView {
    let texts = &texts().recovery;
    let state = WalletState::current();
    let address = Address::current();
    let typed = RwSignal::new(String::new());
    let step = RwSignal::new(Step::Asked);
    let restore = Callback::new(move |replace: bool| {
        let Some(wallet) = state.wallet() else { return };
        step.set(Step::Running(texts.meeting));
        state.set_creating(true);
        spawn_local(async move {
            let shown = move |progress| step.set(Step::Running(said(progress)));
            let restored = wallet.restore(&typed.get_untracked(), replace, shown).await;
            state.set_creating(false);
            match restored {
                Ok(()) => {
                    // The words are not kept on the page.
                    typed.set(String::new());
                    state.refresh().await;
                    address.go("/");
                    state.follow();
                }
                Err(error) if error.is(Problem::WalletExists) => step.set(Step::Replace),
                Err(error) => step.set(Step::Failed(error)),
            }
        });
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        restore.run(false);
    };
    let running = move || matches!(step.get(), Step::Running(_));
    view! {
        <form class="stack" on:submit=submit novalidate>
            <p>{texts.restore_what}</p>
            <div class="field">
                <label class="field__label" for="words">{texts.words}</label>
                <textarea
                    class="input"
                    id="words"
                    rows="3"
                    lang="en"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-describedby="words-hint"
                    disabled=running
                    prop:value=move || typed.get()
                    on:input=move |event| typed.set(event_target_value(&event))
                ></textarea>
                <p class="field__hint" id="words-hint">{texts.words_hint}</p>
            </div>
            {move || match step.get() {
                Step::Running(words) => view! { <p role="status">{words}</p> },
                Step::Replace => view! { <Replace restore=restore step=step/> },
                Step::Failed(error) => {
                    let again = move || restore.run(false);
                    view! { <Trouble error=error again=again/> }
                }
                Step::Asked => ().child(),
            }}
            <div class="actions">
                <button type="submit" class="button button--primary button--large" disabled=running>
                    {texts.restore}
                </button>
            </div>
        </form>
    }
}

#[component]
fn Replace(restore: Callback<bool>, step: RwSignal<Step>) -> impl IntoView {
    let all = texts();
    view! {
        <div class="notice notice--caution" role="alert">
            <h2>{all.settings.replace_title}</h2>
            <p>{all.recovery.replace}</p>
            <div class="actions">
                <button type="button" class="button button--danger" on:click=move |_| restore.run(true)>
                    {all.settings.replace_yes}
                </button>
                <button type="button" class="button" on:click=move |_| step.set(Step::Asked)>
                    {all.common.cancel}
                </button>
            </div>
        </div>
    }
}

/// A copy, or a new wallet.
#[component]
fn OtherWays() -> impl IntoView {
    let texts = &texts().recovery;
    let state = WalletState::current();
    let failure = RwSignal::new(None::<WalletError>);
    let anew = move |_| {
        let Some(wallet) = state.wallet() else { return };
        spawn_local(async move {
            match wallet.start_anew().await {
                Ok(()) => state.refresh().await,
                Err(error) => failure.set(Some(error)),
            }
        });
    };
    view! {
        <HaveCopy/>
        <details class="plain">
            <summary>{texts.no_words}</summary>
            <p>{texts.anew_what}</p>
            <button type="button" class="button button--danger" on:click=anew>
                {texts.anew}
            </button>
        </details>
        {move || failure.get().map(|error| view! { <Trouble error=error/> })}
    }
}

/// The door to this page.
#[component]
pub fn HaveWords() -> impl IntoView {
    view! {
        <p>
            <A href="/restore">{texts().recovery.have_words}</A>
        </p>
    }
}

fn said(progress: Progress) -> &'static str {
    let all = texts();
    match progress {
        Progress::MeetingCenter => all.welcome.meeting,
        Progress::Solving { .. } => all.welcome.solving,
        Progress::Registering => all.recovery.claiming,
        Progress::Following | Progress::Done => all.recovery.following,
    }
}
