//! What was approved for longer than one payment.

use serde::{Deserialize, Serialize};
use tuppence_protocol::{Amount, Timestamp};

use super::ShopRef;

/// What a budget at a shop is held in.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BudgetMethod {
    /// Scrip of the shop (spec/02).
    #[default]
    VendorScrip,
    /// A chain of paywords (spec/03).
    Payword,
}

/// A budget at a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Where it can be spent.
    pub shop: ShopRef,
    /// The origin of the page that spends it; absent where this wallet does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// What was approved.
    pub approved: Amount,
    /// What is left.
    pub left: Amount,
    /// Until when it can be spent; seven days later at the latest the rest is back.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// What it is held in.
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(default)]
    pub method: BudgetMethod,
}

/// What a page may have paid at a shop without asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allowance {
    /// What is paid there.
    pub shop: ShopRef,
    /// The origin of the page that need not ask.
    pub page: String,
    /// How much a day.
    pub a_day: Amount,
    /// What was spent of it today.
    pub spent: Amount,
}

/// What was approved for longer than one payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Budgets that can be spent still, or whose rest has not come back.
    pub budgets: Vec<Budget>,
    /// Pages that need not ask.
    pub allowances: Vec<Allowance>,
}
