//! Payments, rewards and pages that are interrupted: a tab that is closed, a page that is left, a server that stops.

use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::earn::QUIZ;
use tuppence_tests::pages::shop::BREAD;
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::link;

/// The requests that move the money, in their order. A payment that stops before any of them goes on by itself when
/// the wallet is opened again. (The last one alone may also be a wallet that asks where it stands.)
const STEPS_OF_A_PAYMENT: [&str; 2] = ["/api/v1/payment", "/api/v1/payment/finish"];

#[test]
fn a_payment_whose_tab_was_closed_at_any_step_ends_by_itself_and_is_charged_once() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        for (number, step) in STEPS_OF_A_PAYMENT.into_iter().enumerate() {
            let browser = stage.browser(Screen::PHONE).await?;
            let wallet = Wallet::of(&browser, &program);
            wallet.home().become_a_reader().await?;
            wallet.earn().pass_the_quiz().await?;
            let first = browser.tab().await?;

            browser.new_tab().await?;
            wallet.approve().open(BREAD.slug).await?;
            wallet.approve().asks_for(BREAD.price).await?;
            browser.block(&[&format!("*{step}")]).await?;
            wallet.approve().pay(BREAD.price).await?;
            browser.asks(&STEPS_OF_A_PAYMENT[..=number]).await?;
            browser.close_tab(&first).await?;

            wallet.home().has("1¢").await?;
            wallet.history().open().await?;
            wallet.history().lists(&["−3¢", "+4¢"]).await?;
            wallet.approve().open(BREAD.slug).await?;
            wallet.approve().open_what_is_mine().await?;
            wallet.shop().shows_all_of(BREAD).await?;
        }
        Ok(())
    })
}

#[test]
fn a_payment_goes_on_when_the_server_is_back() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;

        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().asks_for(BREAD.price).await?;
        browser.block(&["*/api/v1/payment/finish"]).await?;
        wallet.approve().pay(BREAD.price).await?;
        browser.asks(&STEPS_OF_A_PAYMENT).await?;
        program.restart().await?;
        browser.block(&[]).await?;
        wallet.home().has("1¢").await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().open_what_is_mine().await?;
        wallet.shop().shows_all_of(BREAD).await
    })
}

#[test]
fn a_reward_that_was_interrupted_arrives_once() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        for step in ["/api/v1/issue", "/api/v1/issue/finish"] {
            let browser = stage.browser(Screen::PHONE).await?;
            let wallet = Wallet::of(&browser, &program);
            wallet.home().become_a_reader().await?;
            wallet.earn().open().await?;
            wallet.earn().choose(QUIZ).await?;
            browser.block(&[&format!("*{step}")]).await?;
            wallet.earn().answer_the_quiz().await?;
            browser.asks(&[step]).await?;
            browser.block(&[]).await?;
            browser.reload().await?;
            wallet.home().has("4¢").await?;
            wallet.history().open().await?;
            wallet.history().lists(&["+4¢"]).await?;
        }
        Ok(())
    })
}

#[test]
fn pages_that_are_left_while_they_work_hold_up_no_later_page() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        for _ in 0..4 {
            wallet.home().has("$0.00").await?;
            wallet.earn().open().await?;
            browser.see(&link(QUIZ).containing()).await?;
        }
        // The page to which one goes back works too.
        browser.back().await?;
        wallet.home().shows("$0.00").await?;
        wallet.earn().go_there().await?;
        wallet.earn().choose(QUIZ).await?;
        wallet.earn().answer_the_quiz().await?;
        wallet.earn().earned("4¢").await
    })
}
