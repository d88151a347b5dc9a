//! Budgets at shops and daily allowances: what was set aside or allowed for which page, what is left, and the way to end it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::WalletError;
use tuppence_wallet::view::{Allowance, Budget, Granted};

use crate::components::{Heading, Skeleton, Trouble};
use crate::dates;
use crate::errors::While;
use crate::locales::{Said, texts};
use crate::money;
use crate::state::{Load, Loader, WalletState};
use crate::view::{child, view};

/// All of them, as the shops say they stand.
#[component]
pub fn Budgets() -> impl IntoView {
    let texts = &texts().budgets;
    let known = Loader::new(|wallet| async move { wallet.granted().await });
    view! {
        <div class="stack page--narrow">
            <Heading text=texts.title/>
            <p class="soft">{texts.lead}</p>
            {child(move || match known.load() {
                Load::Loading => view! { <Skeleton/> },
                Load::Failed(error) => view! { <Trouble error=error again=move || known.again()/> },
                Load::Ready(Granted { budgets, allowances }) if budgets.is_empty() && allowances.is_empty() => {
                    view! { <p>{texts.none}</p> }
                }
                Load::Ready(Granted { budgets, allowances }) => {
                    let budgets = budgets.into_iter().map(|one| view! { <One budget=one/> }).collect::<Vec<_>>();
                    let allowances =
                        allowances.into_iter().map(|one| view! { <Daily allowance=one/> }).collect::<Vec<_>>();
                    view! { <ul class="stack">{budgets}{allowances}</ul> }
                }
            })}
        </div>
    }
}

#[component]
fn One(budget: Budget) -> impl IntoView {
    let texts = &texts().budgets;
    let ending = RwSignal::new(false);
    let failed = RwSignal::new(None::<WalletError>);
    let (shop, page) = (budget.shop.origin.clone(), budget.page.clone());
    let end = move |_| {
        let Some(wallet) = WalletState::current().wallet().filter(|_| !ending.get_untracked()) else {
            return;
        };
        let (shop, page) = (shop.clone(), page.clone());
        ending.set(true);
        failed.set(None);
        spawn_local(async move {
            failed.set(wallet.end_budget(&shop, page.as_deref()).await.err());
            ending.set(false);
        });
    };
    let spent = budget.approved.checked_sub(budget.left).ok();
    let left = money::said_beside(budget.left, budget.approved);
    view! {
        <li class="card stack">
            <p class="card__over">
                <strong>{budget.shop.name}</strong>
                <span class="origin">{budget.page.unwrap_or(budget.shop.origin)}</span>
            </p>
            <p class="card__foot">
                <strong>{texts.left_of.with(&[&left, &money::said(budget.approved)])}</strong>
                <span class="soft small">{spent.map(|spent| texts.spent.with(&[&money::said(spent)]))}</span>
            </p>
            {budget.expires.map(|day| view! { <p class="soft small">{texts.until.with(&[&dates::said_day(day)])}</p> })}
            <button type="button" class="button" aria-disabled=move || ending.get().to_string() on:click=end>
                {move || if ending.get() { texts.ending } else { texts.end }}
            </button>
            {child(move || failed.get().map(|error| view! { <Trouble error=error during=While::Looking/> }))}
        </li>
    }
}

#[component]
fn Daily(allowance: Allowance) -> impl IntoView {
    let texts = &texts().budgets;
    let (shop, page) = (allowance.shop.origin, allowance.page.clone());
    let end = move |_| {
        let Some(wallet) = WalletState::current().wallet() else { return };
        let (shop, page) = (shop.clone(), page.clone());
        // The list is read again, and says how it stands.
        spawn_local(async move { drop(wallet.end_allowance(&shop, &page).await) });
    };
    view! {
        <li class="card stack">
            <p class="card__over">
                <strong>{allowance.shop.name}</strong>
                <span class="origin">{allowance.page}</span>
            </p>
            <p class="card__foot">
                <strong>{texts.a_day.with(&[&money::said(allowance.a_day)])}</strong>
                <span class="soft small">{texts.today.with(&[&money::said(allowance.spent)])}</span>
            </p>
            <button type="button" class="button" on:click=end>
                {texts.ask_again}
            </button>
        </li>
    }
}
