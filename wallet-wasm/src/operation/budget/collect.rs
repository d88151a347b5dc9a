//! What a page has bought with a budget comes into the library: the shop tells it to whoever holds the purchase, until it is
//! forgotten. So an article that was paid on a publisher's page opens here too, and on the reader's other devices.

use serde::{Deserialize, Serialize};
use tuppence_protocol::ErrorCode;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::vendor_scrip::Return;

use super::{BudgetRecord, Held};
use crate::client::{self, CallError, Peer};
use crate::error::{Problem, WalletError};
use crate::operation::session::Session;
use crate::origin::Origin;
use crate::ports::Changes;
use crate::record::{self, at_shop};
use crate::view::{LibraryEntry, WalletEvent};

/// Asks a shop what a budget has bought.
#[derive(Serialize)]
struct AskBought {
    #[serde(rename = "return")]
    message: Return,
    after: u64,
}

/// What it has, in order.
#[derive(Deserialize)]
struct Bought {
    articles: Vec<BoughtArticle>,
    more: bool,
}

#[derive(Deserialize)]
struct BoughtArticle {
    number: u64,
    title: String,
    receipt: Receipt,
}

impl Session {
    /// Puts what was bought into the library, as far as it is not there. The notes of it are kept with the next ones.
    pub(super) async fn collect(
        &mut self,
        budget: &mut BudgetRecord,
        held: &Held,
    ) -> Result<(), WalletError> {
        let shop: Origin = budget.shop.origin.parse()?;
        let mut is_new = false;
        loop {
            let message = AskBought { message: held.holding.give_back(), after: budget.collected };
            let asked = client::post(self.ports(), Peer::Shop(&shop), "/vendor-scrip/bought", &message);
            let Bought { articles, more } = match asked.await {
                Ok(bought) => bought,
                // An older shop, which tells nobody.
                Err(CallError::Refused(body)) if body.code == ErrorCode::NotFound => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let mut changes = Changes::default();
            let before = budget.collected;
            for BoughtArticle { number, title, receipt } in articles {
                budget.collected = budget.collected.max(number);
                let Some(article) = LibraryEntry::bought_at(&budget.shop, title, receipt) else { continue };
                let name = at_shop(shop.as_str(), &article.slug);
                let known: Option<LibraryEntry> = record::read(&*self.ports().storage, &name).await?;
                if known.is_none() {
                    changes.write(&name, &article)?;
                    is_new = true;
                }
            }
            if more && budget.collected == before {
                return Err(WalletError::from(Problem::ReplyInvalid).because("The shop goes in circles."));
            }
            if is_new {
                self.wallet.noted = 0;
                changes.write("", &self.wallet)?;
            }
            changes.write(&budget.name(), budget)?;
            self.keep(changes).await?;
            if !more {
                break;
            }
        }
        if is_new {
            self.inner.tell(&WalletEvent::Records);
        }
        Ok(())
    }
}
