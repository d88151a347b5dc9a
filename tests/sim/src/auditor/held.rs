//! Budgets as the center answers and stores them, against the auditor's own ([`super::budgets`]).

use tuppence_protocol::vendor_scrip::AwaitingScrip;
use tuppence_server::center::{Command, Reply as Said};
use tuppence_server::ledger::{AccountId, Posting, Transfer};
use tuppence_server::store::memory::MemoryStore;
use tuppence_server::store::records::{KeptLicence, Reservation, Sale};
use tuppence_server::store::{Changes, Store, Wanted};

use super::Auditor;
use super::books::{Books, Stand};
use super::budgets::{Budget, BudgetId, Pays};
use super::invariants::Invariant;
use super::rules::Expected;

/// A budget as it is stored, whichever kind, in plain numbers.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    vendor: u32,
    payment: [u8; 16],
    customer: u64,
    value: u64,
    taken: u64,
    due: u64,
    funded: bool,
    closed: Option<u64>,
}

impl Row {
    fn of_reservation(stored: &Reservation) -> Self {
        let authority = stored.kept.countersigned.authority();
        let unit = authority.unit.micros();
        Row {
            vendor: stored.vendor,
            payment: *stored.kept.tran_id.as_bytes(),
            customer: stored.kept.custom_id.serial_number.get(),
            value: unit * u64::from(authority.length),
            taken: unit * u64::from(stored.kept.paid.index),
            due: stored.due().as_millis(),
            funded: stored.funded,
            closed: stored.kept.closed.map(|at| at.as_millis()),
        }
    }

    fn of_sale(stored: &Sale) -> Self {
        Row {
            vendor: stored.vendor,
            payment: *stored.kept.tran_id.as_bytes(),
            customer: stored.kept.custom_id.serial_number.get(),
            value: stored.kept.order.value.micros(),
            taken: stored.kept.redeemed.micros(),
            due: stored.kept.due().as_millis(),
            funded: stored.funded,
            closed: stored.kept.closed.map(|at| at.as_millis()),
        }
    }

    /// What an open one has left.
    fn held(&self) -> u64 {
        if self.funded && self.closed.is_none() { self.value.saturating_sub(self.taken) } else { 0 }
    }
}

impl Books {
    fn row(&self, budget: &Budget) -> Row {
        let stand = self.steps.get(&budget.payment).map(|step| step.stand.clone());
        let (funded, closed) = match stand {
            Some(Stand::Posted(_)) => (true, budget.closed),
            Some(Stand::Voided(at, _)) => (false, Some(at)),
            Some(Stand::Pending) | None => (false, None),
        };
        Row {
            vendor: budget.vendor,
            payment: budget.payment.1,
            customer: budget.customer,
            value: budget.value,
            taken: budget.taken,
            due: budget.due,
            funded,
            closed,
        }
    }
}

/// What the rows of a store hold for shops.
#[derive(Debug, Default)]
pub(super) struct HeldRows {
    held: u64,
    open: usize,
    budgets: usize,
    licences: usize,
}

impl Auditor {
    /// Whether the center's word on a budget is what was predicted.
    pub(super) fn budget_fits(&self, expected: &Expected, said: &Said, command: &Command) -> bool {
        let books = &self.books;
        match (expected, said) {
            (Expected::Countersigned(id), Said::Countersigned(reply)) => {
                let keys = tuppence_protocol::PublicKeys::of(&books.center.keys.signing_secrets);
                reply.authority().id().as_bytes() == id
                    && reply.check(&books.center.keys.center_id, &keys).is_ok()
            }
            (Expected::Purchased(id), Said::Purchased(reply)) => {
                let Some(budget) = books.budgets.all.get(id) else { return false };
                let Pays::Scrip { id: scrip, purchase } = budget.pays else { return false };
                let (body, secret) = (&reply.scrip.scrip, books.custom_secret(budget.customer));
                let licences = books.budgets.licences.values();
                let certified = licences.into_iter().any(|licensing| {
                    let secret = licensing.licensed.scrip(scrip);
                    secret.is_some_and(|secret| body.certify(secret).matches(&reply.scrip.certificate))
                });
                let ordered = match command {
                    Command::Purchased { id, .. } => *id == reply.order_id,
                    _ => false,
                };
                certified
                    && ordered
                    && (body.id, body.customer_id) == (scrip, purchase)
                    && books.is_micros(body.value, budget.value)
                    && body.expires == Books::scrip_ends(budget)
                    && self.opens(reply, &secret)
            }
            (Expected::Paid(said, last), Said::Deposited(reply)) => {
                (reply.amount.micros(), reply.last) == (*said, *last)
            }
            (Expected::Paid(said, last), Said::Settled(reply)) => {
                (reply.redeemed.micros(), reply.last) == (*said, *last)
            }
            (Expected::Released(count), Said::Released(released)) => count == released,
            (Expected::Licensed(number), Said::Licensed(said)) => number == said,
            (Expected::Quoted(order, tran_id), Said::Quoted(reply)) => {
                let (offer, Command::QuoteScrip { order: asked, .. }) = (&reply.offer, command) else {
                    return false;
                };
                let secret = books.secret(0, offer.secret_id);
                asked.id().as_bytes() == order
                    && offer.tran_id.as_bytes() == tran_id
                    && offer.price == asked.value
                    && offer.request_url.as_str() == format!("vendor-scrip:{}", asked.id())
                    && secret.is_some_and(|secret| offer.holds(secret))
            }
            _ => false,
        }
    }

    /// Whether its buyer can open what was bought.
    fn opens(
        &self,
        reply: &tuppence_protocol::vendor_scrip::Purchased,
        secret: &tuppence_protocol::Secret,
    ) -> bool {
        let body = &reply.scrip.scrip;
        let order = self.orders.get(reply.order_id.as_bytes()).cloned();
        order.is_some_and(|order| {
            let opened = AwaitingScrip { order }.receive(reply, secret);
            opened.is_ok_and(|holding| holding.customer_id() == body.customer_id)
        })
    }

    /// A commit's changes of budgets and licences.
    pub(super) fn stored_budgets(&mut self, changes: &Changes) {
        let mut unseen = std::mem::take(&mut self.books.budgets.touched);
        for change in &changes.reservations {
            let id = BudgetId::Paywords(*change.after.id().as_bytes());
            unseen.retain(|touched| *touched != id);
            self.budget(id, &Row::of_reservation(&change.after));
        }
        for change in &changes.sales {
            let id = BudgetId::Scrip(*change.after.id().as_bytes());
            unseen.retain(|touched| *touched != id);
            self.sale(&change.after);
        }
        for change in &changes.licences {
            self.licence(&change.after);
        }
        self.check(Invariant::BudgetsAreAsPredicted, unseen.is_empty(), || {
            format!("should have been written, and was not: {unseen:?}")
        });
        for transfer in &changes.transfers {
            self.goes_to_its_shop_or_purse(transfer);
        }
        let (account, reserved) = (self.books.budgets.account, self.books.reserved());
        self.check(Invariant::ReservationIsCovered, account == reserved, || {
            format!("{account} is reserved; open budgets have {reserved} left")
        });
    }

    fn goes_to_its_shop_or_purse(&mut self, transfer: &Transfer) {
        let Transfer { posting, credit, step, .. } = transfer;
        if !matches!(posting, Posting::Redeem | Posting::Release) {
            return;
        }
        let budget = step.and_then(|step| self.books.budget_of((step.vendor, *step.tran_id.as_bytes())));
        let budget = budget.and_then(|id| self.books.budgets.all.get(&id)).cloned();
        let right = budget.as_ref().is_some_and(|budget| {
            let receiver = match posting {
                Posting::Redeem => AccountId::Vendor(budget.vendor),
                _ => AccountId::Purse(budget.customer),
            };
            let rest = transfer.amount.micros() == budget.rest() && budget.closed.is_some();
            *credit == receiver && (*posting == Posting::Redeem || rest)
        });
        let invariant =
            if *posting == Posting::Redeem { Invariant::ShopPaidOnce } else { Invariant::RestReturns };
        self.check(invariant, right, || format!("{transfer:?}; the books have {budget:?}"));
    }

    fn budget(&mut self, id: BudgetId, stored: &Row) {
        let ours = self.books.budgets.all.get(&id).map(|budget| self.books.row(budget));
        self.check(Invariant::BudgetsAreAsPredicted, ours.as_ref() == Some(stored), || {
            format!("{stored:?} is stored; the books have {ours:?}")
        });
    }

    fn sale(&mut self, stored: &Sale) {
        let id = BudgetId::Scrip(*stored.id().as_bytes());
        self.budget(id, &Row::of_sale(stored));
        self.orders.insert(*stored.id().as_bytes(), stored.kept.order.clone());
        let body = &stored.kept.scrip.scrip;
        let ours = self.books.budgets.all.get(&id).map(|budget| budget.pays.clone());
        let right = matches!(ours, Some(Pays::Scrip { id, purchase }) if (id, purchase) == (body.id, body.customer_id));
        self.check(Invariant::BudgetsAreAsPredicted, right, || {
            format!("{:?} of {:?} is stored; the books have {ours:?}", body.id, body.customer_id)
        });
    }

    fn licence(&mut self, stored: &KeptLicence) {
        let ours = self.books.budgets.licences.get(&stored.key());
        let ours = ours.map(|ours| (ours.used, ours.licensed.terms.clone()));
        let seen = (stored.state.used, stored.state.licensed.terms.clone());
        self.check(Invariant::BudgetsAreAsPredicted, ours.as_ref() == Some(&seen), || {
            format!("licence {:?} has {} used; the books have {ours:?}", stored.key(), seen.0)
        });
    }

    /// A row of the disk, if it is one of a budget's.
    pub(super) fn row_of_budget(&mut self, row: &tuppence_server::store::Row, rows: &mut HeldRows) {
        use tuppence_server::store::Row as Stored;
        let held = match row {
            Stored::Reservation(stored) => {
                let row = Row::of_reservation(stored);
                self.budget(BudgetId::Paywords(*stored.id().as_bytes()), &row);
                row.held()
            }
            Stored::Sale(stored) => {
                self.sale(stored);
                Row::of_sale(stored).held()
            }
            Stored::Licence(stored) => {
                self.licence(stored);
                rows.licences += 1;
                return;
            }
            _ => return,
        };
        rows.budgets += 1;
        rows.held += held;
        rows.open += usize::from(held > 0);
    }

    /// That all budgets are there, and the account holds what they have left.
    pub(super) fn rows_of_budgets(&mut self, rows: &HeldRows, account: i128) {
        let HeldRows { held, open, budgets, licences } = *rows;
        let ours = (self.books.budgets.all.len(), self.books.budgets.licences.len());
        self.check(Invariant::BudgetsAreAsPredicted, (budgets, licences) == ours, || {
            format!("{budgets} budgets and {licences} licences; the books have {ours:?}")
        });
        self.check(Invariant::ReservationIsCovered, i128::from(held) == account, || {
            format!("{account} is reserved; {open} open budgets have {held} left")
        });
    }

    /// Everything is over: nothing is reserved any more, and every rest went back.
    pub fn budgets_are_over(&mut self) {
        let all = self.books.budgets.all.clone();
        for (id, budget) in all {
            let over = !self.books.is_funded(&budget) || budget.closed.is_some();
            self.check(Invariant::RestReturns, over, || format!("{id:?} is open still: {budget:?}"));
        }
        let account = self.books.budgets.account;
        self.check(Invariant::RestReturns, account == 0, || format!("{account} is reserved for nobody"));
    }

    /// That a budget is on the disk as the books have it, when a reply about it leaves.
    pub(super) fn budget_is_durable(&mut self, command: &Command, store: &mut MemoryStore) {
        let (id, mut wanted) = match command {
            Command::Reserve { order, .. } => {
                (BudgetId::Paywords(*order.authority.id().as_bytes()), Wanted::default())
            }
            Command::Deposit(message) => {
                (BudgetId::Paywords(*message.authority_id.as_bytes()), Wanted::default())
            }
            Command::BuyScrip { order, .. } => (BudgetId::Scrip(*order.id().as_bytes()), Wanted::default()),
            _ => return,
        };
        let Some(ours) = self.books.budgets.all.get(&id).map(|budget| self.books.row(budget)) else { return };
        let stored = match id {
            BudgetId::Paywords(id) => {
                let id = tuppence_protocol::payword::AuthorityId::from_bytes(id);
                wanted.reservations.insert(id);
                store.load(wanted).ok().and_then(|set| set.reservation(&id).map(Row::of_reservation))
            }
            BudgetId::Scrip(id) => {
                let id = tuppence_protocol::vendor_scrip::OrderId::from_bytes(id);
                wanted.sales.insert(id);
                store.load(wanted).ok().and_then(|set| set.sale(&id).map(Row::of_sale))
            }
        };
        self.check(Invariant::AcknowledgedIsDurable, stored.as_ref() == Some(&ours), || {
            format!("{stored:?} is on the disk; the books have {ours:?}")
        });
    }
}
