//! What leaves the shops: offers, permissions and deliveries.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use tuppence_protocol::scrip::issue::{IssuePermitted, IssueRequest};
use tuppence_protocol::scrip::payment::PaymentInformation;
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::{ErrorBody, ErrorCode};

use super::Auditor;
use super::books::{Key, Stand};
use super::invariants::Invariant;
use crate::fixture::{ARTICLES, CAMPAIGNS, SHOPS};
use crate::kernel::Reply;

/// What shops have promised.
#[derive(Debug, Default)]
pub struct Shops {
    /// Amount and subject of each offer.
    quoted: BTreeMap<Key, (u64, String)>,
    permitted: BTreeMap<Key, (u64, String)>,
    /// The last offer for an earner's answer.
    offers: BTreeMap<(usize, [u8; 32], String), Key>,
    /// The first answer that was graded as wrong.
    wrong: BTreeMap<(usize, [u8; 32], String), [u8; 32]>,
    /// Whose pseudonym it is.
    earners: BTreeMap<[u8; 32], u64>,
}

impl Shops {
    pub(super) fn attested(&mut self, earner: [u8; 32], customer: u64) {
        self.earners.insert(earner, customer);
    }

    pub(super) fn was_quoted(&self, key: Key, amount: u64, subject: &str) -> bool {
        self.quoted.get(&key).is_some_and(|quoted| *quoted == (amount, subject.to_owned()))
    }

    pub(super) fn was_permitted(&self, key: Key, amount: u64, subject: &str) -> bool {
        self.permitted.get(&key).is_some_and(|permitted| *permitted == (amount, subject.to_owned()))
    }
}

impl Auditor {
    /// A shop answers.
    pub fn shop_answers(&mut self, shop: usize, path: &str, body: Option<&[u8]>, reply: &Reply) {
        let paid_words = reply.body.windows(10).any(|words| words == b"PAID WORDS");
        if paid_words {
            let delivery: Option<Delivery> = read(&reply.body);
            let paid = delivery.is_some_and(|delivery| {
                let receipt = &delivery.receipt;
                let key = (vendor(shop), *receipt.tran_id.as_bytes());
                self.receipt_is_true(key, receipt)
            });
            // What a budget pays has invariants of its own.
            let paid = paid || ["payword/buy", "vendor-scrip/buy"].contains(&path);
            self.check(Invariant::NothingUnpaidIsDelivered, paid, || format!("{path} gives away paid words"));
        }
        match (path, body) {
            ("purchase", Some(_)) if reply.status == 200 => self.quoted(shop, reply),
            ("earn", Some(body)) => self.graded(shop, body, reply),
            _ => {}
        }
    }

    fn quoted(&mut self, shop: usize, reply: &Reply) {
        let Some(PaymentInformation { offer, .. }) = read(&reply.body) else { return };
        let subject = offer.request_url.to_string();
        let price = price_of(shop, &subject);
        let amount = offer.price.micros();
        self.check(Invariant::PricesAreWhatShopsQuoted, price == Some(amount), || {
            format!("{subject} is quoted at {amount}; its file says {price:?}")
        });
        self.shops.quoted.insert((vendor(shop), *offer.tran_id.as_bytes()), (amount, subject));
    }

    fn graded(&mut self, shop: usize, body: &[u8], reply: &Reply) {
        let Some(request) = read::<IssueRequest>(body) else { return };
        let item = request.item.to_string();
        let id = (shop, *request.earner.earner.as_bytes(), item.clone());
        if reply.status != 200 {
            let refusal: Option<ErrorBody> = read(&reply.body);
            if refusal.is_some_and(|refusal| refusal.code == ErrorCode::AnswerWrong) {
                self.shops.wrong.entry(id).or_insert_with(|| request.digest());
            }
            return;
        }
        let Some(IssuePermitted { offer, .. }) = read(&reply.body) else { return };
        let campaign =
            CAMPAIGNS.iter().find(|campaign| (campaign.shop, campaign.item) == (shop, item.as_str()));
        let right = campaign.is_some_and(|campaign| {
            let answer = request.value.first().map_or("", |answer| answer.as_str());
            // Small and large letters are the same to a shop.
            campaign.right.is_empty() || campaign.right.iter().any(|right| right.eq_ignore_ascii_case(answer))
        });
        let first = !self.shops.wrong.contains_key(&id);
        self.check(Invariant::WrongAnswersEarnNothing, right && first, || {
            format!("{item} is permitted for {:?}; first: {first}", request.value)
        });
        let amount = offer.value.micros();
        self.check(
            Invariant::RewardsAreWhatShopsPermitted,
            campaign.is_some_and(|c| c.reward == amount),
            || format!("{item} is permitted with {amount}"),
        );
        let known = self.shops.earners.contains_key(offer.earner.as_bytes());
        self.check(Invariant::RewardsGoToWhoAnswered, known && offer.earner == request.earner.earner, || {
            format!("{item} is permitted to a pseudonym that the center never attested")
        });
        let key = (vendor(shop), *offer.tran_id.as_bytes());
        if let Some(before) = self.shops.offers.insert(id, key).filter(|before| *before != key) {
            let alive = self.books.steps.get(&before);
            let revived = self.remembered.revived.contains(&before);
            let alive = alive.is_some_and(|step| !revived && !matches!(step.stand, Stand::Voided(..)));
            self.check(Invariant::AnAnswerIsPaidOnce, !alive, || {
                format!("{item}: a second offer while the first one was taken")
            });
        }
        self.shops.permitted.insert(key, (amount, item));
    }
}

/// What the article at this address costs, by its file.
pub(super) fn price_of(shop: usize, url: &str) -> Option<u64> {
    let is_it = |slug: &str| url == format!("{}/articles/{slug}", SHOPS[shop]);
    ARTICLES.iter().find_map(|(of, slug, price)| (*of == shop && is_it(slug)).then_some(*price))
}

pub(super) fn vendor(shop: usize) -> u32 {
    u32::try_from(shop + 1).unwrap_or(u32::MAX)
}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}
