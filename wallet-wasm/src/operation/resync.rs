//! Resynchronisation (spec/01, rule 6): the center tells the live scrip, and the wallet follows.
//!
//! Needed after a backup was restored, when another copy of this wallet was used, when scrip has expired,
//! or a cash-out came back. Every difference becomes an entry with its explanation, so that the history
//! always adds up to the balance.

use tuppence_protocol::scrip::cash_out::{CashOutStage, CashOutState as Stated};
use tuppence_protocol::{Amount, scrip::receipt::Receipt};

use crate::client::{self, CallError};
use crate::error::WalletError;
use crate::operation::session::{NewEntry, Session};
use crate::ports::{Changes, Scan};
use crate::record;
use crate::view::{CashOutOrder, CashOutState, Change, EntryKind, WalletEvent};

impl Session {
    /// PM6_2 without a transaction.
    pub(crate) async fn resynchronise(&mut self) -> Result<(), WalletError> {
        let orders = self.ask_about_orders().await;
        self.follow(orders).await
    }

    /// Asks how the open cash-out orders stand, and fetches the live scrip if one came back.
    pub(crate) async fn refresh_orders(&mut self) -> Result<(), WalletError> {
        let orders = self.ask_about_orders().await;
        if orders.iter().any(|order| order.state == CashOutState::Returned) {
            return self.follow(orders).await;
        }
        if orders.is_empty() {
            return Ok(());
        }
        let mut changes = Changes::default();
        for order in &orders {
            changes.write(&order.tran_id, order)?;
        }
        self.ports().storage.commit(changes).await?;
        self.inner.tell(&WalletEvent::Records);
        Ok(())
    }

    /// Fetches the live scrip, and writes it with the orders that have changed and an entry for each difference.
    async fn follow(&mut self, orders: Vec<CashOutOrder>) -> Result<(), WalletError> {
        let awaiting = self.purse().resynchronise(self.now());
        let mut exchange = Vec::new();
        let reply = self.send_finish(&mut exchange, &awaiting.request).await?;
        let live = awaiting.receive(&reply, &self.custom_secret)?;

        let mut known = self.value();
        // An older copy of the center's books began a new epoch, or was put back without anybody noticing.
        let (serial, ours) = (live.scrip.scrip.scrip_id.serial_number, self.purse().serial());
        let went_back = serial < ours || serial.epoch() > ours.epoch();
        self.wallet.scrip = live.scrip;
        self.wallet.stale = false;
        let now = self.value();
        let mut changes = Changes::default();
        let mut entries = Vec::new();
        for order in orders {
            changes.write(&order.tran_id, &order)?;
            if order.state == CashOutState::Returned {
                known = known.checked_add(order.amount).unwrap_or(known);
                let mut entry = NewEntry::new(EntryKind::CashOutReturned, Change::gain(order.amount));
                entry.subject = Some(order.destination);
                entry.tran_id = Some(order.tran_id);
                entry.note = order.note;
                let mut entry = self.enter(&mut changes, entry, &exchange)?;
                entry.balance_after = known;
                changes.write(&record::numbered(entry.number), &entry)?;
                entries.push(entry);
            }
        }
        // The messages that go with the entry show the newest scrip of before, which the center certified: with it a
        // reader can prove what the books have lost.
        if known != now || went_back {
            let mut entry = moved_elsewhere(known, now);
            if went_back {
                entry.note = Some(WENT_BACK.to_owned());
            }
            entries.push(self.enter(&mut changes, entry, &exchange)?);
        }
        self.commit(changes, &entries).await
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

const ELSEWHERE: &str = "Another copy of this wallet was used, or this copy is an older one. The balance is now what the payment center has.";
const WENT_BACK: &str = "The payment center's books went back to an earlier state. If something is missing, show its operator this entry.";

/// The balance changed without this wallet's doing.
pub(super) fn moved_elsewhere(before: Amount, after: Amount) -> NewEntry {
    let mut entry = NewEntry::new(EntryKind::Adjusted, Change::between(before, after));
    entry.note = Some(ELSEWHERE.to_owned());
    entry
}

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
