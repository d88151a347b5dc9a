//! Earn: campaigns, and their questions one by one.

use anyhow::Result;

use super::Wallet;
use crate::target::{button, choice, control, field, heading, link};

/// Earn.
#[derive(Debug)]
pub struct Earn<'a>(Wallet<'a>);

/// One answer.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// One of the choices.
    Choice(&'a str),
    /// An answer in words.
    Words(&'a str),
}

/// The title of the quiz in `fixtures/shop`.
pub const QUIZ: &str = "Do you know your change?";
/// What the quiz pays.
pub const QUIZ_REWARD: &str = "4¢";
/// The title of the survey, which pays 3¢.
pub const SURVEY: &str = "How do you read on the way?";
/// The title of the advertisement, which pays 2¢.
pub const ADVERTISEMENT: &str = "Soap that floats";

const RIGHT: [Answer<'static>; 2] = [Answer::Choice("Two"), Answer::Choice("Copper")];
const WRONG: [Answer<'static>; 2] = [Answer::Choice("Two"), Answer::Choice("Tin")];
const OPINION: [Answer<'static>; 2] = [Answer::Choice("In the evening"), Answer::Words("A timetable")];
const SEEN: [Answer<'static>; 1] = [Answer::Choice("It floats")];

impl<'a> Earn<'a> {
    pub(super) fn new(wallet: Wallet<'a>) -> Self {
        Self(wallet)
    }

    /// Loads the page.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn open(&self) -> Result<()> {
        self.0.load("/earn").await?;
        self.0.browser.see(&heading("Earn")).await.map(drop)
    }

    /// Goes there by the navigation.
    ///
    /// # Errors
    /// If it isn't there.
    pub async fn go_there(&self) -> Result<()> {
        self.0.go_to("Earn").await
    }

    /// Answers the quiz rightly, from the list of campaigns, and sees the reward arrive.
    ///
    /// # Errors
    /// If something on the way is missing.
    pub async fn pass_the_quiz(&self) -> Result<()> {
        self.open().await?;
        self.choose(QUIZ).await?;
        self.answer(&RIGHT).await?;
        self.earned(QUIZ_REWARD).await
    }

    /// Answers the quiz wrongly, once it is open.
    ///
    /// # Errors
    /// If something on the way is missing.
    pub async fn answer_wrongly(&self) -> Result<()> {
        self.answer(&WRONG).await
    }

    /// Answers the quiz rightly, once it is open.
    ///
    /// # Errors
    /// If something on the way is missing.
    pub async fn answer_the_quiz(&self) -> Result<()> {
        self.answer(&RIGHT).await
    }

    /// Answers the survey, and sees the reward arrive.
    ///
    /// # Errors
    /// If something on the way is missing.
    pub async fn take_the_survey(&self) -> Result<()> {
        self.open().await?;
        self.choose(SURVEY).await?;
        self.answer(&OPINION).await?;
        self.earned("3¢").await
    }

    /// Answers the question on the advertisement, and sees the reward arrive.
    ///
    /// # Errors
    /// If something on the way is missing.
    pub async fn look_at_the_advertisement(&self) -> Result<()> {
        self.open().await?;
        self.choose(ADVERTISEMENT).await?;
        self.answer(&SEEN).await?;
        self.earned("2¢").await
    }

    /// Opens a campaign from the list.
    ///
    /// # Errors
    /// If it isn't there.
    pub async fn choose(&self, title: &str) -> Result<()> {
        self.0.browser.click(&link(title).containing()).await?;
        self.0.browser.see(&heading(title)).await.map(drop)
    }

    /// Starts, answers one question after the other, and sends the answers.
    ///
    /// # Errors
    /// If a question or a choice isn't there.
    pub async fn answer(&self, answers: &[Answer<'_>]) -> Result<()> {
        self.0.browser.click(&control("Start")).await?;
        for (number, answer) in (1..).zip(answers) {
            let last = number == answers.len();
            self.0.browser.says(&format!("Question {number} of {}", answers.len())).await?;
            match answer {
                Answer::Choice(text) => self.0.browser.click(&choice(*text)).await?,
                Answer::Words(text) => self.0.browser.fill(&field("Your answer"), text).await?,
            }
            self.0.browser.click(&button(if last { "Send my answers" } else { "Next" })).await?;
        }
        Ok(())
    }

    /// Goes to the article for which this was earned.
    ///
    /// # Errors
    /// If there is no way.
    pub async fn return_to_the_article(&self) -> Result<()> {
        self.0.browser.click(&link("Go to the article")).await
    }

    /// Waits for the word that this was earned.
    ///
    /// # Errors
    /// If it doesn't come.
    pub async fn earned(&self, reward: &str) -> Result<()> {
        self.0.browser.says("You earned").await?;
        self.0.browser.says(reward).await
    }
}
