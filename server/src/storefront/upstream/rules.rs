//! Which pages of the site behind the storefront are sold, for how much, and what of them everybody may read: a file of
//! rules by path, of which the first that fits decides.

use regex::{Regex, RegexBuilder};
use scraper::Selector;
use serde::Deserialize;
use tuppence_protocol::Amount;
use unicode_normalization::UnicodeNormalization;

use super::path::{SitePath, loosest};
use crate::storefront::catalogue::fields::{self, Prices};
use crate::storefront::catalogue::front_matter::line_of;
use crate::storefront::problem::Problem;
use crate::storefront::sum::Sum;

/// Rules in a file.
const RULES_MAX: usize = 1_000;
/// Characters of a path or a selector.
const TEXT_CHARS_MAX: usize = 500;
/// The part of a page that is sold, unless its rule says otherwise.
const ARTICLE: &str = "article";
/// Characters of it that everybody may read, unless its rule says otherwise.
const TEASER_CHARS: usize = 400;

/// The file, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "rule")]
    rules: Vec<FileRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRule {
    path: String,
    price: Option<Sum>,
    #[serde(default)]
    closed: bool,
    article: Option<String>,
    teaser: Option<FileTeaser>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a number of characters, or a CSS selector as text")]
enum FileTeaser {
    Characters(usize),
    Selector(String),
}

/// The rules of a site.
#[derive(Debug)]
pub struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// As the path is written.
    exact: Regex,
    /// As the site might take it.
    loose: Regex,
    terms: Terms,
}

/// What a rule says of its pages.
#[derive(Debug)]
enum Terms {
    Free,
    Closed,
    Sold(Sold),
}

/// How a page is sold.
#[derive(Debug, Clone)]
pub struct Sold {
    /// What it costs.
    pub price: Amount,
    /// Which parts of it are sold.
    pub article: Selector,
    /// What of them everybody may read.
    pub teaser: Teaser,
}

/// What of a sold text everybody may read.
#[derive(Debug, Clone)]
pub enum Teaser {
    /// Whole paragraphs from the beginning, until they have so many characters.
    Characters(usize),
    /// The parts that the selector finds.
    Selector(Selector),
}

/// What the rules say of one request.
#[derive(Debug)]
pub enum Decision<'a> {
    /// It is the site's alone.
    Free,
    /// It is for nobody; or it is another spelling of something that is not free.
    Closed,
    /// It costs something.
    Sold(SitePath, &'a Sold),
}

impl Decision<'_> {
    /// Whether it is the site's alone.
    pub fn is_free(&self) -> bool {
        matches!(self, Decision::Free)
    }
}

impl Rules {
    /// Reads the text of `file`.
    ///
    /// # Errors
    /// Each mistake. None of the rules holds then: a page that is sold must not become free by a slip in another line.
    pub fn read(file: &str, text: &str, prices: Prices) -> Result<Self, Vec<Problem>> {
        let parsed: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line_of(text, span.start));
            vec![Problem::hides(file, error.message().trim()).at(line)]
        })?;
        if parsed.rules.len() > RULES_MAX {
            return Err(vec![Problem::hides(file, format!("more than {RULES_MAX} rules"))]);
        }
        let (mut rules, mut problems) = (Vec::new(), Vec::new());
        for (index, rule) in parsed.rules.iter().enumerate() {
            match read(rule, prices) {
                Ok(rule) => rules.push(rule),
                Err((field, message)) => {
                    problems.push(Problem::hides(file, message).of(format!("rule[{}].{field}", index + 1)));
                }
            }
        }
        if problems.is_empty() { Ok(Rules(rules)) } else { Err(problems) }
    }

    /// What holds for the path of a request, as it came.
    pub fn decide(&self, raw: &str) -> Decision<'_> {
        // What is free as it is written must not be something else as it may be read, by a site that knows upper and lower
        // case apart or one that doesn't.
        let Some(loosest) = loosest(raw) else { return Decision::Closed };
        let readings =
            [self.fitting(&loosest, |rule| &rule.loose), self.fitting(&loosest, |rule| &rule.exact)];
        let guarded = readings.into_iter().flatten().any(|rule| !matches!(rule.terms, Terms::Free));
        let closed_unless_free = if guarded { Decision::Closed } else { Decision::Free };
        let Some(path) = SitePath::parse(raw) else { return closed_unless_free };
        let Some(rule) = self.fitting(path.as_str(), |rule| &rule.exact) else { return closed_unless_free };
        match &rule.terms {
            Terms::Closed => Decision::Closed,
            Terms::Sold(sold) => Decision::Sold(path, sold),
            Terms::Free => closed_unless_free,
        }
    }

    /// How the page at `path` is sold, if it is.
    pub fn sold(&self, path: &SitePath) -> Option<&Sold> {
        match self.decide(&path.address()) {
            Decision::Sold(_, sold) => Some(sold),
            Decision::Free | Decision::Closed => None,
        }
    }

    /// What pages cost.
    pub fn prices(&self) -> impl Iterator<Item = Amount> {
        self.0.iter().filter_map(|rule| match &rule.terms {
            Terms::Sold(sold) => Some(sold.price),
            Terms::Free | Terms::Closed => None,
        })
    }

    /// The first rule that fits, with or without a slash at the end.
    fn fitting(&self, path: &str, pattern: impl Fn(&Rule) -> &Regex) -> Option<&Rule> {
        let without = path.strip_suffix('/').unwrap_or(path);
        self.0.iter().find(|rule| {
            let pattern = pattern(rule);
            pattern.is_match(path) || pattern.is_match(without)
        })
    }
}

type Mistake = (&'static str, String);

fn read(rule: &FileRule, prices: Prices) -> Result<Rule, Mistake> {
    let [exact, loose] = patterns(&rule.path).map_err(|message| ("path", message))?;
    let sum = rule
        .price
        .as_ref()
        .map(|sum| price(sum, prices))
        .transpose()
        .map_err(|message| ("price", message))?;
    let terms = match (sum, rule.closed) {
        (None, true) => Terms::Closed,
        (Some(_), true) => return Err(("closed", "what is closed has no price".to_owned())),
        (Some(None), false) => Terms::Free,
        (Some(Some(price)), false) => Terms::Sold(sold(rule, price)?),
        (None, false) => {
            let message = "the price is missing: `price = 0.03`, `price = \"free\"`, or `closed = true`";
            return Err(("price", message.to_owned()));
        }
    };
    if !matches!(terms, Terms::Sold(_)) && (rule.article.is_some() || rule.teaser.is_some()) {
        return Err(("price", "only what is sold has an `article` and a `teaser`".to_owned()));
    }
    Ok(Rule { exact, loose, terms })
}

fn sold(rule: &FileRule, price: Amount) -> Result<Sold, Mistake> {
    let article =
        selector(rule.article.as_deref().unwrap_or(ARTICLE)).map_err(|message| ("article", message))?;
    let teaser = match &rule.teaser {
        None => Teaser::Characters(TEASER_CHARS),
        Some(FileTeaser::Characters(characters)) => Teaser::Characters(*characters),
        Some(FileTeaser::Selector(text)) => {
            Teaser::Selector(selector(text).map_err(|message| ("teaser", message))?)
        }
    };
    Ok(Sold { price, article, teaser })
}

fn price(sum: &Sum, prices: Prices) -> Result<Option<Amount>, String> {
    let price = fields::price(sum.as_str(), prices.currency)?;
    match price.map(Amount::currency).filter(|own| *own != prices.currency) {
        Some(own) => Err(format!("the price is in {own}, but the center takes {}", prices.currency)),
        None => Ok(price),
    }
}

fn selector(text: &str) -> Result<Selector, String> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(format!("more than {TEXT_CHARS_MAX} characters"));
    }
    Selector::parse(text).map_err(|error| format!("`{text}` is no CSS selector: {error}"))
}

/// The pattern of a path, in which `*` stands for any characters, and `/*` at the end for all that lies below; as it is
/// written, and in any case.
fn patterns(path: &str) -> Result<[Regex; 2], String> {
    if !path.starts_with('/') {
        return Err(format!("`{path}` does not begin with `/`"));
    }
    if path.chars().count() > TEXT_CHARS_MAX {
        return Err(format!("more than {TEXT_CHARS_MAX} characters"));
    }
    if path.contains(['?', '#']) {
        return Err("a rule is for a path alone, without `?` and `#`".to_owned());
    }
    let whole: String = path.nfc().collect();
    let bare = whole.strip_suffix('/').filter(|bare| !bare.is_empty()).unwrap_or(&whole);
    let (bare, below) = bare.strip_suffix("/*").map_or((bare, ""), |folder| (folder, "/.+"));
    let parts: Vec<String> = bare.split('*').map(regex::escape).collect();
    let pattern = format!("(?s)^{}{below}$", parts.join(".*"));
    let built = |any_case| {
        let regex = RegexBuilder::new(&pattern).case_insensitive(any_case).build();
        regex.map_err(|error| format!("`{path}` cannot be used: {error}"))
    };
    Ok([built(false)?, built(true)?])
}

#[cfg(test)]
mod tests {
    use tuppence_protocol::Currency;

    use super::*;

    const PRICES: Prices = Prices { currency: Currency::USD, default: None };

    fn rules(text: &str) -> Rules {
        Rules::read("rules.toml", text, PRICES).unwrap()
    }

    const RULES: &str = r#"
        [[rule]]
        path = "/stories/about"
        price = "free"

        [[rule]]
        path = "/stories/feed*"
        closed = true

        [[rule]]
        path = "/stories/*"
        price = 0.03
        teaser = ".lead"

        [[rule]]
        path = "/Long Read/*/text"
        price = "USD:0.10"
        article = "main .text"
        teaser = 200
    "#;

    fn said(rules: &Rules, raw: &str) -> String {
        match rules.decide(raw) {
            Decision::Free => "free".to_owned(),
            Decision::Closed => "closed".to_owned(),
            Decision::Sold(path, sold) => format!("{} {}", path.as_str(), sold.price),
        }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules = rules(RULES);
        for (path, decision) in [
            ("/", "free"),
            ("/stories", "free"),
            ("/stories/", "free"),
            ("/stories/about", "free"),
            ("/stories/about/", "free"),
            ("/stories/about/us", "/stories/about/us USD:0.03"),
            ("/stories/feed", "closed"),
            ("/stories/feed.xml", "closed"),
            ("/stories/bread", "/stories/bread USD:0.03"),
            ("/stories/bread/", "/stories/bread/ USD:0.03"),
            ("/stories/bread/print", "/stories/bread/print USD:0.03"),
            ("/other/stories/bread", "free"),
            ("/Long%20Read/1/text", "/Long Read/1/text USD:0.1"),
            ("/Long%20Read//text", "free"),
            ("/Long%20Read/text", "free"),
            ("/Long%20Read/1/text/more", "free"),
        ] {
            assert_eq!(said(&rules, path), decision, "{path}");
        }
    }

    #[test]
    fn no_other_spelling_leads_around_a_rule() {
        let rules = rules(RULES);
        for path in [
            "/STORIES/bread",
            "//stories/bread",
            "/stories//bread",
            "/stories/./bread",
            "/x/../stories/bread",
            "/stories%252fbread",
            "/stories%5cbread",
            "/stories;x/bread",
            "/stories/bread;x",
            "/stories./bread",
            "/stories%20/bread",
            "/stories/bread%00",
            "/%2573tories/bread",
            "/long%20read/1/text",
            "/STORIES/FEED",
            "//stories/feed",
        ] {
            assert_eq!(said(&rules, path), "closed", "{path}");
        }
        // What is sold in either reading is sold, under the name that it was asked by.
        assert_eq!(said(&rules, "/stories%2fbread"), "/stories/bread USD:0.03");
        assert_eq!(said(&rules, "/stories/About"), "/stories/About USD:0.03");
        assert_eq!(said(&rules, "/stories/%61bout/x"), "/stories/about/x USD:0.03");
        // What is free however it is read stays the site's own business.
        for path in ["//", "/a//b", "/%ff", "/a;b", "/files/100%25"] {
            assert_eq!(said(&rules, path), "free", "{path}");
        }
        // Rules that differ in their case alone: each reading counts.
        let cases =
            self::rules("[[rule]]\npath = \"/A*\"\nprice = \"free\"\n[[rule]]\npath = \"/a*\"\nprice = 1\n");
        assert_eq!(said(&cases, "/Abc"), "free");
        assert_eq!(said(&cases, "/abc"), "/abc USD:1");
        assert_eq!(said(&cases, "/x/../abc"), "closed");
        let narrow = self::rules(
            "[[rule]]\npath = \"/a/../b\"\nprice = \"free\"\n[[rule]]\npath = \"/b\"\nprice = 1\n",
        );
        assert_eq!(said(&narrow, "/a/../b"), "closed");
    }

    #[test]
    fn each_mistake_is_named_and_none_of_the_rules_holds() {
        for (text, field, word) in [
            ("[[rule]]\nprice = 1\n", "", "path"),
            ("[[rule]]\npath = \"a\"\nprice = 1\n", "rule[1].path", "begin with"),
            ("[[rule]]\npath = \"/a?b\"\nprice = 1\n", "rule[1].path", "path alone"),
            ("[[rule]]\npath = \"/a\"\n", "rule[1].price", "missing"),
            ("[[rule]]\npath = \"/a\"\nprice = -1\n", "rule[1].price", ""),
            ("[[rule]]\npath = \"/a\"\nprice = \"EUR:1\"\n", "rule[1].price", "EUR"),
            ("[[rule]]\npath = \"/a\"\nprice = 1\nclosed = true\n", "rule[1].closed", "no price"),
            ("[[rule]]\npath = \"/a\"\nprice = \"free\"\nteaser = 3\n", "rule[1].price", "only what is sold"),
            ("[[rule]]\npath = \"/a\"\nprice = 1\narticle = \"<\"\n", "rule[1].article", "selector"),
            ("[[rule]]\npath = \"/a\"\nprice = 1\nteaser = \"a[\"\n", "rule[1].teaser", "selector"),
            ("[[rule]]\npath = \"/a\"\nprice = 1\nteaser = -1\n", "", "characters"),
            ("[[rule]]\npath = \"/a\"\nprice = 1\nmore = 1\n", "", "more"),
            ("[[rules]]\npath = \"/a\"\nprice = 1\n", "", "rules"),
            (
                "[[rule]]\npath = \"/ok\"\nprice = 1\n[[rule]]\npath = \"\"\nprice = 1\n",
                "rule[2].path",
                "begin with",
            ),
        ] {
            let problems = Rules::read("rules.toml", text, PRICES).unwrap_err();
            let problem = &problems[0];
            assert_eq!(problem.field.as_deref().unwrap_or_default(), field, "{text}: {problem}");
            assert!(problem.message.contains(word), "{text}: {problem}");
            assert_eq!(problem.file, "rules.toml");
        }
        assert!(Rules::read("rules.toml", "", PRICES).is_ok());
    }
}
