//! Tests that documents name: each is there, under that name, and is a test.

use std::fs;
use std::path::Path;

use super::Finding;

/// Where promises and threats are written down with the tests that hold them.
const DOCUMENTS: [&str; 2] = ["docs/reliability.md", "SECURITY.md"];

const WHY: &str =
    "A promise without its test is a wish: name the test that fails when the defence is taken out";

/// Tests that a document names and that are not there, and threats that no test holds.
pub fn findings(root: &Path, file: &str, text: &str) -> Vec<Finding> {
    if !DOCUMENTS.contains(&file) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut found =
            |what: String| findings.push(Finding { file: file.to_owned(), line: index + 1, what, why: WHY });
        let tests: Vec<_> = named_tests(line).collect();
        for (path, name) in &tests {
            match fs::read_to_string(root.join(path)) {
                Ok(source) if is_test(&source, name) => {}
                Ok(_) => found(format!("{path} has no test `{name}`")),
                Err(_) => found(format!("the test {path}::{name} is in a file that is not there")),
            }
        }
        if let Some(threat) = threat(line)
            && tests.is_empty()
        {
            found(format!("{threat} names no test"));
        }
    }
    findings
}

/// `path.rs::name` within backticks.
fn named_tests(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.split('`').skip(1).step_by(2).filter_map(|code| {
        let (path, name) = code.split_once("::")?;
        let names_a_file = path.ends_with(".rs") && path.contains('/');
        names_a_file.then_some((path, name))
    })
}

/// The threat whose row of the table this is.
fn threat(line: &str) -> Option<&str> {
    let first = line.strip_prefix('|')?.split('|').next()?.trim();
    let number = first.strip_prefix('T')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(first)
}

/// Whether `source` has a function of this name right below a test's attribute.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let declares = |line: &str| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('))
    };
    lines.iter().enumerate().any(|(index, line)| {
        let above =
            lines[..index].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        declares(line) && above.into_iter().any(|line| line.ends_with("test]"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "#[test]\nfn it_holds() {}\n\n#[actix_web::test]\n// Why.\nasync fn it_holds_too() {}\n\nfn helper() {}\n";

    #[test]
    fn only_a_function_below_a_tests_attribute_is_a_test() {
        assert!(is_test(SOURCE, "it_holds") && is_test(SOURCE, "it_holds_too"));
        assert!(!is_test(SOURCE, "helper") && !is_test(SOURCE, "it") && !is_test(SOURCE, "gone"));
    }

    #[test]
    fn a_named_test_that_is_gone_and_a_threat_without_one_are_found() {
        let here = "xtask/src/tidy/promises.rs";
        let text = format!(
            "| T1 | once | `{here}::only_a_function_below_a_tests_attribute_is_a_test`, `{here}::gone` |\n\
             | T2 | twice | |\n| T3 | thrice | `xtask/src/gone.rs::it_holds` |\n| no | `a::b` |"
        );
        let found = findings(crate::workspace::root(), DOCUMENTS[0], &text);
        let lines: Vec<_> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [1, 2, 3], "{found:?}");
        assert!(findings(crate::workspace::root(), "docs/other.md", &text).is_empty());
    }
}
