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

    /// What is spent then, if `price` was counted on `day` and has cost nothing. What was counted on another day is not
    /// part of it.
    fn without(&self, price: Amount, day: u64) -> Option<Amount> {
        self.spent.checked_sub(price).ok().filter(|_| self.day == day)
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

    /// Counts what `page` is about to pay without asking, and gives the day on which it counts.
    ///
    /// # Errors
    /// `price_changed` where the allowance does not cover it.
    pub(crate) async fn count_allowed(
        &self,
        shop: &Origin,
        page: &Origin,
        price: Amount,
    ) -> Result<u64, WalletError> {
        let known = self.allowance(shop.as_str(), page).await?.ok_or(Problem::PriceChanged)?;
        let spent = known.with(price).ok_or(Problem::PriceChanged)?;
        let day = known.day;
        self.keep_allowance(&AllowanceRecord { spent, ..known }).await?;
        Ok(day)
    }

    /// Takes back what was counted on `day` and then cost nothing. The reader may have ended the allowance meanwhile.
    pub(crate) async fn uncount_allowed(
        &self,
        shop: &Origin,
        page: &Origin,
        price: Amount,
        day: u64,
    ) -> Result<(), WalletError> {
        let Some(known) = self.allowance(shop.as_str(), page).await? else { return Ok(()) };
        match known.without(price, day) {
            Some(spent) => self.keep_allowance(&AllowanceRecord { spent, ..known }).await,
            None => Ok(()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    /// Four cents a day, of which `spent` was spent on day 10.
    fn allowance(spent: &str) -> AllowanceRecord {
        AllowanceRecord {
            shop: ShopRef { origin: "https://shop.example".to_owned(), name: "The Shop".to_owned() },
            page: "https://page.example".parse().unwrap(),
            a_day: amount("USD:0.04"),
            day: 10,
            spent: amount(spent),
        }
    }

    fn day(number: u64) -> Timestamp {
        Timestamp::from_millis(number * DAY_MS + 1)
    }

    #[test]
    fn a_new_day_begins_at_nothing_and_a_clock_that_is_set_back_begins_none() {
        let full = allowance("USD:0.04");
        assert_eq!(full.clone().on(day(10)).with(amount("USD:0.01")), None);
        assert_eq!(full.clone().on(day(9)).with(amount("USD:0.01")), None);
        assert_eq!(full.on(day(11)).with(amount("USD:0.01")), Some(amount("USD:0.01")));
    }

    #[test]
    fn what_was_counted_yesterday_gives_nothing_back_today() {
        let counted = allowance("USD:0.03");
        assert_eq!(counted.without(amount("USD:0.01"), 10), Some(amount("USD:0.02")));
        let next = AllowanceRecord { spent: amount("USD:0.03"), ..counted.on(day(11)) };
        assert_eq!(next.without(amount("USD:0.01"), 10), None);
    }
}
