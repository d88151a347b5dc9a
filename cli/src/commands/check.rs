//! `tuppence check`: what is wrong with a shop's files, without starting it.

use std::process::ExitCode;

use serde_json::json;
use tuppence_server::storefront::catalogue::fields::Prices;
use tuppence_server::storefront::problem::Severity;
use tuppence_server::storefront::{self, Articles};

use crate::arguments::Check;
use crate::data::DataFolder;
use crate::failure::Failure;
use crate::output;
use crate::settings::Place;

/// Checks the folders; the exit code is 1 if something is not shown.
pub fn run(arguments: Check, place: &Place) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.complete(place)?;
    let data = DataFolder::new(&place.data);
    let content = settings.content.clone().unwrap_or_else(|| data.content());
    let site = settings.site(&data)?;
    let campaigns = settings.campaigns.clone().unwrap_or_else(|| data.campaigns());
    let prices = Prices { currency: settings.currency(), default: settings.default_price()? };
    let articles = site.as_ref().map_or(Articles::Folder(&content), |(_, rules)| Articles::Rules(rules));
    let problems = storefront::check(articles, &campaigns, prices);
    let hidden = problems.iter().filter(|problem| problem.severity == Severity::Hidden).count();
    if arguments.format.json {
        let listed: Vec<_> = problems
            .iter()
            .map(|problem| {
                json!({
                    "file": problem.file, "line": problem.line, "field": problem.field, "message": problem.message,
                    "hidden": problem.severity == Severity::Hidden,
                })
            })
            .collect();
        output::json(&json!({"problems": listed}))?;
    } else {
        for problem in &problems {
            output::line(problem.to_string());
        }
        output::line(match (problems.len(), hidden) {
            (0, _) => "Everything is in order.".to_owned(),
            (_, 0) => "Everything is shown.".to_owned(),
            (_, 1) => "One file is not shown until it is mended.".to_owned(),
            (_, hidden) => format!("{hidden} problems hide what is in their files."),
        });
    }
    Ok(if hidden == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
