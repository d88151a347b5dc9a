//! Front matter: the fields before an article, in YAML (`---`) or TOML (`+++`), as Hugo, Zola and Jekyll write it.

use std::collections::BTreeMap;

use crate::storefront::problem::Problem;

/// How deep lists and tables may lie in each other.
const DEPTH_MAX: usize = 16;

/// A field's value, with numbers and dates as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing was written after the field's name.
    Nothing,
    /// `true` or `false`.
    Flag(bool),
    /// Text, a number or a date.
    Word(String),
    /// Several values.
    List(Vec<Value>),
    /// Named values.
    Table(BTreeMap<String, Value>),
}

/// The fields of one file.
#[derive(Debug)]
pub struct FrontMatter<'a> {
    fields: BTreeMap<String, Value>,
    source: &'a str,
}

/// The fields, and the text after them.
///
/// # Errors
/// A problem with its line, if there is no front matter, no end of it, or it does not parse.
pub fn read<'a>(file: &str, text: &'a str) -> Result<(FrontMatter<'a>, &'a str), Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default().trim_end();
    if first != "---" && first != "+++" {
        let message =
            "the file does not begin with front matter: a line `---` or `+++`, fields, and the line again";
        return Err(Problem::hides(file, message).at(Some(1)));
    }
    let (source, body) = split(text, first).ok_or_else(|| {
        Problem::hides(file, format!("the front matter is not closed by `{first}`")).at(Some(1))
    })?;
    let fields = if first == "---" { yaml(source) } else { toml(source) };
    let fields = fields.map_err(|(line, message)| {
        // The first line is the opening delimiter.
        Problem::hides(file, message).at(line.map(|line| line + 1))
    })?;
    Ok((FrontMatter { fields, source }, body))
}

impl FrontMatter<'_> {
    /// The field `name`; one without a value is as good as absent.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| **value != Value::Nothing)
    }

    /// The line of the file in which the field is written.
    pub fn line(&self, name: &str) -> Option<usize> {
        let names = |line: &str| {
            let line = line.trim_start_matches(['"', '\'']);
            let rest = line.strip_prefix(name)?.trim_start_matches(['"', '\'']).trim_start();
            rest.starts_with([':', '=']).then_some(())
        };
        self.source.lines().position(|line| names(line).is_some()).map(|index| index + 2)
    }
}

/// The text between the delimiters, and what follows the second one.
fn split<'a>(text: &'a str, delimiter: &str) -> Option<(&'a str, &'a str)> {
    let start = text.find('\n')? + 1;
    let mut offset = start;
    for line in text[start..].split_inclusive('\n') {
        if line.trim_end() == delimiter {
            return Some((&text[start..offset], &text[offset + line.len()..]));
        }
        offset += line.len();
    }
    None
}

type Fields = Result<BTreeMap<String, Value>, (Option<usize>, String)>;

fn yaml(source: &str) -> Fields {
    if source.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: DEPTH_MAX, max_nodes: 10_000 },
        with_snippet: false,
    };
    let parsed: serde_json::Value =
        serde_saphyr::from_str_with_options(source, options).map_err(|error| {
            let line = error.location().and_then(|location| usize::try_from(location.line()).ok());
            (line, format!("the front matter is not valid YAML: {error}"))
        })?;
    match from_json(parsed) {
        Value::Table(fields) => Ok(fields),
        Value::Nothing => Ok(BTreeMap::new()),
        _ => Err((Some(1), "the front matter is not a list of fields such as `title: Bread`".to_owned())),
    }
}

fn from_json(value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Nothing,
        serde_json::Value::Bool(flag) => Value::Flag(flag),
        serde_json::Value::Number(number) => Value::Word(number.to_string()),
        serde_json::Value::String(text) => Value::Word(text),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(fields) => {
            Value::Table(fields.into_iter().map(|(name, value)| (name, from_json(value))).collect())
        }
    }
}

fn toml(source: &str) -> Fields {
    let table: toml::Table = source.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| line_of(source, span.start));
        (line, format!("the front matter is not valid TOML: {}", error.message()))
    })?;
    Ok(table.into_iter().map(|(name, value)| (name, from_toml(value))).collect())
}

/// A value of a TOML file.
pub fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::Boolean(flag) => Value::Flag(flag),
        toml::Value::String(text) => Value::Word(text),
        toml::Value::Integer(number) => Value::Word(number.to_string()),
        // The shortest text that reads as this number: `0.03` is 0.03 again, and no arithmetic is done on it.
        toml::Value::Float(number) => Value::Word(number.to_string()),
        toml::Value::Datetime(date) => Value::Word(date.to_string()),
        toml::Value::Array(items) => Value::List(items.into_iter().map(from_toml).collect()),
        toml::Value::Table(fields) => {
            Value::Table(fields.into_iter().map(|(name, value)| (name, from_toml(value))).collect())
        }
    }
}

/// The line, from 1, of the byte at `offset`.
pub fn line_of(source: &str, offset: usize) -> usize {
    1 + source.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word(text: &str) -> Option<Value> {
        Some(Value::Word(text.to_owned()))
    }

    #[test]
    fn both_forms_say_the_same() {
        let yaml = "---\ntitle: Bread\nprice: 0.03\ndate: 2026-01-05\ndraft: false\ntags: [a, b]\n---\nText";
        let toml = "+++\ntitle = \"Bread\"\nprice = 0.03\ndate = 2026-01-05\ndraft = false\ntags = [\"a\", \"b\"]\n+++\nText";
        for text in [yaml, toml, &yaml.replace('\n', "\r\n")] {
            let (fields, body) = read("a.md", text).unwrap();
            assert_eq!(body, "Text");
            assert_eq!(fields.field("title").cloned(), word("Bread"));
            assert_eq!(fields.field("price").cloned(), word("0.03"));
            assert_eq!(fields.field("date").cloned(), word("2026-01-05"));
            assert_eq!(fields.field("draft"), Some(&Value::Flag(false)));
            assert_eq!(
                fields.field("tags"),
                Some(&Value::List(vec![word("a").unwrap(), word("b").unwrap()]))
            );
            assert_eq!(fields.line("price"), Some(3));
        }
    }

    #[test]
    fn what_is_broken_is_named_with_its_line() {
        for (text, line, part) in [
            ("Text", 1, "does not begin with front matter"),
            ("", 1, "does not begin with front matter"),
            ("---\ntitle: x\n", 1, "not closed"),
            ("---\ntitle: x\ntags: [a\n---\n", 3, "not valid YAML"),
            ("---\ntitle: x\ntitle: y\n---\n", 3, "not valid YAML"),
            ("---\njust words\n---\n", 2, "not a list of fields"),
            ("+++\ntitle = \"x\"\nprice = \n+++\n", 3, "not valid TOML"),
        ] {
            let problem = read("a.md", text).unwrap_err();
            assert!(problem.message.contains(part), "{text:?}: {problem}");
            assert_eq!(problem.line, Some(line), "{text:?}: {problem}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let mut aliases = "---\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let of = format!("*a{}", level - 1);
            aliases += &format!("a{level}: &a{level} [{}]\n", vec![of; 10].join(", "));
        }
        aliases += "---\n";
        let deep = format!("---\na: {}{}\n---\n", "[".repeat(10_000), "]".repeat(10_000));
        for text in [aliases, deep] {
            assert!(read("a.md", &text).is_err());
        }
    }

    #[test]
    fn an_empty_front_matter_has_no_fields() {
        for text in ["---\n---\nText", "+++\n+++\nText", "---\n# nothing\n---\nText"] {
            let (fields, body) = read("a.md", text).unwrap();
            assert_eq!((fields.field("title"), body), (None, "Text"));
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(---|\\+\\+\\+)\n(\\PC|[\\[\\]{}&*!:#\"'\n|>=-]){0,80}\n(---|\\+\\+\\+)\n\\PC{0,20}") {
            let _ = read("a.md", &text);
        }
    }
}
