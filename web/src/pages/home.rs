//! Home: the balance, what has just happened, what is under way, and two doors.

use leptos::prelude::*;
use tuppence_wallet::view::HistoryEntry;

use crate::address::A;
use crate::components::{Heading, Icon, Logo, PendingList, SumChange, Symbol};
use crate::dates;
use crate::locales::{Said, texts};
use crate::money;
use crate::pages::recovery::SaveWords;
use crate::pages::{entry, history};
use crate::state::{Loader, WalletState};
use crate::view::{child, view};

/// The wallet at a glance.
#[component]
pub fn Home() -> impl IntoView {
    let texts = texts();
    view! {
        <div class="stack stack--wide">
            <Heading text=texts.home.title class="visually-hidden"/>
            <BalanceSlip/>
            <UnderWay/>
            <Doors/>
            <Safety/>
        </div>
    }
}

#[component]
fn BalanceSlip() -> impl IntoView {
    let texts = texts();
    let state = WalletState::current();
    let said = move || state.balance().map(|balance| money::said(balance.amount)).unwrap_or_default();
    let last = move || state.balance().and_then(|balance| balance.last);
    view! {
        <section class="slip">
            <Logo class="slip__mark"/>
            <h2 class="slip__label">{texts.common.balance}</h2>
            <p class="balance">{said}</p>
            {move || match last() {
                Some(entry) => view! { <Happened entry=entry/> },
                None => view! { <p class="soft">{texts.home.nothing_yet}</p> },
            }}
        </section>
    }
}

#[component]
fn Happened(entry: HistoryEntry) -> impl IntoView {
    let words = history::words(&entry);
    let when = format!("{}, {}", dates::said_day(entry.at), dates::said_time(entry.at));
    view! {
        <p class="happened">
            {(!entry.change.amount.is_zero()).then(|| view! { <SumChange change=entry.change/> })}
            <A href=entry::path(entry.number)>{words}</A>
            <span class="soft small">{when}</span>
        </p>
    }
}

#[component]
fn UnderWay() -> impl IntoView {
    let state = WalletState::current();
    let operations = move || state.balance().map(|balance| balance.pending).unwrap_or_default();
    child(move || {
        let operations = operations();
        (!operations.is_empty()).then(|| {
            view! {
                <section class="section">
                    <h2>{texts().home.pending}</h2>
                    <PendingList operations=operations/>
                </section>
            }
        })
    })
}

#[component]
fn Doors() -> impl IntoView {
    let texts = texts();
    let door = |path, class, symbol, name, what| {
        view! {
            <A href=path class=class>
                <Icon symbol=symbol/>
                <span>
                    <span class="door__name">{name}</span>
                    <span class="door__what">{what}</span>
                </span>
            </A>
        }
    };
    view! {
        <div class="doors">
            {door("/earn", "door door--first", Symbol::Earn, texts.common.earn, texts.home.earn_what)}
            {door("/read", "door", Symbol::Read, texts.common.read, texts.home.read_what)}
        </div>
    }
}

/// Quiet reminders: that some pages need not ask, from when on e-cash becomes money, and of the recovery words until
/// they were saved.
#[component]
fn Safety() -> impl IntoView {
    let texts = texts();
    let terms = Loader::new(|wallet| async move { wallet.cash_out_terms().await });
    let cash_out = move || {
        terms.ready().map(|terms| {
            view! {
                <p class="soft">
                    {texts.home.cash_out_at.with(&[&money::said(terms.threshold)])} " "
                    <A href="/cash-out">{texts.common.cash_out}</A>
                </p>
            }
        })
    };
    let granted = Loader::new(|wallet| async move { wallet.has_granted().await });
    let set_aside = move || {
        granted.ready().unwrap_or_default().then(|| {
            view! {
                <p class="soft">
                    {texts.home.set_aside} " "
                    <A href="/budgets">{texts.budgets.title}</A>
                </p>
            }
        })
    };
    view! {
        <SaveWords/>
        {set_aside}
        {cash_out}
    }
}
