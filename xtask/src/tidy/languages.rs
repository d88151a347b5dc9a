//! Languages that are data have every sentence of the program, in its order, with the same places.

use anyhow::Result;

use super::{Finding, read};
use crate::workspace;

const FIELDS: &str = "web/src/locales/mod.rs";
const ENGLISH: &str = "web/src/locales/en.rs";
const WHY: &str =
    "A language with other sentences than the program's is not shown (web/src/locales/fetched.rs)";
/// The sentences by the codes of messages and errors; their keys are no names.
const TABLES: [&str; 2] = ["message", "cause"];

/// What is missing, too many or in another order.
pub fn findings(file: &str, text: &str) -> Result<Vec<Finding>> {
    let root = workspace::root();
    Ok(compared(file, text, &read(&root.join(FIELDS))?, &read(&root.join(ENGLISH))?))
}

fn compared(file: &str, text: &str, fields: &str, english: &str) -> Vec<Finding> {
    let finding =
        |line: usize, what: String| Finding { file: file.to_owned(), line: line + 1, what, why: WHY };
    let names: Vec<&str> = fields.lines().filter_map(field).collect();
    let mark = format!("\"names\": \"{}\"", mark(&names));
    if !text.contains(&mark) {
        return vec![finding(1, format!("it needs {mark}"))];
    }
    // Texts names the groups; each group is named once more before its own fields.
    let groups = fields.lines().skip_while(|line| !line.contains("    Texts {")).skip(1);
    let groups = groups.take_while(|line| line.trim() != "}").filter_map(field).count();
    let sentences = &names[groups.min(names.len())..];
    let mut found = Vec::new();
    let mut expected = sentences.iter();
    let mut english = english;
    for (number, line) in text.lines().enumerate() {
        let Some(name) = name(line, "    \"", "\": ") else { continue };
        if expected.next() != Some(&name) {
            found.push(finding(number, format!("`{name}` is not what comes next in {FIELDS}")));
            return found;
        }
        let Some((_, from_here)) = english.split_once(&format!("\n        {name}: ")) else {
            found.push(finding(number, format!("English has no `{name}`")));
            return found;
        };
        english = from_here;
        let said = english.split("\n        ").take_while(|line| !is_field(line)).collect::<String>();
        let said = format!("{}{said}", english.lines().next().unwrap_or_default());
        if !TABLES.contains(&name) && places(&said) != places(line) {
            found.push(finding(number, format!("`{name}` has other places than in English")));
        }
    }
    if let Some(missing) = expected.next() {
        found.push(finding(text.lines().count(), format!("`{missing}` is missing")));
    }
    found
}

fn name<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let name = line.strip_prefix(before)?.split_once(after)?.0;
    name.chars().all(|c| c.is_ascii_lowercase() || c == '_').then_some(name)
}

/// The name that a line of the list declares: `name,` or, of a group, `name: Group,`.
fn field(line: &str) -> Option<&str> {
    let declared = line.strip_prefix("        ")?.strip_suffix(',')?;
    let name = declared.split_once(": ").map_or(declared, |(name, _)| name);
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')).then_some(name)
}

fn is_field(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}

fn places(sentence: &str) -> [bool; 2] {
    ["{0}", "{1}"].map(|place| sentence.contains(place))
}

/// CRC-32 of the names, as the program computes it.
fn mark(names: &[&str]) -> String {
    let names: String = names.iter().flat_map(|name| [name, " "]).collect();
    let crc = names.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    format!("{:08x}", !crc)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &str = "texts! {\n    Texts {\n        home: Home,\n    }\n    Home {\n        title,\n        left,\n    }\n}\n";
    const ENGLISH: &str =
        "TEXTS {\n    home: Home {\n        title: \"Home\",\n        left: \"{0} left\",\n    },\n}\n";

    fn said(title: &str, left: &str) -> String {
        let mark = mark(&["home", "title", "left"]);
        format!(
            "{{\n  \"names\": \"{mark}\",\n  \"home\": {{\n    \"{title}\": \"a\",\n    \"{left}\": \"{{0}} b\"\n  }}\n}}\n"
        )
    }

    #[test]
    fn a_language_with_all_sentences_is_in_order() {
        assert_eq!(compared("ko.json", &said("title", "left"), FIELDS, ENGLISH), []);
    }

    #[test]
    fn another_order_a_missing_sentence_a_missing_place_and_another_mark_are_found() {
        let whole = said("title", "left");
        let shorter = whole.replace(",\n    \"left\": \"{0} b\"", "");
        let wrong =
            [said("left", "title"), shorter, whole.replace("{0} b", "b"), whole.replace("names", "name")];
        for text in wrong {
            assert_eq!(compared("ko.json", &text, FIELDS, ENGLISH).len(), 1, "{text}");
        }
    }
}
