//! Naming again: entries that the books brought while a shop, or the center's notes, did not answer.

use tuppence_protocol::recovery::statement::StatementKind;
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};

use crate::error::WalletError;
use crate::kit::names::{Named, Names, Unnamed};
use crate::operation::session::Session;
use crate::ports::{Changes, Scan};
use crate::record::{self, Answered, at_shop};
use crate::view::{EntryKind, HistoryEntry, LibraryEntry, ShopRef, WalletEvent};

impl Session {
    /// Gives entries their names that have none, where somebody knows them now.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) async fn name_again(&mut self) -> Result<(), WalletError> {
        if !self.wallet.unnamed {
            return Ok(());
        }
        let storage = self.ports().storage.clone();
        let entries: Vec<HistoryEntry> = record::list(&*storage, Scan::All).await?;
        let library: Vec<LibraryEntry> = record::list(&*storage, Scan::All).await?;
        let mut names = Names::default();
        let mut changes = Changes::default();
        for mut entry in entries {
            let kind = match entry.kind {
                EntryKind::Earned => StatementKind::Issue,
                EntryKind::Paid => StatementKind::Payment,
                _ => continue,
            };
            let Some(receipt) = entry.receipt.clone().filter(|_| entry.title.is_none()) else { continue };
            let Receipt { vendor_id, tran_id, subject, .. } = &receipt;
            let named = names.of(self, Unnamed { kind, vendor_id, tran_id, subject: subject.as_str() }).await;
            let Some(shop) = named.shop.clone() else { continue };
            if kind == StatementKind::Issue {
                changes.write(&at_shop(&shop.origin, subject.as_str()), &Answered::Earned)?;
            } else {
                let known = library.iter().find(|article| article.receipt.tran_id == *tran_id);
                rename(&mut changes, known, &named, &receipt)?;
            }
            (entry.shop, entry.title) = (Some(shop), named.title);
            changes.write(&record::numbered(entry.number), &entry)?;
        }
        self.wallet.unnamed = names.missed;
        self.commit(changes, &[]).await?;
        self.inner.tell(&WalletEvent::Records);
        Ok(())
    }
}

/// Puts an article where its shop's own name for it says.
fn rename(
    changes: &mut Changes,
    known: Option<&LibraryEntry>,
    named: &Named,
    receipt: &Receipt,
) -> Result<(), WalletError> {
    if let Some(known) = known {
        changes.erase::<LibraryEntry>(&at_shop(&known.shop.origin, &known.slug));
    }
    match LibraryEntry::named(named, receipt) {
        Some(article) => changes.write(&at_shop(&article.shop.origin, &article.slug), &article),
        None => Ok(()),
    }
}

impl LibraryEntry {
    /// The article of a payment, as far as it has names; absent while not even its shop is known, and for budgets.
    pub(super) fn named(named: &Named, receipt: &Receipt) -> Option<Self> {
        let shop = named.shop.clone().filter(|_| receipt.subject.as_str().contains("://"))?;
        let slug = named.slug.clone().unwrap_or_else(|| receipt.tran_id.to_string());
        Some(LibraryEntry {
            shop,
            url: receipt.subject.to_string(),
            title: named.title.clone().unwrap_or_else(|| slug.clone()),
            slug,
            at: receipt.date,
            receipt: receipt.clone(),
        })
    }
    /// The article of a shop's receipt, if it is one of that shop's articles, or a part of one.
    pub(crate) fn bought_at(shop: &ShopRef, title: String, receipt: Receipt) -> Option<Self> {
        let begins = format!("{}/articles/", shop.origin);
        let slug = receipt.subject.as_str().strip_prefix(&begins)?.to_owned();
        let article = LibraryEntry {
            shop: shop.clone(),
            url: receipt.subject.to_string(),
            title,
            slug,
            at: receipt.date,
            receipt,
        };
        let whole = article.part().map_or(article.slug.as_str(), |(whole, _)| whole);
        let is_one =
            article.receipt.kind == ReceiptKind::Payment && !whole.is_empty() && !whole.contains('/');
        is_one.then_some(article)
    }
}

#[cfg(test)]
mod tests {
    use tuppence_protocol::{Seal, Timestamp, TranId, VendorId};

    use super::*;

    #[test]
    fn a_receipt_is_of_an_article_or_a_part_at_its_own_shop() {
        let shop = ShopRef { origin: "https://shop.example".into(), name: "Shop".into() };
        let entry = |subject: &str, kind| {
            let vendor_id = VendorId {
                dns_name: "shop.example".parse().unwrap(),
                ip_addr: None,
                server_name: "Shop".parse().unwrap(),
                port: 443,
            };
            let receipt = Receipt {
                kind,
                vendor_id,
                tran_id: TranId::from_bytes([1; 16]),
                subject: subject.parse().unwrap(),
                amount: "USD:0.03".parse().unwrap(),
                date: Timestamp::from_millis(5),
                secret_id: 1,
                seal: Seal::from_bytes([2; 32]),
            };
            LibraryEntry::bought_at(&shop, "Walk".into(), receipt)
        };
        let part = entry("https://shop.example/articles/walk/parts/3", ReceiptKind::Payment).unwrap();
        assert_eq!((part.slug.as_str(), part.part()), ("walk/parts/3", Some(("walk", 3))));
        let whole = entry("https://shop.example/articles/walk", ReceiptKind::Payment).unwrap();
        assert_eq!((whole.slug.as_str(), whole.part()), ("walk", None));
        assert!(entry("https://shop.example/articles/walk", ReceiptKind::Issue).is_none());
        for subject in [
            "https://other.example/articles/walk",
            "https://shop.example/walk",
            "https://shop.example/articles/",
            "https://shop.example/articles/a/b",
            "https://shop.example/articles//parts/1",
            "https://shop.example/articles/walk/parts/x",
            "https://shop.example/articles/a/b/parts/1",
        ] {
            assert!(entry(subject, ReceiptKind::Payment).is_none(), "{subject}");
        }
    }
}
