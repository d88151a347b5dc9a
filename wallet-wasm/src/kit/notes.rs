//! The wallet's notes at the center (docs/decisions/0007): what steps were called, encrypted with a key of the
//! recovery words, for the day when this device is gone. And what the center's books do not have: the receipts of articles
//! that budgets have paid, and the orders of budgets.
//!
//! Notes only grow: two devices' notes are put together by taking all of both, the newest ones first where
//! they do not all fit. Each device reads, adds its own, and keeps them as the next version; where another one was
//! faster, it begins again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::recovery::keys::RecoveryKeys;
use tuppence_protocol::recovery::notes::{Notes, NotesReply, PLAIN_MAX};
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::vendor_scrip::Order;
use tuppence_protocol::{Amount, ErrorCode, Seal, Timestamp, TranId, VendorId};

use crate::client::{self, CallError};
use crate::error::{Problem, WalletError};
use crate::json;
use crate::kit::follow::BUDGET_LASTS;
#[cfg(feature = "budgets")]
use crate::operation::budget::BudgetRecord;
use crate::operation::session::Session;
use crate::origin::Origin;
use crate::ports::{Changes, Scan};
use crate::record::{self, at_shop};
use crate::view::{HistoryEntry, LibraryEntry, ShopRef, WalletEvent};

/// How often notes are begun again because another device was faster.
const ROUNDS_MAX: u32 = 4;
const FORMAT: u32 = 1;

/// What one step was called, or what a budget has paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) shop: ShopRef,
    pub(super) slug: Option<String>,
    pub(super) title: Option<String>,
    pub(super) more: Option<More>,
}

/// What only the wallet has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum More {
    /// Of a budget that goes on: its order, and the page that spends it.
    Order(Order, Option<Origin>),
    /// Of an article that a budget has paid: the rest of its receipt.
    Receipt(Terms),
}

/// What a receipt says besides transaction and address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    vendor_id: VendorId,
    amount: Amount,
    date: Timestamp,
    secret_id: u32,
    seal: [u8; 32],
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    vendors: Vec<VendorId>,
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
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    order: Option<Order>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    page: Option<Origin>,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    receipt: Option<WrittenTerms>,
}

#[derive(Serialize, Deserialize)]
struct WrittenTerms {
    /// Which of the vendors.
    #[serde(rename = "v")]
    vendor: usize,
    #[serde(rename = "a")]
    amount: Amount,
    #[serde(rename = "d")]
    date: Timestamp,
    #[serde(rename = "k")]
    secret_id: u32,
    #[serde(rename = "x", with = "tuppence_protocol::bytes::fixed")]
    seal: [u8; 32],
}

impl Noted {
    /// What a step was called.
    pub(super) fn of(&self, tran_id: &TranId) -> Option<Note> {
        self.0.get(tran_id).cloned()
    }

    fn read(plain: &[u8]) -> Result<Self, json::Error> {
        let written: Written = json::read(plain)?;
        let (shops, vendors) = (written.shops, written.vendors);
        let note = |note: WrittenNote| {
            let WrittenNote { tran_id, shop, slug, title, order, page, receipt } = note;
            let terms = |WrittenTerms { vendor, amount, date, secret_id, seal }: WrittenTerms| {
                let vendor_id = vendors.get(vendor)?.clone();
                Some(More::Receipt(Terms { vendor_id, amount, date, secret_id, seal }))
            };
            let order = order.map(|order| More::Order(order, page));
            let more = order.or(receipt.and_then(terms));
            Some((tran_id, Note { shop: shops.get(shop)?.clone(), slug, title, more }))
        };
        // Notes of a later format keep at least what this one knows; a step of no shop says nothing.
        Ok(Noted(written.steps.into_iter().filter_map(note).collect()))
    }

    /// As many of the newest notes as fit.
    fn write(&self) -> Result<Vec<u8>, json::Error> {
        let mut count = self.0.len();
        loop {
            let (mut shops, mut vendors) = (Vec::new(), Vec::new());
            let mut steps = Vec::new();
            for (tran_id, note) in self.0.iter().rev().take(count) {
                let Note { shop, slug, title, more } = note.clone();
                let shop = place(&mut shops, shop);
                let mut step = WrittenNote {
                    tran_id: *tran_id,
                    shop,
                    slug,
                    title,
                    order: None,
                    page: None,
                    receipt: None,
                };
                match more {
                    Some(More::Order(order, page)) => (step.order, step.page) = (Some(order), page),
                    Some(More::Receipt(Terms { vendor_id, amount, date, secret_id, seal })) => {
                        let vendor = place(&mut vendors, vendor_id);
                        step.receipt = Some(WrittenTerms { vendor, amount, date, secret_id, seal });
                    }
                    None => {}
                }
                steps.push(step);
            }
            let written = Written { format: FORMAT, shops, vendors, steps };
            let plain = json::write(&written)?;
            if plain.len() <= PLAIN_MAX || count == 0 {
                return Ok(plain);
            }
            // The part that is too much, and a little more, so that this ends soon.
            count = count.saturating_sub(count / 16).saturating_sub(1);
        }
    }

    /// Takes the notes of a device over these ones. A device that has no record of a budget knows no order of it, and must
    /// not take away what another one has noted; orders from before `oldest` are of budgets that are over.
    fn add(&mut self, mut other: Noted, oldest: TranId) {
        for (tran_id, note) in &mut other.0 {
            if note.more.is_none() && *tran_id > oldest {
                note.more = self.of(tran_id).and_then(|known| known.more);
            }
        }
        self.0.extend(other.0);
    }

    /// The articles that budgets have paid.
    pub(super) fn articles(&self) -> impl Iterator<Item = LibraryEntry> {
        self.0.iter().filter_map(|(tran_id, note)| note.article(*tran_id))
    }
}

impl Note {
    fn article(&self, tran_id: TranId) -> Option<LibraryEntry> {
        let Note { shop, slug: Some(slug), title, more: Some(More::Receipt(terms)) } = self else {
            return None;
        };
        let receipt = Receipt {
            kind: ReceiptKind::Payment,
            vendor_id: terms.vendor_id.clone(),
            tran_id,
            subject: format!("{}/articles/{slug}", shop.origin).parse().ok()?,
            amount: terms.amount,
            date: terms.date,
            secret_id: terms.secret_id,
            seal: Seal::from_bytes(terms.seal),
        };
        LibraryEntry::bought_at(shop, title.clone().unwrap_or_else(|| slug.clone()), receipt)
    }
}

/// Where `value` stands in `list`, from now on at the latest.
fn place<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter().position(|known| *known == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
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
        let oldest = self.now().as_millis().saturating_sub(BUDGET_LASTS.as_millis());
        let oldest = TranId::new(Timestamp::from_millis(oldest), [0; 10]);
        for _ in 0..ROUNDS_MAX {
            let (version, kept) = self.fetch_notes().await?;
            let mut all = kept.clone();
            all.add(own.clone(), oldest);
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
            let mut changes = Changes::default();
            let is_new = self.take_articles(&mut changes, &kept).await?;
            self.wallet.noted = self.wallet.entries;
            changes.write("", &self.wallet)?;
            self.keep(changes).await?;
            if is_new {
                self.inner.tell(&WalletEvent::Records);
            }
            return Ok(());
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
        let orders = self.orders().await?;
        let mut own = BTreeMap::new();
        for article in &library {
            if let (tran_id, Some(more)) = (article.receipt.tran_id, more_of(article)) {
                let LibraryEntry { shop, slug, title, .. } = article.clone();
                own.insert(tran_id, Note { shop, slug: Some(slug), title: Some(title), more: Some(more) });
            }
        }
        for entry in entries {
            let Some(tran_id) = entry.tran_id.and_then(|id| id.parse().ok()) else { continue };
            let Some(shop) = entry.shop else { continue };
            let article = library.iter().find(|article| article.receipt.tran_id == tran_id);
            let slug = article.map(|article| article.slug.clone());
            let more = orders.iter().find(|(of, _)| *of == tran_id).map(|(_, order)| order.clone());
            own.insert(tran_id, Note { shop, slug, title: entry.title, more });
        }
        Ok(Noted(own))
    }

    /// The orders of budgets that go on.
    #[cfg(feature = "budgets")]
    async fn orders(&self) -> Result<Vec<(TranId, More)>, WalletError> {
        let budgets: Vec<BudgetRecord> = record::list(&*self.ports().storage, Scan::All).await?;
        let order = |budget: BudgetRecord| (budget.receipt.tran_id, More::Order(budget.order, budget.page));
        Ok(budgets.into_iter().filter(BudgetRecord::can_be_taken_up).map(order).collect())
    }

    #[cfg(not(feature = "budgets"))]
    async fn orders(&self) -> Result<Vec<(TranId, More)>, WalletError> {
        Ok(Vec::new())
    }

    /// Puts the articles into the library that budgets have paid, on this device or another. Tells whether one is new.
    pub(super) async fn take_articles(
        &self,
        changes: &mut Changes,
        noted: &Noted,
    ) -> Result<bool, WalletError> {
        let mut is_new = false;
        for article in noted.articles() {
            let name = at_shop(&article.shop.origin, &article.slug);
            let known: Option<LibraryEntry> = record::read(&*self.ports().storage, &name).await?;
            if known.is_none() {
                changes.write(&name, &article)?;
                is_new = true;
            }
        }
        Ok(is_new)
    }
}

/// What notes have to keep of an article that a budget has paid.
fn more_of(article: &LibraryEntry) -> Option<More> {
    let Receipt { vendor_id, amount, date, secret_id, seal, .. } = article.receipt.clone();
    // Notes say of the address only that it is an article's at its shop.
    let is_plain = LibraryEntry::bought_at(&article.shop, String::new(), article.receipt.clone())
        .is_some_and(|found| found.slug == article.slug);
    let seal = *seal.as_bytes();
    is_plain.then_some(More::Receipt(Terms { vendor_id, amount, date, secret_id, seal }))
}

#[cfg(test)]
mod tests {
    use tuppence_protocol::Timestamp;

    use super::*;

    /// Of each ten, one is an order, and one a receipt.
    fn more(number: u32) -> Option<More> {
        let server = |name: &str| VendorId {
            dns_name: name.parse().unwrap(),
            ip_addr: None,
            server_name: "Server".parse().unwrap(),
            port: 443,
        };
        let amount: Amount = "USD:0.5".parse().unwrap();
        match number % 10 {
            1 => {
                let (vendor_id, center_id) = (server("shop.example"), server("center.example"));
                let order = Order { vendor_id, center_id, value: amount, nonce: [7; 16] };
                Some(More::Order(order, Some("https://page.example".parse().unwrap())))
            }
            2 => Some(More::Receipt(Terms {
                vendor_id: server("shop.example"),
                amount,
                date: Timestamp::from_millis(u64::from(number)),
                secret_id: 3,
                seal: [9; 32],
            })),
            _ => None,
        }
    }

    fn noted(numbers: impl Iterator<Item = u32>) -> Noted {
        let note = |number: u32| {
            let tran_id = TranId::new(Timestamp::from_millis(u64::from(number)), [0; 10]);
            let shop = ShopRef { origin: "https://shop.example".into(), name: "Shop".into() };
            let title = Some(format!("The title of article number {number}, which is not short at all"));
            let slug = Some(format!("article-{number}"));
            (tran_id, Note { shop, slug, title, more: more(number) })
        };
        Noted(numbers.map(note).collect())
    }

    fn oldest(millis: u64) -> TranId {
        TranId::new(Timestamp::from_millis(millis), [0; 10])
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
    fn an_article_that_a_budget_has_paid_is_in_the_notes_with_its_receipt() {
        let noted = Noted::read(&noted(0..10).write().unwrap()).unwrap();
        let articles: Vec<_> = noted.articles().collect();
        assert_eq!(articles.len(), 1);
        let LibraryEntry { slug, url, receipt, .. } = articles[0].clone();
        assert_eq!((slug.as_str(), url.as_str()), ("article-2", "https://shop.example/articles/article-2"));
        assert_eq!(
            (receipt.tran_id.to_string(), receipt.subject.as_str()),
            (TranId::new(Timestamp::from_millis(2), [0; 10]).to_string(), url.as_str())
        );
        assert_eq!(more_of(&articles[0]), more(2));
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
        a.add(b_only, oldest(0));
        b.add(a_only, oldest(0));
        assert_eq!(a, b);
        assert_eq!(a, noted(0..15));
    }

    #[test]
    fn a_device_that_has_no_record_of_a_budget_does_not_take_its_order_from_the_notes() {
        let order = TranId::new(Timestamp::from_millis(11), [0; 10]);
        let mut elsewhere = noted(11..12);
        elsewhere.0.get_mut(&order).unwrap().more = None;
        let mut all = noted(11..12);
        all.add(elsewhere.clone(), oldest(10));
        assert_eq!(all, noted(11..12));
        all.add(elsewhere.clone(), oldest(12));
        assert_eq!(all, elsewhere, "an order is kept no longer than its budget can have a rest");
    }
}
