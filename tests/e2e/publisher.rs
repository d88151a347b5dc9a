//! What a publisher's pages give to everybody: without JavaScript, in feeds, in frames.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::json;
use tuppence_tests::browser::Browser;
use tuppence_tests::emulation::Screen;
use tuppence_tests::engine::Engine;
use tuppence_tests::http;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::{BREAD, LONG_WALK, NIGHT_TRAINS};
use tuppence_tests::program::Settings;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{heading, link};

#[test]
fn without_javascript_an_article_shows_teaser_and_price_and_nothing_that_is_paid() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        browser.set_javascript(false).await?;
        for article in [BREAD, NIGHT_TRAINS, LONG_WALK] {
            browser.open(&wallet.shop().address(article)).await?;
            let text = browser.text().await;
            assert!(text.contains(article.teaser), "{text}");
            assert!(text.contains(article.price), "{text}");
            let source = browser.driver()?.source().await?;
            assert!(!source.contains(article.paid), "{source}");
            // For search engines, in a script element: WebKit leaves those out where scripts are off.
            let asked = http::client()?.get(wallet.shop().address(article)).header("accept", "text/html");
            let page = asked.send().await?.text().await?;
            assert!(page.contains("isAccessibleForFree"), "{page}");
            assert!(!page.contains(article.paid), "{page}");
        }
        Ok(())
    })
}

/// examples/shop: a folder of Markdown, and a shop.
#[test]
fn the_example_of_a_content_folder_sells_as_it_is() -> Result<(), Failure> {
    play(async |stage| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let settings = Settings::as_shipped()
            .with("--content", &root.join("examples/shop/content").to_string_lossy())
            .with("--campaigns", &root.join("tests/fixtures/shop/campaigns").to_string_lossy());
        let program = stage.program(settings).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;

        browser.open(&program.storefront()).await?;
        browser.click(&link("What a night train is for")).await?;
        browser.see(&heading("What a night train is for")).await?;
        assert!(!browser.driver()?.source().await?.contains("The jam is apricot."));
        let offer = "document.querySelector('.offer').scrollIntoView({ block: 'end' })";
        browser.script::<()>(offer, Vec::new()).await?;
        browser.screenshot("publishing/content-folder-before").await?;
        browser.click(&link("Read for 2¢")).await?;
        wallet.approve().pay("2¢").await?;
        browser.arrives_at(&format!("{}/articles/night-train", program.storefront())).await?;
        browser.says("The jam is apricot.").await?;
        let end = "scrollTo(0, document.querySelector('.paid-part').getBoundingClientRect().bottom + scrollY - innerHeight)";
        browser.script::<()>(end, Vec::new()).await?;
        browser.screenshot("publishing/content-folder-after").await?;
        wallet.home().has("2¢").await
    })
}

#[test]
fn feeds_are_well_formed_and_hold_teasers_only() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        browser.open(&program.storefront()).await?;
        for (feed, entry) in [("feed.xml", "entry"), ("rss.xml", "item")] {
            let address = format!("{}/{feed}", program.storefront());
            let feed = Feed::read(&browser, &address, entry).await?;
            for article in [BREAD, NIGHT_TRAINS, LONG_WALK] {
                assert!(feed.titles.contains(&article.title.to_owned()), "{feed:?}");
                assert!(feed.text.contains(article.teaser), "{feed:?}");
                assert!(!feed.text.contains(article.paid), "{feed:?}");
            }
        }
        Ok(())
    })
}

#[test]
fn the_approval_page_refuses_to_be_framed() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser(Screen::DESKTOP).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;

        let wallet_page = wallet.approve().address(BREAD.slug);
        let address = wallet_page.replace('&', "&amp;");
        // From a tab of its own: WebKit hands the policy of the page before on to a page like this.
        browser.new_tab().await?;
        browser.open(&format!("data:text/html,<h1>A trap</h1><iframe src='{address}'></iframe>")).await?;
        browser.says("A trap").await?;
        browser.driver()?.enter_frame(0).await?;
        let shown: String = browser.script("return document.URL", Vec::new()).await?;
        let refusal = match Engine::chosen()? {
            Engine::Chromium => "chrome-error://chromewebdata/",
            Engine::Firefox => "about:neterror?e=cspBlocked",
            // The address, and nothing of what is there.
            Engine::WebKit => wallet_page.as_str(),
        };
        assert!(shown.starts_with(refusal), "{shown}");
        let loaded = "return document.querySelectorAll('link[rel=modulepreload]').length";
        let of_the_wallet: u32 = browser.script(loaded, Vec::new()).await?;
        assert_eq!((of_the_wallet, browser.text().await.contains(BREAD.title)), (0, false));
        browser.driver()?.enter_default_frame().await?;
        // Firefox says in its console what it has refused, and why.
        for problem in browser.problems().await? {
            assert!(problem.contains("frame-ancestors"), "{problem}");
        }
        wallet.home().has("4¢").await
    })
}

/// A feed, as the browser's XML parser reads it.
#[derive(Debug, serde::Deserialize)]
struct Feed {
    titles: Vec<String>,
    text: String,
}

impl Feed {
    async fn read(browser: &Browser, address: &str, entry: &str) -> Result<Self> {
        let text = http::client()?.get(address).send().await?.error_for_status()?.text().await?;
        let script = "const [text, entry] = arguments;
            const feed = new DOMParser().parseFromString(text, 'application/xml');
            if (feed.querySelector('parsererror')) return { titles: [], text };
            const titles = [...feed.querySelectorAll(entry + ' > title')].map((title) => title.textContent);
            return { titles, text: feed.documentElement.textContent }";
        let feed: Self = browser.script(script, vec![json!(text), json!(entry)]).await?;
        ensure!(!feed.titles.is_empty(), "{address} is not well-formed, or empty: {}", feed.text);
        Ok(feed)
    }
}
