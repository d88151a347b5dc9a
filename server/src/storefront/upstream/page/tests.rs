//! Pages as sites make them: cut at the right place, and nothing of the rest left anywhere.

use proptest::prelude::*;
use tuppence_protocol::Amount;

use super::*;

const OPEN: &str =
    "The oven is warm before the street is awake, and the first loaves go to those who never slept at all.";
const MORE: &str = "The baker counts them twice, once for the bread and once for the night, and he is never wrong about either.";
const PAID: &str =
    "What nobody tells you is that the flour is older than the bakery, and that the recipe was a mistake.";
const LAST: &str =
    "So the bread of the house is the mistake of a man whose name is on no sign, and it is the best in town.";

const REST: &str = "Ask for it by the hour at which it was baked, and you will be given the end of the loaf that nobody else wants.";

fn sold(article: &str, teaser: Teaser) -> Sold {
    let price: Amount = "USD:0.03".parse().unwrap();
    Sold { price, article: Selector::parse(article).unwrap(), teaser }
}

fn by_length(characters: usize) -> Sold {
    sold("article", Teaser::Characters(characters))
}

fn by_selector(selector: &str) -> Sold {
    sold("article", Teaser::Selector(Selector::parse(selector).unwrap()))
}

fn page(article: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=ko><head><meta charset=utf-8><title>Bread – A Site</title></head>\
        <body><nav><a href=/>Home</a></nav>{article}<footer>Since 1997</footer></body></html>"
    )
}

fn four_paragraphs() -> String {
    page(&format!(
        "<article><h1>Bread</h1><div class=text><p class=lead>{OPEN}</p><p>{MORE}</p><p>{PAID}</p><p id=end>{LAST}</p><p>{REST}</p></div></article>"
    ))
}

/// The page for whoever has not paid, which must have `words` of the paid text nowhere.
fn unpaid(html: &str, sold: &Sold) -> String {
    read(html, sold).unwrap().unpaid("<section id=offer>Read for 3¢</section>")
}

#[track_caller]
fn assert_free_of(page: &str, paid: &str) {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let (page, paid) = (plain(page), plain(paid));
    for start in (0..paid.len().saturating_sub(30)).filter(|at| paid.is_char_boundary(*at)) {
        let end = (start + 30..=paid.len()).find(|at| paid.is_char_boundary(*at)).unwrap();
        assert!(!page.contains(&paid[start..end]), "`{}` is in the page", &paid[start..end]);
    }
}

#[test]
fn a_teaser_by_length_ends_with_the_paragraph_that_reaches_it() {
    let html = four_paragraphs();
    for (characters, kept, gone) in [(50, OPEN, MORE), (110, MORE, PAID), (100_000, MORE, PAID)] {
        let page = unpaid(&html, &by_length(characters));
        assert!(page.contains(kept), "{characters}");
        assert_free_of(&page, gone);
        assert_free_of(&page, LAST);
        // What is around the article stays, and the offer stands at its end.
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"ko\">"), "{page}");
        assert!(page.contains("<nav><a href=\"/\">Home</a></nav>") && page.contains("Since 1997"));
        assert!(page.contains("<section id=\"offer\">Read for 3¢</section></article>"), "{page}");
    }
}

#[test]
fn no_more_than_half_is_given_away_and_no_heading_ends_the_teaser() {
    let html = page(&format!("<article><p>{OPEN}</p><h2>What came next</h2><p>{PAID}</p></article>"));
    let cut = unpaid(&html, &by_length(150));
    assert!(cut.contains(OPEN) && !cut.contains("What came next"), "{cut}");
    let html = page(&format!("<article><p>{OPEN} {MORE} {PAID}</p><p>{LAST}</p></article>"));
    let cut = unpaid(&html, &by_length(400));
    assert!(cut.contains("The oven is warm before the street") && cut.contains('…'), "{cut}");
    assert_free_of(&cut, PAID);
    assert_free_of(&cut, LAST);
}

#[test]
fn a_text_without_paragraphs_is_cut_between_words() {
    let html = page(&format!("<article>{OPEN}<br>{MORE}<br>{PAID}</article>"));
    let cut = unpaid(&html, &by_length(30));
    assert!(cut.contains("<article>The oven is warm before the…<section"), "{cut}");
    assert_free_of(&cut, MORE);
    let html = page(&format!("<article><img src=a.png>{}</article>", "가".repeat(300)));
    let cut = unpaid(&html, &by_length(20));
    assert!(cut.contains(&format!("{}…", "가".repeat(20))) && !cut.contains(&"가".repeat(21)), "{cut}");
}

#[test]
fn a_teaser_by_selector_is_what_stays_wherever_it_stands() {
    let cut = unpaid(&four_paragraphs(), &by_selector(".lead"));
    assert!(cut.contains(OPEN) && !cut.contains("<h1>"), "{cut}");
    for paid in [MORE, PAID, LAST] {
        assert_free_of(&cut, paid);
    }
    let cut = unpaid(&four_paragraphs(), &by_selector("h1, #end"));
    assert!(cut.contains("<h1>Bread</h1>") && cut.contains(LAST), "{cut}");
    for paid in [OPEN, MORE, PAID] {
        assert_free_of(&cut, paid);
    }
}

#[test]
fn everything_that_the_selector_finds_is_sold() {
    let html = page(&format!(
        "<div class=text><p>{OPEN}</p><p>{MORE}</p></div><aside>Advert</aside><div class=text><p>{PAID}</p></div><div class=text>{LAST}</div>"
    ));
    let read = read(&html, &sold(".text", Teaser::Characters(50))).unwrap();
    for text in [OPEN, MORE, PAID, LAST] {
        assert!(read.whole.contains(text));
    }
    assert!(read.teaser.contains(OPEN) && !read.teaser.contains(MORE));
    let cut = read.unpaid("<b>offer</b>");
    assert!(cut.contains("Advert"));
    for paid in [MORE, PAID, LAST] {
        assert_free_of(&cut, paid);
    }
}

#[test]
fn what_repeats_the_paid_text_is_gone_from_the_rest_of_the_page() {
    let escaped: String = PAID.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let article = format!("<article><p>{OPEN}</p><p>{MORE}</p><p>{PAID}</p></article>");
    for (place, stays) in [
        (format!("<script>var data = \"{escaped}\";</script>"), ""),
        (format!("<script type=\"application/ld+json\">{{\"articleBody\": \"{PAID}\"}}</script>"), ""),
        (format!("<!-- {PAID} -->"), ""),
        (
            format!("<div data-page='{{\"body\":\"{escaped}\"}}' class=kept></div>"),
            "<div class=\"kept\"></div>",
        ),
        (format!("<div hidden><p>{PAID}</p></div>"), "<div hidden=\"\">"),
        (format!("<noscript><p>{PAID}</p></noscript>"), "<noscript>"),
        (format!("<template><p>{PAID}</p></template>"), "<template>"),
        (format!("<textarea>{PAID}</textarea>"), "<textarea>"),
        (format!("<svg><text>{PAID}</text></svg>"), "<svg>"),
        (format!("<iframe srcdoc=\"<p>{PAID}</p>\"></iframe>"), "<iframe>"),
        (format!("<p>Before {PAID} <b>after</b></p>"), "<b>after</b>"),
        (format!("<img alt=\"{}\" src=/a.png>", PAID.to_uppercase()), "src=\"/a.png\""),
        ("<script src=/menu.js></script>".to_owned(), "<script src=\"/menu.js\"></script>"),
        (format!("<p>{OPEN}</p>"), OPEN),
    ] {
        for html in [page(&format!("{article}{place}")), page(&format!("{place}{article}"))] {
            let cut = unpaid(&html, &by_length(50));
            assert_free_of(&cut, PAID);
            assert!(!cut.contains(&escaped[..60]), "{place}");
            assert!(cut.contains(stays), "{stays} is missing in {cut}");
        }
    }
    let described = format!("<meta name=description content=\"{PAID}\">");
    let html = page(&article).replace("<title>", &format!("{described}<title>"));
    let read = read(&html, &by_length(50)).unwrap();
    assert_eq!(read.facts.description, None);
    assert_free_of(&read.unpaid(""), PAID);
}

#[test]
fn what_nobody_reads_of_the_teaser_is_no_way_around_the_cut() {
    for hidden in ["noscript", "template"] {
        let lead = format!("<div class=lead><p>{OPEN}</p><{hidden}><p>{PAID}</p></{hidden}></div>");
        let html = page(&format!("<article>{lead}<p>{MORE}</p></article>"));
        let cut = unpaid(&html, &by_selector(".lead"));
        assert!(cut.contains(OPEN));
        assert_free_of(&cut, PAID);
    }
}

#[test]
fn what_the_rule_does_not_fit_is_not_sold() {
    for (html, sold, reason) in [
        (page("<p>Bread</p>"), by_length(10), Unsellable::NoArticle),
        (String::new(), by_length(10), Unsellable::NoArticle),
        (four_paragraphs(), by_selector(".none"), Unsellable::NoTeaser),
        // A teaser outside of what is sold is none.
        (four_paragraphs(), by_selector("footer"), Unsellable::NoTeaser),
        (four_paragraphs(), by_selector("h1, .text"), Unsellable::NothingToSell),
        (
            page(&format!("<article>{}{PAID}</article>", "<div>".repeat(600))),
            by_length(10),
            Unsellable::TooDeep,
        ),
        (page("<article></article>"), by_length(10), Unsellable::NothingToSell),
        (page("<article> \n </article>"), by_length(10), Unsellable::NothingToSell),
    ] {
        assert_eq!(read(&html, &sold).unwrap_err(), reason, "{html}");
    }
}

#[test]
fn a_page_says_what_it_is() {
    let html = "<html lang=ko><head><title>Bread – A Site</title><meta property=og:title content=' Bread  and\nnight '>\
        <meta name=description content='On bread.'><meta name=author content='Ann Example'>\
        <meta property=article:published_time content='2026-01-05T10:00:00Z'><meta property=og:image content=/a.png></head>\
        <article><h1>Bread and night</h1><p>One two three.</p><p>Four five six.</p></article>";
    let page = read(html, &by_length(5)).unwrap();
    let facts = &page.facts;
    assert_eq!(facts.title, "Bread and night");
    assert_eq!(facts.language.as_deref(), Some("ko"));
    assert_eq!(facts.description.as_deref(), Some("On bread."));
    assert_eq!(facts.author.as_deref(), Some("Ann Example"));
    assert_eq!(facts.date.unwrap().to_rfc3339(), "2026-01-05T10:00:00+00:00");
    assert_eq!(facts.image.as_deref(), Some("/a.png"));
    assert_eq!(page.words, 9);
    // The title is the wallet's heading already.
    assert_eq!(page.whole, "<p>One two three.</p><p>Four five six.</p>");

    for (head, body, title) in [
        (
            "<title>Site</title>",
            "<h1>Site</h1><article><h1>Bread</h1><p>a b</p><p>c d</p></article>",
            "Bread",
        ),
        ("<title>Site</title>", "<h1>Bread</h1><article><p>a b</p><p>c d</p></article>", "Bread"),
        ("<title>Bread</title>", "<article><p>a b</p><p>c d</p></article>", "Bread"),
        ("", "<article><p>a b</p><p>c d</p></article>", ""),
    ] {
        let html = format!("<html><head>{head}</head><body>{body}</body></html>");
        assert_eq!(read(&html, &by_length(1)).unwrap().facts.title, title, "{html}");
    }
}

#[test]
fn pages_are_read_as_they_are_encoded() {
    let (euc, _, _) = encoding_rs::EUC_KR.encode("<meta charset=euc-kr>빵집");
    assert!(decoded("text/html", &euc).ends_with("빵집"));
    assert!(decoded("text/html; charset=\"EUC-KR\"", &euc[21..]).ends_with("빵집"));
    let (shift, _, _) = encoding_rs::SHIFT_JIS
        .encode("<meta http-equiv=content-type content='text/html; charset=Shift_JIS'>パン");
    assert!(decoded("text/html", &shift).ends_with("パン"));
    assert_eq!(decoded("text/html; charset=utf-8", "빵".as_bytes()), "빵");
    assert_eq!(decoded("text/html; charset=nonsense", "빵".as_bytes()), "빵");
    assert_eq!(decoded("text/html", b"\xef\xbb\xbfa"), "a");
    assert_eq!(decoded("text/html", b"a\xff"), "a\u{fffd}");
}

proptest! {
    #[test]
    fn no_page_gives_away_what_is_sold_and_none_is_too_strange(
        before in "(<(div|p|b|table|tr|td|template|svg|script|!--|ul|li|a href=x)>|</(div|p|table|article|script)>|-->|[a-z &;]){0,12}",
        inside in "(<(div|p|b|table|tr|td|article|template|svg|noscript|ul|li)>|</(div|p|b|table|article)>|[a-z &;]){0,12}",
        characters in 0_usize..200,
    ) {
        let html = format!("{before}<article>{inside}<p>{OPEN}</p><p>{MORE}</p><p>{PAID}</p><p>{LAST}</p></article>");
        for rule in [by_length(characters), sold("p", Teaser::Characters(characters)), by_selector("p:first-of-type")] {
            // A tag that is out of place may end the article before its text.
            let Some(page) = read(&html, &rule).ok().filter(|page| page.whole.contains(LAST)) else { continue };
            let passages = Passages::new(LAST, &page.teaser_text);
            prop_assert!(!passages.are_in(&page.unpaid("<b>offer</b>")), "{}", html);
        }
    }
}
