//! A page of the site, taken apart: what is sold, what everybody may read, and the page without the rest.
//!
//! The unpaid page holds nothing of the paid text: the parts that are sold are cut where the teaser ends, comments and
//! scripts with text of their own are gone, and what still repeats a passage of the paid text goes too
//! ([`Passages`]). Whoever has paid gets the site's page as it is.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset};
use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use encoding_rs::{Encoding, UTF_8};
use scraper::{ElementRef, Html, Node, Selector};

use super::passages::Passages;
use super::rules::{Sold, Teaser};
use crate::storefront::catalogue::fields;

/// Where a page may say how it is encoded.
const ENCODING_WITHIN: usize = 1_024;
/// Elements in each other.
const DEPTH_MAX: usize = 500;
/// What a reader takes for a paragraph: a teaser ends with one of these.
const BLOCKS: &[&str] = &[
    "p",
    "li",
    "dt",
    "dd",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "figure",
    "table",
    "div",
    "section",
    "article",
    "main",
    "header",
    "footer",
    "aside",
    "ul",
    "ol",
    "dl",
    "body",
];
const HEADINGS: &[&str] = &["h1", "h2", "h3", "h4", "h5", "h6"];
/// Elements whose text nobody reads.
const UNREAD: &[&str] = &["script", "style", "noscript", "template"];
/// Those of them that may hold an article a second time.
const HIDING: &[&str] = &["noscript", "template"];

/// A page in its parts.
#[derive(Debug)]
pub struct Page {
    /// What it says of itself.
    pub facts: Facts,
    /// All of what is sold, as the site's HTML.
    pub whole: String,
    /// What of it everybody may read, likewise.
    pub teaser: String,
    /// The same as text.
    pub teaser_text: String,
    /// Words of the whole.
    pub words: usize,
    unpaid: Html,
    /// Where the offer stands.
    place: NodeId,
}

/// What a page says of itself.
#[derive(Debug, Default)]
pub struct Facts {
    /// Its title, in a line.
    pub title: String,
    /// Its language's tag.
    pub language: Option<String>,
    /// What it is about, in a sentence or two.
    pub description: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// When it appeared.
    pub date: Option<DateTime<FixedOffset>>,
    /// The address of a picture for it, as written.
    pub image: Option<String>,
}

/// Why a page cannot be sold by its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsellable {
    /// The rule's `article` finds nothing.
    #[error("the rule's `article` finds nothing in the page")]
    NoArticle,
    /// The rule's `teaser` finds nothing.
    #[error("the rule's `teaser` finds nothing in the article")]
    NoTeaser,
    /// Its elements lie too deep in each other to be looked through.
    #[error("the page's elements lie too deep in each other")]
    TooDeep,
    /// The teaser is all there is.
    #[error("nothing comes after the teaser")]
    NothingToSell,
}

/// The text of a page that came with this `Content-Type`.
pub fn decoded(content_type: &str, bytes: &[u8]) -> String {
    let of_header = content_type.split_once("charset=").map(|(_, label)| label);
    let beginning = &bytes[..bytes.len().min(ENCODING_WITHIN)];
    let beginning = String::from_utf8_lossy(beginning).to_ascii_lowercase();
    let of_page = beginning.split_once("charset=").map(|(_, label)| label);
    let named = |label: &str| {
        let label = label.trim_start_matches(['"', '\'', ' ']);
        let end =
            label.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c)).unwrap_or(label.len());
        Encoding::for_label(&label.as_bytes()[..end])
    };
    let encoding = of_header.and_then(named).or_else(|| of_page.and_then(named)).unwrap_or(UTF_8);
    encoding.decode(bytes).0.into_owned()
}

/// Takes the page apart.
///
/// # Errors
/// If the rule does not fit it.
pub fn read(text: &str, sold: &Sold) -> Result<Page, Unsellable> {
    let mut html = Html::parse_document(text);
    if is_too_deep(&html) {
        return Err(Unsellable::TooDeep);
    }
    let parts = outermost(&html, &sold.article);
    let place = *parts.first().ok_or(Unsellable::NoArticle)?;
    let mut facts = Facts::of(&html, &parts);
    let whole = markup(&html, &parts, &facts.title);
    let before = Contents::of(&html, &parts);
    match &sold.teaser {
        Teaser::Characters(characters) => cut_by_length(&mut html, &parts, &before, *characters),
        Teaser::Selector(selector) => cut_but(&mut html, &parts, selector)?,
    }
    let after = Contents::of(&html, &parts);
    let paid = before.without(&after);
    if paid.is_blank() && before.elements == after.elements {
        return Err(Unsellable::NothingToSell);
    }
    let teaser_text = after.text();
    let open =
        format!("{teaser_text}\n{}\n{}", facts.title, element_text(&html, "title").unwrap_or_default());
    scrub(&mut html, &parts, &Passages::new(&paid.0, &open));
    // As the unpaid page has it: what says too much is gone.
    facts.description = Facts::described(&html);
    let teaser = markup(&html, &parts, &facts.title);
    let words = before.text().split_whitespace().count();
    Ok(Page { facts, whole, teaser, teaser_text, words, unpaid: html, place })
}

impl Page {
    /// The page for whoever has not paid: up to the teaser, then `offer`, which is HTML of this program's own.
    pub fn unpaid(mut self, offer: &str) -> String {
        let offer = Html::parse_fragment(offer);
        let added = self.unpaid.tree.extend_tree(offer.tree).id();
        // A fragment is parsed into an `html` element of its own.
        let element = self.unpaid.tree.get(added).and_then(|fragment| fragment.first_child());
        let children: Vec<NodeId> =
            element.into_iter().flat_map(|element| element.children()).map(|child| child.id()).collect();
        if let Some(mut place) = self.unpaid.tree.get_mut(self.place) {
            for child in children {
                place.append_id(child);
            }
        }
        self.unpaid.html()
    }
}

impl Facts {
    fn of(html: &Html, parts: &[NodeId]) -> Self {
        let heading = parts.iter().filter_map(|part| ElementRef::wrap(html.tree.get(*part)?));
        let heading = heading
            .flat_map(|part| part.descendent_elements())
            .find(|element| element.value().name() == "h1");
        let title = meta(html, "og:title")
            .or_else(|| heading.map(|heading| line(&heading.text().collect::<String>())))
            .or_else(|| element_text(html, "h1"))
            .or_else(|| element_text(html, "title"));
        let time = elements(html).find(|element| element.value().name() == "time");
        let date = meta(html, "article:published_time").or_else(|| time?.attr("datetime").map(line));
        Facts {
            title: title.unwrap_or_default(),
            language: html.root_element().attr("lang").map(line),
            description: None,
            author: meta(html, "author"),
            date: date.as_deref().and_then(fields::date),
            image: meta(html, "og:image"),
        }
    }

    fn described(html: &Html) -> Option<String> {
        meta(html, "description").or_else(|| meta(html, "og:description"))
    }
}

/// What is in the parts that are sold: their text, and how many elements there are.
struct Contents {
    texts: Vec<(NodeId, String)>,
    elements: usize,
}

/// Text that is sold.
struct PaidText(String);

impl PaidText {
    fn is_blank(&self) -> bool {
        !self.0.contains(|c: char| !c.is_whitespace())
    }
}

impl Contents {
    fn of(html: &Html, parts: &[NodeId]) -> Self {
        let nodes =
            || parts.iter().filter_map(|part| html.tree.get(*part)).flat_map(|part| part.descendants());
        let texts = nodes().filter_map(|node| {
            let text = node.value().as_text()?;
            let unread = node.ancestors().any(|above| is(above.value(), UNREAD));
            (!unread).then(|| (node.id(), text.to_string()))
        });
        Contents {
            texts: texts.collect(),
            elements: nodes().filter(|node| node.value().is_element()).count(),
        }
    }

    fn text(&self) -> String {
        let texts: Vec<&str> = self.texts.iter().map(|(_, text)| text.as_str()).collect();
        texts.join(" ")
    }

    /// The text that the cut has taken.
    fn without(&self, after: &Contents) -> PaidText {
        let kept: HashMap<NodeId, &str> = after.texts.iter().map(|(id, text)| (*id, text.as_str())).collect();
        let taken = self.texts.iter().map(|(id, text)| match kept.get(id) {
            Some(kept) if kept == text => "",
            // A text that was shortened ends with a sign of it.
            Some(kept) => text.strip_prefix(kept.trim_end_matches('…')).unwrap_or(text),
            None => text,
        });
        PaidText(taken.collect::<Vec<_>>().join(" "))
    }
}

/// Whether looking from each node up to the page would take more time than a page is worth.
fn is_too_deep(html: &Html) -> bool {
    let mut depth = 0_usize;
    html.tree.root().traverse().any(|edge| {
        match edge {
            Edge::Open(_) => depth += 1,
            Edge::Close(_) => depth = depth.saturating_sub(1),
        }
        depth > DEPTH_MAX
    })
}

/// What the selector finds, without what lies in other finds.
fn outermost(html: &Html, selector: &Selector) -> Vec<NodeId> {
    let found: Vec<ElementRef<'_>> = html.select(selector).collect();
    let ids: HashSet<NodeId> = found.iter().map(|element| element.id()).collect();
    found
        .iter()
        .filter(|element| !element.ancestors().any(|above| ids.contains(&above.id())))
        .map(|element| element.id())
        .collect()
}

/// The parts' HTML, without the heading that repeats the title.
fn markup(html: &Html, parts: &[NodeId], title: &str) -> String {
    let mut html = html.clone();
    let is_title = |element: &ElementRef<'_>| {
        element.value().name() == "h1" && line(&element.text().collect::<String>()) == title
    };
    let heading = parts
        .iter()
        .filter_map(|part| ElementRef::wrap(html.tree.get(*part)?))
        .flat_map(|part| part.descendent_elements());
    let heading = heading.filter(is_title).map(|heading| heading.id()).next();
    if let Some(heading) = heading {
        detach(&mut html, heading);
    }
    let parts = parts.iter().filter_map(|part| ElementRef::wrap(html.tree.get(*part)?));
    parts.map(|part| part.inner_html()).collect::<Vec<_>>().join("\n")
}

/// Keeps whole paragraphs from the beginning until they have so many characters, but not more than half of the text, and no
/// heading at the end; of a text that has no such paragraphs, words.
fn cut_by_length(html: &mut Html, parts: &[NodeId], contents: &Contents, characters: usize) {
    let length = |text: &str| line(text).chars().count();
    let all: usize = contents.texts.iter().map(|(_, text)| length(text)).sum();
    let mut blocks: Vec<(NodeId, usize, NodeId)> = Vec::new();
    for (id, text) in contents.texts.iter().filter(|(_, text)| !text.trim().is_empty()) {
        let Some(block) = block_of(html, *id) else { continue };
        match blocks.last_mut() {
            Some((same, chars, last)) if *same == block => (*chars, *last) = (*chars + length(text), *id),
            _ => blocks.push((block, length(text), *id)),
        }
    }
    let (mut sum, mut last) = (0, None);
    for (block, chars, end) in &blocks {
        if sum >= characters || (sum + chars) * 2 > all {
            break;
        }
        sum += chars;
        if !html.tree.get(*block).is_some_and(|block| is(block.value(), HEADINGS)) {
            last = Some(*end);
        }
    }
    let last = last.or_else(|| shorten_first(html, contents, characters.min(all / 3)));
    match last {
        Some(last) => cut_after(html, parts, last),
        None => parts.iter().for_each(|part| empty(html, *part)),
    }
}

/// Shortens the first text to so many characters, between words; nothing if it has none to give.
fn shorten_first(html: &mut Html, contents: &Contents, characters: usize) -> Option<NodeId> {
    let (id, text) = contents.texts.iter().find(|(_, text)| !text.trim().is_empty())?;
    let (end, _) = text.char_indices().nth(characters)?;
    let end = text[..end].rfind(char::is_whitespace).unwrap_or(end);
    if let Node::Text(node) = html.tree.get_mut(*id)?.value() {
        node.text = format!("{}…", &text[..end]).into();
    }
    Some(*id)
}

/// Removes everything in the parts that comes after the node `last`.
fn cut_after(html: &mut Html, parts: &[NodeId], last: NodeId) {
    let mut node = last;
    while !parts.contains(&node) {
        let Some(here) = html.tree.get(node) else { return };
        let (after, above) = (
            here.next_siblings().map(|next| next.id()).collect::<Vec<_>>(),
            here.parent().map(|above| above.id()),
        );
        after.into_iter().for_each(|next| detach(html, next));
        let Some(above) = above else { return };
        node = above;
    }
    parts.iter().skip_while(|part| **part != node).skip(1).for_each(|part| empty(html, *part));
}

/// Removes everything in the parts but what the selector finds there, and what that lies in.
fn cut_but(html: &mut Html, parts: &[NodeId], selector: &Selector) -> Result<(), Unsellable> {
    let all: HashSet<NodeId> = parts.iter().copied().collect();
    let within = |element: &ElementRef<'_>| element.ancestors().any(|above| all.contains(&above.id()));
    let kept: Vec<ElementRef<'_>> = html.select(selector).filter(within).collect();
    if kept.is_empty() {
        return Err(Unsellable::NoTeaser);
    }
    let found: HashSet<NodeId> = kept.iter().map(|element| element.id()).collect();
    let around: HashSet<NodeId> =
        kept.iter().flat_map(|element| element.ancestors()).map(|above| above.id()).collect();
    let mut open: Vec<NodeId> = parts.to_vec();
    while let Some(node) = open.pop() {
        let children: Vec<NodeId> = html
            .tree
            .get(node)
            .into_iter()
            .flat_map(|node| node.children())
            .map(|child| child.id())
            .collect();
        for child in children {
            if found.contains(&child) {
                continue;
            }
            if around.contains(&child) {
                open.push(child);
            } else {
                detach(html, child);
            }
        }
    }
    Ok(())
}

/// Removes comments, scripts that have text of their own, what nobody reads of the teaser, and whatever repeats a passage
/// of the paid text.
fn scrub(html: &mut Html, parts: &[NodeId], passages: &Passages) {
    let mut gone: Vec<NodeId> = Vec::new();
    let mut attributes: Vec<NodeId> = Vec::new();
    let is_sold = |node: &NodeRef<'_, Node>| node.ancestors().any(|above| parts.contains(&above.id()));
    for node in html.tree.root().descendants() {
        match node.value() {
            _ if is(node.value(), HIDING) && is_sold(&node) => gone.push(node.id()),
            Node::Comment(_) | Node::ProcessingInstruction(_) => gone.push(node.id()),
            Node::Element(element) if element.name() == "script" && element.attr("src").is_none() => {
                gone.push(node.id())
            }
            Node::Element(element) if element.attrs().any(|(_, value)| passages.are_in(value)) => {
                attributes.push(node.id())
            }
            Node::Text(text) if passages.are_in(text) => gone.push(node.id()),
            _ => {}
        }
    }
    for id in attributes {
        if let Some(mut node) = html.tree.get_mut(id)
            && let Node::Element(element) = node.value()
        {
            element.attrs.retain(|(_, value)| !passages.are_in(value));
        }
    }
    gone.into_iter().for_each(|id| detach(html, id));
}

/// The paragraph that a text is part of.
fn block_of(html: &Html, text: NodeId) -> Option<NodeId> {
    html.tree.get(text)?.ancestors().find(|above| is(above.value(), BLOCKS)).map(|block| block.id())
}

fn detach(html: &mut Html, id: NodeId) {
    if let Some(mut node) = html.tree.get_mut(id) {
        node.detach();
    }
}

fn empty(html: &mut Html, id: NodeId) {
    let children: Vec<NodeId> =
        html.tree.get(id).into_iter().flat_map(|node| node.children()).map(|child| child.id()).collect();
    children.into_iter().for_each(|child| detach(html, child));
}

fn is(node: &Node, names: &[&str]) -> bool {
    node.as_element().is_some_and(|element| names.contains(&element.name()))
}

fn elements(html: &Html) -> impl Iterator<Item = ElementRef<'_>> {
    html.tree.root().descendants().filter_map(ElementRef::wrap)
}

/// What the `meta` element of this name or property says.
fn meta(html: &Html, name: &str) -> Option<String> {
    let named = |element: &ElementRef<'_>| {
        element.value().name() == "meta"
            && (element.attr("property") == Some(name) || element.attr("name") == Some(name))
    };
    elements(html)
        .filter(named)
        .find_map(|element| element.attr("content").map(line).filter(|text| !text.is_empty()))
}

/// The text of the first element of this name, in a line.
fn element_text(html: &Html, name: &str) -> Option<String> {
    let found = elements(html).find(|element| element.value().name() == name)?;
    Some(line(&found.text().collect::<String>())).filter(|text| !text.is_empty())
}

/// In one line, without control characters.
fn line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
