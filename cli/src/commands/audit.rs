//! `tuppence audit`: do the books balance, and do they continue what was published?

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use chrono::DateTime;
use serde_json::json;
use tuppence_protocol::Timestamp;
use tuppence_server::ledger::audit::{Report, audit, audit_rows};
use tuppence_server::ledger::journal::Head;
use tuppence_server::store::records::{Claim, Epoch, EpochReason};
use tuppence_server::store::sqlite::SqliteStore;

use crate::arguments::Audit;
use crate::data::{DataFolder, write_private};
use crate::failure::Failure;
use crate::output;
use crate::settings::Place;

/// Audits a database; the exit code says whether everything fits.
pub fn run(arguments: &Audit, place: &Place) -> Result<ExitCode, Failure> {
    let path = arguments.database.clone().unwrap_or_else(|| DataFolder::new(&place.data).center_database());
    let mut store = SqliteStore::open_read_only(&path).map_err(|error| unreadable(&error))?;
    // Before the rows are read, so that a center that works meanwhile does not move it beyond what was verified.
    let head = store.head().map_err(|error| unreadable(&error))?;
    if arguments.head {
        if arguments.format.json {
            output::json(&json!({"head": head.to_string()}))?;
        } else {
            output::line(head.to_string());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let checkpoint = arguments.checkpoint.as_deref().map(read_checkpoint).transpose()?.flatten();
    let since = arguments.since.or(checkpoint);
    for published in arguments.against.iter().chain(&since) {
        if !store.continues(published).map_err(|error| unreadable(&error))? {
            return tell_broken(arguments, published, &head);
        }
    }
    let report = match since {
        Some(since) => audit_rows(|visit| store.rows_since(since, visit)),
        None => audit(&mut store),
    };
    let report = report.map_err(|error| unreadable(&error))?;
    let balanced = report.findings.is_empty();
    if let (Some(path), true) = (&arguments.checkpoint, balanced) {
        write_private(path, format!("{head}\n").as_bytes())?;
    }
    if arguments.format.json {
        tell_json(&report, since, &head)?;
    } else {
        tell(&report, since, &head);
    }
    Ok(if balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn unreadable(error: &dyn Display) -> Failure {
    Failure::new(error).hint("Name the center's data folder with --data, or a database with --database.")
}

/// The head that the last audit has left; absent before the first one.
fn read_checkpoint(path: &Path) -> Result<Option<Head>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let failed = |error: &dyn Display| {
        Failure::new(format!("The checkpoint {} cannot be read: {error}", path.display()))
            .hint("Remove the file for a full audit.")
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    text.parse().map(Some).map_err(|error: &str| failed(&error))
}

/// The books are not those that had this head.
fn tell_broken(arguments: &Audit, published: &Head, head: &Head) -> Result<ExitCode, Failure> {
    if arguments.format.json {
        let findings = [json!({"place": "journal", "what": format!("it does not continue {published}")})];
        let report = json!({"balanced": false, "rows": 0, "findings": findings, "head": head.to_string()});
        output::json(&report)?;
    } else {
        output::line(format!("journal: it does not continue {published}"));
        output::line(
            "These books are an older copy than that head, or were rewritten since. Audit them without it, and \
             compare with your backups.",
        );
    }
    Ok(ExitCode::FAILURE)
}

fn tell_json(report: &Report, since: Option<Head>, head: &Head) -> Result<(), Failure> {
    let findings: Vec<_> =
        report.findings.iter().map(|finding| json!({"place": finding.place, "what": finding.what})).collect();
    let epochs = report.epochs.iter().map(|epoch| {
        let lost = epoch.lost.map(|lost| lost.to_string());
        json!({"number": epoch.number, "began": epoch.began, "reason": epoch.reason.as_str(), "lost": lost})
    });
    let claims = report.claims.iter().map(|claim| {
        let (serial, value) = (claim.shown.serial, claim.shown.value);
        let known = claim.known.map(|(serial, value)| json!({"serial": serial, "value": value}));
        let shown = json!({"serial": serial, "value": value});
        json!({"purse": claim.custom_id.serial_number, "shown": shown, "known": known, "at": claim.at})
    });
    output::json(&json!({
        "balanced": report.findings.is_empty(),
        "rows": report.rows,
        "findings": findings,
        "head": head.to_string(),
        "since": since.map(|since| since.to_string()),
        "epochs": epochs.collect::<Vec<_>>(),
        "claims": claims.collect::<Vec<_>>(),
    }))
}

fn tell(report: &Report, since: Option<Head>, head: &Head) {
    for finding in &report.findings {
        output::line(finding.to_string());
    }
    report.epochs.iter().for_each(|epoch| output::line(epoch_line(epoch)));
    report.claims.iter().for_each(|claim| output::line(claim_line(claim)));
    let (rows, count) = (report.rows, report.findings.len());
    output::line(match count {
        0 => format!("The books balance. {rows} rows were checked."),
        1 => format!("The books do not balance: one of {rows} rows does not fit."),
        _ => format!("The books do not balance: {count} of {rows} rows do not fit."),
    });
    if let Some(since) = since {
        output::line(format!(
            "Checked was what came after {since}. What was tampered with before it is found by a full audit, \
             without --since and --checkpoint."
        ));
    }
    output::line(format!("Head: {head}"));
}

fn epoch_line(epoch: &Epoch) -> String {
    let why = match epoch.reason {
        EpochReason::New => "the books were new",
        EpochReason::Restored => "a backup was restored",
        EpochReason::WentBack => "an older copy of the books was put back",
        EpochReason::Shown => "a wallet showed e-cash that the books have lost: an older copy was put back",
    };
    let lost = epoch.lost.map(|lost| format!("; the lost ones had come to {lost}")).unwrap_or_default();
    format!("note: epoch {} began on {} because {why}{lost}", epoch.number, date(epoch.began))
}

fn date(at: Timestamp) -> String {
    let at = i64::try_from(at.as_millis()).ok().and_then(DateTime::from_timestamp_millis);
    at.map_or_else(|| "?".to_owned(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

fn claim_line(claim: &Claim) -> String {
    let known = match claim.known {
        Some((serial, value)) => format!("the books had scrip {} worth {value}", serial.get()),
        None => "the books do not know this buyer".to_owned(),
    };
    let (number, shown) = (claim.custom_id.serial_number.get(), &claim.shown);
    format!(
        "claim: purse {number} showed scrip {} worth {}, and {known}: to be settled with its owner",
        shown.serial.get(),
        shown.value
    )
}
