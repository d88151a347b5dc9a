//! What pages, frames and shops try that mean no good.

use anyhow::Result;
use serde_json::{Value, json};
use tuppence_tests::pages::shop::{BREAD, NIGHT_TRAINS};
use tuppence_tests::publisher::{Host, Page, Publisher};
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, link};

use super::{Purse, Visit};

/// A claim as a page makes it.
const CLAIM: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// The approval of bread, asked for with this behind the `#`.
fn asked_with(visit: &Visit, fragment: &str) -> String {
    format!("{}#{fragment}", visit.wallet().approve().address(BREAD.slug))
}

/// A page that opens an address in a window by its button, and notes what it hears.
fn listening(address: &str) -> Page {
    let script = format!(
        "<script>globalThis.heard = []; addEventListener('message', ({{ data }}) => heard.push(data.event));
         onload = () => document.querySelector('button').onclick = () => open({})</script>",
        json!(address)
    );
    Page::new(&script, "<main><h1>A page</h1><button>Open</button></main>")
}

async fn heard(visit: &Visit) -> Result<Vec<String>> {
    visit.browser.script("return heard", Vec::new()).await
}

#[test]
fn a_shops_text_can_do_nothing_on_the_page() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        let hostile = Publisher::start(Host::Localhost)?;
        let html = "<p>Words</p><script>pwned = 1</script><img src=x onerror='pwned = 2'><svg onload='pwned = 3'></svg>\
                    <a href='javascript:pwned = 4' onclick='pwned = 5'>a link</a><iframe srcdoc='<script>parent.pwned = 6</script>'></iframe>\
                    <form action='/steal'><input name=a></form><tuppence-balance src='http://localhost:1'></tuppence-balance>\
                    <style>body { display: none }</style><math><mi xlink:href='javascript:pwned = 7'>x</mi></math>\
                    <p style='position: fixed' id=main class=x>More words</p>";
        let answer =
            Page::of("application/json", &json!({ "title": "A title", "document": html }).to_string())
                .with("access-control-allow-origin", "*")
                .with("access-control-allow-headers", "content-type");
        hostile.put("/api/v1/articles/open", answer);
        let shop = visit.program.storefront();
        let script = format!(
            "<script type=\"module\">import {{ open }} from '{shop}/embed.js';
             const {{ text }} = await open({{ shop: {{ origin: '{}' }} }}, {{}});
             document.querySelector('article').append(text); globalThis.shown = true;</script>",
            hostile.origin()
        );
        visit.open(Page::new("", &format!("<main><h1>Post</h1><article></article></main>{script}"))).await?;
        visit.browser.says("More words").await?;
        let left: (Value, String) = visit
            .browser
            .script(
                "return [globalThis.pwned ?? null, document.querySelector('article').innerHTML.toLowerCase()]",
                Vec::new(),
            )
            .await?;
        assert_eq!(left.0, Value::Null);
        for trace in [
            "script", "onerror", "onload", "onclick", "iframe", "form", "tuppence", "style", "math", "id=",
            "class=", "src=",
        ] {
            assert!(!left.1.contains(trace), "{trace} is left in {}", left.1);
        }
        Ok(())
    })
}

#[test]
fn a_frame_that_knows_the_claim_is_not_believed() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let other = Publisher::start(Host::Localhost)?;
        let forger = "<script>onmessage = ({ data, source }) => { source.postMessage(data, '*'); source.postMessage('sent', '*') }</script>";
        let frame = other.put("/frame", Page::new(forger, ""));
        let notes = "<script>addEventListener('message', ({ data }) => { if (data === 'sent') globalThis.sent = true })</script>";
        let body = format!(
            "{notes}{}<iframe title=\"frame\" src=\"{frame}\"></iframe>",
            visit.embed().article(BREAD)
        );
        let page = visit.open(visit.embed().page_of(&body)).await?;
        visit.embed().ask_for(BREAD).await?;
        visit.wallet().approve().asks_for(BREAD.price).await?;
        visit.browser.look_at(&page).await?;
        let forge = "const key = Object.keys(localStorage).find((key) => key.includes('claim'));
                     const { claim } = JSON.parse(localStorage[key]);
                     frames[0].postMessage({ type: 'tuppence', claim, event: 'paid', receipt: {} }, '*'); return null";
        let _: Value = visit.browser.script(forge, Vec::new()).await?;
        let wait = "const [done] = arguments; const look = () => globalThis.sent ? done(true) : setTimeout(look, 20); look()";
        visit.browser.driver()?.execute_async(wait, Vec::new()).await?;
        assert!(!visit.embed().told().await?.contains(&"opening".to_owned()));
        visit.wallet().home().has("4¢").await
    })
}

#[test]
fn what_is_told_goes_to_the_origin_that_was_shown_and_to_no_other() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let address = asked_with(&visit, &format!("for=https://somebody.example&claim={CLAIM}"));
        let page = visit.open(listening(&address)).await?;
        let window = visit.embed().press("Open").await?;
        visit.browser.says("You come from https://somebody.example.").await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.browser.closes(&window, &page).await?;
        assert_eq!(heard(&visit).await?, Vec::<String>::new());
        // The browser tells the page of what it has kept from it.
        visit.browser.problems().await.map(drop)
    })
}

#[test]
fn a_page_gets_what_is_bought_already_only_by_the_readers_own_click() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.wallet().approve().open(BREAD.slug).await?;
        visit.wallet().approve().pay(BREAD.price).await?;
        visit.wallet().shop().shows_all_of(BREAD).await?;
        let address = asked_with(&visit, &format!("for={}&claim={CLAIM}", visit.site.origin()));
        let page = visit.open(listening(&address)).await?;
        let window = visit.embed().press("Open").await?;
        visit.browser.says("This article is yours").await?;
        visit.browser.says(&format!("You come from {}.", visit.site.origin())).await?;
        visit.browser.look_at(&page).await?;
        assert!(!heard(&visit).await?.contains(&"paid".to_owned()));
        visit.browser.look_at(&window).await?;
        visit.wallet().approve().open_what_is_mine().await?;
        visit.browser.closes(&window, &page).await?;
        assert_eq!(heard(&visit).await?, ["paid"]);
        Ok(())
    })
}

#[test]
fn in_a_publishers_frame_there_is_no_button_that_pays() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let address = visit.wallet().approve().address(BREAD.slug);
        visit
            .open(Page::new(
                "",
                &format!("<main><h1>Post</h1><iframe title=\"wallet\" src=\"{address}\"></iframe></main>"),
            ))
            .await?;
        visit.browser.driver()?.enter_frame(0).await?;
        assert_eq!(visit.browser.count(&button("Pay 3¢")).await?, 0);
        visit.browser.driver()?.enter_parent_frame().await?;
        visit.browser.problems().await.map(drop)
    })
}

#[test]
fn a_question_that_makes_no_sense_is_a_usual_approval() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let site = visit.site.origin();
        for fragment in [
            format!("for=javascript:alert(1)&claim={CLAIM}"),
            format!("for={site}/path&claim={CLAIM}"),
            format!("for={site}&claim=short"),
            format!("for={site}&claim={CLAIM}&back=https://elsewhere.example/"),
            format!("for={site}&claim={CLAIM}&back=javascript:alert(1)"),
            format!("for={site}&claim={CLAIM}&answers=%7B"),
            format!("for=null&claim={CLAIM}"),
        ] {
            visit.browser.open("about:blank").await?;
            visit.browser.open(&asked_with(&visit, &fragment)).await?;
            visit.wallet().approve().asks_for(BREAD.price).await?;
            assert!(!visit.browser.text().await.contains("You come from"), "{fragment}");
            // Cancelling leads to the shop, as ever.
            visit.browser.see(&link("Cancel")).await?;
        }
        Ok(())
    })
}

#[test]
fn who_asked_for_one_article_hears_nothing_of_another() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let fragment = format!("for={0}&claim={CLAIM}&back={0}/story", visit.site.origin());
        visit.browser.open(&asked_with(&visit, &fragment)).await?;
        visit.browser.says("You come from").await?;
        visit.wallet().approve().open(NIGHT_TRAINS.slug).await?;
        visit.wallet().approve().asks_for(NIGHT_TRAINS.price).await?;
        assert!(!visit.browser.text().await.contains("You come from"));
        visit.wallet().approve().pay(NIGHT_TRAINS.price).await?;
        visit.wallet().shop().shows_all_of(NIGHT_TRAINS).await
    })
}

#[test]
fn the_claim_does_not_stay_in_the_address() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit
            .browser
            .open(&asked_with(&visit, &format!("for={}&claim={CLAIM}", visit.site.origin())))
            .await?;
        visit.browser.says("You come from").await?;
        assert_eq!(visit.browser.address().await?, visit.wallet().approve().address(BREAD.slug));
        visit.browser.reload().await?;
        visit.browser.says("You come from").await
    })
}

#[test]
fn a_receipt_that_the_shop_does_not_know_is_thrown_away_and_the_article_is_sold() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.open(visit.embed().page(BREAD)).await?;
        visit.embed().is("ready").await?;
        for forged in ["{}", "\"receipt\"", "{\"kind\":\"payment\",\"seal\":\"AAAA\"}"] {
            let key = format!("tuppence receipt {}", visit.wallet().shop().address(BREAD));
            let plant = "localStorage.setItem(arguments[0], arguments[1]); return null";
            let _: Value = visit.browser.script(plant, vec![json!(key), json!(forged)]).await?;
            visit.browser.reload().await?;
            visit.embed().is("ready").await?;
            visit.browser.see(&button("Read for 3¢")).await?;
        }
        Ok(())
    })
}

#[test]
fn a_foreign_page_can_leave_no_receipt_at_the_shop() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::None).await?;
        visit.open(Page::new("", "<main><h1>Post</h1></main>")).await?;
        let script = "const [address, body, done] = arguments;
                      fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
                        .then(() => done('taken'), () => done('refused'))";
        let address = format!("{}/api/v1/claims", visit.program.storefront());
        let arguments = vec![json!(address), json!(json!({ "claim": CLAIM, "receipt": {} }).to_string())];
        let done: String = visit.browser.driver()?.execute_async(script, arguments).await?.convert()?;
        assert_eq!(done, "refused");
        visit.browser.problems().await.map(drop)
    })
}
