//! When something is missing: the network, the center, the shop, the browser's storage.

use tuppence_tests::emulation::Screen;
use tuppence_tests::engine::Permissions;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::BREAD;
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, link};

#[test]
fn offline_the_wallet_says_so_and_goes_on_when_the_network_is_back() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().asks_for(BREAD.price).await?;

        browser.set_offline(true).await?;
        browser.says("You are offline. Your e-cash is safe on this device.").await?;
        browser.set_offline(false).await?;
        wallet.approve().pay(BREAD.price).await?;
        wallet.shop().shows_all_of(BREAD).await?;
        wallet.home().has("1¢").await
    })
}

#[test]
fn while_the_center_is_stopped_nothing_is_charged_and_there_is_a_way_on() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.home().has("$0.00").await?;
        browser.says("Cash out").await?;

        program.stop().await?;
        browser.click(&link("Cash out")).await?;
        browser.says("The payment center does not answer at the moment.").await?;
        browser.says("Your e-cash is where it was.").await?;
        program.resume().await?;
        browser.click(&button("Try again")).await?;
        browser.says("and you can cash out.").await
    })
}

#[test]
fn a_shop_that_does_not_answer_charges_nothing() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;

        browser.block(&[&format!("{}/*", program.storefront())]).await?;
        wallet.approve().open(BREAD.slug).await?;
        browser.says("The shop does not answer at the moment.").await?;
        browser.says("You have not been charged.").await?;
        browser.block(&[]).await?;
        browser.click(&button("Try again")).await?;
        wallet.approve().asks_for(BREAD.price).await?;
        wallet.home().has("4¢").await
    })
}

#[test]
fn without_storage_the_wallet_says_so_and_begins_nothing() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser_with(Screen::PHONE, Permissions::NoStorage).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().open().await?;
        browser.says("This browser does not let the wallet keep its records.").await?;
        browser.says("Your e-cash is still on the payment center's books.").await?;
        browser.see(&button("Reload the page")).await?;
        assert_eq!(browser.count(&button("Create my wallet")).await?, 0);
        Ok(())
    })
}
