//! What surrounds every page: skip link, masthead, navigation, the announcer.

use leptos::prelude::*;
use tuppence_wallet::view::HistoryEntry;

use crate::address::{A, Address};
use crate::browser;
use crate::components::{Balance, Icon, Logo, Symbol};
use crate::locales::{Said, texts};
use crate::money;
use crate::state::{Phase, WalletState};
use crate::view::view;

const MAIN: &str = "main";

/// The page within its surroundings.
#[component]
pub fn Shell(children: Children) -> impl IntoView {
    let state = WalletState::current();
    let ready = Memo::new(move |_| state.phase() == Phase::Ready);
    let empty = Memo::new(move |_| matches!(state.phase(), Phase::Empty | Phase::Lost));
    let address = Address::current();
    let class = move || match address.path().as_str() {
        "/approve" | "/earn/question" if ready.get() => "app app--calm",
        _ => "app",
    };
    view! {
        <div class=class>
            <a class="skip" href="#main" on:click=skip>
                {texts().common.skip}
            </a>
            {move || {
                (!state.is_online()).then(|| view! { <p class="offline" role="status">{texts().common.offline}</p> })
            }}
            <header class="masthead">
                <A href="/" class="brand">
                    <Logo/>
                    "Tuppence"
                </A>
                {move || ready.get().then(|| view! { <Balance/> })}
                {move || {
                    empty.get().then(|| view! { <A href="/settings" class="link-row">{texts().common.settings}</A> })
                }}
            </header>
            {move || (!empty.get()).then(|| view! { <Navigation/> })}
            <main class="page" id=MAIN tabindex="-1">
                {children()}
            </main>
            <Announcer/>
        </div>
    }
}

/// Keeps the address as it is: only the focus skips.
fn skip(event: leptos::ev::MouseEvent) {
    event.prevent_default();
    event.stop_propagation();
    if let Some(main) = browser::element(MAIN) {
        // Without focus the page is still in view.
        let _ = main.focus();
    }
}

#[component]
fn Navigation() -> impl IntoView {
    let texts = &texts().common;
    let places = [
        ("/", Symbol::Home, texts.home),
        ("/earn", Symbol::Earn, texts.earn),
        ("/read", Symbol::Read, texts.read),
        ("/history", Symbol::History, texts.history),
        ("/settings", Symbol::Settings, texts.settings),
    ];
    let links = places
        .into_iter()
        .map(|(path, symbol, word)| {
            view! {
                <li>
                    <A href=path class="tabs__link">
                        <Icon symbol=symbol/>
                        <span class="tabs__word">{word}</span>
                    </A>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <nav class="tabs" aria-label=texts.navigation>
            <ul class="tabs__list">{links}</ul>
        </nav>
    }
}

/// Tells screen readers when the balance has changed.
#[component]
fn Announcer() -> impl IntoView {
    let state = WalletState::current();
    let said = move || state.latest_entry().map(|entry| announcement(&entry)).unwrap_or_default();
    view! {
        <div class="visually-hidden" role="status" aria-live="polite">
            {said}
        </div>
    }
}

fn announcement(entry: &HistoryEntry) -> String {
    texts().common.changed.with(&[&money::said_change(entry.change), &money::said(entry.balance_after)])
}
