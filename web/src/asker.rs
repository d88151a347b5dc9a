//! The page of another site that led the reader here and waits for the outcome (`web/asker.js`; in JavaScript, because
//! that is where windows and messages are, and small).
//!
//! It says what it wants behind the `#` of the address, which no server sees: its origin (`for`), a claim that nobody else
//! knows (`claim`), where the reader goes back to if this window was its own (`back`), answers to a campaign's
//! questions (`answers`), and that it can keep a budget (`budgets`), also to read by the part (`budgets=part`). Whoever asks can only ask: the reader sees the
//! origin, and to that origin alone goes what there is to tell. It holds for the one article or campaign of the
//! address, until the window closes.

use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_wallet::json;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/asker.js")]
extern "C" {
    /// The origin of the page that asks for this article or campaign of a shop, if one does.
    pub fn origin(shop: &str, item: &str) -> Option<String>;

    /// What the reader has answered there to a question of the campaign.
    pub fn answer(shop: &str, item: &str, number: usize) -> Option<String>;

    /// Tells the page how far it is: `open`, `creating`, `short`, `earned`, `missed` or `cancelled`.
    pub fn tell(shop: &str, item: &str, event: &str);

    /// Leads back to the page: this window closes, or becomes that page again.
    pub fn leave(shop: &str, item: &str);

    /// Whether the page can keep a budget for this shop.
    #[wasm_bindgen(js_name = keepsBudgets)]
    pub fn keeps_budgets(shop: &str, item: &str) -> bool;

    /// Whether it wants the budget to read this article by the part.
    #[wasm_bindgen(js_name = readsByPart)]
    pub fn reads_by_part(shop: &str, item: &str) -> bool;

    #[wasm_bindgen(js_name = hand)]
    async fn hand_json(shop: &str, item: &str, name: &str, bought: &str);
}

/// What was bought for the page.
#[derive(Debug, Clone)]
pub enum Bought {
    /// An article.
    Receipt(Box<Receipt>),
    /// A budget, as JSON: whoever has it can spend it.
    Budget(String),
}

/// Hands it to the page: in a message and, for a page that can't hear it or is gone, by way of the shop.
pub async fn hand(shop: &str, item: &str, bought: &Bought) {
    match bought {
        Bought::Receipt(receipt) => {
            // A receipt holds text and numbers only, which always become JSON.
            let receipt = json::write(receipt).unwrap_or_default();
            hand_json(shop, item, "receipt", &String::from_utf8_lossy(&receipt)).await;
        }
        Bought::Budget(budget) => hand_json(shop, item, "budget", budget).await,
    }
}
