//! The mark of two coins, and the few symbols. All of them decorate words that say the same.

use leptos::prelude::*;

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// The wallet's first page.
    Home,
    /// A question.
    Earn,
    /// An open book.
    Read,
    /// A clock that runs back.
    History,
    /// Sliders.
    Settings,
    /// A magnifying glass.
    Search,
    /// Done.
    Check,
}

impl Symbol {
    const fn path(self) -> &'static str {
        match self {
            Symbol::Home => "M4 11.2 12 4.5l8 6.7V19a1 1 0 0 1-1 1h-4.6v-5.4H9.6V20H5a1 1 0 0 1-1-1z",
            Symbol::Earn => {
                "M5.5 4.5h13A1.5 1.5 0 0 1 20 6v9a1.5 1.5 0 0 1-1.5 1.5h-5.3L9 20.2v-3.7H5.5A1.5 1.5 0 0 1 4 15V6a1.5 \
                 1.5 0 0 1 1.5-1.5zM10.1 8.6a2 2 0 1 1 2.7 1.9c-.5.2-.8.6-.8 1.1M12 13.6v.1"
            }
            Symbol::Read => {
                "M12 6.6C10 5 7.2 4.6 4 5.1v12.6c3.2-.5 6-.1 8 1.4 2-1.5 4.8-1.9 8-1.4V5.1c-3.2-.5-6-.1-8 \
                 1.5zM12 6.6v12.5"
            }
            Symbol::History => "M4.7 8.5A8 8 0 1 1 4 12M4.5 4.5v4h4M12 8v4.3l3 1.9",
            Symbol::Settings => {
                "M4 7h9m4 0h3M4 12h3m4 0h9M4 17h7m4 0h5M13 7a2 2 0 1 0 4 0 2 2 0 1 0-4 0M7 12a2 2 0 1 0 4 0 2 2 0 1 \
                 0-4 0M11 17a2 2 0 1 0 4 0 2 2 0 1 0-4 0"
            }
            Symbol::Search => "M4.5 10.5a6 6 0 1 0 12 0 6 6 0 1 0-12 0M15 15l5 5",
            Symbol::Check => "M5 12.5 10 17.5 19.5 7",
        }
    }
}

/// A symbol of 24 by 24 units, drawn with the colour of the text.
#[component]
pub fn Icon(symbol: Symbol) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=symbol.path()></path>
        </svg>
    }
}

/// Two coins, one behind the other.
#[component]
pub fn Logo(#[prop(optional)] class: &'static str) -> impl IntoView {
    view! {
        <svg class=format!("logo {class}") viewBox="0 0 44 30" aria-hidden="true">
            <circle class="logo__back" cx="29" cy="15" r="13" stroke-width="1.5"></circle>
            <circle class="logo__front" cx="15" cy="15" r="14"></circle>
            <circle class="logo__rim" cx="15" cy="15" r="10" stroke-width="1.2"></circle>
            <path class="logo__rim" d="M12.8 11v8M17.2 11v8" stroke-width="1.8" stroke-linecap="round">
            </path>
        </svg>
    }
}

/// One coin.
#[component]
pub fn Coin() -> impl IntoView {
    view! {
        <svg class="coin" viewBox="0 0 24 24" aria-hidden="true">
            <circle class="coin__face" cx="12" cy="12" r="11" stroke-width="1.2"></circle>
            <circle class="coin__rim" cx="12" cy="12" r="7.8" stroke-width="1.2"></circle>
        </svg>
    }
}
