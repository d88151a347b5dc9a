//! Cashing out: from the threshold on, confirmed by the operator or returned.

use anyhow::{Context, Result};
use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::program::{Program, Settings};
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::button;

/// A threshold that the quiz and the survey reach together.
fn low_threshold() -> Settings {
    Settings::fixtures().with("--payout-threshold", "0.05").with("--payout-fee", "0.01")
}

#[test]
fn below_the_threshold_the_page_says_how_much_is_missing() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(low_threshold()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.cash_out().open().await?;
        browser.says("4¢ of 5¢").await?;
        browser.says("1¢ more, and you can cash out.").await?;
        assert_eq!(browser.count(&button("Continue")).await?, 0);
        Ok(())
    })
}

#[test]
fn an_order_that_the_operator_confirms_is_paid_out() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(low_threshold()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.earn().take_the_survey().await?;
        wallet.cash_out().open().await?;
        wallet.cash_out().order("0.06", "6¢", "IBAN of A. Reader").await?;
        browser.says("The operator has your order.").await?;
        wallet.home().has("1¢").await?;

        let number = only_order(&program)?;
        program.command(&["payouts", "confirm", &number, "--reference", "SEPA-1"])?;
        wallet.cash_out().open().await?;
        browser.says("The money was sent.").await?;
        wallet.home().has("1¢").await
    })
}

#[test]
fn an_order_that_the_operator_returns_is_back_in_the_purse() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(low_threshold()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.earn().take_the_survey().await?;
        wallet.cash_out().open().await?;
        wallet.cash_out().order("0.06", "6¢", "nobody knows this place").await?;
        browser.says("The operator has your order.").await?;

        let number = only_order(&program)?;
        program.command(&["payouts", "return", &number, "--reason", "no such account"])?;
        wallet.cash_out().open().await?;
        browser.says("The money is back in your wallet.").await?;
        browser.says("no such account").await?;
        wallet.home().has("7¢").await?;
        wallet.history().open().await?;
        browser.says("Cash-out came back").await
    })
}

/// The number of the one order that waits.
fn only_order(program: &Program) -> Result<String> {
    let listed = program.command_json(&["payouts", "list"])?;
    let number = listed["payouts"][0]["number"].as_u64();
    number.map(|number| number.to_string()).with_context(|| format!("an order in {listed}"))
}
