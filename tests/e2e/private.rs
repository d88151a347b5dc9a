//! A private window: everything works, and nothing stays.

use tuppence_tests::emulation::Screen;
use tuppence_tests::engine::Permissions;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::BREAD;
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::button;

#[test]
fn in_a_private_window_somebody_earns_pays_and_reads_and_the_wallet_ends_with_it() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser_with(Screen::PHONE, Permissions::Private).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().pay(BREAD.price).await?;
        wallet.shop().shows_all_of(BREAD).await?;
        wallet.home().has("1¢").await?;

        browser.restart().await?;
        wallet.home().open().await?;
        browser.see(&button("Create my wallet")).await.map(drop)
    })
}
