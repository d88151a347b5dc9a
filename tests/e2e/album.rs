//! Every page and state on every kind of screen: pictured, without sideways scrolling, accessible to everybody.
//!
//! The pictures in `target/screenshots/` are there to be looked at.

use std::cell::RefCell;

use anyhow::{Result, ensure};
use tuppence_tests::browser::Browser;
use tuppence_tests::emulation::Screen;
use tuppence_tests::engine::Permissions;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::earn::{QUIZ, SURVEY};
use tuppence_tests::pages::shop::{BREAD, NIGHT_TRAINS};
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, choice, control, field, heading};

/// A narrow phone, a phone, a tablet, a desktop.
const WIDTHS: [u32; 4] = [320, 360, 768, 1280];

/// Those on which accessibility is checked: what fits both fits between.
const CHECKED: [u32; 2] = [320, 1280];

#[test]
fn the_pages_of_a_new_wallet() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE.calm()).await?;
        let wallet = Wallet::of(&browser, &program);
        let album = Album::of(&browser);

        wallet.home().open().await?;
        browser.see(&button("Create my wallet")).await?;
        album.picture("welcome").await?;
        wallet.home().create().await?;
        wallet.home().has("$0.00").await?;
        album.picture("home-new").await?;
        wallet.history().open().await?;
        album.picture("history-new").await?;
        wallet.cash_out().open().await?;
        browser.says("You have not cashed out yet.").await?;
        album.picture("cash-out-new").await?;
        wallet.read().open().await?;
        browser.says(BREAD.title).await?;
        album.picture("read-new").await?;
        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().is_short_of("3¢").await?;
        album.picture("approve-short").await?;
        wallet.approve().earn_the_rest().await?;
        browser.says(QUIZ).await?;
        album.picture("earn").await?;
        wallet.earn().choose(SURVEY).await?;
        album.picture("question-intro").await?;
        browser.click(&control("Start")).await?;
        browser.says("Question 1 of 2").await?;
        album.picture("question-choice").await?;
        browser.click(&choice("In the morning")).await?;
        browser.click(&button("Next")).await?;
        browser.says("Question 2 of 2").await?;
        browser.click(&button("Send my answers")).await?;
        browser.says("Please choose or write an answer first.").await?;
        album.picture("question-words").await?;
        browser.fill(&field("Your answer"), "A timetable").await?;
        browser.click(&button("Send my answers")).await?;
        wallet.earn().earned("3¢").await?;
        album.picture("question-earned").await?;
        wallet.earn().open().await?;
        wallet.earn().choose(QUIZ).await?;
        wallet.earn().answer_wrongly().await?;
        browser.says("Not this time").await?;
        album.picture("question-wrong").await?;
        wallet.earn().open().await?;
        album.picture("earn-answered").await?;
        album.is_good()
    })
}

#[test]
fn the_pages_about_what_is_approved_for_longer() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE.calm()).await?;
        let wallet = Wallet::of(&browser, &program);
        let album = Album::of(&browser);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.earn().take_the_survey().await?;
        // Led here by the pages of two publishers.
        let asked = |slug: &str, page: &str| {
            let claim = "A".repeat(22);
            format!("{}#for={page}&claim={claim}&budgets=1", wallet.approve().address(slug))
        };
        browser.open(&asked(NIGHT_TRAINS.slug, "https://evening.example")).await?;
        browser.see(&choice("A budget for").containing()).await?;
        album.picture("approve-choice").await?;
        browser.click(&choice("and then up to").containing()).await?;
        wallet.approve().pay(NIGHT_TRAINS.price).await?;
        browser.says("The article opens at https://evening.example").await?;
        browser.open(&asked(BREAD.slug, "https://morning.example")).await?;
        browser.click(&choice("A budget for").containing()).await?;
        browser.see(&button("Set aside 6.6¢")).await?;
        album.picture("approve-budget").await?;
        wallet.approve().sets_aside("6.6¢").await?;
        browser.says("The article opens at https://morning.example").await?;
        wallet.home().open().await?;
        browser.see(&control("Budgets")).await?;
        album.picture("home-budgets").await?;
        browser.click(&control("Budgets")).await?;
        browser.says("6.6¢ of 6.6¢ left").await?;
        browser.says("Up to 4¢ a day without asking").await?;
        album.picture("budgets").await?;
        album.is_good()
    })
}

#[test]
fn the_pages_of_a_wallet_in_use() -> Result<(), Failure> {
    play(async |stage| {
        let settings = Settings::fixtures().with("--payout-threshold", "0.02").with("--payout-fee", "0.01");
        let program = stage.program(settings).await?;
        let browser = stage.browser(Screen::PHONE.calm()).await?;
        let wallet = Wallet::of(&browser, &program);
        let album = Album::of(&browser);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.earn().take_the_survey().await?;

        wallet.approve().open(BREAD.slug).await?;
        wallet.approve().asks_for(BREAD.price).await?;
        album.picture("approve").await?;
        wallet.approve().pay(BREAD.price).await?;
        wallet.shop().shows_all_of(BREAD).await?;
        wallet.approve().open(BREAD.slug).await?;
        browser.see(&heading("This article is yours")).await?;
        album.picture("approve-owned").await?;
        wallet.read().open().await?;
        browser.see(&button(BREAD.title).containing()).await?;
        album.picture("read").await?;
        wallet.read().search("no such words", "No article matches this search.").await?;
        album.picture("read-nothing").await?;
        wallet.home().has("4¢").await?;
        album.picture("home").await?;
        wallet.history().open().await?;
        wallet.history().lists(&["−3¢", "+3¢", "+4¢"]).await?;
        album.picture("history").await?;
        wallet.history().look_into(BREAD.title).await?;
        album.picture("entry").await?;
        wallet.history().shows_the_exchange("PM4_1").await?;
        album.picture("entry-details").await?;
        wallet.cash_out().open().await?;
        browser.see(&button("Continue")).await?;
        album.picture("cash-out").await?;
        browser.fill(&field("Where the money goes"), "IBAN of A. Reader").await?;
        browser.click(&button("Continue")).await?;
        browser.see(&heading("Is this right?")).await?;
        album.picture("cash-out-check").await?;
        browser.click(&button("Cash out 4¢")).await?;
        browser.says("The operator has your order.").await?;
        album.picture("cash-out-ordered").await?;
        wallet.settings().open().await?;
        browser.says("Fingerprint of its key").await?;
        album.picture("settings").await?;
        browser.click(&button("Delete the wallet")).await?;
        browser.see(&button("Delete for good")).await?;
        album.picture("settings-delete").await?;
        album.is_good()
    })
}

#[test]
fn the_pages_of_recovery() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE.calm()).await?;
        let wallet = Wallet::of(&browser, &program);
        let album = Album::of(&browser);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;
        wallet.home().has("4¢").await?;
        wallet.recovery().follow_the_reminder().await?;
        browser.see(&button("Show the words")).await?;
        album.picture("recovery").await?;
        let words = wallet.recovery().read_the_words().await?;
        album.picture("recovery-words").await?;
        let asked = wallet.recovery().is_asked().await?;
        album.picture("recovery-asked").await?;
        wallet.recovery().answer(&asked, &words).await?;
        browser.says("Your wallet can be brought back now").await?;
        album.picture("recovery-saved").await?;

        browser.open("about:blank").await?;
        browser.clear_storage(&program.center(), "indexeddb,cache_storage").await?;
        wallet.home().open().await?;
        browser.says("This browser has deleted your wallet").await?;
        album.picture("restore-lost").await?;
        wallet.recovery().type_words("twelve words of which none is right").await?;
        browser.says("These are not the words of a wallet").await?;
        album.picture("restore-wrong").await?;
        album.is_good()
    })
}

#[test]
fn the_pages_of_trouble() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let locked = stage.browser_with(Screen::PHONE.calm(), Permissions::NoStorage).await?;
        let album = Album::of(&locked);
        Wallet::of(&locked, &program).home().open().await?;
        locked.says("This browser does not let the wallet keep its records.").await?;
        album.picture("trouble-storage").await?;
        album.is_good()?;

        let browser = stage.browser(Screen::PHONE.calm()).await?;
        let wallet = Wallet::of(&browser, &program);
        let album = Album::of(&browser);
        wallet.home().become_a_reader().await?;
        browser.open(&format!("{}/nowhere", program.center())).await?;
        browser.see(&heading("There is nothing here")).await?;
        album.picture("missing").await?;
        browser.open(&format!("{}/approve", program.center())).await?;
        browser.see(&heading("This link is not complete")).await?;
        album.picture("approve-bad-link").await?;
        browser.block(&[&format!("{}/*", program.storefront())]).await?;
        wallet.approve().open(BREAD.slug).await?;
        browser.says("The shop does not answer at the moment.").await?;
        album.picture("trouble-shop").await?;
        browser.block(&[]).await?;
        wallet.home().has("$0.00").await?;
        browser.set_offline(true).await?;
        browser.says("You are offline.").await?;
        album.picture("home-offline").await?;
        wallet.earn().go_there().await?;
        browser.see(&button("Try again")).await?;
        album.picture("trouble-offline").await?;
        album.is_good()
    })
}

#[test]
fn the_pages_of_the_shop() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::as_shipped()).await?;
        let browser = stage.browser(Screen::PHONE.calm()).await?;
        let album = Album::of(&browser);
        browser.open(&program.storefront()).await?;
        album.picture("shop").await?;
        browser.open(&format!("{}/articles/no-such-article", program.storefront())).await?;
        album.picture("shop-missing").await?;
        for (number, address) in (1..).zip(articles(&browser, &program.storefront()).await?) {
            browser.open(&address).await?;
            album.picture(&format!("shop-article-{number}")).await?;
        }
        album.is_good()
    })
}

/// The articles' addresses on the shop's first page.
async fn articles(browser: &Browser, shop: &str) -> Result<Vec<String>> {
    browser.open(shop).await?;
    let script = "return [...new Set([...document.querySelectorAll('a[href*=\"/articles/\"]')].map((link) => link.href))]";
    let found: Vec<String> = browser.script(script, Vec::new()).await?;
    ensure!(!found.is_empty(), "{shop} shows no article");
    Ok(found)
}

/// Pictures of a browser's pages, and what is wrong on them.
struct Album<'a> {
    browser: &'a Browser,
    faults: RefCell<Vec<String>>,
}

impl<'a> Album<'a> {
    fn of(browser: &'a Browser) -> Self {
        Self { browser, faults: RefCell::new(Vec::new()) }
    }

    /// Takes the page as it is on every screen, and notes whether it fits and shuts nobody out.
    async fn picture(&self, name: &str) -> Result<()> {
        for width in WIDTHS {
            let light = Screen::of_width(width).calm();
            for screen in [light, light.dark()] {
                let browser = self.browser;
                browser.set_screen(screen).await?;
                let picture = format!("{name}-{}", screen.name());
                browser.screenshot_of_page(&picture).await?;
                self.note(&picture, browser.fits_its_width().await);
                if CHECKED.contains(&width) {
                    self.note(&picture, browser.is_accessible().await);
                }
            }
        }
        self.browser.set_screen(Screen::PHONE.calm()).await
    }

    fn note(&self, picture: &str, outcome: Result<()>) {
        if let Err(fault) = outcome {
            self.faults.borrow_mut().push(format!("{picture}: {fault:#}"));
        }
    }

    fn is_good(&self) -> Result<()> {
        let faults = self.faults.borrow();
        ensure!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(())
    }
}
