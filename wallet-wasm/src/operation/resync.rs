//! Asking where the purse stands (spec/01, rule 6), and following what has happened to it elsewhere.
//!
//! To ask takes one message, and nearly always the answer is what is known already. To follow is the
//! [kit](crate::kit)'s.

use futures_util::future::LocalBoxFuture;
use tuppence_protocol::Amount;
use tuppence_protocol::scrip::buyer::LiveScrip;

use crate::error::WalletError;
use crate::kit::Task;
use crate::operation::session::{NewEntry, Session};
use crate::view::{Change, EntryKind, ExchangeStep};

impl Session {
    /// Whether the center has another scrip than this wallet: another device was used, or a cash-out came back.
    pub(crate) async fn is_behind(&self) -> Result<bool, WalletError> {
        let live = self.live_scrip(&mut Vec::new()).await?;
        Ok(live.pending.is_some() || live.scrip.scrip.scrip_id != self.wallet.scrip.scrip.scrip_id)
    }

    /// Brings scrip and history to where the center's books are. That it is to be done is written first, so that it
    /// is not forgotten where it cannot be done now.
    ///
    /// # Errors
    /// Why they could not be brought there; scrip and history are as they were then.
    pub(crate) fn resynchronise(&mut self) -> LocalBoxFuture<'_, Result<(), WalletError>> {
        Box::pin(async move {
            self.wallet.stale = true;
            self.commit_quietly().await?;
            self.ask_kit(Task::Follow).await.map(drop)
        })
    }

    /// PM6_2 without a transaction.
    pub(crate) async fn live_scrip(
        &self,
        exchange: &mut Vec<ExchangeStep>,
    ) -> Result<LiveScrip, WalletError> {
        let awaiting = self.purse().resynchronise(self.now());
        let reply = self.send_finish(exchange, &awaiting.request).await?;
        Ok(awaiting.receive(&reply, &self.custom_secret)?)
    }
}

const ELSEWHERE: &str = "The payment center's books say so, and no step of this wallet explains it. The balance is now what the payment center has.";

/// The balance changed without a step that explains it.
pub(crate) fn moved_elsewhere(before: Amount, after: Amount) -> NewEntry {
    let mut entry = NewEntry::new(EntryKind::Adjusted, Change::between(before, after));
    entry.note = Some(ELSEWHERE.to_owned());
    entry
}
