//! E1, M4, S4, M6, S6 over HTTP. What is refused carries the protocol's own refusal too (GM5_2-4, PM5_2-3).

use actix_web::Responder;
use actix_web::web::Data;
use tuppence_protocol::Refusal;
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::center::{refused_issue, refused_payment};
use tuppence_protocol::scrip::earner::AttestationRequest;
use tuppence_protocol::scrip::finish::{Finish, ISSUE_FINISH, PAYMENT_FINISH};
use tuppence_protocol::scrip::issue::IssueStart;
use tuppence_protocol::scrip::payment::PaymentStart;

use super::{CenterApi, fresh, unexpected};
use crate::center::{Command, Reply};
use crate::http::error::ApiError;
use crate::http::message::Message;

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
    Message(message): Message<IssueStart>,
) -> Result<impl Responder, ApiError> {
    match api.committer.submit(Command::Issue(Box::new(message.clone()))).await {
        Ok(Reply::Ecash(reply)) => Ok(fresh(reply)),
        Ok(_) => Err(unexpected()),
        Err(error) => {
            let refusal = Refusal::from(error);
            let reply = refused_issue(&message, &refusal, api.now());
            Err(ApiError::from(refusal).with_reply(reply))
        }
    }
}

/// S4 -> S5.
pub(super) async fn payment(
    api: Data<CenterApi>,
    Message(message): Message<PaymentStart>,
) -> Result<impl Responder, ApiError> {
    match api.committer.submit(Command::Payment(Box::new(message.clone()))).await {
        Ok(Reply::Balance(reply)) => Ok(fresh(reply)),
        Ok(_) => Err(unexpected()),
        Err(error) => {
            let refusal = Refusal::from(error);
            let reply = refused_payment(&message, &refusal, api.now());
            Err(ApiError::from(refusal).with_reply(reply))
        }
    }
}

/// M6.
pub(super) async fn finish_issue(
    api: Data<CenterApi>,
    Message(message): Message<Finish>,
) -> Result<impl Responder, ApiError> {
    finish(&api, message, &ISSUE_FINISH).await
}

/// S6.
pub(super) async fn finish_payment(
    api: Data<CenterApi>,
    Message(message): Message<Finish>,
) -> Result<impl Responder, ApiError> {
    finish(&api, message, &PAYMENT_FINISH).await
}

async fn finish(
    api: &CenterApi,
    message: Finish,
    codes: &[Code],
) -> Result<impl Responder + use<>, ApiError> {
    message.header.expect(codes)?;
    match api.submit(Command::Finish(Box::new(message))).await? {
        Reply::Finished(reply) => Ok(fresh(reply)),
        _ => Err(unexpected()),
    }
}
