//! The payment center (spec/01): commands over the store's records, with the rules of
//! [`tuppence_protocol::scrip::center`] and the books of [`crate::ledger`].
//!
//! Each command has a file. It finds its records, lets the protocol decide, and keeps what that decides:
//! records, and the transfers that go with them (`books`). Nothing here waits, reads a clock or draws a
//! random number.

mod books;
mod campaign;
mod cash_out;
mod claim;
mod command;
mod earner;
mod finish;
mod issue;
pub mod keys;
mod live;
mod operator;
mod payment;
mod payword;
mod recovery;
mod register;
mod relay;
mod sweep;
mod vendor_scrip;

#[cfg(test)]
mod tests;

use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::{Refusal, Timestamp};

pub(crate) use cash_out::state_of as payout_state;
pub use command::{Command, Reply, VendorState};
pub use live::{LiveCenter, RingsDiffer};

use crate::store::committer::Rules;
use crate::store::{Directory, Wanted, WorkingSet};

/// The center's rules, as the committer runs them.
#[derive(Debug, Clone)]
pub struct CenterRules {
    center: LiveCenter,
}

impl CenterRules {
    /// The rules of `center`.
    pub fn new(center: impl Into<LiveCenter>) -> Self {
        CenterRules { center: center.into() }
    }
}

impl Rules for CenterRules {
    type Command = Command;
    type Reply = Reply;

    fn wanted(&self, command: &Command, directory: &Directory, wanted: &mut Wanted) {
        command.wanted(&self.center.current(), directory, wanted);
    }

    fn apply(&self, set: &mut WorkingSet, command: Command, now: Timestamp) -> Result<Reply, Refusal> {
        apply(&self.center.current(), set, command, now)
    }
}

/// Applies `command` to `set`, which has what [`Command::wanted`] asked for. The caller takes the changes
/// of a refused command back ([`WorkingSet::command`]).
///
/// # Errors
/// The rule that the command breaks.
pub fn apply(
    center: &Center,
    set: &mut WorkingSet,
    command: Command,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    match command {
        Command::Register { request, session_key, nonce } => {
            register::register(center, set, &request, &session_key, nonce, now).map(Reply::Registered)
        }
        Command::Admit(request) => register::admit(center, set, &request, now).map(|()| Reply::Admitted),
        Command::UseUp { salt, ends } => {
            register::use_up(set, salt, ends);
            Ok(Reply::UsedUp)
        }
        Command::AdmitRecovery(request) => {
            recovery::admit(center, set, &request, now).map(|()| Reply::Admitted)
        }
        Command::Recover { request, session_key, nonce } => {
            recovery::claim(center, set, &request, &session_key, nonce, now).map(Reply::Recovered)
        }
        Command::Notes(message) => recovery::notes(center, set, &message, now).map(Reply::Notes),
        Command::Attest(message) => earner::attest(center, set, &message).map(Reply::Attested),
        Command::Claim(scrip) => claim::claim(center, set, &scrip, now).map(|()| Reply::Claimed),
        Command::Issue(message) => issue::issue(center, set, &message, now).map(Reply::Ecash),
        Command::Payment(message) => payment::payment(center, set, &message, now).map(Reply::Balance),
        Command::Reserve { start, order } => {
            payword::reserve(center, set, &start, &order, now).map(Reply::Balance)
        }
        Command::Countersigned { id, receipt } => {
            payword::countersigned(center, set, &id, &receipt).map(Box::new).map(Reply::Countersigned)
        }
        Command::Deposit(message) => payword::deposit(center, set, &message, now).map(Reply::Deposited),
        Command::License(message) => vendor_scrip::license(center, set, &message, now).map(Reply::Licensed),
        Command::QuoteScrip { order, tran_id } => {
            vendor_scrip::quote(center, set, &order, tran_id, now).map(Box::new).map(Reply::Quoted)
        }
        Command::BuyScrip { start, order } => {
            vendor_scrip::buy(center, set, &start, &order, now).map(Reply::Balance)
        }
        Command::Purchased { id, receipt } => {
            vendor_scrip::purchased(center, set, &id, &receipt).map(Box::new).map(Reply::Purchased)
        }
        Command::Settle(message) => vendor_scrip::settle(center, set, &message, now).map(Reply::Settled),
        Command::CloseSales(ids) => vendor_scrip::close(center, set, &ids, now).map(Reply::Released),
        Command::Release(ids) => payword::release(center, set, &ids, now).map(Reply::Released),
        Command::Finish(message) => finish::finish(center, set, &message, now).map(Reply::Finished),
        Command::Relay(message) => relay::relay(center, set, &message, now).map(Reply::Relayed),
        Command::FundCampaign(message) => campaign::fund(center, set, &message, now).map(Reply::Campaign),
        Command::CampaignState { vendor, item } => campaign::state(set, vendor, &item).map(Reply::Campaign),
        Command::CashOutState(receipt) => cash_out::state(center, set, &receipt).map(Reply::CashOut),
        Command::ConfirmPayout { number, reference } => {
            operator::confirm(set, number, reference, now).map(Reply::Payout)
        }
        Command::ReturnPayout { number, reason } => {
            operator::give_back(center, set, number, reason, now).map(Reply::Payout)
        }
        Command::AddVendor { id, origin, secret } => {
            operator::add_vendor(center, set, id, origin, secret, now).map(Reply::Vendor)
        }
        Command::AddVendorSecret { vendor, secret } => {
            operator::add_vendor_secret(set, vendor, secret).map(Reply::Vendor)
        }
        Command::Vendors => Ok(Reply::Vendors(operator::vendors(set))),
        Command::Book { reference, vendor, direction, amount } => {
            operator::book(set, reference, vendor, direction, amount, now).map(Reply::Booked)
        }
        Command::Sweep(steps) => sweep::sweep(center, set, &steps, now).map(Reply::Swept),
    }
}
