//! What an element shows, and what there is to do about it.

use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::{Article, BREAD, LONG_WALK, NIGHT_TRAINS};
use tuppence_tests::program::{OtherShop, Settings};
use tuppence_tests::publisher::{Host, Page, Publisher};
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, link};

use super::{Purse, Visit};

#[test]
fn before_the_first_purchase_the_page_says_that_no_account_is_needed() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().is("ready").await?;
        for text in [BREAD.title, BREAD.teaser, "No account, no card"] {
            visit.browser.says(text).await?;
        }
        visit.browser.see(&button("Read for 3¢")).await?;
        assert!(!visit.browser.text().await.contains(BREAD.paid));
        visit.browser.is_accessible().await
    })
}

#[test]
fn with_a_wallet_one_click_in_its_window_opens_the_article_in_the_page() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await?;
        visit.embed().shows_all_of(BREAD).await?;
        visit.browser.see(&button("Save as a file")).await?;
        visit.browser.is_accessible().await?;
        let told = visit.embed().told().await?;
        assert!(told.starts_with(&["loading".into(), "ready".into(), "paying".into()]), "{told:?}");
        assert!(told.ends_with(&["opening".into(), "paid".into(), "tuppence-paid".into()]), "{told:?}");
        visit.wallet().home().has("1¢").await
    })
}

#[test]
fn what_was_paid_here_opens_by_itself_on_the_next_visit() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await?;
        visit.browser.reload().await?;
        visit.embed().is("paid").await?;
        visit.embed().shows_all_of(BREAD).await?;
        visit.wallet().home().has("1¢").await
    })
}

#[test]
fn who_has_bought_before_is_not_told_about_accounts_again() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await?;
        visit.open(visit.embed().page(NIGHT_TRAINS)).await?;
        visit.embed().is("ready").await?;
        visit.browser.says("Paid with small change from your wallet.").await?;
        assert!(!visit.browser.text().await.contains("No account"));
        Ok(())
    })
}

#[test]
fn a_sum_below_a_cent_is_said_exactly() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.open(visit.embed().page(NIGHT_TRAINS)).await?;
        visit.browser.see(&button("Read for 0.4¢")).await.map(drop)
    })
}

#[test]
fn without_a_wallet_one_is_made_in_the_window_and_the_page_says_so() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        let window = visit.embed().ask_for(BREAD).await?;
        visit.browser.see(&button("Create my wallet")).await?;
        visit.browser.look_at(&page).await?;
        visit.embed().is("creating").await?;
        visit.browser.says("Make your wallet in its window.").await?;
        visit.browser.look_at(&window).await?;
        visit.browser.click(&button("Create my wallet")).await?;
        visit.wallet().approve().is_short_of("3¢").await
    })
}

#[test]
fn what_is_missing_is_earned_in_the_window_and_the_article_comes_after() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        let window = visit.embed().ask_for(BREAD).await?;
        visit.browser.click(&button("Create my wallet")).await?;
        visit.wallet().approve().is_short_of("3¢").await?;
        visit.browser.look_at(&page).await?;
        visit.embed().is("short").await?;
        visit.browser.says("You need a little more.").await?;
        visit.browser.look_at(&window).await?;
        visit.wallet().approve().earn_the_rest().await?;
        visit.wallet().earn().choose("Do you know your change?").await?;
        visit.wallet().earn().answer_the_quiz().await?;
        visit.wallet().earn().return_to_the_article().await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().is("paid").await?;
        visit.embed().shows_all_of(BREAD).await
    })
}

#[test]
fn an_article_above_the_balance_is_not_charged() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(LONG_WALK)).await?;
        visit.embed().ask_for(LONG_WALK).await?;
        visit.wallet().approve().is_short_of("8¢").await?;
        visit.browser.look_at(&page).await?;
        visit.embed().is("short").await?;
        visit.wallet().home().has("4¢").await
    })
}

#[test]
fn while_it_is_paid_the_page_says_where_to_go_on() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.browser.says(&format!("You come from {}.", visit.site.origin())).await?;
        visit.browser.is_accessible().await?;
        visit.browser.look_at(&page).await?;
        visit.embed().is("paying").await?;
        visit.browser.says("Go on in the wallet’s window.").await?;
        visit.browser.is_accessible().await
    })
}

#[test]
fn an_article_that_is_not_sold_any_more_has_no_button() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.open(visit.embed().page(Article { slug: "gone", ..BREAD })).await?;
        visit.embed().is("withdrawn").await?;
        visit.browser.says("This article is not sold any more.").await?;
        assert_eq!(visit.browser.count(&button("Read for").containing()).await?, 0);
        visit.browser.is_accessible().await
    })
}

#[test]
fn a_shop_that_does_not_answer_is_asked_again_by_a_button() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let other = OtherShop::start(&program, "The Corner Shop").await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let site = Publisher::start(Host::Numbers)?;
        let corner = Wallet::of(&browser, &program).at_shop(&other.origin());
        // The script from the publisher's own site: it doesn't go with the shop.
        let script = include_str!("../../../web/embed/embed.js");
        let own = site.put("/embed.js", Page::of("text/javascript", script));
        let head = format!("<script type=\"module\" src=\"{own}\"></script>");
        let page = site.put(
            "/story",
            Page::new(&head, &format!("<main><h1>Post</h1>{}</main>", corner.embed().article(BREAD))),
        );
        other.stop().await?;
        browser.open(&page).await?;
        corner.embed().is("unreachable").await?;
        browser.says("The shop does not answer.").await?;
        browser.is_accessible().await?;
        other.resume().await?;
        browser.click(&button("Try again")).await?;
        corner.embed().is("ready").await?;
        other.stop().await
    })
}

#[test]
fn a_center_that_does_not_answer_is_said_and_nothing_is_paid() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let other = OtherShop::start(&program, "The Corner Shop").await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let site = Publisher::start(Host::Numbers)?;
        let corner = Wallet::of(&browser, &program).at_shop(&other.origin());
        browser.open(&site.put("/story", corner.embed().page(BREAD))).await?;
        corner.embed().is("ready").await?;
        program.stop().await?;
        browser.click(&button("Read for 3¢")).await?;
        corner.embed().is("center").await?;
        browser.says("The payment center does not answer. Nothing was paid.").await?;
        browser.is_accessible().await?;
        other.stop().await?;
        program.resume().await
    })
}

#[test]
fn a_free_article_leads_to_its_page() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        let free = Article { slug: "small-coins", ..BREAD };
        visit.open(visit.embed().page(free)).await?;
        visit.embed().is("free").await?;
        visit.browser.click(&link("Read it")).await?;
        visit.browser.arrives_at(&visit.wallet().shop().address(free)).await
    })
}

#[test]
fn an_address_that_is_no_articles_is_told_to_who_made_the_page() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.open(visit.embed().page_of("<tuppence-article src=\"/somewhere\"></tuppence-article>")).await?;
        visit.embed().is("unreachable").await?;
        let said = visit.browser.problems().await?.join("\n");
        assert!(said.contains("is no article's address"), "{said}");
        Ok(())
    })
}
