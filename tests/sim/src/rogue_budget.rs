//! What the rogue does about budgets: with charges, requests and deposits that went by, and with some of his own.

use serde_json::{Value, json};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::payword::{AuthorityId, Deposit, Payword};
use tuppence_protocol::scrip::payment::DeliveryMethod;
use tuppence_protocol::vendor_scrip::{IdRange, Licence, LicenceTerms, Licensed, Order, Settlement};
use tuppence_protocol::{IdType, Seal, Secret, Timestamp};

use crate::fixture::{self, ARTICLES, ROGUE_VENDOR, SHOPS, usd};
use crate::kernel::Party;
use crate::rogue::{Letter, Rogue, at_shop, letter, own_secret};

const UNSEALED: Seal = Seal::from_bytes([0; 32]);

impl Rogue {
    /// Something about budgets; whatever comes of it.
    pub(crate) fn act_on_budgets(&mut self, now: u64) -> (&'static str, Vec<Letter>) {
        match self.chance.below(9) {
            0 | 1 => ("payword_for_another_article", self.with_other_article("payword/buy")),
            2 => ("payword_altered", self.altered_charge()),
            3 => ("budget_at_another_shop", self.at_another_shop()),
            4 => ("budget_sent_at_once", self.at_once()),
            _ if self.chance.happens(150) => ("scrip_shown_again", self.oldest_request()),
            5 => ("scrip_for_another_article", self.with_other_article("vendor-scrip/buy")),
            6 => ("deposit_of_another", vec![self.claim_budget()]),
            7 => ("budget_without_authority", vec![self.plain_budget(now)]),
            _ if self.chance.happens(200) => ("rogue_order", self.stale_licence(now)),
            _ => ("rogue_order", vec![self.order()]),
        }
    }

    /// A message to this path that went by, with the shop that it went to.
    fn seen_at(&mut self, path: &str) -> Option<(usize, Value)> {
        let kept: Vec<&Letter> = self.kept.iter().filter(|(_, of, _)| of == path).collect();
        if kept.is_empty() {
            return None;
        }
        let (to, _, body) = kept[self.chance.place(kept.len())].clone();
        let Party::Shop(shop) = to else { return None };
        Some((shop, serde_json::from_slice(&body).ok()?))
    }

    /// Spent or about to be: the same payword or scrip, for something else.
    fn with_other_article(&mut self, path: &str) -> Vec<Letter> {
        let Some((shop, mut message)) = self.seen_at(path) else { return Vec::new() };
        let at_this: Vec<&str> =
            ARTICLES.iter().filter(|(of, ..)| *of == shop).map(|(_, slug, _)| *slug).collect();
        let slug = *self.chance.one(&at_this);
        message["requestUrl"] = json!(format!("{}/articles/{slug}", SHOPS[shop]));
        vec![at_shop(shop, path, &message)]
    }

    /// Rewound, skipped ahead, forged, or declared the last one.
    fn altered_charge(&mut self) -> Vec<Letter> {
        let Some((shop, mut message)) = self.seen_at("payword/buy") else { return Vec::new() };
        let index = message["charge"]["index"].as_u64().unwrap_or(1);
        match self.chance.below(5) {
            0 => message["charge"]["index"] = json!(index.saturating_sub(1)),
            1 => message["charge"]["index"] = json!(index + 1),
            2 => message["charge"]["index"] = json!(index + 5_000),
            3 => message["charge"]["payword"] = json!(Payword::from_bytes(self.chance.bytes())),
            _ => {
                // Only the highest payword ends a budget, and with it nothing is lost to its reader.
                let mut charge = message["charge"].clone();
                charge["last"] = json!(true);
                return vec![at_shop(shop, "payword/end", &charge)];
            }
        }
        vec![at_shop(shop, "payword/buy", &message)]
    }

    /// What is good at one shop, brought to the other one.
    fn at_another_shop(&mut self) -> Vec<Letter> {
        let path = *self.chance.one(&["payword/open", "payword/buy", "vendor-scrip/buy", "vendor-scrip/end"]);
        let Some((shop, mut message)) = self.seen_at(path) else { return Vec::new() };
        let other = (shop + 1) % SHOPS.len();
        if let Some(url) = message["requestUrl"].as_str() {
            message["requestUrl"] = json!(url.replace(SHOPS[shop], SHOPS[other]));
        }
        vec![at_shop(other, path, &message)]
    }

    /// Of the requests with a shop's scrip that went by the oldest: what came after it has spent its change.
    fn oldest_request(&mut self) -> Vec<Letter> {
        let oldest = self.kept.iter().find(|(_, path, _)| path == "vendor-scrip/buy");
        oldest.cloned().into_iter().collect()
    }

    /// The same many times at once.
    fn at_once(&mut self) -> Vec<Letter> {
        let path = *self.chance.one(&["payword/buy", "vendor-scrip/buy", "payword/end", "vendor-scrip/end"]);
        let Some((shop, message)) = self.seen_at(path) else { return Vec::new() };
        let count = self.chance.between(2, 5);
        (0..count).map(|_| at_shop(shop, path, &message)).collect()
    }

    /// A deposit or settlement of a budget that readers have at another shop, or of none.
    fn claim_budget(&mut self) -> Letter {
        let vendor_id = fixture::vendor(ROGUE_VENDOR);
        let last = self.chance.happens(300);
        if self.chance.happens(500) {
            let seen = self.seen_at("payword/buy").map(|(_, message)| message["charge"].clone());
            let known = seen.and_then(|charge| {
                let id = serde_json::from_value(charge["authorityId"].clone()).ok()?;
                let payword = serde_json::from_value(charge["payword"].clone()).ok()?;
                Some((id, u32::try_from(charge["index"].as_u64()?).ok()?, payword))
            });
            let (authority_id, index, payword) = known.unwrap_or((
                AuthorityId::from_bytes(self.chance.bytes()),
                1,
                Payword::from_bytes(self.chance.bytes()),
            ));
            let vendor_id = if self.chance.happens(500) { fixture::vendor(1) } else { vendor_id };
            let deposit =
                Deposit { vendor_id, authority_id, index, payword, last, secret_id: 1, seal: UNSEALED };
            return letter("payword/deposit", &deposit.sealed(&own_secret()));
        }
        let seen = self.seen_at("vendor-scrip/buy");
        let known = seen.and_then(|(shop, message)| {
            let id: IdType = serde_json::from_value(message["scrip"]["scrip"]["customerId"].clone()).ok()?;
            Some((fixture::vendor(u32::try_from(shop + 1).ok()?), id))
        });
        let (vendor_id, customer_id) = known
            .filter(|_| self.chance.happens(500))
            .unwrap_or((vendor_id, IdType { secret_id: 1, serial_number: Serial::FIRST }));
        let redeemed = usd(self.chance.between(0, 30) * 10_000);
        let settlement = Settlement { vendor_id, customer_id, redeemed, last, secret_id: 1, seal: UNSEALED };
        letter("vendor-scrip/settlement", &settlement.sealed(&own_secret()))
    }

    /// S4 for a budget that no authority comes with.
    fn plain_budget(&mut self, now: u64) -> Letter {
        let mut offer = self.payment_offer(now);
        offer.delivery_method = DeliveryMethod::Budget;
        let code =
            *self.chance.one(&[tuppence_protocol::scrip::Code::Pm4_1, tuppence_protocol::scrip::Code::Pm4_2]);
        self.payment(self.live(), offer.sealed(&own_secret()), code, now)
    }

    /// A licence that is over already.
    fn stale_licence(&mut self, now: u64) -> Vec<Letter> {
        let numbers = IdRange { secret_id: 1, first: Serial::FIRST };
        let terms = LicenceTerms {
            vendor_id: fixture::vendor(ROGUE_VENDOR),
            center_id: fixture::vendor(0),
            number: 1,
            scrips: numbers,
            customers: numbers,
            count: 10,
            expires: Timestamp::from_millis(now.saturating_sub(1)),
            props: "".parse().expect("a text"),
        };
        let [scrip_secret, customer_secret] = [1, 2].map(|_| Secret::from_bytes(self.chance.bytes()));
        let licensed = Licensed { terms, scrip_secret, customer_secret };
        let licence = Licence::new(&licensed, [[1; 12], [2; 12]], 1, &own_secret());
        licence.iter().map(|licence| letter("vendor-scrip/licence", licence)).collect()
    }

    /// An order for scrip that cannot be had: of a shop without a licence, for nothing, or for too much.
    fn order(&mut self) -> Letter {
        let mut order = Order {
            vendor_id: fixture::vendor(ROGUE_VENDOR),
            center_id: fixture::vendor(0),
            value: usd(50_000),
            nonce: self.chance.bytes(),
        };
        match self.chance.below(5) {
            0 => order.vendor_id = fixture::server("nobody.example"),
            1 => order.value = usd(0),
            2 => order.value = usd(900_000),
            3 => order.center_id = fixture::server("elsewhere.example"),
            _ => {}
        }
        letter("vendor-scrip/order", &order)
    }
}
