//! The application: what every page shares, and which address leads to which page.

use leptos::prelude::*;

use crate::address::Address;
use crate::browser;
use crate::components::{Gate, Moved, Shell, anew};
use crate::locales;
use crate::pages::{Approve, Budgets, CashOut, Earn, Entry, History, Home, Missing, Question, Read};
use crate::pages::{Recovery, Restore, Settings};
use crate::state::preferences::{self, Preferences};
use crate::state::{Errand, WalletState};
use crate::view::view;

/// Replaces the page that was shown while this program and the reader's language were loading.
pub fn start() {
    // Leptos' own tasks begin with its first page.
    wasm_bindgen_futures::spawn_local(async {
        locales::show(preferences::language()).await;
        if let Some(boot) = browser::element("boot") {
            boot.remove();
        }
        mount_to_body(App);
    });
}

#[component]
fn App() -> impl IntoView {
    let preferences = Preferences::start();
    provide_context(preferences);
    Address::provide();
    provide_context(WalletState::start());
    Errand::provide();
    Moved::provide();
    // Another language writes every page anew.
    anew(Box::new(move || {
        preferences.language.track();
        view! { <Pages/> }
    }))
}

#[component]
fn Pages() -> impl IntoView {
    let address = Address::current();
    // Another parameter of the same page leaves the page in place.
    let page = Memo::new(move |_| Page::at(&address.path()));
    // Each page is made anew: nothing that was typed or opened on one is seen on the next.
    view! {
        <Shell>
            {anew(Box::new(move || page.get().view()))}
        </Shell>
    }
}

/// A page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Page {
    Home,
    Earn,
    Question,
    Read,
    Approve,
    Budgets,
    History,
    Entry,
    CashOut,
    Recovery,
    Restore,
    Settings,
    Missing,
}

impl Page {
    fn at(path: &str) -> Self {
        match path {
            "/" => Page::Home,
            "/earn" => Page::Earn,
            "/earn/question" => Page::Question,
            "/read" => Page::Read,
            "/approve" => Page::Approve,
            "/budgets" => Page::Budgets,
            "/history" => Page::History,
            "/cash-out" => Page::CashOut,
            "/recovery" => Page::Recovery,
            "/restore" => Page::Restore,
            "/settings" => Page::Settings,
            path => match path.strip_prefix("/history/") {
                Some(number) if !number.contains('/') => Page::Entry,
                _ => Page::Missing,
            },
        }
    }

    fn view(self) -> AnyView {
        let page: fn() -> AnyView = match self {
            Page::Home => || view! { <Home/> },
            Page::Earn => || view! { <Earn/> },
            Page::Question => || view! { <Question/> },
            Page::Read => || view! { <Read/> },
            Page::Approve => || view! { <Approve/> },
            Page::Budgets => || view! { <Budgets/> },
            Page::History => || view! { <History/> },
            Page::Entry => || view! { <Entry/> },
            Page::CashOut => || view! { <CashOut/> },
            Page::Recovery => || view! { <Recovery/> },
            Page::Restore => return view! { <Restore/> },
            Page::Settings => return view! { <Settings/> },
            Page::Missing => return view! { <Missing/> },
        };
        view! { <Gate page=page to_pay={self == Page::Approve}/> }
    }
}
