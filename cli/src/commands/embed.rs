//! `tuppence embed`: the tags for a publisher's page.

use std::process::ExitCode;

use tuppence_server::http::storefront::embed;

use crate::failure::Failure;
use crate::output::line;

/// Prints the scripts' tags and an element.
///
/// # Errors
/// If `shop` is no origin.
pub fn run(shop: &str, integrity: bool, budgets: bool, meter: bool) -> Result<ExitCode, Failure> {
    let shop = shop.trim_end_matches('/');
    let host = shop.strip_prefix("https://").or_else(|| shop.strip_prefix("http://"));
    if !host.is_some_and(|host| !host.is_empty() && host.chars().all(is_of_host)) {
        return Err(Failure::new(format!("{shop} is no origin: write https://shop.example")));
    }
    let mut scripts = vec![("embed.js", embed::SCRIPT.as_str())];
    if budgets || meter {
        scripts.push(("embed/budget.js", embed::BUDGET_SCRIPT.as_str()));
    }
    if meter {
        scripts.push(("embed/meter.js", embed::METER_SCRIPT.as_str()));
    }
    for (path, script) in scripts {
        let hash = if integrity {
            format!(" integrity=\"{}\" crossorigin", embed::integrity(script))
        } else {
            String::new()
        };
        line(format!("<script type=\"module\" src=\"{shop}/{path}\"{hash}></script>"));
    }
    line(format!("<tuppence-article src=\"{shop}/articles/NAME\"></tuppence-article>"));
    Ok(ExitCode::SUCCESS)
}

/// What a host and a port are written with; nothing that could end an attribute.
fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']')
}
