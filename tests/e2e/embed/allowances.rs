//! Allowances: a page that need not ask, up to a sum a day.

use tuppence_tests::pages::shop::{BREAD, NIGHT_TRAINS};
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, choice, control};

use super::{Purse, Visit};

#[test]
fn who_allows_a_sum_a_day_is_not_asked_again_until_it_is_ended() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let articles = [NIGHT_TRAINS, BREAD].map(|article| visit.embed().article(article)).concat();
        let page = visit.open(visit.embed().page_of(&articles)).await?;
        let window = visit.embed().ask_for(NIGHT_TRAINS).await?;
        visit.browser.click(&choice("and then up to 4¢ a day").containing()).await?;
        visit.wallet().approve().pay(NIGHT_TRAINS.price).await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().nth_is(0, "paid").await?;
        // The window opens, pays and closes by itself.
        visit.browser.click(&button("Read for 3¢")).await?;
        visit.embed().nth_is(1, "paid").await?;
        visit.embed().shows_all_of(BREAD).await?;
        visit.wallet().home().has("0.6¢").await?;
        visit.browser.click(&control("Budgets")).await?;
        visit.browser.says("Up to 4¢ a day without asking").await?;
        // What was approved by itself is no part of it.
        visit.browser.says("3¢ today").await?;
        visit.browser.is_accessible().await?;
        visit.browser.click(&button("Ask me again")).await?;
        visit.browser.says("Nothing is set aside at any shop.").await
    })
}

#[test]
fn what_an_allowance_does_not_cover_is_asked_as_ever() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.wallet().earn().take_the_survey().await?;
        let articles = [NIGHT_TRAINS, BREAD].map(|article| visit.embed().article(article)).concat();
        let page = visit.open(visit.embed().page_of(&articles)).await?;
        let window = visit.embed().ask_for(NIGHT_TRAINS).await?;
        visit.browser.click(&choice("and then up to 4¢ a day").containing()).await?;
        visit.wallet().approve().pay(NIGHT_TRAINS.price).await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().nth_is(0, "paid").await?;
        // 3¢ more are within the 4¢; what another shop of the same page asks is not allowed by it.
        let other = tuppence_tests::program::OtherShop::start(&visit.program, "Stop Press").await?;
        let there =
            format!("<tuppence-article src=\"{}/articles/bread\"></tuppence-article>", other.origin());
        visit.open(visit.embed().page_of(&there)).await?;
        visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.wallet().home().has("6.6¢").await
    })
}
