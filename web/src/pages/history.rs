//! History: by day, with signed amounts and the balance after each.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::view::{EntryKind, HistoryEntry};
use tuppence_wallet::{Wallet, WalletError, json};

use crate::address::A;
use crate::browser;
use crate::components::{Empty, Heading, SumChange, Trouble, loaded};
use crate::dates;
use crate::locales::{Said, texts};
use crate::money;
use crate::pages::entry;
use crate::state::{Loader, WalletState};
use crate::view::view;

/// Entries that are shown at first, and more at each press of the button.
const PAGE: usize = 50;
/// Entries that are read at once for the table.
const BATCH: usize = 500;

/// All that has changed the balance.
#[component]
pub fn History() -> impl IntoView {
    let texts = &texts().history;
    let count = RwSignal::new(PAGE);
    let entries = Loader::new(move |wallet| {
        let wanted = count.get() + 1;
        async move { wallet.history(None, wanted).await }
    });
    view! {
        <div class="page__head">
            <Heading text=texts.title/>
            <Export/>
        </div>
        {loaded(entries, move |entries| view! { <Days entries=entries count=count/> })}
    }
}

#[component]
fn Days(entries: Vec<HistoryEntry>, count: RwSignal<usize>) -> impl IntoView {
    let texts = &texts().history;
    if entries.is_empty() {
        return view! { <Empty title=texts.empty_title text=texts.empty/> };
    }
    let shown = count.get_untracked();
    let more = (entries.len() > shown).then(|| {
        view! {
            <button type="button" class="button" on:click=move |_| count.update(|count| *count += PAGE)>
                {texts.more}
            </button>
        }
    });
    let mut entries = entries;
    entries.truncate(shown);
    let days = entries
        .chunk_by(|a, b| dates::day(a.at) == dates::day(b.at))
        .map(|day| view! { <Day entries=day.to_vec()/> })
        .collect::<Vec<_>>();
    view! {
        <div class="stack">{days} {more}</div>
    }
}

#[component]
fn Day(entries: Vec<HistoryEntry>) -> impl IntoView {
    let title = entries.first().map(|entry| dates::said_day(entry.at));
    let rows = entries.into_iter().map(|entry| view! { <Row entry=entry/> }).collect::<Vec<_>>();
    view! {
        <section class="day">
            <h2>{title}</h2>
            <ul class="rows">{rows}</ul>
        </section>
    }
}

#[component]
fn Row(entry: HistoryEntry) -> impl IntoView {
    let texts = &texts().history;
    let shop = entry.shop.as_ref().map(|shop| shop.name.clone());
    let under =
        [Some(dates::said_time(entry.at)), shop].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let (path, words) = (entry::path(entry.number), words(&entry));
    let unchanged = entry.change.amount.is_zero();
    view! {
        <li class="row">
            <div>
                <p class="row__title">
                    <A href=path>{words}</A>
                </p>
                <p class="soft small">{under}</p>
            </div>
            <div class="row__side">
                {if unchanged {
                    view! { <p class="soft small">{texts.no_change}</p> }
                } else {
                    view! {
                        <p>
                            <SumChange change=entry.change/>
                        </p>
                    }
                }}
                <p class="soft small amount">{texts.balance_after.with(&[&money::said(entry.balance_after)])}</p>
            </div>
        </li>
    }
}

/// An entry in words: what it was, and the title of the article or question.
pub fn words(entry: &HistoryEntry) -> String {
    let texts = &texts().history;
    let is_budget = entry.subject.as_deref().is_some_and(|subject| subject.starts_with("vendor-scrip:"));
    match (&entry.title, &entry.shop, entry.kind) {
        (_, Some(shop), EntryKind::Paid) if is_budget => texts.budget.with(&[&shop.name]),
        (_, Some(shop), EntryKind::Adjusted) => texts.budget_rest.with(&[&shop.name]),
        (Some(title), ..) => format!("{}: {title}", kind(entry.kind)),
        (None, ..) => kind(entry.kind).to_owned(),
    }
}

/// What kind of entry it is.
pub fn kind(kind: EntryKind) -> &'static str {
    let texts = &texts().history;
    match kind {
        EntryKind::Registered => texts.registered,
        EntryKind::Earned => texts.earned,
        EntryKind::Paid => texts.paid,
        EntryKind::CashOut => texts.cash_out,
        EntryKind::CashOutReturned => texts.cash_out_returned,
        EntryKind::Cancelled => texts.cancelled,
        EntryKind::Adjusted => texts.adjusted,
    }
}

/// Saves the whole history as a table for other programs.
#[component]
fn Export() -> impl IntoView {
    let state = WalletState::current();
    let failure = RwSignal::new(None::<WalletError>);
    let export = move |_| {
        let Some(wallet) = state.wallet() else { return };
        spawn_local(async move {
            match table(&wallet).await {
                Ok(table) => {
                    // A browser that refuses to save says so itself.
                    let _ = browser::download("tuppence-history.csv", "text/csv", &table);
                    failure.set(None);
                }
                Err(error) => failure.set(Some(error)),
            }
        });
    };
    view! {
        <button type="button" class="button button--quiet" on:click=export>
            {texts().history.export}
        </button>
        {move || failure.get().map(|error| view! { <Trouble error=error/> })}
    }
}

async fn table(wallet: &Wallet) -> Result<String, WalletError> {
    let mut table =
        String::from("number,time,kind,change,amount,balance after,shop,title,subject,transaction\r\n");
    let mut before = None;
    loop {
        let entries = wallet.history(before, BATCH).await?;
        let Some(last) = entries.last() else { return Ok(table) };
        before = Some(last.number);
        entries.iter().for_each(|entry| table.push_str(&line(entry)));
    }
}

/// One line of the table. Amounts as on the wire, times as ISO 8601.
fn line(entry: &HistoryEntry) -> String {
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    let kind = json::write(&entry.kind).and_then(|kind| json::read::<String>(&kind)).ok();
    let change = match (entry.change.amount.is_zero(), entry.change.gain) {
        (true, _) => "",
        (false, true) => "+",
        (false, false) => "-",
    };
    let cells = [
        entry.number.to_string(),
        dates::iso(entry.at),
        kind.unwrap_or_default(),
        change.to_owned(),
        entry.change.amount.to_string(),
        entry.balance_after.to_string(),
        entry.shop.as_ref().map(|shop| shop.origin.clone()).unwrap_or_default(),
        or_empty(&entry.title),
        or_empty(&entry.subject),
        or_empty(&entry.tran_id),
    ];
    cells.map(|cell| quoted(&cell)).join(",") + "\r\n"
}

/// A cell as RFC 4180 quotes it. A title that a spreadsheet would take for a formula is kept from being one.
fn quoted(cell: &str) -> String {
    let formula = cell.len() > 1 && cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        assert_eq!(quoted("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
        assert_eq!(quoted("+"), "\"+\"");
    }
}
