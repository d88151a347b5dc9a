//! What shops' tills hear and hand out: each article for a budget has what pays it in the shop's store.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use tuppence_protocol::ids::IdType;
use tuppence_protocol::payword::{Authority, AuthorityId, Charge, Countersigned, Deposit, Payword};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::vendor_scrip::{Reply, Request, Settlement};
use tuppence_server::storefront::store::ShopStore;

use super::Auditor;
use super::books::Key;
use super::budgets::{BudgetId, GRACE, Pays};
use super::invariants::Invariant;
use super::shops::{price_of, read, vendor};
use crate::kernel;

/// A purchase of a shop's scrip: the shop's number and the Cust_ID#.
type Purchase = (u32, u32, u64);

/// What was handed out for a budget, by index or ID#: the article and its price.
type Sold = BTreeMap<u64, (String, u64)>;

/// What the auditor knows of the tills.
#[derive(Debug, Default)]
pub struct Tills {
    /// Authorities that were brought to a shop.
    opened: BTreeMap<(usize, [u8; 32]), Authority>,
    /// Charges that were brought to a shop.
    shown: BTreeSet<(u32, [u8; 32], u32, [u8; 32])>,
    /// Requests that were brought to a shop, by purchase and ID#: the highest price.
    asked: BTreeMap<Purchase, BTreeMap<(u32, u64), u64>>,
    /// What was handed out for each budget.
    sold: BTreeMap<(usize, Vec<u8>), Sold>,
    /// The first answer to each charge and request.
    answers: BTreeMap<(usize, Vec<u8>), Vec<u8>>,
    /// Receipts that shops made themselves: amount and subject.
    receipts: BTreeMap<Key, (u64, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bought {
    request_url: String,
    charge: Charge,
}

#[derive(Deserialize)]
struct Handed {
    delivery: Delivery,
}

#[derive(Deserialize)]
struct HandedForScrip {
    reply: Reply,
    delivery: Delivery,
}

impl Tills {
    /// Whether a shop made this receipt for what it handed out for a budget.
    pub(super) fn made(&self, key: Key, receipt: &Receipt) -> bool {
        let said = (receipt.amount.micros(), receipt.subject.to_string());
        self.receipts.get(&key) == Some(&said)
    }
}

impl Auditor {
    /// A message comes to a shop.
    pub fn shop_hears(&mut self, shop: usize, path: &str, body: &[u8]) {
        match path {
            "payword/open" => {
                let Some(opened) = read::<Countersigned>(body) else { return };
                let authority = opened.authority().clone();
                self.tills.opened.insert((shop, *authority.id().as_bytes()), authority);
            }
            "payword/buy" | "payword/end" => {
                let charge = read::<Bought>(body).map(|bought| bought.charge).or_else(|| read(body));
                let Some(Charge { authority_id, index, payword, .. }) = charge else { return };
                let shown = (vendor(shop), *authority_id.as_bytes(), index, *payword.as_bytes());
                self.tills.shown.insert(shown);
            }
            "vendor-scrip/buy" => {
                let Some(request) = read::<Request>(body) else { return };
                let scrip = &request.scrip.scrip;
                let licences =
                    self.books.budgets.licences.range((vendor(shop), 0)..=(vendor(shop), u32::MAX));
                let mut secrets =
                    licences.into_iter().filter_map(|(_, known)| known.licensed.customer(scrip.customer_id));
                let secret = secrets.next();
                if secret.is_some_and(|secret| !request.seal(&secret).matches(&request.hash)) {
                    return;
                }
                let ids = self.tills.asked.entry(purchase(vendor(shop), scrip.customer_id)).or_default();
                let most = ids.entry(number(scrip.id)).or_default();
                *most = (*most).max(request.price.micros());
            }
            _ => {}
        }
    }

    /// A shop answers a charge or a request, when its clock shows `now`. `store` is what it has kept.
    pub fn till_answers(
        &mut self,
        shop: usize,
        path: &str,
        body: Option<&[u8]>,
        reply: &kernel::Reply,
        (store, now): (&ShopStore, u64),
    ) {
        let Some(body) = body.filter(|_| reply.status == 200) else { return };
        let sold = match path {
            "payword/buy" => self.sold_for_payword(shop, body, reply, (store, now)),
            "vendor-scrip/buy" => self.sold_for_scrip(shop, body, reply, (store, now)),
            _ => return,
        };
        let Some((asked, delivery)) = sold else {
            return self
                .check(Invariant::ArticleHasATick, false, || format!("{path} is answered with {reply:?}"));
        };
        let first = self.tills.answers.entry((shop, asked)).or_insert_with(|| reply.body.clone());
        let same = *first == reply.body;
        self.check(Invariant::TheSameSaleAgain, same, || format!("{path}: another answer than before"));
        let receipt = &delivery.receipt;
        let key = (vendor(shop), *receipt.tran_id.as_bytes());
        let (amount, subject) = (receipt.amount.micros(), receipt.subject.to_string());
        let right = price_of(shop, &subject) == Some(amount);
        self.check(Invariant::PricesAreWhatShopsQuoted, right, || format!("{subject} is sold for {amount}"));
        self.tills.receipts.insert(key, (amount, subject));
    }

    /// What was asked, to the letter, and what was handed out for a charge, if it pays it.
    fn sold_for_payword(
        &mut self,
        shop: usize,
        body: &[u8],
        reply: &kernel::Reply,
        (store, now): (&ShopStore, u64),
    ) -> Option<(Vec<u8>, Delivery)> {
        let (bought, handed) = (read::<Bought>(body)?, read::<Handed>(&reply.body)?);
        let Charge { authority_id, index, payword, .. } = bought.charge;
        let id = *authority_id.as_bytes();
        let authority = self.tills.opened.get(&(shop, id))?;
        let genuine = index <= authority.length
            && authority.link().back(&payword, index) == authority.root
            && self.books.number(&authority.vendor_id) == Some(vendor(shop));
        let unit = authority.unit.micros();
        let price = price_of(shop, &bought.request_url)?;
        let kept = session(store, authority_id);
        // What is over is forgotten, also while its answer is on its way.
        let over = now > authority.expires.as_millis() + GRACE;
        let stored = kept.map_or(over, |kept| kept.0 > index || kept == (index, payword));
        let sold = self.tills.sold.entry((shop, id.to_vec())).or_default();
        let article = (bought.request_url.clone(), price);
        let new = sold.entry(u64::from(index)).or_insert_with(|| article.clone());
        let once = *new == article;
        let (sum, most) = (sold.values().map(|(_, price)| price).sum::<u64>(), sold.keys().max().copied());
        let paid = most.is_some_and(|most| sum <= most * unit);
        self.check(Invariant::ArticleHasATick, genuine && stored && once && paid, || {
            format!(
                "{}: payword {index}, genuine: {genuine}, kept {kept:?}, {sum} handed out for {most:?} of {unit}",
                bought.request_url
            )
        });
        let asked = [bought.request_url.as_bytes(), &id, &index.to_be_bytes()].concat();
        Some((asked, handed.delivery))
    }

    /// What was asked, to the letter, and what was handed out for scrip, if it pays it.
    fn sold_for_scrip(
        &mut self,
        shop: usize,
        body: &[u8],
        reply: &kernel::Reply,
        (store, now): (&ShopStore, u64),
    ) -> Option<(Vec<u8>, Delivery)> {
        let (request, handed) = (read::<Request>(body)?, read::<HandedForScrip>(&reply.body)?);
        let scrip = &request.scrip.scrip;
        let price = request.price.micros();
        let url = request.request_url.to_string();
        let change = handed.reply.change.as_ref().map_or(0, |change| change.scrip.value.micros());
        let left = scrip.value.micros().checked_sub(price) == Some(change);
        let redeemed = account(store, scrip.customer_id);
        let over = now > scrip.expires.as_millis() + GRACE;
        let (master, purchase) = number(scrip.customer_id);
        let purchase = [master.to_be_bytes().as_slice(), &purchase.to_be_bytes()].concat();
        let sold = self.tills.sold.entry((shop, purchase)).or_default();
        let (master, id) = number(scrip.id);
        // Numbers of licences and of change are far apart, and serials are small.
        let new = sold.entry((u64::from(master) << 32) + id).or_insert_with(|| (url.clone(), price));
        let once = *new == (url.clone(), price);
        let sum: u64 = sold.values().map(|(_, price)| price).sum();
        let stored = redeemed.map_or(over, |redeemed| sum <= redeemed);
        // What the reader's wallet is told is what was paid.
        let told = bought(store, scrip.customer_id);
        let stored = stored && redeemed.unwrap_or_default() == told;
        self.check(Invariant::ArticleHasATick, left && once && stored, || {
            format!(
                "{url}: {change} is the change, {sum} was handed out, {redeemed:?} is redeemed, and {told} told of"
            )
        });
        Some((request.hash.as_bytes().to_vec(), handed.delivery))
    }

    /// Shops have had time to be paid, and nothing has failed meanwhile: they were, to the unit.
    pub fn shop_is_paid(&mut self, shop: usize, store: &ShopStore, now: u64) {
        // Books that were lost knew of more, and shops do not tell it again.
        if self.has_lost_books() {
            return;
        }
        let number = vendor(shop);
        let budgets: Vec<_> = self.books.budgets.all.values().cloned().collect();
        let ids: Vec<_> = self.books.budgets.all.keys().copied().collect();
        for (id, budget) in ids.into_iter().zip(budgets) {
            let open = self.books.is_funded(&budget) && budget.closed.is_none() && now <= budget.due;
            if budget.vendor != number || !open {
                continue;
            }
            let earned = match (&budget.pays, id) {
                (Pays::Paywords { unit, .. }, BudgetId::Paywords(id)) => {
                    let last = session(store, AuthorityId::from_bytes(id));
                    last.map_or(0, |(index, _)| u64::from(index) * unit)
                }
                (Pays::Scrip { purchase, .. }, _) => account(store, *purchase).unwrap_or(0),
                _ => 0,
            };
            self.check(Invariant::ShopPaidOnce, earned == budget.taken, || {
                format!("shop {number} has earned {earned} of {budget:?}")
            });
        }
    }

    /// The center has paid a shop: for what readers have shown to it.
    pub(super) fn paid_for_what_was_shown(&mut self, deposit: &Deposit) {
        let Deposit { authority_id, index, payword, .. } = deposit;
        let vendor = self.books.number(&deposit.vendor_id).unwrap_or_default();
        let shown = (vendor, *authority_id.as_bytes(), *index, *payword.as_bytes());
        let right = *index == 0 || self.tills.shown.contains(&shown);
        self.check(Invariant::ShopPaidOnce, right, || {
            format!("nobody has shown payword {index} to the shop")
        });
    }

    /// The same for scrip.
    pub(super) fn paid_for_what_was_asked(&mut self, settlement: &Settlement) {
        let vendor = self.books.number(&settlement.vendor_id).unwrap_or_default();
        let asked = self.tills.asked.get(&purchase(vendor, settlement.customer_id));
        let most: u64 = asked.map_or(0, |ids| ids.values().sum());
        let redeemed = settlement.redeemed.micros();
        self.check(Invariant::ShopPaidOnce, redeemed <= most, || {
            format!("{redeemed} is settled; requests for {most} were brought to the shop")
        });
    }
}

fn number(id: IdType) -> (u32, u64) {
    (id.secret_id, id.serial_number.get())
}

fn purchase(vendor: u32, id: IdType) -> Purchase {
    (vendor, id.secret_id, id.serial_number.get())
}

/// The last payword that a shop's store has, read without the shop's own code.
fn session(store: &ShopStore, id: AuthorityId) -> Option<(u32, Payword)> {
    let found = store.read(|connection| {
        let mut query =
            connection.prepare("SELECT position, payword FROM sessions WHERE authority_id = ?1")?;
        let row = query.query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get::<_, [u8; 32]>(1)?)))?;
        Ok(row)
    });
    found.ok().map(|(position, payword)| (position, Payword::from_bytes(payword)))
}

/// What a shop's store says was redeemed of a purchase.
fn account(store: &ShopStore, id: IdType) -> Option<u64> {
    let found = store.read(|connection| {
        let mut query =
            connection.prepare("SELECT account FROM accounts WHERE secret_id = ?1 AND serial = ?2")?;
        let key = (id.secret_id, i64::try_from(id.serial_number.get()).unwrap_or(i64::MAX));
        Ok(query.query_row(key, |row| row.get::<_, String>(0))?)
    });
    let account: Value = serde_json::from_str(&found.ok()?).ok()?;
    let redeemed: tuppence_protocol::Amount = serde_json::from_value(account["redeemed"].clone()).ok()?;
    Some(redeemed.micros())
}

/// What a shop's store says was bought with a purchase, added up.
fn bought(store: &ShopStore, id: IdType) -> u64 {
    let found = store.read(|connection| {
        let mut query =
            connection.prepare("SELECT receipt FROM bought WHERE secret_id = ?1 AND serial = ?2")?;
        let key = (id.secret_id, i64::try_from(id.serial_number.get()).unwrap_or(i64::MAX));
        let rows = query.query_map(key, |row| row.get::<_, String>(0))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    });
    let receipts = found.unwrap_or_default();
    receipts.iter().filter_map(|text| read::<Receipt>(text.as_bytes())).map(|paid| paid.amount.micros()).sum()
}
