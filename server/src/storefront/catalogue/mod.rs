//! The catalogue: a folder of Markdown files as articles, some of them for sale.
//!
//! The paid part of an article leaves this module through [`Article::whole`] alone, which names whoever may
//! have it; index, feeds, search, metadata and the unpaid page are made of the teaser.

pub mod fields;
pub mod front_matter;
pub mod markdown;
pub mod media;
pub mod meter;
pub mod sanitise;
pub mod stream;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use tuppence_protocol::scrip::{Document, RequestUrl, seller};
use tuppence_protocol::vendor_scrip::digest;
use tuppence_protocol::{Amount, Refusal, Text, Timestamp};

use crate::storefront::folder::Folder;
use crate::storefront::problem::Problem;
use fields::{Fields, Prices};
use media::MediaAddresses;
use meter::{Measure, Meter};
use stream::Stream;

/// Bytes of an article's file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Words that a person reads in a minute.
const WORDS_PER_MINUTE: usize = 220;

/// Minutes that so many words take, at least 1.
pub fn minutes(words: usize) -> usize {
    words.div_ceil(WORDS_PER_MINUTE).max(1)
}

/// What the articles of a shop are made with.
#[derive(Debug, Clone)]
pub struct CatalogueSettings {
    /// The shop's origin, such as `https://shop.example`.
    pub origin: String,
    /// Currency, and the price of articles that name none.
    pub prices: Prices,
    /// Makes the pictures' addresses.
    pub media: MediaAddresses,
}

/// All articles of a folder at one time.
#[derive(Debug)]
pub struct Catalogue {
    articles: Vec<Arc<Article>>,
    by_slug: BTreeMap<String, usize>,
    problems: Vec<Problem>,
    folder: Option<Folder>,
}

/// One article.
#[derive(Debug)]
pub struct Article {
    /// The last part of its address.
    pub slug: String,
    /// Its address at this shop.
    pub url: RequestUrl,
    /// The title.
    pub title: Text<400>,
    /// The price; absent for a free article.
    pub price: Option<Amount>,
    /// Its parts, where it is sold by the part too.
    pub meter: Option<Meter>,
    /// The sound or film that belongs to it.
    pub stream: Option<Stream>,
    /// The name of the whole, where it is a part: such articles stand in no list.
    pub part_of: Option<String>,
    /// When it appears, or appeared.
    pub date: Option<DateTime<FixedOffset>>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// What it is about.
    pub tags: Vec<String>,
    /// A picture for lists, and at the head of the article.
    pub image: Option<Picture>,
    /// The language's tag, such as `ko`; absent for the shop's own.
    pub language: Option<String>,
    /// What everybody may read, as sanitised HTML.
    pub teaser: Document,
    /// The same or its author's description, as plain text in a few sentences.
    pub summary: String,
    /// Minutes that reading takes, at least 1.
    pub minutes: usize,
    pub(super) whole: Paid,
}

/// A picture of this shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its address.
    pub url: String,
    /// What it shows.
    pub alt: String,
}

/// Why somebody may have the whole of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entitlement {
    /// The center's word: a posted transaction, or a receipt that was checked.
    Receipt,
    /// A cookie that the shop sealed.
    Cookie,
}

/// Text that is not printed by accident, and leaves this module through [`Article::whole`] alone.
pub(super) struct Paid(Document, [u8; 32]);

impl Paid {
    pub(super) fn new(document: Document) -> Self {
        let digest = digest(document.as_str().as_bytes());
        Paid(document, digest)
    }
}

impl std::fmt::Debug for Paid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Paid(..)")
    }
}

impl Article {
    /// The whole article, for whoever may have it.
    pub fn whole(&self, _: Entitlement) -> &Document {
        &self.whole.0
    }

    /// SHA-256 of the whole article's HTML, which a sale for the shop's scrip is sealed with (spec/02).
    pub fn digest(&self) -> [u8; 32] {
        self.whole.1
    }

    /// The whole article if it costs nothing.
    pub fn free(&self) -> Option<&Document> {
        self.price.is_none().then_some(&self.whole.0)
    }

    /// Whether it has appeared.
    fn is_out(&self, now: Timestamp) -> bool {
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        self.date.is_none_or(|date| date.timestamp_millis() <= now)
    }
}

impl Catalogue {
    /// No articles: the shop sells another site's pages.
    pub fn empty() -> Self {
        Catalogue { articles: Vec::new(), by_slug: BTreeMap::new(), problems: Vec::new(), folder: None }
    }

    /// Reads the folder at `path`. What is wrong with a file is a problem of that file alone.
    pub fn load(path: &Path, settings: &CatalogueSettings) -> Self {
        let mut catalogue = Catalogue::empty();
        let folder = match Folder::open(path) {
            Ok(folder) => Arc::new(folder),
            Err(error) => {
                let file = path.display().to_string();
                catalogue
                    .problems
                    .push(Problem::hides(&file, format!("the folder cannot be opened: {error}")));
                return catalogue;
            }
        };
        let (files, problems) = folder.files(|extension| extension == "md" || extension == "markdown");
        catalogue.problems.extend(problems);
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        for file in files {
            match read(&file, &folder, settings) {
                Err(problems) => catalogue.problems.extend(problems),
                Ok(None) => {}
                Ok(Some((article, notices))) => {
                    catalogue.problems.extend(notices);
                    if let Some(first) = taken.get(&article.slug) {
                        let message =
                            format!("the address `{}` is {first}'s already: give another slug", article.slug);
                        catalogue.problems.push(Problem::hides(&file, message).of("slug"));
                    } else {
                        taken.insert(article.slug.clone(), file);
                        catalogue.articles.push(Arc::new(article));
                    }
                }
            }
        }
        catalogue.articles.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.slug.cmp(&b.slug)));
        catalogue.by_slug = catalogue
            .articles
            .iter()
            .enumerate()
            .map(|(index, article)| (article.slug.clone(), index))
            .collect();
        catalogue.folder = Arc::into_inner(folder);
        catalogue
    }

    /// The articles that are out, the newest first.
    pub fn articles(&self, now: Timestamp) -> impl Iterator<Item = &Arc<Article>> {
        self.articles.iter().filter(move |article| article.is_out(now))
    }

    /// The article at the address that ends in `slug`, or a part of one, if it is out.
    pub fn find(&self, slug: &str, now: Timestamp) -> Option<&Arc<Article>> {
        let (whole, part) = meter::named_part(slug);
        let article = self.articles.get(*self.by_slug.get(whole)?).filter(|article| article.is_out(now))?;
        part.map_or(Some(article), |number| article.meter.as_ref()?.part(number))
    }

    /// What is wrong with the folder's files.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The folder, for its pictures.
    pub fn folder(&self) -> Option<&Folder> {
        self.folder.as_ref()
    }
}

type Read = Result<Option<(Article, Vec<Problem>)>, Vec<Problem>>;

/// The article in `file`; absent for a draft.
fn read(file: &str, folder: &Arc<Folder>, settings: &CatalogueSettings) -> Read {
    let text = folder.read(file, FILE_BYTES_MAX).map_err(|problem| vec![problem])?;
    let (matter, body) = front_matter::read(file, &text).map_err(|problem| vec![problem])?;
    let fields = fields::fields(file, &matter, settings.prices)?;
    if fields.draft {
        return Ok(None);
    }
    let rendered = markdown::render(body);
    if fields.price.is_some() && !rendered.goes_on && fields.stream.is_none() {
        let message = "it has a price, but nothing comes after the teaser";
        return Err(vec![Problem::hides(file, message).of("price").at(matter.line("price"))]);
    }
    finish(file, folder, settings, fields, &rendered).map(Some)
}

fn finish(
    file: &str,
    folder: &Arc<Folder>,
    settings: &CatalogueSettings,
    fields: Fields,
    rendered: &markdown::Rendered,
) -> Result<(Article, Vec<Problem>), Vec<Problem>> {
    let beside = file.rfind('/').map_or("", |end| &file[..=end]).to_owned();
    let stream = fields.stream.as_deref().map(|address| stream_at(file, &beside, address, folder));
    let stream = stream.transpose().map_err(|problem| vec![problem])?;
    let pictures = pictures(folder.clone(), beside, settings.media.clone());
    let too_long = |error| vec![Problem::hides(file, format!("the article is too long: {error}"))];
    let teaser = sanitise::sanitised(&rendered.teaser, &pictures).map_err(too_long)?;
    let whole = sanitise::sanitised(&rendered.whole, &pictures).map_err(too_long)?;
    let mut notices: Vec<_> =
        whole.refused_pictures.iter().map(|address| Problem::notice(file, not_shown(address))).collect();
    let image = fields.image.as_deref().and_then(|address| {
        let url = pictures(address);
        if url.is_none() {
            notices.push(Problem::notice(file, not_shown(address)).of("image"));
        }
        url.map(|url| Picture { url, alt: fields.image_alt.clone().unwrap_or_default() })
    });
    let url = seller::article_url(&settings.origin, &fields.slug)
        .map_err(|refusal| vec![Problem::hides(file, refusal.message).of("slug")])?;
    let mut article = Article {
        slug: fields.slug,
        url,
        title: fields.title,
        price: fields.price,
        meter: None,
        stream,
        part_of: None,
        date: fields.date,
        authors: fields.authors,
        tags: fields.tags,
        image,
        language: fields.language,
        teaser: teaser.document,
        summary: fields.description.unwrap_or_else(|| rendered.summary.clone()),
        minutes: minutes(rendered.words),
        whole: Paid::new(whole.document),
    };
    if let Some((price, (measure, unit))) = fields.price.zip(fields.meter) {
        let parts_max = usize::try_from(price.micros() / unit.micros().max(1)).unwrap_or(usize::MAX);
        let parts = match (measure, &article.stream) {
            (Measure::Seconds(each), Some(stream)) => stream_parts(stream, stream.parts(each, parts_max)),
            _ => meter::divided(&rendered.rest, measure, parts_max),
        };
        let count = parts.len();
        let part = |(place, html): (usize, String)| {
            let text = sanitise::sanitised(&html, &pictures).map_err(too_long)?;
            part(&article, unit, (place + 1, count), text.document, settings).map(Arc::new).map_err(
                |refusal| {
                    vec![
                        Problem::hides(file, format!("a part of it has no address: {}", refusal.message))
                            .of("slug"),
                    ]
                },
            )
        };
        let parts = parts.into_iter().enumerate().map(part).collect::<Result<_, _>>()?;
        article.meter = Some(Meter { measure, unit, parts });
    }
    Ok((article, notices))
}

/// The sound or film at `address` in a text that lies in `beside`.
fn stream_at(file: &str, beside: &str, address: &str, folder: &Folder) -> Result<Stream, Problem> {
    let problem = |why: String| Problem::hides(file, why).of("stream");
    let outside = || problem(format!("`{address}` is no file in the content folder"));
    let name = media::file_at(beside, address).ok_or_else(outside)?;
    Stream::read(folder, &name).map_err(problem)
}

/// What is to be read of each part of a stream: where it belongs. The text after the teaser is the whole's.
fn stream_parts(stream: &Stream, count: usize) -> Vec<String> {
    let clock = |seconds: u64| format!("{}:{:02}", seconds / 60, seconds % 60);
    let told = |number: usize| {
        let times = stream.times(number, count);
        let what = if stream.is_film() { "The film" } else { "The sound" };
        format!("<p>{what} from {} to {}.</p>", clock(times.start), clock(times.end))
    };
    (1..=count).map(told).collect()
}

/// The part of this number of `whole`, of so many, as an article of its own, with a price, an address and a text.
fn part(
    whole: &Article,
    unit: Amount,
    (number, count): (usize, usize),
    text: Document,
    settings: &CatalogueSettings,
) -> Result<Article, Refusal> {
    let slug = meter::part_name(&whole.slug, number);
    let title = format!("{} ({number}/{count})", whole.title);
    let words = text.as_str().split_whitespace().count();
    Ok(Article {
        url: seller::article_url(&settings.origin, &slug)?,
        slug,
        title: title.parse().unwrap_or_else(|_| whole.title.clone()),
        price: Some(unit),
        meter: None,
        stream: None,
        part_of: Some(whole.slug.clone()),
        date: whole.date,
        authors: whole.authors.clone(),
        tags: whole.tags.clone(),
        image: None,
        language: whole.language.clone(),
        // The whole has it: a long one would be here as many times as there are parts.
        teaser: Document::default(),
        summary: whole.summary.clone(),
        minutes: minutes(words),
        whole: Paid::new(text),
    })
}

/// Addresses of the pictures of a text that lies in `beside`.
fn pictures(folder: Arc<Folder>, beside: String, media: MediaAddresses) -> sanitise::Pictures {
    let own = media.beginning();
    Arc::new(move |address: &str| {
        if let Some(rest) = address.strip_prefix(&own) {
            // The cleaning of cleaned HTML meets the addresses that were made before.
            let (seal, file) = rest.split_once('/')?;
            let file = percent_encoding::percent_decode_str(file).decode_utf8().ok()?;
            return media.file(seal, &file).map(|_| address.to_owned());
        }
        let file = media::resolve(&beside, address)?;
        folder.open_file(&file).ok()?;
        Some(media.address(&file))
    })
}

fn not_shown(address: &str) -> String {
    let address = markdown::shortened(address, 100);
    format!(
        "the picture `{address}` is not shown: it must be a PNG, JPEG, GIF, WebP, AVIF or SVG file in the content folder"
    )
}

#[cfg(test)]
mod tests;
