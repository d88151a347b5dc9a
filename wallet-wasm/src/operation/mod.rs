//! Operations: sagas that survive a crash at any point (spec/01, rules 4 to 6).
//!
//! An operation is a record: what it is for ([`Errand`]), and how far it is ([`Stage`]), which holds the
//! next message. It is written **before** that message is sent, and a reply is written, as the next
//! stage, **before** it is acted on. So whatever is lost, the same message is sent again, and the center
//! gives the same reply. The last step writes scrip, history entry and result, and removes the operation,
//! in one transaction.
//!
//! ```text
//!  Registering --R2--> the wallet
//!
//!  Asking (M1) --M2--> Starting (M4, S4) --M5, S5--> Finishing (M6, S6) --receipt--> scrip + entry + result
//!       ^                |  ^    |    |                 |    |
//!       | offer expired  |  |    |    | cancel          |    | taken back, or out of time
//!       `----------------'  |    |    v                 |    v
//!             stale scrip:  |    |  Cancelling <--------'  resynchronise, nothing moved
//!             resynchronise |    |  (_4_2, _6_3) --live scrip--> entry "cancelled"
//!             `-------------'    `--refused--> removed, nothing moved
//! ```
//!
//! No word from the center leaves the operation open; [`crate::Wallet::resume`] goes on with it. At most one
//! operation is past Asking, since each begins by finishing those that are open.

use serde::{Deserialize, Serialize};
use tuppence_protocol::scrip::buyer::{
    AwaitingEcash, AwaitingIssueOffer, AwaitingReceipt, AwaitingRegistration, AwaitingReturn,
};
use tuppence_protocol::scrip::cash_out::CashOutOrder;
use tuppence_protocol::{Amount, Timestamp, TranId};

use crate::error::WalletError;
use crate::origin::Origin;
use crate::record::{CenterRecord, Wrapped};
use crate::view::{Change, ExchangeStep, OperationKind, PendingOperation, PendingStage, ShopRef};

#[cfg(feature = "budgets")]
pub(crate) mod allowance;
#[cfg(feature = "budgets")]
pub(crate) mod budget;
pub(crate) mod cancel;
pub(crate) mod cash_out;
pub(crate) mod delivery;
pub(crate) mod earn;
pub(crate) mod exchange;
pub(crate) mod pay;
pub(crate) mod register;
pub(crate) mod resync;
pub(crate) mod run;
pub(crate) mod session;

/// Something under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    /// Its name among the records: the time, then chance, so that the oldest comes first.
    pub(crate) id: String,
    pub(crate) started: Timestamp,
    pub(crate) errand: Errand,
    pub(crate) stage: Stage,
    /// What was exchanged so far.
    pub(crate) exchange: Vec<ExchangeStep>,
    /// How often it went back a stage.
    pub(crate) rounds: u32,
    /// What stopped it for the moment.
    pub(crate) problem: Option<WalletError>,
}

/// What an operation is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Errand {
    /// To register.
    Register {
        center: CenterRecord,
        session_key: Wrapped,
        wallet_key: Wrapped,
        #[serde(default)]
        words: Option<Wrapped>,
    },
    /// To be paid for an answer.
    Earn { shop: ShopRef, item: String, title: String, reward: Amount, asking: Box<AwaitingIssueOffer> },
    /// To pay for an article.
    Pay { shop: ShopRef, slug: String, url: String, title: String },
    /// To buy a budget at one shop, for a page to spend or for this wallet.
    Budget {
        shop: ShopRef,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<Origin>,
        /// JSON: what few visits need need not be read by them.
        order: String,
        value: Amount,
        /// What is bought instead, where it is paywords; then `order` names the shop and the sum.
        #[cfg(all(feature = "budgets", not(target_arch = "wasm32")))]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authorised: Option<Box<budget::payword::Authorised>>,
    },
    /// To cash out.
    CashOut { amount: Amount, fee: Amount, destination: String },
}

/// How far an operation is: the message to send, or to send again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Stage {
    /// R1.
    Registering(Box<AwaitingRegistration>),
    /// M1, which the errand holds.
    Asking,
    /// M4 or S4.
    Starting(Box<AwaitingEcash>),
    /// M6 or S6.
    Finishing(Box<AwaitingReceipt>),
    /// A cancellation; and the stage to go back to if it comes too late.
    Cancelling { returning: Box<AwaitingReturn>, back: Box<Stage> },
}

impl Operation {
    /// Whether its outcome may have changed the purse, so that nothing else may be begun before it ends.
    pub(crate) fn moves_money(&self) -> bool {
        matches!(self.stage, Stage::Starting(_) | Stage::Finishing(_) | Stage::Cancelling { .. })
    }

    /// Its transaction, once there is one.
    pub(crate) fn tran_id(&self) -> Option<TranId> {
        match &self.stage {
            Stage::Starting(awaiting) => Some(awaiting.start.offer().tran_id()),
            Stage::Finishing(awaiting) => Some(awaiting.start.offer().tran_id()),
            Stage::Cancelling { returning, .. } => match &**returning {
                AwaitingReturn::Start(start) => Some(start.offer().tran_id()),
                AwaitingReturn::Finish(finish) => finish.transaction.as_ref().map(|named| named.tran_id),
            },
            Stage::Registering(_) | Stage::Asking => None,
        }
    }

    /// How an interface shows it. `pending_minutes` is how long the center waits for an M6 or S6.
    pub(crate) fn view(&self, pending_minutes: u32) -> PendingOperation {
        let waits = tuppence_protocol::Duration::from_minutes(u64::from(pending_minutes));
        let (stage, ends_by) = match &self.stage {
            Stage::Registering(_) | Stage::Asking => (PendingStage::Asking, None),
            Stage::Starting(awaiting) => {
                (PendingStage::Moving, Some(awaiting.start.offer().expires().plus(waits)))
            }
            Stage::Finishing(awaiting) => {
                (PendingStage::Confirming, Some(awaiting.finish.header.server_date.plus(waits)))
            }
            Stage::Cancelling { .. } => (PendingStage::Cancelling, None),
        };
        let (kind, change, shop, title) = match &self.errand {
            Errand::Register { .. } => (OperationKind::Register, None, None, None),
            Errand::Earn { shop, title, reward, .. } => {
                (OperationKind::Earn, Some(Change::gain(*reward)), Some(shop.clone()), Some(title.clone()))
            }
            Errand::Pay { shop, title, .. } => {
                (OperationKind::Pay, self.price().map(Change::loss), Some(shop.clone()), Some(title.clone()))
            }
            Errand::Budget { shop, value, .. } => {
                let title = Some(budget_title(shop));
                (OperationKind::Pay, Some(Change::loss(*value)), Some(shop.clone()), title)
            }
            Errand::CashOut { amount, .. } => {
                (OperationKind::CashOut, Some(Change::loss(*amount)), None, None)
            }
        };
        PendingOperation {
            id: self.id.clone(),
            kind,
            stage,
            change,
            shop,
            title,
            started: self.started,
            ends_by,
            cancellable: matches!(self.stage, Stage::Starting(_) | Stage::Finishing(_))
                && !matches!(self.errand, Errand::Budget { .. }),
            problem: self.problem.clone(),
        }
    }

    fn price(&self) -> Option<Amount> {
        match &self.stage {
            Stage::Starting(awaiting) => Some(awaiting.start.offer().amount()),
            Stage::Finishing(awaiting) => Some(awaiting.start.offer().amount()),
            Stage::Cancelling { returning, .. } => match &**returning {
                AwaitingReturn::Start(start) => Some(start.offer().amount()),
                AwaitingReturn::Finish(_) => None,
            },
            Stage::Registering(_) | Stage::Asking => None,
        }
    }
}

/// What a budget is called in history and elsewhere.
fn budget_title(shop: &ShopRef) -> String {
    format!("A budget at {}", shop.name)
}

/// The errand of a cash-out order.
impl From<(&CashOutOrder, Amount)> for Errand {
    fn from((order, fee): (&CashOutOrder, Amount)) -> Self {
        Errand::CashOut { amount: order.amount, fee, destination: order.destination.to_string() }
    }
}
