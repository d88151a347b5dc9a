//! The wallet: what an interface can ask of it.

use std::rc::Rc;

use tuppence_protocol::Amount;
use tuppence_protocol::envelope::Fingerprint;

use crate::error::{Problem, WalletError};
use crate::ports::{Ports, Subscription};
use crate::view::{
    ArticleCard, ArticleText, Balance, CampaignCard, CampaignDetail, CashOutOrder, CashOutTerms, Earned,
    HistoryDetail, HistoryEntry, LibraryEntry, Paid, PendingOperation, Progress, ShopInfo, Status,
    StorageState, WalletEvent,
};

/// Where the wallet belongs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The payment center's origin, such as `https://center.example`.
    pub center_origin: String,
    /// The fingerprint of its key, where it came with the program. Otherwise the first key that is seen is
    /// trusted, pinned and shown.
    pub fingerprint: Option<Fingerprint>,
}

/// The wallet of one center. Clones are the same wallet.
///
/// Nothing is kept in memory that matters: each call reads the records, so that several tabs agree.
#[derive(Debug, Clone)]
pub struct Wallet(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    ports: Ports,
    config: Config,
}

type Result<T> = std::result::Result<T, WalletError>;

impl Wallet {
    /// Opens the records and checks that this program can read them. Asks nobody; [`Wallet::resume`] does.
    pub async fn open(ports: Ports, config: Config) -> Result<Wallet> {
        Ok(Wallet(Rc::new(Inner { ports, config })))
    }

    /// Whether there is a wallet yet, and whose.
    pub async fn status(&self) -> Result<Status> {
        let _ = (&self.0.ports, &self.0.config);
        Err(Problem::NoWallet.into())
    }

    /// Creates the wallet: meets the center, solves its challenge in slices, registers. Finishes an
    /// unfinished creation rather than beginning another.
    pub async fn register(&self, _progress: impl Fn(Progress)) -> Result<()> {
        Err(Problem::NoWallet.into())
    }

    /// Balance, what is under way, and what changed it last.
    pub async fn balance(&self) -> Result<Balance> {
        Err(Problem::NoWallet.into())
    }

    /// At most `limit` entries, newest first, only those numbered below `before` where it is given.
    pub async fn history(&self, _before: Option<u64>, _limit: usize) -> Result<Vec<HistoryEntry>> {
        Err(Problem::NoWallet.into())
    }

    /// An entry with the messages that were exchanged for it.
    pub async fn history_detail(&self, _number: u64) -> Result<HistoryDetail> {
        Err(Problem::NoWallet.into())
    }

    /// The shops of the center, each in its own words; one that does not answer is shown as it was last known.
    pub async fn shops(&self) -> Result<Vec<ShopInfo>> {
        Err(Problem::NoWallet.into())
    }

    /// One shop, asked now.
    pub async fn shop(&self, _origin: &str) -> Result<ShopInfo> {
        Err(Problem::NoWallet.into())
    }

    /// The questions that a shop asks now, with what this wallet has answered.
    pub async fn campaigns(&self, _shop: &str) -> Result<Vec<CampaignCard>> {
        Err(Problem::NoWallet.into())
    }

    /// One campaign with its questions.
    pub async fn campaign(&self, _shop: &str, _item: &str) -> Result<CampaignDetail> {
        Err(Problem::NoWallet.into())
    }

    /// Answers a campaign (a choice's id or text for each question) and takes the reward.
    pub async fn earn(&self, _shop: &str, _item: &str, _answers: &[String]) -> Result<Earned> {
        Err(Problem::NoWallet.into())
    }

    /// The articles that a shop sells, with which of them are paid.
    pub async fn articles(&self, _shop: &str) -> Result<Vec<ArticleCard>> {
        Err(Problem::NoWallet.into())
    }

    /// One article of a shop.
    pub async fn article(&self, _shop: &str, _slug: &str) -> Result<ArticleCard> {
        Err(Problem::NoWallet.into())
    }

    /// Pays an article at no more than the `approved` price. An article that is paid already, or being
    /// paid, is never paid again.
    pub async fn pay(&self, _shop: &str, _slug: &str, _approved: Amount) -> Result<Paid> {
        Err(Problem::NoWallet.into())
    }

    /// The articles that were paid, newest first.
    pub async fn library(&self) -> Result<Vec<LibraryEntry>> {
        Err(Problem::NoWallet.into())
    }

    /// Fetches a paid article with its receipt, any number of times.
    pub async fn open_article(&self, _shop: &str, _slug: &str) -> Result<ArticleText> {
        Err(Problem::NoWallet.into())
    }

    /// What cashing out asks for, from the center.
    pub async fn cash_out_terms(&self) -> Result<CashOutTerms> {
        Err(Problem::NoWallet.into())
    }

    /// Orders that `amount` be paid out, less the fee, to `destination`.
    pub async fn cash_out(&self, _amount: Amount, _destination: &str) -> Result<CashOutOrder> {
        Err(Problem::NoWallet.into())
    }

    /// The orders, newest first; open ones as the center has them now. A returned one is back in the balance.
    pub async fn cash_out_orders(&self) -> Result<Vec<CashOutOrder>> {
        Err(Problem::NoWallet.into())
    }

    /// What is under way, oldest first, without doing anything about it.
    pub async fn pending(&self) -> Result<Vec<PendingOperation>> {
        Err(Problem::NoWallet.into())
    }

    /// Finishes what was under way when the wallet was last closed; gives what is still open, and why.
    pub async fn resume(&self) -> Result<Vec<PendingOperation>> {
        Err(Problem::NoWallet.into())
    }

    /// Fetches the live scrip from the center (PM6_2), so that a restored wallet is right again.
    pub async fn resync(&self) -> Result<Balance> {
        Err(Problem::NoWallet.into())
    }

    /// Takes an operation back, where its money allows.
    pub async fn cancel(&self, _operation: &str) -> Result<()> {
        Err(Problem::NoWallet.into())
    }

    /// The whole wallet as text, to be kept as a file. Whoever has it has the e-cash.
    pub async fn export(&self) -> Result<String> {
        Err(Problem::NoWallet.into())
    }

    /// Takes an exported wallet. An existing one is given up only with `replace`.
    pub async fn import(&self, _copy: &str, _replace: bool) -> Result<()> {
        Err(Problem::NoWallet.into())
    }

    /// Removes all records from this device. E-cash that was not exported is lost.
    pub async fn delete(&self) -> Result<()> {
        Err(Problem::NoWallet.into())
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
        self.0.ports.events.listen(Box::new(listener))
    }
}
