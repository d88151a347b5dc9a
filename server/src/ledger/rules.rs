//! The rules of a posting: what moves, between which accounts, and what both hold afterwards.

use tuppence_protocol::{Currency, ErrorCode, Refusal};

use super::{AccountId, Cause, Posting, Transfer};

/// Checks what can be told of a transfer without any balance.
///
/// # Errors
/// [`LedgerError`] but for `Uncovered`, `Unknown` and `TooLarge`.
pub fn check(transfer: &Transfer, currency: Currency) -> Result<(), LedgerError> {
    if transfer.amount.is_zero() {
        return Err(LedgerError::Zero);
    }
    if transfer.amount.currency() != currency {
        return Err(LedgerError::Currency(transfer.amount.currency()));
    }
    if transfer.debit == transfer.credit {
        return Err(LedgerError::SameAccount(transfer.debit));
    }
    if !transfer.posting.joins(transfer.debit, transfer.credit) {
        return Err(LedgerError::Accounts(transfer.posting, transfer.debit, transfer.credit));
    }
    let cause = transfer.posting.cause();
    if transfer.step.is_some() != (cause == Cause::Step)
        || transfer.payout.is_some() != (cause == Cause::Payout)
        || transfer.movement.is_some() != (cause == Cause::Movement)
    {
        return Err(LedgerError::Cause(transfer.posting));
    }
    Ok(())
}

/// The balances of the debited and the credited account after `transfer`, from those before, in millionths.
///
/// # Errors
/// [`LedgerError::Uncovered`] below zero, but for the reserve; [`LedgerError::TooLarge`] beyond 63 bits.
pub fn moved(transfer: &Transfer, debit: i64, credit: i64) -> Result<(i64, i64), LedgerError> {
    let micros = i64::try_from(transfer.amount.micros()).map_err(|_| LedgerError::TooLarge)?;
    let debit = debit.checked_sub(micros).ok_or(LedgerError::TooLarge)?;
    let credit = credit.checked_add(micros).ok_or(LedgerError::TooLarge)?;
    if debit < 0 && transfer.debit != AccountId::Reserve {
        return Err(LedgerError::Uncovered(transfer.debit));
    }
    Ok((debit, credit))
}

/// Why a transfer is impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Nothing would move.
    #[error("a transfer of nothing")]
    Zero,
    /// Not the center's currency.
    #[error("a transfer in {0}, which is not the center's currency")]
    Currency(Currency),
    /// One account on both sides.
    #[error("a transfer from {0} to itself")]
    SameAccount(AccountId),
    /// The posting does not join these accounts.
    #[error("{0} does not move money from {1} to {2}")]
    Accounts(Posting, AccountId, AccountId),
    /// The step, payout order or movement is missing, or there is one too many.
    #[error("{0} does not name what it belongs to, or names too much")]
    Cause(Posting),
    /// The debited account does not cover the amount.
    #[error("{0} does not cover the amount")]
    Uncovered(AccountId),
    /// There is no such account.
    #[error("there is no account {0}")]
    Unknown(AccountId),
    /// The books hold at most 63 bits.
    #[error("a balance is beyond its limit")]
    TooLarge,
}

/// A command checks before it posts, so an impossible transfer is the center's fault, not the sender's.
impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Refusal::new(ErrorCode::Fault, format!("The center's books refuse this: {error}."))
    }
}
