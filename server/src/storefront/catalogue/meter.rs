//! Reading by the part: the paid part of a text in parts of about the same length, each for the same small sum. All together
//! cost no more than the whole article at once, so that nobody has to decide before reading.

use std::fmt::Display;
use std::sync::Arc;

use serde::Serialize;
use tuppence_protocol::Amount;

use super::Article;
use super::markdown::Block;

/// Words of a page.
const PAGE_WORDS: usize = 300;
/// Words of a minute's reading.
const MINUTE_WORDS: usize = 220;

/// The most seconds of a part: an hour.
const SECONDS_MAX: u32 = 3_600;

/// What an article is sold by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// By the paragraph.
    Paragraph,
    /// By about 300 words.
    Page,
    /// By what takes about a minute to read.
    Minute,
    /// By about so many seconds of its sound or film.
    Seconds(u32),
}

impl Measure {
    /// The measure of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "paragraph" => Some(Measure::Paragraph),
            "page" => Some(Measure::Page),
            "minute" => Some(Measure::Minute),
            _ => {
                let (number, unit) = name.split_once(' ')?;
                let seconds = number.parse().ok().filter(|seconds| (1..=SECONDS_MAX).contains(seconds))?;
                matches!(unit, "second" | "seconds").then_some(Measure::Seconds(seconds))
            }
        }
    }

    /// Whether it measures sound and film, and no text.
    pub(super) fn is_of_streams(self) -> bool {
        matches!(self, Measure::Seconds(_))
    }

    /// Whether so many words are a part of their own.
    fn is_reached(self, words: usize) -> bool {
        match self {
            Measure::Paragraph => true,
            Measure::Page => words >= PAGE_WORDS,
            Measure::Minute => words >= MINUTE_WORDS,
            Measure::Seconds(_) => false,
        }
    }
}

/// What stands before the number of a part, in its address and its name.
const PARTS: &str = "/parts/";

/// The name of an article that is the part `number` of `whole`.
pub fn part_name(whole: &str, number: impl Display) -> String {
    format!("{whole}{PARTS}{number}")
}

/// The name of the whole, and the number of its part, of the name of an article; no number for what is no part.
pub(super) fn named_part(name: &str) -> (&str, Option<&str>) {
    name.rsplit_once(PARTS).map_or((name, None), |(whole, number)| (whole, Some(number)))
}

/// The parts of an article.
#[derive(Debug)]
pub struct Meter {
    /// What it is sold by.
    pub measure: Measure,
    /// What a part costs.
    pub unit: Amount,
    /// Each is an article of its own.
    pub(super) parts: Vec<Arc<Article>>,
}

impl Meter {
    /// How many parts there are.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The number, from 1, of the part of this name.
    pub(in crate::storefront) fn place(&self, slug: &str) -> Option<usize> {
        self.parts.iter().position(|part| part.slug == slug).map(|place| place + 1)
    }

    /// The part of this number, from 1, in its one spelling: not `03` beside `3`.
    pub(super) fn part(&self, number: &str) -> Option<&Arc<Article>> {
        let place: usize = number.parse().ok().filter(|place: &usize| place.to_string() == number)?;
        self.parts.get(place.checked_sub(1)?)
    }
}

/// The HTML of each part. There are no more than `parts_max`, which is what the whole costs, in units: then several of the
/// measure are one part. None costs less than another, so nothing is gained by reading the end first.
pub(super) fn divided(blocks: &[Block], measure: Measure, parts_max: usize) -> Vec<String> {
    let mut measured: Vec<String> = Vec::new();
    let (mut html, mut words) = (String::new(), 0);
    for block in blocks {
        html.push_str(&block.html);
        words += block.words;
        // A heading belongs to what it is over.
        if measure.is_reached(words) && !block.is_heading {
            measured.push(std::mem::take(&mut html));
            words = 0;
        }
    }
    if !html.is_empty() {
        match measured.last_mut() {
            // What is left at the end is too little to be sold by itself.
            Some(last) => last.push_str(&html),
            None => measured.push(html),
        }
    }
    let count = measured.len().min(parts_max);
    (0..count)
        .map(|part| measured[part * measured.len() / count..(part + 1) * measured.len() / count].concat())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blocks(words: &[usize]) -> Vec<Block> {
        let block = |(number, words): (usize, &usize)| Block {
            html: format!("<p>{number}</p>"),
            words: *words,
            is_heading: *words == 0,
        };
        words.iter().enumerate().map(block).collect()
    }

    #[test]
    fn parts_follow_the_measure_and_headings_what_is_below_them() {
        let text = blocks(&[100, 0, 150, 90, 0, 230, 10]);
        let parts = |measure, most| divided(&text, measure, most);
        assert_eq!(
            parts(Measure::Paragraph, 100),
            ["<p>0</p>", "<p>1</p><p>2</p>", "<p>3</p>", "<p>4</p><p>5</p>", "<p>6</p>"]
        );
        assert_eq!(
            parts(Measure::Minute, 100),
            ["<p>0</p><p>1</p><p>2</p>", "<p>3</p><p>4</p><p>5</p><p>6</p>"]
        );
        assert_eq!(parts(Measure::Page, 100), ["<p>0</p><p>1</p><p>2</p><p>3</p><p>4</p><p>5</p><p>6</p>"]);
        assert_eq!(
            parts(Measure::Paragraph, 2),
            ["<p>0</p><p>1</p><p>2</p>", "<p>3</p><p>4</p><p>5</p><p>6</p>"]
        );
        assert_eq!(divided(&blocks(&[]), Measure::Page, 5), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn all_parts_together_are_the_text_and_no_more_than_the_cap(
            words in proptest::collection::vec(0_usize..400, 1..40),
            most in 1_usize..20,
        ) {
            let text = blocks(&words);
            let whole: String = text.iter().map(|block| block.html.as_str()).collect();
            for measure in [Measure::Paragraph, Measure::Page, Measure::Minute] {
                let parts = divided(&text, measure, most);
                prop_assert_eq!(parts.concat(), whole.clone());
                prop_assert!((1..=most).contains(&parts.len()) && parts.iter().all(|part| !part.is_empty()));
            }
        }
    }
}
