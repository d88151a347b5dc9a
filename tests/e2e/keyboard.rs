//! The whole loop without a mouse.

use thirtyfour::Key;
use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::earn::QUIZ;
use tuppence_tests::pages::shop::BREAD;
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, choice, control, link};

#[test]
fn somebody_who_uses_only_the_keyboard_creates_a_wallet_earns_pays_and_reads() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::DESKTOP).await?;
        let wallet = Wallet::of(&browser, &program);

        wallet.shop().open(BREAD).await?;
        browser.tab_to(&control("Read for 3¢").containing()).await?;
        browser.press(Key::Enter).await?;
        browser.tab_to(&button("Create my wallet")).await?;
        browser.press(" ").await?;
        browser.tab_to(&control("Earn the rest")).await?;
        browser.press(Key::Enter).await?;
        browser.tab_to(&link(QUIZ).containing()).await?;
        browser.press(Key::Enter).await?;
        browser.tab_to(&control("Start")).await?;
        browser.press(Key::Enter).await?;

        browser.tab_to(&choice("One")).await?;
        browser.press(Key::Down).await?;
        browser.tab_to(&button("Next")).await?;
        browser.press(Key::Enter).await?;
        browser.says("Question 2 of 2").await?;
        browser.tab_to(&choice("Copper")).await?;
        browser.press(" ").await?;
        browser.tab_to(&button("Send my answers")).await?;
        browser.press(" ").await?;

        wallet.earn().earned("4¢").await?;
        browser.tab_to(&control("Go to the article")).await?;
        browser.press(Key::Enter).await?;
        browser.tab_to(&button("Pay 3¢")).await?;
        browser.press(Key::Enter).await?;
        wallet.shop().shows_all_of(BREAD).await
    })
}
