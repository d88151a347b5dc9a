//! Allowances: a page that need not ask, up to a sum a day.

use anyhow::Result;
use tuppence_tests::pages::shop::{Article, BREAD, LONG_WALK, NIGHT_TRAINS};
use tuppence_tests::program::OtherShop;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, choice, control};

use super::{Purse, Visit};

impl Visit {
    /// A page with these articles; the first is bought, and more of the kind allowed up to this sum a day.
    async fn allows(&self, articles: [Article; 2], a_day: &str) -> Result<()> {
        let elements = articles.map(|article| self.embed().article(article)).concat();
        let page = self.open(self.embed().page_of(&elements)).await?;
        let window = self.embed().ask_for(articles[0]).await?;
        self.browser.click(&choice(format!("and then up to {a_day} a day")).containing()).await?;
        self.wallet().approve().pay(articles[0].price).await?;
        self.browser.closes(&window, &page).await?;
        self.embed().nth_is(0, "paid").await
    }
}

#[test]
fn who_allows_a_sum_a_day_is_not_asked_again_until_it_is_ended() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.allows([NIGHT_TRAINS, BREAD], "4¢").await?;
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
fn what_cannot_be_paid_without_asking_is_asked_as_ever() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.allows([BREAD, LONG_WALK], "30¢").await?;
        // Within the 30¢, and more than the purse has.
        visit.embed().ask_for(LONG_WALK).await?;
        visit.wallet().approve().is_short_of("11¢").await?;
        visit.wallet().home().has("1¢").await?;
        visit.browser.click(&control("Budgets")).await?;
        visit.browser.says("$0.00 today").await
    })
}

#[test]
fn what_another_shop_asks_for_on_the_same_page_is_not_allowed() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.wallet().earn().take_the_survey().await?;
        visit.allows([NIGHT_TRAINS, BREAD], "4¢").await?;
        let other = OtherShop::start(&visit.program, "Stop Press").await?;
        let there =
            format!("<tuppence-article src=\"{}/articles/bread\"></tuppence-article>", other.origin());
        visit.open(visit.embed().page_of(&there)).await?;
        visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.wallet().home().has("6.6¢").await
    })
}
