//! Where the center's records are kept: one trait, two stores.
//!
//! A batch of commands says what it touches ([`Wanted`]), a [`Store`] loads that as one [`WorkingSet`],
//! the commands change the set, and its [`Changes`] are committed all or none.

pub mod committer;
pub mod directory;
pub mod ended;
pub mod epochs;
pub mod memory;
mod overlay;
pub mod records;
mod resident;
pub mod sqlite;
pub mod working_set;

use std::collections::BTreeSet;
use std::sync::Arc;

use tuppence_protocol::ids::Serial;
use tuppence_protocol::payword::AuthorityId;
use tuppence_protocol::recovery::StatementRow;
use tuppence_protocol::scrip::center::{Center, Purse, Seller, Step, StepKey};
use tuppence_protocol::vendor_scrip::OrderId;
use tuppence_protocol::{Currency, ErrorCode, Refusal, Timestamp, WalletId};

use crate::center::payout_state;
use crate::ledger::{AccountId, Transfer};
pub use directory::Directory;
use records::{
    Campaign, Claim, Epoch, KeptLicence, KeptNotes, Movement, Payout, Purchase, Reference, Registration,
    Reservation, Sale, Vendor,
};
pub use working_set::{Records, WorkingSet};

/// Which records a batch of commands touches. A purse comes with its pending step, a step with its buyer's
/// purse and its payout order or reservation, a registration with its purse, a payout order and a reservation with
/// their step and purse.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Purses, each with its pending step.
    pub purses: BTreeSet<Serial>,
    /// Steps.
    pub steps: BTreeSet<StepKey>,
    /// Registrations, each with its purse.
    pub registrations: BTreeSet<WalletId>,
    /// Payout orders.
    pub payouts: BTreeSet<u64>,
    /// Movements.
    pub movements: BTreeSet<Reference>,
    /// Notes, by the buyer.
    pub notes: BTreeSet<Serial>,
    /// Salts of solved challenges.
    pub salts: BTreeSet<[u8; 16]>,
    /// Claims, by the buyer.
    pub claims: BTreeSet<Serial>,
    /// Reservations.
    pub reservations: BTreeSet<AuthorityId>,
    /// Sales, each with its payment, its purse and its shop's licences.
    pub sales: BTreeSet<OrderId>,
    /// Sales by their purchase; likewise.
    pub purchases: BTreeSet<Purchase>,
    /// Shops, all of whose licences are wanted.
    pub licences: BTreeSet<u32>,
}

/// Where records are kept. One thread owns it.
pub trait Store: Send {
    /// Reads what a batch of commands touches.
    ///
    /// # Errors
    /// [`StoreError`]
    fn load(&mut self, wanted: Wanted) -> Result<WorkingSet, StoreError>;

    /// Writes all of these changes durably, or none of them.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was written.
    fn commit(&mut self, changes: Changes) -> Result<(), StoreError>;

    /// Sellers and campaigns.
    ///
    /// # Errors
    /// [`StoreError`]
    fn directory(&mut self) -> Result<Arc<Directory>, StoreError>;

    /// The balance of an account in millionths; 0 where nothing was ever posted.
    ///
    /// # Errors
    /// [`StoreError`]
    fn balance(&mut self, account: AccountId) -> Result<i64, StoreError>;

    /// At most `limit` payout orders with a number beyond `after`, in order; only those that are yet to be
    /// paid where `open` is set.
    ///
    /// # Errors
    /// [`StoreError`]
    fn payouts(&mut self, open: bool, after: u64, limit: usize) -> Result<Vec<Payout>, StoreError>;

    /// At most `limit` pending steps that began before `before`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn pending_steps(&mut self, before: Timestamp, limit: usize) -> Result<Vec<StepKey>, StoreError>;

    /// At most `limit` funded reservations that are open although their time ended before `before`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn due_reservations(&mut self, before: Timestamp, limit: usize) -> Result<Vec<AuthorityId>, StoreError>;

    /// At most `limit` funded sales that are open although their time ended before `before`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn due_sales(&mut self, before: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError>;

    /// The epochs of the books, the first one first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn epochs(&mut self) -> Result<Vec<Epoch>, StoreError>;

    /// A buyer's purse with at most `limit` steps that took its serials from `from` on, in order; absent if there
    /// is no such purse.
    ///
    /// # Errors
    /// [`StoreError`]
    fn statement(
        &mut self,
        customer: Serial,
        from: Serial,
        limit: usize,
    ) -> Result<Option<Statement>, StoreError>;

    /// How much there is of everything.
    ///
    /// # Errors
    /// [`StoreError`]
    fn counts(&mut self) -> Result<Counts, StoreError>;

    /// Shows every row to `visit`, all as of one moment, in the order of [`Row`]'s variants.
    ///
    /// # Errors
    /// [`StoreError`]; a row that cannot be read is no error, but a [`Row::Unreadable`].
    fn rows(&mut self, visit: &mut dyn FnMut(Row)) -> Result<(), StoreError>;
}

/// What a working set changed.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Purses.
    pub purses: Vec<Change<Purse>>,
    /// Steps; a step that has ended never changes again.
    pub steps: Vec<Change<Step>>,
    /// New registrations.
    pub registrations: Vec<Registration>,
    /// Sellers.
    pub vendors: Vec<Change<Vendor>>,
    /// Campaigns.
    pub campaigns: Vec<Change<Campaign>>,
    /// Payout orders.
    pub payouts: Vec<Change<Payout>>,
    /// New movements; one never changes.
    pub movements: Vec<Movement>,
    /// Notes.
    pub notes: Vec<Change<KeptNotes>>,
    /// New salts, and when they are forgotten.
    pub salts: Vec<([u8; 16], Timestamp)>,
    /// Salts that ended before this are forgotten.
    pub salts_ended: Option<Timestamp>,
    /// Steps that were cancelled before this and never came are forgotten.
    pub cancelled_ended: Option<Timestamp>,
    /// The epoch that begins.
    pub epoch: Option<Epoch>,
    /// Claims.
    pub claims: Vec<Change<Claim>>,
    /// Reservations; one that was closed never changes again.
    pub reservations: Vec<Change<Reservation>>,
    /// Sales; one that was closed never changes again.
    pub sales: Vec<Change<Sale>>,
    /// Licences.
    pub licences: Vec<Change<KeptLicence>>,
    /// New balances in millionths, of the accounts that are not purses'.
    pub balances: Vec<(AccountId, i64)>,
    /// New transfers, in order.
    pub transfers: Vec<Transfer>,
}

impl Changes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.purses.is_empty()
            && self.steps.is_empty()
            && self.registrations.is_empty()
            && self.vendors.is_empty()
            && self.campaigns.is_empty()
            && self.payouts.is_empty()
            && self.movements.is_empty()
            && self.notes.is_empty()
            && self.salts.is_empty()
            && self.salts_ended.is_none()
            && self.cancelled_ended.is_none()
            && self.epoch.is_none()
            && self.claims.is_empty()
            && self.reservations.is_empty()
            && self.sales.is_empty()
            && self.licences.is_empty()
            && self.balances.is_empty()
            && self.transfers.is_empty()
    }
}

/// A record that is new, or takes the place of `before`.
#[derive(Debug, Clone)]
pub struct Change<V> {
    /// As it is stored now, if it is.
    pub before: Option<V>,
    /// As it shall be.
    pub after: V,
}

/// What has happened to one purse, as of one moment.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The purse.
    pub purse: Purse,
    /// Its steps, in the order of the serials that they took.
    pub steps: Vec<Step>,
    /// The payout orders of those of them that are completed cash-outs.
    pub payouts: Vec<Payout>,
}

impl Statement {
    /// At most `limit` of the steps, with what their lines in a statement need besides.
    ///
    /// # Errors
    /// [`ErrorCode::Fault`] for a step without a seller.
    pub fn rows<'a>(
        &'a self,
        center: &'a Center,
        directory: &'a Directory,
        limit: usize,
    ) -> Result<Vec<StatementRow<'a>>, Refusal> {
        let row = |step: &'a Step| {
            let seller = match step.key.vendor {
                0 => center.as_seller(),
                number => {
                    let missing = || Refusal::new(ErrorCode::Fault, "A step has no seller.");
                    let vendor = directory.vendor(number).ok_or_else(missing)?;
                    Seller { number, id: &vendor.id, secrets: &vendor.secrets }
                }
            };
            let payout = self.payouts.iter().find(|payout| payout.step == step.key).map(payout_state);
            Ok(StatementRow { step, seller, payout })
        };
        self.steps.iter().take(limit).map(row).collect()
    }
}

/// How many records there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Registered buyers.
    pub purses: u64,
    /// Issues, payments and cash-outs that have not ended.
    pub pending: u64,
    /// Sellers.
    pub vendors: u64,
    /// Campaigns.
    pub campaigns: u64,
    /// Payout orders.
    pub payouts: u64,
    /// Of these, those that are yet to be paid.
    pub payouts_open: u64,
    /// Transfers.
    pub transfers: u64,
}

/// One row of a store, for whoever checks or copies it.
#[derive(Debug, Clone)]
pub enum Row {
    /// The one currency of every amount.
    Currency(Currency),
    /// A seller.
    Vendor(Vendor),
    /// A campaign.
    Campaign(Campaign),
    /// The balance of an account that is not a purse's, in millionths.
    Account(AccountId, i64),
    /// A transfer and its number. First come those of no step, in order; then, step by step, those that name
    /// one, each directly after its [`Row::Step`].
    Transfer(u64, Transfer),
    /// A step.
    Step(Step),
    /// A purse.
    Purse(Purse),
    /// A registration.
    Registration(Registration),
    /// A payout order.
    Payout(Payout),
    /// A movement.
    Movement(Movement),
    /// A wallet's notes.
    Notes(KeptNotes),
    /// An epoch.
    Epoch(Epoch),
    /// A claim.
    Claim(Claim),
    /// A reservation.
    Reservation(Box<Reservation>),
    /// A licence.
    Licence(Box<KeptLicence>),
    /// A sale.
    Sale(Box<Sale>),
    /// What follows is what has changed since a head: transfers with a number beyond this one, and what belongs to
    /// them.
    Since(u64),
    /// What an account held at that head, in millionths.
    Opening(AccountId, i64),
    /// A row that is none of the above: where, and why.
    Unreadable {
        /// The table and the row's key.
        place: String,
        /// What does not fit.
        why: String,
    },
}

/// Why a store did not do what it was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is full, locked or away: a later try may work.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What is stored, or shall be stored, breaks a rule.
    #[error("the store's contents do not fit: {0}")]
    Integrity(String),
}

#[cfg(test)]
pub(crate) mod tests;
