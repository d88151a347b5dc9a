//! A publisher's files: articles, campaigns, and the pictures that they name.

use std::sync::{Arc, LazyLock};

use tuppence_protocol::Currency;
use tuppence_server::storefront::campaigns::file as campaign_file;
use tuppence_server::storefront::catalogue::fields::{self, Prices};
use tuppence_server::storefront::catalogue::sanitise::{Pictures, sanitised};
use tuppence_server::storefront::catalogue::{front_matter, markdown, media};
use tuppence_server::storefront::problem::Problem;

use crate::target::Verdict;

/// The name of the file whose text is made up.
const FILE: &str = "made-up.md";

/// Shows pictures that lie in the folder, as a shop does.
static PICTURES: LazyLock<Pictures> = LazyLock::new(|| {
    Arc::new(|address: &str| {
        let own = "https://shop.example/media/articles/";
        let file = media::resolve("", address.strip_prefix(own).unwrap_or(address))?;
        Some(format!("{own}{file}"))
    })
});

/// Front matter, fields, Markdown and cleaning of an article.
pub fn article(bytes: &[u8]) -> Verdict {
    let Ok(text) = str::from_utf8(bytes) else { return Verdict::Refused };
    let (matter, body) = match front_matter::read(FILE, text) {
        Ok(read) => read,
        Err(problem) => {
            named(&problem, text);
            return Verdict::Refused;
        }
    };
    assert!(text.ends_with(body), "the body is not the text's end");
    let rendered = markdown::render(body);
    for html in [&rendered.teaser, &rendered.whole] {
        if let Ok(clean) = sanitised(html, &PICTURES) {
            let again = sanitised(clean.document.as_str(), &PICTURES).expect("what is clean is no longer");
            assert_eq!(again.document.as_str(), clean.document.as_str(), "cleaning again changes it");
            harmless(clean.document.as_str());
        }
    }
    match fields::fields(FILE, &matter, Prices { currency: Currency::USD, default: None }) {
        Ok(fields) => {
            assert!(fields.price.is_none_or(|price| price.currency() == Currency::USD && !price.is_zero()));
            assert!(!fields.title.as_str().is_empty(), "an article without a title");
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
            assert!(
                !fields.slug.is_empty() && fields.slug.chars().all(plain),
                "{:?} in an address",
                fields.slug
            );
            Verdict::Taken
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            problems.iter().for_each(|problem| named(problem, text));
            Verdict::Refused
        }
    }
}

/// A campaign's file.
pub fn campaign(bytes: &[u8]) -> Verdict {
    let Ok(text) = str::from_utf8(bytes) else { return Verdict::Refused };
    let item = "made-up".parse().expect("an item's name");
    match campaign_file::read(FILE, item, text, Currency::USD, |address| media::resolve("", address)) {
        Ok(campaign) => {
            assert!(!campaign.reward.is_zero() && campaign.reward.currency() == Currency::USD);
            assert!(campaign.budget.covers(campaign.reward), "a budget below one reward");
            assert!(campaign.start.zip(campaign.end).is_none_or(|(start, end)| start < end));
            assert!(campaign.minutes > 0 && campaign.per_day != Some(0));
            for question in &campaign.questions {
                assert!(!question.text.is_empty() && question.choices.len() != 1);
            }
            Verdict::Taken
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            problems.iter().for_each(|problem| named(problem, text));
            Verdict::Refused
        }
    }
}

/// The address of a picture in a text that lies in a folder.
pub fn picture(bytes: &[u8]) -> Verdict {
    let Ok(address) = str::from_utf8(bytes) else { return Verdict::Refused };
    let Some(file) = media::resolve("texts/new/", address) else { return Verdict::Refused };
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    assert!(file.split('/').all(plain), "{file:?} is no plain name");
    assert!(media::media_type(&file).is_some(), "{file:?} is no picture");
    Verdict::Taken
}

/// A problem says what is wrong, at a line that the file has.
fn named(problem: &Problem, text: &str) {
    assert!(!problem.message.trim().is_empty() && problem.file == FILE, "{problem:?}");
    if let Some(line) = problem.line {
        let lines = 1 + text.bytes().filter(|byte| *byte == b'\n').count();
        assert!((1..=lines).contains(&line), "line {line} of {lines}: {problem}");
    }
}

/// Nothing in cleaned HTML runs, however it is spelled: what is left of a tag is on the list.
fn harmless(html: &str) {
    let lower = html.to_ascii_lowercase();
    for tag in
        ["<script", "<style", "<iframe", "<object", "<embed", "<form", "<svg", "<math", "<base", "<meta"]
    {
        assert!(!lower.contains(tag), "{tag} in {html:?}");
    }
}
