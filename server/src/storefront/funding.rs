//! Budgets: set aside at the center for each campaign, given back when it has ended (spec/01, rule 8).

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};

use tuppence_protocol::scrip::Item;
use tuppence_protocol::{Amount, ErrorCode, Refusal, Timestamp};

use super::Storefront;
use super::campaigns::Campaign;

impl Storefront {
    /// Tells the center every campaign's budget, and keeps what it says is left. Safe to repeat.
    ///
    /// The rest of a campaign goes back when it has ended or its file is gone, but not before the last offer
    /// that was given out for it has expired: who has answered shall be paid.
    pub(super) async fn fund_all(&self) {
        let now = self.now();
        let campaigns = self.campaigns.load_full();
        let mut here = BTreeSet::new();
        for campaign in campaigns.all() {
            here.insert(campaign.item.clone());
            let ended = campaign.has_ended(now) && !self.has_offers(&campaign.item, now).await;
            let budget = if ended { Amount::zero(campaign.budget.currency()) } else { campaign.budget };
            self.fund(&campaign.item, budget).await;
        }
        let known = self.budgets.load_full();
        for (item, state) in
            known.iter().filter(|(item, state)| !here.contains(*item) && !state.budget.is_zero())
        {
            if !self.has_offers(item, now).await {
                self.fund(item, Amount::zero(state.budget.currency())).await;
            }
        }
    }

    /// Rewards that the budget still covers: none where the center refuses to set one aside; absent until it has said
    /// anything.
    pub fn rewards_left(&self, campaign: &Campaign) -> Option<u64> {
        let budgets = self.budgets.load();
        let state = budgets
            .get(&campaign.item)
            .filter(|state| state.remaining.currency() == campaign.reward.currency());
        match state {
            Some(state) => Some(state.remaining.micros() / campaign.reward.micros().max(1)),
            None => self.unfunded().contains(&campaign.item).then_some(0),
        }
    }

    fn unfunded(&self) -> MutexGuard<'_, BTreeSet<Item>> {
        self.unfunded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fund(&self, item: &Item, budget: Amount) {
        let funded = self.try_fund(item, budget).await;
        match &funded {
            Err(refusal) if refusal.code == ErrorCode::FundsInsufficient => {
                self.unfunded().insert(item.clone());
            }
            // Whether there is money is not known from this.
            Err(_) => {}
            Ok(()) => {
                self.unfunded().remove(item);
            }
        }
        if let Err(refusal) = funded {
            tracing::warn!(
                item = item.as_str(),
                code = refusal.code.as_str(),
                reason = refusal.message,
                "the budget is not set aside"
            );
        }
    }

    async fn try_fund(&self, item: &Item, budget: Amount) -> Result<(), Refusal> {
        let funding = self.seller()?.fund(item.clone(), budget, self.now())?;
        let state = self.center.fund(&funding).await?;
        self.budgets.rcu(|budgets| {
            let mut budgets = (**budgets).clone();
            budgets.insert(item.clone(), state.clone());
            budgets
        });
        self.store.run(move |store| store.keep_budget(&state)).await
    }

    /// Whether an offer for the item may still be taken.
    async fn has_offers(&self, item: &Item, now: Timestamp) -> bool {
        let item = item.clone();
        match self.store.run(move |store| store.last_expiry(&item)).await {
            Ok(last) => last.is_some_and(|last| last >= now),
            // Whoever does not know keeps the money where it is.
            Err(_) => true,
        }
    }
}
