use std::fs;

use proptest::prelude::*;
use tuppence_protocol::{ErrorCode, Secret, Text};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

const QUIZ: &str = r#"
kind = "quiz"
title = "Small coins"
sponsor = "Example Mint"
intro = "Three questions."
reward = 0.02
budget = "USD:5"
start = 2026-01-01
end = 2027-12-31T00:00:00Z
minutes = 2
pass = 2
per_day = 100

[[questions]]
text = "What is a tuppence?"
choices = ["Two pence", "Two pounds"]
right = "Two pence"

[[questions]]
text = "In which year?"
right = ["1997", "in 1997"]

[[questions]]
text = "Which metal?"
choices = ["Gold", "Copper", "Bronze"]
right = ["Copper", "Bronze"]
"#;

fn media() -> MediaAddresses {
    MediaAddresses::new("https://shop.example", media::Root::Campaigns, Secret::from_bytes([4; 32]))
}

fn load(files: &[(&str, &str)]) -> Campaigns {
    let root = tempfile::tempdir().unwrap();
    for (file, text) in files {
        fs::write(root.path().join(file), text).unwrap();
    }
    Campaigns::load(root.path(), Currency::USD, &media())
}

fn quiz() -> Arc<Campaign> {
    let campaigns = load(&[("quiz.toml", QUIZ)]);
    assert_eq!(campaigns.problems(), []);
    campaigns.find(&"quiz".parse().unwrap()).unwrap().clone()
}

fn grade(campaign: &Campaign, answers: &[&str]) -> Result<Grade, ErrorCode> {
    let answers: Vec<Text<2_000>> = answers.iter().map(|answer| answer.parse().unwrap()).collect();
    campaign.grading.grade(&campaign.questions, &answers).map_err(|refusal| refusal.code)
}

#[test]
fn a_quiz_is_read_as_written() {
    let quiz = quiz();
    assert_eq!((quiz.kind, quiz.minutes, quiz.per_day), (Kind::Quiz, 2, Some(100)));
    assert_eq!(
        (quiz.reward.to_string(), quiz.budget.to_string()),
        ("USD:0.02".to_owned(), "USD:5".to_owned())
    );
    assert_eq!(quiz.questions[0].choices[1], Choice { id: "b".to_owned(), text: "Two pounds".to_owned() });
    assert!(quiz.questions[1].choices.is_empty());
    assert!(quiz.is_open(NOW));
    assert!(!quiz.is_open(Timestamp::from_millis(1_000)) && !quiz.is_open(Timestamp::MAX));
}

#[test]
fn a_quiz_is_passed_with_enough_right_answers() {
    let quiz = quiz();
    for (answers, expected) in [
        (["a", "1997", "b"], Grade::Passed),
        (["a", " In  1997. ", "c"], Grade::Passed),
        (["a", "1997", "a"], Grade::Passed),
        (["b", "1998", "b"], Grade::Failed),
        (["b", "19", "a"], Grade::Failed),
    ] {
        assert_eq!(grade(&quiz, &answers), Ok(expected), "{answers:?}");
    }
}

#[test]
fn answers_that_do_not_fit_are_no_attempt() {
    let quiz = quiz();
    for answers in [
        &["a", "1997"][..],
        &["a", "1997", "b", "b"],
        &["d", "1997", "b"],
        &["a", " ", "b"],
        &["A", "x", "b"],
        &[],
    ] {
        assert_eq!(grade(&quiz, answers), Err(ErrorCode::AnswerMalformed), "{answers:?}");
    }
}

#[test]
fn a_survey_welcomes_every_answer() {
    let text = "kind = \"survey\"\ntitle = \"t\"\nsponsor = \"s\"\nintro = \"i\"\nreward = 1\nbudget = 10\n\
        [[questions]]\ntext = \"q\"\nchoices = [\"x\", \"y\"]\n[[questions]]\ntext = \"why\"\n";
    let campaigns = load(&[("s.toml", text)]);
    let survey = campaigns.find(&"s".parse().unwrap()).unwrap();
    assert_eq!(grade(survey, &["b", "because"]), Ok(Grade::Passed));
    assert!(survey.audience.contains("sees your answers"));
}

#[test]
fn right_answers_are_not_printed() {
    assert!(!format!("{:?}", quiz()).contains("1997"));
}

#[test]
fn each_mistake_is_named_with_its_field() {
    for (from, to, field, part) in [
        ("reward = 0.02", "reward = 0", "reward", "more than nothing"),
        ("reward = 0.02", "reward = -1", "reward", "an amount is written"),
        ("reward = 0.02", "reward = \"EUR:1\"", "reward", "not in USD"),
        ("reward = 0.02", "reward = 0.0000001", "reward", "an amount is written"),
        ("budget = \"USD:5\"", "budget = 0.01", "budget", "does not cover"),
        ("end = 2027-12-31T00:00:00Z", "end = 2025-01-01", "end", "not after"),
        ("start = 2026-01-01", "start = 5", "start", "a date such as"),
        ("minutes = 2", "minutes = 0", "minutes", "from 1 to"),
        ("pass = 2", "pass = 4", "pass", "from 1 to 3"),
        ("per_day = 100", "per_day = 0", "per_day", "at least 1"),
        ("pass = 2", "link = \"javascript:alert(1)\"", "link", "https://"),
        ("pass = 2", "image = \"../x.png\"", "image", "campaigns folder"),
        ("title = \"Small coins\"", "title = \" \"", "title", "empty"),
        (
            "right = \"Two pence\"",
            "right = \"Three pence\"",
            "questions[1].right",
            "none of the choices `Two pence`",
        ),
        ("right = \"Two pence\"", "", "questions[1].right", "needs the right answer"),
        ("\"Two pence\", \"Two pounds\"", "\"Two pence\"", "questions[1].choices", "2 to 10"),
        ("\"Two pounds\"", "\"Two pence\"", "questions[1].choices", "twice"),
        ("right = [\"1997\", \"in 1997\"]", "right = []", "questions[2].right", "empty"),
        ("kind = \"quiz\"", "kind = \"survey\"", "questions[1].right", "no right answers"),
    ] {
        assert!(QUIZ.contains(from), "{from}");
        let campaigns = load(&[("quiz.toml", &QUIZ.replacen(from, to, 1))]);
        let problems = campaigns.problems();
        let named = problems.iter().any(|problem| {
            problem.file == "quiz.toml"
                && problem.field.as_deref() == Some(field)
                && problem.message.contains(part)
        });
        assert!(named, "{to}: {problems:?}");
        assert_eq!(campaigns.all().count(), 0, "{to}");
    }
}

#[test]
fn what_does_not_parse_is_named_with_its_line() {
    for (from, to, line) in [
        ("minutes = 2", "minutes = two", 10),
        ("minutes = 2", "minutse = 2", 10),
        ("kind = \"quiz\"", "kind = \"lottery\"", 2),
        ("minutes = 2", "minutes = -2", 10),
    ] {
        let campaigns = load(&[("quiz.toml", &QUIZ.replacen(from, to, 1)), ("good.toml", QUIZ)]);
        assert_eq!(campaigns.problems()[0].line, Some(line), "{}", campaigns.problems()[0]);
        assert_eq!(campaigns.all().count(), 1);
    }
}

#[test]
fn odd_file_names_are_refused() {
    for name in ["Quiz.toml", "a b.toml", "quiz_1.toml", "퀴즈.toml"] {
        let campaigns = load(&[(name, QUIZ)]);
        assert_eq!((campaigns.all().count(), campaigns.problems().len()), (0, 1), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_file_panics(from in 0_usize..400, len in 0_usize..40, to in "\\PC{0,20}") {
        let mut text: Vec<char> = QUIZ.chars().collect();
        let from = from.min(text.len());
        text.splice(from..(from + len).min(text.len()), to.chars());
        let _ = load(&[("quiz.toml", &text.into_iter().collect::<String>())]);
    }
}
