//! The messages of an entry, drawn as the patent's figures draw them: buyer, center and seller as columns, one arrow
//! for each message.

use leptos::prelude::*;
use tuppence_wallet::view::{ExchangeStep, Party};

use crate::dates;
use crate::locales::{Said, texts};
use crate::view::view;

/// The exchange, step by step. Each step opens to its message.
#[component]
pub fn Exchange(steps: Vec<ExchangeStep>) -> impl IntoView {
    let texts = &texts().history;
    // The numbers are the patent's own: buyer 10, payment center 20, seller 30.
    let parties = [(texts.buyer, "10"), (texts.center, "20"), (texts.seller, "30")];
    let heads = parties
        .into_iter()
        .map(|(name, number)| {
            view! {
                <span>
                    {name}
                    <span class="exchange__number">{number}</span>
                </span>
            }
        })
        .collect::<Vec<_>>();
    let steps = steps.into_iter().map(|step| view! { <Step step=step/> }).collect::<Vec<_>>();
    view! {
        <div class="exchange">
            <div class="exchange__parties" aria-hidden="true">
                {heads}
            </div>
            <ol class="exchange__steps">{steps}</ol>
        </div>
    }
}

#[component]
fn Step(step: ExchangeStep) -> impl IntoView {
    let texts = &texts().history;
    let name = |party| match party {
        Party::Buyer => texts.buyer,
        Party::Center => texts.center,
        Party::Seller => texts.seller,
    };
    let between = texts.from_to.with(&[name(step.sender), name(step.recipient)]);
    // A receipt is called so already.
    let title = texts.message.of(&step.code).filter(|title| *title != step.name).unwrap_or_default();
    view! {
        <li class="exchange__step">
            <div class="exchange__line" aria-hidden="true">
                <span class=arrow(step.sender, step.recipient)></span>
            </div>
            <details class="exchange__body">
                <summary>
                    <span class="exchange__name">{step.name}</span>
                    <span>{title}</span>
                    <span class="visually-hidden">{between}</span>
                    <code>{step.code}</code>
                    <span class="exchange__when">{dates::said_second(step.at)}</span>
                </summary>
                // The code scrolls where it is long, and so it can be reached by keyboard.
                <pre class="code" tabindex="0">{step.body}</pre>
            </details>
        </li>
    }
}

/// Columns from left to right: buyer, center, seller.
fn arrow(sender: Party, recipient: Party) -> &'static str {
    match (sender, recipient) {
        (Party::Buyer, Party::Seller) => "exchange__arrow exchange__arrow--far exchange__arrow--out",
        (Party::Seller, Party::Buyer) => "exchange__arrow exchange__arrow--far exchange__arrow--back",
        (Party::Center, Party::Seller) => "exchange__arrow exchange__arrow--inner exchange__arrow--out",
        (Party::Seller, Party::Center) => "exchange__arrow exchange__arrow--inner exchange__arrow--back",
        (Party::Center, Party::Buyer) => "exchange__arrow exchange__arrow--near exchange__arrow--back",
        (Party::Buyer, _) | (Party::Seller, Party::Seller) | (Party::Center, Party::Center) => {
            "exchange__arrow exchange__arrow--near exchange__arrow--out"
        }
    }
}
