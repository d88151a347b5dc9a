//! M4 and S4 (spec/01): an issue or a payment begins, or is cancelled before it is known to have begun.

use crate::amount::Amount;
use crate::error::{ErrorCode, Refusal};
use crate::scrip::center::offer::Offer;
use crate::scrip::center::purse::{OpenPurse, Shown};
use crate::scrip::center::reply::Answer;
use crate::scrip::center::{Center, Found, Outcome, Seller, Step, StepKey, StepKind, StepState};
use crate::scrip::issue::{IssueEcash, IssueStart};
use crate::scrip::payment::{PaymentBalance, PaymentStart};
use crate::scrip::{Code, Scrip};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::time::Timestamp;

/// An M4 or S4 whose seal holds.
struct Order<'a> {
    scrip: &'a Scrip,
    offer: Offer<'a>,
    hash: &'a Seal,
    custom_secret: Secret,
}

impl Center {
    /// M4 -> M5. `budget` is what the campaign of the offer's item has left; absent if there is none.
    ///
    /// # Errors
    /// Whatever rule the message breaks; nothing has changed then.
    pub fn issue(
        &self,
        message: &IssueStart,
        found: Found<'_>,
        budget: Option<Amount>,
        now: Timestamp,
    ) -> Result<Outcome<IssueEcash>, Refusal> {
        let code = message.header.expect(&[Code::Gm4_1, Code::Gm4_2])?;
        let order = self.order(&message.scrip, Offer::Issue(&message.offer), &message.hash, |secret| {
            message.seal(secret)
        })?;
        let outcome = match code {
            Code::Gm4_2 => self.cancel(&order, found, now)?,
            _ => self.start(&order, found, budget, now)?,
        };
        outcome.map(|answer| self.ecash(message.scrip.scrip.custom_id, &order.custom_secret, answer))
    }

    /// S4 -> S5.
    ///
    /// # Errors
    /// Whatever rule the message breaks; nothing has changed then.
    pub fn payment(
        &self,
        message: &PaymentStart,
        found: Found<'_>,
        now: Timestamp,
    ) -> Result<Outcome<PaymentBalance>, Refusal> {
        let code = message.header.expect(&[Code::Pm4_1, Code::Pm4_2])?;
        let order = self.order(&message.scrip, Offer::Payment(&message.order), &message.hash, |secret| {
            message.seal(secret)
        })?;
        let outcome = match code {
            Code::Pm4_2 => self.cancel(&order, found, now)?,
            _ => self.start(&order, found, None, now)?,
        };
        outcome.map(|answer| self.balance(message.scrip.scrip.custom_id, &order.custom_secret, answer))
    }

    fn order<'a>(
        &self,
        scrip: &'a Scrip,
        offer: Offer<'a>,
        hash: &'a Seal,
        ours: impl FnOnce(&Secret) -> Seal,
    ) -> Result<Order<'a>, Refusal> {
        let custom_secret = self.keys.authenticate(scrip, hash, ours)?;
        Ok(Order { scrip, offer, hash, custom_secret })
    }

    /// GM4_1 and PM4_1.
    fn start(
        &self,
        order: &Order<'_>,
        found: Found<'_>,
        budget: Option<Amount>,
        now: Timestamp,
    ) -> Result<Outcome<Answer>, Refusal> {
        let Order { scrip, offer, .. } = order;
        let purse = found.purse(scrip.scrip.custom_id)?;
        if let Some(step) = found.step {
            return self.again(order, step).map(Outcome::unchanged);
        }
        let mut purse = OpenPurse::open(self, purse, &found, now)?;
        if let Shown::Pending(answer) = purse.admit(scrip)? {
            return Ok(Outcome::unchanged(answer));
        }
        let seller = found.seller(offer.vendor_id())?;
        offer.check_sealed(seller)?;
        let kind = offer.kind(seller)?;
        offer.check_center(self)?;
        offer.check_time(now)?;
        offer.check_earner(&order.custom_secret)?;
        offer.check_amount(self)?;
        let (value, fee) = match kind {
            StepKind::Issue => (self.raised(&purse, offer, budget)?, Amount::zero(self.policy.currency)),
            // A budget pays its fee as it is spent.
            StepKind::Payment if seller.number == 0 => {
                (lowered(&purse, offer)?, Amount::zero(self.policy.currency))
            }
            StepKind::Payment => {
                (lowered(&purse, offer)?, offer.amount().share(self.policy.fee_basis_points))
            }
            StepKind::CashOut => {
                let value = lowered(&purse, offer)?;
                (value, self.check_cash_out(&offer.cash_out_order()?)?)
            }
        };

        let ad = match offer {
            Offer::Issue(offer) => Some(offer.item.clone()),
            Offer::Payment(_) => purse.live().ad.clone(),
        };
        let new = purse.successor(value, ad)?;
        let answer = purse.begin(Step {
            key: StepKey { vendor: seller.number, tran_id: offer.tran_id() },
            kind,
            customer: scrip.scrip.custom_id.serial_number,
            amount: offer.amount(),
            fee,
            subject: offer.subject()?,
            secret_id: offer.secret_id(),
            request_hash: *order.hash,
            old: purse.live().clone(),
            new,
            started: now,
            state: StepState::Pending,
        });
        Ok(purse.close(answer))
    }

    /// The same message again gets the same reply, however the step stands now (rule 4).
    fn again(&self, order: &Order<'_>, step: &Step) -> Result<Answer, Refusal> {
        if step.is_tombstone() && self.is_start_of(order, step)? {
            return Err(Refusal::new(ErrorCode::TransactionVoided, "The transaction was cancelled."));
        }
        if is_customers(order, step) && step.request_hash.matches(order.hash) {
            return Ok(Answer::started(step));
        }
        Err(conflict())
    }

    /// GM4_2 and PM4_2.
    fn cancel(
        &self,
        order: &Order<'_>,
        found: Found<'_>,
        now: Timestamp,
    ) -> Result<Outcome<Answer>, Refusal> {
        let Order { scrip, offer, .. } = order;
        let record = found.purse(scrip.scrip.custom_id)?;
        if let Some(step) = found.step {
            if !self.is_start_of(order, step)? {
                return Err(conflict());
            }
            let ended = self.end(step, record, &found, now, OpenPurse::void)?;
            return ended.map(|step| Answer::taken_back(&step));
        }
        let seller = found.seller(offer.vendor_id())?;
        offer.check_sealed(seller)?;
        let kind = offer.kind(seller)?;
        offer.check_center(self)?;
        offer.check_end(now)?;
        offer.check_earner(&order.custom_secret)?;
        offer.check_amount(self)?;

        let mut purse = OpenPurse::open(self, record, &found, now)?;
        let tombstone = self.tombstone(order, seller, kind, &purse, now)?;
        let answer = Answer::taken_back(&tombstone)?;
        if offer.is_remembered(now) {
            purse.forestall(tombstone);
        }
        Ok(purse.close(answer))
    }

    /// A step that never was, so that its M4 or S4, should it still come, is refused.
    fn tombstone(
        &self,
        order: &Order<'_>,
        seller: Seller<'_>,
        kind: StepKind,
        purse: &OpenPurse<'_>,
        now: Timestamp,
    ) -> Result<Step, Refusal> {
        let Order { scrip, offer, custom_secret, .. } = order;
        let custom_id = scrip.scrip.custom_id;
        let live = purse.live().clone();
        Ok(Step {
            key: StepKey { vendor: seller.number, tran_id: offer.tran_id() },
            kind,
            customer: custom_id.serial_number,
            amount: offer.amount(),
            fee: Amount::zero(self.policy.currency),
            subject: offer.subject()?,
            secret_id: offer.secret_id(),
            request_hash: offer.start_hash(self.keys.scrip(custom_id, &live)?, custom_secret),
            old: live.clone(),
            new: live.clone(),
            started: now,
            state: StepState::Voided(now, live),
        })
    }

    /// Whether `step` began with this offer, whatever scrip is shown now.
    fn is_start_of(&self, order: &Order<'_>, step: &Step) -> Result<bool, Refusal> {
        if !is_customers(order, step) {
            return Ok(false);
        }
        let scrip = self.keys.scrip(order.scrip.scrip.custom_id, &step.old)?;
        Ok(order.offer.start_hash(scrip, &order.custom_secret).matches(&step.request_hash))
    }

    /// The purse's value with the reward.
    fn raised(
        &self,
        purse: &OpenPurse<'_>,
        offer: &Offer<'_>,
        budget: Option<Amount>,
    ) -> Result<Amount, Refusal> {
        let most = self.policy.balance_max;
        let full = || {
            let message = format!("A purse holds at most {most}; this one has {}.", purse.value());
            Refusal::new(ErrorCode::BalanceLimit, message)
        };
        let value = purse.value().checked_add(offer.amount()).map_err(|_| full())?;
        if !most.covers(value) {
            return Err(full());
        }
        if !budget.is_some_and(|budget| budget.covers(offer.amount())) {
            let message = "The campaign's budget does not cover the reward.";
            return Err(Refusal::new(ErrorCode::CampaignExhausted, message));
        }
        Ok(value)
    }
}

/// The purse's value without the price.
fn lowered(purse: &OpenPurse<'_>, offer: &Offer<'_>) -> Result<Amount, Refusal> {
    purse.value().checked_sub(offer.amount()).map_err(|_| {
        let message = format!("It costs {}; the purse has {}.", offer.amount(), purse.value());
        Refusal::new(ErrorCode::BalanceInsufficient, message)
    })
}

/// Whether `step` is this buyer's.
fn is_customers(order: &Order<'_>, step: &Step) -> bool {
    let issue = matches!(order.offer, Offer::Issue(_));
    step.customer == order.scrip.scrip.custom_id.serial_number
        && issue == matches!(step.kind, StepKind::Issue)
}

fn conflict() -> Refusal {
    Refusal::new(ErrorCode::TransactionConflict, "The transaction is known with other content.")
}
