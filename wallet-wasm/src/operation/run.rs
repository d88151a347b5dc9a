//! Drives an operation from its stage to its end (the diagram is in [`super`]).

use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tuppence_protocol::ErrorCode;
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::buyer::{
    AwaitingEcash, AwaitingReceipt, AwaitingReturn, Ecash, Start, Started,
};
use tuppence_protocol::scrip::finish::{Finish, FinishReply};
use tuppence_protocol::scrip::issue::IssueEcash;
use tuppence_protocol::scrip::payment::PaymentBalance;
use tuppence_protocol::scrip::receipt::Receipt;

use crate::client::{self, CallError};
use crate::error::{Money, Problem, WalletError};
#[cfg(not(feature = "budgets"))]
use crate::kit::Task;
use crate::operation::budget_title;
use crate::operation::exchange::{note, note_refusal};
use crate::operation::pay::bought;
use crate::operation::resync::moved_elsewhere;
use crate::operation::session::{NewEntry, Session};
use crate::operation::{Errand, Operation, Stage};
use crate::ports::Changes;
use crate::record::{Answered, at_shop};
use crate::view::{
    CashOutOrder, CashOutState, Change, EntryKind, ExchangeStep, HistoryEntry, LibraryEntry, Party,
    WalletEvent,
};

/// How often an operation may go back a stage before it rests until the next start.
const ROUNDS_MAX: u32 = 6;

/// What one exchange with the center or a shop has led to.
pub(super) enum Turn {
    /// On to this stage.
    Next(Stage),
    /// Back to this stage, with other records first where they belong to it.
    Back(Stage),
    /// Done: the receipt, and the scrip from now on.
    Done(Box<Receipt>, Box<Scrip>),
    /// Taken back: the live scrip.
    Returned(Box<Scrip>),
    /// Over without success.
    Over(Over),
    /// No word to rely on. It stays open.
    Open(WalletError),
}

/// An end without success.
pub(super) struct Over {
    /// What the user is told.
    pub(super) error: WalletError,
    /// Whether the shop has taken the answer for good.
    pub(super) missed: bool,
    /// Whether the center must be asked for the live scrip.
    pub(super) stale: bool,
    /// Whether money was on its way and came back, so that the history should say so.
    pub(super) returned: bool,
}

impl Over {
    /// An end that leaves purse and shop as they were.
    pub(super) fn plain(error: impl Into<WalletError>) -> Turn {
        Turn::Over(Over { error: error.into(), missed: false, stale: false, returned: false })
    }

    /// An end after which the center is asked for the live scrip.
    fn stale(error: impl Into<WalletError>, returned: bool) -> Turn {
        Turn::Over(Over { error: error.into(), missed: false, stale: true, returned })
    }
}

impl Session {
    /// Goes on with an operation until it has ended, or there is no word to rely on.
    ///
    /// # Errors
    /// Why it has ended without success, or why it is still open.
    pub(crate) fn run(
        &mut self,
        mut operation: Operation,
    ) -> LocalBoxFuture<'_, Result<HistoryEntry, WalletError>> {
        // Behind a pointer: so large a future is compiled once, not once more for each of its callers.
        Box::pin(async move {
            loop {
                self.save(&operation).await?;
                #[cfg(not(feature = "budgets"))]
                if matches!(operation.errand, Errand::Budget { .. }) {
                    // The kit has what it needs, and goes on with all that is open.
                    self.ask_kit(Task::Settle).await?;
                    return Err(Problem::TakenBack.into());
                }
                let turn = self.turn(&mut operation).await?;
                let stage = match turn {
                    Turn::Next(stage) => stage,
                    Turn::Back(stage) => {
                        operation.rounds = operation.rounds.saturating_add(1);
                        if operation.rounds > ROUNDS_MAX {
                            operation.rounds = 0;
                            operation.stage = stage;
                            let error =
                                WalletError::from(Problem::ReplyInvalid).because("It went in circles.");
                            return Err(self.rest(operation, error).await?);
                        }
                        stage
                    }
                    Turn::Done(receipt, scrip) => return self.complete(operation, *receipt, &scrip).await,
                    Turn::Returned(scrip) => return self.take_back(operation, &scrip).await,
                    Turn::Over(over) => return Err(self.give_up(operation, over).await?),
                    Turn::Open(error) => return Err(self.rest(operation, error).await?),
                };
                operation.stage = stage;
                operation.problem = None;
            }
        })
    }

    async fn turn(&mut self, operation: &mut Operation) -> Result<Turn, WalletError> {
        match operation.stage.clone() {
            Stage::Registering(_) => Ok(Over::plain(Problem::WalletExists)),
            Stage::Asking => self.ask_for_reward(operation).await,
            Stage::Starting(awaiting) => self.start(operation, *awaiting).await,
            Stage::Finishing(awaiting) => self.finish(operation, *awaiting).await,
            Stage::Cancelling { returning, back } => self.cancel_with(operation, *returning, *back).await,
        }
    }

    /// M4 or S4.
    async fn start(
        &mut self,
        operation: &mut Operation,
        awaiting: AwaitingEcash,
    ) -> Result<Turn, WalletError> {
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(awaiting.start.offer().tran_id());
        }
        let reply = match &operation.errand {
            #[cfg(all(feature = "budgets", not(target_arch = "wasm32")))]
            Errand::Budget { authorised: Some(authorised), .. } => {
                self.send_authority(&mut operation.exchange, &awaiting.start, authorised).await
            }
            #[cfg(feature = "budgets")]
            Errand::Budget { order, .. } => {
                self.send_order(&mut operation.exchange, &awaiting.start, order).await
            }
            _ => self.send_start(&mut operation.exchange, &awaiting.start).await,
        };
        let refused = match reply {
            Ok(reply) => {
                return match awaiting.receive(&reply, &self.custom_secret, self.now()) {
                    Ok(Started::Ours(next)) => Ok(Turn::Next(Stage::Finishing(next))),
                    // The purse is in the middle of another transaction, of another device of this wallet.
                    Ok(Started::Other(..)) => Ok(self.start_again(operation, &awaiting).await?),
                    Err(refusal) => Ok(Turn::Open(refusal.into())),
                };
            }
            Err(error @ CallError::Unclear(_)) => return Ok(Turn::Open(error.into())),
            Err(error) => error,
        };
        let earns = matches!(operation.errand, Errand::Earn { .. });
        Ok(match refused.code() {
            Some(ErrorCode::ScripStale | ErrorCode::ScripExpired) => {
                self.start_again(operation, &awaiting).await?
            }
            Some(ErrorCode::TransactionVoided | ErrorCode::TransactionConflict) => {
                Over::stale(refused, false)
            }
            // A seller gives a fresh offer for the same answer, as long as the old one was not used.
            Some(ErrorCode::OfferExpired) if earns => Turn::Back(Stage::Asking),
            // The answer was given and counts; the reward can be taken once there is room for it.
            Some(ErrorCode::BalanceLimit) if earns => {
                operation.stage = Stage::Asking;
                Turn::Open(refused.into())
            }
            _ => Over::plain(refused),
        })
    }

    /// The scrip was not the live one, and nothing was begun: another device of this wallet was faster. Follows it,
    /// and begins once more, unless what was wanted is there by now.
    async fn start_again(
        &mut self,
        operation: &Operation,
        awaiting: &AwaitingEcash,
    ) -> Result<Turn, WalletError> {
        self.wallet.stale = true;
        if let Err(error) = self.resynchronise().await {
            return Ok(Turn::Open(error));
        }
        if let Errand::Pay { shop, slug, .. } = &operation.errand
            && bought(&self.inner, &shop.origin, slug).await?.is_some()
        {
            return Ok(Over::plain(Problem::TakenBack));
        }
        Ok(match self.purse().start(awaiting.start.offer(), self.now()) {
            Ok(again) => Turn::Back(Stage::Starting(Box::new(again))),
            Err(refusal) => Over::plain(refusal),
        })
    }

    /// M6 or S6.
    async fn finish(
        &mut self,
        operation: &mut Operation,
        awaiting: AwaitingReceipt,
    ) -> Result<Turn, WalletError> {
        match self.send_finish(&mut operation.exchange, &awaiting.finish).await {
            Ok(reply) => Ok(match awaiting.receive(&reply) {
                Ok(receipt) => Turn::Done(Box::new(receipt), Box::new(awaiting.new_scrip().clone())),
                Err(refusal) => Turn::Open(refusal.into()),
            }),
            Err(error @ CallError::Unclear(_)) => Ok(Turn::Open(error.into())),
            Err(refused) => Ok(match refused.code() {
                Some(ErrorCode::TransactionVoided) => Over::stale(Problem::TakenBack, true),
                // The center never saw the M4 or S4, or shows another scrip for it than the one at hand.
                Some(ErrorCode::TransactionUnknown | ErrorCode::ScripStale) => {
                    let start = awaiting.start.clone();
                    Turn::Back(Stage::Starting(Box::new(AwaitingEcash { start })))
                }
                // The center ends it by itself (rule 5); until then there is no telling how.
                _ => Turn::Open(refused.into()),
            }),
        }
    }

    /// `_4_2` or `_6_3`.
    async fn cancel_with(
        &mut self,
        operation: &mut Operation,
        returning: AwaitingReturn,
        back: Stage,
    ) -> Result<Turn, WalletError> {
        let reply = match &returning {
            AwaitingReturn::Start(start) => self.send_start(&mut operation.exchange, start).await,
            AwaitingReturn::Finish(finish) => {
                match self.send_finish(&mut operation.exchange, finish).await.map(Ecash::try_from) {
                    Ok(Ok(reply)) => Ok(reply),
                    Ok(Err(refusal)) => return Ok(Turn::Open(refusal.into())),
                    Err(error) => Err(error),
                }
            }
        };
        Ok(match reply {
            Ok(reply) => match returning.receive(&reply, &self.custom_secret) {
                Ok(scrip) => Turn::Returned(Box::new(scrip)),
                Err(refusal) => Turn::Open(refusal.into()),
            },
            Err(error @ CallError::Unclear(_)) => Turn::Open(error.into()),
            Err(refused) => match refused.code() {
                // Too late: it is completed, so that its receipt can be fetched.
                Some(ErrorCode::TransactionPosted) => Turn::Back(back),
                _ => Over::stale(refused, true),
            },
        })
    }

    async fn send_start(&self, exchange: &mut Vec<ExchangeStep>, start: &Start) -> Result<Ecash, CallError> {
        match start {
            Start::Issue(message) => {
                let code = message.header.cmd_type;
                let reply: IssueEcash = self.ask_center(exchange, "/issue", code, message).await?;
                note(exchange, reply.header.cmd_type, Party::Center, Party::Buyer, self.now(), &reply);
                Ok(Ecash::Issue(reply))
            }
            Start::Payment(message) => {
                let code = message.header.cmd_type;
                let reply: PaymentBalance = self.ask_center(exchange, "/payment", code, message).await?;
                note(exchange, reply.header.cmd_type, Party::Center, Party::Buyer, self.now(), &reply);
                Ok(Ecash::Payment(reply))
            }
        }
    }

    pub(crate) async fn send_finish(
        &self,
        exchange: &mut Vec<ExchangeStep>,
        finish: &Finish,
    ) -> Result<FinishReply, CallError> {
        let code = finish.header.cmd_type;
        let issue = matches!(code, Code::Gm6_1 | Code::Gm6_2 | Code::Gm6_3);
        let path = if issue { "/issue/finish" } else { "/payment/finish" };
        let reply: FinishReply = self.ask_center(exchange, path, code, finish).await?;
        let reply_code = match &reply {
            FinishReply::Receipt(reply) => reply.header.cmd_type,
            FinishReply::Ecash(reply) => reply.header.cmd_type,
            FinishReply::Balance(reply) => reply.header.cmd_type,
        };
        note(exchange, reply_code, Party::Center, Party::Buyer, self.now(), &reply);
        Ok(reply)
    }

    /// Sends a message to the center, and keeps it and a refusal for the exchange.
    pub(super) async fn ask_center<R: DeserializeOwned>(
        &self,
        exchange: &mut Vec<ExchangeStep>,
        path: &str,
        code: Code,
        message: &impl Serialize,
    ) -> Result<R, CallError> {
        note(exchange, code, Party::Buyer, Party::Center, self.now(), message);
        let reply = client::post(self.ports(), self.center(), path, message).await;
        if let Err(error) = &reply {
            note_refusal(exchange, code, Party::Center, self.now(), error);
        }
        reply
    }

    /// The last step: scrip, entry and result at once.
    async fn complete(
        &mut self,
        operation: Operation,
        receipt: Receipt,
        scrip: &Scrip,
    ) -> Result<HistoryEntry, WalletError> {
        self.adopt(scrip);
        let mut changes = Changes::default();
        changes.erase::<Operation>(&operation.id);
        let entry = self.record_result(&mut changes, &operation.errand, &receipt)?;
        let entry = self.enter(&mut changes, entry, &operation.exchange)?;
        self.commit(changes, std::slice::from_ref(&entry)).await?;
        self.inner.tell(&WalletEvent::Records);
        Ok(entry)
    }

    /// What the errand was for.
    fn record_result(
        &self,
        changes: &mut Changes,
        errand: &Errand,
        receipt: &Receipt,
    ) -> Result<NewEntry, WalletError> {
        let (kind, change) = match errand {
            Errand::Earn { .. } => (EntryKind::Earned, Change::gain(receipt.amount)),
            Errand::CashOut { .. } => (EntryKind::CashOut, Change::loss(receipt.amount)),
            Errand::Pay { .. } | Errand::Budget { .. } | Errand::Register { .. } => {
                (EntryKind::Paid, Change::loss(receipt.amount))
            }
        };
        let mut entry = NewEntry::new(kind, change);
        entry.tran_id = Some(receipt.tran_id.to_string());
        entry.receipt = Some(receipt.clone());
        entry.subject = Some(receipt.subject.to_string());
        match errand {
            Errand::Earn { shop, item, title, .. } => {
                changes.write(&at_shop(&shop.origin, item), &Answered::Earned)?;
                (entry.shop, entry.title) = (Some(shop.clone()), Some(title.clone()));
            }
            Errand::Pay { shop, slug, url, title } => {
                let article = LibraryEntry {
                    shop: shop.clone(),
                    slug: slug.clone(),
                    url: url.clone(),
                    title: title.clone(),
                    at: self.now(),
                    receipt: receipt.clone(),
                };
                changes.write(&at_shop(&shop.origin, slug), &article)?;
                (entry.shop, entry.title) = (Some(shop.clone()), Some(title.clone()));
            }
            Errand::Budget { shop, .. } => {
                #[cfg(feature = "budgets")]
                super::budget::record(changes, errand, receipt)?;
                (entry.shop, entry.title) = (Some(shop.clone()), Some(budget_title(shop)));
            }
            Errand::CashOut { amount, fee, destination } => {
                let order = CashOutOrder {
                    tran_id: receipt.tran_id.to_string(),
                    number: None,
                    amount: *amount,
                    fee: *fee,
                    destination: destination.clone(),
                    ordered: receipt.date,
                    state: CashOutState::Ordered,
                    changed: receipt.date,
                    note: None,
                    receipt: receipt.clone(),
                };
                changes.write(&order.tran_id, &order)?;
                entry.subject = Some(destination.clone());
            }
            Errand::Register { .. } => {}
        }
        Ok(entry)
    }

    /// A cancellation has come in time.
    async fn take_back(&mut self, operation: Operation, scrip: &Scrip) -> Result<HistoryEntry, WalletError> {
        let before = self.value();
        // The reply may come from a purse that was not touched: then it is the scrip at hand.
        let ours = self.wallet.scrip.scrip.scrip_id.serial_number;
        if scrip.scrip.scrip_id.serial_number != ours {
            self.adopt(scrip);
        }
        let mut changes = Changes::default();
        changes.erase::<Operation>(&operation.id);
        if let Errand::Earn { shop, item, .. } = &operation.errand {
            changes.write(&at_shop(&shop.origin, item), &Answered::Missed)?;
        }
        let mut entries = Vec::new();
        if self.value() != before {
            let moved = moved_elsewhere(before, self.value());
            entries.push(self.enter(&mut changes, moved, &[])?);
        }
        let entry = self.enter(&mut changes, self.cancelled(&operation), &operation.exchange)?;
        entries.push(entry.clone());
        self.commit(changes, &entries).await?;
        Ok(entry)
    }

    fn cancelled(&self, operation: &Operation) -> NewEntry {
        let nothing = Change::gain(tuppence_protocol::Amount::zero(self.value().currency()));
        let mut entry = NewEntry::new(EntryKind::Cancelled, nothing);
        entry.tran_id = operation.tran_id().map(|tran_id| tran_id.to_string());
        match &operation.errand {
            Errand::Earn { shop, title, .. } | Errand::Pay { shop, title, .. } => {
                (entry.shop, entry.title) = (Some(shop.clone()), Some(title.clone()));
            }
            Errand::Budget { shop, .. } => {
                (entry.shop, entry.title) = (Some(shop.clone()), Some(budget_title(shop)));
            }
            Errand::CashOut { destination, .. } => entry.subject = Some(destination.clone()),
            Errand::Register { .. } => {}
        }
        entry
    }

    /// It has ended without success.
    async fn give_up(&mut self, operation: Operation, over: Over) -> Result<WalletError, WalletError> {
        let mut changes = Changes::default();
        changes.erase::<Operation>(&operation.id);
        if let (Errand::Earn { shop, item, .. }, true) = (&operation.errand, over.missed) {
            changes.write(&at_shop(&shop.origin, item), &Answered::Missed)?;
        }
        let mut entries = Vec::new();
        if over.returned {
            let entry = self.cancelled(&operation);
            entries.push(self.enter(&mut changes, entry, &operation.exchange)?);
        }
        self.wallet.stale |= over.stale;
        self.commit(changes, &entries).await?;
        if over.stale {
            // Where this fails, the record says that it is still to be done.
            let _ = self.resynchronise().await;
        }
        Ok(over.error.with_money(Money::Untouched))
    }

    /// It stays open until the next start.
    async fn rest(
        &mut self,
        mut operation: Operation,
        error: WalletError,
    ) -> Result<WalletError, WalletError> {
        let error = error.with_money(Money::Open);
        operation.problem = Some(error.clone());
        self.save(&operation).await?;
        Ok(error)
    }
}
