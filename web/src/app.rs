//! The application: what every page shares, and which address leads to which page.

use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

use crate::browser;
use crate::components::{Gate, Moved, Shell};
use crate::pages::{Approve, CashOut, Earn, Entry, History, Home, Missing, Question, Read, Settings};
use crate::state::preferences::Preferences;
use crate::state::{Errand, WalletState};

/// Replaces the page that was shown while this program was loading.
pub fn start() {
    if let Some(boot) = browser::element("boot") {
        boot.remove();
    }
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    let preferences = Preferences::start();
    provide_context(preferences);
    provide_context(WalletState::start());
    Errand::provide();
    Moved::provide();
    // Another language writes every page anew.
    move || {
        preferences.language.track();
        view! { <Pages/> }
    }
}

#[component]
fn Pages() -> impl IntoView {
    view! {
        <Router>
            <Shell>
                <Routes fallback=|| view! { <Missing/> }>
                    <Route path=path!("/") view=|| view! { <Gate><Home/></Gate> }/>
                    <Route path=path!("/earn") view=|| view! { <Gate><Earn/></Gate> }/>
                    <Route path=path!("/earn/question") view=|| view! { <Gate><Question/></Gate> }/>
                    <Route path=path!("/read") view=|| view! { <Gate><Read/></Gate> }/>
                    <Route path=path!("/approve") view=|| view! { <Gate to_pay=true><Approve/></Gate> }/>
                    <Route path=path!("/history") view=|| view! { <Gate><History/></Gate> }/>
                    <Route path=path!("/history/:number") view=|| view! { <Gate><Entry/></Gate> }/>
                    <Route path=path!("/cash-out") view=|| view! { <Gate><CashOut/></Gate> }/>
                    <Route path=path!("/settings") view=|| view! { <Settings/> }/>
                </Routes>
            </Shell>
        </Router>
    }
}
