//! What a browser's console says, and what of it is an error.

use thirtyfour::BrowserLogEntry;

/// What WebKit tells as an error, and is none of the page: requests that failed or were given up by going elsewhere, told
/// before the script that made them has dealt with it; a frame that our own policy refuses, elsewhere; and
/// `manifest-src`, which Safari knows and WebKitGTK doesn't.
const HARMLESS: [&str; 4] = [
    "Fetch API cannot load",
    "Failed to load resource",
    "the frame-ancestors directive",
    "Unrecognized Content-Security-Policy directive 'manifest-src'",
];

/// Something that the console of a page has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// In one line.
    pub line: String,
    /// Whether it means an error in the page: an exception, `console.error`, a violation of the content security
    /// policy. A request that failed or was refused is none.
    pub problem: bool,
}

impl Entry {
    /// An entry of Chromium's log.
    pub(super) fn of_chromium(entry: &BrowserLogEntry) -> Self {
        let source = entry.source.as_deref().unwrap_or("?");
        // The page of a new tab is the browser's own, and its errors are too.
        let own = entry.message.starts_with("chrome://");
        let problem = source == "security" || (entry.level == "SEVERE" && source != "network" && !own);
        Self { line: format!("{} {source}: {}", entry.level, entry.message), problem }
    }

    /// An entry of Firefox's console, by its category and words.
    pub(super) fn of_firefox(category: &str, line: String) -> Self {
        let problem =
            ["content javascript", "console.error"].contains(&category) || category.starts_with("CSP");
        Self { line: format!("{category}: {line}"), problem }
    }

    /// What WebKit writes for one message of a console: `<address>:<line>:<column>: CONSOLE <source> <level> <text>`,
    /// where the console API is a source without a name. Anything else that it writes is none.
    pub(super) fn of_webkit(line: &str) -> Option<Self> {
        let words = line.split_once("CONSOLE ")?.1;
        let error = words.split(' ').take_while(|word| is_label(word)).any(|word| word == "ERROR");
        let harmless = words.starts_with("NETWORK ") || HARMLESS.iter().any(|part| words.contains(part));
        Some(Self { line: line.to_owned(), problem: error && !harmless })
    }
}

fn is_label(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_chromium(level: &str, source: &str) -> bool {
        let value = serde_json::json!({ "level": level, "message": "m", "timestamp": 1, "source": source });
        Entry::of_chromium(&serde_json::from_value(value).unwrap()).problem
    }

    #[test]
    fn exceptions_and_policy_violations_are_problems_and_failed_requests_are_not() {
        assert!(in_chromium("SEVERE", "javascript"));
        assert!(in_chromium("SEVERE", "console-api"));
        assert!(in_chromium("INFO", "security"));
        assert!(!in_chromium("SEVERE", "network"));
        assert!(!in_chromium("WARNING", "console-api"));
    }

    #[test]
    fn so_they_are_in_firefox() {
        for category in ["content javascript", "console.error", "CSP_CSPGenericViolation"] {
            assert!(Entry::of_firefox(category, "words".into()).problem, "{category}");
        }
        assert!(!Entry::of_firefox("HTML_PARSER__DOCTYPE", "quirks".into()).problem);
    }

    #[test]
    fn so_they_are_in_webkit() {
        let problem = |line| Entry::of_webkit(line).map(|entry| entry.problem);
        assert_eq!(problem("http://localhost/a:1:144: CONSOLE ERROR bad thing"), Some(true));
        assert_eq!(problem("http://localhost/a:1:217: CONSOLE JS ERROR Error: boom"), Some(true));
        assert_eq!(problem("CONSOLE SECURITY ERROR Refused to load"), Some(true));
        assert_eq!(problem("http://localhost/a:1:169: CONSOLE LOG an ERROR in words"), Some(false));
        assert_eq!(problem("CONSOLE NETWORK ERROR Failed to load resource"), Some(false));
        assert_eq!(problem("CONSOLE JS ERROR Fetch API cannot load http://localhost/"), Some(false));
        assert_eq!(
            problem("CONSOLE SECURITY ERROR Unrecognized Content-Security-Policy directive 'manifest-src'."),
            Some(false)
        );
        assert_eq!(problem("(window.py:1): Gtk-WARNING **: something"), None);
    }
}
