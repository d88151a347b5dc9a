//! Earning: M1 -> M2, M3 -> M7.
//!
//! Each earner has one attempt at an item, on disk before the reply. The same M1 gets the same M2, byte for
//! byte, after a restart too; other answers get `already_answered`.
//!
//! # No two live offers
//! The center takes each TranID once, but does not know that two TranIDs are for one earner and item. So the
//! shop makes a second offer only when the first can never be taken any more: the center says that it was
//! voided, or still knows nothing of it at a time when it would refuse it as expired and a pending issue would
//! have been posted. Both clocks must have passed that time.
//!
//! # What a reply tells (T10)
//! That answers were wrong, but not which. Right and wrong take the same way: all answers are graded, an
//! offer is sealed, one row is written, and the refusal is filled up to the length of the permission. What is
//! left to see from outside is the status line, and the length after compression.

use std::future::Future;
use std::sync::Arc;

use tuppence_protocol::scrip::issue::{IssuePermitted, IssueRequest};
use tuppence_protocol::scrip::relay::CenterInit;
use tuppence_protocol::scrip::seller::{AwaitingOutcome, Seller, Settled, refuse_issue};
use tuppence_protocol::scrip::{Code, Header, Item};
use tuppence_protocol::{Amount, Duration, ErrorBody, ErrorCode, Refusal, Text, Timestamp};

use super::campaigns::{Campaign, Grade, Kind};
use super::pages::money;
use super::relay::Word;
use super::sale::document;
use super::store::{Attempt, DayLimit, OfferKey, Recorded};
use super::{Declined, Delivered, Storefront, fault};
use crate::crash::{self, Point};

/// After an offer's end: ten minutes in which an issue may be pending, and five for clocks that differ.
const SETTLED_AFTER: Duration = Duration::from_minutes(15);
const DAY: u64 = Duration::from_days(1).as_millis();

/// M2, as the JSON that was stored and is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission(pub String);

impl Storefront {
    /// M1 -> M2.
    ///
    /// # Errors
    /// GM2_2 with the reason: not attested, no such item, answers that do not fit, wrong, or given before.
    pub async fn answer(&self, request: IssueRequest) -> Result<Permission, Declined> {
        let answered = self.try_answer(request).await;
        answered.map_err(|mut declined| {
            if declined.reply.is_none() {
                let document = document(&declined.refusal.message);
                let reply = refuse_issue(&declined.refusal, document, self.now());
                declined.reply = Some(Box::new(reply));
            }
            declined
        })
    }

    async fn try_answer(&self, request: IssueRequest) -> Result<Permission, Declined> {
        let seller = self.seller()?;
        let earner = seller.attested(&request)?;
        let item = request.item.clone();
        if let Some(known) = self.store.run(move |store| store.attempt(earner, &item)).await? {
            return self.again(&seller, known, &request).await;
        }
        let now = self.now();
        let campaign = self.open_campaign(&request)?;
        self.check_budget(&campaign)?;
        let grade = campaign.grading.grade(&campaign.questions, &request.value)?;
        let permitted = seller.permit(&request, campaign.reward, self.fresh()?)?;
        let permission = to_json(&permitted)?;
        let refused = refused(&permission, now)?;
        let attempt = Attempt {
            earner,
            item: request.item.clone(),
            digest: request.digest(),
            at: now,
            offer: (grade == Grade::Passed).then(|| key(&permitted)),
            reply: if grade == Grade::Passed { permission } else { refused },
        };
        let kept = kept(&campaign, &request);
        let limit = campaign.per_day.map(|rewards| DayLimit { rewards, since: midnight(now) });
        crash::at(Point::AnswerGraded);
        let recorded = self.store.run({
            let attempt = attempt.clone();
            move |store| store.record(&attempt, &kept, limit)
        });
        let recorded = recorded.await?;
        crash::at(Point::AnswerKept);
        match recorded {
            Recorded::New => reply(&attempt),
            Recorded::Known(known) => self.again(&seller, known, &request).await,
            Recorded::DayFull => {
                let message = "Today's rewards of this campaign are given out. Come back tomorrow.";
                Err(Refusal::new(ErrorCode::CampaignExhausted, message).into())
            }
        }
    }

    fn open_campaign(&self, request: &IssueRequest) -> Result<Arc<Campaign>, Refusal> {
        let campaigns = self.campaigns.load();
        let campaign = campaigns.find(&request.item).filter(|campaign| campaign.is_open(self.now()));
        campaign
            .cloned()
            .ok_or_else(|| Refusal::new(ErrorCode::ItemUnknown, "This question is not open here."))
    }

    /// Before anything is graded: nobody shall use up his attempt on what cannot be paid.
    fn check_budget(&self, campaign: &Campaign) -> Result<(), Refusal> {
        match self.rewards_left(campaign) {
            Some(0) => {
                let message = "There is no budget left for this campaign. Your answers were not looked at.";
                Err(Refusal::new(ErrorCode::CampaignExhausted, message))
            }
            Some(_) => Ok(()),
            None => {
                let message = "The center has not set the budget of this campaign aside yet.";
                Err(Refusal::new(ErrorCode::CenterUnreachable, message))
            }
        }
    }

    /// An earner who was here before.
    async fn again(
        &self,
        seller: &Arc<Seller>,
        known: Attempt,
        request: &IssueRequest,
    ) -> Result<Permission, Declined> {
        if known.digest != request.digest() {
            let message = "You have answered this already. The first answer counts.";
            return Err(Refusal::new(ErrorCode::AlreadyAnswered, message).into());
        }
        match known.offer {
            Some(offer) if offer.expires < self.now() => self.renewed(seller, known, offer, request).await,
            _ => reply(&known),
        }
    }

    /// A fresh offer in place of an expired one, if that can never be taken any more; else the same again. A campaign
    /// that has ended, or is spent, gives no fresh one.
    async fn renewed(
        &self,
        seller: &Arc<Seller>,
        known: Attempt,
        old: OfferKey,
        request: &IssueRequest,
    ) -> Result<Permission, Declined> {
        // A word that was heard before is enough to refuse by, and never enough for a second offer: the center's clock may have
        // been set back since, and the first one be good again.
        if self.was_dead(seller, &old)? {
            let campaign = self.open_campaign(request)?;
            self.check_budget(&campaign)?;
        }
        if !self.is_dead(seller, old).await? {
            return reply(&known);
        }
        // Nothing can come of the old one: without a new one, the earner is told so instead of sent round in circles.
        let campaign = self.open_campaign(request)?;
        self.check_budget(&campaign)?;
        let permitted = seller.permit(request, campaign.reward, self.fresh()?)?;
        let fresh = Attempt { offer: Some(key(&permitted)), reply: to_json(&permitted)?, ..known };
        let stored = self.store.run(move |store| store.reissue(&fresh, old.tran_id)).await?;
        reply(&stored)
    }

    /// Whether the center has said lately that no money can come of the offer any more.
    fn was_dead(&self, seller: &Seller, offer: &OfferKey) -> Result<bool, Refusal> {
        let waiting = self.question_of(seller, offer)?;
        Ok(self.relay.heard(&waiting).is_some_and(|word| self.kills(offer, &word)))
    }

    fn question_of(&self, seller: &Seller, offer: &OfferKey) -> Result<AwaitingOutcome, Refusal> {
        let init = CenterInit { header: Header::new(Code::Gm3_1, self.now()), tran_id: offer.tran_id };
        seller.relay(&init, self.now())
    }

    fn kills(&self, offer: &OfferKey, word: &Word) -> bool {
        let settled_from = offer.expires.plus(SETTLED_AFTER);
        match word.settled {
            Settled::Voided => true,
            Settled::Posted(_) => false,
            Settled::Open => self.now() > settled_from && word.center_date > settled_from,
        }
    }

    /// Whether no money can come of the offer any more.
    async fn is_dead(&self, seller: &Arc<Seller>, offer: OfferKey) -> Result<bool, Refusal> {
        let waiting = self.question_of(seller, &offer)?;
        match self.relay.ask(seller, &waiting).await {
            Ok(word) => Ok(self.kills(&offer, &word)),
            Err(refusal) if refusal.code == ErrorCode::CenterUnreachable => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// M3 -> M7: what was issued, as soon as the center confirms it; else where to ask again.
    ///
    /// # Errors
    /// The issue was voided, the center cannot be reached, or too many wait.
    pub async fn deliver_reward(
        &self,
        init: &CenterInit,
        give_up: impl Future<Output = ()>,
    ) -> Result<Delivered, Declined> {
        init.header.expect(&[Code::Gm3_1])?;
        let seller = self.seller()?;
        let waiting = seller.relay(init, self.now())?;
        match self.relay.wait(&seller, &waiting, give_up).await? {
            Settled::Posted(receipt) => {
                self.budgets_changed.notify_one();
                let campaign = self.campaigns.load().find(&item_of(receipt.subject.as_str())?).cloned();
                let (title, thanks) = thanks(campaign.as_deref(), receipt.amount)?;
                let delivery = seller.deliver(receipt, title, document(&thanks), self.now());
                Ok(Delivered::Document(Box::new(delivery)))
            }
            Settled::Open => Ok(self.ask_again(&waiting, "/api/v1/earn/deliver")?),
            Settled::Voided => {
                let message = "The reward was cancelled, and nothing was issued.";
                Err(Refusal::new(ErrorCode::TransactionVoided, message).into())
            }
        }
    }
}

/// A stored attempt's reply.
fn reply(attempt: &Attempt) -> Result<Permission, Declined> {
    if attempt.offer.is_some() {
        return Ok(Permission(attempt.reply.clone()));
    }
    let body: ErrorBody = serde_json::from_str(&attempt.reply).map_err(fault)?;
    Err(Declined { refusal: Refusal::new(body.code, body.message), reply: body.reply })
}

/// The refusal of wrong answers: the body that is sent, filled up to the length of the permission.
fn refused(permission: &str, now: Timestamp) -> Result<String, Refusal> {
    let message = "That was not right. Each quiz has one try; there are others.";
    let refusal = Refusal::new(ErrorCode::AnswerWrong, message);
    let body = |fill: usize| {
        let html = format!("<p>{message}</p>{}", " ".repeat(fill));
        let document = html.parse().map_err(fault)?;
        let reply = Some(Box::new(refuse_issue(&refusal, document, now)));
        to_json(&ErrorBody { reply, ..ErrorBody::from(&refusal) })
    };
    let bare = body(0)?;
    body(permission.len().saturating_sub(bare.len()))
}

fn key(permitted: &IssuePermitted) -> OfferKey {
    OfferKey { tran_id: permitted.offer.tran_id, expires: permitted.offer.expires }
}

/// The answers that the advertiser keeps: a survey's.
fn kept(campaign: &Campaign, request: &IssueRequest) -> Vec<String> {
    match campaign.kind {
        Kind::Survey => request.value.iter().map(|answer| answer.as_str().to_owned()).collect(),
        Kind::Quiz | Kind::Advertisement => Vec::new(),
    }
}

fn thanks(campaign: Option<&Campaign>, amount: Amount) -> Result<(Text<400>, String), Refusal> {
    let amount = money::spoken(amount);
    Ok(match campaign {
        Some(campaign) => {
            (campaign.title.clone(), format!("Thank you. {} has paid you {amount}.", campaign.sponsor))
        }
        // The campaign's file is gone; the reward is not.
        None => ("Thank you".parse().map_err(fault)?, format!("Thank you. You have earned {amount}.")),
    })
}

fn item_of(subject: &str) -> Result<Item, Refusal> {
    subject.parse().map_err(fault)
}

fn midnight(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.as_millis() / DAY * DAY)
}

fn to_json<T: serde::Serialize>(message: &T) -> Result<String, Refusal> {
    serde_json::to_string(message).map_err(fault)
}
