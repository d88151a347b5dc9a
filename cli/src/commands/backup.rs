//! `tuppence backup` and `tuppence restore`: copies of the books.

use std::process::ExitCode;

use serde_json::json;
use tuppence_server::clock::{Clock, SystemClock};
use tuppence_server::store::sqlite::backup::{self, Restored};

use crate::arguments::{Backup, Restore};
use crate::data::DataFolder;
use crate::failure::Failure;
use crate::output;
use crate::settings::Place;

/// Copies the center's books into a new file, also while it runs; the exit code says whether the copy balances.
pub fn backup(arguments: &Backup, place: &Place) -> Result<ExitCode, Failure> {
    let from = DataFolder::new(&place.data).center_database();
    let made = backup::backup(&from, &arguments.file).map_err(|error| {
        Failure::new(error).hint("Name a new file, and the center's data folder with --data.")
    })?;
    let balanced = made.report.findings.is_empty();
    if arguments.format.json {
        let file = arguments.file.display().to_string();
        output::json(&json!({"file": file, "head": made.head.to_string(), "balanced": balanced}))?;
    } else {
        made.report.findings.iter().for_each(|finding| output::line(finding.to_string()));
        output::line(format!("{} holds the books up to {}", arguments.file.display(), made.head));
        output::line(if balanced {
            "They balance. The keys are not in it: keep a copy of center-keys.json elsewhere."
        } else {
            "They do not balance, and could not be restored: look at `tuppence audit`."
        });
    }
    Ok(if balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Puts a backup back where there are no books; the exit code says whether it was.
pub fn restore(arguments: &Restore, place: &Place) -> Result<ExitCode, Failure> {
    let data = DataFolder::new(&place.data);
    data.create()?;
    let _lock = data.lock("center")?;
    let restored = backup::restore(&arguments.file, &data.center_database(), SystemClock.now());
    let restored = restored.map_err(|error| {
        Failure::new(error).hint("Keep what is there under another name: it may hold what the backup lacks.")
    })?;
    let epoch = match restored {
        Restored::Done(epoch) => epoch,
        Restored::Refused(report) => {
            report.findings.iter().for_each(|finding| output::line(finding.to_string()));
            output::line("The backup does not balance. Nothing was restored.");
            return Ok(ExitCode::FAILURE);
        }
    };
    if arguments.format.json {
        let lost = epoch.lost.map(|lost| lost.to_string());
        output::json(&json!({"epoch": epoch.number, "began": epoch.began, "lost": lost}))?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format!("The books are restored, in epoch {}.", epoch.number));
    if let Some(lost) = epoch.lost {
        output::line(format!("What they had come to before: {lost}. What came after the backup is lost."));
    }
    output::line(
        "Wallets that hold newer e-cash will say so, and `tuppence audit` lists what they show: settle it with \
         them, and with your shops by their receipts.",
    );
    if !data.keys().exists() {
        output::line("The keys are not here: put center-keys.json back before the center starts.");
    }
    Ok(ExitCode::SUCCESS)
}
