//! An address that leads nowhere.

use leptos::prelude::*;

use crate::address::A;
use crate::components::Heading;
use crate::locales::texts;
use crate::view::view;

/// Nothing here, and the way home.
#[component]
pub fn Missing() -> impl IntoView {
    let texts = texts();
    view! {
        <div class="stack">
            <Heading text=texts.common.missing_title/>
            <p>{texts.common.missing}</p>
            <A href="/" class="button button--primary">
                {texts.trouble.to_home}
            </A>
        </div>
    }
}
