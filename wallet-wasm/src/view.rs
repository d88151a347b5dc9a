//! What a user interface shows: plain values, made from the wallet's records.
//!
//! Every type here is serialised as it stands to JavaScript (docs/js-api.md). Amounts are text such as
//! `USD:0.03`, times are milliseconds since the Unix epoch.

use serde::{Deserialize, Serialize};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::{Amount, Currency, Timestamp};

use crate::error::WalletError;

mod granted;
mod library;

#[cfg(not(target_arch = "wasm32"))]
pub use granted::BudgetMethod;
pub use granted::{Allowance, Budget, Granted};
pub use library::{ArticleText, LibraryEntry};

/// How the wallet stands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Whether it is registered; before, everything but [`crate::Wallet::register`] and looking at shops is refused.
    pub registered: bool,
    /// The payment center, once it is known.
    pub center: Option<CenterView>,
    /// When this wallet was created.
    pub created: Option<Timestamp>,
    /// Whether this browser had a wallet whose records are gone: it is to be restored, not created anew.
    pub lost: bool,
}

/// How the wallet's recovery words stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryState {
    /// Whether this wallet has words; one that was made before there were any has none.
    pub available: bool,
    /// When they were last asked back, and known.
    pub saved: Option<Timestamp>,
}

/// One of the recovery words, as somebody remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RememberedWord {
    /// Which of the twelve, from 1.
    pub number: usize,
    /// The word.
    pub word: String,
}

/// The payment center, as the wallet knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CenterView {
    /// Trade name.
    pub name: String,
    /// Origin, such as `https://center.example`.
    pub origin: String,
    /// Fingerprint of its public key, in groups of four digits.
    pub fingerprint: String,
    /// Whether the fingerprint came with this program, rather than from the first meeting.
    pub pinned: bool,
    /// The currency of its e-cash.
    pub currency: Currency,
    /// The most that a wallet may hold.
    pub balance_max: Amount,
}

/// What the purse holds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// The e-cash that is certain: what is under way is not in it.
    pub amount: Amount,
    /// What is under way, oldest first.
    pub pending: Vec<PendingOperation>,
    /// The last thing that changed the balance.
    pub last: Option<HistoryEntry>,
}

/// A change of the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Whether the balance rose; false for a payment. Without meaning where the amount is zero.
    pub gain: bool,
    /// By how much.
    pub amount: Amount,
}

impl Change {
    /// The balance rose by `amount`.
    pub const fn gain(amount: Amount) -> Self {
        Change { gain: true, amount }
    }

    /// The balance fell by `amount`.
    pub const fn loss(amount: Amount) -> Self {
        Change { gain: false, amount }
    }

    /// From one balance to another of the same currency.
    pub fn between(before: Amount, after: Amount) -> Self {
        match (after.checked_sub(before), before.checked_sub(after)) {
            (Ok(amount), _) => Change::gain(amount),
            (_, Ok(amount)) => Change::loss(amount),
            // Two currencies: the balance in the new one is what there is now.
            _ => Change::gain(after),
        }
    }
}

/// A shop, as entries and cards name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShopRef {
    /// Origin, such as `https://shop.example`.
    pub origin: String,
    /// Its title, as readers know it.
    pub name: String,
}

/// Why the balance changed, or what else belongs into the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// The wallet was created.
    Registered,
    /// An answer was paid.
    Earned,
    /// An article was bought.
    Paid,
    /// E-cash was handed in for real money.
    CashOut,
    /// A cash-out came back.
    CashOutReturned,
    /// A payment ended without its money moving.
    Cancelled,
    /// The center's books and the wallet's record differed, and the wallet follows the center.
    Adjusted,
}

/// One line of the history.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Its number: 1 is the first; a higher one is newer.
    pub number: u64,
    /// When it was completed.
    pub at: Timestamp,
    /// What it was.
    pub kind: EntryKind,
    /// By how much the balance changed.
    pub change: Change,
    /// The balance afterwards.
    pub balance_after: Amount,
    /// The shop, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopRef>,
    /// The article's or the question's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The article's address, the item's number, or the destination of a cash-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The transaction's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tran_id: Option<String>,
    /// The center's receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// An explanation, where the entry is not plain by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An entry with what was exchanged for it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryDetail {
    /// The entry.
    pub entry: HistoryEntry,
    /// The messages, in the order in which they went.
    pub exchange: Vec<ExchangeStep>,
}

/// Who sends or gets a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// This wallet.
    Buyer,
    /// The shop.
    Seller,
    /// The payment center.
    Center,
}

/// One message of an exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeStep {
    /// The message's name in the patent's figure: `M1`, `S4`, `R2`.
    pub name: String,
    /// Its code, such as `GM4_1`; for an error reply, the reason's name, such as `scrip_stale`.
    pub code: String,
    /// Who sent it.
    pub sender: Party,
    /// Who got it.
    pub recipient: Party,
    /// When, by this device's clock.
    pub at: Timestamp,
    /// The message as JSON, indented. Documents are left out.
    pub body: String,
}

/// What kind of operation is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// The wallet is being created.
    Register,
    /// A reward is on its way.
    Earn,
    /// An article is being paid.
    Pay,
    /// A cash-out is being ordered.
    CashOut,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PendingStage {
    /// The shop or center was asked; no money has moved.
    Asking,
    /// The money was sent for, and the answer has not come yet.
    Moving,
    /// The money is reserved, and is being confirmed.
    Confirming,
    /// It is being taken back.
    Cancelling,
}

/// Something under way. It finishes by itself as soon as the center answers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingOperation {
    /// Names it for [`crate::Wallet::cancel`].
    pub id: String,
    /// What it is.
    pub kind: OperationKind,
    /// How far it is.
    pub stage: PendingStage,
    /// By how much the balance will change.
    pub change: Option<Change>,
    /// The shop.
    pub shop: Option<ShopRef>,
    /// The article's or the question's title.
    pub title: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it will have ended by itself at the latest, where that is known.
    pub ends_by: Option<Timestamp>,
    /// Whether it can still be cancelled.
    pub cancellable: bool,
    /// What stopped it for the moment.
    pub problem: Option<WalletError>,
}

/// Progress of creating the wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Progress {
    /// Asking the center for its name, key and a challenge.
    MeetingCenter,
    /// Working on the challenge that keeps robots away.
    #[serde(rename_all = "camelCase")]
    Solving {
        /// Hashes tried.
        tried: u64,
        /// Hashes that are needed on average.
        expected: u64,
    },
    /// Registering, or claiming the wallet with its words.
    Registering,
    /// Bringing history and articles back.
    Following,
    /// Done.
    Done,
}

/// A shop, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShopInfo {
    /// Origin and name.
    pub shop: ShopRef,
    /// What it says about itself.
    pub description: String,
    /// Whether it takes this center's e-cash.
    pub accepted: bool,
    /// What it asks readers to approve at once, where it takes budgets in scrip of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Amount>,
}

/// What kind of campaign an item belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CampaignKind {
    /// Graded; the right answers earn.
    Quiz,
    /// Every answer earns.
    Survey,
    /// An advertisement with a question on it.
    Advertisement,
}

/// How a campaign stands for this wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CampaignState {
    /// It can be answered.
    Open,
    /// Answered; the reward is on its way.
    Pending,
    /// Answered and paid.
    Earned,
    /// Answered, and not passed or not paid.
    Missed,
}

/// A question that is worth something.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CampaignCard {
    /// Where it is asked.
    pub shop: ShopRef,
    /// Its number there.
    pub item: String,
    /// Quiz, survey or advertisement.
    pub kind: CampaignKind,
    /// Title.
    pub title: String,
    /// Who pays.
    pub sponsor: String,
    /// What it earns.
    pub reward: Amount,
    /// Minutes that it takes.
    pub minutes: u32,
    /// How many questions.
    pub questions: u32,
    /// Rewards left; absent if the shop doesn't know at the moment.
    pub remaining: Option<u64>,
    /// When it ends.
    pub end: Option<Timestamp>,
    /// How it stands for this wallet.
    pub state: CampaignState,
}

/// A campaign with its questions.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CampaignDetail {
    /// The card.
    pub card: CampaignCard,
    /// What it is about, plain text.
    pub intro: String,
    /// The address of a picture at the shop.
    pub image: Option<String>,
    /// The advertiser's page; http or https.
    pub link: Option<String>,
    /// Who sees the answers.
    pub audience: String,
    /// The questions, in order.
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The question.
    pub text: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// What can be chosen; empty for free text.
    #[serde(default)]
    pub choices: Vec<Choice>,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionKind {
    /// With the id of one of its choices.
    Choice,
    /// With text.
    Text,
}

/// A choice of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// What is sent as the answer.
    pub id: String,
    /// What is shown.
    pub text: String,
}

/// What an answer has earned.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Earned {
    /// The entry in the history.
    pub entry: HistoryEntry,
    /// What the shop says about it: sanitised HTML, where it came in time.
    pub document: Option<String>,
}

/// An article on sale.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArticleCard {
    /// Where it is sold.
    pub shop: ShopRef,
    /// Its short name there.
    pub slug: String,
    /// Its address.
    pub url: String,
    /// Title.
    pub title: String,
    /// Its beginning, plain text.
    pub teaser: String,
    /// The price; zero for what is free.
    pub price: Amount,
    /// How it is sold by the part, for a budget; absent where it is sold as a whole alone.
    pub meter: Option<MeterTerms>,
    /// When it was published.
    pub date: Option<Timestamp>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// What it is about.
    pub tags: Vec<String>,
    /// The address of a picture at the shop.
    pub image: Option<String>,
    /// Whether this wallet has paid it.
    pub owned: bool,
}

/// How an article is sold by the part.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterTerms {
    /// What a part costs.
    pub unit: Amount,
    /// How many there are; all together cost no more than the whole.
    pub parts: u32,
}

/// The outcome of a payment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Paid {
    /// Whether money moved now; false if the article was this wallet's already.
    pub charged: bool,
    /// The article, now in the library.
    pub article: LibraryEntry,
    /// The text, where the shop delivered it in time; otherwise [`crate::Wallet::open_article`] fetches it.
    pub text: Option<ArticleText>,
}

/// What came for an address.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bought {
    /// Whether money moved now; false for what was this wallet's already, and for what is free.
    pub charged: bool,
    /// The article, now in the library; absent for what is free.
    pub article: Option<LibraryEntry>,
    /// The text; of what is free, as it was sent and without a title.
    pub text: ArticleText,
}

/// What cashing out asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CashOutTerms {
    /// The smallest sum.
    pub threshold: Amount,
    /// What is kept for each order.
    pub fee: Amount,
    /// The balance.
    pub balance: Amount,
    /// Whether the balance reaches the threshold.
    pub reached: bool,
}

/// How a cash-out order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CashOutState {
    /// The operator has it.
    Ordered,
    /// The money was sent.
    Confirmed,
    /// It came back into the purse.
    Returned,
}

/// A cash-out order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CashOutOrder {
    /// The transaction's identifier.
    pub tran_id: String,
    /// The center's number of it, once it was told.
    pub number: Option<u64>,
    /// What left the purse, the fee included.
    pub amount: Amount,
    /// The fee.
    pub fee: Amount,
    /// Where the money goes.
    pub destination: String,
    /// When it was ordered.
    pub ordered: Timestamp,
    /// How it stands.
    pub state: CashOutState,
    /// When it came to stand so.
    pub changed: Timestamp,
    /// The operator's word on it.
    pub note: Option<String>,
    /// The center's receipt.
    pub receipt: Receipt,
}

/// How safe the wallet's records are on this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageState {
    /// Whether the browser has promised to keep them; absent where it cannot tell.
    pub persisted: Option<bool>,
    /// Bytes used, where that is known.
    pub used_bytes: Option<u64>,
    /// Bytes available, where that is known.
    pub quota_bytes: Option<u64>,
}

/// Something has changed; shows should be refreshed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum WalletEvent {
    /// The wallet was created, imported or deleted.
    Wallet,
    /// The history has a new entry; the balance may have changed.
    Entry {
        /// The entry.
        entry: Box<HistoryEntry>,
    },
    /// An operation began, went on or ended.
    Operation,
    /// Orders, library or shops changed.
    Records,
}
