//! Opening a paid article: the receipt goes to its shop by an ordinary form, and the shop answers with the article.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use leptos::html::Form;
use leptos::prelude::*;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_wallet::json;

use crate::view::view;

/// A button that opens a paid article. With `at_once` it presses itself.
#[component]
pub fn OpenForm(
    /// The shop's origin.
    #[prop(into)]
    shop: String,
    receipt: Receipt,
    #[prop(into)] label: String,
    #[prop(default = "button button--primary")] class: &'static str,
    /// Says which article, where several buttons have the same words.
    #[prop(optional, into)]
    about: Option<String>,
    #[prop(default = false)] at_once: bool,
) -> impl IntoView {
    let form = NodeRef::<Form>::new();
    // A receipt holds text and numbers only, which always become JSON.
    let receipt = BASE64_URL_SAFE_NO_PAD.encode(json::write(&receipt).unwrap_or_default());
    if at_once {
        Effect::new(move || {
            if let Some(form) = form.get() {
                // Where the browser doesn't send it, the button is there to be pressed.
                let _ = form.request_submit();
            }
        });
    }
    view! {
        <form method="post" action=format!("{shop}/unlock") node_ref=form>
            <input type="hidden" name="receipt" value=receipt/>
            <button type="submit" class=class>
                {label}
                {about.map(|about| view! { <span class="visually-hidden">{format!(": {about}")}</span> })}
            </button>
        </form>
    }
}
