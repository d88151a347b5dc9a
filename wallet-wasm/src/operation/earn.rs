//! Earning (spec/01, figure 2): an answer becomes e-cash.
//!
//! ```text
//! E1 -> E2 (once for each shop)
//! Asking: M1 -> M2 -> Starting: M4 -> M5 -> Finishing: M6 -> receipt -> scrip + "earned"
//!    | wrong, answered before: "missed"        M3 ------------------------> M7, beside the money
//!    | offer expired: M1 again, which gets a fresh offer
//! ```
//!
//! M1 is stored before it is sent: an answer counts once, and a lost M2 must not cost the reward.

use std::rc::Rc;

use tuppence_protocol::ErrorCode;
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::buyer::AwaitingIssueOffer;
use tuppence_protocol::scrip::earner::{Attestation, AttestationReply};
use tuppence_protocol::scrip::issue::{ANSWERS_MAX, IssuePermitted};
use tuppence_protocol::text::Text;

use crate::client::{self, CallError, Peer};
use crate::error::{Problem, WalletError};
use crate::operation::delivery::{Ask, run_with_delivery};
use crate::operation::exchange::{note, note_refusal};
use crate::operation::run::{Over, Turn};
use crate::operation::session::Session;
use crate::operation::{Errand, Operation, Stage};
use crate::origin::Origin;
use crate::ports::Changes;
use crate::record::{self, Answered, ShopRecord, at_shop};
use crate::shop_wire::CampaignWithQuestions;
use crate::view::{Earned, ExchangeStep, Party};
use crate::wallet::Inner;

/// Answers `campaign` of `shop`.
pub(crate) async fn earn(
    inner: &Rc<Inner>,
    shop: ShopRecord,
    campaign: CampaignWithQuestions,
    answers: &[String],
) -> Result<Earned, WalletError> {
    let answers = parse_answers(answers, campaign.questions.len())?;
    let item = campaign.item.to_string();
    let mut session = Session::open(inner).await?;
    session.settle().await?;
    let operation = match session.open_answer(&shop.origin, &item).await? {
        Some(operation) => operation,
        None => {
            session.check_unanswered(&shop.origin, &item).await?;
            session.begin_answer(&shop, campaign, answers).await?
        }
    };
    let settled = run_with_delivery(session, operation, &shop.origin, Ask::Information).await?;
    Ok(Earned {
        entry: settled.entry,
        document: settled.delivery.map(|delivery| delivery.document.to_string()),
    })
}

fn parse_answers(answers: &[String], questions: usize) -> Result<Vec<Text<2_000>>, WalletError> {
    if answers.len() != questions || answers.len() > ANSWERS_MAX {
        return Err(Problem::AnswerInvalid.into());
    }
    let parsed: Result<_, _> = answers.iter().map(|answer| Text::normalized(answer)).collect();
    parsed.map_err(|error| WalletError::from(Problem::AnswerInvalid).because(format!("{error}.")))
}

impl Session {
    /// An answer that was given before, and whose reward is still on its way.
    async fn open_answer(&self, origin: &Origin, item: &str) -> Result<Option<Operation>, WalletError> {
        let is_it = |operation: &Operation| match &operation.errand {
            Errand::Earn { shop, item: theirs, .. } => shop.origin == origin.as_str() && theirs == item,
            _ => false,
        };
        Ok(self.operations().await?.into_iter().find(is_it))
    }

    async fn check_unanswered(&self, origin: &Origin, item: &str) -> Result<(), WalletError> {
        let name = at_shop(origin.as_str(), item);
        let answered: Option<Answered> = record::read(&*self.ports().storage, &name).await?;
        match answered {
            None => Ok(()),
            Some(_) => {
                let refusal = tuppence_protocol::Refusal::new(
                    ErrorCode::AlreadyAnswered,
                    "This wallet has answered the question already.",
                );
                Err(tuppence_protocol::ErrorBody::from(&refusal).into())
            }
        }
    }

    async fn begin_answer(
        &self,
        shop: &ShopRecord,
        campaign: CampaignWithQuestions,
        answers: Vec<Text<2_000>>,
    ) -> Result<Operation, WalletError> {
        let mut exchange = Vec::new();
        let attestation = match &shop.attestation {
            Some(attestation) => attestation.clone(),
            None => self.attest(shop, &mut exchange).await?,
        };
        let vendor_id = shop.shop.vendor_id.clone();
        let asking =
            AwaitingIssueOffer::new(vendor_id, campaign.item.clone(), answers, attestation, self.now());
        let errand = Errand::Earn {
            shop: shop.reference(),
            item: campaign.item.to_string(),
            title: campaign.title,
            reward: campaign.reward,
            asking: Box::new(asking),
        };
        let mut operation = self.operation(errand, Stage::Asking)?;
        operation.exchange = exchange;
        Ok(operation)
    }

    /// E1 -> E2: the center's word to this shop, kept for the next time.
    async fn attest(
        &self,
        shop: &ShopRecord,
        exchange: &mut Vec<ExchangeStep>,
    ) -> Result<Attestation, WalletError> {
        let awaiting = self.purse().attestation(shop.shop.vendor_id.clone(), self.now());
        let reply: AttestationReply =
            self.ask_center(exchange, "/earner", Code::Em1, &awaiting.request).await?;
        note(exchange, Code::Em2, Party::Center, Party::Buyer, self.now(), &reply);
        let attestation = awaiting.receive(&reply, &self.custom_secret)?;
        let shop = ShopRecord { attestation: Some(attestation.clone()), ..shop.clone() };
        let mut changes = Changes::default();
        changes.write(&crate::origin::segment(shop.origin.as_str()), &shop)?;
        self.ports().storage.commit(changes).await?;
        Ok(attestation)
    }

    /// M1 -> M2.
    pub(super) async fn ask_for_reward(&mut self, operation: &mut Operation) -> Result<Turn, WalletError> {
        let Errand::Earn { shop, asking, .. } = &operation.errand else {
            return Ok(Over::plain(Problem::OperationUnknown));
        };
        let (origin, asking): (Origin, _) = (shop.origin.parse()?, asking.clone());
        let exchange = &mut operation.exchange;
        note(exchange, Code::Gm1_1, Party::Buyer, Party::Seller, self.now(), &asking.request);
        let peer = Peer::Shop(&origin);
        let reply: Result<IssuePermitted, _> =
            client::post(self.ports(), peer, "/earn", &asking.request).await;
        match reply {
            Ok(reply) => {
                note(exchange, reply.header.cmd_type, Party::Seller, Party::Buyer, self.now(), &reply);
                let purse = self.purse();
                let offer = asking.receive(&reply, &purse).and_then(|offer| purse.start(offer, self.now()));
                Ok(match offer {
                    Ok(awaiting) => Turn::Next(Stage::Starting(Box::new(awaiting))),
                    Err(refusal) => Over::plain(refusal),
                })
            }
            Err(error @ CallError::Unclear(_)) => Ok(Turn::Open(error.into())),
            Err(refused) => {
                note_refusal(exchange, Code::Gm1_1, Party::Seller, self.now(), &refused);
                self.refused_reward(operation, &origin, refused).await
            }
        }
    }

    async fn refused_reward(
        &mut self,
        operation: &mut Operation,
        origin: &Origin,
        refused: CallError,
    ) -> Result<Turn, WalletError> {
        match refused.code() {
            Some(ErrorCode::AnswerWrong | ErrorCode::AlreadyAnswered) => {
                Ok(Turn::Over(Over { error: refused.into(), missed: true, stale: false, returned: false }))
            }
            // The secret that attests has changed: the center is asked anew, once.
            Some(ErrorCode::EarnerUnattested) if operation.rounds == 0 => {
                let name = crate::origin::segment(origin.as_str());
                let shop: Option<ShopRecord> = record::read(&*self.ports().storage, &name).await?;
                let shop = shop.ok_or(Problem::ShopInvalid)?;
                match self.attest(&shop, &mut operation.exchange).await {
                    Ok(attestation) => {
                        if let Errand::Earn { asking, .. } = &mut operation.errand {
                            asking.request.earner = attestation;
                        }
                        Ok(Turn::Back(Stage::Asking))
                    }
                    Err(error) => Ok(Turn::Open(error)),
                }
            }
            _ => Ok(Over::plain(refused)),
        }
    }
}
