//! What sellers ask of the center, and what the operator does: predicted like the rest ([`super::rules`]).

use tuppence_protocol::scrip::campaign::CampaignFunding;
use tuppence_protocol::scrip::cash_out::CashOutOrder;
use tuppence_protocol::scrip::center::StepKey;
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::scrip::relay::RelayRequest;
use tuppence_protocol::scrip::{Code, Item};
use tuppence_protocol::{Amount, ErrorCode};

use super::books::{Books, Campaign, Kind, Payout, PayoutStand, Stand, Touched};
use super::offer::Offer;
use super::rules::{Expected, Verdict, expect};
use crate::fixture;

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// How long a used challenge is remembered beyond its end.
const GRACE: u64 = 3 * DAY;
/// How long a cancellation of what never came is remembered.
const REMEMBERED: u64 = 30 * DAY + GRACE;

impl Books {
    pub(super) fn relay(&self, message: &RelayRequest) -> Verdict {
        let code = expect(&message.header, &[Code::Gm3_1, Code::Pm3_1])?;
        let seller = self.number(&message.vendor_id).ok_or(ErrorCode::VendorUnknown)?;
        if !self.secret(seller, message.secret_id).is_some_and(|secret| message.holds(secret)) {
            return Err(ErrorCode::Unauthorized);
        }
        let key = (seller, *message.tran_id.as_bytes());
        let Some(step) = self.steps.get(&key) else { return Ok(Expected::Open) };
        if (step.kind == Kind::Issue) != (code == Code::Gm3_1) {
            return Err(ErrorCode::TransactionConflict);
        }
        Ok(match step.stand {
            Stand::Pending => Expected::Open,
            Stand::Posted(_) => Expected::Posted(key),
            Stand::Voided(..) => Expected::Voided,
        })
    }

    pub(super) fn fund(&mut self, message: &CampaignFunding) -> Verdict {
        let seller = self.number(&message.vendor_id).filter(|number| *number != 0);
        let seller = seller.ok_or(ErrorCode::VendorUnknown)?;
        if !self.secret(seller, message.secret_id).is_some_and(|secret| message.holds(secret)) {
            return Err(ErrorCode::Unauthorized);
        }
        let budget = self.micros(message.budget).ok_or(ErrorCode::CurrencyMismatch)?;
        let id = (seller, message.item.to_string());
        let date = message.date.as_millis();
        let next = u32::try_from(self.campaigns.len() + 1).unwrap_or(u32::MAX);
        let known = self.campaigns.get(&id).cloned();
        if known.as_ref().is_some_and(|known| date <= known.asked) {
            return self.campaign_state(seller, &message.item);
        }
        let mut campaign =
            known.unwrap_or(Campaign { number: next, held: 0, funded: 0, budget: 0, asked: date });
        let issued = campaign.funded - campaign.held;
        let target = budget.saturating_sub(issued);
        let account = self.vendors.entry(seller).or_default();
        let purse = *account + campaign.held;
        *account = purse.checked_sub(target).ok_or(ErrorCode::FundsInsufficient)?;
        campaign = Campaign { held: target, funded: issued + target, budget, asked: date, ..campaign };
        self.campaigns.insert(id, campaign);
        self.campaign_state(seller, &message.item)
    }

    pub(super) fn campaign_state(&self, vendor: u32, item: &Item) -> Verdict {
        let campaign = self.campaigns.get(&(vendor, item.to_string())).ok_or(ErrorCode::ItemUnknown)?;
        Ok(Expected::Campaign(campaign.budget, campaign.held))
    }

    /// The fee of a cash-out, if it may be ordered.
    pub(super) fn check_cash_out(&self, offer: Offer<'_>) -> Verdict<u64> {
        let url = offer.subject().parse().map_err(|_| ErrorCode::Malformed)?;
        let order = CashOutOrder::parse(&url).map_err(|no| no.code)?;
        if order.amount != offer.price() {
            return Err(ErrorCode::AmountOutOfRange);
        }
        let policy = &self.center.policy;
        if offer.amount() < policy.payout_threshold.micros() || offer.amount() <= policy.payout_fee.micros() {
            return Err(ErrorCode::BelowThreshold);
        }
        Ok(policy.payout_fee.micros())
    }

    pub(super) fn cash_out_state(&self, receipt: &Receipt) -> Verdict {
        let ours = receipt.vendor_id == fixture::vendor(0) && receipt.kind == ReceiptKind::Payment;
        if !ours || !self.secret(0, receipt.secret_id).is_some_and(|secret| receipt.holds(secret)) {
            return Err(ErrorCode::ReceiptInvalid);
        }
        let key = (0, *receipt.tran_id.as_bytes());
        let payout = self.payouts.iter().find(|(_, payout)| payout.step == key);
        payout.map(|(number, _)| Expected::Payout(*number)).ok_or(ErrorCode::PayoutUnknown)
    }

    pub(super) fn confirm(&mut self, number: u64, reference: &str) -> Verdict {
        let payout = self.payouts.get_mut(&number).ok_or(ErrorCode::PayoutUnknown)?;
        match &payout.stand {
            PayoutStand::Ordered => {
                payout.stand = PayoutStand::Confirmed(reference.to_owned());
                self.owed -= payout.amount;
                self.reserve -= payout.amount;
                self.touched.insert(Touched::Payout(number));
                Ok(Expected::Payout(number))
            }
            PayoutStand::Confirmed(before) if before == reference => Ok(Expected::Payout(number)),
            PayoutStand::Confirmed(_) | PayoutStand::Returned(_) => Err(ErrorCode::PayoutUnknown),
        }
    }

    pub(super) fn give_back(&mut self, number: u64, reason: &str, now: u64) -> Verdict {
        let payout = self.payouts.get(&number).ok_or(ErrorCode::PayoutUnknown)?.clone();
        match &payout.stand {
            PayoutStand::Ordered => {}
            PayoutStand::Returned(before) if before == reason => return Ok(Expected::Payout(number)),
            PayoutStand::Confirmed(_) | PayoutStand::Returned(_) => return Err(ErrorCode::PayoutUnknown),
        }
        self.return_to_purse(payout.customer, payout.amount + payout.fee, now);
        self.owed -= payout.amount;
        self.fees -= payout.fee;
        self.payouts.insert(number, Payout { stand: PayoutStand::Returned(reason.to_owned()), ..payout });
        self.touched.insert(Touched::Payout(number));
        Ok(Expected::Payout(number))
    }

    pub(super) fn book(&mut self, reference: &str, vendor: u32, deposit: bool, amount: Amount) -> Verdict {
        if let Some(known) = self.movements.get(reference) {
            let same = *known == (vendor, deposit, amount.micros()) && self.micros(amount).is_some();
            return if same { Ok(Expected::Booked) } else { Err(ErrorCode::TransactionConflict) };
        }
        if reference.trim().is_empty() {
            return Err(ErrorCode::Malformed);
        }
        let held = *self.vendors.get(&vendor).ok_or(ErrorCode::VendorUnknown)?;
        let micros = self.micros(amount).ok_or(ErrorCode::CurrencyMismatch)?;
        if micros == 0 {
            return Err(ErrorCode::AmountOutOfRange);
        }
        let after = if deposit { held.checked_add(micros) } else { held.checked_sub(micros) };
        let after = after.ok_or(ErrorCode::FundsInsufficient)?;
        self.reserve = if deposit { self.reserve + micros } else { self.reserve - micros };
        self.vendors.insert(vendor, after);
        self.movements.insert(reference.to_owned(), (vendor, deposit, micros));
        Ok(Expected::Booked)
    }

    pub(super) fn sweep(&mut self, keys: &[StepKey], now: u64) -> Verdict {
        for key in keys {
            let key = (key.vendor, *key.tran_id.as_bytes());
            let Some(step) = self.steps.get(&key).filter(|step| step.stand == Stand::Pending) else {
                continue;
            };
            let turn = self.open(step.customer, now);
            if !turn.steps.is_empty() {
                self.close(turn);
            }
        }
        self.forgets = self.forgets.max(now);
        Ok(Expected::Other)
    }

    /// What a sweep lets be forgotten is there until its batch is written.
    pub(super) fn forget(&mut self) {
        let now = std::mem::take(&mut self.forgets);
        let (salts, cancelled) = (now.saturating_sub(GRACE), now.saturating_sub(REMEMBERED));
        self.salts.retain(|_, ends| *ends >= salts);
        self.steps.retain(|_, step| !step.never_was() || step.started >= cancelled);
    }
}
