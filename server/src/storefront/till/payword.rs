//! Paywords at the shop (spec/03): a budget is opened once, then a hash buys each article, and a last one ends it.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tuppence_protocol::payword::{AuthorityId, Charge, Countersigned, Deposit, PaywordError, Session};
use tuppence_protocol::scrip::RequestUrl;
use tuppence_protocol::scrip::relay::Delivery;
use tuppence_protocol::{ErrorCode, Refusal, Timestamp};

use super::wares::Wares;
use crate::storefront::Storefront;
use crate::storefront::store::{self, till as rows, till::Authorities, till::Owed};

/// Buys an article with the units that a charge adds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaywordPurchase {
    /// The article's address at this shop.
    pub request_url: RequestUrl,
    /// Just what it costs.
    pub charge: Charge,
}

/// The article, and up to where the budget is spent. The last charge again gets the same bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaywordSale {
    /// The budget.
    pub authority_id: AuthorityId,
    /// How many units it had paid then, in all.
    pub index: u32,
    /// The article.
    pub delivery: Delivery,
}

/// How a budget stands at the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenedBudget {
    /// Which one.
    pub authority_id: AuthorityId,
    /// How many units it has paid, in all.
    pub index: u32,
    /// Whether its reader has ended it.
    pub ended: bool,
}

/// A budget that was ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndedBudget {
    /// Which one.
    pub authority_id: AuthorityId,
    /// How many units it has paid, in all.
    pub index: u32,
    /// The last deposit. Whoever brings it to the center has the rest at once, also before the shop does. Left out where
    /// the center has confirmed it, or others come before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<Deposit>,
}

impl From<&Session> for OpenedBudget {
    fn from(session: &Session) -> Self {
        OpenedBudget { authority_id: session.id(), index: session.index(), ended: session.is_ended() }
    }
}

impl Storefront {
    /// Takes a budget that the center has countersigned; it is stored before this returns. The same again changes
    /// nothing, and says how it stands.
    ///
    /// # Errors
    /// It is another shop's, forged, over, or the shop takes no new ones.
    pub async fn open_budget(&self, countersigned: Countersigned) -> Result<OpenedBudget, Refusal> {
        let (id, authorities) = (countersigned.authority().id(), self.till.authorities.clone());
        let known = authorities.clone();
        if let Some(known) = self.store.commit(move |store| rows::session(store, &known, id)).await? {
            return Ok(OpenedBudget::from(&known));
        }
        if !self.settings.till.taken {
            return Err(Refusal::new(ErrorCode::AuthorityInvalid, "This shop takes no budgets."));
        }
        let session = self.check_authority(&countersigned).await?;
        let opened = move |store: &Connection| match rows::session(store, &authorities, id)? {
            Some(first) => Ok(OpenedBudget::from(&first)),
            None => {
                rows::keep_opened(store, &session)?;
                Ok(OpenedBudget::from(&session))
            }
        };
        self.store.commit(opened).await
    }

    /// The article that a charge pays; payword and answer are stored before this returns.
    ///
    /// # Errors
    /// The budget is not known, ended or over, the payword is none of it, was spent before, or pays another sum.
    pub async fn sell_for_payword(&self, purchase: PaywordPurchase) -> Result<PaywordSale, Refusal> {
        let wares = self.wares(&purchase.request_url).await;
        let (now, authorities) = (self.now(), self.till.authorities.clone());
        self.store.commit(move |store| sell(store, &authorities, &purchase, wares, now)).await?
    }

    /// Ends a budget: nothing more is taken, and the center is told, so that the rest returns.
    ///
    /// # Errors
    /// The budget is not known, or the charge is not its last one.
    pub async fn end_budget(&self, charge: Charge) -> Result<EndedBudget, Refusal> {
        if !charge.last {
            let message = "What ends a budget is a charge that says so, with `last`.";
            return Err(Refusal::new(ErrorCode::PaywordInvalid, message));
        }
        let (now, vendor, authorities) = (self.now(), self.payword_vendor()?, self.till.authorities.clone());
        let ended = move |store: &Connection| {
            let Some(session) = rows::session(store, &authorities, charge.authority_id)? else {
                return Ok(Err(unknown()));
            };
            if charge.index > session.index() {
                let message = "A budget is ended with the highest payword that was spent.";
                return Ok(Err(Refusal::new(ErrorCode::PaywordInvalid, message)));
            }
            let session = match session.charge(&charge, now) {
                Ok(charged) => charged.session,
                Err(error) => return Ok(Err(error.into())),
            };
            let deposit = match vendor.deposit(&session) {
                Ok(deposit) => deposit,
                Err(error) => return Ok(Err(error.into())),
            };
            rows::keep_session(store, &session, Owed(deposit.is_some()))?;
            let deposit = deposit.filter(|deposit| deposit.last);
            Ok(Ok(EndedBudget { authority_id: session.id(), index: session.index(), deposit }))
        };
        let ended = self.store.commit(ended).await?;
        self.till.ended.notify_one();
        ended
    }

    /// The session of a budget that nobody has opened here. Where it is signed with a key that the shop does not know,
    /// the center is asked for its keys, now and then.
    async fn check_authority(&self, countersigned: &Countersigned) -> Result<Session, Refusal> {
        let opened = self.payword_vendor()?.open(None, countersigned, self.now());
        let keys = [countersigned.key_id, countersigned.order.certificate.key_id];
        let vendor = self.payword_vendor()?;
        let unknown = keys.iter().any(|id| vendor.center_keys.find(*id).is_none());
        match opened {
            Err(PaywordError::Forged(_)) if unknown && self.may_ask_for_keys() => {
                self.learn_keys().await?;
                Ok(self.payword_vendor()?.open(None, countersigned, self.now())?)
            }
            opened => Ok(opened?),
        }
    }
}

fn sell(
    store: &Connection,
    authorities: &Authorities,
    purchase: &PaywordPurchase,
    wares: Result<Wares, Refusal>,
    now: Timestamp,
) -> store::Result<Result<PaywordSale, Refusal>> {
    let charge = &purchase.charge;
    let (authority_id, index) = (charge.authority_id, charge.index);
    let Some(session) = rows::session(store, authorities, authority_id)? else { return Ok(Err(unknown())) };
    let charged = match session.charge(charge, now) {
        Ok(charged) => charged,
        Err(error) => return Ok(Err(error.into())),
    };
    if charged.units == 0 {
        let sold = rows::tick(store, authority_id, index)?;
        let same = sold.filter(|delivery| delivery.receipt.subject == purchase.request_url);
        let spent = || Refusal::new(ErrorCode::PaywordInvalid, "The payword was spent before.");
        return Ok(same.map(|delivery| PaywordSale { authority_id, index, delivery }).ok_or_else(spent));
    }
    let wares = match wares {
        Ok(wares) => wares,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if charged.amount != wares.price {
        let message = format!("The article costs {}; the payword pays {}.", wares.price, charged.amount);
        return Ok(Err(Refusal::new(ErrorCode::PaywordInvalid, message)));
    }
    let last = charged.session.standing().last;
    rows::keep_tick(store, (authority_id, last), charged.session.is_ended(), &wares.sold)?;
    Ok(Ok(PaywordSale { authority_id, index, delivery: wares.sold.delivery }))
}

fn unknown() -> Refusal {
    Refusal::new(ErrorCode::AuthorityUnknown, "The budget was not opened at this shop, or was over long ago.")
}
