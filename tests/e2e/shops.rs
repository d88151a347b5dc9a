//! Several shops: what one of them does is no trouble for the others.

use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::{BREAD, NIGHT_TRAINS};
use tuppence_tests::program::{OtherShop, Settings};
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, link};

#[test]
fn a_shop_that_is_closed_for_a_while_keeps_what_was_bought_there() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let other = OtherShop::start(&program, "The Corner Shop").await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        let corner = wallet.clone().at_shop(&other.origin());
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        corner.shop().open(BREAD).await?;
        corner.shop().buy(BREAD).await?;
        browser.says("The Corner Shop asks for this payment.").await?;
        corner.approve().pay(BREAD.price).await?;
        corner.shop().shows_all_of(BREAD).await?;

        other.stop().await?;
        corner.approve().open(NIGHT_TRAINS.slug).await?;
        browser.says("The shop does not answer at the moment.").await?;
        browser.says("You have not been charged.").await?;
        wallet.read().open().await?;
        browser.says("The Corner Shop does not answer at the moment.").await?;
        browser.see(&button(BREAD.title).containing()).await?;
        // The other shop goes on selling.
        browser.see(&link(BREAD.title)).await?;

        other.resume().await?;
        wallet.read().open().await?;
        wallet.read().open_mine(BREAD.title).await?;
        corner.shop().shows_all_of(BREAD).await?;
        corner.approve().open(NIGHT_TRAINS.slug).await?;
        corner.approve().pay(NIGHT_TRAINS.price).await?;
        corner.shop().shows_all_of(NIGHT_TRAINS).await?;
        wallet.home().has("0.6¢").await?;
        other.stop().await
    })
}
