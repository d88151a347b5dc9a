//! Rust sources, token by token: comments and strings can't fool these rules.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Ident, LineColumn, TokenStream, TokenTree};

use super::{Finding, pages};

/// The most lines that a file may have.
const LINES_MAX: usize = 600;

/// Crates in which a seal is compared at all.
const SEALING: [&str; 4] = ["protocol/", "server/", "wallet-wasm/", "cli/"];

/// Last words of names whose values an attacker may try to guess byte by byte.
const SEALS: [&str; 10] =
    ["seal", "seals", "hash", "certificate", "mac", "hmac", "secret", "secrets", "token", "passphrase"];

/// Last words of types that hold such a value.
const SEAL_TYPES: [&str; 4] = ["Seal", "Certificate", "Mac", "Secret"];

/// Calls that change how a value is seen, not which value it is.
const CONVERSIONS: [&str; 11] = [
    "as_bytes", "as_deref", "as_ref", "as_slice", "as_str", "borrow", "clone", "expose", "to_bytes",
    "to_vec", "unwrap",
];

const VARIABLE_TIME: &str =
    "That comparison ends at the first wrong byte and so tells where it is (T16): use subtle's ct_eq";

/// Functions that may sleep in a test: they ask again and again until a deadline.
const POLLS: [&str; 4] = ["eventually", "poll", "until", "wait_for"];

/// Everything in this file that is not tidy.
pub fn findings(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        findings.push(Finding {
            file: file.to_owned(),
            line: LINES_MAX + 1,
            what: format!("{lines} lines, over {LINES_MAX}"),
            why: "A file has one subject, and one subject fits",
        });
    }
    match TokenStream::from_str(text) {
        Ok(tokens) => {
            let mut reader = Reader { file, findings };
            let place = Place { test: is_test_file(file), polls: false, view: false };
            reader.read(&tokens.into_iter().collect::<Vec<_>>(), place);
            findings = reader.findings;
        }
        Err(error) => findings.push(Finding {
            file: file.to_owned(),
            line: error.span().start().line,
            what: "is not Rust".to_owned(),
            why: "Nothing can be said of a file that can't be read",
        }),
    }
    findings
}

fn is_test_file(file: &str) -> bool {
    file.starts_with("tests/") || file.contains("/tests/") || file.ends_with("/tests.rs")
}

/// What surrounds a token.
#[derive(Clone, Copy)]
struct Place {
    test: bool,
    polls: bool,
    view: bool,
}

struct Reader<'a> {
    file: &'a str,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn read(&mut self, tokens: &[TokenTree], place: Place) {
        // What the attributes and the `fn` before it say about the next block.
        let mut next = place;
        let mut derives_eq = false;
        let mut index = 0;
        while index < tokens.len() {
            if let Some((attribute, after)) = attribute(tokens, index) {
                next.test |= self.read_attribute(&attribute);
                derives_eq |= derives_equality(&attribute);
                index = after;
                continue;
            }
            self.read_operator(tokens, index, place);
            match &tokens[index] {
                TokenTree::Ident(ident) => {
                    self.read_ident(ident, tokens, index, next, derives_eq);
                    if ident == "fn" {
                        next.polls = name(tokens, index + 1)
                            .is_some_and(|name| POLLS.iter().any(|poll| name.to_string().starts_with(poll)));
                    }
                }
                TokenTree::Group(group) => {
                    let block = group.delimiter() == Delimiter::Brace;
                    let inner = if block { next } else { Place { view: place.view, ..next } };
                    let view = place.view || is_macro(tokens, index, "view");
                    self.read_group(group, Place { view, ..inner });
                    if block {
                        next = place;
                        derives_eq = false;
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => {
                    next = place;
                    derives_eq = false;
                }
                TokenTree::Literal(literal) if self.file.starts_with("server/") && !place.test => {
                    if let Some(what) = literal.to_string().lines().find_map(pages::inline) {
                        self.found(
                            literal.span().start(),
                            what.to_owned(),
                            "The content security policy refuses it",
                        );
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            index += 1;
        }
    }

    fn read_group(&mut self, group: &Group, place: Place) {
        self.read(&group.stream().into_iter().collect::<Vec<_>>(), place);
    }

    /// Returns whether what follows is a test.
    fn read_attribute(&mut self, attribute: &[TokenTree]) -> bool {
        let Some(first) = name(attribute, 0) else { return false };
        if first == "ignore" {
            self.found(
                first.span().start(),
                "a test is ignored".to_owned(),
                "A test that doesn't run shows nothing: mend it or drop it",
            );
        }
        let words = words(attribute);
        let negated = words.iter().any(|word| word == "not");
        if first == "cfg" {
            return words.iter().any(|word| word == "test") && !negated;
        }
        let path = attribute.iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
        path.last().is_some_and(|last| last.to_string().ends_with("test"))
    }

    fn read_ident(
        &mut self,
        ident: &Ident,
        tokens: &[TokenTree],
        index: usize,
        place: Place,
        derives_eq: bool,
    ) {
        let word = ident.to_string();
        let line = ident.span().start();
        match word.as_str() {
            "todo" | "unimplemented" if is_punct(tokens, index + 1, '!') => {
                self.found(line, format!("`{word}!`"), "What is missing is an issue of the project, not a panic");
            }
            "sleep" if place.test && !place.polls && is_call(tokens, index) => self.found(
                line,
                "a test sleeps".to_owned(),
                "Hoping that a time is enough makes a test slow and, some day, wrong: wait for the event, or poll \
                 to a deadline in a function named until…, wait_for…, poll… or eventually…",
            ),
            "style"
                if place.view
                    && is_punct(tokens, index + 1, '=')
                    && !is_punct(tokens, index + 2, '=')
                    && !(index > 0 && is_punct(tokens, index - 1, '.')) =>
            {
                self.found(line, "an inline `style=`".to_owned(), "Looks belong to web/style");
            }
            "eq" | "ne" if !place.test && self.compares_seals() && is_call(tokens, index) => {
                let receiver =
                    (index >= 2 && is_punct(tokens, index - 1, '.')).then(|| name_before(tokens, index - 2));
                if let Some(seal) = receiver.flatten().filter(|receiver| is_seal(receiver)) {
                    self.found(line, format!("`{seal}` is compared with `{word}`"), VARIABLE_TIME);
                }
            }
            "struct" | "enum" if derives_eq && self.compares_seals() => {
                let Some(type_name) = name(tokens, index + 1) else { return };
                if SEAL_TYPES.iter().any(|end| type_name.to_string().ends_with(end)) {
                    self.found(
                        line,
                        format!("{type_name} derives PartialEq"),
                        "That comparison ends at the first wrong byte and so tells where it is (T16): offer a \
                         comparison in constant time instead",
                    );
                }
            }
            _ => {}
        }
    }

    /// `==` and `!=` on a seal.
    fn read_operator(&mut self, tokens: &[TokenTree], index: usize, place: Place) {
        let compares = (is_punct(tokens, index, '=') || is_punct(tokens, index, '!'))
            && is_punct(tokens, index + 1, '=')
            && joint(&tokens[index]);
        if !compares || place.test || index == 0 || !self.compares_seals() {
            return;
        }
        let operands = [name_before(tokens, index - 1), name_after(tokens, index + 2)];
        if let Some(seal) = operands.into_iter().flatten().find(|operand| is_seal(operand)) {
            self.found(
                tokens[index].span().start(),
                format!("`{seal}` is compared with `==` or `!=`"),
                VARIABLE_TIME,
            );
        }
    }

    fn compares_seals(&self) -> bool {
        SEALING.iter().any(|folder| self.file.starts_with(folder))
    }

    fn found(&mut self, place: LineColumn, what: String, why: &'static str) {
        self.findings.push(Finding { file: self.file.to_owned(), line: place.line, what, why });
    }
}

/// Whether a value of this name is one that somebody may try to guess byte by byte.
fn is_seal(name: &str) -> bool {
    let name = name.to_lowercase();
    SEALS.contains(&name.rsplit('_').next().unwrap_or(&name))
}

/// The content of the attribute that begins here, and where it ends.
fn attribute(tokens: &[TokenTree], index: usize) -> Option<(Vec<TokenTree>, usize)> {
    if !is_punct(tokens, index, '#') {
        return None;
    }
    let at = if is_punct(tokens, index + 1, '!') { index + 2 } else { index + 1 };
    match tokens.get(at)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            Some((group.stream().into_iter().collect(), at + 1))
        }
        _ => None,
    }
}

fn derives_equality(attribute: &[TokenTree]) -> bool {
    name(attribute, 0).is_some_and(|first| first == "derive")
        && words(attribute).iter().any(|word| word == "PartialEq")
}

/// All words of an attribute, however deep.
fn words(tokens: &[TokenTree]) -> Vec<String> {
    tokens
        .iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) => vec![ident.to_string()],
            TokenTree::Group(group) => words(&group.stream().into_iter().collect::<Vec<_>>()),
            _ => Vec::new(),
        })
        .collect()
}

/// The name of the value whose expression ends here: `b` for `a.b`, `a.b.as_bytes()`, `a.b.0`.
fn name_before(tokens: &[TokenTree], end: usize) -> Option<String> {
    let mut index = end;
    loop {
        match &tokens[index] {
            TokenTree::Ident(ident) => {
                let converts = CONVERSIONS.contains(&ident.to_string().as_str());
                if !(converts && index >= 2 && is_punct(tokens, index - 1, '.')) {
                    return Some(ident.to_string());
                }
                index -= 2;
            }
            TokenTree::Literal(_) if index >= 2 && is_punct(tokens, index - 1, '.') => index -= 2,
            TokenTree::Group(group) if index > 0 && group.delimiter() != Delimiter::Brace => index -= 1,
            TokenTree::Punct(punct) if index > 0 && punct.as_char() == '?' => index -= 1,
            _ => return None,
        }
    }
}

/// The name of the value whose expression begins here.
fn name_after(tokens: &[TokenTree], start: usize) -> Option<String> {
    let mut last = None;
    for token in &tokens[start.min(tokens.len())..] {
        match token {
            TokenTree::Ident(ident) if !CONVERSIONS.contains(&ident.to_string().as_str()) => {
                last = Some(ident.to_string());
            }
            TokenTree::Punct(punct) if matches!(punct.as_char(), '.' | ':' | '?') => {}
            TokenTree::Punct(punct) if last.is_none() && matches!(punct.as_char(), '&' | '*') => {}
            TokenTree::Group(group) if last.is_some() && group.delimiter() != Delimiter::Brace => {}
            TokenTree::Literal(_) if last.is_some() => {}
            TokenTree::Ident(_) => {}
            _ => break,
        }
    }
    last
}

fn name(tokens: &[TokenTree], index: usize) -> Option<&Ident> {
    match tokens.get(index)? {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    }
}

fn is_punct(tokens: &[TokenTree], index: usize, character: char) -> bool {
    matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn joint(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.spacing() == proc_macro2::Spacing::Joint)
}

fn is_call(tokens: &[TokenTree], index: usize) -> bool {
    matches!(tokens.get(index + 1), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
        && !(index > 0 && name(tokens, index - 1).is_some_and(|before| before == "fn"))
}

fn is_macro(tokens: &[TokenTree], index: usize, wanted: &str) -> bool {
    index >= 2
        && is_punct(tokens, index - 1, '!')
        && name(tokens, index - 2).is_some_and(|name| name == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(file: &str, text: &str) -> Vec<String> {
        findings(file, text).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_seal_compared_with_an_operator_is_found() {
        for expression in [
            "message.seal == expected",
            "expected != message.seal",
            "a.seal.as_bytes() == b",
            "b == &self.certificate.0[..]",
            "scrip_hash(x) == y",
            "given == crate::seal(y)?",
            "operator_token == given",
            "a.seal.eq(&b)",
            "message.seal.as_bytes().ne(other)",
        ] {
            let text = format!("fn f() {{ if {expression} {{ g() }} }}");
            assert_eq!(whats("protocol/src/x.rs", &text).len(), 1, "{expression}");
        }
    }

    #[test]
    fn other_comparisons_are_left_alone() {
        for expression in [
            "a.seal.len() == 32",
            "hash_algorithm == HashAlgorithm::Md5",
            "serial == other",
            "seal.ct_eq(&b).into()",
        ] {
            let text = format!("fn f() {{ if {expression} {{ g(seal) }} }}");
            assert_eq!(whats("server/src/x.rs", &text), Vec::<String>::new(), "{expression}");
        }
        let in_a_test = "#[cfg(test)] mod tests { fn f() -> bool { a.seal == b.seal } }";
        assert!(whats("protocol/src/x.rs", in_a_test).is_empty());
        let in_a_string = "fn f() { g(\"seal == seal\") } // seal == seal";
        assert!(whats("protocol/src/x.rs", in_a_string).is_empty());
    }

    #[test]
    fn a_seal_type_has_no_derived_equality() {
        let text = "#[derive(Clone, PartialEq)] pub struct ScripSeal([u8; 32]);";
        assert_eq!(whats("protocol/src/x.rs", text), ["ScripSeal derives PartialEq"]);
        assert!(
            whats("protocol/src/x.rs", "#[derive(PartialEq)] struct A; #[derive(Clone)] struct Seal;")
                .is_empty()
        );
    }

    #[test]
    fn unfinished_work_is_found() {
        let unfinished =
            concat!("fn f() { to", "do!() } #[ignore = \"slow\"] #[test] fn g() { unimple", "mented!() }");
        assert_eq!(whats("cli/src/x.rs", unfinished).len(), 3);
    }

    #[test]
    fn a_sleeping_test_is_found_and_a_poll_is_not() {
        assert_eq!(
            whats("server/src/x.rs", "#[tokio::test] async fn a() { sleep(x).await; }"),
            ["a test sleeps"]
        );
        assert_eq!(whats("tests/e2e/x.rs", "fn step() { thread::sleep(x); }"), ["a test sleeps"]);
        assert!(whats("tests/e2e/x.rs", "fn wait_for_text() { loop { sleep(x); } }").is_empty());
        assert!(whats("server/src/x.rs", "async fn pace() { sleep(x).await; }").is_empty());
    }

    #[test]
    fn an_inline_style_in_a_view_is_found() {
        assert_eq!(whats("web/src/x.rs", "fn f() { view! { <p style=\"color: red\">a</p> } }").len(), 1);
        assert!(whats("web/src/x.rs", "fn f() { let style = 1; view! { <p class=style>a</p> } }").is_empty());
    }

    #[test]
    fn html_of_the_server_holds_no_inline_script() {
        assert_eq!(whats("server/src/x.rs", "fn f() -> &'static str { \"<script>go()</script>\" }").len(), 1);
        assert!(
            whats("server/src/x.rs", "fn f() -> &'static str { \"<script src='/a.js'></script>\" }")
                .is_empty()
        );
    }

    #[test]
    fn a_file_over_the_limit_is_found() {
        assert_eq!(whats("cli/src/x.rs", &"fn f() {}\n".repeat(LINES_MAX + 1)), ["601 lines, over 600"]);
    }
}
