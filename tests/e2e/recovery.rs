//! Twelve words: saved and asked back; an empty browser, a second device, storage that the browser cleared away.

use anyhow::{Context, Result, ensure};
use tuppence_protocol::recovery::words::{Mnemonic, WordsError};
use tuppence_tests::browser::Browser;
use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::BREAD;
use tuppence_tests::program::{Program, Settings};
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, link};

#[test]
fn the_words_are_saved_from_the_reminder_and_asked_back() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        ensure!(browser.count(&link("Save the words")).await? == 0, "nothing is worth saving yet");

        wallet.earn().pass_the_quiz().await?;
        wallet.home().open().await?;
        wallet.recovery().follow_the_reminder().await?;
        let words = wallet.recovery().read_the_words().await?;
        browser.is_accessible().await?;
        let asked = wallet.recovery().is_asked().await?;
        ensure!(asked.len() == 3, "{asked:?}");
        let wrong = vec!["zoo".to_owned(); 12];
        wallet.recovery().answer(&asked, &wrong).await?;
        browser.says("That is not the word that was shown").await?;
        wallet.recovery().answer(&asked, &words).await?;
        browser.says("Your wallet can be brought back now").await?;

        wallet.home().has("4¢").await?;
        browser.see(&link("Earn").containing()).await?;
        ensure!(browser.count(&link("Save the words")).await? == 0, "the reminder stays away");
        wallet.settings().open().await?;
        browser.says("You saved them").await
    })
}

#[test]
fn an_empty_browser_gets_balance_history_and_articles_back() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().pay(BREAD.price).await?;
        wallet.shop().shows_all_of(BREAD).await?;
        let words = wallet.recovery().save_the_words().await?;

        let other = stage.browser(Screen::DESKTOP).await?;
        let restored = Wallet::of(&other, &program);
        restored.recovery().has_words().await?;
        other.is_accessible().await?;
        restored.recovery().type_words(&in_a_wrong_order(&words)?).await?;
        other.says("These are not the words of a wallet").await?;
        restored.recovery().restore(&words).await?;
        restored.home().has("1¢").await?;
        restored.history().open().await?;
        restored.history().lists(&["−3¢", "+4¢"]).await?;
        // The article is this wallet's: it opens without being paid again.
        restored.approve().open(BREAD.slug).await?;
        restored.approve().open_what_is_mine().await?;
        restored.shop().shows_all_of(BREAD).await?;
        restored.home().has("1¢").await
    })
}

#[test]
fn two_devices_with_the_same_words_stay_in_step() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let phone = stage.browser(Screen::PHONE).await?;
        let first = Wallet::of(&phone, &program);
        first.home().become_a_reader().await?;
        first.earn().pass_the_quiz().await?;
        let words = first.recovery().save_the_words().await?;
        let desktop = stage.browser(Screen::DESKTOP).await?;
        let second = Wallet::of(&desktop, &program);
        second.recovery().has_words().await?;
        second.recovery().restore(&words).await?;

        // What one earns, the other one pays with, without being told.
        first.earn().take_the_survey().await?;
        second.approve().open(BREAD.slug).await?;
        second.approve().pay(BREAD.price).await?;
        second.shop().shows_all_of(BREAD).await?;
        first.home().has("4¢").await?;
        second.home().has("4¢").await?;
        for wallet in [&first, &second] {
            wallet.history().open().await?;
            wallet.history().lists(&["−3¢", "+3¢", "+4¢"]).await?;
        }
        Ok(())
    })
}

#[test]
fn storage_that_the_browser_clears_leads_to_the_restore_screen() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        let words = wallet.recovery().save_the_words().await?;

        // As Chromium makes room, and as Safari forgets: all that scripts have written, but no cookie of a reply.
        for kinds in ["indexeddb,cache_storage", "indexeddb,cache_storage,local_storage"] {
            clear(&browser, &program, kinds).await?;
            wallet.home().open().await?;
            browser.says("This browser has deleted your wallet").await?;
            browser.says("Your e-cash is safe").await?;
            ensure!(browser.count(&button("Create my wallet")).await? == 0, "no new wallet by accident");
            browser.is_accessible().await?;
            wallet.recovery().restore(&words).await?;
            wallet.home().has("4¢").await?;
        }
        Ok(())
    })
}

#[test]
fn what_few_visits_need_is_fetched_when_it_is_asked_for_and_again_where_it_did_not_come()
-> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        ensure!(!has_fetched_the_kit(&browser).await?, "earning needs no kit");
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().asks_for(BREAD.price).await?;
        ensure!(!has_fetched_the_kit(&browser).await?, "nor does paying");
        wallet.approve().pay(BREAD.price).await?;
        wallet.shop().shows_all_of(BREAD).await?;

        wallet.home().open().await?;
        browser.block(&["*/tuppence-kit*"]).await?;
        wallet.recovery().follow_the_reminder().await?;
        browser.click(&button("Show the words")).await?;
        browser.says("did not arrive").await?;
        browser.says("Your e-cash is where it was.").await?;
        browser.is_accessible().await?;
        browser.block(&[]).await?;
        browser.click(&button("Try again")).await?;
        browser.see(&button("I have written them down")).await?;
        ensure!(has_fetched_the_kit(&browser).await?, "now it was");
        wallet.home().has("1¢").await
    })
}

/// The same words with two of them exchanged, so that the sum over all is wrong: of sixteen such orders, one is right by chance.
fn in_a_wrong_order(words: &[String]) -> Result<String> {
    let orders = (1..words.len()).map(|place| {
        let mut words = words.to_vec();
        words.swap(0, place);
        words.join(" ")
    });
    let mut wrong = orders.filter(|words| matches!(Mnemonic::parse(words), Err(WordsError::Checksum)));
    wrong.next().context("every order of these words is right")
}

async fn has_fetched_the_kit(browser: &Browser) -> Result<bool> {
    let script = "return performance.getEntriesByType('resource').some((entry) => entry.name.includes('tuppence-kit'))";
    browser.script(script, Vec::new()).await
}

async fn clear(browser: &Browser, program: &Program, kinds: &str) -> Result<()> {
    // Another page first: what is open keeps its database.
    browser.open("about:blank").await?;
    browser.clear_storage(&program.center(), kinds).await
}
