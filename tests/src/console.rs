//! What a browser's console says, and what of it is an error.

use thirtyfour::BrowserLogEntry;

/// The entries that mean an error in a page. A request that failed or was refused is not one.
pub fn problems(entries: &[BrowserLogEntry]) -> Vec<String> {
    entries.iter().filter(|entry| is_problem(entry)).map(line).collect()
}

/// An entry in one line.
pub fn line(entry: &BrowserLogEntry) -> String {
    format!("{} {}: {}", entry.level, entry.source.as_deref().unwrap_or("?"), entry.message)
}

fn is_problem(entry: &BrowserLogEntry) -> bool {
    let source = entry.source.as_deref().unwrap_or_default();
    source == "security" || (entry.level == "SEVERE" && source != "network")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(level: &str, source: &str) -> BrowserLogEntry {
        let value = serde_json::json!({ "level": level, "message": "m", "timestamp": 1, "source": source });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn exceptions_and_policy_violations_are_problems_and_failed_requests_are_not() {
        assert!(is_problem(&entry("SEVERE", "javascript")));
        assert!(is_problem(&entry("SEVERE", "console-api")));
        assert!(is_problem(&entry("INFO", "security")));
        assert!(!is_problem(&entry("SEVERE", "network")));
        assert!(!is_problem(&entry("WARNING", "console-api")));
    }
}
