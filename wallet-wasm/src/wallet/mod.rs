//! The wallet: what an interface can ask of it.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use futures_util::future::LocalBoxFuture;
use tuppence_protocol::Amount;
use tuppence_protocol::envelope::Fingerprint;

use crate::error::{Problem, WalletError};
use crate::kit::{self, Task};
use crate::operation::session::{Session, check_version};
use crate::operation::{self, Errand, Operation, Stage};
use crate::origin::Origin;
use crate::ports::{Ports, Scan, Storage, Subscription};
use crate::record::{self, WalletRecord};
#[cfg(not(target_arch = "wasm32"))]
use crate::view::BudgetMethod;
use crate::view::{
    ArticleCard, ArticleText, Balance, Bought, CampaignCard, CampaignDetail, CashOutOrder, CashOutTerms,
    Earned, HistoryDetail, HistoryEntry, LibraryEntry, Paid, PendingOperation, Progress, RecoveryState,
    RememberedWord, ShopInfo, Status, StorageState, WalletEvent,
};

mod by_url;
pub(crate) mod catalogue;
mod granted;
mod keeping;

/// Where the wallet belongs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The payment center's origin, such as `https://center.example`.
    pub center_origin: Origin,
    /// The fingerprint of its key, where it came with the program. Otherwise the first key that is seen is
    /// trusted, pinned and shown.
    pub fingerprint: Option<Fingerprint>,
}

/// The wallet of one center. Clones are the same wallet.
///
/// Nothing that matters is kept in memory: each call reads the records, so that several tabs agree. Dropping
/// a call's future is like a crash: what was begun is finished by [`Wallet::resume`].
#[derive(Debug, Clone)]
pub struct Wallet(pub(crate) Rc<Inner>);

/// A wallet that may have been dropped.
#[derive(Debug, Clone)]
pub struct WeakWallet(Weak<Inner>);

impl WeakWallet {
    /// The wallet, while somebody uses it.
    pub fn upgrade(&self) -> Option<Wallet> {
        self.0.upgrade().map(Wallet)
    }
}

pub(crate) struct Inner {
    pub(crate) ports: Ports,
    pub(crate) config: Config,
    listeners: RefCell<Vec<Rc<Listener>>>,
    /// That somebody does not want to wait for a registration's work. A wish, not a record: a reload forgets it.
    pub(crate) stop_asked: Cell<bool>,
}

type Listener = dyn Fn(WalletEvent);
type Result<T> = std::result::Result<T, WalletError>;

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wallet").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Inner {
    /// Tells this tab and the others.
    pub(crate) fn tell(&self, event: &WalletEvent) {
        let listeners = self.listeners.borrow().clone();
        for listener in listeners {
            listener(event.clone());
        }
        self.ports.events.broadcast(event);
    }

    async fn wallet(&self) -> Result<Option<WalletRecord>> {
        record::read(&*self.ports.storage, "").await
    }

    async fn existing(&self) -> Result<WalletRecord> {
        self.wallet().await?.ok_or_else(|| keeping::no_wallet(self))
    }
}

impl Wallet {
    /// Opens the records and checks that this program can read them. Asks nobody; [`Wallet::resume`] does.
    ///
    /// # Errors
    /// `storage_unavailable`, `record_newer`, `record_damaged`.
    pub async fn open(ports: Ports, config: Config) -> Result<Wallet> {
        let inner =
            Rc::new(Inner { ports, config, listeners: RefCell::default(), stop_asked: Cell::default() });
        if let Some(wallet) = inner.wallet().await? {
            check_version(&wallet)?;
            if wallet.center.origin != inner.config.center_origin {
                return Err(Problem::BackupForeign.into());
            }
        }
        Ok(Wallet(inner))
    }

    /// The center whose wallet these records are, or are about to be; nothing where there is none yet.
    ///
    /// # Errors
    /// `storage_unavailable`, `record_damaged`.
    pub async fn center_of(storage: &dyn Storage) -> Result<Option<Origin>> {
        if let Some(wallet) = record::read::<WalletRecord>(storage, "").await? {
            return Ok(Some(wallet.center.origin));
        }
        let operations: Vec<Operation> = record::list(storage, Scan::All).await?;
        Ok(operations.into_iter().find_map(|operation| match operation.errand {
            Errand::Register { center, .. } => Some(center.origin),
            _ => None,
        }))
    }

    /// The same wallet, without keeping it open.
    pub fn downgrade(&self) -> WeakWallet {
        WeakWallet(Rc::downgrade(&self.0))
    }

    /// Whether there is a wallet yet, and whose.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn status(&self) -> Result<Status> {
        let wallet = self.0.wallet().await?;
        Ok(Status {
            registered: wallet.is_some(),
            lost: keeping::is_lost(&self.0, wallet.as_ref()),
            created: wallet.as_ref().map(|wallet| wallet.created),
            center: wallet.map(|wallet| wallet.center.view()),
        })
    }

    /// Creates the wallet: meets the center, solves its challenge in slices, registers. Finishes an
    /// unfinished creation rather than beginning another, and leaves an existing wallet as it is.
    ///
    /// # Errors
    /// `center_unreachable`, `center_key_changed`, `center_invalid`, `stopped`, and the center's refusals;
    /// `wallet_lost` where this browser had a wallet, which is to be restored.
    pub async fn register(&self, progress: impl Fn(Progress)) -> Result<()> {
        operation::register::register(&self.0, &progress).await
    }

    /// Stops [`Wallet::register`] of this wallet while it works on the challenge: it fails with `stopped`, and
    /// nothing is kept. Once R1 is stored, it goes on to its end.
    pub fn stop_registering(&self) {
        self.0.stop_asked.set(true);
    }

    /// Balance, what is under way, and what changed it last.
    ///
    /// # Errors
    /// `no_wallet`, `storage_unavailable`.
    pub async fn balance(&self) -> Result<Balance> {
        let wallet = self.0.existing().await?;
        Ok(Balance {
            amount: wallet.scrip.scrip.value,
            pending: self.pending().await?,
            last: self.history(None, 1).await?.pop(),
        })
    }

    /// At most `limit` entries, newest first, only those numbered below `before` where it is given.
    ///
    /// # Errors
    /// `storage_unavailable`, `record_damaged`.
    pub async fn history(&self, before: Option<u64>, limit: usize) -> Result<Vec<HistoryEntry>> {
        let before = before.map(|number| format!("history/{}", record::numbered(number)));
        record::list(&*self.0.ports.storage, Scan::Latest { before, limit }).await
    }

    /// An entry with the messages that were exchanged for it.
    ///
    /// # Errors
    /// `entry_unknown`, `storage_unavailable`.
    pub async fn history_detail(&self, number: u64) -> Result<HistoryDetail> {
        let (storage, name) = (&*self.0.ports.storage, record::numbered(number));
        let entry: Option<HistoryEntry> = record::read(storage, &name).await?;
        let exchange = record::read(storage, &name).await?.unwrap_or_default();
        Ok(HistoryDetail { entry: entry.ok_or(Problem::EntryUnknown)?, exchange })
    }

    /// The shops of the center, each in its own words; one that does not answer is shown as it was last known.
    ///
    /// # Errors
    /// `center_unreachable` while no shop is known yet.
    pub async fn shops(&self) -> Result<Vec<ShopInfo>> {
        catalogue::shops(&self.0).await
    }

    /// One shop, asked now.
    ///
    /// # Errors
    /// `shop_unreachable`, `shop_invalid`, `argument_invalid`.
    pub async fn shop(&self, origin: &str) -> Result<ShopInfo> {
        let shop = catalogue::shop(&self.0, &origin.parse()?).await?;
        Ok(catalogue::info(&self.0, &shop))
    }

    /// The questions that a shop asks now, with what this wallet has answered.
    ///
    /// # Errors
    /// `shop_unreachable`, `shop_invalid`, `argument_invalid`.
    pub async fn campaigns(&self, shop: &str) -> Result<Vec<CampaignCard>> {
        catalogue::campaigns(&self.0, &shop.parse()?).await
    }

    /// One campaign with its questions.
    ///
    /// # Errors
    /// `shop_unreachable`, `shop_invalid`, `item_unknown`.
    pub async fn campaign(&self, shop: &str, item: &str) -> Result<CampaignDetail> {
        catalogue::campaign_detail(&self.0, &shop.parse()?, item).await
    }

    /// Answers a campaign (a choice's id or text for each question) and takes the reward.
    ///
    /// # Errors
    /// `answer_wrong` with the shop's document, `already_answered`, `campaign_exhausted`, `answer_invalid`,
    /// `shop_foreign`; with money `open` where the reward is still on its way.
    pub async fn earn(&self, shop: &str, item: &str, answers: &[String]) -> Result<Earned> {
        let origin = shop.parse()?;
        let shop = catalogue::accepting_shop(&self.0, &origin).await?;
        let campaign = catalogue::campaign(&self.0, &origin, item).await?;
        operation::earn::earn(&self.0, shop, campaign, answers).await
    }

    /// The articles that a shop sells, with which of them are paid.
    ///
    /// # Errors
    /// `shop_unreachable`, `shop_invalid`, `argument_invalid`.
    pub async fn articles(&self, shop: &str) -> Result<Vec<ArticleCard>> {
        catalogue::articles(&self.0, &shop.parse()?).await
    }

    /// One article of a shop.
    ///
    /// # Errors
    /// `article_unknown`, `shop_unreachable`, `shop_invalid`.
    pub async fn article(&self, shop: &str, slug: &str) -> Result<ArticleCard> {
        catalogue::article_card(&self.0, &shop.parse()?, slug).await
    }

    /// Pays an article at no more than the `approved` price. An article that is paid already, or being
    /// paid, is never paid again.
    ///
    /// # Errors
    /// `price_changed`, `balance_insufficient`, `shop_foreign`, `article_unknown`; with money `open` where
    /// the payment is still being confirmed.
    pub async fn pay(&self, shop: &str, slug: &str, approved: Amount) -> Result<Paid> {
        let origin = shop.parse()?;
        if let Some(article) = operation::pay::bought(&self.0, Origin::as_str(&origin), slug).await? {
            return Ok(Paid { charged: false, article, text: None });
        }
        let shop = catalogue::accepting_shop(&self.0, &origin).await?;
        let article = catalogue::article(&self.0, &origin, slug).await?;
        operation::pay::pay(&self.0, shop, article, approved).await
    }

    /// Gets the article at an address, from any shop of this center, and pays at most `approved` for it; `told` hears
    /// what is about to be paid, before any money moves. What is paid already, or free, costs nothing.
    ///
    /// # Errors
    /// As [`Wallet::pay`]; `shop_invalid` where the address asks for no payment that this wallet knows; with money
    /// `moved` where it is paid and the article did not come: the same again fetches it.
    pub async fn pay_url(&self, url: &str, approved: Amount, told: impl Fn(&ArticleCard)) -> Result<Bought> {
        by_url::pay_url(&self.0, url, approved, &told).await
    }

    /// The same from a budget at the shop, which one approval has bought: then the shop alone is asked, and the article
    /// costs the center no message. Where there is no budget with enough left, the old one is ended and one of `budget` is
    /// bought: in what `method` says, else in what the shop names first. A budget in paywords is for as many whole ones
    /// as `budget` pays.
    ///
    /// # Errors
    /// As [`Wallet::pay_url`]; `shop_invalid` where the shop takes no such budgets.
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn pay_url_from_budget(
        &self,
        url: &str,
        approved: Amount,
        budget: Amount,
        method: Option<BudgetMethod>,
        told: impl Fn(&ArticleCard),
    ) -> Result<Bought> {
        by_url::pay_url_from_budget(&self.0, url, approved, (budget, method), &told).await
    }

    /// The articles that were paid, newest first.
    ///
    /// # Errors
    /// `storage_unavailable`, `record_damaged`.
    pub async fn library(&self) -> Result<Vec<LibraryEntry>> {
        let mut library: Vec<LibraryEntry> = record::list(&*self.0.ports.storage, Scan::All).await?;
        library.sort_by_key(|article| std::cmp::Reverse(article.at));
        Ok(library)
    }

    /// Fetches a paid article with its receipt, any number of times.
    ///
    /// # Errors
    /// `not_owned`, `shop_unreachable`, `receipt_invalid`.
    pub async fn open_article(&self, shop: &str, slug: &str) -> Result<ArticleText> {
        let origin: Origin = shop.parse()?;
        let entry = operation::pay::bought(&self.0, origin.as_str(), slug).await?;
        operation::pay::open_article(&self.0, &entry.ok_or(Problem::NotOwned)?).await
    }

    /// What cashing out asks for, from the center.
    ///
    /// # Errors
    /// `center_unreachable`, `center_key_changed`, `no_wallet`.
    pub async fn cash_out_terms(&self) -> Result<CashOutTerms> {
        let balance = self.0.existing().await?.scrip.scrip.value;
        operation::cash_out::terms(&self.0, balance).await
    }

    /// Orders that `amount` be paid out, less the fee, to `destination`.
    ///
    /// # Errors
    /// `below_threshold`, `balance_insufficient`, `argument_invalid`; with money `open` where the order is
    /// still being confirmed.
    pub async fn cash_out(&self, amount: Amount, destination: &str) -> Result<CashOutOrder> {
        operation::cash_out::cash_out(&self.0, amount, destination).await
    }

    /// The orders, newest first; open ones as the center has them now. A returned one is back in the balance.
    ///
    /// # Errors
    /// `storage_unavailable`, `record_damaged`.
    pub async fn cash_out_orders(&self) -> Result<Vec<CashOutOrder>> {
        operation::cash_out::orders(&self.0).await
    }

    /// What is under way, oldest first, without doing anything about it.
    ///
    /// # Errors
    /// `storage_unavailable`, `record_damaged`.
    pub fn pending(&self) -> LocalBoxFuture<'_, Result<Vec<PendingOperation>>> {
        Box::pin(async move {
            let minutes = self.0.wallet().await?.map_or(0, |wallet| wallet.center.pending_minutes);
            let operations: Vec<Operation> = record::list(&*self.0.ports.storage, Scan::All).await?;
            Ok(operations.iter().map(|operation| operation.view(minutes)).collect())
        })
    }

    /// Finishes what was under way when the wallet was last closed; gives what is still open, and why. Call it
    /// on every start, and when the network is back.
    ///
    /// # Errors
    /// `storage_unavailable`, `busy_elsewhere`; not for what stays open.
    pub fn resume(&self) -> LocalBoxFuture<'_, Result<Vec<PendingOperation>>> {
        Box::pin(async move {
            if let Some(wallet) = self.0.wallet().await? {
                keeping::mark(&self.0).await;
                let open = self.pending().await?;
                if wallet.stale || !open.is_empty() {
                    self.finish_open().await?;
                }
            } else if !self.pending().await?.is_empty() {
                // Where the creation still has no answer, it stays open.
                let _ = self.register(|_| ()).await;
            }
            // A shop that does not answer must not hold up the rest; its request is sent again the next time.
            #[cfg(not(target_arch = "wasm32"))]
            let _ = operation::budget::spend::finish(&self.0).await;
            self.pending().await
        })
    }

    async fn finish_open(&self) -> Result<()> {
        let mut session = Session::open(&self.0).await?;
        let operations = session.operations().await?;
        for operation in operations.into_iter().filter(|operation| matches!(operation.stage, Stage::Asking)) {
            // What stays open says so itself. While it may have moved money, a reward would end it unseen (rule 5).
            if session.settle().await.is_err() {
                return Ok(());
            }
            // An answer without its reward must not hold up the others.
            let _ = session.run(operation).await;
        }
        let _ = session.settle().await;
        Ok(())
    }

    /// Fetches the live scrip from the center (PM6_2), so that a restored wallet is right again.
    ///
    /// # Errors
    /// `no_wallet`, `center_unreachable`, `purse_unknown`.
    pub async fn resync(&self) -> Result<Balance> {
        let mut session = Session::open(&self.0).await?;
        session.settle().await?;
        session.resynchronise().await?;
        drop(session);
        self.balance().await
    }

    /// Follows the center's books: what other devices with the same words have done is in this wallet's history,
    /// library and balance then. Keeps this device's notes for them.
    ///
    /// # Errors
    /// `no_wallet`, `center_unreachable`, `purse_unknown`.
    pub async fn sync(&self) -> Result<Balance> {
        keeping::sync(&self.0).await?;
        self.balance().await
    }

    /// Whether there are recovery words, and whether they were saved.
    ///
    /// # Errors
    /// `no_wallet`, `storage_unavailable`.
    pub async fn recovery(&self) -> Result<RecoveryState> {
        keeping::state(&self.0).await
    }

    /// The twelve recovery words, of the official English list. Whoever has them has the wallet.
    ///
    /// # Errors
    /// `words_missing`, `vault_lost`, `kit_unavailable`.
    pub async fn recovery_words(&self) -> Result<Vec<String>> {
        keeping::words(&self.0).await
    }

    /// Which of the words to ask back: three numbers from 1 to 12 by chance, in order.
    ///
    /// # Errors
    /// `unsupported` where there are no random numbers.
    pub fn words_to_ask(&self) -> Result<Vec<usize>> {
        keeping::to_ask(&self.0)
    }

    /// Notes that the words are saved, if at least three different ones are remembered rightly.
    ///
    /// # Errors
    /// `words_wrong`, `words_missing`, `argument_invalid`, `kit_unavailable`.
    pub async fn confirm_words(&self, remembered: &[RememberedWord]) -> Result<()> {
        keeping::confirm(&self.0, remembered).await
    }

    /// Brings the wallet of these words back, with its balance, its history and its articles, from nothing but the
    /// center. An existing wallet is given up only with `replace`.
    ///
    /// # Errors
    /// `words_invalid`, `claim_refused`, `wallet_exists`, `center_unreachable`, `center_key_changed`,
    /// `kit_unavailable`.
    pub async fn restore(
        &self,
        words: &str,
        replace: bool,
        progress: impl Fn(Progress) + 'static,
    ) -> Result<()> {
        let task = Task::Restore { words: words.to_owned(), replace };
        keeping::replace(&self.0, task, Rc::new(progress)).await
    }

    /// Gives up a wallet that this browser has lost ([`Status::lost`]), so that a new one can be created.
    ///
    /// # Errors
    /// `wallet_exists`.
    pub async fn start_anew(&self) -> Result<()> {
        keeping::start_anew(&self.0).await
    }

    /// Takes an operation back, where its money allows.
    ///
    /// # Errors
    /// `too_late` once it is completed, `operation_unknown` if it has ended; with money `open` where the
    /// cancellation itself has no answer yet.
    pub async fn cancel(&self, operation: &str) -> Result<()> {
        operation::cancel::cancel(&self.0, operation).await
    }

    /// The whole wallet as text, to be kept as a file. Whoever has it has the e-cash.
    ///
    /// # Errors
    /// `no_wallet`, `storage_unavailable`, `vault_lost`, `kit_unavailable`.
    pub async fn export(&self) -> Result<String> {
        keeping::export(&self.0).await
    }

    /// Takes an exported wallet. An existing one is given up only with `replace`.
    ///
    /// # Errors
    /// `backup_invalid`, `backup_foreign`, `record_newer`, `wallet_exists`, `kit_unavailable`.
    pub async fn import(&self, copy: &str, replace: bool) -> Result<()> {
        let task = Task::Import { copy: copy.to_owned(), replace };
        keeping::replace(&self.0, task, kit::unheard()).await
    }

    /// Removes all records from this device. E-cash that was not exported is lost.
    ///
    /// # Errors
    /// `storage_unavailable`, `busy_elsewhere`.
    pub async fn delete(&self) -> Result<()> {
        keeping::delete(&self.0).await
    }

    /// How safe the records are on this device.
    pub async fn storage_state(&self) -> StorageState {
        self.0.ports.storage.state().await
    }

    /// Asks the browser to keep the records; tells whether it will.
    pub async fn request_persistence(&self) -> bool {
        self.0.ports.storage.persist().await
    }

    /// Hears of every change, also by other tabs, until the subscription is dropped.
    pub fn subscribe(&self, listener: impl Fn(WalletEvent) + 'static) -> Subscription {
        let listener: Rc<Listener> = Rc::new(listener);
        self.0.listeners.borrow_mut().push(listener.clone());
        let elsewhere = listener.clone();
        let others = self.0.ports.events.listen(Box::new(move |event| elsewhere(event)));
        let inner = Rc::downgrade(&self.0);
        Subscription::new(move || {
            drop(others);
            if let Some(inner) = inner.upgrade() {
                inner.listeners.borrow_mut().retain(|known| !Rc::ptr_eq(known, &listener));
            }
        })
    }
}
