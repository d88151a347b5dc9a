//! Cashing out (spec/01, rule 11): a payment to the center, which pays real money.
//!
//! ```text
//! S1 -> S2 of the center
//! Starting: S4 -> S5 -> Finishing: S6 -> receipt -> scrip + "cash-out" + order
//! the order: ordered -> confirmed, or returned -> resynchronise -> "returned"
//! ```

use std::rc::Rc;

use tuppence_protocol::Amount;
use tuppence_protocol::scrip::cash_out::CashOutOrder as Ordered;
use tuppence_protocol::scrip::cash_out::Destination;
use tuppence_protocol::scrip::info::CenterInfo;

use crate::client::{self, Peer};
use crate::error::{Problem, WalletError};
use crate::kit::Task;
use crate::operation::session::{Session, known_center};
use crate::operation::{Errand, Stage};
use crate::ports::Scan;
use crate::record;
use crate::view::{CashOutOrder, CashOutState, CashOutTerms, HistoryEntry, Party};
use crate::wallet::Inner;

/// What cashing out asks for now.
pub(crate) async fn terms(inner: &Inner, balance: Amount) -> Result<CashOutTerms, WalletError> {
    let info = known_info(inner).await?;
    Ok(CashOutTerms {
        threshold: info.payout_threshold,
        fee: info.payout_fee,
        balance,
        reached: balance.covers(info.payout_threshold),
    })
}

/// The center's word on itself, if it is still the center that was met.
async fn known_info(inner: &Inner) -> Result<CenterInfo, WalletError> {
    let known = known_center(inner).await?.ok_or(Problem::NoWallet)?;
    let info: CenterInfo = client::get(&inner.ports, Peer::Center(&known.origin), "/center").await?;
    if info.public_key.fingerprint() != known.fingerprint || info.center_id != known.id {
        return Err(Problem::CenterKeyChanged.into());
    }
    Ok(info)
}

/// Orders that `amount` be paid out, less the fee.
pub(crate) async fn cash_out(
    inner: &Rc<Inner>,
    amount: Amount,
    destination: &str,
) -> Result<CashOutOrder, WalletError> {
    let invalid = |why: String| WalletError::from(Problem::ArgumentInvalid).because(why);
    let destination =
        Destination::normalized(destination.trim()).map_err(|error| invalid(format!("{error}.")))?;
    let order = Ordered { amount, destination };
    let url = order.to_request_url().map_err(|refusal| invalid(refusal.message))?;
    let info = known_info(inner).await?;

    let mut session = Session::open(inner).await?;
    session.settle().await?;
    let mut exchange = Vec::new();
    let center = session.wallet.center.id.clone();
    let offer = session
        .ask_price(&mut exchange, session.center(), Party::Center, "/cash-out", center, url.as_str())
        .await?;
    if offer.amount() != amount {
        return Err(WalletError::from(Problem::ReplyInvalid).because("The offer is of another amount."));
    }
    let awaiting = session.purse().start(offer, session.now())?;
    let errand = Errand::from((&order, info.payout_fee));
    let mut operation = session.operation(errand, Stage::Starting(Box::new(awaiting)))?;
    operation.exchange = exchange;
    let HistoryEntry { tran_id, .. } = session.run(operation).await?;
    // The number, and whatever else the center says of it by now.
    let _ = session.ask_kit(Task::Orders).await;
    let name = tran_id.unwrap_or_default();
    let order: Option<CashOutOrder> = record::read(&*inner.ports.storage, &name).await?;
    Ok(order.ok_or(Problem::RecordDamaged)?)
}

/// The orders, newest first; the open ones as the center has them, where it can be reached.
pub(crate) async fn orders(inner: &Rc<Inner>) -> Result<Vec<CashOutOrder>, WalletError> {
    let mut orders: Vec<CashOutOrder> = record::list(&*inner.ports.storage, Scan::All).await?;
    if orders.iter().any(|order| order.state == CashOutState::Ordered) {
        // Where this fails, they are shown as they were last known.
        let _ = refresh(inner).await;
        orders = record::list(&*inner.ports.storage, Scan::All).await?;
    }
    orders.sort_by_key(|order| std::cmp::Reverse(order.ordered));
    Ok(orders)
}

async fn refresh(inner: &Rc<Inner>) -> Result<(), WalletError> {
    let mut session = Session::open(inner).await?;
    session.settle().await?;
    session.ask_kit(Task::Orders).await.map(drop)
}
