//! Loading, empty and under way, the same on every page.

use leptos::prelude::*;

use crate::components::{Logo, Trouble};
use crate::locales::texts;
use crate::state::{Load, Loader};
use crate::view::{child, view};

/// What a loader has, or how far it is.
pub fn loaded<T>(loader: Loader<T>, show: impl Fn(T) -> AnyView + Send + 'static) -> AnyView
where
    T: Clone + Send + Sync + 'static,
{
    child(move || match loader.load() {
        Load::Loading => view! { <Skeleton/> },
        Load::Failed(error) => view! { <Trouble error=error again=move || loader.again()/> },
        Load::Ready(value) => show(value),
    })
}

/// The place of what is being fetched.
#[component]
pub fn Skeleton() -> impl IntoView {
    view! {
        <div class="skeleton" role="status">
            <span class="visually-hidden">{texts().common.loading}</span>
            <div class="skeleton__bar"></div>
            <div class="skeleton__bar"></div>
        </div>
    }
}

/// Something is being done, and this is what.
#[component]
pub fn Waiting(#[prop(into)] text: String) -> impl IntoView {
    view! {
        <div class="waiting" role="status">
            <div class="waiting__dots" aria-hidden="true">
                <span></span>
                <span></span>
            </div>
            <p>{text}</p>
        </div>
    }
}

/// There is nothing here yet, and what to do about it.
#[component]
pub fn Empty(
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <Logo/>
            <h2>{title}</h2>
            <p class="soft">{text}</p>
            {children.map(|children| children())}
        </div>
    }
}
