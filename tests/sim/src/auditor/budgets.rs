//! Budgets at shops as the auditor has them: paywords (spec/03) and scrip of a shop (spec/02). What each message about
//! them must lead to is predicted like the rest ([`super::rules`]).

use std::collections::BTreeMap;

use tuppence_protocol::ids::IdType;
use tuppence_protocol::payword::{AuthorityId, AuthorityOrder, Deposit, Payword};
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::payment::{DeliveryMethod, PaymentStart};
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::vendor_scrip::{Licence, Licensed, Order, OrderId, Settlement};
use tuppence_protocol::{Amount, ErrorCode, PublicKeys, Timestamp};

use super::books::{Books, Key, Note, Stand};
use super::rules::{Expected, Verdict, expect};

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// How long after a budget's end its shop can still be paid.
pub(super) const GRACE: u64 = 7 * DAY;
/// How long scrip that is sold is good.
const SCRIP_LIFETIME: u64 = 30 * DAY;
/// How many paywords one deposit moves on at most.
const DEPOSIT_JUMP_MAX: u32 = 16_384;
/// How many paywords a chain has at most.
const LENGTH_MAX: u32 = 1 << 20;

/// Which budget: by the authority or the order that its payment names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BudgetId {
    /// In paywords.
    Paywords([u8; 32]),
    /// In scrip of the shop.
    Scrip([u8; 32]),
}

/// What pays, and how the center knows it.
#[derive(Debug, Clone)]
pub enum Pays {
    /// Paywords: what each is worth, how many there are, and the last one that was deposited.
    Paywords {
        /// In millionths.
        unit: u64,
        /// n.
        length: u32,
        /// i.
        index: u32,
        /// `w_i`.
        payword: Payword,
        /// The chain.
        link: tuppence_protocol::payword::Link,
    },
    /// Scrip: ID# and Cust_ID#.
    Scrip {
        /// The scrip.
        id: IdType,
        /// The purchase.
        purchase: IdType,
    },
}

/// A budget that a payment to the center has paid for.
#[derive(Debug, Clone)]
pub struct Budget {
    /// The shop's number.
    pub vendor: u32,
    /// Its payment.
    pub payment: Key,
    /// Whose.
    pub customer: u64,
    /// All of it, in millionths.
    pub value: u64,
    /// What the shop was paid for, the fee included.
    pub taken: u64,
    /// Until when the shop can be paid.
    pub due: u64,
    /// When the rest went back, if the payment was completed.
    pub closed: Option<u64>,
    /// What pays.
    pub pays: Pays,
}

impl Budget {
    /// What is left of it.
    pub const fn rest(&self) -> u64 {
        self.value - self.taken
    }
}

/// A shop's licence, and how many of its numbers were used.
#[derive(Debug, Clone)]
pub struct Licensing {
    /// What it says, with its secrets.
    pub licensed: Licensed,
    /// So many.
    pub used: u32,
}

/// What the center holds for shops.
#[derive(Debug, Clone, Default)]
pub struct Budgets {
    /// All that there ever were.
    pub all: BTreeMap<BudgetId, Budget>,
    /// By shop and number.
    pub licences: BTreeMap<(u32, u32), Licensing>,
    /// What the account holds: moved by payments, deposits and returns alone.
    pub account: u64,
    /// What the last batch touched.
    pub touched: Vec<BudgetId>,
}

impl Books {
    /// Whether a budget's payment was completed.
    pub fn is_funded(&self, budget: &Budget) -> bool {
        self.steps.get(&budget.payment).is_some_and(|step| matches!(step.stand, Stand::Posted(_)))
    }

    /// What all open budgets have left.
    pub fn reserved(&self) -> u64 {
        let open =
            self.budgets.all.values().filter(|budget| self.is_funded(budget) && budget.closed.is_none());
        open.map(Budget::rest).sum()
    }

    /// The budget that a payment to the center is for.
    pub fn budget_of(&self, payment: Key) -> Option<BudgetId> {
        let found = self.budgets.all.iter().find(|(_, budget)| budget.payment == payment);
        found.map(|(id, _)| *id)
    }

    /// Does `predict`, or nothing of it.
    fn whole(&mut self, predict: impl FnOnce(&mut Books) -> Verdict) -> Verdict {
        let before = self.clone();
        predict(self).inspect_err(|_| *self = before)
    }

    /// S4 with an authority.
    pub(super) fn reserve(&mut self, start: &PaymentStart, order: &AuthorityOrder, now: u64) -> Verdict {
        expect(&start.header, &[Code::Pm4_1])?;
        let offer = &start.order;
        if offer.delivery_method != DeliveryMethod::Budget {
            return Err(ErrorCode::OfferForged);
        }
        let authority = &order.authority;
        let id = authority.id();
        let value = authority.unit.micros().checked_mul(u64::from(authority.length));
        let named = offer.request_url.as_str() == format!("payword:{id}");
        if !named
            || offer.price.currency() != authority.unit.currency()
            || value != Some(offer.price.micros())
        {
            return Err(ErrorCode::AuthorityInvalid);
        }
        self.check_authority(order)?;
        self.whole(|books| {
            let answer = books.payment(start, now)?;
            let payment = (0, *offer.tran_id.as_bytes());
            if !books.has_begun(&answer, payment) {
                return Ok(answer);
            }
            let id = BudgetId::Paywords(*id.as_bytes());
            if let Some(known) = books.budgets.all.get(&id) {
                let same = known.payment == payment;
                return if same { Ok(answer) } else { Err(ErrorCode::TransactionConflict) };
            }
            let pays = Pays::Paywords {
                unit: authority.unit.micros(),
                length: authority.length,
                index: 0,
                payword: authority.root,
                link: authority.link(),
            };
            let due = authority.expires.as_millis() + GRACE;
            books.hold(id, &authority.vendor_id, start, payment, due, pays)?;
            Ok(answer)
        })
    }

    /// What is answered may be another payment, which is still under way: then this one has not begun.
    fn has_begun(&self, answer: &Expected, payment: Key) -> bool {
        matches!(answer, Expected::Scrip(_, Some(tran_id), ..) if *tran_id == payment.1)
    }

    fn check_authority(&self, order: &AuthorityOrder) -> Verdict<()> {
        let (authority, certificate) = (&order.authority, &order.certificate);
        let keys = PublicKeys::of(&self.center.keys.signing_secrets);
        let center = &self.center.keys.center_id;
        let terms = (1..=LENGTH_MAX).contains(&authority.length) && authority.unit.micros() > 0;
        let ours = authority.center_id == *center && certificate.center_id == *center;
        let hers = certificate.customer == authority.customer;
        if !(terms && ours && hers && certificate.holds(&keys) && authority.holds()) {
            return Err(ErrorCode::AuthorityInvalid);
        }
        if authority.expires > certificate.expires {
            return Err(ErrorCode::AuthorityExpired);
        }
        Ok(())
    }

    fn hold(
        &mut self,
        id: BudgetId,
        shop: &tuppence_protocol::VendorId,
        start: &PaymentStart,
        payment: Key,
        due: u64,
        pays: Pays,
    ) -> Verdict<()> {
        let vendor = self.shop(shop)?;
        let customer = start.scrip.scrip.custom_id.serial_number.get();
        let value = start.order.price.micros();
        let budget = Budget { vendor, payment, customer, value, taken: 0, due, closed: None, pays };
        self.budgets.all.insert(id, budget);
        self.budgets.touched.push(id);
        Ok(())
    }

    fn shop(&self, id: &tuppence_protocol::VendorId) -> Verdict<u32> {
        self.number(id).filter(|number| *number != 0).ok_or(ErrorCode::VendorUnknown)
    }

    /// A budget whose payment was completed.
    fn funded(&self, id: BudgetId, unknown: ErrorCode) -> Verdict<Budget> {
        let budget = self.budgets.all.get(&id).filter(|budget| self.is_funded(budget));
        budget.cloned().ok_or(unknown)
    }

    pub(super) fn countersigned(&self, id: &AuthorityId, receipt: &Receipt) -> Verdict {
        let budget = self.funded(BudgetId::Paywords(*id.as_bytes()), ErrorCode::AuthorityUnknown)?;
        self.check_receipt(&budget, receipt, &format!("payword:{id}"))?;
        Ok(Expected::Countersigned(*id.as_bytes()))
    }

    pub(super) fn purchased(&self, id: &OrderId, receipt: &Receipt) -> Verdict {
        let id_of_sale = BudgetId::Scrip(*id.as_bytes());
        let budget = self.funded(id_of_sale, ErrorCode::VendorScripUnknown)?;
        self.check_receipt(&budget, receipt, &format!("vendor-scrip:{id}"))?;
        Ok(Expected::Purchased(id_of_sale))
    }

    fn check_receipt(&self, budget: &Budget, receipt: &Receipt, subject: &str) -> Verdict<()> {
        let sealed = self.secret(0, receipt.secret_id).is_some_and(|secret| receipt.holds(secret));
        let fits = receipt.kind == ReceiptKind::Payment
            && receipt.vendor_id == self.center.keys.center_id
            && receipt.subject.as_str() == subject
            && *receipt.tran_id.as_bytes() == budget.payment.1
            && self.micros(receipt.amount) == Some(budget.value);
        if sealed && fits { Ok(()) } else { Err(ErrorCode::ReceiptInvalid) }
    }

    pub(super) fn deposit(&mut self, message: &Deposit, now: u64) -> Verdict {
        let id = BudgetId::Paywords(*message.authority_id.as_bytes());
        let mut budget = self.funded(id, ErrorCode::AuthorityUnknown)?;
        let Pays::Paywords { unit, length, index, payword, link } = &mut budget.pays else {
            return Err(ErrorCode::AuthorityUnknown);
        };
        let shop = self.number(&message.vendor_id) == Some(budget.vendor);
        if !shop || !self.secret(budget.vendor, message.secret_id).is_some_and(|secret| message.holds(secret))
        {
            return Err(ErrorCode::AuthorityInvalid);
        }
        let before = budget.taken;
        let said = u64::from(message.index) * *unit;
        if message.index > *index {
            let far = message.index > *length || message.index - *index > DEPOSIT_JUMP_MAX;
            if far || link.back(&message.payword, message.index - *index) != *payword {
                return Err(ErrorCode::PaywordInvalid);
            }
            if budget.closed.is_some() || now > budget.due {
                return Err(ErrorCode::BudgetEnded);
            }
            (*index, *payword) = (message.index, message.payword);
            budget.taken = said;
        }
        self.pay_shop(id, budget, before, message.last, now);
        Ok(Expected::Paid(said, message.last))
    }

    pub(super) fn settlement(&mut self, message: &Settlement, now: u64) -> Verdict {
        let vendor = self.shop(&message.vendor_id)?;
        let is_it = |budget: &Budget| {
            let purchase =
                matches!(budget.pays, Pays::Scrip { purchase, .. } if purchase == message.customer_id);
            budget.vendor == vendor && purchase && self.is_funded(budget)
        };
        let found = self.budgets.all.iter().find(|(_, budget)| is_it(budget));
        let (id, mut budget) =
            found.map(|(id, budget)| (*id, budget.clone())).ok_or(ErrorCode::VendorScripUnknown)?;
        let sealed = self.secret(vendor, message.secret_id).is_some_and(|secret| message.holds(secret));
        let redeemed = self.micros(message.redeemed).filter(|redeemed| *redeemed <= budget.value);
        let redeemed = redeemed.filter(|_| sealed).ok_or(ErrorCode::VendorScripInvalid)?;
        let before = budget.taken;
        if redeemed > before {
            if budget.closed.is_some() || now > budget.due {
                return Err(ErrorCode::BudgetEnded);
            }
            budget.taken = redeemed;
        }
        self.pay_shop(id, budget, before, message.last, now);
        Ok(Expected::Paid(redeemed, message.last))
    }

    /// The shop gets what was taken since `before`, less the fee of the whole less that of what came before; a last word
    /// sends the rest back.
    fn pay_shop(&mut self, id: BudgetId, budget: Budget, before: u64, last: bool, now: u64) {
        let fee = |taken: u64| taken * u64::from(self.center.policy.fee_basis_points) / 10_000;
        let (taken, fee) = (budget.taken - before, fee(budget.taken) - fee(before));
        self.budgets.account -= taken;
        self.fees += fee;
        *self.vendors.entry(budget.vendor).or_default() += taken - fee;
        let closes = last && budget.closed.is_none();
        if taken > 0 || closes {
            self.budgets.touched.push(id);
        }
        self.budgets.all.insert(id, budget);
        if closes {
            self.close_budget(id, now);
        }
    }

    fn close_budget(&mut self, id: BudgetId, now: u64) {
        let Some(budget) = self.budgets.all.get_mut(&id) else { return };
        budget.closed = Some(now);
        let (customer, rest) = (budget.customer, budget.rest());
        self.budgets.touched.push(id);
        if rest > 0 {
            self.budgets.account -= rest;
            self.return_to_purse(customer, rest, now);
        }
    }

    /// Into a purse, under a new serial; what is pending in it ends first, in the buyer's favour.
    pub(super) fn return_to_purse(&mut self, customer: u64, amount: u64, now: u64) {
        let mut turn = self.open(customer, now);
        self.settle(&mut turn, now);
        let live = turn.purse.live.clone();
        let expires = now + self.center.policy.scrip_lifetime.as_millis();
        turn.purse.live =
            Note { serial: self.after(live.serial), value: live.value + amount, expires, ..live };
        self.close(turn);
    }

    /// The rest of those budgets goes back whose time is over.
    pub(super) fn release(&mut self, ids: impl Iterator<Item = BudgetId>, now: u64) -> Verdict {
        let mut released = 0;
        for id in ids {
            let Ok(budget) = self.funded(id, ErrorCode::AuthorityUnknown) else { continue };
            if budget.closed.is_none() && now > budget.due {
                self.close_budget(id, now);
                released += 1;
            }
        }
        Ok(Expected::Released(released))
    }

    pub(super) fn license(&mut self, message: &Licence, now: u64) -> Verdict {
        let terms = &message.terms;
        let vendor = self.shop(&terms.vendor_id)?;
        let invalid = ErrorCode::VendorScripInvalid;
        let secret = self.secret(vendor, message.secret_id).ok_or(invalid)?;
        let licensed = message.open(secret).map_err(|_| invalid)?;
        if terms.center_id != self.center.keys.center_id {
            return Err(invalid);
        }
        let newest = self.budgets.licences.range((vendor, 0)..=(vendor, u32::MAX)).next_back();
        if let Some((_, Licensing { licensed: newest, .. })) = newest {
            let secrets =
                |licensed: &Licensed| (*licensed.scrip_secret.expose(), *licensed.customer_secret.expose());
            if newest.terms == *terms && secrets(newest) == secrets(&licensed) {
                return Ok(Expected::Licensed(terms.number));
            }
            if terms.number <= newest.terms.number {
                return Err(invalid);
            }
        }
        let in_range = |first: u64| first + u64::from(terms.count) - 1 <= crate::fixture::SERIAL_MAX;
        let numbers = (1..=1_000_000).contains(&terms.count)
            && in_range(terms.scrips.first.get())
            && in_range(terms.customers.first.get());
        if !numbers {
            return Err(invalid);
        }
        if now >= terms.expires.as_millis() {
            return Err(ErrorCode::VendorScripExpired);
        }
        self.budgets.licences.insert((vendor, terms.number), Licensing { licensed, used: 0 });
        Ok(Expected::Licensed(terms.number))
    }

    /// The oldest licence that scrip can be made with.
    fn good_licence(&self, vendor: u32, now: u64) -> Verdict<u32> {
        let all = self.budgets.licences.range((vendor, 0)..=(vendor, u32::MAX));
        let good = |licensing: &Licensing| {
            let terms = &licensing.licensed.terms;
            licensing.used < terms.count && now < terms.expires.as_millis()
        };
        let found = all.into_iter().find(|(_, licensing)| good(licensing));
        found.map(|((_, number), _)| *number).ok_or(ErrorCode::Unlicensed)
    }

    pub(super) fn quote_scrip(&self, order: &Order, tran_id: [u8; 16], now: u64) -> Verdict {
        let vendor = self.shop(&order.vendor_id)?;
        let most = self.center.policy.balance_max.micros();
        let value = self.micros(order.value).filter(|value| (1..=most).contains(value));
        if order.center_id != self.center.keys.center_id || value.is_none() {
            return Err(ErrorCode::VendorScripInvalid);
        }
        self.good_licence(vendor, now)?;
        Ok(Expected::Quoted(*order.id().as_bytes(), tran_id))
    }

    /// S4 with an order for a shop's scrip.
    pub(super) fn buy_scrip(&mut self, start: &PaymentStart, order: &Order, now: u64) -> Verdict {
        expect(&start.header, &[Code::Pm4_1])?;
        let offer = &start.order;
        if offer.delivery_method != DeliveryMethod::Budget {
            return Err(ErrorCode::OfferForged);
        }
        self.whole(|books| {
            let answer = books.payment(start, now)?;
            let payment = (0, *offer.tran_id.as_bytes());
            if !books.has_begun(&answer, payment) {
                return Ok(answer);
            }
            let id = BudgetId::Scrip(*order.id().as_bytes());
            if let Some(known) = books.budgets.all.get(&id) {
                let same = known.payment == payment;
                return if same { Ok(answer) } else { Err(ErrorCode::TransactionConflict) };
            }
            let vendor = books.shop(&order.vendor_id)?;
            let named = offer.request_url.as_str() == format!("vendor-scrip:{}", order.id());
            if !named || offer.price != order.value {
                return Err(ErrorCode::VendorScripInvalid);
            }
            let number = books.good_licence(vendor, now)?;
            let licensing = books.budgets.licences.get_mut(&(vendor, number)).ok_or(ErrorCode::Fault)?;
            let terms = &licensing.licensed.terms;
            let (id_of_scrip, purchase) = terms
                .scrips
                .nth(licensing.used)
                .zip(terms.customers.nth(licensing.used))
                .ok_or(ErrorCode::Fault)?;
            let end = (now + SCRIP_LIFETIME).min(terms.expires.as_millis());
            licensing.used += 1;
            let pays = Pays::Scrip { id: id_of_scrip, purchase };
            books.hold(id, &order.vendor_id, start, payment, end + GRACE, pays)?;
            Ok(answer)
        })
    }

    /// The date at which scrip of a budget ends.
    pub fn scrip_ends(budget: &Budget) -> Timestamp {
        Timestamp::from_millis(budget.due - GRACE)
    }

    /// An amount in the center's currency, as millionths.
    pub fn is_micros(&self, amount: Amount, micros: u64) -> bool {
        self.micros(amount) == Some(micros)
    }
}
