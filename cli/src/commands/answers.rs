//! `tuppence answers`: what a survey's readers answered.

use std::process::ExitCode;

use tuppence_protocol::scrip::Item;
use tuppence_server::storefront::store::ShopStore;

use crate::arguments::Answers;
use crate::data::DataFolder;
use crate::failure::Failure;
use crate::output;
use crate::settings::Place;

/// Prints the answers in order of time. Who answered is a pseudonym that means nothing outside this shop.
pub fn run(arguments: &Answers, place: &Place) -> Result<ExitCode, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(error).hint("Name the storefront's data folder with --data.")
    };
    let item: Item = arguments.item.parse().map_err(|error| Failure::new(format!("the item: {error}")))?;
    let path = DataFolder::new(&place.data).shop_database();
    let store = ShopStore::open_read_only(&path).map_err(|error| unreadable(&error))?;
    let answers = store.answers(&item).map_err(|error| unreadable(&error))?;
    if arguments.format.json {
        output::json(&answers)?;
        return Ok(ExitCode::SUCCESS);
    }
    if answers.is_empty() {
        output::line(format!("Nobody has answered {item} yet. Answers to surveys alone are kept."));
        return Ok(ExitCode::SUCCESS);
    }
    let heading = ["EARNER", "QUESTION", "ANSWER"].map(str::to_owned).to_vec();
    let rows = answers.iter().map(|answer| {
        let earner: String = format!("{:?}", answer.earner).chars().take(8).collect();
        // One line for each answer, whatever a reader wrote.
        let words = answer.answer.replace('\n', " ");
        vec![earner, answer.question.saturating_add(1).to_string(), words]
    });
    output::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    Ok(ExitCode::SUCCESS)
}
