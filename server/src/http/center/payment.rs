//! E1, M4, S4, M6, S6 over HTTP. What is refused carries the protocol's own refusal too (GM5_2-4, PM5_2-3).

use actix_web::Responder;
use actix_web::web::Data;
use tuppence_protocol::scrip::center::{refused_issue, refused_payment};
use tuppence_protocol::scrip::earner::AttestationRequest;
use tuppence_protocol::scrip::finish::{Finish, ISSUE_FINISH, PAYMENT_FINISH};
use tuppence_protocol::scrip::issue::IssueStart;
use tuppence_protocol::scrip::payment::PaymentStart;
use tuppence_protocol::scrip::{Code, Scrip};
use tuppence_protocol::{ErrorCode, Refusal};

use super::{CenterApi, fresh, unexpected};
use crate::center::{Command, Reply};
use crate::http::error::ApiError;
use crate::http::message::{Message, WithBody, decode};

/// E1 -> E2.
pub(super) async fn attest(
    api: Data<CenterApi>,
    Message(message): Message<AttestationRequest>,
) -> Result<impl Responder, ApiError> {
    match api.submit(Command::Attest(Box::new(message))).await? {
        Reply::Attested(reply) => Ok(fresh(reply)),
        _ => Err(unexpected()),
    }
}

/// M4 -> M5.
pub(super) async fn issue(
    api: Data<CenterApi>,
    WithBody(message, body): WithBody<IssueStart>,
) -> Result<impl Responder, ApiError> {
    match api.committer.submit(Command::Issue(Box::new(message))).await {
        Ok(Reply::Ecash(reply)) => Ok(fresh(reply)),
        Ok(_) => Err(unexpected()),
        Err(error) => {
            let refusal = Refusal::from(error);
            let message: IssueStart = decode(&body)?;
            claim(&api, &refusal, &message.scrip).await;
            let reply = refused_issue(&message, &refusal, api.now());
            Err(ApiError::from(refusal).with_reply(reply))
        }
    }
}

/// S4 -> S5.
pub(super) async fn payment(
    api: Data<CenterApi>,
    WithBody(message, body): WithBody<PaymentStart>,
) -> Result<impl Responder, ApiError> {
    match api.committer.submit(Command::Payment(Box::new(message))).await {
        Ok(Reply::Balance(reply)) => Ok(fresh(reply)),
        Ok(_) => Err(unexpected()),
        Err(error) => {
            let refusal = Refusal::from(error);
            let message: PaymentStart = decode(&body)?;
            claim(&api, &refusal, &message.scrip).await;
            let reply = refused_payment(&message, &refusal, api.now());
            Err(ApiError::from(refusal).with_reply(reply))
        }
    }
}

/// M6.
pub(super) async fn finish_issue(
    api: Data<CenterApi>,
    message: WithBody<Finish>,
) -> Result<impl Responder, ApiError> {
    finish(&api, message, &ISSUE_FINISH).await
}

/// S6.
pub(super) async fn finish_payment(
    api: Data<CenterApi>,
    message: WithBody<Finish>,
) -> Result<impl Responder, ApiError> {
    finish(&api, message, &PAYMENT_FINISH).await
}

async fn finish(
    api: &CenterApi,
    WithBody(message, body): WithBody<Finish>,
    codes: &[Code],
) -> Result<impl Responder + use<>, ApiError> {
    message.header.expect(codes)?;
    match api.committer.submit(Command::Finish(Box::new(message))).await {
        Ok(Reply::Finished(reply)) => Ok(fresh(reply)),
        Ok(_) => Err(unexpected()),
        Err(error) => {
            let refusal = Refusal::from(error);
            let message: Finish = decode(&body)?;
            claim(api, &refusal, &message.new_scrip).await;
            Err(refusal.into())
        }
    }
}

/// Scrip was refused although its certificate and the message's seal hold: if the books have lost it, they remember
/// it as a claim. A refused message changes nothing, so this is a command of its own.
pub(super) async fn claim(api: &CenterApi, refusal: &Refusal, scrip: &Scrip) {
    if matches!(refusal.code, ErrorCode::ScripStale | ErrorCode::PurseUnknown) {
        // The wallet's answer is the refusal, whatever becomes of this.
        let _ = api.committer.submit(Command::Claim(Box::new(scrip.clone()))).await;
    }
}
