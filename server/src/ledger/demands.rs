//! Which transfers a step, payout order or movement must have, by how it stands: no more, no less (spec/01, rules 5, 8, 11).

use tuppence_protocol::Amount;
use tuppence_protocol::scrip::center::{Step, StepKind, StepState};

use super::{AccountId, Posting, Transfer};
use crate::store::records::{Direction, Held, Movement, Payout, PayoutState};

/// A transfer, less what it belongs to and when it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    /// Why.
    pub posting: Posting,
    /// From here.
    pub debit: AccountId,
    /// To there.
    pub credit: AccountId,
    /// How much, in millionths.
    pub micros: u64,
}

impl From<&Transfer> for Flow {
    fn from(transfer: &Transfer) -> Self {
        let Transfer { posting, debit, credit, .. } = *transfer;
        Flow { posting, debit, credit, micros: transfer.amount.micros() }
    }
}

/// What moved for `step`, in order. `campaign` is the number of an issue's campaign.
///
/// # Errors
/// A sentence, if the step itself makes no sense.
pub fn of_step(step: &Step, campaign: Option<u32>) -> Result<Vec<Flow>, &'static str> {
    if step.is_tombstone() {
        return match step.state {
            StepState::Voided(..) => Ok(Vec::new()),
            _ => Err("a step without a new scrip is not voided"),
        };
    }
    let purse = AccountId::Purse(step.customer.get());
    let (origin, begin, void) = match step.kind {
        StepKind::Issue => {
            let campaign = campaign.ok_or("the issue's campaign is unknown")?;
            (AccountId::Campaign(campaign), Posting::Issue, Posting::IssueVoid)
        }
        StepKind::Payment | StepKind::CashOut => (AccountId::Transit, Posting::Hold, Posting::HoldVoid),
    };
    let micros = step.amount.micros();
    let (debit, credit) = if step.kind == StepKind::Issue { (origin, purse) } else { (purse, origin) };
    let mut moved = vec![Flow { posting: begin, debit, credit, micros }];
    match step.state {
        StepState::Pending => {}
        StepState::Voided(..) => {
            moved.push(Flow { posting: void, debit: credit, credit: debit, micros });
        }
        StepState::Posted(_) => moved.extend(completion(step)?),
    }
    Ok(moved)
}

fn completion(step: &Step) -> Result<impl Iterator<Item = Flow>, &'static str> {
    let rest = step.amount.checked_sub(step.fee).map_err(|_| "the fee is more than the amount")?;
    let receiver = match step.kind {
        StepKind::Issue => None,
        // The center itself sells nothing but budgets.
        StepKind::Payment if step.key.vendor == 0 => Some((Posting::Reserve, AccountId::Reservations)),
        StepKind::Payment => Some((Posting::Payment, AccountId::Vendor(step.key.vendor))),
        StepKind::CashOut => Some((Posting::CashOut, AccountId::Payouts)),
    };
    let flows = receiver.map(|(posting, credit)| {
        let debit = AccountId::Transit;
        [
            Flow { posting, debit, credit, micros: rest.micros() },
            Flow { posting: Posting::Fee, debit, credit: AccountId::Fees, micros: step.fee.micros() },
        ]
    });
    Ok(flows.into_iter().flatten().filter(|flow| flow.micros != 0))
}

/// What moved for the end of `payout`.
pub fn of_payout(payout: &Payout) -> Vec<Flow> {
    let purse = AccountId::Purse(payout.customer.get());
    let flow =
        |posting, debit, credit, amount: Amount| Flow { posting, debit, credit, micros: amount.micros() };
    let mut moved = match payout.state {
        PayoutState::Ordered => Vec::new(),
        PayoutState::Confirmed(..) => {
            vec![flow(Posting::PayoutConfirmed, AccountId::Payouts, AccountId::Reserve, payout.amount)]
        }
        PayoutState::Returned(..) => vec![
            flow(Posting::PayoutReturned, AccountId::Payouts, purse, payout.amount),
            flow(Posting::FeeReturned, AccountId::Fees, purse, payout.fee),
        ],
    };
    moved.retain(|flow| flow.micros != 0);
    moved
}

/// What `held` has given out in all, as it stands; nothing of it is zero.
pub fn of_held(held: &Held) -> Vec<Flow> {
    let released = if held.closed.is_some() && held.funded { held.rest.micros() } else { 0 };
    let debit = AccountId::Reservations;
    let flows = [
        (Posting::Redeem, AccountId::Vendor(held.vendor), held.to_vendor.micros()),
        (Posting::RedeemFee, AccountId::Fees, held.fee.micros()),
        (Posting::Release, AccountId::Purse(held.customer.get()), released),
    ];
    let flows = flows.map(|(posting, credit, micros)| Flow { posting, debit, credit, micros });
    flows.into_iter().filter(|flow| flow.micros != 0).collect()
}

/// Whether `held` is what the payment `step` to the center itself has paid for.
pub fn holds(held: &Held, step: &Step) -> bool {
    step.kind == StepKind::Payment
        && step.key == held.step
        && step.customer == held.customer
        && step.fee.is_zero()
        && held.value == step.amount
        && match step.state {
            StepState::Pending => !held.funded && held.closed.is_none(),
            StepState::Posted(_) => held.funded,
            StepState::Voided(..) => !held.funded && held.closed.is_some(),
        }
}

/// What moved for `movement`.
pub fn of_movement(movement: &Movement) -> Flow {
    let (reserve, vendor) = (AccountId::Reserve, AccountId::Vendor(movement.vendor));
    let (posting, debit, credit) = match movement.direction {
        Direction::Deposit => (Posting::Deposit, reserve, vendor),
        Direction::Withdrawal => (Posting::Withdrawal, vendor, reserve),
    };
    Flow { posting, debit, credit, micros: movement.amount.micros() }
}

/// Whether `payout` is what the cash-out `step` ordered.
pub fn orders(payout: &Payout, step: &Step) -> bool {
    step.kind == StepKind::CashOut
        && payout.step == step.key
        && payout.customer == step.customer
        && payout.fee == step.fee
        && payout.fee.checked_add(payout.amount) == Ok(step.amount)
}
