//! Questions on a publisher's page that earn, and the way to the wallet.

use tuppence_tests::pages::shop::BREAD;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, choice, field};

use super::{Purse, Visit};

/// The element of a campaign, by its name or the first that is open.
fn campaign(visit: &Visit, name: &str) -> String {
    format!("<tuppence-earn src=\"{}\" {name}></tuppence-earn>", visit.program.storefront())
}

#[test]
fn a_quiz_is_answered_in_the_page_and_pays_into_the_wallet() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.wallet().home().become_a_reader().await?;
        let page = visit.open(visit.embed().page_of(&campaign(&visit, "campaign=\"quiz\""))).await?;
        visit.embed().is("ready").await?;
        visit.browser.is_accessible().await?;
        visit.browser.says("Halfpenny Mint pays for your answers.").await?;
        visit.browser.click(&choice("Two")).await?;
        visit.browser.click(&choice("Copper")).await?;
        visit.embed().press("Send my answers and earn 4¢").await?;
        visit.browser.click(&button("Send my answers")).await?;
        visit.wallet().earn().earned("4¢").await?;
        visit.browser.look_at(&page).await?;
        visit.embed().is("earned").await?;
        visit.browser.says("You have earned 4¢.").await?;
        assert!(visit.embed().told().await?.contains(&"tuppence-earned".to_owned()));
        visit.wallet().home().has("4¢").await
    })
}

#[test]
fn a_wrong_answer_earns_nothing_and_the_page_says_so() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.wallet().home().become_a_reader().await?;
        let page = visit.open(visit.embed().page_of(&campaign(&visit, "campaign=\"quiz\""))).await?;
        visit.browser.click(&choice("Twelve")).await?;
        visit.browser.click(&choice("Tin")).await?;
        visit.embed().press("Send my answers and earn 4¢").await?;
        visit.browser.click(&button("Send my answers")).await?;
        visit.browser.says("Not this time").await?;
        visit.browser.look_at(&page).await?;
        visit.embed().is("missed").await?;
        visit.browser.says("Nothing is lost.").await?;
        visit.wallet().home().has("$0.00").await
    })
}

#[test]
fn without_a_wallet_the_answers_wait_until_it_is_made() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        let page = visit.open(visit.embed().page_of(&campaign(&visit, "campaign=\"quiz\""))).await?;
        visit.browser.click(&choice("Two")).await?;
        visit.browser.click(&choice("Copper")).await?;
        visit.embed().press("Send my answers and earn 4¢").await?;
        visit.browser.click(&button("Create my wallet")).await?;
        visit.browser.click(&button("Send my answers")).await?;
        visit.wallet().earn().earned("4¢").await?;
        visit.browser.look_at(&page).await?;
        visit.embed().is("earned").await
    })
}

#[test]
fn an_answer_in_words_is_written_in_the_page() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.wallet().home().become_a_reader().await?;
        let page = visit.open(visit.embed().page_of(&campaign(&visit, "campaign=\"survey\""))).await?;
        visit.browser.click(&choice("In the evening")).await?;
        visit.browser.fill(&field("What did you read last?"), "A timetable").await?;
        visit.embed().press("Send my answers and earn 3¢").await?;
        visit.browser.click(&button("Send my answers")).await?;
        visit.wallet().earn().earned("3¢").await?;
        visit.browser.look_at(&page).await?;
        visit.embed().is("earned").await
    })
}

#[test]
fn a_question_without_an_answer_is_not_sent() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.open(visit.embed().page_of(&campaign(&visit, "campaign=\"quiz\""))).await?;
        visit.browser.click(&choice("Two")).await?;
        visit.browser.click(&button("Send my answers and earn 4¢")).await?;
        visit.embed().is("ready").await?;
        assert_eq!(visit.browser.tabs().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn a_campaign_that_is_not_there_says_that_all_is_given_out() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.open(visit.embed().page_of(&campaign(&visit, "campaign=\"gone\""))).await?;
        visit.embed().is("sold").await?;
        visit.browser.says("All rewards are given out.").await?;
        visit.browser.is_accessible().await
    })
}

#[test]
fn what_is_earned_in_the_page_buys_the_article_below_it() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.wallet().home().become_a_reader().await?;
        let body = [campaign(&visit, "campaign=\"quiz\""), visit.embed().article(BREAD)].concat();
        let page = visit.open(visit.embed().page_of(&body)).await?;
        visit.browser.click(&choice("Two")).await?;
        visit.browser.click(&choice("Copper")).await?;
        let window = visit.embed().press("Send my answers and earn 4¢").await?;
        visit.browser.click(&button("Send my answers")).await?;
        visit.wallet().earn().earned("4¢").await?;
        visit.browser.close_tab(&page).await?;
        visit.embed().nth_is(0, "earned").await?;
        let _ = window;
        visit.embed().buy(BREAD).await?;
        visit.embed().nth_is(1, "paid").await?;
        visit.wallet().home().has("1¢").await
    })
}

#[test]
fn the_way_to_the_wallet_opens_it_in_a_tab_of_its_own() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let body = format!("<tuppence-balance src=\"{}\"></tuppence-balance>", visit.program.storefront());
        visit.open(visit.embed().page_of(&body)).await?;
        visit.embed().is("ready").await?;
        visit.browser.is_accessible().await?;
        visit.embed().press("My wallet").await?;
        visit.wallet().home().shows("4¢").await?;
        let opener: bool = visit.browser.script("return globalThis.opener === null", Vec::new()).await?;
        assert!(opener);
        Ok(())
    })
}
