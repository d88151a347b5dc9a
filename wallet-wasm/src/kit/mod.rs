//! The recovery kit: what few visits need, and therefore need not fetch (docs/decisions/0007).
//!
//! It shows the recovery words and asks them back, restores a wallet, follows the center's books where they have gone
//! on without this wallet, asks how cash-outs stand, keeps the notes, writes and reads copies, and buys and looks after
//! budgets. The rest of the wallet reaches it through
//! [`Kit`] alone: native programs have it within ([`Included`]), the wallet's site fetches it as a second WebAssembly
//! module the first time that it is asked for.
//!
//! Both are the same code on the same records. **Whoever asks it holds the wallet's lock** and reads the records
//! again afterwards, so that there is one writer and nothing to hand over. What is to be done is in the records, too:
//! where the kit cannot be had, it stays to be done.

mod backup;
mod follow;
#[cfg(feature = "budgets")]
mod granting;
mod names;
mod naming;
mod notes;
mod restore;
mod words;

#[cfg(not(target_arch = "wasm32"))]
pub use backup::copy_again;

use std::rc::Rc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tuppence_protocol::Amount;

use crate::error::{Problem, WalletError};
use crate::operation::session::Session;
use crate::origin::Origin;
use crate::ports::{Changes, Scan};
use crate::record::{Record, WalletRecord};
use crate::view::{Progress, RememberedWord};
use crate::wallet::{Inner, Wallet};

/// What the kit is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Task {
    /// To give the twelve words.
    Words,
    /// To note that the words are saved, if these are right.
    Confirm(Vec<RememberedWord>),
    /// To put the wallet of these words in place of all records, as it was when it was new.
    Restore {
        /// The words, as they were typed.
        words: String,
        /// Whether to give up a wallet that is there.
        replace: bool,
    },
    /// To bring scrip and history to where the center's books are.
    Follow,
    /// To ask how the open cash-out orders stand.
    Orders,
    /// To give the whole wallet as text.
    Export,
    /// To put the wallet of this text in place of all records.
    Import {
        /// The text.
        copy: String,
        /// Whether to give up a wallet that is there.
        replace: bool,
    },
    /// To name what has no name yet, and to keep the notes.
    Notes,
    /// To finish what is open, budgets too.
    Settle,
    /// To buy a budget for a page, and to give what pays there.
    BuyBudget {
        /// Where it can be spent.
        shop: Origin,
        /// The page's origin.
        page: Origin,
        /// How much.
        value: Amount,
    },
    /// To ask the shops how the budgets stand, and to give what was granted.
    Granted,
    /// To end a budget.
    EndBudget {
        /// Where it is.
        shop: Origin,
        /// The page that spends it, or this wallet.
        page: Option<Origin>,
    },
    /// To let a page have articles paid without asking.
    Allow {
        /// Whose articles.
        shop: Origin,
        /// The page's origin.
        page: Origin,
        /// How much a day.
        a_day: Amount,
    },
    /// To have the page ask again.
    EndAllowance {
        /// Whose articles.
        shop: Origin,
        /// The page's origin.
        page: Origin,
    },
    /// To count what a page is about to pay without asking, and to give the day on which it counts.
    Count {
        /// Whose article.
        shop: Origin,
        /// The page's origin.
        page: Origin,
        /// What it costs.
        price: Amount,
    },
    /// To take back what was counted and has cost nothing.
    Uncount {
        /// Whose article.
        shop: Origin,
        /// The page's origin.
        page: Origin,
        /// What it would have cost.
        price: Amount,
        /// The day on which it was counted.
        day: u64,
    },
}

/// Hears how far the kit is.
pub type Heard = Rc<dyn Fn(Progress)>;

/// The kit, wherever it is.
#[async_trait(?Send)]
pub trait Kit {
    /// Does a task for `wallet`, whose lock the caller holds, and gives what was asked for: the words, or the copy.
    async fn run(&self, wallet: &Wallet, task: Task, heard: Heard) -> Result<Vec<String>, WalletError>;
}

/// The kit within this program.
#[derive(Debug, Clone, Copy, Default)]
pub struct Included;

#[async_trait(?Send)]
impl Kit for Included {
    async fn run(&self, wallet: &Wallet, task: Task, heard: Heard) -> Result<Vec<String>, WalletError> {
        let inner = &wallet.0;
        let session = async || Session::under_lock(inner).await;
        match task {
            Task::Words => {
                let words = session().await?.mnemonic().await?.words();
                return Ok(words.into_iter().map(str::to_owned).collect());
            }
            Task::Confirm(remembered) => session().await?.confirm_words(&remembered).await?,
            Task::Restore { words, replace } => restore::restore(inner, &words, replace, &*heard).await?,
            Task::Follow => session().await?.follow().await?,
            Task::Orders => session().await?.refresh_orders().await?,
            Task::Export => return Ok(vec![backup::export(&session().await?).await?]),
            Task::Import { copy, replace } => backup::import(inner, &copy, replace).await?,
            Task::Notes => {
                let mut session = session().await?;
                session.name_again().await?;
                session.keep_notes().await?;
            }
            Task::Settle => session().await?.settle().await?,
            #[cfg(feature = "budgets")]
            granted => return granting::run(&mut session().await?, granted).await,
            #[cfg(not(feature = "budgets"))]
            _ => return Err(Problem::KitUnavailable.into()),
        }
        Ok(Vec::new())
    }
}

/// Takes all records away, so that others can take their place. A wallet is given up only with `replace`.
async fn clear(inner: &Inner, replace: bool) -> Result<Changes, WalletError> {
    let existing = inner.ports.storage.list("", Scan::All).await?;
    if existing.iter().any(|(key, _)| key == WalletRecord::PREFIX) && !replace {
        return Err(Problem::WalletExists.into());
    }
    let mut changes = Changes::default();
    for (key, _) in existing {
        changes.remove(key);
    }
    Ok(changes)
}

/// Asks the kit of this wallet.
pub(crate) async fn ask(inner: &Rc<Inner>, task: Task, heard: Heard) -> Result<Vec<String>, WalletError> {
    inner.ports.kit.run(&Wallet(inner.clone()), task, heard).await
}

/// Progress that nobody hears of.
pub(crate) fn unheard() -> Heard {
    Rc::new(|_| ())
}
