//! What people do with budgets in a shop's scrip, by way of their wallets.

use tuppence_wallet::Wallet;
use tuppence_wallet::view::BudgetMethod;

use crate::chance::Chance;
use crate::device::Device;
use crate::fixture::{ARTICLES, SHOPS, usd};
use crate::person::{Deed, cancel, told};

/// What is approved for a shop, in millionths.
const BUDGETS: [u64; 4] = [40_000, 60_000, 100_000, 200_000];

/// Buys some articles of a shop from the budget there; what does not go through is taken back now and then.
pub async fn draw(wallet: &Wallet, device: &Device, chance: &mut Chance) -> Deed {
    let shop = chance.place(SHOPS.len());
    let mut deed = draw_one(wallet, device, chance, shop).await;
    while matches!(deed, Deed::Drew(..)) && chance.happens(600) {
        device.did(deed);
        deed = draw_one(wallet, device, chance, shop).await;
    }
    if matches!(deed, Deed::Failed(..)) && chance.happens(300) {
        device.did(deed);
        return cancel(wallet, chance).await;
    }
    deed
}

/// Pays an article from the budget at its shop; where there is none with enough left, one is bought.
async fn draw_one(wallet: &Wallet, device: &Device, chance: &mut Chance, shop: usize) -> Deed {
    let held = match wallet.balance().await {
        Ok(balance) => balance.amount.micros(),
        Err(error) => return Deed::Failed("balance", error),
    };
    let articles: Vec<_> = ARTICLES.iter().filter(|(of, ..)| *of == shop).collect();
    let (_, slug, price) = **chance.one(&articles);
    let url = format!("{}/articles/{slug}", SHOPS[shop]);
    // Now and then less is approved than the article costs.
    let approved = usd(if chance.happens(50) { price - 1 } else { price });
    device.did(Deed::Approves(url.clone(), approved));
    // Mostly what the purse has.
    let within: Vec<u64> = BUDGETS.into_iter().filter(|budget| (price..=held).contains(budget)).collect();
    let budget = usd(if within.is_empty() { *chance.one(&BUDGETS) } else { *chance.one(&within) });
    let drawn =
        wallet.pay_url_from_budget(&url, approved, budget, Some(BudgetMethod::VendorScrip), |_| ()).await;
    told("budget", drawn, |bought| match bought.article {
        Some(article) => Deed::Drew(approved, Box::new(article), bought.charged),
        None => Deed::Looked,
    })
}

/// Ends the budget at a shop.
pub async fn end(wallet: &Wallet, chance: &mut Chance) -> Deed {
    let shop = *chance.one(&SHOPS);
    told("end", wallet.end_budget(shop, None).await, |_| Deed::EndedBudget)
}
