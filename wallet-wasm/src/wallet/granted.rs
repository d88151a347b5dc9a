//! What was approved for longer than one payment: budgets at shops that pages spend, and allowances. What it takes besides
//! paying is in the [kit](crate::kit).

use std::rc::Rc;

use serde::de::DeserializeOwned;
use tuppence_protocol::Amount;

use crate::error::{Money, Problem, WalletError};
use crate::json;
use crate::kit::Task;
use crate::operation::pay;
use crate::operation::session::Session;
use crate::origin::Origin;
use crate::ports::Scan;
use crate::record::{ShopRecord, at_shop};
use crate::shop_wire::Article;
use crate::view::{Budget, Granted, Paid, WalletEvent};
use crate::wallet::{Inner, Wallet, catalogue};

/// The kinds of records that say so.
const BUDGETS: &str = "budget/";
const ALLOWANCES: &str = "allowance/";

impl Wallet {
    /// The budgets at shops, as far as this wallet knows.
    ///
    /// # Errors
    /// `storage_unavailable`, `record_damaged`.
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn budgets(&self) -> Result<Vec<Budget>, WalletError> {
        crate::operation::budget::budgets(&self.0).await
    }

    /// Buys a budget of `value` at a shop for the page of the origin `page`, and gives what pays there (the JSON of a
    /// [`Holding`](tuppence_protocol::vendor_scrip::Holding)), to be handed to that page alone. A budget that this page had at
    /// this shop is ended first.
    ///
    /// # Errors
    /// `balance_insufficient`, `shop_foreign`, `shop_unreachable`, `argument_invalid`, `kit_unavailable`; with money `open`
    /// where the payment is still being confirmed.
    pub async fn buy_budget(&self, shop: &str, page: &str, value: Amount) -> Result<String, WalletError> {
        let (shop, page) = (shop.parse()?, page.parse()?);
        told(ask(&self.0, Task::BuyBudget { shop, page, value }).await?)
    }

    /// Whether anything was approved for longer than one payment.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn has_granted(&self) -> Result<bool, WalletError> {
        for prefix in [BUDGETS, ALLOWANCES] {
            if !self.0.ports.storage.list(prefix, Scan::All).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What was approved for longer than one payment, after the shops were asked how those budgets stand that pages spend.
    /// The rest of what a page has ended is in the balance then.
    ///
    /// # Errors
    /// `storage_unavailable`, `record_damaged`, `kit_unavailable`; not for shops that do not answer.
    pub async fn granted(&self) -> Result<Granted, WalletError> {
        read(&told(ask(&self.0, Task::Granted).await?)?)
    }

    /// Ends the budget at a shop, this wallet's own or that of a page, so that the rest comes back at once; gives it as it was.
    /// Where the shop does not answer, the rest comes back by itself, seven days after its end.
    ///
    /// # Errors
    /// `argument_invalid` where there is none; `shop_unreachable`, `center_unreachable`, `kit_unavailable`.
    pub async fn end_budget(&self, shop: &str, page: Option<&str>) -> Result<Budget, WalletError> {
        let (shop, page) = (shop.parse()?, page.map(str::parse).transpose()?);
        read(&told(ask(&self.0, Task::EndBudget { shop, page }).await?)?)
    }

    /// Lets the page of the origin `page` have articles of a shop paid without asking, up to `a_day` each day.
    ///
    /// # Errors
    /// `shop_foreign`, `shop_unreachable`, `argument_invalid`, `storage_unavailable`, `kit_unavailable`.
    pub async fn allow(&self, shop: &str, page: &str, a_day: Amount) -> Result<(), WalletError> {
        let (shop, page) = (shop.parse()?, page.parse()?);
        ask(&self.0, Task::Allow { shop, page, a_day }).await.map(drop)
    }

    /// From now on the page asks again.
    ///
    /// # Errors
    /// `argument_invalid`, `storage_unavailable`, `busy_elsewhere`, `kit_unavailable`.
    pub async fn end_allowance(&self, shop: &str, page: &str) -> Result<(), WalletError> {
        let (shop, page) = (shop.parse()?, page.parse()?);
        ask(&self.0, Task::EndAllowance { shop, page }).await.map(drop)
    }

    /// Whether a page may have articles of a shop paid without asking; how much is left of that for today, [`pay_allowed`](
    /// Wallet::pay_allowed) finds out.
    ///
    /// # Errors
    /// `storage_unavailable`, `argument_invalid`.
    pub async fn may_be_allowed(&self, shop: &str, page: &str) -> Result<bool, WalletError> {
        let (shop, page): (Origin, Origin) = (shop.parse()?, page.parse()?);
        let name = at_shop(shop.as_str(), page.as_str());
        Ok(self.0.ports.storage.read(&format!("{ALLOWANCES}{name}")).await?.is_some())
    }

    /// Pays an article for a page without asking, if its allowance covers the price.
    ///
    /// # Errors
    /// `price_changed` where it does not; as [`Wallet::pay`].
    pub async fn pay_allowed(&self, shop: &str, page: &str, slug: &str) -> Result<Paid, WalletError> {
        let (origin, page): (Origin, Origin) = (shop.parse()?, page.parse()?);
        if let Some(article) = pay::bought(&self.0, origin.as_str(), slug).await? {
            return Ok(Paid { charged: false, article, text: None });
        }
        let shop = catalogue::accepting_shop(&self.0, &origin).await?;
        let article = catalogue::article(&self.0, &origin, slug).await?;
        pay_unasked(&self.0, shop, page, article).await
    }
}

/// Pays `article` for `page`. It is counted before it is paid, so that no crash and no second tab spends more than was
/// allowed.
async fn pay_unasked(
    inner: &Rc<Inner>,
    shop: ShopRecord,
    page: Origin,
    article: Article,
) -> Result<Paid, WalletError> {
    let price = article.price.ok_or(Problem::PriceChanged)?;
    let origin = shop.origin.clone();
    let day =
        read(&told(ask(inner, Task::Count { shop: origin.clone(), page: page.clone(), price }).await?)?)?;
    let paid = pay::pay(inner, shop, article, price).await;
    let cost_nothing = match &paid {
        Ok(paid) => !paid.charged,
        Err(error) => error.money == Money::Untouched,
    };
    if cost_nothing {
        let _ = ask(inner, Task::Uncount { shop: origin, page, price, day }).await;
    }
    paid
}

async fn ask(inner: &Rc<Inner>, task: Task) -> Result<Vec<String>, WalletError> {
    // Looking changes nothing that the kit does not tell of itself.
    let changes = !matches!(task, Task::Granted);
    let told = Session::open(inner).await?.ask_kit(task).await?;
    if changes {
        inner.tell(&WalletEvent::Records);
    }
    Ok(told)
}

fn told(told: Vec<String>) -> Result<String, WalletError> {
    told.into_iter().next().ok_or_else(|| Problem::KitUnavailable.into())
}

fn read<T: DeserializeOwned>(told: &str) -> Result<T, WalletError> {
    json::read(told.as_bytes()).map_err(|_| Problem::KitUnavailable.into())
}
