//! What the sentences of a language are: texts, some with places for what is not known before, some for a number of things,
//! some in a table by codes. All are text, so that a language is one list of it.

/// How a sentence is said.
pub trait Said {
    /// The sentence with `values` in their places, which are `{0}` and `{1}`.
    fn with(self, values: &[&str]) -> String;

    /// The sentence for so many. It says the case of one first, before a `|`, where the language has such a case.
    fn count(self, count: impl ToString) -> String;

    /// The sentence for a code, of a table: a line for each, codes with the same sentence together and a space between
    /// them, then a tab and the sentence.
    fn of(self, code: &str) -> Option<&'static str>;
}

impl Said for &'static str {
    fn with(self, values: &[&str]) -> String {
        let mut pieces = self.split('{');
        let mut said = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (place, rest) = piece.split_once('}').unwrap_or(("", piece));
            let value = place.parse().ok().and_then(|place: usize| values.get(place));
            said.push_str(value.unwrap_or(&""));
            said.push_str(rest);
        }
        said
    }

    fn count(self, count: impl ToString) -> String {
        let count = count.to_string();
        let (one, more) = self.split_once('|').unwrap_or((self, self));
        let sentence = if count == "1" { one } else { more };
        sentence.with(&[&count])
    }

    fn of(self, code: &str) -> Option<&'static str> {
        let mut rows = self.lines().filter_map(|line| line.split_once('\t'));
        rows.find(|(codes, _)| codes.split(' ').any(|one| one == code)).map(|(_, sentence)| sentence)
    }
}

/// Declares the texts of a language in groups of sentences, how they are taken from a list, and what all are called.
macro_rules! texts {
    (
        $(#[$doc:meta])* $texts:ident { $($(#[$about:meta])* $part:ident: $of:ident,)* }
        $($(#[$group_doc:meta])* $group:ident { $($(#[$sentence_doc:meta])* $sentence:ident,)* })*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $texts { $($(#[$about])* pub $part: $of,)* }

        impl $texts {
            /// Takes the sentences of a list in place of these.
            fn take(&mut self, list: &mut dyn Iterator<Item = &'static str>) {
                $(self.$part.take(list);)*
            }
        }

        $(
            $(#[$group_doc])*
            #[derive(Debug, Clone)]
            pub struct $group { $($(#[$sentence_doc])* pub $sentence: &'static str,)* }

            impl $group {
                fn take(&mut self, list: &mut dyn Iterator<Item = &'static str>) {
                    // A list of places, and one loop: written out, each sentence would cost as much as its text.
                    for sentence in [$(&mut self.$sentence),*] {
                        *sentence = list.next().unwrap_or_default();
                    }
                }
            }
        )*

        /// The names of all in their order: a list with other names is that of another version.
        const NAMES: &str = concat!($(stringify!($part), " ",)* $($(stringify!($sentence), " ",)*)*);
        /// How many sentences there are.
        const COUNT: usize = [$($(stringify!($sentence)),*),*].len();
    };
}

pub(super) use texts;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_the_language_wants_them() {
        assert_eq!("{1} of {0}".with(&["a", "b"]), "b of a");
        // What a shop calls itself is no place.
        assert_eq!("{0} and {1}".with(&["{1}", "b"]), "{1} and b");
    }

    #[test]
    fn one_is_said_otherwise_where_the_language_does() {
        let articles = "{0} article|{0} articles";
        let said = [articles.count(0), articles.count(1), articles.count(2)];
        assert_eq!(said, ["0 articles", "1 article", "2 articles"]);
        assert_eq!(["글 {0}편".count(1), "글 {0}편".count(2)], ["글 1편", "글 2편"]);
    }

    #[test]
    fn codes_with_the_same_sentence_stand_together() {
        let table = "a b\tboth\nab\tanother\n";
        let said = ["a", "b", "ab", "a b"].map(|code| table.of(code));
        assert_eq!(said, [Some("both"), Some("both"), Some("another"), None]);
    }
}
