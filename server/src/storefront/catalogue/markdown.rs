//! Markdown (CommonMark): an article's text as HTML, and where the teaser ends.
//!
//! The cut is made between top-level blocks of the parsed text, never inside a word or markup: at
//! `<!-- more -->`, or where the teaser is long enough.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// A teaser without a mark ends with the block that brings it to so many characters.
const TEASER_CHARS: usize = 400;
/// Characters of a teaser as plain text.
const SUMMARY_CHARS: usize = 300;

/// An article's text as HTML that is not sanitised yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Rendered {
    /// What everybody may read.
    pub teaser: String,
    /// All of it.
    pub whole: String,
    /// The beginning of the teaser as plain text.
    pub summary: String,
    /// Words in all.
    pub words: usize,
    /// Whether something comes after the teaser.
    pub goes_on: bool,
    /// What comes after it, block by block.
    pub rest: Vec<Block>,
}

/// A block of a text, such as a paragraph or a heading.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// Its HTML.
    pub html: String,
    /// Its words.
    pub words: usize,
    /// Whether it stands over what comes next.
    pub is_heading: bool,
}

/// Renders `source`, and cuts the teaser.
pub fn render(source: &str) -> Rendered {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_SMART_PUNCTUATION;
    let events: Vec<Event<'_>> = Parser::new_ext(source, options).map(below_the_title).collect();
    let blocks = blocks(&events);
    let (kept, rest) = cut(&events, &blocks);
    let whole: Vec<Event<'_>> = events.iter().filter(|event| !is_mark(event)).cloned().collect();
    Rendered {
        teaser: to_html(&events[..kept]),
        whole: to_html(&whole),
        summary: shortened(&plain(&events[..kept]), SUMMARY_CHARS),
        words: plain(&events).split_whitespace().count(),
        goes_on: events[rest..].iter().any(|event| !is_mark(event)),
        rest: blocks_after(&events, &blocks, rest),
    }
}

/// The blocks from the event `rest` on.
fn blocks_after(events: &[Event<'_>], ends: &[usize], rest: usize) -> Vec<Block> {
    let mut start = rest;
    let mut blocks = Vec::new();
    for &end in ends.iter().filter(|end| **end > rest) {
        let block: Vec<Event<'_>> =
            events[start..end].iter().filter(|event| !is_mark(event)).cloned().collect();
        start = end;
        let html = to_html(&block);
        if !html.trim().is_empty() {
            let words = plain(&block).split_whitespace().count();
            let is_heading = matches!(block.first(), Some(Event::Start(Tag::Heading { .. })));
            blocks.push(Block { html, words, is_heading });
        }
    }
    blocks
}

/// The article's title is the page's only heading of the first level.
fn below_the_title(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Start(Tag::Heading { level: HeadingLevel::H1, id, classes, attrs }) => {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, id, classes, attrs })
        }
        Event::End(TagEnd::Heading(HeadingLevel::H1)) => Event::End(TagEnd::Heading(HeadingLevel::H2)),
        other => other,
    }
}

/// Where each top-level block ends, as an index into the events.
fn blocks(events: &[Event<'_>]) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut ends = Vec::new();
    for (index, event) in events.iter().enumerate() {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            ends.push(index + 1);
        }
    }
    ends
}

/// How many events the teaser has, and where the rest begins.
fn cut(events: &[Event<'_>], ends: &[usize]) -> (usize, usize) {
    let mut start = 0;
    for &end in ends {
        let block = &events[start..end];
        if block.iter().any(is_mark) {
            // A mark inside a block ends the teaser before that block: nothing of it slips out.
            let alone = block.iter().all(|event| {
                is_mark(event)
                    || matches!(event, Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock))
            });
            return (start, if alone { end } else { start });
        }
        start = end;
    }
    let kept = by_length(events, ends);
    (kept, kept)
}

/// Whole blocks until the teaser is long enough, but never more than half of the text, and no heading at its end.
fn by_length(events: &[Event<'_>], ends: &[usize]) -> usize {
    let all = plain(events).chars().count();
    let (mut chars, mut start, mut kept) = (0, 0, 0);
    for &end in ends {
        let block = &events[start..end];
        chars += plain(block).chars().count();
        if chars * 2 > all {
            break;
        }
        if !matches!(block.first(), Some(Event::Start(Tag::Heading { .. }))) {
            kept = end;
        }
        if chars >= TEASER_CHARS {
            break;
        }
        start = end;
    }
    kept
}

/// `<!-- more -->`, in any spacing and case.
fn is_mark(event: &Event<'_>) -> bool {
    let (Event::Html(html) | Event::InlineHtml(html)) = event else { return false };
    html.split("<!--").skip(1).any(|comment| {
        comment.split("-->").next().is_some_and(|inner| inner.trim().eq_ignore_ascii_case("more"))
    })
}

fn to_html(events: &[Event<'_>]) -> String {
    let mut out = String::new();
    html::push_html(&mut out, events.iter().cloned());
    out
}

/// The text alone, without pictures' descriptions.
fn plain(events: &[Event<'_>]) -> String {
    let mut text = String::new();
    let mut pictures = 0_usize;
    for event in events {
        match event {
            Event::Start(Tag::Image { .. }) => pictures += 1,
            Event::End(TagEnd::Image) => pictures = pictures.saturating_sub(1),
            Event::Text(part) | Event::Code(part) if pictures == 0 => text.push_str(part),
            Event::SoftBreak | Event::HardBreak | Event::Rule => text.push(' '),
            Event::End(end) if !is_inline(end) => text.push(' '),
            _ => {}
        }
    }
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_inline(end: &TagEnd) -> bool {
    matches!(end, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link)
}

/// At most so many characters, cut between words.
pub fn shortened(text: &str, chars_max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars_max) else { return text.to_owned() };
    let cut = text[..end].rfind(char::is_whitespace).unwrap_or(end);
    format!("{}…", text[..cut].trim_end_matches(|c: char| c.is_whitespace() || c == ',' || c == ';'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_mark_cuts_whatever_its_spacing() {
        for mark in ["<!-- more -->", "<!--more-->", "<!--  MORE  -->"] {
            let rendered = render(&format!("Open *text*.\n\n{mark}\n\nPaid text."));
            assert_eq!(rendered.teaser, "<p>Open <em>text</em>.</p>\n");
            assert_eq!(rendered.whole, "<p>Open <em>text</em>.</p>\n<p>Paid text.</p>\n");
            assert_eq!(rendered.summary, "Open text.");
            assert!(rendered.goes_on);
        }
    }

    #[test]
    fn a_mark_inside_a_block_keeps_the_whole_block_back() {
        for source in [
            "Open.\n\nBefore <!-- more --> paid.",
            "Open.\n\n- one\n- two <!-- more -->\n- paid",
            "Open.\n\n> quote\n>\n> <!-- more -->\n>\n> paid",
            "Open.\n\n<div>\n<!-- more -->\npaid\n</div>\n",
        ] {
            let rendered = render(source);
            assert_eq!(rendered.teaser, "<p>Open.</p>\n", "{source}");
            assert!(rendered.whole.contains("paid"), "{source}");
        }
    }

    #[test]
    fn a_mark_in_code_is_no_mark() {
        let rendered = render("```\n<!-- more -->\n```\n\nText.\n\n<!-- more -->\n\nPaid.");
        assert!(rendered.teaser.contains("Text.") && !rendered.teaser.contains("Paid."));
    }

    #[test]
    fn references_work_on_both_sides_of_the_cut() {
        let rendered = render("See [a].\n\n<!-- more -->\n\nPaid.\n\n[a]: https://a.example/\n");
        assert!(rendered.teaser.contains(r#"<a href="https://a.example/">"#));
    }

    #[test]
    fn without_a_mark_the_teaser_is_whole_blocks_and_at_most_half() {
        let long = "word ".repeat(100);
        let rendered = render(&format!("First.\n\n{long}\n\n## Heading\n\n{long}\n\nLast."));
        assert!(rendered.teaser.contains("First.") && !rendered.teaser.contains("Last."));
        assert!(!rendered.teaser.contains("Heading"));
        for short in ["One paragraph alone.", "Short.\n\nA little longer."] {
            assert!(render(short).teaser.len() < short.len() / 2 + 10, "{short}");
        }
        assert_eq!(render("One paragraph alone.").teaser, "");
    }

    #[test]
    fn a_mark_at_the_end_leaves_nothing_to_sell() {
        assert!(!render("All of it.\n\n<!-- more -->\n").goes_on);
        assert!(!render("").goes_on);
    }

    #[test]
    fn summaries_end_between_words() {
        assert_eq!(shortened("one two three", 9), "one two…");
        assert_eq!(shortened("one, two", 5), "one…");
        assert_eq!(shortened("one", 3), "one");
        assert_eq!(shortened("", 3), "");
    }

    proptest! {
        #[test]
        fn what_comes_after_the_mark_is_in_no_teaser(
            before in "(\\PC|[\n>*_`<&#-]){0,120}", after in "(\\PC|[\n>*_`<&#-]){0,120}",
        ) {
            let rendered = render(&format!("{before}\n\n<!-- more -->\n\nZQXPAID {after}"));
            prop_assert!(!rendered.teaser.contains("ZQXPAID"), "{}", rendered.teaser);
            prop_assert!(!rendered.summary.contains("ZQXPAID"));
        }
    }
}
