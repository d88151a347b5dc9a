//! First visit: one sentence, one button, and straight to the first question that is worth a coin.

use leptos::ev::Event;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::view::{CampaignCard, CampaignState, Progress};
use tuppence_wallet::{Problem, Wallet, WalletError};

use crate::address::Address;
use crate::components::{Heading, Icon, Logo, Symbol, Trouble};
use crate::errors::While;
use crate::locales::texts;
use crate::pages::question;
use crate::pages::restore::HaveWords;
use crate::state::WalletState;
use crate::view::view;
use crate::{asker, browser};

/// Parts of the whole that the bar shows.
const WHOLE: u64 = 100;
/// Where the bar stands when the challenge begins, and when it is solved.
const MET: u64 = 8;
const SOLVED: u64 = 85;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Creation {
    Asked,
    Running { words: &'static str, done: u64, stoppable: bool },
    Failed(WalletError),
}

/// Creates the wallet. With an article to pay, its page follows by itself.
#[component]
pub fn Welcome(to_pay: bool) -> impl IntoView {
    let texts = texts();
    let creation = RwSignal::new(Creation::Asked);
    let state = WalletState::current();
    let address = Address::current();
    let home = address.path_now() == "/";
    let part = |name| address.parameter(name);
    if let (Some(shop), Some(item)) = (part("shop"), part("article").or_else(|| part("item"))) {
        asker::tell(&shop, &item, "creating");
    }
    let create = Callback::new(move |()| {
        let Some(wallet) = state.wallet() else { return };
        creation.set(Creation::Running { words: texts.welcome.meeting, done: 0, stoppable: true });
        state.set_creating(true);
        spawn_local(async move {
            let shown = move |progress| creation.set(progressed(progress, creation));
            let created = wallet.register(shown).await;
            let first = if created.is_ok() && home && !to_pay { first_question(&wallet).await } else { None };
            state.set_creating(false);
            match created {
                Ok(()) => state.refresh().await,
                Err(error) if error.is(Problem::Stopped) => creation.set(Creation::Asked),
                Err(error) => creation.set(Creation::Failed(error)),
            }
            // In the same breath as the change above, so that no other page is seen between.
            if let Some(path) = first {
                address.go(&path);
            }
        });
    });
    let sentence = if to_pay { texts.welcome.sentence_to_pay } else { texts.welcome.sentence };
    let promises = texts
        .welcome
        .not_asked
        .lines()
        .map(|promise| {
            view! {
                <li>
                    <Icon symbol=Symbol::Check/>
                    {promise}
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <div class="welcome">
            <Logo class="welcome__mark"/>
            <Heading text=texts.welcome.title class="welcome__title"/>
            <p class="welcome__lead">{sentence}</p>
            {move || match creation.get() {
                Creation::Asked => asked(create),
                Creation::Running { words, done, stoppable } => {
                    view! { <Running words=words done=done stoppable=stoppable/> }
                }
                Creation::Failed(error) => {
                    view! { <Trouble error=error again=create during=While::Creating/> }
                }
            }}
            <ul class="promises">{promises}</ul>
            <HaveWords/>
            <HaveCopy/>
        </div>
    }
}

fn asked(create: Callback<()>) -> AnyView {
    view! {
        <button type="button" class="button button--primary button--large" on:click=move |_| create.run(())>
            {texts().welcome.create}
        </button>
    }
}

#[component]
fn Running(words: &'static str, done: u64, stoppable: bool) -> impl IntoView {
    let state = WalletState::current();
    let stop = move |_| {
        if let Some(wallet) = state.wallet() {
            wallet.stop_registering();
        }
    };
    view! {
        <div class="creation">
            <p role="status">{words}</p>
            <progress
                class="progress"
                max=WHOLE.to_string()
                value=done.to_string()
                aria-label=texts().welcome.progress
            ></progress>
            <button type="button" class="button" disabled=!stoppable on:click=stop>
                {texts().welcome.stop}
            </button>
        </div>
    }
}

/// How far the creation is. The bar never goes back, and never waits at its end.
fn progressed(progress: Progress, before: RwSignal<Creation>) -> Creation {
    let texts = &texts().welcome;
    let least = match before.get_untracked() {
        Creation::Running { done, .. } => done,
        Creation::Asked | Creation::Failed(_) => 0,
    };
    // From the moment that R1 is stored, the wallet is as good as made.
    let stoppable = matches!(progress, Progress::MeetingCenter | Progress::Solving { .. });
    let (words, done) = match progress {
        Progress::MeetingCenter => (texts.meeting, MET / 2),
        Progress::Solving { tried, expected } => (texts.solving, MET + solving(tried, expected)),
        Progress::Registering => (texts.registering, SOLVED + MET),
        Progress::Following | Progress::Done => (texts.done, WHOLE),
    };
    Creation::Running { words, done: done.max(least), stoppable }
}

/// Luck decides how many hashes it takes: after the expected number half of the way is done, after twice as many
/// two thirds, and so on.
fn solving(tried: u64, expected: u64) -> u64 {
    let all = u128::from(tried) + u128::from(expected).max(1);
    let part = u128::from(SOLVED - MET) * u128::from(tried) / all;
    // A part is no more than the whole, so it fits.
    u64::try_from(part).unwrap_or(SOLVED - MET)
}

/// The address of the first question that can be answered, the shortest one before the others.
async fn first_question(wallet: &Wallet) -> Option<String> {
    let mut first: Option<CampaignCard> = None;
    for shop in wallet.shops().await.ok()?.into_iter().filter(|shop| shop.accepted) {
        // A shop that does not answer has no first question.
        let cards = wallet.campaigns(&shop.shop.origin).await.unwrap_or_default();
        let open = cards
            .into_iter()
            .filter(|card| card.state == CampaignState::Open && card.remaining != Some(0))
            .min_by_key(|card| card.minutes);
        first = [first, open].into_iter().flatten().min_by_key(|card| card.minutes);
    }
    first.map(|card| question::path(&card.shop.origin, &card.item))
}

/// A wallet that was saved before comes back from its copy.
#[component]
pub fn HaveCopy() -> impl IntoView {
    let texts = texts();
    let state = WalletState::current();
    let input = NodeRef::<Input>::new();
    let failure = RwSignal::new(None::<WalletError>);
    let chosen = move |_: Event| {
        let (Some(input), Some(wallet)) = (input.get_untracked(), state.wallet()) else { return };
        spawn_local(async move {
            let Some(copy) = browser::chosen_file(&input).await else { return };
            match wallet.import(&copy, false).await {
                Ok(()) => {
                    state.refresh().await;
                    state.resume();
                }
                Err(error) => failure.set(Some(error)),
            }
        });
    };
    view! {
        <details class="plain">
            <summary>{texts.welcome.have_copy}</summary>
            <label class="file">
                <span class="button">{texts.welcome.choose_copy}</span>
                <input type="file" accept="application/json,.json" node_ref=input on:change=chosen/>
            </label>
        </details>
        {move || failure.get().map(|error| view! { <Trouble error=error again=move || failure.set(None)/> })}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_rises_with_every_hash_and_never_reaches_its_end_by_them() {
        let steps = [0, 1_000, 65_536, 131_072, 10_000_000, u64::MAX];
        let done: Vec<u64> = steps.into_iter().map(|tried| solving(tried, 65_536)).collect();
        assert!(done.is_sorted(), "{done:?}");
        assert_eq!(done[2], (SOLVED - MET) / 2);
        assert!(done.iter().all(|done| *done <= SOLVED - MET));
    }
}
