//! The stage itself: each check finds what it is there for, so that a green scenario means something.

use anyhow::Result;
use tuppence_tests::browser::Browser;
use tuppence_tests::emulation::Screen;
use tuppence_tests::stage::{Failure, play};

#[test]
fn a_page_that_shuts_people_out_is_found() -> Result<(), Failure> {
    play(async |stage| {
        let browser = stage.browser(Screen::PHONE).await?;
        show(&browser, "<p style='color:%23bbb;background:%23fff'>Too pale</p><button></button>").await?;
        let found = browser.is_accessible().await.unwrap_err().to_string();
        assert!(found.contains("color-contrast") && found.contains("button-name"), "{found}");
        Ok(())
    })
}

#[test]
fn a_page_that_scrolls_sideways_is_found() -> Result<(), Failure> {
    play(async |stage| {
        let browser = stage.browser(Screen::of_width(320)).await?;
        show(&browser, "<div style='width:400px;height:1px'>wide</div>").await?;
        let found = browser.fits_its_width().await.unwrap_err().to_string();
        assert!(found.contains("div"), "{found}");
        Ok(())
    })
}

#[test]
fn errors_of_every_tab_are_found() -> Result<(), Failure> {
    play(async |stage| {
        let browser = stage.browser(Screen::PHONE).await?;
        show(&browser, "<script>setTimeout(() => console.error('in front'))</script>").await?;
        let first = browser.tab().await?;
        browser.new_tab().await?;
        show(&browser, "<script>setTimeout(() => { throw new Error('behind') })</script>").await?;
        browser.close_tab(&first).await?;
        let found = browser.problems().await?.join("\n");
        assert!(found.contains("in front") && found.contains("behind"), "{found}");
        Ok(())
    })
}

async fn show(browser: &Browser, body: &str) -> Result<()> {
    let page =
        "<!DOCTYPE html><html lang=en><meta name=viewport content='width=device-width'><title>A page</title>";
    browser.open(&format!("data:text/html,{page}<main><h1>A page</h1>{body}</main>")).await?;
    browser.says("A page").await
}
