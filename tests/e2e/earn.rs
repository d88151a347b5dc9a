//! Earning: the three kinds of campaigns, and what a wrong answer means.

use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::earn::QUIZ;
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};

#[test]
fn a_wrong_answer_is_told_kindly_and_earns_nothing_and_there_is_no_second_try() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;

        wallet.earn().open().await?;
        wallet.earn().choose(QUIZ).await?;
        let question = browser.address().await?;
        wallet.earn().answer_wrongly().await?;
        browser.says("Not this time").await?;
        browser.says("You have lost nothing").await?;

        browser.open(&question).await?;
        browser.says("You have answered this one").await?;
        wallet.home().has("$0.00").await
    })
}

#[test]
fn somebody_who_forgets_their_wallet_cannot_try_the_quiz_again_with_its_copy() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        let copy = wallet.settings().save_a_copy().await?;
        wallet.earn().open().await?;
        wallet.earn().choose(QUIZ).await?;
        wallet.earn().answer_wrongly().await?;
        browser.says("Not this time").await?;

        let other = stage.browser(Screen::PHONE).await?;
        let restored = Wallet::of(&other, &program);
        restored.home().open().await?;
        restored.home().use_copy(&copy).await?;
        restored.earn().open().await?;
        restored.earn().choose(QUIZ).await?;
        restored.earn().answer_the_quiz().await?;
        other.says("You have answered this one").await?;
        restored.home().has("$0.00").await
    })
}

#[test]
fn quiz_survey_and_advertisement_each_add_their_reward() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::DESKTOP.calm()).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;

        wallet.earn().take_the_survey().await?;
        wallet.home().has("3¢").await?;
        wallet.earn().look_at_the_advertisement().await?;
        wallet.home().has("5¢").await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.home().has("9¢").await?;

        wallet.earn().open().await?;
        browser.says("You have answered everything there is.").await
    })
}
