//! Settings: the center's key, copies of the wallet, its end.

use anyhow::Context;
use tuppence_tests::emulation::Screen;
use tuppence_tests::engine::Ability;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::BREAD;
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play, play_with};
use tuppence_tests::target::button;

#[test]
fn the_fingerprint_is_the_one_that_the_operator_shows() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;

        let shown = program.command_json(&["keys", "show"])?;
        let fingerprint = shown["fingerprint"].as_str().context("a fingerprint")?.to_owned();
        wallet.settings().open().await?;
        browser.says(&fingerprint).await?;
        browser.says(&program.center()).await
    })
}

#[test]
fn a_browser_that_is_asked_to_keep_the_wallet_promises_it() -> Result<(), Failure> {
    play_with(&[Ability::AskToKeep], async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.settings().open().await?;
        browser.says("This browser may delete your wallet").await?;

        browser.let_keep(&program.center()).await?;
        browser.click(&button("Ask the browser to keep it")).await?;
        browser.says("This browser has promised to keep your wallet.").await
    })
}

#[test]
fn a_copy_brings_balance_and_articles_to_another_browser() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        let copy = wallet.settings().save_a_copy().await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().pay(BREAD.price).await?;
        wallet.shop().shows_all_of(BREAD).await?;

        // The copy is older than the payment: the center's books put it right.
        let other = stage.browser(Screen::DESKTOP).await?;
        let restored = Wallet::of(&other, &program);
        restored.home().open().await?;
        restored.home().use_copy(&copy).await?;
        restored.settings().open().await?;
        restored.settings().compare_with_the_center("1¢").await?;
        restored.home().has("1¢").await?;
        restored.earn().take_the_survey().await?;
        restored.home().has("4¢").await
    })
}

#[test]
fn a_deleted_wallet_is_gone_and_its_copy_brings_it_back() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        let copy = wallet.settings().save_a_copy().await?;

        wallet.settings().delete_the_wallet().await?;
        browser.see(&button("Create my wallet")).await?;
        wallet.home().open().await?;
        wallet.home().use_copy(&copy).await?;
        wallet.home().has("4¢").await
    })
}
