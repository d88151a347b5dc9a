//! `tuppence embed`: the tags for a publisher's page.

use std::process::ExitCode;

use tuppence_server::http::storefront::embed;

use crate::failure::Failure;
use crate::output::line;

/// Prints the scripts' tags and an element.
///
/// # Errors
/// If `shop` is no origin.
pub fn run(
    shop: &str,
    integrity: bool,
    budgets: bool,
    meter: bool,
    streams: bool,
) -> Result<ExitCode, Failure> {
    let shop = shop.trim_end_matches('/');
    let host = shop.strip_prefix("https://").or_else(|| shop.strip_prefix("http://"));
    if !host.is_some_and(|host| !host.is_empty() && host.chars().all(is_of_host)) {
        return Err(Failure::new(format!("{shop} is no origin: write https://shop.example")));
    }
    let wanted = if streams {
        4
    } else if meter {
        3
    } else if budgets {
        2
    } else {
        1
    };
    for script in embed::scripts().iter().take(wanted) {
        let hash = if integrity {
            format!(" integrity=\"{}\" crossorigin", embed::integrity(script.text))
        } else {
            String::new()
        };
        line(format!("<script type=\"module\" src=\"{shop}/{}\"{hash}></script>", script.path));
    }
    line(format!("<tuppence-article src=\"{shop}/articles/NAME\"></tuppence-article>"));
    Ok(ExitCode::SUCCESS)
}

/// Prints how large the scripts are, how large they may be, and their hashes.
///
/// # Errors
/// None in practice.
pub fn sizes() -> Result<ExitCode, Failure> {
    for script in embed::scripts() {
        let bytes = script.gzip_bytes().map_err(Failure::new)?;
        let (path, most, hash) = (script.path, script.gzip_bytes_max, embed::integrity(script.text));
        line(format!("{path:<16} gzip {bytes} of {most} bytes  {hash}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What a host and a port are written with; nothing that could end an attribute.
fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']')
}
