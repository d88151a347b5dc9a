//! Double entry: accounts and transfers. Pure.

use tuppence_protocol::scrip::center::StepKey;
use tuppence_protocol::{Amount, Timestamp};

/// An account of the center's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountId {
    /// Real money that the operator holds for all the others: the one account that goes below zero.
    Reserve,
    /// A buyer's purse, by the buyer's serial.
    Purse(u64),
    /// A seller's earnings and deposits, by its number in the directory.
    Vendor(u32),
    /// A campaign's budget, by its number.
    Campaign(u32),
    /// What pending payments hold.
    Transit,
    /// The center's fees.
    Fees,
    /// Cash-out orders that are not paid out yet.
    Payouts,
}

/// Why money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Posting {
    /// A seller or advertiser paid real money in: reserve -> vendor.
    Deposit,
    /// A seller took real money out: vendor -> reserve.
    Withdrawal,
    /// A campaign's budget was set aside: vendor -> campaign.
    Funding,
    /// A campaign's rest went back: campaign -> vendor.
    Defunding,
    /// A reward: campaign -> purse.
    Issue,
    /// A reward was taken back: purse -> campaign.
    IssueVoid,
    /// A payment or cash-out began: purse -> transit.
    Hold,
    /// It was taken back: transit -> purse.
    HoldVoid,
    /// A payment was completed: transit -> vendor.
    Payment,
    /// The center's share: transit -> fees.
    Fee,
    /// A cash-out was ordered: transit -> payouts.
    CashOut,
    /// A cash-out was paid out: payouts -> reserve.
    PayoutConfirmed,
    /// A cash-out came back: payouts -> purse.
    PayoutReturned,
}

/// Money that moved once; never changed afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Where it came from.
    pub debit: AccountId,
    /// Where it went.
    pub credit: AccountId,
    /// How much; never zero.
    pub amount: Amount,
    /// Why.
    pub posting: Posting,
    /// The step that it belongs to, if any.
    pub step: Option<StepKey>,
    /// The payout order that it belongs to, if any.
    pub payout: Option<u64>,
    /// When.
    pub at: Timestamp,
}
