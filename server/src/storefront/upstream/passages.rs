//! Finds passages of one text in another: pages say things twice, in data for scripts, in attributes, in versions for
//! other screens, and what is sold must be in none of them.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};

/// Letters and digits in a row, of which a passage is known again: five to eight words.
const LENGTH: usize = 40;
/// A prime, for a sum that rolls along a text (Rabin and Karp).
const BASE: u64 = 0x0100_0000_01b3;

/// The passages of a text that are not in another one.
#[derive(Debug)]
pub struct Passages(HashSet<u64>);

impl Passages {
    /// What `paid` has and `open` has not.
    pub fn new(paid: &str, open: &str) -> Self {
        let open: HashSet<u64> = sums(open).collect();
        Passages(sums(paid).filter(|sum| !open.contains(sum)).collect())
    }

    /// Whether one of them is in `text`, also where that is written as a string of JavaScript.
    pub fn are_in(&self, text: &str) -> bool {
        text.len() >= LENGTH && sums(&unescaped(text)).any(|sum| self.0.contains(&sum))
    }
}

/// A sum for each passage; spaces, punctuation and case do not count.
fn sums(text: &str) -> impl Iterator<Item = u64> {
    let letters = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .map(|c| u64::from(u32::from(c)));
    let falls_out = (0..LENGTH).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let (mut sum, mut passage) = (0_u64, VecDeque::with_capacity(LENGTH + 1));
    letters.filter_map(move |letter| {
        sum = sum.wrapping_mul(BASE).wrapping_add(letter);
        passage.push_back(letter);
        if passage.len() > LENGTH {
            let first = passage.pop_front().unwrap_or_default();
            sum = sum.wrapping_sub(first.wrapping_mul(falls_out));
        }
        (passage.len() == LENGTH).then_some(sum)
    })
}

/// `\u00e9` and `\n` as what they stand for.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let code = rest
            .strip_prefix('u')
            .and_then(|code| code.get(..4))
            .and_then(|code| u32::from_str_radix(code, 16).ok());
        if let Some(code) = code {
            // Halves of pairs stand for signs that are no letters in most texts; they fall away.
            plain.extend(char::from_u32(code));
            rest = &rest[5..];
        } else if rest.starts_with(['n', 't', 'r', 'b', 'f']) {
            plain.push(' ');
            rest = &rest[1..];
        }
    }
    plain.push_str(rest);
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str =
        "The oven is warm before the street is awake, and the first loaves go to those who never slept.";
    const PAID: &str = "What nobody tells you is that the flour is older than the bakery, and that the recipe was a mistake.";

    #[test]
    fn a_passage_is_found_however_it_is_written() {
        let passages = Passages::new(PAID, OPEN);
        for found in [
            PAID.to_owned(),
            format!("{{\"body\":\"… {} …\"}}", &PAID[10..70]),
            PAID.to_uppercase().replace(' ', "\n\t"),
            PAID.replace(' ', "\\u0020").replace('e', "\\u0065"),
            PAID.replace(' ', "\\n"),
        ] {
            assert!(passages.are_in(&found), "{found}");
        }
        for other in [
            "",
            OPEN,
            "the flour is older than the bakery",
            "Something else altogether, of which there is more than enough.",
        ] {
            assert!(!passages.are_in(other), "{other}");
        }
    }

    #[test]
    fn what_everybody_may_read_is_not_found() {
        let passages = Passages::new(&format!("{OPEN} {PAID}"), OPEN);
        assert!(!passages.are_in(OPEN));
        assert!(passages.are_in(PAID));
    }

    #[test]
    fn texts_without_spaces_have_passages_too() {
        let text = "빵집은거리보다먼저깨어난다".repeat(6);
        let other = "아무도말해주지않는것은밀가루가빵집보다오래되었다는사실이다그리고그요리법은실수였다";
        let passages = Passages::new(other, &text);
        assert!(passages.are_in(&format!("앞 {other} 뒤")));
        assert!(
            passages.are_in(&other.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>())
        );
        assert!(!passages.are_in(&text));
    }

    #[test]
    fn broken_escapes_are_text() {
        for text in ["\\", "\\u", "\\u12", "\\uzzzz", "\\ud800x", "a\\\\u0041", "\\u00é9", "\\"] {
            let _ = unescaped(text);
        }
        assert_eq!(unescaped("a\\u0041\\nb\\\"c"), "aA b\"c");
    }
}
