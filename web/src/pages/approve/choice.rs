//! What a reader approves: one article; the same, and more of the kind without asking, up to a sum a day; or a budget
//! from which the page pays by itself.

use leptos::prelude::*;
use tuppence_protocol::Amount;
use tuppence_wallet::view::{ArticleCard, ShopInfo};

use crate::asker;
use crate::locales::{Said, texts};
use crate::money;
use crate::view::view;

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approved {
    /// The article, at this price.
    Article(Amount),
    /// The same, and from now on without asking up to so much a day.
    Daily(Amount, Amount),
    /// A budget of so much.
    Budget(Amount),
}

impl Approved {
    /// What leaves the balance.
    pub const fn sum(self) -> Amount {
        match self {
            Approved::Article(sum) | Approved::Daily(sum, _) | Approved::Budget(sum) => sum,
        }
    }
}

/// The budget to offer: what the shop suggests, as far as the balance goes. Nothing where the page keeps none, or where it
/// would hold no more than this one article, or no part of it where it is read by the part.
pub fn budget(shop: &ShopInfo, article: &ArticleCard, balance: Amount) -> Option<Amount> {
    let suggested = shop.budget.filter(|_| asker::keeps_budgets(&shop.shop.origin, &article.slug))?;
    let budget = if balance.covers(suggested) { suggested } else { balance };
    let holds_enough = match part(article) {
        Some(unit) => budget.covers(unit),
        None => budget.currency() == article.price.currency() && !article.price.covers(budget),
    };
    holds_enough.then_some(budget)
}

/// What a part costs, where the page asks for a budget to read by the part.
pub fn part(article: &ArticleCard) -> Option<Amount> {
    let meter = article.meter.filter(|_| asker::reads_by_part(&article.shop.origin, &article.slug))?;
    Some(meter.unit)
}

/// The allowance to offer: ten articles of this price a day.
pub fn daily(price: Amount) -> Option<Amount> {
    Amount::new(price.currency(), price.micros().checked_mul(10)?).ok()
}

/// One of them.
#[component]
pub fn Choice(
    chosen: RwSignal<Approved>,
    article: ArticleCard,
    balance: Option<Amount>,
    budget: Option<Amount>,
) -> impl IntoView {
    let texts = &texts().approve;
    let price = article.price;
    let part = part(&article);
    // What is read by the part may cost more as a whole than there is.
    let whole = balance.is_none_or(|balance| balance.covers(price)).then_some(price);
    let way = |approved: Approved, name: String, what: Option<&'static str>| {
        view! {
            <label class="choice">
                <input
                    type="radio"
                    name="approved"
                    prop:checked=move || chosen.get() == approved
                    on:change=move |_| chosen.set(approved)
                />
                <span>
                    <strong>{name}</strong>
                    {what.map(|what| view! { <span class="choice__what soft small">{what}</span> })}
                </span>
            </label>
        }
    };
    view! {
        <fieldset class="fieldset">
            <legend class="visually-hidden">{texts.choose}</legend>
            <div class="choices">
                {whole.map(|price| {
                    way(Approved::Article(price), texts.only_this.with(&[&money::said(price)]), None)
                })}
                {whole.filter(|_| part.is_none()).and_then(daily).map(|sum| {
                    let name = texts.daily.with(&[&money::said(sum)]);
                    way(Approved::Daily(price, sum), name, Some(texts.daily_what))
                })}
                {budget.map(|sum| {
                    let said = money::said(sum);
                    let (name, what) = match part {
                        Some(unit) => (texts.by_part.with(&[&money::said(unit), &said]), texts.by_part_what),
                        None => (texts.budget.with(&[&article.shop.name, &said]), texts.budget_what),
                    };
                    way(Approved::Budget(sum), name, Some(what))
                })}
            </div>
        </fieldset>
    }
}
