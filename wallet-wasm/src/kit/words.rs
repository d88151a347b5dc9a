//! The recovery words: shown, asked back, and typed.

use std::collections::BTreeSet;

use tuppence_protocol::recovery::words::{Mnemonic, WORDS, WordsError};

use crate::error::{Problem, WalletError};
use crate::operation::session::{Session, unwrap_words};
use crate::view::RememberedWord;

/// So many different words must be known before they count as saved.
const ASKED_MIN: usize = 3;

impl Session {
    /// The bits of this wallet's words.
    pub(super) async fn mnemonic(&self) -> Result<Mnemonic, WalletError> {
        let words = self.wallet.words.as_ref().ok_or(Problem::WordsMissing)?;
        unwrap_words(self.ports(), words.as_slice()).await
    }

    /// Notes that the words are saved, if those that were asked back are right.
    pub(super) async fn confirm_words(&mut self, remembered: &[RememberedWord]) -> Result<(), WalletError> {
        let shown = self.mnemonic().await?.words();
        let mut known = BTreeSet::new();
        for word in remembered {
            let right = word.number.checked_sub(1).and_then(|index| shown.get(index));
            if right.is_none_or(|right| *right != word.word.trim().to_lowercase()) {
                let error = WalletError::from(Problem::WordsWrong);
                return Err(error.because(format!("It is word {}.", word.number)));
            }
            known.insert(word.number);
        }
        if known.len() < ASKED_MIN {
            let error = WalletError::from(Problem::ArgumentInvalid);
            return Err(error.because(format!("At least {ASKED_MIN} different words are needed.")));
        }
        self.wallet.words_saved = Some(self.now());
        self.commit_quietly().await
    }
}

/// The words that somebody typed.
pub(super) fn parse(words: &str) -> Result<Mnemonic, WalletError> {
    Mnemonic::parse(words).map_err(|error| {
        let why = match error {
            WordsError::Count(count) => format!("There are {count}, and {WORDS} are needed."),
            WordsError::Unknown(number) => format!("Word {number} is none of the list."),
            WordsError::Checksum => "One is wrong, or two have changed places.".to_owned(),
        };
        WalletError::from(Problem::WordsInvalid).because(why)
    })
}
