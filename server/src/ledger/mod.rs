//! Double entry: accounts and transfers. Pure.
//!
//! A transfer moves an amount from the account that it debits to the account that it credits, so the
//! sum of all accounts is always zero. [`rules`] says which transfers are possible at all.

pub mod audit;
pub mod demands;
pub mod journal;
pub mod rules;

use std::fmt;

use tuppence_protocol::scrip::center::StepKey;
use tuppence_protocol::{Amount, Timestamp};

use crate::store::records::Reference;

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
    /// What budgets hold for shops (spec/03).
    Reservations,
}

impl fmt::Display for AccountId {
    /// As in the tables of the tests and in reports: `purse:7`, `transit`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountId::Reserve => f.write_str("reserve"),
            AccountId::Purse(number) => write!(f, "purse:{number}"),
            AccountId::Vendor(number) => write!(f, "vendor:{number}"),
            AccountId::Campaign(number) => write!(f, "campaign:{number}"),
            AccountId::Transit => f.write_str("transit"),
            AccountId::Fees => f.write_str("fees"),
            AccountId::Payouts => f.write_str("payouts"),
            AccountId::Reservations => f.write_str("reservations"),
        }
    }
}

/// Why money moves. Each posting joins two kinds of account, and belongs to a step, to a payout order, to a
/// movement or to none of them ([`Posting::cause`]); each of these has each of its postings at most once, but for a
/// budget's ([`Posting::is_of_reservation`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// And its fee with it: fees -> purse.
    FeeReturned,
    /// A budget was paid: transit -> reservations.
    Reserve,
    /// A shop deposited paywords: reservations -> vendor. As often as it does.
    Redeem,
    /// The center's share of that: reservations -> fees.
    RedeemFee,
    /// The rest of a budget went back: reservations -> purse.
    Release,
}

/// What a posting belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// An issue, payment or cash-out: [`Transfer::step`] names it.
    Step,
    /// A payout order's end: [`Transfer::payout`] names it.
    Payout,
    /// Real money that came in or went out: [`Transfer::movement`] names it.
    Movement,
    /// A seller's own money, between its accounts: none of them.
    Seller,
}

impl Posting {
    /// Every posting.
    pub const ALL: [Posting; 18] = [
        Posting::Deposit,
        Posting::Withdrawal,
        Posting::Funding,
        Posting::Defunding,
        Posting::Issue,
        Posting::IssueVoid,
        Posting::Hold,
        Posting::HoldVoid,
        Posting::Payment,
        Posting::Fee,
        Posting::CashOut,
        Posting::PayoutConfirmed,
        Posting::PayoutReturned,
        Posting::FeeReturned,
        Posting::Reserve,
        Posting::Redeem,
        Posting::RedeemFee,
        Posting::Release,
    ];

    /// The name, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Posting::Deposit => "deposit",
            Posting::Withdrawal => "withdrawal",
            Posting::Funding => "funding",
            Posting::Defunding => "defunding",
            Posting::Issue => "issue",
            Posting::IssueVoid => "issue-void",
            Posting::Hold => "hold",
            Posting::HoldVoid => "hold-void",
            Posting::Payment => "payment",
            Posting::Fee => "fee",
            Posting::CashOut => "cash-out",
            Posting::PayoutConfirmed => "payout-confirmed",
            Posting::PayoutReturned => "payout-returned",
            Posting::FeeReturned => "fee-returned",
            Posting::Reserve => "reserve",
            Posting::Redeem => "redeem",
            Posting::RedeemFee => "redeem-fee",
            Posting::Release => "release",
        }
    }

    /// What it belongs to.
    pub const fn cause(self) -> Cause {
        match self {
            Posting::Deposit | Posting::Withdrawal => Cause::Movement,
            Posting::Funding | Posting::Defunding => Cause::Seller,
            Posting::Issue
            | Posting::IssueVoid
            | Posting::Hold
            | Posting::HoldVoid
            | Posting::Payment
            | Posting::Fee
            | Posting::CashOut
            | Posting::Reserve
            | Posting::Redeem
            | Posting::RedeemFee
            | Posting::Release => Cause::Step,
            Posting::PayoutConfirmed | Posting::PayoutReturned | Posting::FeeReturned => Cause::Payout,
        }
    }

    /// Whether it gives out what a budget holds: then it belongs to the step that paid for the budget, which has ended
    /// long before, and to the budget's [`crate::store::records::Reservation`].
    pub const fn is_of_reservation(self) -> bool {
        matches!(self, Posting::Redeem | Posting::RedeemFee | Posting::Release)
    }

    /// Whether it may move money from `debit` to `credit`.
    pub const fn joins(self, debit: AccountId, credit: AccountId) -> bool {
        use AccountId::{Campaign, Fees, Payouts, Purse, Reservations, Reserve, Transit, Vendor};
        matches!(
            (self, debit, credit),
            (Posting::Deposit, Reserve, Vendor(_))
                | (Posting::Withdrawal, Vendor(_), Reserve)
                | (Posting::Funding, Vendor(_), Campaign(_))
                | (Posting::Defunding, Campaign(_), Vendor(_))
                | (Posting::Issue, Campaign(_), Purse(_))
                | (Posting::IssueVoid, Purse(_), Campaign(_))
                | (Posting::Hold, Purse(_), Transit)
                | (Posting::HoldVoid, Transit, Purse(_))
                | (Posting::Payment, Transit, Vendor(_))
                | (Posting::Fee, Transit, Fees)
                | (Posting::CashOut, Transit, Payouts)
                | (Posting::PayoutConfirmed, Payouts, Reserve)
                | (Posting::PayoutReturned, Payouts, Purse(_))
                | (Posting::FeeReturned, Fees, Purse(_))
                | (Posting::Reserve, Transit, Reservations)
                | (Posting::Redeem, Reservations, Vendor(_))
                | (Posting::RedeemFee, Reservations, Fees)
                | (Posting::Release, Reservations, Purse(_))
        )
    }
}

impl fmt::Display for Posting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
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
    /// The step that it belongs to ([`Cause::Step`]).
    pub step: Option<StepKey>,
    /// The payout order that it belongs to ([`Cause::Payout`]).
    pub payout: Option<u64>,
    /// The reference of the movement that it belongs to ([`Cause::Movement`]).
    pub movement: Option<Reference>,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests;
