//! What the wallet has, and what shops offer it.

use chrono::DateTime;
use serde::Serialize;
use tuppence_protocol::{Currency, Timestamp};
use tuppence_wallet::Wallet;
use tuppence_wallet::view::{
    ArticleCard, BudgetMethod, CampaignCard, CampaignState, EntryKind, HistoryEntry,
};

use super::progress;
use super::words::{failure, name_of};
use crate::failure::Failure;
use crate::output;

/// The currency of the wallet's center.
pub async fn currency(wallet: &Wallet) -> Result<Currency, Failure> {
    let center = wallet.status().await.map_err(failure)?.center;
    Ok(center.map_or(Currency::USD, |center| center.currency))
}

/// The balance; what is under way goes to standard error.
pub async fn balance(wallet: &Wallet, as_json: bool) -> Result<(), Failure> {
    let balance = wallet.balance().await.map_err(failure)?;
    if as_json {
        return output::json(&balance);
    }
    for open in &balance.pending {
        progress(&format!("Under way: {}.", name_of(open)));
    }
    output::line(balance.amount.to_string());
    Ok(())
}

/// The history, newest first.
pub async fn history(wallet: &Wallet, limit: usize, as_json: bool) -> Result<(), Failure> {
    let entries = wallet.history(None, limit).await.map_err(failure)?;
    show(
        as_json,
        &entries,
        "Nothing has happened yet.",
        &["DATE", "WHAT", "CHANGE", "BALANCE", "TITLE"],
        |entry| {
            vec![
                date(entry.at),
                kind(entry.kind).to_owned(),
                change(entry),
                entry.balance_after.to_string(),
                entry.title.clone().or_else(|| entry.note.clone()).unwrap_or_default(),
            ]
        },
    )
}

/// The articles that were paid.
pub async fn library(wallet: &Wallet, as_json: bool) -> Result<(), Failure> {
    let articles = wallet.library().await.map_err(failure)?;
    show(as_json, &articles, "No article was paid yet.", &["DATE", "TITLE", "ADDRESS"], |article| {
        vec![date(article.at), article.title.clone(), article.url.clone()]
    })
}

/// The budgets at shops.
pub async fn budgets(wallet: &Wallet, as_json: bool) -> Result<(), Failure> {
    let budgets = wallet.budgets().await.map_err(failure)?;
    let heading = ["LEFT", "OF", "UNTIL", "HELD IN", "SHOP"];
    show(as_json, &budgets, "There is no budget at any shop.", &heading, |budget| {
        let until = budget.expires.map(date).unwrap_or_default();
        let held_in = match budget.method {
            BudgetMethod::VendorScrip => "scrip of the shop",
            BudgetMethod::Payword => "paywords",
        };
        let (left, approved) = (budget.left.to_string(), budget.approved.to_string());
        vec![left, approved, until, held_in.to_owned(), budget.shop.origin.clone()]
    })
}

/// The articles on sale.
pub async fn articles(wallet: &Wallet, shop: Option<String>, as_json: bool) -> Result<(), Failure> {
    let mut articles: Vec<ArticleCard> = Vec::new();
    for shop in shops(wallet, shop).await? {
        articles.extend(wallet.articles(&shop).await.map_err(failure)?);
    }
    show(as_json, &articles, "There are no articles.", &["PRICE", "TITLE", "ADDRESS"], |article| {
        let price = match (article.owned, article.price.is_zero()) {
            (true, _) => "paid".to_owned(),
            (false, true) => "free".to_owned(),
            (false, false) => article.price.to_string(),
        };
        vec![price, article.title.clone(), article.url.clone()]
    })
}

/// The questions that earn.
pub async fn campaigns(wallet: &Wallet, shop: Option<String>, as_json: bool) -> Result<(), Failure> {
    let mut campaigns: Vec<CampaignCard> = Vec::new();
    for shop in shops(wallet, shop).await? {
        campaigns.extend(wallet.campaigns(&shop).await.map_err(failure)?);
    }
    let heading = ["REWARD", "STATE", "SHOP", "ITEM", "TITLE"];
    show(as_json, &campaigns, "Nobody asks anything.", &heading, |campaign| {
        let state = match campaign.state {
            CampaignState::Open => "open",
            CampaignState::Pending => "under way",
            CampaignState::Earned => "earned",
            CampaignState::Missed => "missed",
        };
        let reward = campaign.reward.to_string();
        let shop = campaign.shop.origin.clone();
        vec![reward, state.to_owned(), shop, campaign.item.clone(), campaign.title.clone()]
    })
}

/// The shop that was named, or all of the center that take its e-cash.
async fn shops(wallet: &Wallet, shop: Option<String>) -> Result<Vec<String>, Failure> {
    if let Some(shop) = shop {
        return Ok(vec![shop]);
    }
    let shops = wallet.shops().await.map_err(failure)?;
    Ok(shops.into_iter().filter(|shop| shop.accepted).map(|shop| shop.shop.origin).collect())
}

fn show<T: Serialize>(
    as_json: bool,
    items: &[T],
    nothing: &str,
    heading: &[&str],
    row: impl Fn(&T) -> Vec<String>,
) -> Result<(), Failure> {
    if as_json {
        return output::json(&items);
    }
    if items.is_empty() {
        progress(nothing);
        return Ok(());
    }
    let heading = heading.iter().map(|&name| name.to_owned()).collect();
    output::table(&std::iter::once(heading).chain(items.iter().map(row)).collect::<Vec<_>>());
    Ok(())
}

fn date(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    let at = DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH);
    at.format("%Y-%m-%d %H:%M").to_string()
}

fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Registered => "created",
        EntryKind::Earned => "earned",
        EntryKind::Paid => "paid",
        EntryKind::CashOut => "cashed out",
        EntryKind::CashOutReturned => "came back",
        EntryKind::Cancelled => "cancelled",
        EntryKind::Adjusted => "adjusted",
    }
}

fn change(entry: &HistoryEntry) -> String {
    let sign = match (entry.change.amount.is_zero(), entry.change.gain) {
        (true, _) => "",
        (false, true) => "+",
        (false, false) => "-",
    };
    format!("{sign}{}", entry.change.amount)
}
