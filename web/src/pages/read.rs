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

/// An article on the shelf: one that a shop sells, one that was bought as a whole or in parts, or both.
#[derive(Debug, Clone)]
struct Item {
    card: Option<ArticleCard>,
    bought: Option<LibraryEntry>,
    /// By number; none where all of it was bought.
    parts: Vec<LibraryEntry>,
}

impl Item {
    fn is_own(&self) -> bool {
        self.bought.is_some() || !self.parts.is_empty()
    }

    /// Whether this is of the same article.
    fn is_of(&self, bought: &LibraryEntry) -> bool {
        let own = self.bought.as_ref().or(self.parts.first()).map(whole);
        let on_sale = self.card.as_ref().map(|card| (card.shop.origin.as_str(), card.slug.as_str()));
        own.or(on_sale) == Some(whole(bought))
    }

    fn matches(&self, wanted: &str) -> bool {
        let mut words = Vec::new();
        if let Some(card) = &self.card {
            words.extend([&card.title, &card.teaser, &card.shop.name]);
            words.extend(card.authors.iter().chain(&card.tags));
        }
        for bought in self.bought.iter().chain(&self.parts) {
            words.extend([&bought.title, &bought.shop.name]);
        }
        let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
        let words = browser::lower_case(&words.join(" "));
        browser::lower_case(wanted).split_whitespace().all(|wanted| words.contains(wanted))
    }
}

/// The shop and the short name of an article, or of the one that a part is of.
fn whole(entry: &LibraryEntry) -> (&str, &str) {
    (&entry.shop.origin, entry.part().map_or(&entry.slug, |(whole, _)| whole))
}

/// What shops sell, newest first, then what was bought and is not on sale any more.
fn items(shelf: &Shelf, own: bool, wanted: &str) -> Vec<Item> {
    let mut items: Vec<Item> = shelf
        .cards
        .iter()
        .map(|card| Item { card: Some(card.clone()), bought: None, parts: Vec::new() })
        .collect();
    for bought in &shelf.library {
        let place = items.iter().position(|item| item.is_of(bought)).unwrap_or_else(|| {
            items.push(Item { card: None, bought: None, parts: Vec::new() });
            items.len() - 1
        });
        match bought.part() {
            Some(_) => items[place].parts.push(bought.clone()),
            None => items[place].bought = Some(bought.clone()),
        }
    }
    for item in &mut items {
        if item.bought.is_some() {
            item.parts.clear();
        }
        item.parts.sort_by_key(|part| part.part().map(|(_, number)| number));
    }
    items.retain(|item| (!own || item.is_own()) && item.matches(wanted));
    items
}

#[component]
fn Card(item: Item) -> impl IntoView {
    let texts = &texts().read;
    let Item { card, bought, parts } = item;
    let (title, shop) = match (&card, bought.as_ref().or(parts.first())) {
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
    if !parts.is_empty() {
        let link = card.map(|card| approve::path(&card.shop.origin, &card.slug));
        let forms = parts.into_iter().map(|entry| {
            let number = entry.part().map_or(0, |(_, number)| number);
            view! {
                <OpenForm
                    shop=entry.shop.origin
                    receipt=entry.receipt
                    label=texts.part.with(&[&number.to_string()])
                    about=entry.title
                    class="button"
                />
            }
        });
        let name = title.clone();
        return view! {
            <li class="card">
                <p class="card__over">
                    <span>{shop.name}</span>
                    <span class="chip chip--gain">{texts.yours_in_part}</span>
                </p>
                <h2 class="card__title">
                    {link.map_or_else(|| child(title), |path| child(view! { <A href=path>{name}</A> }))}
                </h2>
                {byline.map(|byline| view! { <p class="soft small">{byline}</p> })}
                <div class="card__foot card__foot--parts">{forms.collect::<Vec<_>>()}</div>
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
