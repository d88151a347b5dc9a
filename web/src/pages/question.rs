//! A campaign, one question at a time: what it is and who sees the answers, the questions, the coin.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::WalletError;
use tuppence_wallet::view::{CampaignDetail, CampaignKind, CampaignState, Earned, QuestionKind};

use crate::address::{A, Address};
use crate::components::{Coin, Heading, Sum, Trouble, Waiting, anew, fly_coin, loaded};
use crate::errors::While;
use crate::locales::{Said, texts};
use crate::money;
use crate::pages::earn::{self, SavingFor};
use crate::pages::recovery::SaveWords;
use crate::state::{Loader, WalletState};
use crate::view::{Child, child, view};
use crate::{asker, browser};

/// The most that an answer in words may have, as the wallet takes it.
const ANSWER_LENGTH_MAX: usize = 2_000;
/// Where the coin starts.
const ARRIVAL: &str = "arrival";

/// The address of a campaign's page.
pub fn path(shop: &str, item: &str) -> String {
    format!("/earn/question?shop={}&item={}", browser::encoded(shop), browser::encoded(item))
}

/// How far the reader is.
#[derive(Debug, Clone)]
enum Step {
    Intro,
    Asking(usize),
    Sending,
    Earned(Box<Earned>),
    Refused(WalletError),
}

/// One campaign from beginning to end.
#[component]
pub fn Question() -> impl IntoView {
    let address = Address::current();
    let place = Memo::new(move |_| {
        let part = |name| address.parameter(name).unwrap_or_default();
        (part("shop"), part("item"))
    });
    // Another campaign is another page, with answers of its own.
    child(move || {
        let (shop, item) = place.get();
        // Asked once: what the reader has begun to answer stays in place.
        let campaign = Loader::once(move |wallet| {
            let (shop, item) = (shop.clone(), item.clone());
            async move { wallet.campaign(&shop, &item).await }
        });
        loaded(campaign, |campaign| view! { <Campaign campaign=campaign/> })
    })
}

#[component]
fn Campaign(campaign: CampaignDetail) -> impl IntoView {
    let step = RwSignal::new(Step::Intro);
    let (shop, item) = (campaign.card.shop.origin.clone(), campaign.card.item.clone());
    let answers = RwSignal::new(
        (0..campaign.questions.len())
            .map(|number| asker::answer(&shop, &item, number).unwrap_or_default())
            .collect::<Vec<_>>(),
    );
    let campaign = StoredValue::new(campaign);
    let state = WalletState::current();
    let send = Callback::new(move |()| {
        let Some(wallet) = state.wallet() else { return };
        let (shop, item) = campaign.with_value(|own| (own.card.shop.origin.clone(), own.card.item.clone()));
        let answers = answers.get_untracked();
        step.set(Step::Sending);
        spawn_local(async move {
            let earned = wallet.earn(&shop, &item, &answers).await;
            asker::tell(&shop, &item, if earned.is_ok() { "earned" } else { "missed" });
            step.set(match earned {
                Ok(earned) => Step::Earned(Box::new(earned)),
                Err(error) => Step::Refused(error),
            });
        });
    });
    // Each step is made anew: what was chosen on one question must not look chosen on the next.
    let show = move || match step.get() {
        Step::Intro => {
            // What was answered on another page is sent from here, once the reader has seen who gets it.
            let all_answered =
                answers.with_untracked(|answers| answers.iter().all(|answer| !answer.is_empty()));
            view! { <Intro campaign=campaign.get_value() step=step send=all_answered.then_some(send)/> }
        }
        Step::Asking(number) => {
            view! { <Asking campaign=campaign.get_value() number=number answers=answers step=step send=send/> }
        }
        Step::Sending => {
            let texts = &texts().earn;
            view! {
                <Heading text=texts.sending class="visually-hidden"/>
                <Waiting text=texts.sending/>
            }
        }
        Step::Earned(earned) => view! { <Arrived earned=*earned/> },
        Step::Refused(error) => view! { <Refused error=error again=send/> },
    };
    anew(Box::new(show))
}

#[component]
fn Intro(campaign: CampaignDetail, step: RwSignal<Step>, send: Option<Callback<()>>) -> impl IntoView {
    let texts = &texts().earn;
    let card = &campaign.card;
    let origin = card.shop.origin.clone();
    let picture = campaign.image.as_deref().and_then(|image| browser::address_at(&origin, image));
    let link = campaign.link.as_deref().and_then(browser::web_address);
    let sponsor = card.sponsor.clone();
    let facts =
        format!("{} · {}", texts.minutes.count(card.minutes.max(1)), texts.questions.count(card.questions));
    let answerable = card.state == CampaignState::Open;
    let start = answerable.then(|| {
        let start = move |_| match send {
            Some(send) => send.run(()),
            None => step.set(Step::Asking(0)),
        };
        view! {
            <button type="button" class="button button--primary button--large" on:click=start>
                {if send.is_some() { texts.send } else { texts.start }}
            </button>
        }
    });
    view! {
        <article class="question page--narrow">
            <p class="card__over">
                <span class="chip">{earn::kind(card.kind)}</span>
                <span>{facts}</span>
            </p>
            <Heading text=card.title.clone() class="question__text"/>
            <p class="reward">
                <Coin/>
                <Sum amount=card.reward/>
            </p>
            {picture.map(|picture| view! { <img class="question__picture" src=picture alt=""/> })}
            <p class="question__intro">{campaign.intro.clone()}</p>
            {link.map(|link| {
                view! {
                    <p>
                        <a href=link target="_blank" rel="noopener noreferrer external">
                            {texts.visit.with(&[&sponsor])}
                        </a>
                    </p>
                }
            })}
            <div class="notice notice--quiet">
                <p>{texts.paid_by.with(&[&card.sponsor, &card.shop.name])}</p>
                <p>
                    <strong>{texts.audience}</strong>
                    <br/>
                    {campaign.audience.clone()}
                </p>
                {(card.kind == CampaignKind::Quiz).then(|| view! { <p>{texts.one_try}</p> })}
            </div>
            {(!answerable).then(|| view! { <p class="notice">{texts.already_title}</p> })}
            <div class="actions">
                {start}
                <A href="/earn" class="button button--quiet">
                    {texts.leave}
                </A>
            </div>
        </article>
    }
}

#[component]
fn Asking(
    campaign: CampaignDetail,
    number: usize,
    answers: RwSignal<Vec<String>>,
    step: RwSignal<Step>,
    send: Callback<()>,
) -> impl IntoView {
    let (words, common) = (&texts().earn, &texts().common);
    let count = campaign.questions.len();
    let Some(question) = campaign.questions.get(number).cloned() else { return ().child() };
    let unanswered = RwSignal::new(false);
    let last = number + 1 == count;
    let answer = move |text: String| {
        unanswered.set(false);
        answers.update(|answers| {
            if let Some(answer) = answers.get_mut(number) {
                *answer = text;
            }
        });
    };
    let given = move || answers.with_untracked(|answers| answers.get(number).cloned().unwrap_or_default());
    let forward = move |event: SubmitEvent| {
        event.prevent_default();
        if given().trim().is_empty() {
            unanswered.set(true);
        } else if last {
            send.run(());
        } else {
            step.set(Step::Asking(number + 1));
        }
    };
    let back = move |_| step.set(number.checked_sub(1).map_or(Step::Intro, Step::Asking));
    let before = given();
    let field = match question.kind {
        QuestionKind::Choice => child(
            question
                .choices
                .iter()
                .map(|choice| {
                    let (id, chosen) = (choice.id.clone(), choice.id == before);
                    let value = id.clone();
                    view! {
                        <label class="choice">
                            <input
                                type="radio"
                                name="answer"
                                value=value
                                checked=chosen
                                on:change=move |_| answer(id.clone())
                            />
                            <span>{choice.text.clone()}</span>
                        </label>
                    }
                })
                .collect::<Vec<_>>(),
        ),
        QuestionKind::Text => view! {
            <label class="field">
                <span class="field__label">{words.your_answer}</span>
                <textarea
                    class="input"
                    maxlength=ANSWER_LENGTH_MAX.to_string()
                    on:input=move |event| answer(event_target_value(&event))
                    prop:value=before
                ></textarea>
            </label>
        },
    };
    let place = words.question_of.with(&[&(number + 1).to_string(), &count.to_string()]);
    view! {
        <form class="question page--narrow" on:submit=forward novalidate>
            <div class="question__bar">
                <p class="soft" id="place">{place}</p>
                <progress
                    class="progress"
                    // In the middle of this question's part of the way.
                    max=(2 * count).to_string()
                    value=(2 * number + 1).to_string()
                    aria-labelledby="place"
                ></progress>
            </div>
            <fieldset class="fieldset">
                <legend>
                    <Heading text=question.text.clone() class="question__text"/>
                </legend>
                <div class="choices">{field}</div>
            </fieldset>
            <p class="field__error" role="alert">
                {move || unanswered.get().then_some(words.pick_one)}
            </p>
            <div class="actions">
                <button type="submit" class="button button--primary button--large">
                    {if last { words.send } else { words.next }}
                </button>
                <button type="button" class="button button--quiet" on:click=back>
                    {common.back}
                </button>
            </div>
        </form>
    }
}

#[component]
fn Arrived(earned: Earned) -> impl IntoView {
    let texts = &texts().earn;
    let entry = earned.entry;
    let said = earned.document.as_deref().map(browser::text_of_html).filter(|text| !text.is_empty());
    Effect::new(|| fly_coin(ARRIVAL));
    view! {
        <div class="stack page--narrow">
            <div class="arrival" id=ARRIVAL>
                <Coin/>
                <Heading text=texts.earned/>
                <p class="arrival__sum amount amount--gain">{money::said_change(entry.change)}</p>
                <p>{texts.now_balance.with(&[&money::said(entry.balance_after)])}</p>
            </div>
            {said.map(|said| view! { <Word said=said/> })}
            <SavingFor/>
            <Onward/>
            <SaveWords/>
        </div>
    }
}

#[component]
fn Refused(error: WalletError, again: Callback<()>) -> impl IntoView {
    let texts = &texts().earn;
    let title = match error.code.as_ref() {
        "answer_wrong" => texts.wrong_title,
        "campaign_exhausted" | "item_unknown" => texts.exhausted_title,
        "already_answered" => texts.already_title,
        _ => {
            return view! {
                <Heading text=texts.title class="visually-hidden"/>
                <Trouble error=error again=again during=While::Looking/>
            };
        }
    };
    let wrong = error.code == "answer_wrong";
    let words = if wrong { texts.wrong.to_owned() } else { crate::errors::cause(&error) };
    let said = error.document.as_deref().map(browser::text_of_html).filter(|text| !text.is_empty());
    view! {
        <div class="stack page--narrow">
            <Heading text=title/>
            <p>{words}</p>
            {said.map(|said| view! { <Word said=said/> })}
            <Onward/>
        </div>
    }
}

/// What the shop says, in its words.
#[component]
fn Word(said: String) -> impl IntoView {
    view! {
        <div class="notice notice--quiet">
            <p class="soft small">{texts().earn.shop_says}</p>
            <p>{said}</p>
        </div>
    }
}

#[component]
fn Onward() -> impl IntoView {
    let texts = texts();
    view! {
        <div class="actions">
            <A href="/earn" class="button button--primary">
                {texts.earn.another}
            </A>
            <A href="/read" class="button">
                {texts.common.read}
            </A>
        </div>
    }
}
