//! What needs a wallet is shown once there is one; until then, its creation.

use leptos::prelude::*;

use crate::components::{Trouble, Waiting};
use crate::locales::texts;
use crate::pages::{Restore, Welcome};
use crate::state::{Phase, WalletState};
use crate::view::{child, view};

/// Shows a page to who has a wallet.
#[component]
pub fn Gate(
    /// Whether an article is waiting to be paid.
    to_pay: bool,
    page: fn() -> AnyView,
) -> impl IntoView {
    let state = WalletState::current();
    child(move || match state.phase() {
        Phase::Opening => view! { <Waiting text=texts().common.loading/> },
        Phase::Failed(error) => view! { <Trouble error=error again=move || state.open()/> },
        Phase::Empty => view! { <Welcome to_pay=to_pay/> },
        Phase::Lost => view! { <Restore/> },
        Phase::Ready => page(),
    })
}
