//! Paying: too little, twice, not at all, and again for what is already paid.

use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::{BREAD, LONG_WALK, NIGHT_TRAINS};
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};

#[test]
fn a_double_click_pays_once() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::DESKTOP).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;

        wallet.approve().open(NIGHT_TRAINS.slug).await?;
        wallet.approve().pay_with_a_double_click(NIGHT_TRAINS.price).await?;
        wallet.shop().shows_all_of(NIGHT_TRAINS).await?;
        wallet.home().has("3.6¢").await?;
        wallet.history().open().await?;
        wallet.history().lists(&["−0.4¢", "+4¢"]).await
    })
}

#[test]
fn an_article_that_is_paid_opens_again_without_paying() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().pay(BREAD.price).await?;
        wallet.shop().shows_all_of(BREAD).await?;

        // The shop's cookie is gone, as after a year; the receipt in the wallet is not.
        browser.driver()?.delete_all_cookies().await?;
        wallet.shop().open(BREAD).await?;
        assert!(!browser.text().await.contains(BREAD.paid));
        wallet.shop().buy(BREAD).await?;
        wallet.approve().open_what_is_mine().await?;
        wallet.shop().shows_all_of(BREAD).await?;

        browser.driver()?.delete_all_cookies().await?;
        wallet.read().open().await?;
        wallet.read().open_mine(BREAD.title).await?;
        wallet.shop().shows_all_of(BREAD).await?;
        wallet.home().has("1¢").await
    })
}

#[test]
fn what_costs_too_much_leads_to_earning_and_charges_nothing() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;

        wallet.approve().open(LONG_WALK.slug).await?;
        wallet.approve().is_short_of("8¢").await?;
        wallet.approve().earn_the_rest().await?;
        browser.says(&format!("You are saving for “{}”.", LONG_WALK.title)).await?;
        browser.says("8¢ to go.").await?;
        wallet.home().has("4¢").await
    })
}

#[test]
fn a_payment_that_is_not_approved_costs_nothing() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;

        wallet.shop().open(BREAD).await?;
        wallet.shop().buy(BREAD).await?;
        wallet.approve().asks_for(BREAD.price).await?;
        wallet.approve().cancel().await?;
        browser.arrives_at(&wallet.shop().address(BREAD)).await?;
        assert!(!browser.text().await.contains(BREAD.paid));
        wallet.home().has("4¢").await
    })
}

#[test]
fn one_article_after_another_adds_up_in_the_history() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        for article in [BREAD, NIGHT_TRAINS] {
            wallet.approve().open(article.slug).await?;
            wallet.approve().pay(article.price).await?;
            wallet.shop().shows_all_of(article).await?;
        }

        wallet.history().open().await?;
        wallet.history().lists(&["−0.4¢", "−3¢", "+4¢"]).await?;
        wallet.history().adds_up_to(&["0.6¢", "1¢", "4¢"]).await?;
        for (what, shop_or_sponsor) in [(BREAD.title, "PM4_1"), ("Do you know your change?", "GM4_1")] {
            wallet.history().open().await?;
            wallet.history().look_into(what).await?;
            wallet.history().shows_the_exchange(shop_or_sponsor).await?;
        }
        Ok(())
    })
}
