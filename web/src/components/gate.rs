//! What needs a wallet is shown once there is one; until then, its creation.

use leptos::prelude::*;

use crate::components::{Trouble, Waiting};
use crate::locales::texts;
use crate::pages::Welcome;
use crate::state::{Phase, WalletState};

/// Shows a page to who has a wallet.
#[component]
pub fn Gate(
    /// Whether an article is waiting to be paid.
    to_pay: bool,
    page: fn() -> AnyView,
) -> impl IntoView {
    let state = WalletState::current();
    move || match state.phase() {
        Phase::Opening => view! { <Waiting text=texts().common.loading/> }.into_any(),
        Phase::Failed(error) => view! { <Trouble error=error again=move || state.open()/> }.into_any(),
        Phase::Empty => view! { <Welcome to_pay=to_pay/> }.into_any(),
        Phase::Ready => page(),
    }
}
