//! An allowance: a page may have articles of one shop paid without asking, up to a sum a day (UTC). The reader gives it
//! with an approval, sees it, and ends it.
//!
//! What it covers is counted before it is paid, so that no crash and no second tab spends more than was allowed.

use serde::{Deserialize, Serialize};
use tuppence_protocol::{Amount, Timestamp};

use crate::error::{Problem, WalletError};
use crate::operation::session::Session;
use crate::origin::Origin;
use crate::ports::{Changes, Scan};
use crate::record::{self, at_shop};
use crate::view::{Allowance, ShopRef};
use crate::wallet::Inner;

const DAY_MS: u64 = 86_400_000;

/// An allowance as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AllowanceRecord {
    shop: ShopRef,
    page: Origin,
    a_day: Amount,
    /// The day of `spent`, counted from 1970.
    day: u64,
    spent: Amount,
}

impl AllowanceRecord {
    fn name(&self) -> String {
        at_shop(&self.shop.origin, self.page.as_str())
    }

    /// As it is on the day of `now`.
    fn on(mut self, now: Timestamp) -> Self {
        let day = now.as_millis() / DAY_MS;
        // A clock that was set back gives nothing again.
        if day > self.day {
            self.day = day;
            self.spent = Amount::zero(self.a_day.currency());
        }
        self
    }

    /// What is spent then, if it covers `price` too.
    fn with(&self, price: Amount) -> Option<Amount> {
        self.spent.checked_add(price).ok().filter(|spent| self.a_day.covers(*spent))
    }
}

/// All of them, as they are today.
pub(crate) async fn allowances(inner: &Inner) -> Result<Vec<Allowance>, WalletError> {
    let known: Vec<AllowanceRecord> = record::list(&*inner.ports.storage, Scan::All).await?;
    let now = inner.ports.clock.now();
    let view = |known: AllowanceRecord| {
        let AllowanceRecord { shop, page, a_day, spent, .. } = known.on(now);
        Allowance { shop, page: page.to_string(), a_day, spent }
    };
    Ok(known.into_iter().map(view).collect())
}

impl Session {
    /// Lets `page` have articles of `shop` paid, up to `a_day` each day.
    pub(crate) async fn allow(&self, shop: ShopRef, page: Origin, a_day: Amount) -> Result<(), WalletError> {
        let (day, nothing) = (self.now().as_millis() / DAY_MS, Amount::zero(a_day.currency()));
        // Given anew, it does not forget what was spent today.
        let known = self.allowance(&shop.origin, &page).await?;
        let spent = known.map_or(nothing, |known| known.spent);
        self.keep_allowance(&AllowanceRecord { shop, page, a_day, day, spent }).await
    }

    /// From now on the page asks again.
    pub(crate) async fn end_allowance(&self, shop: &Origin, page: &Origin) -> Result<(), WalletError> {
        let mut changes = Changes::default();
        changes.erase::<AllowanceRecord>(&at_shop(shop.as_str(), page.as_str()));
        self.keep(changes).await
    }

    /// Counts what `page` is about to pay without asking.
    ///
    /// # Errors
    /// `price_changed` where the allowance does not cover it.
    pub(crate) async fn count_allowed(
        &self,
        shop: &Origin,
        page: &Origin,
        price: Amount,
    ) -> Result<(), WalletError> {
        let known = self.allowance(shop.as_str(), page).await?.ok_or(Problem::PriceChanged)?;
        let spent = known.with(price).ok_or(Problem::PriceChanged)?;
        self.keep_allowance(&AllowanceRecord { spent, ..known }).await
    }

    /// Takes back what was counted and then cost nothing. The reader may have ended the allowance meanwhile.
    pub(crate) async fn uncount_allowed(
        &self,
        shop: &Origin,
        page: &Origin,
        price: Amount,
    ) -> Result<(), WalletError> {
        let Some(known) = self.allowance(shop.as_str(), page).await? else { return Ok(()) };
        match known.spent.checked_sub(price) {
            Ok(spent) => self.keep_allowance(&AllowanceRecord { spent, ..known }).await,
            // Counted yesterday.
            Err(_) => Ok(()),
        }
    }

    /// An allowance as it is today.
    async fn allowance(&self, shop: &str, page: &Origin) -> Result<Option<AllowanceRecord>, WalletError> {
        let known =
            record::read::<AllowanceRecord>(&*self.ports().storage, &at_shop(shop, page.as_str())).await?;
        Ok(known.map(|known| known.on(self.now())))
    }

    async fn keep_allowance(&self, record: &AllowanceRecord) -> Result<(), WalletError> {
        let mut changes = Changes::default();
        changes.write(&record.name(), record)?;
        self.keep(changes).await
    }
}
