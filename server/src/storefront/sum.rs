//! An amount as publishers write it in TOML.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// An amount as text (`"USD:0.02"`, `"0.02"`) or as a number, which is taken as it is written.
#[derive(Debug)]
pub struct Sum(String);

impl Sum {
    /// The amount's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Sum;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as 0.02 or \"USD:0.02\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Sum, E> {
                Ok(Sum(text.to_owned()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Sum, E> {
                Ok(Sum(number.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Sum, E> {
                Ok(Sum(number.to_string()))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
