//! `tuppence audit`: do the books balance?

use std::process::ExitCode;

use serde_json::json;
use tuppence_server::ledger::audit::audit;
use tuppence_server::store::sqlite::SqliteStore;

use crate::arguments::Audit;
use crate::data::DataFolder;
use crate::failure::Failure;
use crate::output;
use crate::settings::Place;

/// Audits a database; the exit code says whether everything fits.
pub fn run(arguments: &Audit, place: &Place) -> Result<ExitCode, Failure> {
    let path = arguments.database.clone().unwrap_or_else(|| DataFolder::new(&place.data).center_database());
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(error).hint("Name the center's data folder with --data, or a database with --database.")
    };
    let mut store = SqliteStore::open_read_only(&path).map_err(|error| unreadable(&error))?;
    let report = audit(&mut store).map_err(|error| unreadable(&error))?;
    let balanced = report.findings.is_empty();
    if arguments.format.json {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|finding| json!({"place": finding.place, "what": finding.what}))
            .collect();
        output::json(&json!({"balanced": balanced, "rows": report.rows, "findings": findings}))?;
    } else {
        for finding in &report.findings {
            output::line(finding.to_string());
        }
        let (rows, count) = (report.rows, report.findings.len());
        output::line(match count {
            0 => format!("The books balance. {rows} rows were checked."),
            1 => format!("The books do not balance: one of {rows} rows does not fit."),
            _ => format!("The books do not balance: {count} of {rows} rows do not fit."),
        });
    }
    Ok(if balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
