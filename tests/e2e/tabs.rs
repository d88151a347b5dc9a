//! The wallet in two tabs, and in two browsers.

use std::time::{SystemTime, UNIX_EPOCH};

use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::BREAD;
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};

#[test]
fn both_tabs_show_the_new_balance() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::DESKTOP).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.home().has("$0.00").await?;
        let first = browser.tab().await?;

        browser.new_tab().await?;
        wallet.earn().pass_the_quiz().await?;
        browser.look_at(&first).await?;
        wallet.home().shows("4¢").await
    })
}

#[test]
fn paying_in_two_windows_at_once_pays_once() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::DESKTOP).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        let first = browser.tab().await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().asks_for(BREAD.price).await?;
        let second = browser.new_window().await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().asks_for(BREAD.price).await?;

        let soon = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() + 1_500;
        for tab in [&first, &second] {
            browser.look_at(tab).await?;
            wallet.approve().pay_at(soon, BREAD.price).await?;
        }
        for tab in [&first, &second] {
            browser.look_at(tab).await?;
            wallet.approve().opened(BREAD).await?;
        }
        wallet.home().has("1¢").await?;
        wallet.history().open().await?;
        wallet.history().lists(&["−3¢", "+4¢"]).await
    })
}
