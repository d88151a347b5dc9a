//! What is wrong with a publisher's file, said so that its author can mend it.

use std::fmt;

/// What a problem does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The article or campaign is not shown until it is mended.
    Hidden,
    /// It is shown, but not all of it as its author meant.
    Notice,
}

/// One problem in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to its folder.
    pub file: String,
    /// The line, from 1, where it can be told.
    pub line: Option<usize>,
    /// The field, such as `price` or `questions[2].right`, where it is one's.
    pub field: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
    /// What it does.
    pub severity: Severity,
}

impl Problem {
    /// A problem that hides what is in `file`.
    pub fn hides(file: &str, message: impl Into<String>) -> Self {
        Problem {
            file: file.to_owned(),
            line: None,
            field: None,
            message: message.into(),
            severity: Severity::Hidden,
        }
    }

    /// A problem that `file` is shown with.
    pub fn notice(file: &str, message: impl Into<String>) -> Self {
        Problem { severity: Severity::Notice, ..Problem::hides(file, message) }
    }

    /// In this line.
    #[must_use]
    pub fn at(mut self, line: Option<usize>) -> Self {
        self.line = line;
        self
    }

    /// Of this field.
    #[must_use]
    pub fn of(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

/// `bread.md:3: price: ...`, as compilers write it, so that editors find the place.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(field) = &self.field {
            write!(f, ": {field}")?;
        }
        write!(f, ": {}", self.message)
    }
}
