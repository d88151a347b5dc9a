//! Cancelling (spec/01, rule 5): `_4_2` where the center may not know of it yet, `_6_3` where it does.
//!
//! The cancellation is stored like any other message; if it comes too late, the operation goes on to its
//! end instead.

use std::rc::Rc;

use crate::error::{Money, Problem, WalletError};
use crate::operation::session::Session;
use crate::operation::{Operation, Stage};
use crate::record;
use crate::view::EntryKind;
use crate::wallet::Inner;

/// Takes the operation `id` back.
///
/// # Errors
/// `too_late` once it is completed, `operation_unknown` if it has ended, and whatever keeps the
/// cancellation itself open.
pub(crate) async fn cancel(inner: &Rc<Inner>, id: &str) -> Result<(), WalletError> {
    let mut session = Session::open(inner).await?;
    let operation: Option<Operation> = record::read(&*inner.ports.storage, id).await?;
    let mut operation = operation.ok_or(Problem::OperationUnknown)?;
    let (secret, now) = (session.custom_secret.clone(), session.now());
    let returning = match &operation.stage {
        Stage::Starting(awaiting) => awaiting.cancel(&secret, now),
        Stage::Finishing(awaiting) => awaiting.cancel(&secret, now),
        Stage::Cancelling { .. } => return ended(session.run(operation).await),
        // An answer that was given cannot be taken back, nor a registration.
        Stage::Asking | Stage::Registering(_) => return Err(Problem::TooLate.into()),
    };
    let back = Box::new(operation.stage);
    operation.stage = Stage::Cancelling { returning: Box::new(returning), back };
    ended(session.run(operation).await)
}

fn ended(result: Result<crate::view::HistoryEntry, WalletError>) -> Result<(), WalletError> {
    match result {
        Ok(entry) if entry.kind == EntryKind::Cancelled => Ok(()),
        Ok(_) => Err(WalletError::from(Problem::TooLate).with_money(Money::Moved)),
        Err(error) if error.is(Problem::TakenBack) => Ok(()),
        Err(error) => Err(error),
    }
}
