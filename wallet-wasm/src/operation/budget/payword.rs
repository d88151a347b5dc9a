//! A budget in paywords (spec/03), for programs: a chain of hashes that is bought at once, and of which each article
//! takes as many as it costs.
//!
//! ```text
//! certificate, authority -> S2 of the center
//! S4 with the authority, S5, S6, receipt, as of any payment -> BudgetRecord
//! receipt -> the countersigned authority, which opens the budget at the shop
//! charge (stored first) -> delivery -> library
//! last charge (stored first) -> last deposit, brought to the center -> the rest is in the purse
//! ```
//!
//! Of the chain, the record keeps the end, from which all paywords follow. A charge without an answer is sent again
//! before anything else: what is stored gives the same bytes.

use serde::{Deserialize, Serialize};
use tuppence_protocol::payword::{
    AuthorityId, AuthorityOrder, AwaitingCountersignature, Budget as Paywords, CHARGE_JUMP_MAX, Certificate,
    Chain, ChainError, Charge, Countersigned, Customer, Deposit, GRACE, Generator, LENGTH_MAX, Paid, Plan,
};
use tuppence_protocol::scrip::buyer::{Ecash, Offer, Start};
use tuppence_protocol::scrip::payment::{PaymentBalance, PaymentInformation, PaymentStart};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::scrip::{Code, RequestUrl};
use tuppence_protocol::vendor_scrip::Order;
use tuppence_protocol::{Amount, Duration, ErrorBody, ErrorCode, PublicKeys, Refusal, Secret};

use super::BudgetRecord;
use crate::client::{self, CallError, Peer};
use crate::error::{Money, Problem, WalletError};
use crate::json::{self, Tree};
use crate::operation::exchange::note;
use crate::operation::session::{Session, unwrap, wrap};
use crate::operation::{Errand, Stage};
use crate::origin::Origin;
use crate::record::{ShopRecord, Wrapped};
use crate::shop_wire::Article;
use crate::view::{ArticleText, ExchangeStep, LibraryEntry, Party};

/// For how many days a budget is good at most: one less than the center allows, since clocks differ.
const DAYS_MAX: u32 = 89;

/// What a payment buys. It is stored before it is paid, since the chain's end is the money.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Authorised {
    /// What the center is to countersign.
    order: AuthorityOrder,
    /// The last payword, wrapped.
    end: Wrapped,
}

/// What pays.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Held {
    /// As of the last charge that was answered.
    paywords: Paywords,
    /// Whether the shop knows the budget.
    opened: bool,
    /// The charge that has no answer yet.
    pub(super) asking: Option<Asking>,
}

/// What a charge is for.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asking {
    url: RequestUrl,
    units: u32,
    slug: String,
    title: String,
}

/// S4 with what it reserves.
#[derive(Serialize)]
struct Reserve<'a> {
    payment: &'a PaymentStart,
    order: &'a AuthorityOrder,
}

/// Asks for the countersigned authority.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AskCountersigned<'a> {
    authority_id: AuthorityId,
    receipt: &'a Receipt,
}

/// Buys an article.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Purchase<'a> {
    request_url: &'a RequestUrl,
    charge: &'a Charge,
}

/// What a shop answers to a charge.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sold {
    authority_id: AuthorityId,
    index: u32,
    delivery: Delivery,
}

/// What a shop says of a budget.
#[derive(Deserialize)]
struct Standing {
    index: u32,
    ended: bool,
}

/// What a shop answers to a last charge.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ended {
    authority_id: AuthorityId,
    index: u32,
    /// Absent where the center has it already, or where others come before it, which the shop brings there at once.
    #[serde(default)]
    deposit: Option<Deposit>,
}

impl Authorised {
    /// Whether one charge pays `price` to the unit.
    pub(super) fn pays(&self, price: Amount) -> bool {
        units(price, self.order.authority.unit).is_some()
    }

    /// What is left after `paid` paywords.
    fn rest(&self, paid: u32) -> Result<Amount, WalletError> {
        let authority = &self.order.authority;
        let left = authority.length.checked_sub(paid).ok_or(Problem::ReplyInvalid)?;
        authority.worth(left).map_err(refused)
    }
}

impl BudgetRecord {
    /// The same, in paywords where the errand was for these.
    pub(super) fn authorised_by(mut self, errand: &Errand) -> Self {
        if let Errand::Budget { authorised: Some(authorised), .. } = errand {
            self.expires = Some(authorised.order.authority.expires);
            self.authorised = Some(authorised.clone());
        }
        self
    }

    fn authorised(&self) -> Result<&Authorised, WalletError> {
        self.authorised.as_deref().ok_or_else(|| Problem::RecordDamaged.into())
    }
}

impl Session {
    /// Buys as many paywords for `shop` as `approved` pays.
    pub(super) async fn buy_paywords(
        &mut self,
        shop: &ShopRecord,
        approved: Amount,
        price: Amount,
    ) -> Result<BudgetRecord, WalletError> {
        let plan = self.plan(shop, approved, price)?;
        let vendor_id = shop.shop.vendor_id.clone();
        let root = made(plan.generator(&vendor_id))?.root();
        let wallet_key = unwrap(self.ports(), self.wallet.wallet_key.as_slice()).await?;
        let customer = Customer::at(vendor_id.clone(), &wallet_key);
        let keys = self.center_keys().await?;
        let asking = customer.certificate(&self.purse());
        let certificate: Certificate =
            client::post(self.ports(), self.center(), "/payword/certificate", &asking.request).await?;
        let certificate = asking.receive(&certificate, &keys).map_err(refused)?;
        let order = customer.authorise(certificate, &plan, root);

        let mut exchange = Vec::new();
        note(&mut exchange, Code::Pm1_1, Party::Buyer, Party::Center, self.now(), &order);
        let reply: PaymentInformation =
            client::post(self.ports(), self.center(), "/payword/authority", &order).await?;
        note(&mut exchange, reply.header.cmd_type, Party::Center, Party::Buyer, self.now(), &reply);
        let (offer, center_id) = (reply.offer, self.wallet.center.id.clone());
        let value = order.authority.value().map_err(refused)?;
        if offer.vendor_id != center_id
            || offer.price != value
            || offer.request_url != order.authority.id().request_url()?
        {
            let error = WalletError::from(Problem::ReplyInvalid);
            return Err(error.because("The center's offer is for something else."));
        }
        let awaiting = self.purse().start(Offer::Payment(offer), self.now())?;
        let named = Order { vendor_id, center_id, value, nonce: plan.nonce };
        let named = json::write(&named).map_err(|_| Problem::RecordDamaged)?;
        let errand = Errand::Budget {
            shop: shop.reference(),
            page: None,
            order: String::from_utf8_lossy(&named).into_owned(),
            value,
            authorised: Some(Box::new(Authorised { order, end: wrap(self.ports(), &plan.end).await? })),
        };
        let mut operation = self.operation(errand, Stage::Starting(Box::new(awaiting)))?;
        operation.exchange = exchange;
        self.run(operation).await?;
        let bought = self.budget(&shop.origin, None).await?;
        bought.ok_or_else(|| WalletError::from(Problem::RecordDamaged))
    }

    /// A chain in the shop's unit, for as long as the shop says.
    fn plan(&self, shop: &ShopRecord, approved: Amount, price: Amount) -> Result<Plan, WalletError> {
        let wrong = || {
            let error = WalletError::from(Problem::ShopInvalid);
            error.because("Its price can't be paid with one charge in paywords of its unit.")
        };
        let terms = shop.shop.budget.as_ref().ok_or_else(wrong)?;
        let unit = terms.unit.ok_or_else(wrong)?;
        let at_once = units(price, unit).ok_or_else(wrong)?;
        let length = approved.micros().checked_div(unit.micros()).ok_or_else(wrong)?;
        let length = u32::try_from(length).map_or(LENGTH_MAX, |length| length.min(LENGTH_MAX));
        if length < at_once {
            return Err(wrong());
        }
        let days = terms.days.unwrap_or(DAYS_MAX).clamp(1, DAYS_MAX);
        let (mut nonce, mut end) = ([0; 16], [0; 32]);
        self.ports().random.fill(&mut nonce)?;
        self.ports().random.fill(&mut end)?;
        let expires = self.now().plus(Duration::from_days(u64::from(days)));
        Ok(Plan { nonce, end: Secret::from_bytes(end), length, unit, expires })
    }

    async fn center_keys(&self) -> Result<PublicKeys, CallError> {
        let keys: Tree = client::get(self.ports(), self.center(), "/payword/keys").await?;
        // The keys' numbers are names in JSON, which this wallet's own reader leaves as text.
        let keys = json::write(&keys).and_then(|keys| serde_json::from_slice(&keys));
        keys.map_err(|error| {
            CallError::Unclear(WalletError::from(Problem::ReplyInvalid).because(format!("{error}.")))
        })
    }

    /// S4 of a budget in paywords.
    pub(in crate::operation) async fn send_authority(
        &self,
        exchange: &mut Vec<ExchangeStep>,
        start: &Start,
        authorised: &Authorised,
    ) -> Result<Ecash, CallError> {
        let Start::Payment(payment) = start else {
            return Err(CallError::Unclear(Problem::RecordDamaged.into()));
        };
        let message = Reserve { payment, order: &authorised.order };
        let code = payment.header.cmd_type;
        let reply: PaymentBalance = self.ask_center(exchange, "/payword/reserve", code, &message).await?;
        note(exchange, reply.header.cmd_type, Party::Center, Party::Buyer, self.now(), &reply);
        Ok(Ecash::Payment(reply))
    }

    /// What pays: from the records, or at first from the center, which gives the countersigned authority for its
    /// receipt.
    ///
    /// # Errors
    /// [`elsewhere`] in a copy of a wallet, whose secrets another device has wrapped.
    pub(super) async fn paywords(&self, budget: &BudgetRecord) -> Result<Held, WalletError> {
        if let Some(wrapped) = &budget.held {
            let plain = self.ports().vault.unwrap(wrapped.as_slice()).await.map_err(|_| elsewhere())?;
            let damaged =
                |error| WalletError::from(Problem::RecordDamaged).because(format!("budget: {error}."));
            return json::read(&plain).map_err(damaged);
        }
        let Authorised { order, end } = budget.authorised()?.clone();
        let end = unwrap(self.ports(), end.as_slice()).await.map_err(|_| elsewhere())?;
        let message = AskCountersigned { authority_id: order.authority.id(), receipt: &budget.receipt };
        let countersigned: Countersigned =
            client::post(self.ports(), self.center(), "/payword/countersigned", &message).await?;
        let awaiting = AwaitingCountersignature { order, end };
        let paywords = awaiting.receive(&countersigned, &self.center_keys().await?).map_err(refused)?;
        Ok(Held { paywords, opened: false, asking: None })
    }

    /// Puts what pays into the record, with what is left by the last charge that was answered.
    pub(super) async fn hold_paywords(
        &self,
        budget: &mut BudgetRecord,
        held: &Held,
    ) -> Result<(), WalletError> {
        let plain = json::write(held).map_err(|error| {
            WalletError::from(Problem::RecordDamaged).because(format!("budget: {error}."))
        })?;
        let wrapped = self.ports().vault.wrap(&plain).await?;
        budget.held = Some(wrapped.try_into().map_err(|_| Problem::Unsupported)?);
        budget.left = budget.authorised()?.rest(held.paywords.paid())?;
        budget.asking = held.asking.is_some();
        Ok(())
    }

    /// Stores the charge for `article`, before its payword leaves.
    pub(super) async fn charge(
        &self,
        budget: &mut BudgetRecord,
        (article, url): (&Article, RequestUrl),
        price: Amount,
    ) -> Result<Held, WalletError> {
        let mut held = self.paywords(budget).await?;
        let unit = held.paywords.countersigned().authority().unit;
        let units = units(price, unit).ok_or(Problem::RecordDamaged)?;
        if held.paywords.left() < units {
            // The record has enough left: its last charge was sent, or is about to be.
            return Err(elsewhere());
        }
        let (slug, title) = (article.slug.clone(), article.title.clone());
        held.asking = Some(Asking { url, units, slug, title });
        self.hold_paywords(budget, &held).await?;
        self.keep_budget(budget).await?;
        Ok(held)
    }

    /// Charge -> delivery: library and index are written at once.
    pub(super) async fn ask_for_paywords(
        &mut self,
        mut budget: BudgetRecord,
        mut held: Held,
        shop: &Origin,
    ) -> Result<(LibraryEntry, ArticleText), WalletError> {
        let Some(asking) = held.asking.take() else { return Err(Problem::RecordDamaged.into()) };
        let mut after = held.paywords.clone();
        let mut chain = made(after.generator())?;
        let charge = after.charge(&mut chain, asking.units).map_err(refused)?;
        let open = |error: WalletError| error.with_money(Money::Open);
        let sold = match self.send_charge(&held, shop, &asking.url, &charge).await {
            Ok(sold) => sold,
            Err(CallError::Unclear(error)) => return Err(open(error)),
            Err(refused) => {
                // Where the shop has lost the budget, it is shown it again.
                held.opened = false;
                self.hold_paywords(&mut budget, &held).await?;
                self.keep_budget(&budget).await?;
                let standing = self.open_at(shop, &held).await;
                let is_passed_by = standing.is_ok_and(|shop| shop.ended || shop.index > held.paywords.paid());
                return Err(if is_passed_by { elsewhere() } else { refused.into() });
            }
        };
        let Sold { authority_id, index, delivery } = sold;
        delivery.header.expect(&[Code::Pm7_1]).map_err(|refusal| open(refusal.into()))?;
        if authority_id != charge.authority_id
            || index != charge.index
            || delivery.receipt.subject != asking.url
        {
            return Err(open(WalletError::from(Problem::ReplyInvalid).because("It is another article.")));
        }
        let held = Held { paywords: after, opened: true, asking: None };
        self.hold_paywords(&mut budget, &held).await?;
        self.shelve(budget, (asking.slug, asking.title), asking.url.to_string(), delivery).await
    }

    async fn send_charge(
        &self,
        held: &Held,
        shop: &Origin,
        url: &RequestUrl,
        charge: &Charge,
    ) -> Result<Sold, CallError> {
        if !held.opened {
            self.open_at(shop, held).await?;
        }
        let message = Purchase { request_url: url, charge };
        client::post(self.ports(), Peer::Shop(shop), "/payword/buy", &message).await
    }

    /// Shows the shop the budget; the same again changes nothing, and says how it stands. The shop's index is its word
    /// alone: no payword is sent for it.
    async fn open_at(&self, shop: &Origin, held: &Held) -> Result<Standing, CallError> {
        let message = held.paywords.countersigned();
        client::post(self.ports(), Peer::Shop(shop), "/payword/open", message).await
    }

    /// Last charge -> last deposit -> the rest, in purse and history.
    pub(super) async fn end_paywords(&mut self, mut budget: BudgetRecord) -> Result<(), WalletError> {
        let over = budget.expires.is_some_and(|expires| self.now() > expires.plus(GRACE));
        if !budget.ended && !over {
            let mut held = self.paywords(&budget).await?;
            let mut chain = made(held.paywords.generator())?;
            let last = held.paywords.end(&mut chain).map_err(refused)?;
            self.hold_paywords(&mut budget, &held).await?;
            self.keep_budget(&budget).await?;
            let Ended { index, deposit, .. } = self.send_last(&budget, &held, &last).await?;
            if let Some(deposit) = deposit {
                let sent =
                    client::post::<Paid>(self.ports(), self.center(), "/payword/deposit", &deposit).await;
                match sent {
                    Ok(_) => {}
                    // The time was up.
                    Err(CallError::Refused(body)) if body.code == ErrorCode::BudgetEnded => {}
                    Err(error) => return Err(error.into()),
                }
            }
            budget.left = budget.authorised()?.rest(index)?;
            budget.ended = true;
            self.keep_budget(&budget).await?;
        }
        self.take_rest(&budget).await
    }

    async fn send_last(
        &self,
        budget: &BudgetRecord,
        held: &Held,
        last: &Charge,
    ) -> Result<Ended, WalletError> {
        let shop = budget.shop.origin.parse()?;
        if !held.opened {
            self.open_at(&shop, held).await?;
        }
        let ended: Ended = match client::post(self.ports(), Peer::Shop(&shop), "/payword/end", last).await {
            Ok(ended) => ended,
            Err(refused @ CallError::Refused(_)) => {
                let Standing { index, ended } = self.open_at(&shop, held).await?;
                return match ended {
                    true => Ok(Ended { authority_id: last.authority_id, index, deposit: None }),
                    false if index > last.index => Err(elsewhere()),
                    false => Err(refused.into()),
                };
            }
            Err(unclear) => return Err(unclear.into()),
        };
        let is_other = |deposit: &Deposit| deposit.authority_id != last.authority_id;
        if ended.authority_id != last.authority_id || ended.deposit.as_ref().is_some_and(is_other) {
            return Err(WalletError::from(Problem::ReplyInvalid).because("The shop ended another budget."));
        }
        Ok(ended)
    }
}

/// How many of `unit` make `price`, if any number does that one charge may add.
fn units(price: Amount, unit: Amount) -> Option<u32> {
    if price.currency() != unit.currency() || price.micros().checked_rem(unit.micros())? != 0 {
        return None;
    }
    let units = u32::try_from(price.micros().checked_div(unit.micros())?).ok()?;
    (units <= CHARGE_JUMP_MAX).then_some(units)
}

/// The whole chain: the longest is made in a fraction of a second.
fn made(generator: Result<Generator, ChainError>) -> Result<Chain, WalletError> {
    let damaged =
        |error: ChainError| WalletError::from(Problem::RecordDamaged).because(format!("budget: {error}."));
    let mut generator = generator.map_err(damaged)?;
    generator.step(u32::MAX);
    generator.finish().map_err(damaged)
}

/// A refusal by the customer's own rules.
fn refused(error: tuppence_protocol::payword::PaywordError) -> WalletError {
    Refusal::from(error).into()
}

/// Whether the rest of a budget can only come back by itself, so that nothing is gained by waiting with another one.
pub(super) fn is_out_of_reach(error: &WalletError) -> bool {
    [ErrorCode::BudgetEnded, ErrorCode::AuthorityExpired, ErrorCode::AuthorityUnknown]
        .iter()
        .any(|code| error.is_refusal(*code))
}

/// A copy of this wallet goes on with the budget: a shop takes no older payword, and no shop's word makes this one
/// send a newer one.
fn elsewhere() -> WalletError {
    let message = "A copy of this wallet goes on with this budget, or has ended it. What it leaves comes back by \
                   itself, seven days after the budget's end at the latest.";
    ErrorBody::from(&Refusal::new(ErrorCode::BudgetEnded, message)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_paid_to_the_unit_and_with_one_charge() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let of = |price: &str, unit: &str| units(amount(price), amount(unit));
        assert_eq!(of("USD:0.03", "USD:0.0003"), Some(100));
        assert_eq!(of("USD:0.4096", "USD:0.0001"), Some(CHARGE_JUMP_MAX));
        for (price, unit) in [
            ("USD:0.03", "USD:0.0007"),
            ("USD:0.4097", "USD:0.0001"),
            ("USD:0.03", "USD:0"),
            ("USD:0.03", "EUR:0.03"),
        ] {
            assert_eq!(of(price, unit), None, "{price} in {unit}");
        }
    }
}
