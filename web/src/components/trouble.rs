//! Something is wrong: what happened to the money, why, and the way out.

use leptos::prelude::*;
use tuppence_wallet::WalletError;

use crate::address::A;
use crate::browser;
use crate::errors::{self, WayOut, While};
use crate::locales::{Said, texts};
use crate::view::view;

/// An error as a person is told. `again` does the same once more.
#[component]
pub fn Trouble(
    error: WalletError,
    #[prop(optional, into)] again: Option<Callback<()>>,
    #[prop(default = While::Looking)] during: While,
) -> impl IntoView {
    let texts = texts();
    let said = error.document.as_deref().map(browser::text_of_html).filter(|text| !text.is_empty());
    view! {
        <section class="trouble" role="alert">
            <p class="trouble__money">{errors::money(&error, during)}</p>
            <p>{errors::cause(&error)}</p>
            {said.map(|said| view! { <p class="soft">{said}</p> })}
            <div class="actions">{way_out(WayOut::of(&error), again)}</div>
            <details class="plain small">
                <summary>{texts.trouble.details}</summary>
                <p>{error.message.clone()}</p>
                <p>
                    <code>{texts.trouble.code.with(&[&error.code])}</code>
                </p>
            </details>
        </section>
    }
}

fn way_out(way_out: WayOut, again: Option<Callback<()>>) -> AnyView {
    let texts = texts();
    let (path, words) = match (way_out, again) {
        (WayOut::Again, Some(again)) => {
            return view! {
                <button type="button" class="button button--primary" on:click=move |_| again.run(())>
                    {texts.common.again}
                </button>
            };
        }
        (WayOut::Again | WayOut::Reload, _) => {
            return view! {
                <button type="button" class="button button--primary" on:click=|_| reload()>
                    {texts.trouble.reload}
                </button>
            };
        }
        (WayOut::Earn, _) => ("/earn", texts.trouble.to_earn),
        (WayOut::History, _) => ("/history", texts.trouble.to_history),
        (WayOut::Settings, _) => ("/settings", texts.trouble.to_settings),
        (WayOut::Restore, _) => ("/restore", texts.recovery.restore_title),
        (WayOut::Home, _) => ("/", texts.trouble.to_home),
    };
    view! {
        <A href=path class="button button--primary">
            {words}
        </A>
    }
}

fn reload() {
    // A browser that refuses to reload leaves its own button.
    let _ = window().location().reload();
}
