//! What people do with budgets in a shop's scrip, by way of their wallets.

use tuppence_wallet::Wallet;

use crate::chance::Chance;
use crate::device::Device;
use crate::fixture::{ARTICLES, SHOPS, usd};
use crate::person::{Deed, told};

/// What is approved for a shop, in millionths.
const BUDGETS: [u64; 4] = [30_000, 40_000, 80_000, 200_000];

/// Pays an article from the budget at its shop; where there is none with enough left, one is bought.
pub async fn draw(wallet: &Wallet, device: &Device, chance: &mut Chance) -> Deed {
    let held = match wallet.balance().await {
        Ok(balance) => balance.amount.micros(),
        Err(error) => return Deed::Failed("balance", error),
    };
    let (shop, slug, price) = *chance.one(&ARTICLES);
    let url = format!("{}/articles/{slug}", SHOPS[shop]);
    // Now and then less is approved than the article costs.
    let approved = usd(if chance.happens(50) { price - 1 } else { price });
    device.did(Deed::Approves(url.clone(), approved));
    // Mostly what the purse has.
    let within: Vec<u64> = BUDGETS.into_iter().filter(|budget| (price..=held).contains(budget)).collect();
    let budget = usd(if within.is_empty() { *chance.one(&BUDGETS) } else { *chance.one(&within) });
    let drawn = wallet.pay_url_from_budget(&url, approved, budget, |_| ()).await;
    told("budget", drawn, |bought| match bought.article {
        Some(article) => Deed::Drew(approved, Box::new(article), bought.charged),
        None => Deed::Looked,
    })
}

/// Ends the budget at a shop.
pub async fn end(wallet: &Wallet, chance: &mut Chance) -> Deed {
    let shop = *chance.one(&SHOPS);
    told("end", wallet.end_budget(shop).await, |_| Deed::EndedBudget)
}
