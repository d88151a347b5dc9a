//! Earn: the questions that are worth something, with kind, sponsor, minutes, reward and how many are left.

use leptos::prelude::*;
use tuppence_wallet::view::{CampaignCard, CampaignKind, CampaignState};
use tuppence_wallet::{Wallet, WalletError};

use crate::address::A;
use crate::components::{Coin, Empty, Heading, Sum, loaded};
use crate::locales::{Said, texts};
use crate::money;
use crate::pages::question;
use crate::state::{Errand, Loader, WalletState};
use crate::view::{child, view};

/// What the shops ask, and which of them were silent.
#[derive(Debug, Clone)]
struct Asked {
    cards: Vec<CampaignCard>,
    silent: Vec<String>,
}

/// All questions of all shops.
#[component]
pub fn Earn() -> impl IntoView {
    let texts = texts();
    let asked = Loader::new(ask);
    view! {
        <div class="page__head">
            <Heading text=texts.earn.title/>
            <p class="page__lead">{texts.earn.lead}</p>
        </div>
        <div class="stack">
            <SavingFor/>
            {loaded(asked, |asked| view! { <Cards asked=asked/> })}
        </div>
    }
}

async fn ask(wallet: Wallet) -> Result<Asked, WalletError> {
    let shops = wallet.shops().await?;
    let mut asked = Asked { cards: Vec::new(), silent: Vec::new() };
    let mut failure = None;
    for shop in shops.into_iter().filter(|shop| shop.accepted) {
        match wallet.campaigns(&shop.shop.origin).await {
            Ok(cards) => asked.cards.extend(cards),
            Err(error) => {
                asked.silent.push(shop.shop.name);
                failure = Some(error);
            }
        }
    }
    // That nobody answers does not mean that nobody asks.
    if let Some(error) = failure.filter(|_| asked.cards.is_empty()) {
        return Err(error);
    }
    asked.cards.sort_by_key(|card| (rank(card), card.minutes));
    Ok(asked)
}

/// What can be answered comes first, what was answered last.
fn rank(card: &CampaignCard) -> u8 {
    match card.state {
        CampaignState::Open if is_open(card) => 0,
        CampaignState::Pending => 1,
        CampaignState::Open => 2,
        CampaignState::Earned | CampaignState::Missed => 3,
    }
}

fn is_open(card: &CampaignCard) -> bool {
    card.state == CampaignState::Open && card.remaining != Some(0)
}

#[component]
fn Cards(asked: Asked) -> impl IntoView {
    let texts = texts();
    let nothing_open = !asked.cards.iter().any(is_open);
    let silent = asked
        .silent
        .iter()
        .map(|shop| view! { <p class="notice notice--caution">{texts.read.shop_silent.with(&[shop])}</p> })
        .collect::<Vec<_>>();
    if asked.cards.is_empty() {
        return view! {
            {silent}
            <Empty title=texts.earn.empty_title text=texts.earn.empty/>
        };
    }
    let cards = asked.cards.into_iter().map(|card| view! { <Card card=card/> }).collect::<Vec<_>>();
    view! {
        {silent}
        {nothing_open.then(|| view! { <p class="notice notice--quiet">{texts.earn.all_done}</p> })}
        <ul class="cards">{cards}</ul>
    }
}

#[component]
fn Card(card: CampaignCard) -> impl IntoView {
    let texts = texts();
    let open = is_open(&card);
    let title = card.title.clone();
    let standing = standing(&card);
    let title = if open {
        let path = question::path(&card.shop.origin, &card.item);
        view! { <A href=path>{title}</A> }
    } else {
        child(title)
    };
    let class = if open { "card card--link" } else { "card card--done" };
    view! {
        <li class=class>
            <p class="card__over">
                <span class="chip">{kind(card.kind)}</span>
                <span>{texts.earn.from.with(&[&card.sponsor])}</span>
            </p>
            <h2 class="card__title">{title}</h2>
            <p class="card__foot">
                <span class="reward">
                    <Coin/>
                    <Sum amount=card.reward/>
                </span>
                <span class="soft small">{standing}</span>
            </p>
        </li>
    }
}

fn standing(card: &CampaignCard) -> String {
    let texts = &texts().earn;
    match (card.state, card.remaining) {
        (CampaignState::Pending, _) => texts.on_its_way.to_owned(),
        (CampaignState::Earned, _) => texts.answered.to_owned(),
        (CampaignState::Missed, _) => texts.missed.to_owned(),
        (CampaignState::Open, Some(0)) => texts.left_none.to_owned(),
        (CampaignState::Open, Some(left)) => {
            format!("{} · {}", texts.minutes.count(card.minutes.max(1)), texts.left.count(left))
        }
        (CampaignState::Open, None) => texts.minutes.count(card.minutes.max(1)),
    }
}

/// The kind's name.
pub fn kind(kind: CampaignKind) -> &'static str {
    let texts = &texts().earn;
    match kind {
        CampaignKind::Quiz => texts.quiz,
        CampaignKind::Survey => texts.survey,
        CampaignKind::Advertisement => texts.advertisement,
    }
}

/// The article for which the reader is earning, and how much is missing.
#[component]
pub fn SavingFor() -> impl IntoView {
    let texts = texts();
    let state = WalletState::current();
    child(move || {
        let errand = Errand::current()?;
        let balance = state.balance()?.amount;
        let missing = errand.price.checked_sub(balance).ok().filter(|missing| !missing.is_zero());
        let (words, class) = match missing {
            Some(missing) => (texts.earn.still_needed.with(&[&money::said(missing)]), "button button--quiet"),
            None => (texts.earn.enough.to_owned(), "button button--primary"),
        };
        Some(view! {
            <div class="notice">
                <p>{format!("{} {words}", texts.earn.saving_for.with(&[&errand.title]))}</p>
                <p>
                    <A href=errand.path class=class>
                        {texts.earn.read_it}
                    </A>
                </p>
            </div>
        })
    })
}
