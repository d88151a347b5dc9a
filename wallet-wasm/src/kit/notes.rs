//! The wallet's notes at the center (docs/decisions/0007): what steps were called, encrypted with a key of the
//! recovery words, for the day when this device is gone.
//!
//! Notes only grow: two devices' notes are put together by taking all of both, the newest ones first where
//! they do not all fit. Each device reads, adds its own, and keeps them as the next version; where another one was
//! faster, it begins again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::recovery::keys::RecoveryKeys;
use tuppence_protocol::recovery::notes::{Notes, NotesReply, PLAIN_MAX};
use tuppence_protocol::{ErrorCode, TranId};

use crate::client::{self, CallError};
use crate::error::{Problem, WalletError};
use crate::json;
use crate::operation::session::Session;
use crate::ports::Scan;
use crate::record;
use crate::view::{HistoryEntry, LibraryEntry, ShopRef};

/// How often notes are begun again because another device was faster.
const ROUNDS_MAX: u32 = 4;
const FORMAT: u32 = 1;

/// What one step was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) shop: ShopRef,
    pub(super) slug: Option<String>,
    pub(super) title: Option<String>,
}

/// All notes, by transaction: the newest ones are the last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Noted(BTreeMap<TranId, Note>);

/// How notes are written. Shops are named once, since there are few.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    format: u32,
    shops: Vec<ShopRef>,
    /// The newest first.
    steps: Vec<WrittenNote>,
}

#[derive(Serialize, Deserialize)]
struct WrittenNote {
    #[serde(rename = "t")]
    tran_id: TranId,
    /// Which of the shops.
    #[serde(rename = "s")]
    shop: usize,
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

impl Noted {
    /// What a step was called.
    pub(super) fn of(&self, tran_id: &TranId) -> Option<Note> {
        self.0.get(tran_id).cloned()
    }

    fn read(plain: &[u8]) -> Result<Self, json::Error> {
        let written: Written = json::read(plain)?;
        let shops = written.shops;
        let note = |note: WrittenNote| {
            let shop = shops.get(note.shop)?.clone();
            Some((note.tran_id, Note { shop, slug: note.slug, title: note.title }))
        };
        // Notes of a later format keep at least what this one knows; a step of no shop says nothing.
        Ok(Noted(written.steps.into_iter().filter_map(note).collect()))
    }

    /// As many of the newest notes as fit.
    fn write(&self) -> Result<Vec<u8>, json::Error> {
        let mut count = self.0.len();
        loop {
            let mut written = Written { format: FORMAT, shops: Vec::new(), steps: Vec::new() };
            for (tran_id, note) in self.0.iter().rev().take(count) {
                let known = written.shops.iter().position(|shop| *shop == note.shop);
                let shop = known.unwrap_or_else(|| {
                    written.shops.push(note.shop.clone());
                    written.shops.len() - 1
                });
                let (slug, title) = (note.slug.clone(), note.title.clone());
                written.steps.push(WrittenNote { tran_id: *tran_id, shop, slug, title });
            }
            let plain = json::write(&written)?;
            if plain.len() <= PLAIN_MAX || count == 0 {
                return Ok(plain);
            }
            // The part that is too much, and a little more, so that this ends soon.
            count = count.saturating_sub(count / 16).saturating_sub(1);
        }
    }

    fn add(&mut self, other: Noted) {
        self.0.extend(other.0);
    }
}

impl Session {
    /// The keys of the recovery words.
    async fn recovery_keys(&self) -> Result<RecoveryKeys, WalletError> {
        Ok(RecoveryKeys::new(&self.mnemonic().await?, &self.wallet.center.id))
    }

    /// The notes that the center keeps, and their version: 0 while there are none.
    pub(super) async fn fetch_notes(&self) -> Result<(u64, Noted), WalletError> {
        let keys = self.recovery_keys().await?;
        let Some(notes) = self.exchange_notes(None).await? else { return Ok((0, Noted::default())) };
        let plain = notes.open(&keys, &self.wallet.center.id);
        let damaged = || WalletError::from(Problem::ReplyForged).because("The notes cannot be opened.");
        let noted = Noted::read(&plain.map_err(|_| damaged())?).map_err(|_| damaged())?;
        Ok((notes.version.get(), noted))
    }

    /// N1 -> N2.
    async fn exchange_notes(&self, notes: Option<Notes>) -> Result<Option<Notes>, CallError> {
        let mut nonce = [0; 16];
        self.ports().random.fill(&mut nonce).map_err(|error| CallError::Unclear(error.into()))?;
        let awaiting = self.purse().notes(notes, nonce, self.now());
        let reply: NotesReply =
            client::post(self.ports(), self.center(), "/recovery/notes", &awaiting.request).await?;
        let received = awaiting.receive(reply, &self.custom_secret);
        received.map_err(|refusal| CallError::Unclear(refusal.into()))
    }

    /// Keeps what is new since the last time, once the words were saved: before, nobody could ever read it.
    ///
    /// # Errors
    /// Why it was not kept; the next time it is tried again.
    pub(super) async fn keep_notes(&mut self) -> Result<(), WalletError> {
        if self.wallet.words_saved.is_none() || self.wallet.noted >= self.wallet.entries {
            return Ok(());
        }
        let keys = self.recovery_keys().await?;
        let own = self.own_notes().await?;
        for _ in 0..ROUNDS_MAX {
            let (version, kept) = self.fetch_notes().await?;
            let mut all = kept.clone();
            all.add(own.clone());
            if all != kept {
                let plain = all.write().map_err(|_| Problem::RecordDamaged)?;
                let next = version.checked_add(1).and_then(|next| Serial::try_from(next).ok());
                let next = next.ok_or(Problem::ReplyInvalid)?;
                let mut nonce = [0; 12];
                self.ports().random.fill(&mut nonce)?;
                let sealed = Notes::seal(&keys, &self.wallet.center.id, next, nonce, &plain);
                match self.exchange_notes(Some(sealed.map_err(|_| Problem::RecordDamaged)?)).await {
                    Ok(_) => {}
                    Err(error) if error.code() == Some(ErrorCode::NotesStale) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            self.wallet.noted = self.wallet.entries;
            return self.commit_quietly().await;
        }
        Ok(())
    }

    /// What this device's history says, as far as it can fit.
    async fn own_notes(&self) -> Result<Noted, WalletError> {
        let storage = &*self.ports().storage;
        // No note is shorter than 40 bytes.
        let latest = Scan::Latest { before: None, limit: PLAIN_MAX / 40 };
        let entries: Vec<HistoryEntry> = record::list(storage, latest).await?;
        let library: Vec<LibraryEntry> = record::list(storage, Scan::All).await?;
        let slugs: BTreeMap<TranId, String> =
            library.into_iter().map(|article| (article.receipt.tran_id, article.slug)).collect();
        let note = |entry: HistoryEntry| {
            let tran_id = entry.tran_id?.parse().ok()?;
            let slug = slugs.get(&tran_id).cloned();
            Some((tran_id, Note { shop: entry.shop?, slug, title: entry.title }))
        };
        Ok(Noted(entries.into_iter().filter_map(note).collect()))
    }
}

#[cfg(test)]
mod tests {
    use tuppence_protocol::Timestamp;

    use super::*;

    fn noted(numbers: impl Iterator<Item = u32>) -> Noted {
        let note = |number: u32| {
            let tran_id = TranId::new(Timestamp::from_millis(u64::from(number)), [0; 10]);
            let shop = ShopRef { origin: "https://shop.example".into(), name: "Shop".into() };
            let title = Some(format!("The title of article number {number}, which is not short at all"));
            (tran_id, Note { shop, slug: Some(format!("article-{number}")), title })
        };
        Noted(numbers.map(note).collect())
    }

    #[test]
    fn notes_are_read_as_they_were_written() {
        let all = noted(0..20);
        assert_eq!(Noted::read(&all.write().unwrap()).unwrap(), all);
        let mut padded = all.write().unwrap();
        padded.extend([b' '; 100]);
        assert_eq!(Noted::read(&padded).unwrap(), all);
    }

    #[test]
    fn what_does_not_fit_is_the_oldest() {
        let all = noted(0..5_000);
        let plain = all.write().unwrap();
        assert!(plain.len() <= PLAIN_MAX && plain.len() > PLAIN_MAX / 2);
        let kept = Noted::read(&plain).unwrap();
        assert!(kept.0.len() > 100);
        assert!(
            kept.0.iter().eq(all.0.iter().rev().take(kept.0.len()).collect::<Vec<_>>().into_iter().rev())
        );
    }

    #[test]
    fn two_devices_notes_are_put_together_in_either_order() {
        let (mut a, mut b) = (noted(0..10), noted(5..15));
        let (a_only, b_only) = (a.clone(), b.clone());
        a.add(b_only);
        b.add(a_only);
        assert_eq!(a, b);
        assert_eq!(a, noted(0..15));
    }
}
