//! Documents: links that lead somewhere, vectors that parse, nothing left over from a desk.

use std::path::Path;

use pulldown_cmark::{Event, Parser, Tag};

use super::Finding;

/// Words that promise work instead of doing it. Written apart, so that this file is not its own finding.
const MARKS: [&str; 3] = [concat!("FIX", "ME"), concat!("XX", "X"), concat!("TO", "DO")];

/// Folders of somebody's machine.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

/// Left-over marks and paths of one machine, in a text of any kind.
pub fn marks_and_machine_paths(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words = || line.split(|character: char| !character.is_alphanumeric() && character != '_');
        let mut found =
            |what, why| findings.push(Finding { file: file.to_owned(), line: index + 1, what, why });
        if let Some(mark) = MARKS.into_iter().find(|mark| words().any(|word| word == *mark)) {
            found(format!("`{mark}`"), "What is missing is an issue of the project, not a remark in a file");
        }
        if let Some(path) = MACHINE_PATHS.into_iter().find(|path| holds_absolute(line, path)) {
            found(format!("a path below `{path}`"), "A path of one machine means nothing on the reader's");
        }
    }
    findings
}

/// Whether the line has `path` at the start of an absolute path, not within a longer one or an address.
fn holds_absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        !line[..start].ends_with(|before: char| {
            before.is_alphanumeric() || matches!(before, '.' | '-' | '_' | '~' | '}' | ')')
        })
    })
}

/// Relative links of a Markdown file that lead to nothing. Articles are left out: theirs are links of a site.
pub fn broken_links(path: &Path, file: &str, text: &str) -> Vec<Finding> {
    if file.starts_with("examples/") && !file.ends_with("README.md") || file.contains("/fixtures/") {
        return Vec::new();
    }
    let folder = path.parent().unwrap_or(path);
    Parser::new(text)
        .into_offset_iter()
        .filter_map(|(event, range)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some((dest_url, range)),
            _ => None,
        })
        .filter(|(target, _)| !leads_to_something(folder, target))
        .map(|(target, range)| Finding {
            file: file.to_owned(),
            line: text[..range.start].matches('\n').count() + 1,
            what: format!("the link to {target} leads nowhere"),
            why: "A document that can't be followed is not read a second time",
        })
        .collect()
}

fn leads_to_something(folder: &Path, target: &str) -> bool {
    let target = target.split(['#', '?']).next().unwrap_or_default();
    let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
    elsewhere || folder.join(target).exists()
}

/// A test vector that is no JSON.
pub fn broken_json(file: &str, text: &str) -> Option<Finding> {
    let error = serde_json::from_str::<serde_json::Value>(text).err()?;
    Some(Finding {
        file: file.to_owned(),
        line: error.line(),
        what: format!("is not JSON: {error}"),
        why: "The vectors are the contract with other implementations",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_as_a_word_only() {
        let text = format!("fine\n// {}: later\nlet {}_LIST = 1;", MARKS[0], MARKS[2]);
        let found = marks_and_machine_paths("a.rs", &text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
    }

    #[test]
    fn a_path_of_a_machine_is_found_and_an_address_is_not() {
        let home = MACHINE_PATHS[0];
        assert_eq!(marks_and_machine_paths("a.md", &format!("see `{home}ann/notes`")).len(), 1);
        assert!(marks_and_machine_paths("a.md", &format!("https://example.org{home}index")).is_empty());
    }

    #[test]
    fn only_a_broken_relative_link_is_found() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let text = "[a](Cargo.toml) [b](src/main.rs#top) [c](https://example.org/x) [d](#below)\n\n\
                    `[not](a-link.md)` and [gone](missing.md)";
        let found = broken_links(&here, "xtask/README.md", text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 3);
        assert!(found[0].what.contains("missing.md"));
    }

    #[test]
    fn a_broken_vector_is_found_with_its_line() {
        assert_eq!(broken_json("v.json", "{\n\"a\": }").unwrap().line, 2);
        assert!(broken_json("v.json", "{\"a\": 1}").is_none());
    }
}
