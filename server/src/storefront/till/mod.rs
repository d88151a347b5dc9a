//! The till: budgets at this shop, paid in paywords (spec/03) or in the shop's own scrip (spec/02), and checked without
//! the center.
//!
//! ```text
//! payword, scrip   what a reader sends: checked and stored in one transaction, then the article leaves
//! wares            what is handed out for it, with a receipt of the shop's own
//! keys             what the shop needs of the center, and licenses to it: once, and when it grows old
//! settle           what was taken goes to the center, beside everything else, until it has confirmed it
//! ```

mod keys;
mod payword;
mod scrip;
mod settle;
mod wares;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use serde::Serialize;
use tokio::sync::Notify;
use tuppence_protocol::{Amount, ErrorCode, PublicKeys, Refusal};
use tuppence_protocol::{VendorId, payword as paywords, vendor_scrip};

use super::Storefront;
use super::store::till::Authorities;
use super::upstream::Upstream;
pub use payword::{EndedBudget, OpenedBudget, PaywordPurchase, PaywordSale};
pub use scrip::{AskBought, ScripBought, ScripSale, ScripStanding};

/// How long after a failure the center is tried again: at first, and at most.
const RETRIES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// What the shop says of budgets.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Whether new budgets are taken. What was begun is honoured all the same.
    pub taken: bool,
    /// What readers are asked to approve at once.
    pub suggested: Amount,
    /// For how many days a budget is to be good; at most 90.
    pub days: u32,
    /// How often the center is told what was taken.
    pub settle_every: Duration,
}

/// For how many days a budget is good, unless settings say otherwise.
pub const DAYS: u32 = 30;
/// How often the center is told what was taken, unless settings say otherwise.
pub const SETTLE_EVERY: Duration = Duration::from_secs(600);

/// What a shop says of budgets, to whoever would approve one (GET `/shop`, and the offer of a 402).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetView {
    /// What is taken besides scrip, of `vendor-scrip` and `payword`.
    pub methods: Vec<&'static str>,
    /// What readers are asked to approve at once.
    pub suggested: Amount,
    /// For how many days it is to be good.
    pub days: u32,
    /// The largest unit of paywords that pays every article to the unit; absent where nothing is sold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Amount>,
}

/// The till's part of a shop.
#[derive(Debug)]
pub(super) struct Till {
    /// Who takes paywords, once the center's keys are known.
    paywords: ArcSwapOption<paywords::Vendor>,
    /// Who takes the shop's scrip, once there is a licence.
    scrip: ArcSwapOption<vendor_scrip::Vendor>,
    /// The authorities that charges were for lately.
    authorities: Arc<Authorities>,
    /// When the center was asked for its keys last, in milliseconds; 0 before it has answered once.
    asked: AtomicU64,
    /// Something was ended: its reader waits for the rest.
    ended: Notify,
}

impl Till {
    pub(super) fn new() -> Self {
        Till {
            paywords: ArcSwapOption::empty(),
            scrip: ArcSwapOption::empty(),
            authorities: Arc::default(),
            asked: AtomicU64::new(0),
            ended: Notify::new(),
        }
    }
}

impl Storefront {
    /// Prepares the till, then tells the center what was taken: at once, from time to time, and when a budget has
    /// ended. Never ends.
    pub async fn tend(self: Arc<Self>) {
        let [first, longest] = RETRIES;
        let mut retry = first;
        loop {
            let done = async {
                self.prepare().await?;
                self.settle_all().await
            };
            let done = done.await;
            self.forget().await;
            let pause = if done.is_ok() { self.settings.till.settle_every } else { retry };
            retry = if done.is_ok() { first } else { longest.min(retry.saturating_mul(2)) };
            tokio::select! {
                biased;
                () = self.ports.background.pause(pause) => {}
                () = self.till.ended.notified(), if done.is_ok() => {}
            }
        }
    }

    /// What the shop says of budgets; nothing where it takes none, or can't yet.
    pub fn budget_view(&self) -> Option<BudgetView> {
        let terms = &self.settings.till;
        let mut methods = Vec::new();
        if self.till.scrip.load().is_some() {
            methods.push("vendor-scrip");
        }
        if self.till.paywords.load().is_some() {
            methods.push("payword");
        }
        (terms.taken && !methods.is_empty()).then(|| BudgetView {
            methods,
            suggested: terms.suggested,
            days: terms.days,
            unit: self.unit(),
        })
    }

    /// The greatest common divisor of all prices, those of parts too.
    fn unit(&self) -> Option<Amount> {
        let catalogue = self.catalogue();
        let parts = catalogue.articles(self.now()).filter_map(|article| Some(article.meter.as_ref()?.unit));
        let of_site = self.upstream.iter().flat_map(Upstream::prices);
        let prices =
            catalogue.articles(self.now()).filter_map(|article| article.price).chain(of_site).chain(parts);
        let unit = prices.map(Amount::micros).reduce(common_divisor)?;
        Amount::new(self.settings.prices.currency, unit).ok()
    }

    fn payword_vendor(&self) -> Result<Arc<paywords::Vendor>, Refusal> {
        self.till.paywords.load_full().ok_or_else(not_yet)
    }

    fn scrip_vendor(&self) -> Result<Arc<vendor_scrip::Vendor>, Refusal> {
        self.till.scrip.load_full().ok_or_else(not_yet)
    }

    fn take_paywords(&self, center_id: VendorId, center_keys: PublicKeys) {
        let credentials = self.settings.credentials.clone();
        let (vendor_id, secrets) = (credentials.vendor_id, credentials.secrets);
        let vendor = paywords::Vendor { vendor_id, center_id, center_keys, secrets };
        self.till.paywords.store(Some(Arc::new(vendor)));
    }
}

fn not_yet() -> Refusal {
    let message = "The shop has not spoken with its payment center yet, so that it takes no budgets.";
    Refusal::new(ErrorCode::CenterUnreachable, message)
}

const fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
