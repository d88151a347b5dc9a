//! Errors as a sentence and a hint.

use std::fmt::Display;
use std::io::IsTerminal;

use tuppence_protocol::ErrorBody;

/// Why a command did not succeed, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    sentence: String,
    hint: Option<String>,
    exit: u8,
}

impl Failure {
    /// What went wrong, as a sentence.
    pub fn new(sentence: impl Display) -> Self {
        Failure { sentence: sentence.to_string(), hint: None, exit: 1 }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Display) -> Self {
        Failure { hint: Some(hint.to_string()), ..self }
    }

    /// The same with what was wrong in this case.
    #[must_use]
    pub fn because(self, detail: impl Display) -> Self {
        Failure { sentence: format!("{} {detail}", self.sentence), ..self }
    }

    /// With another exit code than 1.
    #[must_use]
    pub fn exit(self, exit: u8) -> Self {
        Failure { exit, ..self }
    }

    /// The program's exit code.
    pub const fn exit_code(&self) -> u8 {
        self.exit
    }

    /// What went wrong.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// Says it on standard error.
    pub fn tell(&self) {
        let (bold, plain) = if std::io::stderr().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        eprintln!("{bold}{}{plain}", as_sentence(&self.sentence));
        if let Some(hint) = &self.hint {
            eprintln!("{}", as_sentence(hint));
        }
    }
}

fn as_sentence(text: &str) -> String {
    let mut letters = text.trim_end().chars();
    let upper: String =
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if upper.ends_with(['.', '?', ':']) { upper } else { format!("{upper}.") }
}

impl From<ErrorBody> for Failure {
    fn from(body: ErrorBody) -> Self {
        Failure::new(body.message).hint(body.hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_becomes_a_sentence() {
        assert_eq!(as_sentence("no key file"), "No key file.");
        assert_eq!(as_sentence("Done.\n"), "Done.");
        assert_eq!(as_sentence(""), ".");
    }
}
