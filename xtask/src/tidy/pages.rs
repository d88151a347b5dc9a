//! Pages hold no inline styles and no inline scripts: the content security policy forbids both.

use super::Finding;

const WHY: &str = "The content security policy refuses inline styles and scripts (docs/ARCHITECTURE.md)";

/// Inline styles, event handlers and scripts in HTML.
pub fn inline_code(file: &str, text: &str) -> Vec<Finding> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let what = inline(line)?;
            Some(Finding { file: file.to_owned(), line: index + 1, what: what.to_owned(), why: WHY })
        })
        .collect()
}

/// What is inline in this line of HTML. Also for HTML within strings.
pub fn inline(line: &str) -> Option<&'static str> {
    let line = line.to_ascii_lowercase();
    if has_attribute(&line, |name| name == "style") {
        return Some("an inline `style=`");
    }
    if line.contains("<style") {
        return Some("an inline `<style>`");
    }
    if has_attribute(&line, |name| name.len() > 2 && name.starts_with("on")) {
        return Some("an inline event handler");
    }
    let script = line.split("<script").nth(1)?;
    let data = ["src=", "application/ld+json", "application/json"];
    (!data.iter().any(|mark| script.contains(mark))).then_some("an inline script")
}

/// Whether the line has a quoted attribute, after white space, whose name passes.
fn has_attribute(line: &str, passes: impl Fn(&str) -> bool) -> bool {
    ["=\"", "='", "=\\\""].iter().any(|quote| {
        line.match_indices(quote).any(|(end, _)| {
            let before = &line[..end];
            let start = before.rfind(char::is_whitespace).map_or(0, |space| space + 1);
            start > 0 && before.contains('<') && passes(&before[start..])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_styles_handlers_and_scripts_are_found() {
        for line in [
            r#"<p class="a" style="color: red">"#,
            "<style>p { color: red }</style>",
            r#"<button onclick="pay()">"#,
            "<script>start()</script>",
            r#"<script type="module">"#,
        ] {
            assert!(inline(line).is_some(), "{line}");
        }
    }

    #[test]
    fn files_and_data_are_fine() {
        for line in [
            r#"<link rel="stylesheet" href="style/main.css">"#,
            r#"<script type="module" src="start.js"></script>"#,
            r#"<script type="application/ld+json">"#,
            r#"<meta name="description" content="on one page">"#,
        ] {
            assert_eq!(inline(line), None, "{line}");
        }
    }
}
