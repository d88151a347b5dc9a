//! Grading: the right answers, and nothing that tells them (T10).

use std::fmt;

use tuppence_protocol::{ErrorCode, Refusal, Text};
use unicode_normalization::UnicodeNormalization;

use super::Question;

/// What is right in a campaign. It is neither printed nor serialised.
#[derive(Clone)]
pub struct Grading {
    /// For each question what is right; nothing where every answer is welcome.
    right: Vec<Vec<String>>,
    pass: usize,
}

/// What became of somebody's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// Enough were right, or all were welcome.
    Passed,
    /// Too few were right.
    Failed,
}

impl Grading {
    /// `right` for each question, and how many questions must be right: all, unless `pass` says fewer.
    pub(super) fn new(right: Vec<Vec<String>>, pass: Option<usize>) -> Self {
        let right: Vec<Vec<String>> = right
            .into_iter()
            .map(|answers| answers.into_iter().map(|answer| folded(&answer)).collect())
            .collect();
        let pass = pass.unwrap_or(right.len());
        Grading { right, pass }
    }

    /// Grades `answers`. Every answer is looked at whatever the others were, so that the time tells nothing
    /// about which one was wrong.
    ///
    /// # Errors
    /// [`ErrorCode::AnswerMalformed`] if they do not fit the questions; that is no attempt.
    pub fn grade(&self, questions: &[Question], answers: &[Text<2_000>]) -> Result<Grade, Refusal> {
        if answers.len() != questions.len() {
            let message = format!("{} answers came to {} questions.", answers.len(), questions.len());
            return Err(Refusal::new(ErrorCode::AnswerMalformed, message));
        }
        for (index, (question, answer)) in questions.iter().zip(answers).enumerate() {
            let empty = answer.as_str().trim().is_empty();
            let known = question.choices.iter().any(|choice| choice.id == answer.as_str());
            if empty || (!question.choices.is_empty() && !known) {
                let message =
                    format!("The answer to question {} is none of its choices, or empty.", index + 1);
                return Err(Refusal::new(ErrorCode::AnswerMalformed, message));
            }
        }
        let right = self.right.iter().zip(answers).filter(|(right, answer)| {
            let given = folded(answer.as_str());
            right.is_empty() | right.iter().fold(false, |found, accepted| found | (*accepted == given))
        });
        Ok(if right.count() >= self.pass { Grade::Passed } else { Grade::Failed })
    }
}

/// Two answers in words are the same if they differ only in case, spaces and the sign at the end.
fn folded(answer: &str) -> String {
    let words: Vec<_> = answer.split_whitespace().collect();
    let text = words.join(" ").nfkc().collect::<String>().to_lowercase();
    text.trim_end_matches(['.', '!', '?']).to_owned()
}

impl fmt::Debug for Grading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grading(..)")
    }
}
