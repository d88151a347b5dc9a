//! The fields of an article's front matter, in the names that Hugo, Zola, Jekyll and plain files give them.

use std::collections::BTreeSet;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use tuppence_protocol::{Amount, Currency, Text};

use super::front_matter::{FrontMatter, Value};
use super::meter::Measure;
use crate::storefront::problem::Problem;

/// Names and tags that an article may have.
const NAMES_MAX: usize = 30;
/// Characters of a name or tag.
const NAME_CHARS_MAX: usize = 80;
/// Characters of a description.
const DESCRIPTION_CHARS_MAX: usize = 500;

/// What an article's author said about it.
#[derive(Debug, Clone)]
pub struct Fields {
    /// The title.
    pub title: Text<400>,
    /// The price; absent for a free article.
    pub price: Option<Amount>,
    /// What it is sold by besides, and for how much.
    pub meter: Option<(Measure, Amount)>,
    /// The file of sound or film that belongs to it, as written.
    pub stream: Option<String>,
    /// When it appears, or appeared.
    pub date: Option<DateTime<FixedOffset>>,
    /// Whether it is not to be shown yet.
    pub draft: bool,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// What it is about.
    pub tags: Vec<String>,
    /// The picture's address, as written.
    pub image: Option<String>,
    /// What the picture shows.
    pub image_alt: Option<String>,
    /// The last part of the article's address.
    pub slug: String,
    /// A sentence or two for lists and feeds.
    pub description: Option<String>,
    /// The language's tag (BCP 47), such as `ko`.
    pub language: Option<String>,
}

/// What a shop's articles cost.
#[derive(Debug, Clone, Copy)]
pub struct Prices {
    /// The currency of the shop's center.
    pub currency: Currency,
    /// The price of articles that name none; without it, they must.
    pub default: Option<Amount>,
}

/// Reads the fields of `file`.
///
/// # Errors
/// Each field that is missing or wrong, with its line.
pub fn fields(file: &str, matter: &FrontMatter<'_>, prices: Prices) -> Result<Fields, Vec<Problem>> {
    let mut reader = Reader { file, matter, problems: Vec::new() };
    let (file_date, file_name) = file_name(file);
    let title = reader.title();
    let price = reader.price(prices);
    let stream = reader.words(&["stream"], 400);
    let meter = reader.meter(price, stream.is_some());
    let date = reader.date().or(file_date);
    let draft = reader.flag("draft").unwrap_or(false) || reader.flag("published") == Some(false);
    let slug = reader.slug(&file_name);
    let (image, image_alt) = reader.image();
    let authors = reader.names(&["author", "authors"], None);
    let tags = reader.names(&["tags", "categories", "keywords"], Some("taxonomies"));
    let description = reader.words(&["description", "summary", "excerpt"], DESCRIPTION_CHARS_MAX);
    let language = reader.language();
    match title {
        Some(title) if reader.problems.is_empty() => Ok(Fields {
            title,
            price,
            meter,
            stream,
            date,
            draft,
            authors,
            tags,
            image,
            image_alt,
            slug,
            description,
            language,
        }),
        _ => Err(reader.problems),
    }
}

struct Reader<'a> {
    file: &'a str,
    matter: &'a FrontMatter<'a>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn title(&mut self) -> Option<Text<400>> {
        let Some(title) = self.words(&["title"], 400).filter(|title| !title.is_empty()) else {
            self.problem("title", "the title is missing: `title: Bread`");
            return None;
        };
        match Text::normalized(&title) {
            Ok(title) => Some(title),
            Err(error) => {
                self.problem("title", &error.to_string());
                None
            }
        }
    }

    fn price(&mut self, prices: Prices) -> Option<Amount> {
        let currency = match self.words(&["currency"], 10) {
            None => prices.currency,
            Some(code) => match code.parse() {
                Ok(currency) => currency,
                Err(error) => {
                    self.problem("currency", &format!("`{code}`: {error}"));
                    return None;
                }
            },
        };
        let Some(value) = self.matter.field("price") else {
            if prices.default.is_none() {
                self.problem("price", "the price is missing: `price: 0.03`, or `price: free`");
            }
            return prices.default;
        };
        let Value::Word(text) = value else {
            self.problem("price", "a price is written as 0.03, USD:0.03 or free");
            return None;
        };
        match price(text, currency) {
            Ok(Some(price)) if price.currency() != prices.currency => {
                let (own, of_center) = (price.currency(), prices.currency);
                self.problem("price", &format!("the price is in {own}, but the center takes {of_center}"));
                None
            }
            Ok(price) => price,
            Err(message) => {
                self.problem("price", &format!("`{text}`: {message}"));
                None
            }
        }
    }

    /// `meter: paragraph` and `unit: 0.001`; all parts together cost no more than `price`, that of the whole.
    fn meter(&mut self, price: Option<Amount>, is_stream: bool) -> Option<(Measure, Amount)> {
        let Some(name) = self.words(&["meter"], 40) else {
            if self.matter.field("unit").is_some() {
                self.problem(
                    "unit",
                    "a unit is the price of a part: say what a part is, such as `meter: paragraph`",
                );
            }
            return None;
        };
        let measure = Measure::named(&name).filter(|measure| measure.is_of_streams() == is_stream);
        let Some(measure) = measure else {
            let by = if is_stream {
                "sound and film are sold by `30 seconds`, or as many as you like up to an hour"
            } else {
                "a text is sold by the paragraph, page or minute"
            };
            self.problem("meter", &format!("`{name}`: {by}"));
            return None;
        };
        let Some(price) = price else {
            self.problem(
                "meter",
                "what is free is not sold by the part: give a price, which is the most that all parts cost",
            );
            return None;
        };
        let Some(text) = self.words(&["unit"], 40) else {
            self.problem("unit", "the price of a part is missing: `unit: 0.001`");
            return None;
        };
        match amount(&text, price.currency()) {
            Ok(unit) if unit.currency() == price.currency() && !unit.is_zero() && price.covers(unit) => {
                Some((measure, unit))
            }
            Ok(_) => {
                self.problem(
                    "unit",
                    &format!("`{text}`: a part costs something, and no more than the whole, {price}"),
                );
                None
            }
            Err(message) => {
                self.problem("unit", &format!("`{text}`: {message}"));
                None
            }
        }
    }

    fn date(&mut self) -> Option<DateTime<FixedOffset>> {
        let text = self.words(&["date"], 60)?;
        let date = date(&text);
        if date.is_none() {
            let message = format!("`{text}` is no date: write 2026-01-31, or 2026-01-31T08:00:00+01:00");
            self.problem("date", &message);
        }
        date
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        match self.matter.field(name)? {
            Value::Flag(flag) => Some(*flag),
            Value::Word(word) if word == "true" => Some(true),
            Value::Word(word) if word == "false" => Some(false),
            _ => {
                self.problem(name, "this is true or false");
                // Whoever writes `draft: yes` does not want it shown.
                None
            }
        }
    }

    fn slug(&mut self, file_name: &str) -> String {
        let (field, source) = match self.words(&["slug"], 200) {
            Some(slug) => ("slug", slug),
            None => ("slug", file_name.to_owned()),
        };
        let slug: String = slug::slugify(&source).chars().take(100).collect();
        let slug = slug.trim_end_matches('-').to_owned();
        if slug.is_empty() {
            self.problem(field, "no address can be made of the file's name: give one, such as `slug: bread`");
        }
        slug
    }

    /// `image`, `cover` or `thumbnail`, as text or as a table with the address in it.
    fn image(&mut self) -> (Option<String>, Option<String>) {
        for name in ["image", "cover", "thumbnail"] {
            let image = match self.matter.field(name) {
                None => continue,
                Some(Value::Word(address)) => (Some(address.clone()), self.words(&["image_alt", "alt"], 400)),
                Some(Value::Table(table)) => {
                    let word = |names: &[&str]| {
                        names.iter().find_map(|name| match table.get(*name) {
                            Some(Value::Word(word)) => Some(word.clone()),
                            _ => None,
                        })
                    };
                    (word(&["image", "path", "src", "url", "file"]), word(&["alt", "caption"]))
                }
                Some(_) => {
                    self.problem(name, "a picture is written as its file's name");
                    (None, None)
                }
            };
            return image;
        }
        (None, None)
    }

    fn language(&mut self) -> Option<String> {
        let tag = self.words(&["lang", "language"], 40)?;
        let fits = is_language(&tag);
        if !fits {
            self.problem("lang", &format!("`{tag}` is no language tag such as `en` or `ko`"));
        }
        fits.then_some(tag)
    }

    /// The first of the fields that is there, in one line.
    fn words(&mut self, names: &[&str], chars_max: usize) -> Option<String> {
        for name in names {
            match self.matter.field(name) {
                None | Some(Value::Table(_)) => {}
                Some(Value::Word(text)) => {
                    return Some(super::markdown::shortened(&one_line(text), chars_max));
                }
                Some(_) => self.problem(name, "this is text"),
            }
        }
        None
    }

    /// All names of the fields, each once; also those under `table`, as Zola has it.
    fn names(&mut self, names: &[&str], table: Option<&str>) -> Vec<String> {
        let mut found = Vec::new();
        for name in names {
            let nested = table.and_then(|table| match self.matter.field(table) {
                Some(Value::Table(fields)) => fields.get(*name),
                _ => None,
            });
            for value in [self.matter.field(name), nested].into_iter().flatten() {
                collect(value, &mut found);
            }
        }
        let mut seen = BTreeSet::new();
        found.retain(|name| !name.is_empty() && seen.insert(name.to_lowercase()));
        found.truncate(NAMES_MAX);
        found
    }

    fn problem(&mut self, field: &str, message: &str) {
        let line = self.matter.line(field).or(Some(1));
        self.problems.push(Problem::hides(self.file, message).of(field).at(line));
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Word(text) => {
            found.extend(
                text.split(',').map(|name| super::markdown::shortened(&one_line(name), NAME_CHARS_MAX)),
            );
        }
        Value::List(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Table(fields) => {
            if let Some(name) = fields.get("name") {
                collect(name, found);
            }
        }
        Value::Nothing | Value::Flag(_) => {}
    }
}

fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `tag` has the shape of a language's tag (BCP 47), such as `ko`.
pub fn is_language(tag: &str) -> bool {
    let fits =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    tag.split('-').all(fits)
}

/// `free`, `0.03` in the given currency, or `USD:0.03`; superfluous zeros are let pass. Absent when free.
///
/// # Errors
/// What is wrong with it.
pub fn price(text: &str, currency: Currency) -> Result<Option<Amount>, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("free") {
        return Ok(None);
    }
    let amount = amount(text, currency)?;
    Ok((!amount.is_zero()).then_some(amount))
}

/// `0.03` in the given currency, or `USD:0.03`; superfluous zeros are let pass.
///
/// # Errors
/// What is wrong with it.
pub fn amount(text: &str, currency: Currency) -> Result<Amount, String> {
    let (code, number) = match text.split_once(':') {
        Some((code, number)) => (code.to_owned(), number),
        None => (currency.to_string(), text),
    };
    let number = match number.split_once('.') {
        Some((units, places)) if !places.is_empty() => match places.trim_end_matches('0') {
            "" => units.to_owned(),
            places => format!("{units}.{places}"),
        },
        _ => number.to_owned(),
    };
    format!("{code}:{number}")
        .parse()
        .map_err(|error: tuppence_protocol::amount::AmountError| error.to_string())
}

/// A date, or a date with a time; without an offset it is in UTC.
pub fn date(text: &str) -> Option<DateTime<FixedOffset>> {
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(date);
    }
    for form in ["%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M %z", "%Y-%m-%dT%H:%M:%S%z"] {
        if let Ok(date) = DateTime::parse_from_str(text, form) {
            return Some(date);
        }
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(date) = NaiveDateTime::parse_from_str(text, form) {
            return Some(date.and_utc().fixed_offset());
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc().fixed_offset())
}

/// The date that Jekyll puts before a file's name, and the name: `2026-01-31-bread.md`, `bread/index.md`.
fn file_name(file: &str) -> (Option<DateTime<FixedOffset>>, String) {
    let mut parts = file.rsplit('/');
    let last = parts.next().unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let name = if stem == "index" { parts.next().unwrap_or(stem) } else { stem };
    if let (Some(day), Some(rest)) = (name.get(..10).and_then(date), name.get(10..)) {
        let rest = rest.trim_start_matches('-');
        if !rest.is_empty() {
            return (Some(day), rest.to_owned());
        }
    }
    (None, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::front_matter;
    use super::*;

    const PRICES: Prices = Prices { currency: Currency::USD, default: None };

    fn read(file: &str, text: &str) -> Result<Fields, Vec<Problem>> {
        let (matter, _) = front_matter::read(file, text).unwrap();
        fields(file, &matter, PRICES)
    }

    #[test]
    fn hugo_zola_jekyll_and_plain_files_are_read() {
        let hugo = "---\ntitle: \"Bread\"\ndate: 2026-01-05T10:00:00+09:00\nprice: 0.03\nauthor: [Ann Example, Ben]\n\
            tags: [food]\ncategories: [Home]\ncover:\n  image: loaf.png\n  alt: A loaf\n---\n";
        let zola = "+++\ntitle = \"Bread\"\ndate = 2026-01-05\nprice = \"USD:0.03\"\nauthors = [\"Ann Example\", \"Ben\"]\n\
            [taxonomies]\ntags = [\"food\"]\ncategories = [\"Home\"]\n[cover]\npath = \"loaf.png\"\nalt = \"A loaf\"\n+++\n";
        let jekyll = "---\ntitle: Bread\nprice: '0.030'\nauthor:\n  name: Ann Example\nauthors: Ben\ntags: food, Home\n\
            image: loaf.png\nimage_alt: A loaf\n---\n";
        for (file, text) in
            [("bread.md", hugo), ("bread/index.md", zola), ("_posts/2026-01-05-bread.md", jekyll)]
        {
            let fields = read(file, text).unwrap();
            assert_eq!(fields.title.as_str(), "Bread", "{file}");
            assert_eq!(fields.price, Some("USD:0.03".parse().unwrap()), "{file}");
            assert_eq!(fields.date.unwrap().date_naive().to_string(), "2026-01-05", "{file}");
            assert_eq!(fields.authors, ["Ann Example", "Ben"], "{file}");
            assert_eq!(fields.tags, ["food", "Home"], "{file}");
            assert_eq!(fields.image.as_deref(), Some("loaf.png"), "{file}");
            assert_eq!(fields.image_alt.as_deref(), Some("A loaf"), "{file}");
            assert_eq!(fields.slug, "bread", "{file}");
        }
    }

    #[test]
    fn prices_are_amounts_or_free() {
        for (text, expected) in [
            ("free", None),
            ("FREE", None),
            ("0", None),
            ("0.03", Some("USD:0.03")),
            ("0.004", Some("USD:0.004")),
            ("1.50", Some("USD:1.5")),
            ("2.0", Some("USD:2")),
            ("EUR:2", Some("EUR:2")),
        ] {
            let read = price(text, Currency::USD).unwrap();
            assert_eq!(read, expected.map(|amount| amount.parse().unwrap()), "{text}");
        }
        for text in
            ["", "-1", "1,50", "3 cents", "$1", "0.0000001", "1e3", "NaN", "inf", "USD", "usd:1", "1.2.3"]
        {
            assert!(price(text, Currency::USD).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_field_and_line() {
        for (text, field, line) in [
            ("price: 0.03", "title", 1),
            ("title: x", "price", 1),
            ("title: x\nprice: lots", "price", 3),
            ("title: x\nprice: [1]", "price", 3),
            ("title: x\nprice: EUR:1", "price", 3),
            ("title: x\nprice: 1\ncurrency: dollars", "currency", 4),
            ("title: x\nprice: 1\ndate: yesterday", "date", 4),
            ("title: x\nprice: 1\ndraft: perhaps", "draft", 4),
            ("title: x\nprice: 1\nslug: '!!!'", "slug", 4),
            ("title: x\nprice: 1\nlang: c'est", "lang", 4),
            ("title: [x]\nprice: 1", "title", 2),
        ] {
            let problems = read("a.md", &format!("---\n{text}\n---\n")).unwrap_err();
            let problem = problems.iter().find(|problem| problem.field.as_deref() == Some(field));
            assert_eq!(problem.and_then(|problem| problem.line), Some(line), "{text}: {problems:?}");
        }
    }

    #[test]
    fn a_default_price_stands_in_for_a_missing_one() {
        let (matter, _) = front_matter::read("a.md", "---\ntitle: x\n---\n").unwrap();
        let default = Some("USD:0.02".parse().unwrap());
        assert_eq!(fields("a.md", &matter, Prices { default, ..PRICES }).unwrap().price, default);
    }

    #[test]
    fn dates_are_read_in_their_usual_forms() {
        for text in [
            "2026-01-31",
            "2026-01-31T08:00:00Z",
            "2026-01-31T08:00:00+09:00",
            "2026-01-31 08:00:00 +0900",
            "2026-01-31 08:00:00",
            "2026-01-31T08:00",
            "2026-01-31 08:00",
        ] {
            assert_eq!(date(text).unwrap().date_naive().to_string(), "2026-01-31", "{text}");
        }
        for text in ["", "31.01.2026", "2026-02-30", "2026", "tomorrow", "2026-01-31x"] {
            assert!(date(text).is_none(), "{text}");
        }
    }

    #[test]
    fn addresses_are_plain_words() {
        for (file, slug) in
            [("Über Brot.md", "uber-brot"), ("a/2026-01-31-x.md", "x"), ("2026-01-31.md", "2026-01-31")]
        {
            assert_eq!(read(file, "---\ntitle: x\nprice: 1\n---\n").unwrap().slug, slug);
        }
    }
}
