//! BIP 39: 128 random bits and 4 bits of checksum, as twelve words of a list of 2,048.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How many words there are.
pub const WORDS: usize = 12;
/// Bits that a word stands for.
const BITS: usize = 11;
/// So many letters tell any two words of the list apart.
const LETTERS: usize = 4;
/// The official list (github.com/bitcoin/bips, bip-0039/english.txt), a word on each line.
const ENGLISH: &str = include_str!("../../words/english.txt");

/// The English list, in the order of the alphabet.
pub fn english() -> Vec<&'static str> {
    ENGLISH.lines().collect()
}

/// Which word of the list this is; its first four letters are enough.
fn position(list: &[&str], word: &str) -> Option<u16> {
    let found = list.partition_point(|known| *known < word);
    let known = list.get(found)?;
    let is_it = *known == word || (word.len() == LETTERS && known.starts_with(word));
    is_it.then(|| u16::try_from(found).ok()).flatten()
}

/// The 128 bits that twelve words stand for: whoever has them has the wallet. Never printed, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Mnemonic([u8; 16]);

impl Mnemonic {
    /// The words of these bits, which must come from a secure source.
    pub const fn from_entropy(entropy: [u8; 16]) -> Self {
        Mnemonic(entropy)
    }

    /// The bits, for deriving keys and for storing.
    pub const fn entropy(&self) -> &[u8; 16] {
        &self.0
    }

    /// The bits that `text` stands for. Capital letters and further spaces do not matter, and four letters of a
    /// word are enough.
    ///
    /// # Errors
    /// What is wrong with the words.
    pub fn parse(text: &str) -> Result<Self, WordsError> {
        let list = english();
        let text = Zeroizing::new(text.to_ascii_lowercase());
        let words: Zeroizing<Vec<Option<u16>>> =
            Zeroizing::new(text.split_whitespace().map(|word| position(&list, word)).collect());
        if words.len() != WORDS {
            return Err(WordsError::Count(words.len()));
        }
        let mut bits = Zeroizing::new([0; 17]);
        for (number, word) in words.iter().enumerate() {
            let word = word.ok_or(WordsError::Unknown(number.saturating_add(1)))?;
            for bit in (0..BITS).filter(|bit| word >> (BITS - 1 - bit) & 1 == 1) {
                set(&mut bits, number * BITS + bit);
            }
        }
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&bits[..16]);
        let mnemonic = Mnemonic(entropy);
        if bits[16] == mnemonic.checksum() { Ok(mnemonic) } else { Err(WordsError::Checksum) }
    }

    /// The twelve words.
    pub fn words(&self) -> Vec<&'static str> {
        let list = english();
        let mut bits = Zeroizing::new([0; 17]);
        bits[..16].copy_from_slice(&self.0);
        bits[16] = self.checksum();
        let word = |number: usize| {
            let at = |bit: usize| usize::from(bits[bit / 8] >> (7 - bit % 8) & 1);
            (number * BITS..(number + 1) * BITS).fold(0, |word, bit| word << 1 | at(bit))
        };
        // A list has 2,048 words, and 11 bits name no more.
        (0..WORDS).filter_map(|number| list.get(word(number)).copied()).collect()
    }

    /// The first four bits of the hash, in the upper half of a byte.
    fn checksum(&self) -> u8 {
        Sha256::digest(self.0)[0] & 0xF0
    }
}

fn set(bits: &mut [u8; 17], bit: usize) {
    // 12 words have 132 bits, of the 136 that there are.
    if let Some(byte) = bits.get_mut(bit / 8) {
        *byte |= 0x80 >> (bit % 8);
    }
}

impl fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mnemonic(..)")
    }
}

/// What is wrong with words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Not twelve, but so many.
    #[error("there are {0} words, and twelve are needed")]
    Count(usize),
    /// The word of this number, from 1, is not in the list.
    #[error("word {0} is none of the list")]
    Unknown(usize),
    /// Each is in the list, but a word is wrong or two have changed places.
    #[error("the words do not belong together: one is wrong, or two have changed places")]
    Checksum,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The official vectors.
    fn vectors() -> Vec<(String, String)> {
        let text = include_str!("../../vectors/bip39.json");
        let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::from_value(vectors["english"].clone()).unwrap()
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digits).collect()
    }

    #[test]
    fn the_official_vectors_hold_in_both_directions() {
        let mut of_twelve = 0;
        for (entropy, words) in vectors() {
            let Ok(entropy) = <[u8; 16]>::try_from(hex(&entropy)) else {
                let count = words.split(' ').count();
                assert_eq!(Mnemonic::parse(&words), Err(WordsError::Count(count)));
                continue;
            };
            of_twelve += 1;
            let mnemonic = Mnemonic::from_entropy(entropy);
            assert_eq!(mnemonic.words().join(" "), words);
            assert_eq!(Mnemonic::parse(&words), Ok(mnemonic));
        }
        assert_eq!(of_twelve, 8);
    }

    #[test]
    fn words_are_read_as_people_type_them() {
        let words = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        let typed = "  LEGAL winn than\tyear wave saus\n wort usef lega winn than yell ";
        assert_eq!(Mnemonic::parse(typed), Mnemonic::parse(words));
    }

    #[test]
    fn a_mistake_is_named() {
        let words = |text: &str| Mnemonic::parse(text).unwrap_err();
        assert_eq!(words(""), WordsError::Count(0));
        let with = |word: &str| {
            format!("legal winner thank year wave sausage worth useful legal winner {word} yellow")
        };
        assert_eq!(words(&with("thanks")), WordsError::Unknown(11));
        assert_eq!(words(&with("tha")), WordsError::Unknown(11), "three letters are no word");
        assert_eq!(words(&with("zzzz")), WordsError::Unknown(11));
        assert_eq!(words(&with("that")), WordsError::Checksum);
        let swapped = "winner legal thank year wave sausage worth useful legal winner thank yellow";
        assert_eq!(words(swapped), WordsError::Checksum);
    }

    #[test]
    fn four_letters_tell_all_words_apart() {
        let list = english();
        assert_eq!(list.len(), 2_048);
        assert!(list.is_sorted());
        for (number, word) in list.iter().enumerate() {
            let short = &word[..word.len().min(LETTERS)];
            assert_eq!(position(&list, word).map(usize::from), Some(number), "{word}");
            assert_eq!(position(&list, short).map(usize::from), Some(number), "{short}");
        }
    }

    #[test]
    fn the_list_is_the_official_one() {
        let published = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda";
        assert_eq!(Sha256::digest(ENGLISH)[..], hex(published));
    }

    #[test]
    fn printing_words_shows_nothing_of_them() {
        assert_eq!(format!("{:?}", Mnemonic::from_entropy([0xAB; 16])), "Mnemonic(..)");
    }
}
