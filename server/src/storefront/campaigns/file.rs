//! A campaign's file: TOML, checked field by field, so that each mistake is named.

use serde::Deserialize;
use tuppence_protocol::scrip::Item;
use tuppence_protocol::scrip::issue::ANSWERS_MAX;
use tuppence_protocol::{Amount, Currency, Text, Timestamp};
use unicode_normalization::UnicodeNormalization;

use super::{Campaign, Choice, Grading, Kind, Question};
use crate::storefront::catalogue::fields::{amount, date};
use crate::storefront::catalogue::front_matter::line_of;
use crate::storefront::problem::Problem;
use crate::storefront::sum::Sum;

const CHOICES_MAX: usize = 10;
const MINUTES_MAX: u32 = 240;
/// The names of the choices on the wire.
const LETTERS: &str = "abcdefghij";

/// The file, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: Kind,
    title: String,
    sponsor: String,
    intro: String,
    reward: Sum,
    budget: Sum,
    start: Option<toml::Value>,
    end: Option<toml::Value>,
    minutes: Option<u32>,
    pass: Option<usize>,
    per_day: Option<u32>,
    image: Option<String>,
    image_alt: Option<String>,
    link: Option<String>,
    audience: Option<String>,
    #[serde(default)]
    questions: Vec<FileQuestion>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileQuestion {
    text: String,
    #[serde(default)]
    choices: Vec<String>,
    right: Option<OneOrMany>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Reads the campaign `item` from the text of `file`. `picture` gives a picture's address at this shop.
///
/// # Errors
/// Each mistake, with its field, and its line where the file does not parse.
pub fn read(
    file: &str,
    item: Item,
    text: &str,
    currency: Currency,
    picture: impl Fn(&str) -> Option<String>,
) -> Result<Campaign, Vec<Problem>> {
    let parsed: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        vec![Problem::hides(file, error.message().trim()).at(line)]
    })?;
    let mut check = Check { file, problems: Vec::new() };
    let reward = check.money("reward", &parsed.reward, currency);
    let budget = check.money("budget", &parsed.budget, currency);
    if let (Some(reward), Some(budget)) = (reward, budget)
        && !budget.covers(reward)
    {
        check.wrong("budget", format!("{budget} does not cover one reward of {reward}"));
    }
    let start = check.date("start", parsed.start.as_ref());
    let end = check.date("end", parsed.end.as_ref());
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        check.wrong("end", "the end is not after the start");
    }
    let minutes = parsed.minutes.unwrap_or(1);
    if !(1..=MINUTES_MAX).contains(&minutes) {
        check.wrong("minutes", format!("a number from 1 to {MINUTES_MAX}"));
    }
    if parsed.per_day == Some(0) {
        check.wrong("per_day", "at least 1; leave it out for no limit");
    }
    check.link(parsed.link.as_deref());
    let image = check.image(parsed.image.as_deref(), picture);
    let (questions, right) = check.questions(parsed.kind, &parsed.questions);
    let pass = check.pass(parsed.kind, parsed.pass, questions.len());
    let title = check.title(&parsed.title);
    let sponsor = check.text("sponsor", &parsed.sponsor, 100);
    let intro = check.text("intro", &parsed.intro, 5_000);
    let (Some(title), Some(reward), Some(budget), true) = (title, reward, budget, check.problems.is_empty())
    else {
        return Err(check.problems);
    };
    Ok(Campaign {
        item,
        kind: parsed.kind,
        audience: parsed.audience.unwrap_or_else(|| parsed.kind.audience(&sponsor)),
        title,
        sponsor,
        intro,
        reward,
        budget,
        start,
        end,
        minutes,
        per_day: parsed.per_day,
        image,
        image_alt: parsed.image_alt,
        link: parsed.link,
        questions,
        grading: Grading::new(right, pass),
    })
}

struct Check<'a> {
    file: &'a str,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn wrong(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::hides(self.file, message).of(field));
    }

    fn text(&mut self, field: &str, text: &str, chars_max: usize) -> String {
        let text: String = text.trim().nfc().filter(|c| !c.is_control() || *c == '\n').collect();
        if text.is_empty() {
            self.wrong(field, "this is empty");
        } else if text.chars().count() > chars_max {
            self.wrong(field, format!("this is longer than {chars_max} characters"));
        }
        text
    }

    fn title(&mut self, title: &str) -> Option<Text<400>> {
        let title = self.text("title", title, 200);
        let fitting = Text::try_from(title);
        if fitting.is_err() {
            self.wrong("title", "this is longer than 400 bytes");
        }
        fitting.ok()
    }

    fn money(&mut self, field: &str, money: &Sum, currency: Currency) -> Option<Amount> {
        match amount(money.as_str(), currency) {
            Ok(amount) if amount.currency() != currency => {
                self.wrong(field, format!("{amount} is not in {currency}, which the center takes"));
                None
            }
            Ok(amount) if amount.is_zero() => {
                self.wrong(field, "more than nothing is needed");
                None
            }
            Ok(amount) => Some(amount),
            Err(message) => {
                self.wrong(field, format!("`{}`: {message}", money.as_str()));
                None
            }
        }
    }

    fn date(&mut self, field: &str, value: Option<&toml::Value>) -> Option<Timestamp> {
        let text = match value? {
            toml::Value::Datetime(date) => date.to_string(),
            toml::Value::String(text) => text.clone(),
            _ => String::new(),
        };
        let date = date(&text).and_then(|date| u64::try_from(date.timestamp_millis()).ok());
        if date.is_none() {
            self.wrong(field, "a date such as 2026-01-31, or with a time: 2026-01-31T08:00:00Z");
        }
        date.map(Timestamp::from_millis)
    }

    fn link(&mut self, link: Option<&str>) {
        let Some(link) = link else { return };
        let web = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
        let fits = link.len() <= 1_000 && !link.contains(|c: char| c.is_whitespace() || c.is_control());
        if !fits || web.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
            self.wrong("link", "an address that begins with https:// or http://");
        }
    }

    fn image(&mut self, image: Option<&str>, picture: impl Fn(&str) -> Option<String>) -> Option<String> {
        let address = picture(image?);
        if address.is_none() {
            self.wrong(
                "image",
                "no PNG, JPEG, GIF, WebP, AVIF or SVG file of this name is in the campaigns folder",
            );
        }
        address
    }

    /// The questions as everybody sees them, and what is right in each; nothing where all answers are welcome.
    fn questions(&mut self, kind: Kind, written: &[FileQuestion]) -> (Vec<Question>, Vec<Vec<String>>) {
        if written.is_empty() {
            self.wrong("questions", "at least one is needed: [[questions]], then text = \"...\"");
        }
        if written.len() > ANSWERS_MAX {
            self.wrong("questions", format!("at most {ANSWERS_MAX}"));
        }
        let mut questions = Vec::new();
        let mut right = Vec::new();
        for (index, question) in written.iter().enumerate() {
            let field = format!("questions[{}]", index + 1);
            let text = self.text(&format!("{field}.text"), &question.text, 500);
            let choices = self.choices(&field, &question.choices);
            right.push(self.right(&field, kind, question, &choices));
            questions.push(Question { text, choices });
        }
        (questions, right)
    }

    fn choices(&mut self, field: &str, written: &[String]) -> Vec<Choice> {
        if written.len() == 1 || written.len() > CHOICES_MAX {
            self.wrong(
                format!("{field}.choices"),
                format!("2 to {CHOICES_MAX}, or none for an answer in words"),
            );
        }
        let mut choices: Vec<Choice> = Vec::new();
        for (letter, text) in LETTERS.chars().zip(written) {
            let text = self.text(&format!("{field}.choices"), text, 300);
            if choices.iter().any(|choice| choice.text == text) {
                self.wrong(format!("{field}.choices"), format!("`{text}` is there twice"));
            }
            choices.push(Choice { id: letter.to_string(), text });
        }
        choices
    }

    fn right(&mut self, field: &str, kind: Kind, question: &FileQuestion, choices: &[Choice]) -> Vec<String> {
        let field = format!("{field}.right");
        let written = match &question.right {
            None if kind == Kind::Quiz => {
                self.wrong(field, "a quiz needs the right answer of each question");
                return Vec::new();
            }
            None => return Vec::new(),
            Some(_) if kind == Kind::Survey => {
                self.wrong(field, "a survey has no right answers");
                return Vec::new();
            }
            Some(OneOrMany::One(answer)) => std::slice::from_ref(answer),
            Some(OneOrMany::Many(answers)) => answers.as_slice(),
        };
        if written.is_empty() || written.iter().any(|answer| answer.trim().is_empty()) {
            self.wrong(field.as_str(), "the right answer is empty");
        }
        if choices.is_empty() {
            return written.to_vec();
        }
        let mut right = Vec::new();
        for answer in written {
            match choices.iter().find(|choice| choice.text == answer.trim()) {
                Some(choice) => right.push(choice.id.clone()),
                None => {
                    let all: Vec<_> = choices.iter().map(|choice| format!("`{}`", choice.text)).collect();
                    self.wrong(
                        field.as_str(),
                        format!("`{answer}` is none of the choices {}", all.join(", ")),
                    );
                }
            }
        }
        right
    }

    fn pass(&mut self, kind: Kind, pass: Option<usize>, questions: usize) -> Option<usize> {
        match pass {
            Some(_) if kind != Kind::Quiz => self.wrong("pass", "only a quiz is passed"),
            Some(pass) if pass == 0 || pass > questions => {
                self.wrong("pass", format!("a number from 1 to {questions}, the questions there are"));
            }
            _ => {}
        }
        pass
    }
}
