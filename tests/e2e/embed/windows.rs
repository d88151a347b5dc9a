//! The wallet's window: blocked, closed, cut off, in the page's place; and the page that is gone meanwhile.

use tuppence_tests::pages::shop::{BREAD, NIGHT_TRAINS};
use tuppence_tests::publisher::{Host, Page};
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::button;

use super::{Purse, Visit};

/// What a browser does that opens no windows.
const BLOCKER: &str = "<script>globalThis.open = () => null</script>";

#[test]
fn a_blocked_window_becomes_a_way_there_and_back() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.open(visit.embed().page_of(&format!("{BLOCKER}{}", visit.embed().article(BREAD)))).await?;
        visit.browser.click(&button("Read for 3¢")).await?;
        visit.embed().is("blocked").await?;
        visit.browser.says("Your browser has not opened the wallet’s window.").await?;
        visit.browser.is_accessible().await?;
        visit.browser.click(&button("Go to the wallet")).await?;
        visit.browser.arrives_at(&visit.program.center()).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.arrives_at(visit.site.origin()).await?;
        visit.embed().is("paid").await?;
        visit.embed().shows_all_of(BREAD).await?;
        visit.wallet().home().has("1¢").await
    })
}

#[test]
fn a_page_may_choose_the_way_there_and_back() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.open(visit.embed().page_of(&visit.embed().article_with(BREAD, "mode=\"redirect\""))).await?;
        visit.browser.click(&button("Read for 3¢")).await?;
        visit.browser.arrives_at(&visit.program.center()).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.arrives_at(visit.site.origin()).await?;
        visit.embed().is("paid").await?;
        visit.embed().shows_all_of(BREAD).await
    })
}

#[test]
fn who_cancels_on_the_way_is_back_at_the_page_and_has_paid_nothing() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.open(visit.embed().page_of(&visit.embed().article_with(BREAD, "mode=\"redirect\""))).await?;
        visit.browser.click(&button("Read for 3¢")).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.wallet().approve().cancel().await?;
        visit.browser.arrives_at(visit.site.origin()).await?;
        visit.embed().is("ready").await?;
        visit.wallet().home().has("4¢").await
    })
}

#[test]
fn who_cancels_in_the_window_sees_the_page_as_it_was() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        let window = visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.wallet().approve().cancel().await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().is("ready").await?;
        visit.wallet().home().has("4¢").await
    })
}

#[test]
fn who_thinks_better_of_it_on_the_page_can_say_so_there() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().ask_for(BREAD).await?;
        visit.browser.look_at(&page).await?;
        visit.browser.click(&button("Not now")).await?;
        visit.embed().is("ready").await
    })
}

#[test]
fn a_window_that_was_closed_can_be_opened_again_and_nothing_is_paid_twice() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.browser.close_tab(&page).await?;
        visit.embed().is("closed").await?;
        visit.browser.says("If its window is closed, open it again").await?;
        let window = visit.embed().press("Open the wallet again").await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().is("paid").await?;
        visit.wallet().home().has("1¢").await
    })
}

#[test]
fn a_window_that_is_closed_in_mid_payment_costs_the_article_once_and_brings_it() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.browser.block(&["*/api/v1/payment/finish"]).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.asks(&["/api/v1/payment", "/api/v1/payment/finish"]).await?;
        visit.browser.close_tab(&page).await?;
        visit.embed().is("closed").await?;
        // The wallet goes on with it by itself.
        let window = visit.embed().press("Open the wallet again").await?;
        visit.wallet().approve().open_what_is_mine().await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().is("paid").await?;
        visit.wallet().home().has("1¢").await
    })
}

#[test]
fn a_page_that_was_loaded_anew_in_mid_payment_still_gets_the_article() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        let window = visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.browser.look_at(&page).await?;
        visit.browser.reload().await?;
        visit.embed().is("ready").await?;
        visit.browser.look_at(&window).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().is("paid").await?;
        visit.embed().shows_all_of(BREAD).await
    })
}

#[test]
fn a_page_that_was_closed_in_mid_payment_has_the_article_when_it_is_opened_again() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let other = visit.browser.tab().await?;
        visit.browser.new_tab().await?;
        visit.open(visit.embed().page(BREAD)).await?;
        let page = visit.browser.tab().await?;
        let window = visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.browser.look_at(&page).await?;
        visit.browser.close_tab(&window).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.closes(&window, &other).await?;
        visit.browser.open(&format!("{}/story", visit.site.origin())).await?;
        visit.embed().is("paid").await?;
        visit.embed().shows_all_of(BREAD).await
    })
}

#[test]
fn a_page_that_cuts_the_line_to_its_windows_gets_the_article_by_way_of_the_shop() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let alone = visit.embed().page(BREAD).with("cross-origin-opener-policy", "same-origin");
        let page = visit.open(alone).await?;
        visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        // Whether the window may close itself is the browser's to say.
        visit.browser.look_at(&page).await?;
        visit.embed().is("paid").await?;
        visit.embed().shows_all_of(BREAD).await
    })
}

#[test]
fn a_page_that_lets_its_windows_go_their_way_hears_from_them() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.embed().page(BREAD).with("cross-origin-opener-policy", "same-origin-allow-popups");
        visit.open(page).await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await
    })
}

#[test]
fn two_articles_of_one_page_are_asked_for_in_two_windows_and_each_opens_its_own() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let embed = visit.embed();
        let page =
            visit.open(embed.page_of(&[embed.article(BREAD), embed.article(NIGHT_TRAINS)].concat())).await?;
        let bread = embed.ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.browser.look_at(&page).await?;
        let trains = embed.ask_for(NIGHT_TRAINS).await?;
        visit.wallet().approve().pay(NIGHT_TRAINS.price).await?;
        visit.browser.closes(&trains, &bread).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.closes(&bread, &page).await?;
        embed.nth_is(0, "paid").await?;
        embed.nth_is(1, "paid").await?;
        embed.shows_all_of(BREAD).await?;
        embed.shows_all_of(NIGHT_TRAINS).await?;
        visit.wallet().home().has("0.6¢").await
    })
}

#[test]
fn the_same_article_twice_on_a_page_is_paid_once_and_opens_twice() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let embed = visit.embed();
        visit.open(embed.page_of(&embed.article(BREAD).repeat(2))).await?;
        embed.buy(BREAD).await?;
        embed.nth_is(0, "paid").await?;
        embed.nth_is(1, "paid").await?;
        visit.wallet().home().has("1¢").await
    })
}

#[test]
fn who_looks_at_the_page_again_and_again_while_paying_sees_that_it_is_paid_and_stays_so()
-> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        let window = visit.embed().ask_for(BREAD).await?;
        visit.browser.look_at(&page).await?;
        // Each time the page asks the shop, and later once more: two seconds, until it is paid.
        let looks = "for (let look = 0; look < 3; look += 1) dispatchEvent(new Event('focus'))";
        visit.browser.script::<()>(looks, Vec::new()).await?;
        visit.browser.look_at(&window).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().is("paid").await?;
        let later = "setTimeout(() => document.querySelector('h1').append(', later'), 3_000)";
        visit.browser.script::<()>(later, Vec::new()).await?;
        visit.browser.says("The Evening Post, later").await?;
        visit.embed().is("paid").await
    })
}

#[test]
fn another_tab_of_the_same_page_opens_what_was_paid_in_the_first() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let first = visit.open(visit.embed().page(BREAD)).await?;
        let second = visit.browser.new_tab().await?;
        visit.browser.open(&format!("{}/story", visit.site.origin())).await?;
        visit.embed().is("ready").await?;
        visit.browser.look_at(&first).await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await?;
        visit.browser.look_at(&second).await?;
        visit.embed().is("paid").await
    })
}

#[test]
fn a_wallet_in_another_tab_that_pays_the_same_is_charged_once() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        let window = visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        // A tab of the page's window: the wallet's has none.
        visit.browser.look_at(&page).await?;
        visit.browser.new_tab().await?;
        visit.wallet().approve().open(BREAD.slug).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.wallet().shop().shows_all_of(BREAD).await?;
        visit.browser.close_tab(&window).await?;
        visit.wallet().approve().open_what_is_mine().await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().is("paid").await?;
        visit.wallet().home().has("1¢").await
    })
}

#[test]
fn what_the_wallet_has_paid_elsewhere_opens_without_paying() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.wallet().approve().open(BREAD.slug).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.wallet().shop().shows_all_of(BREAD).await?;
        let page = visit.open(visit.embed().page(BREAD)).await?;
        let window = visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().open_what_is_mine().await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().is("paid").await?;
        visit.wallet().home().has("1¢").await
    })
}

#[test]
fn a_publisher_on_the_shops_own_site_sells_as_well() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::to(stage, Host::Localhost, Purse::FourCents).await?;
        visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().buy(BREAD).await?;
        visit.embed().is("paid").await?;
        visit.embed().shows_all_of(BREAD).await
    })
}

#[test]
fn a_button_of_the_pages_own_buys_by_the_scripts_functions() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let storefront = visit.program.storefront();
        let script = format!(
            "<script type=\"module\">import {{ info, buy, open, receiptOf }} from '{storefront}/embed.js';
             const article = await info('{storefront}/articles/bread');
             const button = document.querySelector('button');
             button.textContent = `Buy ${{article.title}} for ${{article.price}}`;
             button.onclick = async () => {{
               const receipt = await buy(article);
               const {{ title, text }} = await open(article, receipt);
               document.querySelector('main').append(title, text, receiptOf(article).tranId === receipt.tranId);
             }};</script>"
        );
        let page = visit
            .open(Page::new("", &format!("<main><h1>Post</h1><button></button></main>{script}")))
            .await?;
        let window = visit.embed().press("Buy Bread in the morning for USD:0.03").await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().shows_all_of(BREAD).await?;
        visit.browser.says("true").await
    })
}
