//! Settings: the center and its key, storage, copies, language, look, and the end.

mod copies;
mod deletion;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::WalletError;
use tuppence_wallet::view::{CenterView, RecoveryState, StorageState};

use crate::address::A;
use crate::components::{Heading, Trouble, loaded};
use crate::dates;
use crate::locales::{Language, Said, texts};
use crate::money;
use crate::state::preferences::{Preferences, Theme};
use crate::state::{Loader, Phase, WalletState};
use crate::view::{Child, child, view};

use copies::{Import, SaveCopy};
use deletion::Deletion;

/// Everything that can be set. Without a wallet: language and look.
#[component]
pub fn Settings() -> impl IntoView {
    let texts = &texts().settings;
    let state = WalletState::current();
    let ready = Memo::new(move |_| state.phase() == Phase::Ready);
    let failed = move || match state.phase() {
        Phase::Failed(error) => Some(view! { <Trouble error=error again=move || state.open()/> }),
        Phase::Opening | Phase::Empty | Phase::Lost | Phase::Ready => None,
    };
    view! {
        <div class="page--narrow">
            <div class="page__head">
                <Heading text=texts.title/>
            </div>
            <div class="settings">
                {failed}
                {move || ready.get().then(|| view! { <Safekeeping/> })}
                <LanguageChoice/>
                <ThemeChoice/>
                {move || ready.get().then(|| view! { <Center/> <Check/> })}
                // A damaged wallet is brought back from its copy, and a useless one can be removed.
                <Import/>
                {move || ready.get().then(|| view! { <Deletion/> })}
            </div>
        </div>
    }
}

#[component]
fn Safekeeping() -> impl IntoView {
    let texts = &texts().settings;
    let storage = Loader::new(|wallet| async move { Ok(wallet.storage_state().await) });
    let recovery = Loader::new(|wallet| async move { wallet.recovery().await });
    view! {
        <section>
            <h2>{crate::locales::texts().recovery.title}</h2>
            {loaded(recovery, move |state| view! { <RecoveryWords state=state/> })}
        </section>
        <section>
            <h2>{texts.storage}</h2>
            {loaded(storage, move |state| view! { <Storage state=state storage=storage/> })}
        </section>
        <section>
            <h2>{texts.copy}</h2>
            <p>{texts.copy_what}</p>
            <SaveCopy/>
        </section>
    }
}

#[component]
fn RecoveryWords(state: RecoveryState) -> impl IntoView {
    let texts = &texts().recovery;
    let words = match (state.available, state.saved) {
        (false, _) => texts.unavailable.to_owned(),
        (true, Some(at)) => texts.saved_on.with(&[&dates::said_day(at)]),
        (true, None) => texts.unsaved.to_owned(),
    };
    view! {
        <p>{words}</p>
        {state.available.then(|| view! {
            <p>
                <A href="/recovery" class="button">
                    {if state.saved.is_some() { texts.show } else { texts.save }}
                </A>
            </p>
        })}
        <p class="soft">{texts.devices}</p>
    }
}

#[component]
fn Storage(state: StorageState, storage: Loader<StorageState>) -> impl IntoView {
    let texts = &texts().settings;
    let wallet = WalletState::current();
    let refused = RwSignal::new(false);
    let words = match state.persisted {
        Some(true) => texts.persisted,
        Some(false) => texts.not_persisted,
        None => texts.persistence_unknown,
    };
    let ask = move |_| {
        let Some(wallet) = wallet.wallet() else { return };
        spawn_local(async move {
            if wallet.request_persistence().await {
                storage.again();
            } else {
                refused.set(true);
            }
        });
    };
    let button = (state.persisted == Some(false)).then(|| {
        view! {
            <button type="button" class="button" on:click=ask>
                {texts.ask_persist}
            </button>
        }
    });
    view! {
        <div class="stack">
            <p>{words}</p>
            {button}
            <p role="status">{move || refused.get().then_some(texts.persist_refused)}</p>
            <p class="soft">{crate::locales::texts().recovery.not_noticed}</p>
            {state.used_bytes.map(|bytes| view! { <p class="soft small">{texts.used.with(&[&said_bytes(bytes)])}</p> })}
        </div>
    }
}

/// A size in the unit that fits, without a rounded place.
fn said_bytes(bytes: u64) -> String {
    const KILO: u64 = 1_000;
    const MEGA: u64 = 1_000_000;
    match bytes {
        0..KILO => format!("{bytes} B"),
        KILO..MEGA => format!("{} kB", bytes / KILO),
        _ => format!("{} MB", bytes / MEGA),
    }
}

#[component]
fn Center() -> impl IntoView {
    let state = WalletState::current();
    let center = move || state.status().and_then(|status| status.center);
    child(move || center().map(|center| view! { <AboutCenter center=center/> }))
}

#[component]
fn AboutCenter(center: CenterView) -> impl IntoView {
    let texts = &texts().settings;
    let row = |name: &'static str, value: String, class: &'static str| {
        view! {
            <div class="facts__row">
                <dt>{name}</dt>
                <dd class=class>{value}</dd>
            </div>
        }
    };
    view! {
        <section>
            <h2>{texts.center}</h2>
            <dl class="facts facts--long">
                {row(texts.center_name, center.name, "")} {row(texts.center_address, center.origin, "breakable")}
                {row(texts.fingerprint, center.fingerprint, "fingerprint")}
                {row(texts.balance_max, money::said(center.balance_max), "amount")}
            </dl>
            <p class="soft">{if center.pinned { texts.pinned } else { texts.first_seen }}</p>
        </section>
    }
}

/// Fetches the balance from the center's books.
#[component]
fn Check() -> impl IntoView {
    let texts = &texts().settings;
    let state = WalletState::current();
    let outcome = RwSignal::new(None::<Result<String, WalletError>>);
    let check = move |_| {
        let Some(wallet) = state.wallet() else { return };
        spawn_local(async move {
            let checked = wallet.resync().await;
            outcome.set(Some(checked.map(|balance| texts.checked.with(&[&money::said(balance.amount)]))));
            state.refresh().await;
        });
    };
    view! {
        <section>
            <h2>{texts.check}</h2>
            <p>{texts.check_what}</p>
            <button type="button" class="button" on:click=check>
                {texts.check_do}
            </button>
            {move || match outcome.get() {
                Some(Ok(words)) => view! { <p class="notice notice--gain" role="status">{words}</p> },
                Some(Err(error)) => view! { <Trouble error=error again=move || outcome.set(None)/> },
                None => ().child(),
            }}
        </section>
    }
}

#[component]
fn LanguageChoice() -> impl IntoView {
    let preferences = Preferences::current();
    let choices = Language::ALL
        .into_iter()
        .map(|language| {
            let chosen = move || preferences.language.get() == language;
            let choose = move || preferences.choose_language(language);
            view! { <Choice name="language" words=language.name() lang=language.tag() chosen=chosen choose=choose/> }
        })
        .collect::<Vec<_>>();
    view! {
        <section>
            <fieldset class="fieldset">
                <legend>
                    <h2>{texts().settings.language}</h2>
                </legend>
                <div class="choices choices--row">{choices}</div>
            </fieldset>
        </section>
    }
}

#[component]
fn ThemeChoice() -> impl IntoView {
    let texts = &texts().settings;
    let preferences = Preferences::current();
    let choices = Theme::ALL
        .into_iter()
        .map(|theme| {
            let words = match theme {
                Theme::Auto => texts.theme_auto,
                Theme::Light => texts.theme_light,
                Theme::Dark => texts.theme_dark,
            };
            let chosen = move || preferences.theme.get() == theme;
            let choose = move || preferences.choose_theme(theme);
            view! { <Choice name="theme" words=words chosen=chosen choose=choose/> }
        })
        .collect::<Vec<_>>();
    view! {
        <section>
            <fieldset class="fieldset">
                <legend>
                    <h2>{texts.theme}</h2>
                </legend>
                <div class="choices choices--row">{choices}</div>
            </fieldset>
        </section>
    }
}

#[component]
fn Choice(
    name: &'static str,
    words: &'static str,
    #[prop(optional)] lang: Option<&'static str>,
    chosen: impl Fn() -> bool + Send + Sync + 'static,
    choose: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <label class="choice">
            <input type="radio" name=name prop:checked=chosen on:change=move |_| choose()/>
            <span lang=lang>{words}</span>
        </label>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_the_unit_that_fits() {
        for (bytes, said) in
            [(0, "0 B"), (999, "999 B"), (1_000, "1 kB"), (52_900, "52 kB"), (3_000_000, "3 MB")]
        {
            assert_eq!(said_bytes(bytes), said);
        }
    }
}
