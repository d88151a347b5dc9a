//! What a reader grants for longer than one payment: budgets at shops, and allowances.

use serde::Serialize;

use super::Task;
use crate::error::{Problem, WalletError};
use crate::json;
use crate::operation::session::Session;
use crate::operation::{allowance, budget};
use crate::view::Granted;
use crate::wallet::catalogue::accepting_shop;

/// Does one of these tasks.
pub(super) async fn run(session: &mut Session, task: Task) -> Result<Vec<String>, WalletError> {
    match task {
        Task::BuyBudget { shop, page, value } => {
            session.settle().await?;
            let shop = accepting_shop(&session.inner, &shop).await?;
            told(&session.buy_for_page(&shop, page, value).await?)
        }
        Task::Granted => {
            // Without the center, or while something is open, they are shown as they were last known.
            if session.settle().await.is_ok() {
                session.look_after_budgets().await?;
            }
            let budgets = budget::budgets(&session.inner).await?;
            let allowances = allowance::allowances(&session.inner).await?;
            told(&Granted { budgets, allowances })
        }
        Task::EndBudget { shop, page } => {
            session.settle().await?;
            told(&session.end_budget_of(&shop, page.as_ref()).await?)
        }
        Task::Allow { shop, page, a_day } => {
            let shop = accepting_shop(&session.inner, &shop).await?;
            session.allow(shop.reference(), page, a_day).await.map(nothing)
        }
        Task::EndAllowance { shop, page } => session.end_allowance(&shop, &page).await.map(nothing),
        Task::Count { shop, page, price } => told(&session.count_allowed(&shop, &page, price).await?),
        Task::Uncount { shop, page, price, day } => {
            session.uncount_allowed(&shop, &page, price, day).await.map(nothing)
        }
        _ => Err(Problem::KitUnavailable.into()),
    }
}

fn nothing((): ()) -> Vec<String> {
    Vec::new()
}

fn told(value: &impl Serialize) -> Result<Vec<String>, WalletError> {
    let written = json::write(value).map_err(|_| Problem::RecordDamaged)?;
    Ok(vec![String::from_utf8_lossy(&written).into_owned()])
}
