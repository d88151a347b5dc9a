//! The storefront in front of somebody's site: examples/reverse-proxy, as readers and programs meet it.

use std::path::Path;
use std::rc::Rc;

use anyhow::Result;
use tuppence_tests::emulation::Screen;
use tuppence_tests::http;
use tuppence_tests::native::Reader;
use tuppence_tests::pages::Wallet;
use tuppence_tests::program::{Program, Settings};
use tuppence_tests::publisher::NodeSite;
use tuppence_tests::stage::{Failure, Stage, play};
use tuppence_tests::target::link;

use crate::without_a_browser::pass_the_quiz;

/// Words of the stories: what everybody may read, and what is sold.
const COMPOST: [&str; 2] = ["the slowest fire that a person can own", "her beans are taller than mine"];
const BEANS: [&str; 2] =
    ["The ground has not read the packet", "it was the mouse that had sown by the packet"];

/// The site, and the program in front of it.
async fn open(stage: &Stage) -> Result<(NodeSite, Rc<Program>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let site = NodeSite::start("examples/reverse-proxy/site.mjs", &[]).await?;
    let settings = Settings::as_shipped()
        .with("--campaigns", &root.join("tests/fixtures/shop/campaigns").to_string_lossy())
        .with("--upstream", site.origin())
        .with("--upstream-rules", &root.join("examples/reverse-proxy/rules.toml").to_string_lossy())
        .with("--shop-name", "The Allotment");
    Ok((site, stage.program(settings).await?))
}

#[test]
fn the_example_of_a_site_behind_the_storefront_sells_as_it_is() -> Result<(), Failure> {
    play(async |stage| {
        let (_site, program) = open(stage).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;

        browser.open(&program.storefront()).await?;
        browser.click(&link("What a heap knows")).await?;
        browser.says(COMPOST[0]).await?;
        assert!(!browser.driver()?.source().await?.contains(COMPOST[1]));
        browser.fits_its_width().await?;
        browser.is_accessible().await?;
        browser.screenshot_of_page("publishing/reverse-proxy-before").await?;

        browser.click(&link("Read for 2¢")).await?;
        browser.says("The Allotment").await?;
        wallet.approve().pay("2¢").await?;
        browser.arrives_at(&format!("{}/stories/compost", program.storefront())).await?;
        browser.says(COMPOST[1]).await?;
        browser.screenshot_of_page("publishing/reverse-proxy-after").await?;
        browser.reload().await?;
        browser.says(COMPOST[1]).await?;

        // Paid is the story, and no other one.
        browser.open(&format!("{}/stories/beans", program.storefront())).await?;
        browser.says(BEANS[0]).await?;
        assert!(!browser.driver()?.source().await?.contains(BEANS[1]));
        browser.open(&format!("{}/stories/letter", program.storefront())).await?;
        browser.says("the deer have learned to read the sign").await?;
        wallet.home().has("2¢").await
    })
}

#[test]
fn a_story_of_the_site_is_in_the_reader_s_library_and_opens_from_there() -> Result<(), Failure> {
    play(async |stage| {
        let (_site, program) = open(stage).await?;
        let browser = stage.browser(Screen::DESKTOP).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        browser.open(&format!("{}/stories/beans", program.storefront())).await?;
        browser.is_accessible().await?;
        browser.click(&link("Read for 1¢")).await?;
        wallet.approve().pay("1¢").await?;
        browser.says(BEANS[1]).await?;

        // On another day, in a browser that has lost its cookies.
        browser.driver()?.delete_all_cookies().await?;
        browser.reload().await?;
        browser.see(&link("Read for 1¢")).await?;
        wallet.read().open().await?;
        wallet.read().open_mine("Nine beans in a row").await?;
        browser.arrives_at(&format!("{}/stories/beans", program.storefront())).await?;
        browser.says(BEANS[1]).await?;
        wallet.home().has("3¢").await
    })
}

#[test]
fn a_program_pays_a_page_of_the_site_by_its_address_and_once() -> Result<(), Failure> {
    play(async |stage| {
        let (_site, program) = open(stage).await?;
        let wallet = Reader::new(&program).wallet().await?;
        wallet.register(|_| {}).await?;
        pass_the_quiz(&wallet, &program).await?;
        let address = format!("{}/stories/beans", program.storefront());
        let demand = http::client()?.get(&address).send().await?;
        assert_eq!(demand.status(), 402);
        let paid = wallet.pay_url(&address, "USD:0.05".parse()?, |_| {}).await?;
        assert!(paid.charged && paid.text.html.contains(BEANS[1]), "{}", paid.text.html);
        let again = wallet.pay_url(&address, "USD:0.05".parse()?, |_| {}).await?;
        assert!(!again.charged && again.text.html.contains(BEANS[1]));
        assert_eq!(wallet.balance().await?.amount, "USD:0.03".parse()?);
        let feed = http::client()?.get(format!("{}/stories/feed.xml", program.storefront())).send().await?;
        assert_eq!(feed.status(), 404);
        Ok(())
    })
}
