//! Pages of every kind: strict policies, other languages, narrow screens, no JavaScript, frameworks that move things.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha384};
use thirtyfour::Key;
use tuppence_tests::emulation::Screen;
use tuppence_tests::engine::Permissions;
use tuppence_tests::http;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::{Article, BREAD, NIGHT_TRAINS};
use tuppence_tests::program::Settings;
use tuppence_tests::publisher::{Host, NodeSite, Page, Publisher};
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, choice, link};

use super::{Purse, Visit};

/// The strictest policy that docs/publishing.md names.
fn strict(visit: &Visit) -> String {
    let (shop, wallet) = (visit.program.storefront(), visit.program.center());
    format!(
        "default-src 'none'; script-src {shop}; connect-src {shop} {wallet}; img-src {shop}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types tuppence"
    )
}

/// A page without a script of its own, as such a policy wants it.
fn plain(visit: &Visit) -> Page {
    let body = format!("<main><h1>Post</h1>{}</main>", visit.embed().article(BREAD));
    Page::new(&visit.embed().script(), &body).with("referrer-policy", "no-referrer")
}

#[test]
fn under_the_strictest_policy_an_article_is_bought_and_shown() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.open(plain(&visit).with("content-security-policy", &strict(&visit))).await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await?;
        visit.embed().shows_all_of(BREAD).await?;
        assert_eq!(visit.browser.problems().await?, Vec::<String>::new());
        Ok(())
    })
}

#[test]
fn where_the_policy_lets_nothing_be_shown_nothing_is_sold() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        let policy = strict(&visit).replace("trusted-types tuppence", "trusted-types other");
        visit.open(plain(&visit).with("content-security-policy", &policy)).await?;
        let enforced: bool = visit.browser.script("return 'trustedTypes' in window", Vec::new()).await?;
        visit.embed().is(if enforced { "unreachable" } else { "ready" }).await?;
        if enforced {
            assert_eq!(visit.browser.count(&button("Read for 3¢")).await?, 0);
            let said = visit.browser.console().await.join("\n");
            assert!(said.to_lowercase().contains("trusted"), "{said}");
        }
        visit.browser.problems().await.map(drop)
    })
}

#[test]
fn where_the_policy_hides_the_wallet_from_the_page_it_is_bought_all_the_same() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let policy = strict(&visit).replace(&format!(" {};", visit.program.center()), ";");
        visit.open(plain(&visit).with("content-security-policy", &policy)).await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await?;
        // The browser has told of the question that the policy forbids.
        visit.browser.problems().await.map(drop)
    })
}

#[test]
fn the_script_is_taken_with_its_integrity_and_refused_with_another() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        let shop = visit.program.storefront();
        let script = http::client()?.get(format!("{shop}/embed.js")).send().await?.bytes().await?;
        let right = format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(&script)));
        let page = |hash: &str| {
            let script = format!(
                "<script type=\"module\" src=\"{shop}/embed.js\" integrity=\"{hash}\" crossorigin></script>"
            );
            Page::new(&script, &visit.embed().article(BREAD))
        };
        visit.open(page(&right)).await?;
        visit.embed().is("ready").await?;
        visit.open(page(&format!("sha384-{}", "A".repeat(64)))).await?;
        visit.embed().is("none").await?;
        visit.browser.problems().await.map(drop)
    })
}

#[test]
fn a_page_in_korean_or_japanese_is_spoken_to_in_its_language() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        for (language, words) in
            [("ko", "3¢에 읽기"), ("ja", "3¢で読む"), ("en-GB", "Read for 3¢"), ("fr", "Read for 3¢")]
        {
            let body = format!("<div lang=\"{language}\">{}</div>", visit.embed().article(BREAD));
            visit.open(visit.embed().page_of(&body)).await?;
            visit.browser.see(&button(words)).await?;
        }
        Ok(())
    })
}

#[test]
fn on_a_page_that_is_read_from_right_to_left_it_fits_and_the_button_stands_on_the_right()
-> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.browser.set_screen(Screen::of_width(320)).await?;
        visit
            .open(visit.embed().page_of(&format!("<div dir=\"rtl\">{}</div>", visit.embed().article(BREAD))))
            .await?;
        visit.browser.see(&button("Read for 3¢")).await?;
        visit.browser.fits_its_width().await?;
        let right: bool = visit
            .browser
            .script(
                "const root = document.querySelector('tuppence-article').shadowRoot;
                 const [card, button] = ['section', 'button'].map((name) => root.querySelector(name).getBoundingClientRect());
                 return card.right - button.right < button.left - card.left",
                Vec::new(),
            )
            .await?;
        assert!(right);
        Ok(())
    })
}

#[test]
fn on_the_narrowest_screen_nothing_has_to_be_scrolled_sideways() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.browser.set_screen(Screen::of_width(320)).await?;
        visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().is("ready").await?;
        visit.browser.fits_its_width().await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await?;
        visit.browser.fits_its_width().await
    })
}

#[test]
fn light_and_dark_follow_the_page() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.browser.set_screen(Screen::PHONE.dark()).await?;
        let colour =
            "const card = document.querySelector('tuppence-article').shadowRoot.querySelector('section');
                      return getComputedStyle(card).backgroundColor";
        let page = |scheme: &str| {
            let body =
                format!("<div style=\"color-scheme: {scheme}\">{}</div>", visit.embed().article(BREAD));
            visit.embed().page_of(&body)
        };
        let mut seen = Vec::new();
        for scheme in ["light", "dark", "light dark"] {
            visit.open(page(scheme)).await?;
            visit.embed().is("ready").await?;
            seen.push(visit.browser.script::<String>(colour, Vec::new()).await?);
        }
        assert_ne!(seen[0], seen[1]);
        assert_eq!(seen[1], seen[2], "a page that has both follows the system, which is dark");
        Ok(())
    })
}

#[test]
fn a_page_dresses_it_by_properties_and_parts() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        let style = "<style>tuppence-article { --tuppence-accent: rgb(1, 2, 3) } tuppence-article::part(title) { color: rgb(4, 5, 6) }</style>";
        visit.open(visit.embed().page_of(&format!("{style}{}", visit.embed().article(BREAD)))).await?;
        visit.embed().is("ready").await?;
        let colours: [String; 2] = visit
            .browser
            .script(
                "const root = document.querySelector('tuppence-article').shadowRoot;
                 return [getComputedStyle(root.querySelector('button')).backgroundColor, getComputedStyle(root.querySelector('h3')).color]",
                Vec::new(),
            )
            .await?;
        assert_eq!(colours, ["rgb(1, 2, 3)", "rgb(4, 5, 6)"]);
        Ok(())
    })
}

#[test]
fn the_keyboard_alone_buys_and_goes_on_where_the_text_begins() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        visit.browser.see(&button("Read for 3¢")).await?;
        visit.browser.press(Key::Tab).await?;
        let known = visit.browser.tabs().await?;
        visit.browser.press(Key::Enter).await?;
        let window = visit.browser.look_at_another_than(&known).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().is("paid").await?;
        let focused: String =
            visit.browser.script("return document.activeElement.className", Vec::new()).await?;
        assert_eq!(focused, "tuppence-text");
        Ok(())
    })
}

#[test]
fn without_javascript_the_publishers_own_words_stand_there() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        let shop = visit.wallet().shop().address(BREAD);
        let body = format!(
            "<tuppence-article src=\"{shop}\"><a href=\"{shop}\">Read it at the shop</a></tuppence-article>"
        );
        visit.browser.set_javascript(false).await?;
        visit.open(visit.embed().page_of(&body)).await?;
        visit.browser.set_javascript(true).await?;
        visit.browser.see(&link("Read it at the shop")).await.map(drop)
    })
}

/// examples/static-site, from nothing to the first sale.
#[test]
fn the_example_of_a_static_site_earns_and_sells_as_it_is() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::as_shipped()).await?;
        let visit = Visit {
            program,
            browser: stage.browser(Screen::PHONE).await?,
            site: Publisher::start(Host::Numbers)?,
        };
        let example = include_str!("../../../examples/static-site/index.html");
        let example = example.replace("http://localhost:8081", &visit.program.storefront());
        visit
            .site
            .put("/style.css", Page::of("text/css", include_str!("../../../examples/static-site/style.css")));
        let page = visit.open(Page::of("text/html; charset=utf-8", &example)).await?;
        let (train, embed) = (Article { slug: "night-train", price: "2¢", ..BREAD }, visit.embed());
        for number in 0..4 {
            embed.nth_is(number, "ready").await?;
        }
        visit.browser.fits_its_width().await?;
        visit.browser.is_accessible().await?;
        visit.browser.screenshot_of_page("publishing/static-site-before").await?;

        visit.browser.click(&choice("It floats")).await?;
        let window = embed.press("Send my answers and earn 2¢").await?;
        visit.browser.click(&button("Create my wallet")).await?;
        visit.browser.click(&button("Send my answers")).await?;
        visit.wallet().earn().earned("2¢").await?;
        visit.browser.look_at(&page).await?;
        embed.nth_is(3, "earned").await?;
        visit.browser.look_at(&window).await?;
        visit.browser.close_tab(&page).await?;

        let window = embed.ask_for(train).await?;
        visit.wallet().approve().asks_for(train.price).await?;
        visit.browser.screenshot("publishing/static-site-approval").await?;
        visit.wallet().approve().pay(train.price).await?;
        visit.browser.closes(&window, &page).await?;
        embed.nth_is(1, "paid").await?;
        visit.browser.fits_its_width().await?;
        visit.browser.is_accessible().await?;
        visit.browser.screenshot_of_page("publishing/static-site-after").await?;
        visit.wallet().home().has("$0.00").await
    })
}

/// examples/node-site: a server that makes its own pages, and checks by itself who has paid.
#[test]
fn the_example_of_a_server_of_ones_own_sells_as_it_is() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let settings = [
            ("CREDENTIALS", program.data().join("shop.json").to_string_lossy().into_owned()),
            ("STOREFRONT", program.storefront()),
            ("WALLET", program.center()),
        ];
        let site = NodeSite::start("examples/node-site/server.mjs", &settings).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let wallet = Wallet::of(&browser, &program);
        wallet.home().become_a_reader().await?;
        wallet.earn().pass_the_quiz().await?;

        let (news, secret) = (format!("{}/news/bread", site.origin()), "forty people in the yard");
        browser.open(&news).await?;
        browser.is_accessible().await?;
        assert!(!browser.text().await.contains(secret));
        browser.screenshot_of_page("publishing/node-site-before").await?;
        browser.click(&link("Read on for a few cents")).await?;
        browser.says(&format!("You come from {}.", site.origin())).await?;
        wallet.approve().pay(BREAD.price).await?;
        browser.arrives_at(&news).await?;
        browser.says(secret).await?;
        browser.screenshot_of_page("publishing/node-site-after").await?;
        browser.reload().await?;
        browser.says(secret).await?;
        wallet.home().has("1¢").await
    })
}

#[test]
fn a_page_may_show_its_own_title_and_teaser() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.open(visit.embed().page_of(&visit.embed().article_with(BREAD, "bare"))).await?;
        visit.browser.see(&button("Read for 3¢")).await?;
        assert!(!visit.browser.text().await.contains(BREAD.title));
        Ok(())
    })
}

#[test]
fn an_element_that_comes_later_is_moved_or_gets_another_article_follows() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.open(visit.embed().page_of("<div id=\"one\"></div><div id=\"two\"></div>")).await?;
        let (bread, trains) =
            (visit.wallet().shop().address(BREAD), visit.wallet().shop().address(NIGHT_TRAINS));
        let add = format!(
            "const element = document.createElement('tuppence-article'); element.setAttribute('src', '{bread}');
             document.querySelector('#one').append(element); return null"
        );
        let _: Value = visit.browser.script(&add, Vec::new()).await?;
        visit.browser.see(&button("Read for 3¢")).await?;
        let _: Value = visit
            .browser
            .script("document.querySelector('#two').append(document.querySelector('tuppence-article')); return null", Vec::new())
            .await?;
        visit.browser.see(&button("Read for 3¢")).await?;
        let change = format!(
            "document.querySelector('tuppence-article').setAttribute('src', '{trains}'); return null"
        );
        let _: Value = visit.browser.script(&change, Vec::new()).await?;
        visit.browser.see(&button("Read for 0.4¢")).await?;
        visit.browser.gone(&button("Read for 3¢")).await
    })
}

#[test]
fn an_element_that_is_taken_away_while_it_is_paid_says_nothing_more() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        let window = visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.browser.look_at(&page).await?;
        let _: Value = visit
            .browser
            .script("document.querySelector('tuppence-article').remove(); return null", Vec::new())
            .await?;
        visit.browser.look_at(&window).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.closes(&window, &page).await?;
        assert!(!visit.embed().told().await?.contains(&"tuppence-paid".to_owned()));
        // It is not lost: the next visit opens it.
        visit.browser.reload().await?;
        visit.embed().is("paid").await
    })
}

#[test]
fn the_script_twice_on_a_page_is_the_script_once() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        let again = format!(
            "<script type=\"module\" src=\"{}/embed.js?again\"></script>",
            visit.program.storefront()
        );
        visit.open(visit.embed().page_of(&format!("{again}{}", visit.embed().article(BREAD)))).await?;
        visit.embed().is("ready").await?;
        assert_eq!(visit.browser.count(&button("Read for 3¢")).await?, 1);
        Ok(())
    })
}

#[test]
fn a_saved_article_is_one_file_with_everything_in_it() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await?;
        visit.browser.click(&button("Save as a file")).await?;
        let path = visit.browser.download().await?;
        assert_eq!(path.file_name().unwrap_or_default(), "bread.html");
        let file = fs::read_to_string(path)?;
        for part in [BREAD.title, BREAD.paid, "default-src 'none'", &visit.wallet().shop().address(BREAD)] {
            assert!(file.contains(part), "{part} is not in {file}");
        }
        assert!(!file.contains("<script"), "{file}");
        Ok(())
    })
}

#[test]
fn a_browser_that_keeps_nothing_of_other_sites_buys_all_the_same() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser_with(Screen::DESKTOP, Permissions::NoForeignStorage).await?;
        let visit = Visit { program, browser, site: Publisher::start(Host::Numbers)? };
        visit.wallet().home().become_a_reader().await?;
        visit.wallet().earn().pass_the_quiz().await?;
        visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await
    })
}

#[test]
fn in_a_browser_without_storage_the_wallet_says_so_and_the_page_waits() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let browser = stage.browser_with(Screen::DESKTOP, Permissions::NoStorage).await?;
        let site = Publisher::start(Host::Numbers)?;
        let wallet = Wallet::of(&browser, &program);
        browser.open(&site.put("/story", wallet.embed().page(BREAD))).await?;
        wallet.embed().is("ready").await?;
        let page = browser.tab().await?;
        wallet.embed().ask_for(BREAD).await?;
        browser.says("This browser does not let the wallet keep its records.").await?;
        browser.look_at(&page).await?;
        browser.click(&button("Not now")).await?;
        wallet.embed().is("ready").await
    })
}
