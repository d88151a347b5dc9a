//! Earning: the questions asked at a terminal, or answered by arguments.

use std::io::{self, BufRead};

use tuppence_wallet::Wallet;
use tuppence_wallet::view::Question;

use super::progress;
use super::words::{failure, money_failure};
use crate::failure::Failure;
use crate::output;

/// Answers a campaign, and takes the reward.
pub async fn earn(
    wallet: &Wallet,
    shop: &str,
    item: &str,
    given: Vec<String>,
    as_json: bool,
) -> Result<(), Failure> {
    let campaign = wallet.campaign(shop, item).await.map_err(failure)?;
    let questions = &campaign.questions;
    let given = if given.is_empty() {
        progress(&format!("{} ({})", campaign.card.title, campaign.card.reward));
        progress(&campaign.intro);
        ask(questions)?
    } else {
        given
    };
    if given.len() != questions.len() {
        let sentence = format!("{} questions are asked, and {} were answered", questions.len(), given.len());
        return Err(Failure::new(sentence).hint("Give --answer for each question, in their order."));
    }
    let answers: Vec<String> =
        questions.iter().zip(&given).map(|(question, answer)| chosen(question, answer)).collect();
    let earned = wallet.earn(shop, item, &answers).await.map_err(money_failure)?;
    if as_json {
        return output::json(&earned);
    }
    let balance = wallet.balance().await.map_err(failure)?.amount;
    output::line(format!("Earned {}. The balance is {balance}.", earned.entry.change.amount));
    Ok(())
}

/// Asks each question on standard error, and reads a line for each from standard input.
fn ask(questions: &[Question]) -> Result<Vec<String>, Failure> {
    let mut answers = Vec::new();
    let mut lines = io::stdin().lock().lines();
    for question in questions {
        progress(&format!("\n{}", question.text));
        for (number, choice) in (1..).zip(&question.choices) {
            progress(&format!("  {number}  {}", choice.text));
        }
        let line = lines.next().transpose().map_err(Failure::new)?;
        let line = line.ok_or_else(|| {
            Failure::new("The answers ended before the questions")
                .hint("Nothing was sent. Answer each question in a line, or with --answer.")
        })?;
        answers.push(line.trim().to_owned());
    }
    Ok(answers)
}

/// A choice's id by its id, its text or its number in the list; anything else as it is.
fn chosen(question: &Question, answer: &str) -> String {
    let choices = &question.choices;
    let named = choices.iter().find(|choice| choice.id == answer);
    let named = named.or_else(|| choices.iter().find(|choice| choice.text == answer));
    let number = || answer.parse::<usize>().ok()?.checked_sub(1);
    let choice = named.or_else(|| choices.get(number()?));
    choice.map_or_else(|| answer.to_owned(), |choice| choice.id.clone())
}

#[cfg(test)]
mod tests {
    use tuppence_wallet::view::{Choice, QuestionKind};

    use super::*;

    #[test]
    fn a_choice_may_be_given_by_number_id_or_text() {
        let choices = [("a", "Two"), ("b", "Copper"), ("1", "One")];
        let choices = choices.map(|(id, text)| Choice { id: id.to_owned(), text: text.to_owned() });
        let question =
            Question { text: "Which?".to_owned(), kind: QuestionKind::Choice, choices: choices.to_vec() };
        for (answer, sent) in
            [("2", "b"), ("Copper", "b"), ("b", "b"), ("1", "1"), ("9", "9"), ("0", "0"), ("x", "x")]
        {
            assert_eq!(chosen(&question, answer), sent, "{answer}");
        }
    }
}
