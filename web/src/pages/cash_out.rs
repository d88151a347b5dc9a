//! Cash out: how far it is to the threshold, the order, and how the orders stand.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_protocol::Amount;
use tuppence_wallet::WalletError;
use tuppence_wallet::view::{CashOutOrder, CashOutState, CashOutTerms};

use crate::components::{Heading, Sum, Trouble, Waiting, loaded};
use crate::dates;
use crate::errors::While;
use crate::locales::{Said, texts};
use crate::money;
use crate::state::{Loader, WalletState};
use crate::view::{child, view};

/// The longest destination that an order takes, in characters.
const DESTINATION_LENGTH_MAX: usize = 200;

/// How far the order is.
#[derive(Debug, Clone)]
enum Step {
    Writing,
    Checking(Amount),
    Ordering,
    Failed(WalletError),
}

/// Terms, form and orders.
#[component]
pub fn CashOut() -> impl IntoView {
    let texts = &texts().cash_out;
    let terms = Loader::new(|wallet| async move { wallet.cash_out_terms().await });
    let orders = Loader::new(|wallet| async move { wallet.cash_out_orders().await });
    view! {
        <div class="page__head">
            <Heading text=texts.title/>
            <p class="page__lead">{texts.lead}</p>
        </div>
        <div class="stack stack--wide page--narrow">
            {loaded(terms, move |terms| view! { <Terms terms=terms orders=orders/> })}
            <section class="section stack">
                <h2>{texts.orders}</h2>
                {loaded(orders, move |orders| view! { <Orders orders=orders/> })}
                <button type="button" class="button button--quiet" on:click=move |_| orders.again()>
                    {texts.refresh}
                </button>
            </section>
        </div>
    }
}

#[component]
fn Terms(terms: CashOutTerms, orders: Loader<Vec<CashOutOrder>>) -> impl IntoView {
    let texts = &texts().cash_out;
    let missing = terms.threshold.checked_sub(terms.balance).ok().filter(|_| !terms.reached);
    let said = |amount| money::said_beside(amount, terms.threshold);
    let have = texts.have_of.with(&[&said(terms.balance), &said(terms.threshold)]);
    view! {
        <section class="card">
            <p class="card__foot">
                <strong id="reached">{have}</strong>
                <span class="soft small">{texts.fee.with(&[&money::said(terms.fee)])}</span>
            </p>
            <progress
                class="progress"
                max=terms.threshold.micros().to_string()
                value=terms.balance.micros().min(terms.threshold.micros()).to_string()
                aria-label=texts.progress
                aria-describedby="reached"
            ></progress>
            {missing.map(|missing| view! { <p class="soft">{texts.missing.with(&[&said(missing)])}</p> })}
        </section>
        {terms.reached.then(|| view! { <Order terms=terms orders=orders/> })}
    }
}

#[component]
fn Order(terms: CashOutTerms, orders: Loader<Vec<CashOutOrder>>) -> impl IntoView {
    let state = WalletState::current();
    let step = RwSignal::new(Step::Writing);
    let amount = RwSignal::new(money::to_type(terms.balance));
    let destination = RwSignal::new(String::new());
    let terms = StoredValue::new(terms);
    let order = Callback::new(move |sum: Amount| {
        let Some(wallet) = state.wallet() else { return };
        if matches!(step.get_untracked(), Step::Ordering) {
            return;
        }
        step.set(Step::Ordering);
        spawn_local(async move {
            match wallet.cash_out(sum, destination.get_untracked().trim()).await {
                Ok(_) => {
                    state.refresh().await;
                    orders.again();
                    let _ = step.try_set(Step::Writing);
                }
                Err(error) => step.set(Step::Failed(error)),
            }
        });
    });
    child(move || match step.get() {
        Step::Writing => {
            view! { <Writing terms=terms.get_value() amount=amount destination=destination step=step/> }
        }
        Step::Checking(sum) => view! {
            <Checking
                sum=sum
                fee=terms.with_value(|terms| terms.fee)
                destination=destination.get_untracked()
                step=step
                order=order
            />
        },
        Step::Ordering => view! { <Waiting text=texts().cash_out.ordering/> },
        Step::Failed(error) => {
            let again = move || step.set(Step::Writing);
            view! { <Trouble error=error again=again during=While::Paying/> }
        }
    })
}

#[component]
fn Writing(
    terms: CashOutTerms,
    amount: RwSignal<String>,
    destination: RwSignal<String>,
    step: RwSignal<Step>,
) -> impl IntoView {
    let texts = &texts().cash_out;
    let wrong = RwSignal::new((false, false));
    let (least, most) = (terms.threshold, terms.balance);
    let hint = texts.amount_hint.with(&[&money::said_in_units(least), &money::said_in_units(most)]);
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let sum = amount.with_untracked(|text| money::typed(text, least));
        let sum = sum.filter(|sum| sum.covers(least) && most.covers(*sum));
        let nowhere = destination.with_untracked(|place| place.trim().is_empty());
        wrong.set((sum.is_none(), nowhere));
        if let (Some(sum), false) = (sum, nowhere) {
            step.set(Step::Checking(sum));
        }
    };
    let wrong_amount = move || wrong.get().0;
    let wrong_destination = move || wrong.get().1;
    view! {
        <form class="stack" on:submit=send novalidate>
            <div class="field">
                <label class="field__label" for="amount">{texts.amount}</label>
                <input
                    class="input"
                    id="amount"
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    aria-describedby="amount-hint amount-wrong"
                    aria-invalid=move || wrong_amount().to_string()
                    prop:value=amount.get_untracked()
                    on:input=move |event| amount.set(event_target_value(&event))
                />
                <p class="field__hint" id="amount-hint">{hint}</p>
                <p class="field__error" id="amount-wrong" role="alert">
                    {move || wrong_amount().then_some(texts.amount_invalid)}
                </p>
            </div>
            <div class="field">
                <label class="field__label" for="destination">{texts.destination}</label>
                <input
                    class="input"
                    id="destination"
                    type="text"
                    autocomplete="off"
                    maxlength=DESTINATION_LENGTH_MAX.to_string()
                    aria-describedby="destination-hint destination-wrong"
                    aria-invalid=move || wrong_destination().to_string()
                    prop:value=destination.get_untracked()
                    on:input=move |event| destination.set(event_target_value(&event))
                />
                <p class="field__hint" id="destination-hint">{texts.destination_hint}</p>
                <p class="field__error" id="destination-wrong" role="alert">
                    {move || wrong_destination().then_some(texts.destination_missing)}
                </p>
            </div>
            <button type="submit" class="button button--primary button--large">
                {texts.review}
            </button>
        </form>
    }
}

/// Says what will happen, before it does.
#[component]
fn Checking(
    sum: Amount,
    fee: Amount,
    destination: String,
    step: RwSignal<Step>,
    order: Callback<Amount>,
) -> impl IntoView {
    let texts = &texts().cash_out;
    let paid_out = sum.checked_sub(fee).ok();
    view! {
        <section class="card">
            <h2>{texts.confirm_title}</h2>
            <dl class="sums">
                <div class="sums__row">
                    <dt>{texts.amount}</dt>
                    <dd>
                        <Sum amount=sum/>
                    </dd>
                </div>
                <div class="sums__row">
                    <dt>{texts.kept_fee}</dt>
                    <dd>
                        <Sum amount=fee beside=Some(sum)/>
                    </dd>
                </div>
                {paid_out.map(|paid_out| {
                    view! {
                        <div class="sums__row sums__row--total">
                            <dt>{texts.you_get}</dt>
                            <dd>
                                <Sum amount=paid_out beside=Some(sum)/>
                            </dd>
                        </div>
                    }
                })}
            </dl>
            <p class="soft">{texts.destination}</p>
            <p class="breakable">
                <strong>{destination}</strong>
            </p>
            <div class="actions">
                <button type="button" class="button button--primary" on:click=move |_| order.run(sum)>
                    {texts.confirm.with(&[&money::said(sum)])}
                </button>
                <button type="button" class="button button--quiet" on:click=move |_| step.set(Step::Writing)>
                    {texts.change}
                </button>
            </div>
        </section>
    }
}

#[component]
fn Orders(orders: Vec<CashOutOrder>) -> impl IntoView {
    let texts = &texts().cash_out;
    if orders.is_empty() {
        return view! { <p class="soft">{texts.no_orders}</p> };
    }
    let orders = orders.into_iter().map(|order| view! { <Ordered order=order/> }).collect::<Vec<_>>();
    view! { <ul class="stack">{orders}</ul> }
}

#[component]
fn Ordered(order: CashOutOrder) -> impl IntoView {
    let texts = &texts().cash_out;
    let (state, what, chip) = match order.state {
        CashOutState::Ordered => (texts.ordered, texts.ordered_what, "chip chip--caution"),
        CashOutState::Confirmed => (texts.confirmed, texts.confirmed_what, "chip chip--gain"),
        CashOutState::Returned => (texts.returned, texts.returned_what, "chip chip--copper"),
    };
    let fee = money::said_beside(order.fee, order.amount);
    view! {
        <li class="card">
            <p class="card__over">
                <span>{order.number.map(|number| texts.number.with(&[&number.to_string()]))}</span>
                <span class=chip>{state}</span>
            </p>
            <p class="card__foot">
                <strong class="breakable">{order.destination}</strong>
                <span class="price">
                    <Sum amount=order.amount/>
                </span>
            </p>
            <p class="soft small">
                {format!("{} · {} {fee}", dates::said_moment(order.ordered), texts.kept_fee)}
            </p>
            <p>{what}</p>
            {order.note.map(|note| view! { <p class="soft">{note}</p> })}
        </li>
    }
}
