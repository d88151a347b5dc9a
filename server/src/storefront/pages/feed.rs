//! Feeds: Atom (RFC 4287) and RSS 2.0, with teasers.

use atom_syndication as atom;
use chrono::{DateTime, FixedOffset};

use super::super::Storefront;
use super::super::catalogue::Article;
use super::money;

/// Articles in a feed.
const ARTICLES_MAX: usize = 50;

impl Storefront {
    /// The Atom feed.
    pub fn atom_feed(&self) -> String {
        let settings = self.settings();
        let catalogue = self.catalogue();
        let articles: Vec<_> = catalogue.articles(self.now()).take(ARTICLES_MAX).collect();
        let updated = articles.iter().filter_map(|article| article.date).max().unwrap_or_default();
        let feed = atom::Feed {
            title: atom::Text::plain(clean(&settings.title)),
            subtitle: Some(atom::Text::plain(clean(&settings.description))),
            id: format!("{}/", settings.origin),
            updated,
            links: vec![
                link("alternate", "text/html", format!("{}/", settings.origin)),
                link("self", "application/atom+xml", format!("{}/feed.xml", settings.origin)),
            ],
            entries: articles.iter().map(|article| atom_entry(article, &settings.title)).collect(),
            ..atom::Feed::default()
        };
        feed.to_string()
    }

    /// The RSS feed.
    pub fn rss_feed(&self) -> String {
        let settings = self.settings();
        let catalogue = self.catalogue();
        let articles = catalogue.articles(self.now()).take(ARTICLES_MAX);
        let channel = rss::Channel {
            title: clean(&settings.title),
            link: format!("{}/", settings.origin),
            description: clean(&settings.description),
            items: articles.map(|article| rss_item(article)).collect(),
            ..rss::Channel::default()
        };
        channel.to_string()
    }
}

fn atom_entry(article: &Article, shop: &str) -> atom::Entry {
    let person = |name: &str| atom::Person { name: clean(name), ..atom::Person::default() };
    let authors = match article.authors.as_slice() {
        [] => vec![person(shop)],
        names => names.iter().map(|name| person(name)).collect(),
    };
    atom::Entry {
        title: atom::Text::plain(clean(article.title.as_str())),
        id: article.url.to_string(),
        updated: article.date.unwrap_or_default(),
        published: article.date,
        authors,
        links: vec![link("alternate", "text/html", article.url.to_string())],
        categories: article
            .tags
            .iter()
            .map(|tag| atom::Category { term: clean(tag), ..atom::Category::default() })
            .collect(),
        summary: Some(atom::Text::plain(clean(&article.summary))),
        content: Some(atom::Content {
            lang: article.language.clone(),
            content_type: Some("html".to_owned()),
            value: Some(teaser(article)),
            ..atom::Content::default()
        }),
        ..atom::Entry::default()
    }
}

fn link(rel: &str, mime_type: &str, href: String) -> atom::Link {
    atom::Link { href, rel: rel.to_owned(), mime_type: Some(mime_type.to_owned()), ..atom::Link::default() }
}

fn rss_item(article: &Article) -> rss::Item {
    let id = rss::Guid { value: article.url.to_string(), permalink: true };
    rss::Item {
        title: Some(clean(article.title.as_str())),
        link: Some(article.url.to_string()),
        description: Some(teaser(article)),
        categories: article
            .tags
            .iter()
            .map(|tag| rss::Category { name: clean(tag), ..rss::Category::default() })
            .collect(),
        guid: Some(id),
        pub_date: article.date.map(|date: DateTime<FixedOffset>| date.to_rfc2822()),
        ..rss::Item::default()
    }
}

/// The teaser as HTML, and what the rest costs.
fn teaser(article: &Article) -> String {
    let rest = match article.price {
        Some(price) => format!("<p><a href=\"{}\">Read on for {}</a></p>", article.url, money::spoken(price)),
        None => format!("<p><a href=\"{}\">Read on, free of charge</a></p>", article.url),
    };
    clean(&format!("{}{rest}", article.teaser))
}

/// Without the characters that XML 1.0 cannot hold.
fn clean(text: &str) -> String {
    let fits = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}') || *c == '\n';
    text.chars().filter(fits).collect()
}
