//! Article HTML made harmless (T18) by ammonia: an allowlist of elements and attributes, no script, no style,
//! no address but http, https and mailto, and pictures of this shop alone.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use ammonia::{Builder, Url, UrlRelative};
use tuppence_protocol::scrip::Document;
use tuppence_protocol::text::TextError;
use unicode_normalization::UnicodeNormalization;

/// Turns a picture's address in a text into its address at this shop; absent for what is not shown.
pub type Pictures = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What was made of an article's HTML.
#[derive(Debug)]
pub struct Sanitised {
    /// The HTML.
    pub document: Document,
    /// Addresses of pictures that are not shown.
    pub refused_pictures: Vec<String>,
}

/// Makes `html` harmless.
///
/// # Errors
/// If it is longer than a document may be.
pub fn sanitised(html: &str, pictures: &Pictures) -> Result<Sanitised, TextError> {
    clean(html, pictures, UrlRelative::PassThrough)
}

/// Makes the `html` of a page at `address` harmless; its links lead where they led there.
///
/// # Errors
/// As [`sanitised`].
pub fn sanitised_page(html: &str, pictures: &Pictures, address: Url) -> Result<Sanitised, TextError> {
    clean(html, pictures, UrlRelative::RewriteWithBase(address))
}

fn clean(html: &str, pictures: &Pictures, relative: UrlRelative<'static>) -> Result<Sanitised, TextError> {
    let refused = Arc::new(Mutex::new(Vec::new()));
    let mut builder = Builder::default();
    builder
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(relative)
        .link_rel(Some("noopener noreferrer"))
        .add_tag_attributes("div", ["id"])
        .add_tag_attributes("li", ["id"])
        .id_prefix(Some(ID_PREFIX))
        .set_tag_attribute_value("img", "loading", "lazy");
    let (pictures, noted) = (pictures.clone(), refused.clone());
    builder.attribute_filter(move |element, attribute, value| match (element, attribute) {
        ("img", "src") => {
            let address = pictures(value);
            if address.is_none() {
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(value.to_owned());
            }
            address.map(Cow::Owned)
        }
        // Footnotes: ids are prefixed, so that a text cannot take the name of a part of the page.
        (_, "href") if value.starts_with('#') && !value[1..].starts_with(ID_PREFIX) => {
            Some(format!("#{ID_PREFIX}{}", &value[1..]).into())
        }
        (_, "cite") => None,
        _ => Some(value.into()),
    });
    let clean = builder.clean(&normalised(html)).to_string();
    let document = Document::try_from(normalised(&clean))?;
    let refused_pictures = std::mem::take(&mut *refused.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Sanitised { document, refused_pictures })
}

/// Before every id of a text.
const ID_PREFIX: &str = "text-";

/// In normal form C and without control characters, as documents on the wire are.
///
/// U+0338 is written as a reference, because it would join `<`, `>` or `=` to a character of its own
/// (`>` and U+0338 are one with U+226F), and so open up markup that was closed. No other composition
/// touches markup.
fn normalised(html: &str) -> String {
    let mut plain = String::with_capacity(html.len());
    for c in html.chars() {
        match c {
            '\t' => plain.push_str("    "),
            '\n' => plain.push('\n'),
            '\u{338}' => plain.push_str("&#x338;"),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain.nfc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own_pictures() -> Pictures {
        Arc::new(|address| {
            let own = "https://shop.example/media/";
            if address.starts_with(own) {
                return Some(address.to_owned());
            }
            (address == "a.png").then(|| format!("{own}a.png"))
        })
    }

    fn clean(html: &str) -> String {
        sanitised(html, &own_pictures()).unwrap().document.to_string()
    }

    /// Cleaning twice changes nothing, so the first result parses as what it was meant to be.
    fn assert_harmless(html: &str) {
        let once = clean(html);
        assert_eq!(clean(&once), once, "not stable: {html:?}");
        let lower = once.to_lowercase();
        for (tag, values) in tags(&lower) {
            let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
            for bad in [
                "script", "style", "svg", "math", "iframe", "object", "embed", "form", "base", "meta",
                "link", "input", "template", "noscript", "textarea", "title", "xmp", "select", "body",
                "html",
            ] {
                assert_ne!(name, bad, "came through: {once}");
            }
            for bad in [" on", " style=", " srcdoc=", " srcset=", " ping=", " name=", " action="] {
                assert!(!tag.contains(bad), "{bad} came through: {once}");
            }
            for value in values {
                let scheme: String =
                    value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
                for bad in ["javascript:", "vbscript:", "data:"] {
                    assert!(!tag.contains("href") || !scheme.starts_with(bad), "{bad} came through: {once}");
                }
            }
        }
    }

    /// Each tag without its quoted values, and the values.
    fn tags(html: &str) -> Vec<(String, Vec<String>)> {
        let mut found = Vec::new();
        let mut rest = html;
        while let Some(start) = rest.find('<') {
            let (mut tag, mut values, mut quoted) = (String::new(), Vec::new(), None::<String>);
            let mut end = rest.len();
            for (offset, c) in rest[start + 1..].char_indices() {
                match (&mut quoted, c) {
                    (Some(_), '"') => values.extend(quoted.take()),
                    (Some(value), c) => value.push(c),
                    (None, '"') => quoted = Some(String::new()),
                    (None, '>') => {
                        end = start + 1 + offset;
                        break;
                    }
                    (None, c) => tag.push(c),
                }
            }
            found.push((tag, values));
            rest = &rest[end.min(rest.len())..];
        }
        found
    }

    #[test]
    fn nothing_of_the_corpus_runs() {
        for html in include_str!("../../../tests/data/xss.txt").split("\n%%\n") {
            assert_harmless(html);
            assert_harmless(&format!("<p>before {html} after</p>"));
            assert_harmless(&super::super::markdown::render(html).whole);
        }
    }

    #[test]
    fn composed_characters_open_no_markup() {
        for html in [
            "<b>\u{338} onmouseover=alert(1) x</b>",
            "<b>&#x338; onmouseover=alert(1) x</b>",
            "<b>&#824; onmouseover=alert(1) x</b>",
            "<a href='https://a.example/' title='\u{338}'>\u{338}</a>",
        ] {
            assert_harmless(html);
            assert!(!clean(html).contains('\u{226f}'), "{html}");
        }
    }

    #[test]
    fn plain_articles_come_through_whole() {
        let html = "<h2>Bread</h2>\n<p>A <em>crust</em>, a <a href=\"https://a.example/?a=1&amp;b=2\">link</a>.</p>\n\
            <ul>\n<li>one</li>\n</ul>\n<blockquote>\n<p>q</p>\n</blockquote>\n<pre><code>x &lt; y</code></pre>\n\
            <table><thead><tr><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>";
        let expected = html.replace("\">link", "\" rel=\"noopener noreferrer\">link");
        assert_eq!(clean(html), expected);
    }

    #[test]
    fn only_the_shop_s_own_pictures_are_shown() {
        let html = "<img src=\"a.png\" alt=\"A\"><img src=\"https://tracker.example/x.png\" alt=\"B\">";
        let result = sanitised(html, &own_pictures()).unwrap();
        assert!(result.document.as_str().contains("src=\"https://shop.example/media/a.png\""));
        assert!(!result.document.as_str().contains("tracker"));
        assert_eq!(result.refused_pictures, ["https://tracker.example/x.png"]);
    }

    #[test]
    fn footnotes_find_each_other_and_nothing_else() {
        let html = clean("<a href=\"#1\">1</a><div id=\"1\">Note</div>");
        assert!(html.contains("href=\"#text-1\"") && html.contains("id=\"text-1\""), "{html}");
    }

    #[test]
    fn what_no_document_may_have_is_gone() {
        assert_eq!(
            clean("<p>a\tb\r\nc\u{0}d&#1;e\u{85}</p>").matches(|c: char| c.is_control() && c != '\n').count(),
            0
        );
        assert!(sanitised(&"<p>x</p>".repeat(200_000), &own_pictures()).is_err());
        assert_harmless(&"<div>".repeat(4_000));
        assert_harmless(&"> ".repeat(4_000));
    }

    proptest! {
        #[test]
        fn any_text_comes_out_stable(
            html in "([<>/=\"'&;\u{338}\u{300} a-z]|<(b|p|a|img|svg|script|style|table|td|!--)|on[a-z]=|&#x338;|\\PC){0,60}",
        ) {
            assert_harmless(&html);
        }
    }
}
