//! Every page on every kind of screen, as pictures to be looked at: `artifacts/screenshots/`.

use anyhow::Result;
use tuppence_tests::browser::Browser;
use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::earn::QUIZ;
use tuppence_tests::pages::shop::{BREAD, LONG_WALK};
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, heading};

/// A narrow phone, a phone, a tablet, a desktop.
const WIDTHS: [u32; 4] = [320, 360, 768, 1280];

#[test]
fn every_page_is_pictured_and_fits_every_screen_and_is_accessible() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures().with("--payout-threshold", "0.05")).await?;
        let browser = stage.browser(Screen::PHONE.calm()).await?;
        let wallet = Wallet::of(&browser, &program);

        wallet.home().open().await?;
        browser.see(&button("Create my wallet")).await?;
        picture(&browser, "welcome").await?;
        wallet.home().create().await?;
        wallet.home().open().await?;
        picture(&browser, "home-new").await?;
        wallet.history().open().await?;
        picture(&browser, "history-new").await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().is_short_of("3¢").await?;
        picture(&browser, "approve-short").await?;
        Ok(())
    })
}

/// Takes the page as it is on every screen, and asserts that it fits and shuts nobody out.
async fn picture(browser: &Browser, name: &str) -> Result<()> {
    for width in WIDTHS {
        for screen in [Screen::of_width(width).calm(), Screen::of_width(width).calm().dark()] {
            browser.set_screen(screen).await?;
            browser.screenshot_of_page(&format!("{name}-{}", screen.name())).await?;
            browser.fits_its_width().await?;
            browser.is_accessible().await?;
        }
    }
    Ok(())
}
