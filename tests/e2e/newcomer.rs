//! The newcomer's path, from nothing to an article that stays.

use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::BREAD;
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::heading;

#[test]
fn a_newcomer_creates_a_wallet_earns_pays_and_reads() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);

        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.home().has("4¢").await?;

        wallet.shop().open(BREAD).await?;
        browser.says(BREAD.teaser).await?;
        assert!(!browser.text().await.contains(BREAD.paid));
        wallet.shop().buy(BREAD).await?;
        browser.says(BREAD.title).await?;
        wallet.approve().pay(BREAD.price).await?;
        wallet.shop().shows_all_of(BREAD).await?;

        browser.reload().await?;
        browser.says(BREAD.paid).await?;
        wallet.home().has("1¢").await
    })
}

#[test]
fn balance_and_article_are_still_there_after_server_and_browser_were_restarted() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().pay(BREAD.price).await?;
        wallet.shop().shows_all_of(BREAD).await?;

        browser.quit().await?;
        program.restart().await?;
        browser.restart().await?;

        wallet.home().has("1¢").await?;
        wallet.shop().open(BREAD).await?;
        browser.says(BREAD.paid).await?;
        wallet.read().open().await?;
        wallet.read().open_mine(BREAD.title).await?;
        wallet.shop().shows_all_of(BREAD).await?;
        wallet.home().has("1¢").await
    })
}

#[test]
fn somebody_without_a_wallet_who_wants_to_read_comes_back_to_the_article() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);

        wallet.shop().open(BREAD).await?;
        wallet.shop().buy(BREAD).await?;
        wallet.home().create().await?;
        wallet.approve().is_short_of("3¢").await?;
        wallet.approve().earn_the_rest().await?;
        browser.says(&format!("You are saving for “{}”.", BREAD.title)).await?;
        wallet.earn().choose(tuppence_tests::pages::earn::QUIZ).await?;
        wallet.earn().answer_the_quiz().await?;
        wallet.earn().earned("4¢").await?;
        wallet.earn().return_to_the_article().await?;
        wallet.approve().pay(BREAD.price).await?;
        wallet.shop().shows_all_of(BREAD).await?;
        browser.see(&heading(BREAD.title)).await.map(drop)
    })
}
