//! An entry of the history: shop, article, receipt, time; under Details the exchange itself, step by step.

use leptos::prelude::*;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_wallet::Problem;
use tuppence_wallet::view::{EntryKind, HistoryDetail, HistoryEntry};

use crate::address::{A, Address};
use crate::components::{Exchange, Heading, OpenForm, SumChange, loaded};
use crate::dates;
use crate::locales::texts;
use crate::money;
use crate::pages::history;
use crate::state::Loader;
use crate::view::view;

/// The address of an entry.
pub fn path(number: u64) -> String {
    format!("/history/{number}")
}

/// One entry.
#[component]
pub fn Entry() -> impl IntoView {
    let texts = &texts().history;
    let address = Address::current();
    // Asked once: an entry does not change, and what is open stays open.
    let detail = Loader::once(move |wallet| {
        let number = address.path().strip_prefix("/history/").and_then(|number| number.parse().ok());
        async move {
            let number = number.ok_or(Problem::EntryUnknown)?;
            wallet.history_detail(number).await
        }
    });
    view! {
        <div class="stack page--narrow">
            <p>
                <A href="/history" class="link-row">
                    {texts.title}
                </A>
            </p>
            {loaded(detail, |detail| view! { <Detail detail=detail/> })}
        </div>
    }
}

#[component]
fn Detail(detail: HistoryDetail) -> impl IntoView {
    let texts = &texts().history;
    let common = &crate::locales::texts().common;
    let HistoryDetail { entry, exchange } = detail;
    let heading = entry.title.clone().unwrap_or_else(|| history::kind(entry.kind).to_owned());
    let open = match (entry.kind, &entry.shop, &entry.receipt) {
        (EntryKind::Paid, Some(shop), Some(receipt)) => Some(view! {
            <OpenForm shop=shop.origin.clone() receipt=receipt.clone() label=texts.open_again/>
        }),
        _ => None,
    };
    let exchange = if exchange.is_empty() {
        view! { <p class="soft">{texts.no_exchange}</p> }
    } else {
        view! {
            <p class="soft">{texts.exchange_what}</p>
            <Exchange steps=exchange/>
        }
    };
    view! {
        <div class="receipt">
            <p class="soft">{history::kind(entry.kind)}</p>
            <Heading text=heading/>
            {(!entry.change.amount.is_zero())
                .then(|| {
                    view! {
                        <p class="receipt__sum">
                            <SumChange change=entry.change/>
                        </p>
                    }
                })}
            <Facts entry=entry.clone()/>
            {open}
        </div>
        <details class="plain">
            <summary>{common.details}</summary>
            <div class="stack">
                {entry.tran_id.map(|id| {
                    view! {
                        <dl class="facts facts--long">
                            <div class="facts__row">
                                <dt>{texts.transaction}</dt>
                                <dd>
                                    <code class="breakable">{id}</code>
                                </dd>
                            </div>
                        </dl>
                    }
                })}
                <section class="section stack">
                    <h2>{texts.exchange}</h2>
                    {exchange}
                </section>
                {entry.receipt.map(|receipt| view! { <ReceiptText receipt=receipt/> })}
            </div>
        </details>
    }
}

#[component]
fn Facts(entry: HistoryEntry) -> impl IntoView {
    let texts = &texts().history;
    let shop = entry.shop.as_ref();
    let destination = matches!(entry.kind, EntryKind::CashOut | EntryKind::CashOutReturned);
    let row = |name: &'static str, value: String| {
        view! {
            <div class="facts__row">
                <dt>{name}</dt>
                <dd class="breakable">{value}</dd>
            </div>
        }
    };
    view! {
        <dl class="facts">
            {shop.map(|shop| row(texts.shop, format!("{} ({})", shop.name, shop.origin)))}
            {entry.subject.clone().filter(|_| destination).map(|place| row(texts.destination, place))}
            {row(texts.time, dates::said_moment(entry.at))}
            {row(texts.balance, money::said(entry.balance_after))}
            {entry.note.clone().map(|note| row(texts.note, note))}
        </dl>
    }
}

#[component]
fn ReceiptText(receipt: Receipt) -> impl IntoView {
    let texts = &texts().history;
    // A receipt holds text and numbers only, which always become JSON.
    let json = tuppence_wallet::json::pretty(&receipt).unwrap_or_default();
    view! {
        <section class="section stack">
            <h2>{texts.receipt}</h2>
            <p class="soft">{texts.receipt_what}</p>
            <pre class="code" tabindex="0">{json}</pre>
        </section>
    }
}
