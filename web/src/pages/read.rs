//! Read: the articles of the shops that this wallet knows, and what was bought there.

use leptos::prelude::*;
use tuppence_wallet::view::{ArticleCard, LibraryEntry};
use tuppence_wallet::{Wallet, WalletError};

use crate::address::A;
use crate::browser;
use crate::components::{Empty, Heading, Icon, OpenForm, Sum, Symbol, loaded};
use crate::dates;
use crate::locales::{Said, texts};
use crate::pages::approve;
use crate::state::Loader;
use crate::view::{Child, child, view};

/// What the shops sell, what was bought, and which shops were silent.
#[derive(Debug, Clone)]
struct Shelf {
    cards: Vec<ArticleCard>,
    library: Vec<LibraryEntry>,
    silent: Vec<String>,
}

/// All articles of all shops.
#[component]
pub fn Read() -> impl IntoView {
    let texts = texts();
    let shelf = Loader::new(fetch);
    let wanted = RwSignal::new(String::new());
    let only_own = RwSignal::new(false);
    view! {
        <div class="page__head">
            <Heading text=texts.read.title/>
            <p class="page__lead">{texts.read.lead}</p>
        </div>
        <div class="stack">
            <div class="search" role="search">
                <Icon symbol=Symbol::Search/>
                <input
                    type="search"
                    class="input"
                    aria-label=texts.read.search
                    placeholder=texts.read.search
                    on:input=move |event| wanted.set(event_target_value(&event))
                />
            </div>
            <div class="segments">
                <Segment words=texts.read.all own=false only_own=only_own/>
                <Segment words=texts.read.yours_filter own=true only_own=only_own/>
            </div>
            {loaded(shelf, move |shelf| view! { <Articles shelf=shelf wanted=wanted only_own=only_own/> })}
        </div>
    }
}

async fn fetch(wallet: Wallet) -> Result<Shelf, WalletError> {
    // What pages have bought with budgets, the shops know. Where they can't be asked, there is still all the rest.
    if wallet.has_granted().await? {
        let _ = wallet.granted().await;
    }
    let library = wallet.library().await?;
    let mut shelf = Shelf { cards: Vec::new(), library, silent: Vec::new() };
    let shops = match wallet.shops().await {
        Ok(shops) => shops,
        // Without the center there is still what was bought.
        Err(error) if shelf.library.is_empty() => return Err(error),
        Err(_) => return Ok(shelf),
    };
    let mut failure = None;
    for shop in shops.into_iter().filter(|shop| shop.accepted) {
        match wallet.articles(&shop.shop.origin).await {
            Ok(cards) => shelf.cards.extend(cards),
            Err(error) => {
                shelf.silent.push(shop.shop.name);
                failure = Some(error);
            }
        }
    }
    // A shelf that is empty because nobody answers is no empty shelf.
    if let Some(error) = failure.filter(|_| shelf.cards.is_empty() && shelf.library.is_empty()) {
        return Err(error);
    }
    shelf.cards.sort_by_key(|card| std::cmp::Reverse(card.date));
    Ok(shelf)
}

#[component]
fn Segment(words: &'static str, own: bool, only_own: RwSignal<bool>) -> impl IntoView {
    view! {
        <button
            type="button"
            class="segment"
            aria-pressed=move || (only_own.get() == own).to_string()
            on:click=move |_| only_own.set(own)
        >
            {words}
        </button>
    }
}

#[component]
fn Articles(shelf: Shelf, wanted: RwSignal<String>, only_own: RwSignal<bool>) -> impl IntoView {
    let texts = &texts().read;
    let silent = shelf
        .silent
        .iter()
        .map(|shop| view! { <p class="notice notice--caution">{texts.shop_silent.with(&[shop])}</p> })
        .collect::<Vec<_>>();
    let nothing = shelf.cards.is_empty() && shelf.library.is_empty();
    let shelf = StoredValue::new(shelf);
    let found = move || {
        let (wanted, own) = (wanted.get(), only_own.get());
        let items = shelf.with_value(|shelf| items(shelf, own, &wanted));
        if !items.is_empty() {
            let count = texts.found.count(items.len());
            let cards = items.into_iter().map(|item| view! { <Card item=item/> }).collect::<Vec<_>>();
            return view! {
                <p class="visually-hidden" role="status">{count}</p>
                <ul class="cards">{cards}</ul>
            };
        }
        if nothing {
            return view! { <Empty title=texts.empty_title text=texts.empty/> };
        }
        let words = if own && wanted.trim().is_empty() { texts.none_yours } else { texts.nothing_found };
        view! { <p class="notice notice--quiet" role="status">{words}</p> }
    };
    view! {
        {silent}
        {found}
    }
}

/// An article on the shelf: one that a shop sells, one that was bought, or both.
#[derive(Debug, Clone)]
struct Item {
    card: Option<ArticleCard>,
    bought: Option<LibraryEntry>,
}

impl Item {
    fn matches(&self, wanted: &str) -> bool {
        let mut words = Vec::new();
        if let Some(card) = &self.card {
            words.extend([&card.title, &card.teaser, &card.shop.name]);
            words.extend(card.authors.iter().chain(&card.tags));
        }
        if let Some(bought) = &self.bought {
            words.extend([&bought.title, &bought.shop.name]);
        }
        let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
        let words = browser::lower_case(&words.join(" "));
        browser::lower_case(wanted).split_whitespace().all(|wanted| words.contains(wanted))
    }
}

/// What shops sell, newest first, then what was bought and is not on sale any more.
fn items(shelf: &Shelf, own: bool, wanted: &str) -> Vec<Item> {
    let same = |card: &ArticleCard, bought: &LibraryEntry| {
        card.shop.origin == bought.shop.origin && card.slug == bought.slug
    };
    let on_sale = shelf.cards.iter().map(|card| Item {
        card: Some(card.clone()),
        bought: shelf.library.iter().find(|bought| same(card, bought)).cloned(),
    });
    let only_bought = shelf
        .library
        .iter()
        .filter(|bought| !shelf.cards.iter().any(|card| same(card, bought)))
        .map(|bought| Item { card: None, bought: Some(bought.clone()) });
    on_sale
        .chain(only_bought)
        .filter(|item| (!own || item.bought.is_some()) && item.matches(wanted))
        .collect()
}

#[component]
fn Card(item: Item) -> impl IntoView {
    let texts = &texts().read;
    let Item { card, bought } = item;
    let (title, shop) = match (&card, &bought) {
        (Some(card), _) => (card.title.clone(), card.shop.clone()),
        (None, Some(bought)) => (bought.title.clone(), bought.shop.clone()),
        (None, None) => return ().child(),
    };
    let teaser = card.as_ref().map(|card| card.teaser.clone()).filter(|teaser| !teaser.is_empty());
    let byline = card.as_ref().map(|card| {
        let date = card.date.map(dates::said_date);
        let authors = (!card.authors.is_empty()).then(|| texts.by.with(&[&card.authors.join(", ")]));
        [authors, date].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    });
    if let Some(bought) = bought {
        return view! {
            <li class="card">
                <p class="card__over">
                    <span>{shop.name}</span>
                    <span class="chip chip--gain">{texts.yours}</span>
                </p>
                <h2 class="card__title">{title.clone()}</h2>
                {byline.map(|byline| view! { <p class="soft small">{byline}</p> })}
                {teaser.map(|teaser| view! { <p class="clamp">{teaser}</p> })}
                <div class="card__foot">
                    <OpenForm
                        shop=shop.origin
                        receipt=bought.receipt
                        label=texts.open
                        about=title
                        class="button"
                    />
                </div>
            </li>
        };
    }
    let Some(card) = card else { return ().child() };
    let free = card.price.is_zero();
    let name = title.clone();
    let link = if free {
        // What is free is read at the shop itself.
        browser::address_at(&shop.origin, &card.url)
            .map(|url| view! { <a href=url rel="external">{name}</a> })
    } else {
        let path = approve::path(&shop.origin, &card.slug);
        Some(view! { <A href=path>{name}</A> })
    };
    view! {
        <li class="card card--link">
            <p class="card__over">
                <span>{shop.name.clone()}</span>
            </p>
            <h2 class="card__title">{link.unwrap_or_else(|| child(title))}</h2>
            {byline.map(|byline| view! { <p class="soft small">{byline}</p> })}
            {teaser.map(|teaser| view! { <p class="clamp">{teaser}</p> })}
            <p class="card__foot">
                {if free {
                    view! { <span class="chip">{texts.free}</span> }
                } else {
                    view! {
                        <span class="price">
                            <Sum amount=card.price/>
                        </span>
                    }
                }}
            </p>
        </li>
    }
}
