//! Text from outside: limited, in one Unicode form, without control characters.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::normal_form::{is_normal, normal_form};

/// Text of at most `MAX` bytes of UTF-8 in normal form C; no control characters but the line feed.
///
/// What is not in normal form is refused rather than mended, so that decoding and encoding again
/// gives the same bytes and a seal covers just what was sent. Whoever makes a message uses
/// [`Text::normalized`].
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Brings `text` into normal form C, and admits it if it is then within the limits.
    ///
    /// # Errors
    /// As for parsing, the normal form apart.
    pub fn normalized(text: &str) -> Result<Self, TextError> {
        Self::try_from(normal_form(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        if text.len() > MAX {
            return Err(TextError::TooLong { max: MAX });
        }
        if has_control(&text) {
            return Err(TextError::Control);
        }
        if !is_normal(&text) {
            return Err(TextError::NotNormal);
        }
        Ok(Text(text))
    }
}

fn has_control(text: &str) -> bool {
    if text.is_ascii() {
        return text.bytes().any(|b| b.is_ascii_control() && b != b'\n');
    }
    text.chars().any(|c| c.is_control() && c != '\n')
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::try_from(text.to_owned())
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> String {
        text.0
    }
}

impl<const MAX: usize> AsRef<str> for Text<MAX> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Reads what is written as text, without a copy of the text.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T, E: fmt::Display>(
    deserializer: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    struct Reading<P>(P);

    impl<T, E: fmt::Display, P: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Reading<P> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<X: Error>(self, text: &str) -> Result<T, X> {
            (self.0)(text).map_err(X::custom)
        }
    }

    deserializer.deserialize_str(Reading(parse))
}

/// Why text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More bytes than the field takes.
    #[error("the text is longer than {max} bytes")]
    TooLong {
        /// The field's limit, in bytes of UTF-8.
        max: usize,
    },
    /// A control character other than the line feed.
    #[error("the text has a control character")]
    Control,
    /// Not in Unicode normal form C.
    #[error("the text is not in Unicode normal form C")]
    NotNormal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_form_hold() {
        assert!("four".parse::<Text<4>>().is_ok());
        assert_eq!("fives".parse::<Text<4>>(), Err(TextError::TooLong { max: 4 }));
        assert_eq!("a\u{0}".parse::<Text<4>>(), Err(TextError::Control));
        assert_eq!("e\u{301}".parse::<Text<4>>(), Err(TextError::NotNormal));
        assert_eq!(Text::<4>::normalized("e\u{301}").unwrap().as_str(), "é");
    }
}
