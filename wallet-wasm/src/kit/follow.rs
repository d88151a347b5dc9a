//! Following the center's books (spec/01, rule 6; docs/decisions/0007): what has happened to the purse without
//! this wallet's knowing, step by step.
//!
//! Needed after a restoration, after a backup was brought back, when another device with the same words was used,
//! when scrip has expired, or a cash-out came back. Each step becomes the entry that the device has which did
//! it; what no step explains becomes an entry that says so. So the history always adds up to the balance.
//!
//! ```text
//! H1 -> H2: steps from the last known serial on -> entries + library + answers + orders, written at once
//!            | the last one is pending: M6 or S6, then H1 again
//! ```

use std::collections::{BTreeSet, VecDeque};

use tuppence_protocol::ids::Serial;
use tuppence_protocol::recovery::statement::{StatementKind, StatementReply, StatementState, StatementStep};
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::cash_out::{CashOutStage, CashOutState as Stated};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::{Amount, Duration, ErrorCode};

use crate::client::{self, CallError};
use crate::error::{Problem, WalletError};
use crate::kit::names::{Named, Names};
#[cfg(feature = "budgets")]
use crate::kit::notes::More;
#[cfg(feature = "budgets")]
use crate::operation::budget::BudgetRecord;
use crate::operation::resync::moved_elsewhere;
use crate::operation::session::{NewEntry, Session};
use crate::ports::{Changes, Scan};
use crate::record::{self, Answered, at_shop};
use crate::view::{
    CashOutOrder, CashOutState, Change, EntryKind, ExchangeStep, HistoryEntry, LibraryEntry, WalletEvent,
};

/// How often a pending step of another device is ended, before this rests until the next time.
const PENDING_MAX: u32 = 4;
/// How long a budget can have a rest at most: licences are for 90 days, and then there is a grace of seven.
pub(super) const BUDGET_LASTS: Duration = Duration::from_days(97);
/// So many of the last entries may be of steps that the center lists again: at most one of them is.
const RECENT: usize = 64;

impl Session {
    /// Brings scrip and history to where the center's books are, in one transaction.
    ///
    /// # Errors
    /// Why they could not be brought there; nothing was written then.
    pub(super) async fn follow(&mut self) -> Result<(), WalletError> {
        let mut exchange = Vec::new();
        // The center renews what has expired, ends what has waited too long, and finds out what its books have lost.
        self.live_scrip(&mut exchange).await?;
        let known_already = self.recent_transactions().await?;
        let mut names = Names::default();
        let mut walk = Walk::new(self.value());
        let mut next = self.purse().serial();
        let mut ended = 0;
        loop {
            let page = self.statement(next).await?;
            if self.has_gone_back(&page) && walk.entries.is_empty() {
                // The messages that go with the entry show the newest scrip of before, which the center certified:
                // with it a reader can prove what the books have lost.
                let now = page.steps.first().map_or(page.scrip.scrip.value, |step| step.before);
                let entry = NewEntry { note: Some(WENT_BACK.to_owned()), ..moved_elsewhere(walk.known, now) };
                self.note_down(&mut walk, entry, now, &exchange)?;
            }
            for step in page.steps.iter().filter(|step| !matches!(step.state, StatementState::Pending)) {
                self.bridge(&mut walk, step.before).await?;
                // One that is known and moved money was taken back with the books, and has been done again.
                let moved = step.before != step.after;
                if moved || !known_already.contains(&step.tran_id.to_string()) {
                    let named = names.of(self, step.into()).await;
                    #[cfg(feature = "budgets")]
                    self.take_budget(&mut walk, step, &named).await?;
                    self.enter_step(&mut walk, step, named)?;
                }
                walk.known = step.after;
                next = step.next;
            }
            if page.more {
                continue;
            }
            let Some(finish) = page.complete(&self.custom_secret, self.now()) else {
                self.wallet.unnamed |= names.missed;
                if let Some(noted) = &names.notes {
                    walk.records |= self.take_articles(&mut walk.changes, noted).await?;
                }
                return self.conclude(walk, page.scrip).await;
            };
            ended += 1;
            if ended > PENDING_MAX {
                return Err(WalletError::from(Problem::ReplyInvalid).because("It went in circles."));
            }
            match self.send_finish(&mut Vec::new(), &finish).await {
                Ok(_) => {}
                // It ran out of time, or the other device has taken it back. Asking for the live scrip ends it at the
                // center, and the next statement says so.
                Err(error) if error.code() == Some(ErrorCode::TransactionVoided) => {
                    self.live_scrip(&mut Vec::new()).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether an older copy of the center's books began a new epoch, or was put back without anybody noticing. A
    /// wallet that has just been restored has lost nothing by it.
    fn has_gone_back(&self, page: &StatementReply) -> bool {
        let (serial, ours) = (page.scrip.scrip.scrip_id.serial_number, self.purse().serial());
        serial < ours || (serial.epoch() > ours.epoch() && self.wallet.entries > 1)
    }

    /// Writes what was found, with the live scrip.
    async fn conclude(&mut self, mut walk: Walk, live: Scrip) -> Result<(), WalletError> {
        self.bridge(&mut walk, live.scrip.value).await?;
        let news = live.scrip.scrip_id != self.wallet.scrip.scrip.scrip_id || self.wallet.stale;
        if !news && walk.entries.is_empty() {
            return Ok(());
        }
        self.wallet.scrip = live;
        self.wallet.stale = false;
        self.commit(walk.changes, &walk.entries).await?;
        if walk.records {
            self.inner.tell(&WalletEvent::Records);
        }
        Ok(())
    }

    /// Asks how the open cash-out orders stand, and follows the books if one came back.
    pub(super) async fn refresh_orders(&mut self) -> Result<(), WalletError> {
        let orders = self.ask_about_orders().await;
        if orders.iter().any(|order| order.state == CashOutState::Returned) {
            return self.follow().await;
        }
        if orders.is_empty() {
            return Ok(());
        }
        let mut changes = Changes::default();
        for order in &orders {
            changes.write(&order.tran_id, order)?;
        }
        self.commit(changes, &[]).await?;
        self.inner.tell(&WalletEvent::Records);
        Ok(())
    }

    /// H1 -> H2.
    async fn statement(&self, from: Serial) -> Result<StatementReply, WalletError> {
        let mut nonce = [0; 16];
        self.ports().random.fill(&mut nonce)?;
        let awaiting = self.purse().statement(from, nonce, self.now());
        let reply = client::post(self.ports(), self.center(), "/statement", &awaiting.request).await?;
        Ok(awaiting.receive(reply, &self.custom_secret)?)
    }

    /// Explains how the balance came from what is known to `value` without a step: a cash-out came back.
    async fn bridge(&mut self, walk: &mut Walk, value: Amount) -> Result<(), WalletError> {
        if walk.known != value && !walk.asked {
            // Asked after the statement, so that what the statement has in it is known here.
            walk.asked = true;
            let orders = self.ask_about_orders().await;
            walk.returned.extend(orders.into_iter().filter(|order| order.state == CashOutState::Returned));
            walk.returned.make_contiguous().sort_by_key(|order| order.changed);
        }
        while walk.known != value
            && let Some(order) = walk.returned.pop_front()
        {
            walk.changes.write(&order.tran_id, &order)?;
            let after = walk.known.checked_add(order.amount).unwrap_or(walk.known);
            let mut entry = NewEntry::new(EntryKind::CashOutReturned, Change::gain(order.amount));
            entry.subject = Some(order.destination);
            entry.tran_id = Some(order.tran_id);
            entry.note = order.note;
            entry.at = Some(order.changed);
            self.note_down(walk, entry, after, &[])?;
            walk.records = true;
        }
        if walk.known != value {
            let entry = moved_elsewhere(walk.known, value);
            self.note_down(walk, entry, value, &[])?;
        }
        Ok(())
    }

    /// Adds an entry to the walk.
    fn note_down(
        &mut self,
        walk: &mut Walk,
        mut entry: NewEntry,
        after: Amount,
        exchange: &[ExchangeStep],
    ) -> Result<(), WalletError> {
        entry.balance_after = Some(after);
        let entry = self.enter(&mut walk.changes, entry, exchange)?;
        walk.entries.push(entry);
        walk.known = after;
        Ok(())
    }

    /// The entry of a step, as the device has it which did it, with what belongs to it.
    fn enter_step(&mut self, walk: &mut Walk, step: &StatementStep, named: Named) -> Result<(), WalletError> {
        let nothing = Change::gain(Amount::zero(step.amount.currency()));
        let (kind, change) = match (&step.state, step.kind) {
            (StatementState::Posted(_), StatementKind::Issue) => {
                (EntryKind::Earned, Change::gain(step.amount))
            }
            (StatementState::Posted(_), StatementKind::Payment) => {
                (EntryKind::Paid, Change::loss(step.amount))
            }
            (StatementState::Posted(_), StatementKind::CashOut) => {
                (EntryKind::CashOut, Change::loss(step.amount))
            }
            _ => (EntryKind::Cancelled, nothing),
        };
        let mut entry = NewEntry::new(kind, change);
        entry.tran_id = Some(step.tran_id.to_string());
        entry.subject = Some(step.subject.to_string());
        match &step.state {
            StatementState::Posted(receipt) => {
                entry.at = Some(receipt.date);
                entry.receipt = Some(receipt.clone());
                keep_result(walk, step, receipt, &named)?;
            }
            StatementState::Voided(at) => entry.at = Some(*at),
            StatementState::Pending => {}
        }
        entry.shop = named.shop;
        entry.title = named.title;
        self.note_down(walk, entry, step.after, &[])
    }

    /// A budget that another device has bought, or this one before it was restored, if it can have a rest still.
    #[cfg(feature = "budgets")]
    async fn take_budget(
        &self,
        walk: &mut Walk,
        step: &StatementStep,
        named: &Named,
    ) -> Result<(), WalletError> {
        let (StatementState::Posted(receipt), Some(shop), Some(More::Order(order, page))) =
            (&step.state, &named.shop, &named.more)
        else {
            return Ok(());
        };
        if order.id().request_url().is_ok_and(|url| url == receipt.subject)
            && self.now() < receipt.date.plus(BUDGET_LASTS)
        {
            let budget = BudgetRecord::new(shop.clone(), page.clone(), order.clone(), receipt.clone());
            let known: Option<BudgetRecord> = record::read(&*self.ports().storage, &budget.name()).await?;
            // Of each page, one is looked after: the one that is known, or the newest.
            if known.is_none() {
                walk.changes.write(&budget.name(), &budget)?;
            }
        }
        Ok(())
    }

    /// The transactions of the last entries.
    async fn recent_transactions(&self) -> Result<BTreeSet<String>, WalletError> {
        let latest = Scan::Latest { before: None, limit: RECENT };
        let entries: Vec<HistoryEntry> = record::list(&*self.ports().storage, latest).await?;
        // A cash-out that came back has the transaction of its order, which is another step's entry.
        let steps = entries.into_iter().filter(|entry| entry.kind != EntryKind::CashOutReturned);
        Ok(steps.filter_map(|entry| entry.tran_id).collect())
    }

    /// The open orders that stand otherwise than this wallet knew. One that cannot be asked about stays as it is.
    async fn ask_about_orders(&self) -> Vec<CashOutOrder> {
        let orders: Vec<CashOutOrder> =
            record::list(&*self.ports().storage, Scan::All).await.unwrap_or_default();
        let mut changed = Vec::new();
        for mut order in orders.into_iter().filter(|order| order.state == CashOutState::Ordered) {
            if let Ok(stated) = self.ask_about(&order.receipt).await
                && apply(&mut order, &stated)
            {
                changed.push(order);
            }
        }
        changed
    }

    async fn ask_about(&self, receipt: &Receipt) -> Result<Stated, CallError> {
        client::post(self.ports(), self.center(), "/cash-out/state", receipt).await
    }
}

/// What the books say, on its way into the history.
struct Walk {
    /// The balance so far.
    known: Amount,
    changes: Changes,
    entries: Vec<HistoryEntry>,
    /// Cash-outs that came back, and whose value was not met yet, the oldest first.
    returned: VecDeque<CashOutOrder>,
    /// Whether the center was asked about the open orders.
    asked: bool,
    /// Whether library, answers or orders changed.
    records: bool,
}

impl Walk {
    fn new(known: Amount) -> Self {
        Walk {
            known,
            changes: Changes::default(),
            entries: Vec::new(),
            returned: VecDeque::new(),
            asked: false,
            records: false,
        }
    }
}

/// What a completed step was for.
fn keep_result(
    walk: &mut Walk,
    step: &StatementStep,
    receipt: &Receipt,
    named: &Named,
) -> Result<(), WalletError> {
    match (step.kind, &named.shop) {
        (StatementKind::Issue, Some(shop)) => {
            walk.changes.write(&at_shop(&shop.origin, step.subject.as_str()), &Answered::Earned)?;
        }
        (StatementKind::Payment, _) => {
            if let Some(article) = LibraryEntry::named(named, receipt) {
                walk.changes.write(&at_shop(&article.shop.origin, &article.slug), &article)?;
            }
        }
        (StatementKind::CashOut, _) => {
            let order = CashOutOrder {
                tran_id: step.tran_id.to_string(),
                number: None,
                amount: step.amount,
                fee: Amount::zero(step.amount.currency()),
                destination: step.subject.to_string(),
                ordered: receipt.date,
                state: CashOutState::Ordered,
                changed: receipt.date,
                note: None,
                receipt: receipt.clone(),
            };
            let mut stated = order.clone();
            if let Some(payout) = &step.payout {
                apply(&mut stated, payout);
            }
            if stated.state == CashOutState::Returned {
                // It counts as returned once the books have its value back.
                walk.returned.push_back(stated);
                walk.returned.make_contiguous().sort_by_key(|order| order.changed);
                walk.changes.write(&order.tran_id, &order)?;
            } else {
                walk.changes.write(&stated.tran_id, &stated)?;
            }
        }
        _ => {}
    }
    walk.records = true;
    Ok(())
}

const WENT_BACK: &str = "The payment center's books went back to an earlier state. If something is missing, show its operator this entry.";

/// Brings an order to what the center says of it; tells whether that is news.
fn apply(order: &mut CashOutOrder, stated: &Stated) -> bool {
    let state = match stated.state {
        CashOutStage::Ordered => CashOutState::Ordered,
        CashOutStage::Confirmed => CashOutState::Confirmed,
        CashOutStage::Returned => CashOutState::Returned,
    };
    let news = order.number != Some(stated.number) || order.state != state;
    order.number = Some(stated.number);
    order.state = state;
    order.fee = stated.fee;
    order.changed = stated.date;
    order.note = stated.note.as_ref().map(ToString::to_string);
    news
}
